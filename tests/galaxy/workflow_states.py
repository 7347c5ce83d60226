"""Say which parameters the tools have that the workflows do not know; `--fill` writes the tools' defaults into them.

Galaxy refuses to start a workflow whose steps lack a parameter of their tool ("upgrade messages"). A parameter that is
now in a section of the form keeps its value and its connection: without that, Galaxy would take the default in silence.
A tool that has another id now is named by it.
Runs with Galaxy's own Python, which can read its tools:
`.venv/galaxy/bin/python -m tests.galaxy.workflow_states [--fill] [WORKFLOW.ga ...]`; without a file, the suite's own.
"""

import json
import sys
from pathlib import Path
from typing import Any

from galaxy.tool_util.parser import get_tool_source

from scripts.suite_files import tool_xml_files

ROOT = Path(__file__).resolve().parents[2]
# Ids that tools had before, and what they are now.
RENAMED = {"omero_dataset_to_plate": "omero_arrange_plates"}


def moved_into_sections(page: Any, state: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Move values from where they stood before the tool had sections; return the new place of each by the old."""
    moved = {}
    sources = list(page.parse_input_sources())
    still_here = {source.parse_name() for source in sources}
    for source in sources:
        name, kind = source.parse_name(), source.parse_input_type()
        if kind == "section":
            nested = source.parse_nested_inputs_source()
            inside = {one.parse_name(): one.parse_input_type() for one in nested.parse_input_sources()}
            known = state.get(name, {})
            old = {
                one: state.pop(one)
                for one, sort in inside.items()
                if one in state and one not in still_here and one not in known and _fits(sort, state[one])
            }
            if old:
                state[name] = known | old
            for one in old:
                moved[f"{prefix}{one}"] = f"{prefix}{name}|{one}"
        if kind == "section" and name in state:
            moved |= moved_into_sections(source.parse_nested_inputs_source(), state[name], f"{prefix}{name}|")
        elif kind == "conditional" and name in state:
            chosen = state[name].get(source.parse_test_input_source().parse_name())
            for case, nested in source.parse_when_input_sources():
                if str(chosen) == str(case):
                    moved |= moved_into_sections(nested, state[name], f"{prefix}{name}|")
    return moved


def _fits(kind: str, value: Any) -> bool:
    """Return whether a value is of an input's kind: an earlier input of the same name may have been another."""
    page = isinstance(value, dict) and "__class__" not in value and "values" not in value
    return page == (kind in ("conditional", "section"))


def missing(page: Any, state: dict[str, Any], place: str, fill: bool) -> list[str]:
    """List the parameters of a page that a step's state lacks; give them their defaults where asked."""
    found = []
    for source in page.parse_input_sources():
        name, kind = source.parse_name(), source.parse_input_type()
        if name not in state:
            found.append(f"{place}|{name}")
            if fill:
                state[name] = default(source, kind)
        elif kind == "section":
            found += missing(source.parse_nested_inputs_source(), state[name], f"{place}|{name}", fill)
        elif kind == "conditional":
            chosen = state[name].get(source.parse_test_input_source().parse_name())
            for case, nested in source.parse_when_input_sources():
                if str(chosen) == str(case) or str(chosen).lower() == case:
                    found += missing(nested, state[name], f"{place}|{name}", fill)
    return found


def default(source: Any, kind: str) -> Any:
    """The value of a parameter that nobody touched, as a workflow keeps it."""
    if kind == "section":
        return filled(source.parse_nested_inputs_source())
    if kind == "repeat":
        return []
    if kind == "conditional":
        test = source.parse_test_input_source()
        value = default(test, "param")
        for number, (case, nested) in enumerate(source.parse_when_input_sources()):
            if str(value) == str(case) or str(value).lower() == case:
                return {test.parse_name(): value, "__current_case__": number, **filled(nested)}
        return {test.parse_name(): value, "__current_case__": 0}
    kind = source.get("type")
    if kind == "boolean":
        return source.get_bool("checked", False)
    if kind == "select":
        options = source.parse_static_options()
        chosen = [value for _, value, selected, *_ in options if selected]
        if source.get_bool("multiple", False):
            return chosen or None
        return chosen[0] if chosen else None if source.get_bool("optional", False) else options[0][1]
    return source.get("value") or None


def filled(page: Any) -> dict[str, Any]:
    """Defaults of all parameters of a page."""
    return {one.parse_name(): default(one, one.parse_input_type()) for one in page.parse_input_sources()}


def check(workflow: Path, fill: bool) -> list[str]:
    """List what the steps of a workflow lack, in subworkflows too."""
    tools = {path.stem: path for path in tool_xml_files()}
    content = json.loads(workflow.read_text(encoding="utf-8"))
    found = []
    for step in content["steps"].values():
        tool_id = short_id(step.get("tool_id") or "")
        if tool_id in RENAMED:
            new = RENAMED[tool_id]
            found.append(f"{workflow.name}: {step['label']}: the tool {tool_id} is now {new}")
            # A repository is named as its tool; the version of the new one is not known here.
            step["tool_id"] = step["content_id"] = new
            step.pop("tool_shed_repository", None)
            tool_id = new
        if tool_id not in tools:
            continue
        state = json.loads(step["tool_state"])
        for page in get_tool_source(str(tools[tool_id])).parse_input_pages().page_sources:
            moved = moved_into_sections(page, state)
            found += [f"{workflow.name}: {step['label']}|{old} is now {new}" for old, new in moved.items()]
            step["input_connections"] = {
                next(
                    (new + name.removeprefix(old) for old, new in moved.items() if f"{name}|".startswith(f"{old}|")),
                    name,
                ): source
                for name, source in step["input_connections"].items()
            }
            found += missing(page, state, f"{workflow.name}: {step['label']}", fill)
        step["tool_state"] = json.dumps(state)
    if found and fill:
        workflow.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
    return found


def short_id(tool_id: str) -> str:
    """Return the id in the tool's XML, also of a Tool Shed's id: shed/repos/owner/repository/id/version."""
    parts = tool_id.split("/")
    return parts[-2] if "repos" in parts[:-2] else tool_id


def main() -> int:
    """Check all workflows; 1 if one lacks a parameter that was not filled."""
    fill = "--fill" in sys.argv
    chosen = [Path(one) for one in sys.argv[1:] if one != "--fill"]
    found = [line for path in chosen or sorted((ROOT / "workflows").glob("*/*.ga")) for line in check(path, fill)]
    print("\n".join(found))
    return 1 if found and not fill else 0


if __name__ == "__main__":
    sys.exit(main())

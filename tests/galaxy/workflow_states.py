"""Say which parameters the tools have that the workflows do not know; `--fill` writes the tools' defaults into them.

Galaxy refuses to start a workflow whose steps lack a parameter of their tool ("upgrade messages"). Runs with Galaxy's
own Python, which can read its tools: `.venv/galaxy/bin/python -m tests.galaxy.workflow_states [--fill]`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from galaxy.tool_util.parser import get_tool_source

from scripts.suite_files import tool_xml_files

ROOT = Path(__file__).resolve().parents[2]


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
        if step.get("tool_id") not in tools:
            continue
        state = json.loads(step["tool_state"])
        for page in get_tool_source(str(tools[step["tool_id"]])).parse_input_pages().page_sources:
            found += missing(page, state, f"{workflow.name}: {step['label']}", fill)
        step["tool_state"] = json.dumps(state)
    if found and fill:
        workflow.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
    return found


def main() -> int:
    """Check all workflows; 1 if one lacks a parameter that was not filled."""
    fill = "--fill" in sys.argv
    found = [line for path in sorted((ROOT / "workflows").glob("*/*.ga")) for line in check(path, fill)]
    print("\n".join(found))
    return 1 if found and not fill else 0


if __name__ == "__main__":
    sys.exit(main())

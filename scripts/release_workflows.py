"""Write the workflows as a release has them: with the Tool Shed's long tool ids and versions, each folder whole.

    python -m scripts.release_workflows --output dist/workflows [--ask]

Each folder gets the workflow, its README, CHANGELOG, tests and their data, as github.com/galaxyproject/iwc takes it.
With `--ask`, the Tool Shed says which revision of each repository is the newest; without, the revisions stay empty, and
Galaxy finds the tools by their ids where they are installed.
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioblend import ConnectionError as ShedConnectionError
from bioblend.toolshed import ToolShedInstance

from scripts.galaxy_connection import ScriptError, exit_code
from scripts.suite_files import ROOT, tool_xml_files
from scripts.tool_versions import tool_version

WORKFLOWS = ROOT / "workflows"
SHED = "toolshed.g2.bx.psu.edu"
OWNER = "bioimage-suite"
# A file of the shared test data in a workflow's tests.
SHARED_FILE = re.compile(r"(?<=path: )\.\./\.\./test-data/([^\s,}]+)")


def versions() -> dict[str, str]:
    """Return the version of each tool, such as `0.1.0+galaxy2`, by its id."""
    return {path.stem: tool_version(path) for path in tool_xml_files()}


def long_id(shed: str, owner: str, tool: str, version: str) -> str:
    """Return the id that Galaxy gives a tool from a Tool Shed, whose repository is named as the tool."""
    return f"{shed}/repos/{owner}/{tool}/{tool}/{version}"


def with_long_ids(
    content: dict[str, Any], shed: str, owner: str, known: Mapping[str, str], revisions: Mapping[str, str]
) -> dict[str, Any]:
    """Return a workflow, with its subworkflows, whose steps name the tools as the Tool Shed does.

    Args:
        content: The workflow.
        shed: Host of the Tool Shed.
        owner: Owner of the repositories.
        known: Version by id of the suite's tools; other tools keep their ids.
        revisions: Revision to install of each repository; a missing one stays empty.
    """
    steps = {}
    for number, step in content["steps"].items():
        new, tool = dict(step), step.get("tool_id")
        if step.get("subworkflow"):
            new["subworkflow"] = with_long_ids(step["subworkflow"], shed, owner, known, revisions)
        if tool in known:
            identity = long_id(shed, owner, tool, known[tool])
            new |= {"tool_id": identity, "content_id": identity, "tool_version": known[tool]}
            new["tool_shed_repository"] = {
                "changeset_revision": revisions.get(tool, ""), "name": tool, "owner": owner, "tool_shed": shed
            }  # fmt: skip
        steps[number] = new
    return {**content, "steps": steps}


def newest_revisions(shed: str, owner: str, tools: set[str]) -> dict[str, str]:
    """Ask the Tool Shed for the newest revision of each tool's repository.

    Raises:
        ScriptError: It does not answer, or has no such repository.
    """
    connection = ToolShedInstance(f"https://{shed}")
    found = {}
    for tool in sorted(tools):
        try:
            revisions = connection.repositories.get_ordered_installable_revisions(tool, owner)
        except (ShedConnectionError, OSError) as error:
            raise ScriptError(f"Tool Shed {shed}: did not answer for {owner}/{tool} ({error}). Try again.") from None
        if not revisions:
            raise ScriptError(f"Tool Shed {shed}: has no repository {owner}/{tool}. Upload the tools first.")
        found[tool] = str(revisions[-1])
    return found


def release_folder(source: Path, target: Path, release: Mapping[str, Any]) -> None:
    """Write one workflow's folder, with the test data that its tests name.

    Args:
        source: Its folder in `workflows/`.
        target: Folder to make.
        release: Arguments of `with_long_ids` but the workflow.
    """
    shutil.copytree(source, target)
    for path in target.glob("*.ga"):
        content = with_long_ids(json.loads(path.read_text(encoding="utf-8")), **release)
        path.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in target.glob("*-tests.yml"):
        text = path.read_text(encoding="utf-8")
        for name in SHARED_FILE.findall(text):
            (target / "test-data" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / "test-data" / name, target / "test-data" / name)
        path.write_text(SHARED_FILE.sub(r"test-data/\1", text), encoding="utf-8")
    workflow = next(target.glob("*.ga")).name
    (target / ".dockstore.yml").write_text(
        "version: 1.2\nworkflows:\n- name: main\n  subclass: Galaxy\n  publish: true\n"
        f"  primaryDescriptorPath: /{workflow}\n  testParameterFiles:\n  - /{workflow.removesuffix('.ga')}-tests.yml\n",
        encoding="utf-8",
    )


def main(argv: list[str] | None = None) -> int:
    """Write all workflows; the output folder must not exist."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="scripts.release_workflows"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.add_argument("--shed", default=SHED, help="host of the Tool Shed")
    parser.add_argument("--owner", default=OWNER, help="owner of the repositories")
    parser.add_argument("--ask", action="store_true", help="ask the Tool Shed for the newest revisions")
    arguments = parser.parse_args(argv)
    return exit_code(lambda: _release(arguments))


def _release(arguments: argparse.Namespace) -> int:
    if arguments.output.exists():
        raise ScriptError(f"{arguments.output}: is there already. Name a new folder.")
    known = versions()
    revisions = newest_revisions(arguments.shed, arguments.owner, set(known)) if arguments.ask else {}
    release = {"shed": arguments.shed, "owner": arguments.owner, "known": known, "revisions": revisions}
    for folder in sorted(path.parent for path in WORKFLOWS.glob("*/*.ga")):
        release_folder(folder, arguments.output / folder.name, release)
        print(folder.name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

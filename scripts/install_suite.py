"""Install the suite's tools from a Tool Shed into a Galaxy, as its administrator.

    export GALAXY_URL=https://galaxy.example.org GALAXY_API_KEY=...   # an administrator's key
    python -m scripts.install_suite --owner bioimage-suite

Each tool is a repository of the Tool Shed, named as the tool's id. Installed repositories stay as they are.
"""

import argparse
import sys
from pathlib import Path
from xml.etree import ElementTree

from bioblend.galaxy import GalaxyInstance
from bioblend.toolshed import ToolShedInstance

from scripts.galaxy_connection import ScriptError, connect_from_environment, exit_code, refusals_explained

TOOLS = Path(__file__).parents[1] / "tools"
PANEL_SECTION = "Bioimage Suite"


def repository_names() -> list[str]:
    """Return the names of the suite's repositories, which are the ids of the tools."""
    roots = [ElementTree.parse(path).getroot() for path in TOOLS.rglob("*.xml")]  # noqa: S314  (our own files)
    return sorted(root.attrib["id"] for root in roots if root.tag == "tool")


def install_repository(gi: GalaxyInstance, shed: ToolShedInstance, name: str, owner: str) -> str:
    """Install the newest revision of one repository, and return `installed` or `already there`.

    Raises:
        ScriptError: The Tool Shed has no such repository, or Galaxy refuses.
    """
    what = f"Repository {owner}/{name}: was not installed"
    with refusals_explained(what, f"Is the key an administrator's, and is {shed.base_url} a Tool Shed?"):
        repositories = gi.toolshed.get_repositories()
        if (name, owner) in {(one["name"], one["owner"]) for one in repositories if one["status"] == "Installed"}:
            return "already there"
        revisions = shed.repositories.get_ordered_installable_revisions(name, owner)
        if not revisions:
            raise ScriptError(f"Repository {owner}/{name}: the Tool Shed {shed.base_url} has no revision to install.")
        gi.toolshed.install_repository_revision(
            shed.base_url,
            name,
            owner,
            revisions[-1],
            install_tool_dependencies=False,
            install_repository_dependencies=True,
            install_resolver_dependencies=True,
            new_tool_panel_section_label=PANEL_SECTION,
        )
    return "installed"


def main(argv: list[str] | None = None) -> int:
    """Install every repository of the suite; stop at the first that cannot be installed."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="scripts.install_suite",
    )
    parser.add_argument("--owner", required=True, help="owner of the repositories in the Tool Shed")
    parser.add_argument("--shed", default="https://toolshed.g2.bx.psu.edu", help="address of the Tool Shed")
    arguments = parser.parse_args(argv)
    return exit_code(lambda: _install(arguments.shed, arguments.owner))


def _install(shed_address: str, owner: str) -> int:
    gi = connect_from_environment()
    shed = ToolShedInstance(shed_address)
    for name in repository_names():
        print(f"{name}: {install_repository(gi, shed, name, owner)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Whether each tool's packages exist on conda-forge and bioconda and solve together, and the name of its container.

    python -m scripts.conda_packages            # the packages of each tool
    python -m scripts.conda_packages --solve    # ask mamba for each: `mamba create --dry-run`

Needs galaxy-tool-util (`.venv/galaxy` has it), which reads the tools' XML as a server does; `--solve` needs mamba and
the network. The exit code is 1 if one environment cannot be made.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from galaxy.tool_util.deps.mulled.util import build_target, v2_image_name
from galaxy.tool_util.parser import get_tool_source

from scripts.suite_files import tool_xml_files

CHANNELS = ("conda-forge", "bioconda")
SOLVE = ["mamba", "create", "--dry-run", "--yes", "--name", "tool", "--override-channels"]


def packages_of(xml: Path) -> tuple[tuple[str, str], ...]:
    """Return name and version of each package that a tool asks for, sorted."""
    requirements = get_tool_source(str(xml)).parse_requirements()[0]
    return tuple(sorted((one.name, one.version) for one in requirements))


def container_of(packages: tuple[tuple[str, str], ...]) -> str:
    """Return the name of the container that BioContainers builds for these packages together."""
    return str(v2_image_name([build_target(name, version=version) for name, version in packages]))


def solved(packages: tuple[tuple[str, str], ...]) -> str:
    """Ask mamba for an environment; return nothing, or why there is none."""
    channels = [part for channel in CHANNELS for part in ("--channel", channel)]
    command = [*SOLVE, *channels, *(f"{name}={version}" for name, version in packages)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()[-2000:]


def main(argv: list[str] | None = None) -> int:
    """List, or solve, the packages of every tool; tools that ask for the same are one environment."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="scripts.conda_packages"
    )
    parser.add_argument("--solve", action="store_true", help="ask mamba whether each environment can be made")
    arguments = parser.parse_args(argv)
    environments: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for xml in tool_xml_files():
        environments.setdefault(packages_of(xml), []).append(xml.stem)
    failed = 0
    for packages, tools in environments.items():
        print(
            f"{', '.join(tools)}\n  {container_of(packages)}\n  {' '.join(f'{n}={v}' for n, v in packages)}", flush=True
        )
        problem = solved(packages) if arguments.solve else ""
        if problem:
            failed += 1
            print(f"::error::{', '.join(tools)}: no environment can be made\n{problem}", flush=True)
    print(f"{len(environments)} environments, {failed} cannot be made")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Install the parts of the suite that are missing; print nothing if all are there."""

import argparse
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sandbox.setup import SetupError, venvs
from sandbox.setup.frontend import install_frontend
from sandbox.setup.ice_wheel import build_wheel
from sandbox.setup.imagej import fetch_imagej
from sandbox.setup.omero_web import install_web
from sandbox.setup.slurm import install_slurm
from sandbox.setup.system import BROWSER_PACKAGES, require_packages, require_python


def install_tools() -> None:
    """Install `.venv/tools`: the library and what the tools need, the OMERO sandbox, the tests and the linters."""
    venvs.install("tools", make_wheels=build_wheel, with_library=True)


def install_clients() -> None:
    """Install `.venv/clients`: OMERO's clients as their users have them, which the tests run."""
    venvs.install("clients", make_wheels=build_wheel)


def install_oracle() -> None:
    """Install `.venv/oracle`: Bio-Formats and ImageJ, which check written images in tests; nothing without Java."""
    if shutil.which("java"):
        venvs.install("oracle")
        fetch_imagej()


def install_peers() -> None:
    """Install `.venv/peers`: public programs whose numbers the tests compare, and which read written files back."""
    venvs.install("peers")


def install_isa() -> None:
    """Install `.venv/isa`: isatools, which judges the metadata of an Annotated Research Context."""
    venvs.install("isa")


def install_galaxy() -> None:
    """Install `.venv/galaxy`: Galaxy with OMERO's client, planemo, and the front end."""
    venvs.install("galaxy", make_wheels=build_wheel)
    install_frontend()


def install_browser() -> None:
    """Install Chromium from Debian and `.venv/browser` to drive it: only for looking at pages, not for the tests."""
    require_packages(BROWSER_PACKAGES, why="looking at Galaxy's pages")
    venvs.install("browser")


def install_docs() -> None:
    """Install `.venv/docs`: builds the website."""
    venvs.install("docs")


def install_pulsar() -> None:
    """Install `.venv/pulsar`: Pulsar, for jobs that run where Galaxy's file system is not seen."""
    venvs.install("pulsar")


def try_slurm() -> None:
    """Install Slurm where it can be had: without it its tests are skipped."""
    try:
        install_slurm()
    except SetupError as error:
        print(f"Tests of Slurm will be skipped. {error}", flush=True)


PARTS: dict[str, tuple[Callable[[], None], ...]] = {
    "tools": (install_tools,),
    "galaxy": (install_galaxy,),
    "clients": (install_clients,),
    "oracle": (install_oracle,),
    "peers": (install_peers,),
    "isa": (install_isa,),
    "web": (install_web,),
    "browser": (install_browser,),
    "docs": (install_docs,),
    "slurm": (install_slurm,),
    "pulsar": (install_pulsar,),
}
PARTS["all"] = PARTS["tools"] + PARTS["galaxy"] + PARTS["web"]
PARTS["cluster"] = PARTS["all"] + PARTS["slurm"] + PARTS["pulsar"]
PARTS["judges"] = PARTS["oracle"] + PARTS["peers"] + PARTS["isa"]
PARTS["test"] = PARTS["all"] + PARTS["clients"] + PARTS["judges"] + PARTS["docs"] + (try_slurm,)
PARTS["test-cluster"] = PARTS["test"] + PARTS["pulsar"]


def main(argv: list[str] | None = None) -> int:
    """Install the parts that the command line names; return 0, or 1 with a message when something is missing."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox.setup", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS, default="all")
    chosen = parser.parse_args(argv).part
    try:
        require_python()
        # One waits for the compiler, another for downloads: all environments are installed at once.
        with ThreadPoolExecutor() as pool:
            for running in [pool.submit(install) for install in PARTS[chosen]]:
                running.result()
    except SetupError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

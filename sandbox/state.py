"""The state file: where Galaxy, OMERO, OMERO.web and a cluster listen, with which keys, in which processes."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.cluster.pulsar import Pulsar
from sandbox.cluster.slurm import Slurm
from sandbox.galaxy.server import GalaxyServer
from sandbox.omero_web.server import OmeroWeb
from sandbox.private_file import write_private
from sandbox.process import ROOT, Process

DEFAULT_FOLDER = ROOT / ".sandbox"


@dataclass(frozen=True)
class OmeroServer:
    """A running OMERO sandbox: its address, password and processes."""

    host: str
    port: int
    """For clients that speak ssl first, as all of OMERO's do."""
    tcp_port: int
    root_password: str
    processes: tuple[Process, ...]

    @property
    def address(self) -> str:
        """Return host and port in the form of the tools' parameter `omero_host`."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Sandbox:
    """The servers: OMERO, OMERO.web on it, Galaxy, and what its jobs run on."""

    omero: OmeroServer
    galaxy: GalaxyServer
    web: OmeroWeb | None = None
    """None in the tests of tools, which need no browser."""
    slurm: Slurm | None = None
    pulsar: Pulsar | None = None
    """None, both, where Galaxy runs its jobs itself."""


def folder_of_sandbox() -> Path:
    """Return the folder that holds everything of the sandbox: BIOIMAGE_SANDBOX, or `.sandbox/` of this checkout."""
    return Path(os.environ.get("BIOIMAGE_SANDBOX") or DEFAULT_FOLDER).resolve()


def save(folder: Path, sandbox: Sandbox) -> None:
    """Write `state.json`; only its owner may read it."""
    write_private(folder / "state.json", json.dumps(asdict(sandbox), indent=1) + "\n")


def load(folder: Path) -> Sandbox | None:
    """Return the sandbox that was started last, from `state.json`, or None. It need not be running any more."""
    file = folder / "state.json"
    if not file.exists():
        return None
    parts = json.loads(file.read_text())
    for part in filter(None, parts.values()):
        part["processes"] = tuple(Process(**process) for process in part["processes"])
    web = OmeroWeb(**parts["web"]) if parts.get("web") else None
    slurm = Slurm(**parts["slurm"]) if parts.get("slurm") else None
    pulsar = Pulsar(**parts["pulsar"]) if parts.get("pulsar") else None
    return Sandbox(OmeroServer(**parts["omero"]), GalaxyServer(**parts["galaxy"]), web, slurm, pulsar)


def forget(folder: Path) -> None:
    """Remove `state.json`: nothing runs."""
    (folder / "state.json").unlink(missing_ok=True)

"""Start and stop the servers of the sandbox together: OMERO, OMERO.web, Galaxy, and a cluster for its jobs."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox import process, state
from sandbox.cluster import pulsar, slurm
from sandbox.cluster.jobs import cluster_jobs
from sandbox.galaxy import server as galaxy
from sandbox.galaxy.server import GalaxyServer
from sandbox.galaxy.tools_served import serve_tools
from sandbox.omero_web import server as omero_web
from sandbox.private_file import write_private
from sandbox.process import ROOT, Process
from sandbox.state import OmeroServer, Sandbox

OMERO_START_SECONDS = 120.0


HOST = "127.0.0.1"


@dataclass(frozen=True)
class StartingOmero:
    """An OMERO sandbox that was started and may not answer yet: where it will listen, its folder and process."""

    folder: Path
    port: int
    process: Process
    root_password: str

    @property
    def address(self) -> str:
        """Return `host:port`."""
        return f"{HOST}:{self.port}"


def launch_omero(folder: Path, *, detached: bool = False) -> StartingOmero:
    """Start an OMERO sandbox, with the data of an earlier start; do not wait for it.

    Args:
        folder: Its data folder, made if missing.
        detached: Whether it stays when this process ends; otherwise it ends too, however this process ends.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port_file = folder / "port"  # the server removes endpoint.json when it ends
    port = process.free_port(int(port_file.read_text()) if port_file.exists() else None)
    (folder / "endpoint.json").unlink(missing_ok=True)
    password = _root_password(folder)
    command = [str(ROOT / ".venv" / "tools" / "bin" / "python"), "-m", "sandbox.omero"]
    command += ["--data", str(folder), "--port", str(port)]
    environment = {**os.environ, "OMERO_SANDBOX_ROOT_PASSWORD": password}
    log = folder / "server.log"
    started = process.start(command, cwd=ROOT, log=log, environment=environment, detached=detached)
    return StartingOmero(folder, port, started, password)


def wait_for_omero(starting: StartingOmero) -> OmeroServer:
    """Wait until an OMERO sandbox answers.

    Raises:
        SandboxError: It did not get ready; the message has the end of its log. It does not run any more.
    """
    endpoint, log = starting.folder / "endpoint.json", starting.folder / "server.log"
    try:
        process.wait_until(
            endpoint.exists, starting.process, what="OMERO sandbox", log=log, seconds=OMERO_START_SECONDS
        )
    except BaseException:
        process.stop([starting.process])
        raise
    where = json.loads(endpoint.read_text())
    write_private(starting.folder / "port", str(where["port"]))
    return OmeroServer(where["host"], where["port"], where["tcp_port"], starting.root_password, (starting.process,))


def start_omero(folder: Path, *, detached: bool = False) -> OmeroServer:
    """Start an OMERO sandbox and wait until it answers: see `launch_omero` and `wait_for_omero`."""
    return wait_for_omero(launch_omero(folder, detached=detached))


def _root_password(folder: Path) -> str:
    """Return root's password, set when the folder is new: OMERO_SANDBOX_ROOT_PASSWORD, else a random one."""
    file = folder / "root_password"
    if not file.exists():
        write_private(file, os.environ.get("OMERO_SANDBOX_ROOT_PASSWORD") or secrets.token_urlsafe(12))
    return file.read_text()


@dataclass(frozen=True)
class Cluster:
    """A Galaxy and what its jobs run on."""

    galaxy: GalaxyServer
    slurm: slurm.Slurm
    pulsar: pulsar.Pulsar

    @property
    def processes(self) -> tuple[Process, ...]:
        """Return the processes of all, Galaxy's first: it must not see the others end."""
        return self.galaxy.processes + self.slurm.processes + self.pulsar.processes


def start_cluster(
    folder: Path,
    tools_dir: Path,
    *,
    omero_sessions: int = slurm.OMERO_SESSIONS,
    detached: bool = False,
    addresses: Mapping[str, str] | None = None,
) -> Cluster:
    """Start Slurm, Pulsar and a Galaxy that runs its jobs on them, each in a folder of its own below `folder`.

    Args:
        folder: Folder of the three, made if missing.
        tools_dir: Folder with the tools that Galaxy serves.
        omero_sessions: Jobs of OMERO tools that Slurm runs at once: each opens one session.
        detached: Whether they stay when this process ends; otherwise they end too, however this process ends.
        addresses: What Galaxy's welcome page tells of other servers.

    Raises:
        SandboxError: One of them did not start. Nothing keeps running then.
    """
    (folder / "galaxy").mkdir(parents=True, exist_ok=True, mode=0o700)
    started: list[Process] = []
    try:
        batch = slurm.start(folder / "slurm", omero_sessions=omero_sessions, detached=detached)
        started += batch.processes
        # What a Pulsar elsewhere does not have: Galaxy's data, and the checkout with the tools.
        hidden = [folder / "galaxy", tools_dir, *(ROOT / name for name in ("src", "tools", "test-data"))]
        remote = pulsar.start(folder / "pulsar", tools_dir, hidden, detached=detached)
        started += remote.processes
        jobs = cluster_jobs(folder / "galaxy", batch, remote)
        server = galaxy.start(folder / "galaxy", tools_dir, jobs=jobs, detached=detached, addresses=addresses)
    except BaseException:
        process.stop(started)
        raise
    return Cluster(server, batch, remote)


def up(folder: Path, tools_dir: Path, *, cluster: bool = False, detached: bool) -> Sandbox:
    """Start the servers, or return those that run already. Two calls at once wait for each other.

    Args:
        folder: Folder of the sandbox; nothing is written outside.
        tools_dir: Folder with the tools that Galaxy serves.
        cluster: Whether Galaxy runs its jobs on a Slurm and a Pulsar, which then run, too.
        detached: Whether they stay when this process ends; otherwise they end too, however this process ends.

    Raises:
        SandboxError: One of them did not start. Nothing keeps running then.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(folder):
        known = state.load(folder)
        if known and is_up(known) and (known.slurm is not None or not cluster):
            return known
        if known:  # only half of it runs, or it hangs, or its Galaxy knows no cluster
            _stop(known)
        starting = launch_omero(folder / "omero", detached=detached)
        started = [starting.process]
        try:
            # OMERO and OMERO.web get ready while Galaxy starts, which takes longer.
            web = omero_web.start(folder / "web", (HOST, starting.port), detached=detached)
            started += web.processes
            tools = serve_tools(tools_dir, folder / "suite", starting.address)
            addresses = {"omero": starting.address, "web": web.url}
            if cluster:
                whole = start_cluster(folder, tools, detached=detached, addresses=addresses)
                started += whole.processes
                sandbox = Sandbox(wait_for_omero(starting), whole.galaxy, web, whole.slurm, whole.pulsar)
            else:
                served = galaxy.start(folder / "galaxy", tools, detached=detached, addresses=addresses)
                started += served.processes
                sandbox = Sandbox(wait_for_omero(starting), served, web)
            omero_web.wait(web, folder / "web")
        except BaseException:
            process.stop(started)
            raise
        state.save(folder, sandbox)
        return sandbox


def down(folder: Path) -> bool:
    """Stop what `up` started in this folder and nothing else; return whether there was anything to stop."""
    if not folder.exists():
        return False
    with _locked(folder):
        known = state.load(folder)
        if known is None:
            return False
        ran = any(process.is_running(one) for one in processes_of(known))
        _stop(known)
        state.forget(folder)
        return ran


def is_up(sandbox: Sandbox) -> bool:
    """Return whether all servers run."""
    omero_runs = all(process.is_running(one) for one in sandbox.omero.processes)
    web_runs = sandbox.web is not None and omero_web.is_up(sandbox.web)
    beside = [part for part in (sandbox.slurm, sandbox.pulsar) if part is not None]
    cluster_runs = all(process.is_running(one) for part in beside for one in part.processes)
    return omero_runs and web_runs and cluster_runs and galaxy.is_up(sandbox.galaxy)


def processes_of(sandbox: Sandbox) -> tuple[Process, ...]:
    """Return the processes of all servers, those first that others need last."""
    parts = (sandbox.web, sandbox.omero, sandbox.galaxy, sandbox.slurm, sandbox.pulsar)
    return tuple(one for part in parts if part is not None for one in part.processes)


@contextlib.contextmanager
def running(folder: Path, tools_dir: Path) -> Iterator[Sandbox]:
    """Keep the servers running for the length of a `with` block.

    Servers that already ran in this folder are used and left running; others end with the block.
    """
    known = state.load(folder) if folder.exists() else None
    keep = known is not None and is_up(known)
    sandbox = up(folder, tools_dir, detached=False)
    try:
        yield sandbox
    finally:
        if not keep:
            down(folder)


def _stop(sandbox: Sandbox) -> None:
    process.stop(processes_of(sandbox))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

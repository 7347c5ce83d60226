"""Start and stop a real Galaxy from PyPI, with Celery, a vault for credentials and two image viewers."""

import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import process
from sandbox.galaxy.config import ADMIN_EMAIL, ADMIN_NAME, LOCAL_JOBS, Jobs, Secrets, load_secrets, write_config
from sandbox.galaxy.dependencies import link_requirements
from sandbox.galaxy.pages import write_pages
from sandbox.private_file import write_private
from sandbox.process import ROOT, Process, SandboxError

VENV = ROOT / ".venv" / "galaxy"
TOOLS_VENV = ROOT / ".venv" / "tools"
# 22 s with a database on 2 idle cores, 41 s without; 4 to 10 minutes were seen at a load of 12.
START_SECONDS = 1500.0


@dataclass(frozen=True)
class GalaxyServer:
    """A running Galaxy: its address, keys and processes."""

    url: str
    admin_key: str
    """Bootstrap key: it may do everything, but owns no data."""
    user_key: str
    """Key of the one user, who is an administrator too."""
    user_email: str
    password: str
    processes: tuple[Process, ...]
    """Supervisors of the web server and of Celery."""


def start(
    state_dir: Path,
    tools_dir: Path,
    *,
    jobs: Jobs = LOCAL_JOBS,
    detached: bool = False,
    addresses: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> GalaxyServer:
    """Start Galaxy and wait until it answers; the database of an earlier start is used again.

    Args:
        state_dir: Folder of this Galaxy, made if missing; Galaxy writes nothing outside.
        tools_dir: Folder with the tools that it serves.
        jobs: Where its jobs run.
        detached: Whether Galaxy stays when this process ends; otherwise it ends too, however this process ends.
        addresses: What the welcome page tells: `omero` (host:port) and `web` (OMERO.web), as far as there are any.
        settings: Settings of galaxy.yml in place of the sandbox's own.

    Returns:
        The server with its user and keys.

    Raises:
        SandboxError: Galaxy is not installed, a tool's package is missing, or Galaxy did not get ready. Nothing
            keeps running then.
    """
    folder = state_dir.resolve()
    if not (VENV / "static").exists():
        raise SandboxError("Galaxy is not installed here. Run: make setup")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    link_requirements(tools_dir.resolve(), folder / "deps", TOOLS_VENV)
    known = load_secrets(folder)
    # Messages that an earlier Celery left in its queue belong to jobs that ended with it.
    shutil.rmtree(folder / "broker", ignore_errors=True)
    write_pages(folder / "static", VENV / "static", addresses or {})
    config = write_config(folder, tools_dir=tools_dir.resolve(), known=known, jobs=jobs, settings=settings)
    port = process.free_port(_last_port(folder))
    url = f"http://127.0.0.1:{port}"
    processes: list[Process] = []
    try:
        processes.append(_start_web(folder, config, port, jobs.commands, detached))
        processes.append(_start_celery(folder, config, detached))
        process.wait_until(
            lambda: _answers(url), processes[0], what="Galaxy", log=folder / "galaxy.log", seconds=START_SECONDS
        )
        key = _user_key(url, known)
        server = GalaxyServer(url, known.bootstrap_key, key, ADMIN_EMAIL, known.password, tuple(processes))
    except BaseException:
        process.stop(processes)
        raise
    write_private(folder / "port", str(port))
    return server


def stop(server: GalaxyServer) -> None:
    """Stop the server's own processes and nothing else."""
    process.stop(server.processes)


def is_up(server: GalaxyServer) -> bool:
    """Return whether all of its processes run and it answers."""
    return all(process.is_running(one) for one in server.processes) and _answers(server.url)


def _last_port(folder: Path) -> int | None:
    """Return the port of the last start: bookmarks stay good if it is still free."""
    file = folder / "port"
    return int(file.read_text()) if file.exists() else None


def _environment(config: Path) -> dict[str, str]:
    """Return Galaxy's environment variables: those of its virtual environment, none of another Galaxy or Python."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GALAXY_", "OMERO_", "PYTHON", "CELERY_"))
    }
    return {
        **inherited,
        "VIRTUAL_ENV": str(VENV),
        "PATH": f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        # Celery finds its broker only by this variable; without it uploads wait forever.
        "GALAXY_CONFIG_FILE": str(config),
        # Two jobs share two cores: a numerical library that uses all cores for each would only slow both.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _start_web(folder: Path, config: Path, port: int, commands: str, detached: bool) -> Process:
    command = [*_script("web_server.py"), "-c", str(config), "-b", f"127.0.0.1:{port}"]
    environment = _environment(config)
    if commands:
        environment["PATH"] = f"{commands}:{environment['PATH']}"
    return process.start(command, cwd=folder, log=folder / "galaxy.log", environment=environment, detached=detached)


def _script(name: str) -> list[str]:
    """Return the command of a script of this folder in Galaxy's environment."""
    # -P: the script's folder has modules with names that Galaxy imports from elsewhere.
    return [str(VENV / "bin" / "python"), "-P", str(Path(__file__).with_name(name))]


def _start_celery(folder: Path, config: Path, detached: bool) -> Process:
    command = [*_script("celery_worker.py"), "--app", "galaxy.celery", "worker", "--concurrency", "2"]
    command += ["--pool", "threads", "-Q", "celery,galaxy.internal,galaxy.external"]
    command += ["--without-gossip", "--without-mingle"]
    return process.start(
        command, cwd=folder, log=folder / "celery.log", environment=_environment(config), detached=detached
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/version", timeout=5) as answer:  # noqa: S310 - always http
            return bool(answer.status == 200)
    except OSError:
        return False


def _user_key(url: str, known: Secrets) -> str:
    """Return an API key of the one user, made on the first start: the bootstrap key itself owns no history."""
    found = _api("GET", f"{url}/api/users?f_email={ADMIN_EMAIL}", known.bootstrap_key)
    if not found:
        account = {"username": ADMIN_NAME, "email": ADMIN_EMAIL, "password": known.password}
        found = [_api("POST", f"{url}/api/users", known.bootstrap_key, account)]
    user = found[0]["id"]
    return str(_api("GET", f"{url}/api/users/{user}/api_key", known.bootstrap_key))


def _api(method: str, url: str, key: str, body: dict[str, str] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    headers = {"x-api-key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 - always http
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SandboxError(f"Galaxy: {method} {url} answered {error.code}: {error.read()[:500]!r}") from error

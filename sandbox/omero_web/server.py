"""Start and stop an OMERO.web beside an OMERO sandbox."""

import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from sandbox import process
from sandbox.omero_web.config import write_config
from sandbox.private_file import write_private
from sandbox.process import ROOT, Process, SandboxError

VENV = ROOT / ".venv" / "web"
STATIC = VENV / "static"
START_SECONDS = 120.0
THREADS = 8


@dataclass(frozen=True)
class OmeroWeb:
    """A running OMERO.web: its address and processes. Users log in with their OMERO name and password."""

    url: str
    processes: tuple[Process, ...]


def start(folder: Path, omero: tuple[str, int], *, detached: bool = False) -> OmeroWeb:
    """Start OMERO.web; `wait` waits until it answers.

    Args:
        folder: Folder for its settings, sessions and logs, made if missing.
        omero: Host and port of the OMERO server.
        detached: Whether it stays when this process ends; otherwise it ends too, however this process ends.

    Raises:
        SandboxError: It is not installed, or ended at once.
    """
    folder = folder.resolve()
    if not STATIC.exists():
        raise SandboxError("OMERO.web is not installed here. Run: make setup")
    (folder / "tmp").mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "port"
    port = process.free_port(int(file.read_text()) if file.exists() else None)
    url = f"http://127.0.0.1:{port}"
    write_config(folder, static_dir=STATIC, url=url, omero=omero)
    write_private(file, str(port))
    # One process: threads share what is loaded, and two cores have two servers beside it already.
    command = [str(VENV / "bin" / "python"), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    command += ["--threads", str(THREADS), "--timeout", "300", "--no-control-socket", "omeroweb.wsgi:application"]
    log = folder / "web.log"
    started = process.start(command, cwd=folder, log=log, environment=environment(folder), detached=detached)
    return OmeroWeb(url, (started,))


def wait(web: OmeroWeb, folder: Path) -> None:
    """Wait until OMERO.web answers.

    Raises:
        SandboxError: It ended, or did not answer in time; the message has the end of its log. Nothing keeps running.
    """
    try:
        process.wait_until(
            lambda: answers(web.url),
            web.processes[0],
            what="OMERO.web",
            log=folder / "web.log",
            seconds=START_SECONDS,
        )
    except BaseException:
        process.stop(web.processes)
        raise


def is_up(web: OmeroWeb) -> bool:
    """Return whether its process runs and it answers."""
    return all(process.is_running(one) for one in web.processes) and answers(web.url)


def answers(url: str) -> bool:
    """Return whether the page for logging in is served."""
    try:
        with urllib.request.urlopen(f"{url}/webclient/login/", timeout=10) as answer:  # noqa: S310 - always http
            return bool(answer.status == 200)
    except OSError:
        return False


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of OMERO.web's process: none of another OMERO, Django or Python."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("OMERO", "PYTHON", "DJANGO_", "ICE_"))
    }
    return {
        **inherited,
        "OMERODIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "omeroweb.settings",
        # Django keeps the sessions of its users in the folder for temporary files.
        "TMPDIR": str(folder / "tmp"),
        "OMERO_USERDIR": str(folder / "tmp"),
        "PYTHONWARNINGS": "ignore",
    }

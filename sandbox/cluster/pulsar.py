"""A Pulsar of this user's own, which sees nothing of Galaxy: it gets the files of a job, and gives its results back."""

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox import process
from sandbox.cluster.slurm import KEEP_RUNNING
from sandbox.galaxy.dependencies import requirement_names
from sandbox.private_file import write_private
from sandbox.process import ROOT, Process, SandboxError

VENV = ROOT / ".venv" / "pulsar"
TOOLS_VENV = ROOT / ".venv" / "tools"
START_SECONDS = 120.0
# Puts an empty folder over each that the arguments before `--` name, seen by what it then runs only.
HIDE = 'while [ "$1" != -- ]; do mount -t tmpfs -o mode=0700 none "$1" || exit 1; shift; done; shift; exec "$@"'
REQUESTS = "requests"
"""The log of Pulsar's web server: each address that was asked for."""
SERVER_INI = """\
[server:main]
host = 127.0.0.1
port = {port}

[app:main]
paste.app_factory = pulsar.web.wsgi:app_factory
app_config = %(here)s/app.yml
"""


@dataclass(frozen=True)
class Pulsar:
    """A running Pulsar: its address, the secret by which it knows Galaxy, its processes."""

    url: str
    token: str
    hides: bool
    """Whether the folders that it must not see are hidden from it by the kernel."""
    processes: tuple[Process, ...]


def is_installed() -> bool:
    """Return whether `.venv/pulsar` has it."""
    return (VENV / "bin" / "pulsar-serve").exists()


def start(folder: Path, tools_dir: Path, hidden: Iterable[Path], *, detached: bool = False) -> Pulsar:
    """Start Pulsar and wait until it answers.

    Args:
        folder: Its folder, made if missing, with all that its jobs get and write.
        tools_dir: Folder with the tools: what packages they need is read there, and nothing else.
        hidden: Folders that it and its jobs must not see, where this user may hide them (mount_namespaces(7)).
        detached: Whether it stays when this process ends; otherwise it ends too, however this process ends.

    Raises:
        SandboxError: It is not installed, or did not get ready. Nothing keeps running then.
    """
    folder = folder.resolve()
    if not is_installed():
        raise SandboxError("Pulsar is not installed here. Run: make cluster")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = process.free_port(8913)
    token = _token(folder)
    _write_configuration(folder, port, token)
    _write_environment(folder, tools_dir)
    prefix = hiding(hidden)
    # With a log file its web server writes the address of every request: by it a test sees that none holds a secret.
    serve = [str(VENV / "bin" / "python"), "-m", "pulsar.scripts.serve", str(folder / "server.ini")]
    command = [sys.executable, KEEP_RUNNING, *serve, "--log-file", str(folder / REQUESTS)]
    started = process.start(
        [*prefix, *command], cwd=folder, log=folder / "pulsar.log", environment=_clean(folder), detached=detached
    )
    pulsar = Pulsar(f"http://127.0.0.1:{port}/", token, bool(prefix), (started,))
    try:
        process.wait_until(
            lambda: answers(pulsar), started, what="Pulsar", log=folder / "pulsar.log", seconds=START_SECONDS
        )
    except BaseException:
        process.stop([started])
        raise
    return pulsar


def answers(pulsar: Pulsar) -> bool:
    """Return whether it answers; a refused question without its token is an answer, too."""
    try:
        with urllib.request.urlopen(f"{pulsar.url}jobs/0/status", timeout=5):  # noqa: S310 - always http
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def hiding(hidden: Iterable[Path]) -> list[str]:
    """Return the start of a command that does not see some folders; nothing, and a line, where the kernel refuses."""
    # An ordinary user may mount as "root" of a user namespace.
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    folders = [str(folder) for folder in hidden]
    prefix = [*unshare, "--", "sh", "-c", HIDE, "sh", *folders, "--"]
    if shutil.which("unshare"):
        tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return prefix
    print("Pulsar: this kernel lets nobody hide folders; Pulsar only has a folder of its own", flush=True)
    return []


def _token(folder: Path) -> str:
    file = folder / "token"
    if not file.exists():
        write_private(file, secrets.token_hex(16))
    return file.read_text()


def _clean(home: Path) -> dict[str, str]:
    """Return an environment with another home, without what this user has set for a Galaxy, OMERO or Python."""
    foreign = ("GALAXY_", "OMERO_", "PYTHON", "PULSAR_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # Its web server keeps a socket there.
    return {**kept, "HOME": str(home)}


def _write_configuration(folder: Path, port: int, token: str) -> None:
    (folder / "server.ini").write_text(SERVER_INI.format(port=port))
    settings = {
        "staging_directory": f"{folder}/staging",
        "persistence_directory": f"{folder}/persisted",
        "private_token": token,
        "managers": {"_default_": {"type": "queued_python", "num_concurrent_jobs": 2}},
        "tool_dependency_dir": f"{folder}/deps",
        "dependency_resolvers_config_file": f"{folder}/dependency_resolvers_conf.xml",
        "conda_auto_init": False,
        "conda_auto_install": False,
    }
    # JSON is YAML, and the standard library writes it.
    write_private(folder / "app.yml", json.dumps(settings, indent=1))
    (folder / "dependency_resolvers_conf.xml").write_text(
        '<dependency_resolvers><galaxy_packages versionless="true"/></dependency_resolvers>\n'
    )


def _write_environment(folder: Path, tools_dir: Path) -> None:
    """Give each package that a tool asks for an `env.sh` with the packages' Python and a copy of the library.

    The copy is what `pip install --no-deps` of the checkout puts beside them: the checkout itself may be hidden.
    """
    library = folder / "library"
    shutil.rmtree(library, ignore_errors=True)
    shutil.copytree(
        ROOT / "src" / "bioimage_suite", library / "bioimage_suite", ignore=shutil.ignore_patterns("__pycache__")
    )
    lines = (
        f"PATH={shlex.quote(str(TOOLS_VENV / 'bin'))}:$PATH",
        f"PYTHONPATH={shlex.quote(str(library))}",
        "export PATH PYTHONPATH",
    )
    for name in requirement_names(tools_dir):
        place = folder / "deps" / name / "tools"
        place.mkdir(parents=True, exist_ok=True)
        (place / "env.sh").write_text("\n".join(lines) + "\n")
        # Pulsar takes a link by this name only.
        (place.parent / "default").unlink(missing_ok=True)
        (place.parent / "default").symlink_to("tools")

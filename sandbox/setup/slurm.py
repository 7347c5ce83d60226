"""Slurm from Debian in `.venv/slurm`: unpacked, not installed.

So it needs no root, starts no service, and leaves a Slurm that this machine may have alone.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from sandbox.setup import VENVS, SetupError

FOLDER = VENVS / "slurm"
# The libraries are those of the programs that a fresh Debian 12 lacks; apt-get names what else this machine lacks.
PACKAGES = (
    *("slurmctld", "slurmd", "slurm-client", "slurm-wlm-basic-plugins"),
    *("munge", "libmunge2", "libhwloc15", "liblua5.1-0"),
)
# Slurm looks at its own name to learn which daemon it is: with Debian's names slurmstepd ends by a segmentation fault.
DAEMONS = ("slurmctld", "slurmd", "slurmstepd")


def is_installed() -> bool:
    """Return whether `.venv/slurm` is complete."""
    return (FOLDER / ".installed").exists()


def install_slurm() -> None:
    """Download Debian's packages of Slurm and munge and unpack them into `.venv/slurm`.

    Raises:
        SetupError: This is no Debian, or its packages cannot be reached; the message says how to go on without.
    """
    VENVS.mkdir(exist_ok=True)
    with (VENVS / "slurm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed():
            return
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise SetupError("Slurm is taken from Debian's packages, and here is no apt-get. Use Debian 12, or Pulsar.")
        draft = VENVS / "slurm.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        print(".venv/slurm: fetching Slurm from Debian", flush=True)
        for package in _download(draft / "apt"):
            _run(["dpkg-deb", "--extract", str(package), str(draft)])
        shutil.rmtree(draft / "apt")
        for name in DAEMONS:
            (draft / "usr/sbin" / f"{name}-wlm").rename(draft / "usr/sbin" / name)
        _run([str(draft / "usr/sbin/slurmctld"), "-V"], {"LD_LIBRARY_PATH": library_path(draft)})
        (draft / ".installed").touch()
        shutil.rmtree(FOLDER, ignore_errors=True)
        draft.rename(FOLDER)


def library_path(folder: Path = FOLDER) -> str:
    """Return the folders with Slurm's libraries, as LD_LIBRARY_PATH has them."""
    plugins = plugin_folder(folder)
    return f"{plugins.parent}:{plugins}"


def plugin_folder(folder: Path = FOLDER) -> Path:
    """Return the folder with Slurm's plugins; its name has the machine's architecture."""
    return next(folder.glob("usr/lib/*/slurm-wlm"))


def _download(apt: Path) -> list[Path]:
    """Fetch the packages into a folder that also keeps apt's lists: those of the system belong to root."""
    for name in ("lists/partial", "archives/partial"):
        (apt / name).mkdir(parents=True)
    options = [f"Dir::State::lists={apt}/lists", f"Dir::Cache={apt}", "Debug::NoLocking=1", "APT::Sandbox::User="]
    get = ["apt-get", "-q", *(word for option in options for word in ("-o", option))]
    _run([*get, "update"])
    planned = _run([*get, "--simulate", "--no-install-recommends", "install", *PACKAGES]).splitlines()
    missing = {line.split()[1] for line in planned if line.startswith("Inst ")}
    _run([*get, "download", *sorted(missing | set(PACKAGES))], cwd=apt)
    return sorted(apt.glob("*.deb"))


def _run(command: list[str], environment: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(f"Slurm cannot be fetched from Debian: {' '.join(command)}:\n{done.stderr.strip()[-2000:]}")
    return done.stdout

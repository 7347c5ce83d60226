"""Virtual environments in `.venv/`, each with exactly the packages of one file in `requirements/`."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.setup import REQUIREMENTS, ROOT, VENVS, SetupError
from sandbox.setup.network import require_packages_to_fetch
from sandbox.setup.system import VENV_PACKAGES, require_packages

TRIES = 3
BUILT = "zeroc-ice"
"""The one package that is compiled here."""


def python_of(name: str) -> Path:
    """Return the interpreter of a virtual environment."""
    return VENVS / name / "bin" / "python"


def stamp_of(name: str) -> str:
    """Return a hash of what an environment is made from: its requirements, its interpreter and its path.

    The path counts because the scripts of a virtual environment contain it.
    """
    parts = ((REQUIREMENTS / f"{name}.txt").read_text(), sys.version, str(VENVS / name))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def is_installed(name: str) -> bool:
    """Return whether the environment is complete and made from today's requirements."""
    stamp = VENVS / name / ".installed"
    return python_of(name).exists() and stamp.exists() and stamp.read_text() == stamp_of(name)


def install(name: str, *, make_wheels: Callable[[Path], Path] | None = None, with_library: bool = False) -> None:
    """Make or update the environment `name` from `requirements/<name>.txt`.

    The stamp is removed first and written last: an environment that was interrupted half-way is made anew.

    Args:
        name: `tools`, `galaxy`, `clients`, `oracle`, `peers`, `isa`, `web`, `browser`, `docs` or `pulsar`.
        make_wheels: Takes the new interpreter and returns a folder with wheels, which pip prefers to the index.
        with_library: Also install the checkout's own package, editable: its modules stay in `src/`.

    Raises:
        SetupError: pip failed three times; the message names the log.
    """
    VENVS.mkdir(exist_ok=True)
    with (VENVS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed(name):
            return
        started = time.monotonic()
        stamp = VENVS / name / ".installed"
        if stamp.exists() and python_of(name).exists():
            stamp.unlink()
        else:
            _create_empty(name)
        require_packages_to_fetch(python_of(name))
        with ThreadPoolExecutor(1) as pool:
            # The compiler works while pip downloads all other packages.
            wheels = pool.submit(make_wheels, python_of(name)) if make_wheels else None
            _pip_install(name, lambda line: not line.startswith(BUILT) or wheels is None)
            if wheels:
                _pip_install(name, lambda line: line.startswith(BUILT), wheels.result())
        if with_library:
            _install_library(name)
        stamp.write_text(stamp_of(name))
        print(f".venv/{name}: ready after {time.monotonic() - started:.0f} s", flush=True)


def _create_empty(name: str) -> None:
    """Make the environment `name` anew, with pip only."""
    require_packages(VENV_PACKAGES, why="a virtual environment")
    shutil.rmtree(VENVS / name, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENVS / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr).strip()}")


def _pip_install(name: str, wanted: Callable[[str], bool], find_links: Path | None = None) -> None:
    """Install the packages of the requirements whose lines are wanted, from `find_links` first."""
    lines = [line for line in (REQUIREMENTS / f"{name}.txt").read_text().splitlines() if "==" in line and wanted(line)]
    requirements = VENVS / f"{name}.{'built' if find_links else 'wanted'}.txt"
    requirements.write_text("\n".join(lines) + "\n")
    total = len(lines)
    print(f".venv/{name}: installing {total} packages", flush=True)
    # Every package is pinned, also those that others require: pip has nothing to resolve (a unit test checks this).
    command = [str(python_of(name)), "-m", "pip", "install", "--no-deps", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--retries", "10", "--timeout", "60", "-r", str(requirements)]
    # Python compiles what it imports, at its first import; all of it takes longer than the rest of an installation.
    command += ["--no-compile"]
    if find_links:
        command += ["--find-links", str(find_links), "--only-binary", "zeroc-ice"]
    log = VENVS / f"{name}.log"
    for _ in range(TRIES):
        if _run_with_progress(command, log, f".venv/{name}", total):
            return
    raise SetupError(f".venv/{name}: pip failed {TRIES} times. Is the package index reachable? Log: {log}")


def _install_library(name: str) -> None:
    # Without isolation pip builds with the flit_core that is pinned, and fetches nothing.
    command = [str(python_of(name)), "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-input"]
    command += ["--disable-pip-version-check", "--editable", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(
            f".venv/{name}: the suite's own package cannot be installed:\n{(done.stdout + done.stderr).strip()}"
        )


def _run_with_progress(command: list[str], log: Path, label: str, total: int) -> bool:
    """Run pip, its output to `log`, with a line of progress for every quarter of the packages."""
    seen = 0
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (
        log.open("w", buffering=1) as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=ROOT,
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            output.write(line)
            seen += line.startswith("Collecting ")
            if line.startswith("Collecting ") and seen % max(total // 4, 1) == 0:
                print(f"{label}: {seen} of {total} packages fetched", flush=True)
    return pip.returncode == 0

"""What the operating system has to provide: CPython 3.11, and some Debian packages."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.setup import SetupError

PYTHON = (3, 11)


def require_python() -> None:
    """Check that the pinned packages have wheels for this interpreter.

    Raises:
        SetupError: It is not CPython 3.11.
    """
    if sys.version_info[:2] != PYTHON or sys.implementation.name != "cpython":
        found = f"{sys.implementation.name} {sys.version.split()[0]} ({sys.executable})"
        raise SetupError(
            f"Python {found}: the suite is pinned to CPython 3.11. "
            "Install it (Debian 12: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.11"
        )


def _has_header(name: str) -> bool:
    """Return whether the C++ compiler finds a header, wherever the system keeps it."""
    if not shutil.which("g++"):
        return False
    command = ["g++", "-E", "-x", "c++", "-include", name, os.devnull]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _has_python_header() -> bool:
    return (Path(sysconfig.get_path("include")) / "Python.h").exists()


# Debian package -> whether its content is there. The check looks at the system, not at dpkg: another source of Python
# or of a library will do as well.
VENV_PACKAGES: dict[str, Callable[[], bool]] = {
    "python3-venv": lambda: importlib.util.find_spec("ensurepip") is not None,
}
BUILD_PACKAGES: dict[str, Callable[[], bool]] = {
    "g++": lambda: shutil.which("g++") is not None,
    "python3-dev": _has_python_header,
    "libssl-dev": lambda: _has_header("openssl/ssl.h"),
    "libbz2-dev": lambda: _has_header("bzlib.h"),
}
BROWSER_PACKAGES: dict[str, Callable[[], bool]] = {
    "chromium": lambda: shutil.which("chromium") is not None,
}


def require_packages(packages: dict[str, Callable[[], bool]], *, why: str) -> None:
    """Install the Debian packages whose content is missing, if that is permitted.

    Args:
        packages: By package name, the check for its content.
        why: What they are needed for, for the message.

    Raises:
        SetupError: Something is missing and cannot be installed from here; the message names the packages.
    """
    missing = [name for name, is_there in packages.items() if not is_there()]
    if not missing:
        return
    prefix = _root_prefix()
    by_hand = f"apt-get install {' '.join(missing)}"
    if prefix is None or not shutil.which("apt-get"):
        raise SetupError(f"{why} needs {', '.join(missing)}. As root: {by_hand}")
    print(f"Debian packages for {why}: {' '.join(missing)}", flush=True)
    for step in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        _apt_get(prefix, step, by_hand)
    # The checks look at the file system again; only the import system remembers what was missing.
    importlib.invalidate_caches()
    still = [name for name in missing if not packages[name]()]
    if still:
        raise SetupError(f"{why} needs {', '.join(still)}, which apt-get did not install. As root: {by_hand}")


def _root_prefix() -> list[str] | None:
    """Return the prefix of a command that needs root: nothing, a passwordless sudo, or None if neither works."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def _apt_get(prefix: list[str], arguments: Iterable[str], by_hand: str) -> None:
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"{' '.join(command)} failed:\n{done.stderr.strip()[-2000:]}\nAs root: {by_hand}")

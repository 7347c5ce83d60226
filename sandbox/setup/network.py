"""Whether pip gets packages at all: said at once, not after it has tried for minutes."""

import functools
import subprocess
import tempfile
from pathlib import Path

from sandbox.setup import REQUIREMENTS, SetupError

PROBE = "packaging"
"""A small package of requirements/tools.txt."""


@functools.cache
def require_packages_to_fetch(python: Path) -> None:
    """Check that pip gets one small package, from wherever it is set up to look.

    Raises:
        SetupError: It does not, within about a minute where nothing answers and in seconds where no name is known.
    """
    pin = next(line.split()[0] for line in _pins() if line.startswith(f"{PROBE}=="))
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), "-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check"]
        command += ["--retries", "2", "--timeout", "15", "--progress-bar", "off", "--dest", folder, pin]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # pip hides logins in the addresses that it prints.
        reason = next((line for line in done.stderr.splitlines() if line.startswith(("WARNING", "ERROR"))), "no reason")
        raise SetupError(
            f"package {pin}: pip cannot fetch it ({reason[:300]}). The set-up downloads about 1.5 GB once. "
            "Connect this machine to the network, or name a mirror or proxy in PIP_INDEX_URL or https_proxy."
        )


def _pins() -> list[str]:
    return (REQUIREMENTS / "tools.txt").read_text().splitlines()

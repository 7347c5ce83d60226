"""Rewrite the lower half of `requirements/<name>.txt` from what is installed: `python3 -m sandbox.setup.freeze tools`.

The upper half, written by hand, lists the packages that are wanted, with reasons. Their own requirements follow below
the marker, so that every installation is the same. To add a package, install it with `.venv/<name>/bin/pip install`,
name it in the upper half, and run this.
"""

import re
import subprocess
import sys

from sandbox.setup import REQUIREMENTS
from sandbox.setup.venvs import python_of

MARKER = "# --- needed by those above; written by sandbox/setup/freeze.py ---\n"


def normalized(name: str) -> str:
    """Return a distribution's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """Return the packages that a requirements file pins: normalized name to version."""
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;#]+)", text, flags=re.MULTILINE)
    return {normalized(name): version for name, version in found}


def freeze(name: str) -> None:
    """Rewrite the file of one environment; a wanted package gets the version that is installed."""
    file = REQUIREMENTS / f"{name}.txt"
    wanted = file.read_text().partition(MARKER)[0]
    command = [str(python_of(name)), "-m", "pip", "freeze"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    installed = {normalized(line.partition("==")[0]): line for line in lines if "==" in line}
    for package in pins(wanted):
        version = installed.pop(package).partition("==")[2]
        wanted = re.sub(
            rf"^({package.replace('-', '[-_.]')})==[^\s;#]+",
            rf"\g<1>=={version}",
            wanted,
            flags=re.MULTILINE | re.IGNORECASE,
        )
    file.write_text(wanted + MARKER + "".join(f"{line}\n" for line in installed.values()))


if __name__ == "__main__":
    for environment in sys.argv[1:]:
        freeze(environment)

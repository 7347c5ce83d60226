"""Installs what the suite needs to run: `python3 -m sandbox.setup [tools|galaxy|clients|oracle|browser|all|test]`.

Only the standard library is used here: this code runs before anything is installed.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"


class SetupError(Exception):
    """What keeps the set-up from going on, with the remedy."""


def cache_folder() -> Path:
    """Return the folder that outlives this checkout, where what is slow to build is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bioimage-suite"

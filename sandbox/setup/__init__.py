"""Install what the suite needs: `python3 -m sandbox.setup [PART]`.

PART is tools, galaxy, clients, oracle, peers, isa, web, browser, docs, slurm, pulsar, all (the default), cluster
or test.

Only the standard library is used here: this code runs before anything is installed.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Resolved: a worktree may link to the environments of another checkout, which are the same from both.
VENVS = (ROOT / ".venv").resolve()
REQUIREMENTS = ROOT / "requirements"


class SetupError(Exception):
    """The reason why the set-up cannot go on, with the remedy."""


def cache_folder() -> Path:
    """Return the folder, outside this checkout, for files that are slow to build or fetch."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bioimage-suite"

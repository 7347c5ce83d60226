"""OMERO's clients as their users run them: installed from PyPI in an environment of their own, each in its own process.

`.venv/clients` has the packages (`requirements/clients.txt`); nothing of this suite is importable there.
"""

import os
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.setup import venvs
from tests.omero.lab import Lab, connect

WITHOUT_JAVA = Path(__file__).resolve().parents[2] / "sandbox" / "omero" / "without_java"
# `omero` itself refuses to run as root, which it checks in its script, not in its code.
OMERO = "import sys, omero.cli; sys.exit(omero.cli.argv(['omero', *sys.argv[1:]]))"
PREAMBLE = """
import os, sys
import numpy as np
import omero, omero.all, ezomero
from omero.gateway import BlitzGateway
from omero.rtypes import *
conn = BlitzGateway(
    os.environ["T_USER"], os.environ["T_PASSWORD"], host=os.environ["T_HOST"], port=int(os.environ["T_PORT"]))
assert conn.connect()
"""


@dataclass
class Clients:
    """The clients of one user.

    Attributes:
        folder: Where the processes run.
        environment: Their environment.
        gateway: A connection of the same user in this process, to look at what the clients did.
    """

    folder: Path
    environment: dict
    gateway: object

    def omero(self, *arguments: str, fails: bool = False, stderr: bool = False) -> str:
        """Run the `omero` command; what it printed."""
        done = self._run(["-c", OMERO, *arguments])
        said = f"omero {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert (done.returncode != 0) == fails, said
        assert "Traceback" not in done.stderr, said
        return (done.stdout + done.stderr if stderr or fails else done.stdout).strip()

    def python(self, code: str) -> str:
        """Run Python code with a connected BlitzGateway `conn`; what it printed."""
        done = self._run(["-c", PREAMBLE + textwrap.dedent(code) + "\nconn.close()\n"])
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def rows(self, query: str) -> list[list]:
        """The rows of a query."""
        from omero.rtypes import unwrap

        return unwrap(self.gateway.getQueryService().projection(query, None))

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(venvs.python_of("clients")), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )


def clients_of(lab: Lab, user: str, folder: Path, password: str | None = None) -> Clients:
    """The clients of a user, logged in."""
    if not venvs.is_installed("clients"):
        pytest.fail("The clients are not installed: python3 -m sandbox.setup clients")
    password = password or lab.password
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OMERO_PASSWORD")}
    environment |= {
        "OMERO_USERDIR": str(folder),
        "OMERODIR": str(WITHOUT_JAVA),
        "PATH": f"{WITHOUT_JAVA / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",
        "T_USER": user,
        "T_PASSWORD": password,
        "T_HOST": lab.server.host,
        "T_PORT": str(lab.server.port),
    }
    gateway = connect(lab.server, user, password)
    gateway.c.enableKeepAlive(60)
    lab.stack.callback(gateway.close)
    made = Clients(folder, environment, gateway)
    made.omero("login", f"{user}@{lab.server.host}:{lab.server.port}", "-w", password)
    return made

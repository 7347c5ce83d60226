"""OMERO.web and its apps in `.venv/web`, with their style sheets and scripts collected in `.venv/web/static`."""

import subprocess
import tempfile
from pathlib import Path

from sandbox.omero_web.config import write_config
from sandbox.omero_web.server import STATIC, environment
from sandbox.setup import SetupError, venvs
from sandbox.setup.ice_wheel import build_wheel


def install_web() -> None:
    """Install `.venv/web`, unless it is there as its requirements say.

    Raises:
        SetupError: A package could not be installed, or the static files could not be collected.
    """
    if venvs.is_installed("web") and STATIC.exists():
        return
    venvs.install("web", make_wheels=build_wheel)
    with tempfile.TemporaryDirectory(dir=STATIC.parent) as folder:
        static = Path(folder) / "static"
        write_config(Path(folder), static_dir=static)
        # As `omero web syncmedia` does.
        command = [str(venvs.python_of("web")), "-m", "django", "collectstatic", "--noinput", "--verbosity", "0"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment(Path(folder)) | {"TMPDIR": folder},
            cwd=folder,
            check=False,
        )
        if done.returncode != 0:
            raise SetupError(f"OMERO.web's static files cannot be collected:\n{(done.stdout + done.stderr).strip()}")
        if STATIC.exists():  # of other versions; it goes with the temporary folder
            STATIC.rename(Path(folder) / "old")
        static.replace(STATIC)

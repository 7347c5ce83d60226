"""ImageJ from Debian's package libij-java, for the tests that ask what its own opener sees in a file."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from sandbox.setup import VENVS

PACKAGE = "libij-java"
JAR = VENVS / "oracle" / "ij.jar"
INSTALLED = Path("/usr/share/java/ij.jar")


def find_imagej() -> Path | None:
    """Return the jar of ImageJ: one that was fetched, or that of the installed package."""
    return next((jar for jar in (JAR, INSTALLED) if jar.exists()), None)


def fetch_imagej() -> None:
    """Fetch and unpack the package, without installing it; where Debian's programs are missing, do nothing."""
    if find_imagej() or not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return
    with tempfile.TemporaryDirectory() as folder:
        commands = (["apt-get", "-qq", "download", PACKAGE], ["sh", "-c", "dpkg-deb -x libij-java_*.deb ."])
        for command in commands:
            if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
                print(f"NOTE: Debian's package {PACKAGE} cannot be fetched: the tests with ImageJ are skipped.")
                return
        shutil.copyfile(next(Path(folder).glob("usr/share/java/ij-*.jar")), JAR)

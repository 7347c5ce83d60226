"""The wheel of zeroc-ice 3.6.5, the protocol library of OMERO's clients: built once for CPython 3.11 and kept.

PyPI has only its source, which does not compile on CPython 3.11 unchanged; `zeroc_ice/compat.h` says what is missing.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.setup import SetupError, cache_folder
from sandbox.setup.system import BUILD_PACKAGES, require_packages
from sandbox.setup.zeroc_ice import side_by_side

VERSION = "3.6.5"
HEADERS = Path(__file__).parent / "zeroc_ice"
SIDE_BY_SIDE = Path(side_by_side.__file__)


def build_wheel(python: Path) -> Path:
    """Build the wheel unless the cache has it. Two calls at once wait for each other.

    Args:
        python: The interpreter, with pip, that the wheel is for.

    Returns:
        The folder that the wheel is in, for pip's `--find-links`.

    Raises:
        SetupError: A compiler or header is missing, or the build failed; the message names the log.
    """
    folder = cache_folder() / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "zeroc_ice.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(folder.glob(f"zeroc_ice-{VERSION}-cp311-*.whl")):
            _build(python, folder)
    return folder


def _build(python: Path, folder: Path) -> None:
    require_packages(BUILD_PACKAGES, why=f"compiling zeroc-ice {VERSION}")
    print(f"zeroc-ice {VERSION}: compiling, once; about 3 minutes of a processor", flush=True)
    started = time.monotonic()
    log = folder / "zeroc_ice-build.log"
    # -O1 halves the compile time; at run time the library waits for the network, not for the processor.
    flags = f"-I{HEADERS} -include {HEADERS / 'compat.h'} -O1 -g0"
    environment = {**os.environ, "CPPFLAGS": f"{os.environ.get('CPPFLAGS', '')} {flags}".strip()}
    with tempfile.TemporaryDirectory(dir=folder) as build:
        headers = ("compat.h", "IceUtil/IceUtil.h", "Ice/Ice.h")
        (Path(build) / side_by_side.HEADERS).write_text("".join(f'#include "{name}"\n' for name in headers))
        environment |= _compilers(Path(build))
        command = [str(python), "-m", "pip", "wheel", "--no-input", "--no-deps", "--no-binary", "zeroc-ice"]
        command += ["--retries", "10", "--wheel-dir", build, f"zeroc-ice=={VERSION}"]
        with log.open("w") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                check=False,
            )
        made = sorted(Path(build).glob("*.whl"))
        if done.returncode != 0 or not made:
            raise SetupError(f"zeroc-ice {VERSION} did not compile. The compiler's output is in {log}")
        made[0].replace(folder / made[0].name)
    print(f"zeroc-ice {VERSION}: compiled in {time.monotonic() - started:.0f} s", flush=True)


def _compilers(folder: Path) -> dict[str, str]:
    """Return the environment variables that make the build use all cores: it calls the compiler file by file."""
    gcc, gxx = (f"{sys.executable} {SIDE_BY_SIDE} {folder} {compiler}" for compiler in ("gcc", "g++"))
    return {"CC": gcc, "CXX": gxx, "LDSHARED": f"{gcc} -shared", "LDCXXSHARED": f"{gxx} -shared"}

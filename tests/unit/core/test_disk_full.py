"""A disk that gets full while a TIFF is written: a clear error, whichever way the library tells it."""

import errno
import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError, is_disk_full
from bioimage_suite.core.outputs import Outputs


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True), (OSError(errno.EACCES, "Permission denied"), False),
        (OSError("1048576 requested and 4096 written"), True), (ValueError("1 requested and 0 written"), False),
        (OSError("not a TIFF"), False), (None, False),
    ],
)  # fmt: skip
def test_what_counts_as_a_full_disk(error, full):
    assert is_disk_full(error) is full


def test_an_error_of_lxml_that_tells_of_a_full_disk_counts():
    from lxml.etree import SerialisationError

    assert is_disk_full(SerialisationError("IO_ENOSPC"))
    assert not is_disk_full(SerialisationError("IO_EACCES"))


def test_an_array_that_does_not_fit_is_a_clear_error(tmp_path):
    """numpy writes the pixels itself; its error has no number. The limit for files acts as a full disk does."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        said = "nothing"
        try:
            with Outputs() as outputs:
                tifffile.imwrite(outputs.file(tmp_path / "a.tiff"), np.ones((1024, 1024), np.uint8))
        except UserError as error:
            said = str(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    assert said == "disk: full while writing a.tiff. Make room and run again."
    assert list(tmp_path.iterdir()) == []


SMALL_DISK = """
mount -t tmpfs -o size=4m tmpfs "$0" && export TMPDIR="$0" && exec "$1" -c '
import numpy as np
from bioimage_suite.core.errors import is_disk_full
from bioimage_suite.core.scratch import on_disk
on_disk((3, 1 << 20), np.uint8)[...] = 1
try:
    on_disk((16, 1 << 20), np.uint8)[...] = 1
except OSError as error:
    print(is_disk_full(error))
'
"""


def test_a_temporary_array_that_does_not_fit_is_an_error_and_no_death(tmp_path):
    own = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    ended = subprocess.run(
        [*own, "sh", "-c", SMALL_DISK, str(tmp_path), sys.executable], check=False, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr

"""Arrays on disk do not count as memory of the process once they are let go."""

from pathlib import Path

import numpy as np

from bioimage_suite.core.scratch import on_disk, release


def resident_kib() -> int:
    """Return the memory of this process that holds pages of files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssFile:", "RssShmem:")))


def test_values_stay_and_memory_goes():
    array = on_disk((64, 1 << 18), np.uint32)  # 64 MiB
    before = resident_kib()
    for number, row in enumerate(array):
        row[:] = number
    assert resident_kib() > before + 50_000
    release(array[3:].view(np.int32))  # what shares its file goes with it
    assert resident_kib() < before + 10_000
    np.testing.assert_array_equal(array[:, ::1000], np.repeat(np.arange(64), 263).reshape(64, -1))


def test_an_array_in_memory_stays():
    array = np.arange(5)
    release(array)
    assert array.tolist() == [0, 1, 2, 3, 4]

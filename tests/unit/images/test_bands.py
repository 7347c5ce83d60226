"""Rows by chunks are the rows of the plane, and each chunk is decoded once on the way down."""

import numpy as np
import pytest

from bioimage_suite.images.model import bands


@pytest.mark.parametrize("height", [1, 511, 512, 1300])
def test_rows_by_chunks_are_those_of_the_plane(height):
    plane = np.arange(height * 7).reshape(height, 7)
    decoded = []

    def decode(first: int, last: int) -> np.ndarray:
        decoded.append((first, last))
        return plane[first:last]

    read = bands.by_chunks(decode, height, 7)
    for first, last in bands.bands(height, 1 << 16):  # 64 rows each
        halo = slice(max(0, first - 40), min(height, last + 40))
        np.testing.assert_array_equal(read(halo.start, halo.stop), plane[halo])
    chunks = [(first, min(height, first + 512)) for first in range(0, height, 512)]
    assert decoded in (chunks, [*chunks, chunks[-1]])  # the last row is read by two bands, and nothing kept after it
    np.testing.assert_array_equal(read(0, height), plane)


def test_bands_cover_a_plane_without_gaps():
    found = list(bands.bands(1000, 1 << 20, least=300))
    assert found == [(0, 300), (300, 600), (600, 900), (900, 1000)]

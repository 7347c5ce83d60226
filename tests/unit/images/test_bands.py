"""Rows by chunks are the rows of the plane, and each chunk is decoded once on the way down."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from bioimage_suite.core import scratch
from bioimage_suite.images.model import bands, image_file
from bioimage_suite.images.model.label_outlines import label_outlines
from bioimage_suite.images.readers import pictures
from bioimage_suite.images.readers.opening import open_image


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


def test_a_large_plane_lies_on_disk_with_the_same_pixels(tmp_path: Path, monkeypatch):
    pixels = np.random.default_rng(1).integers(0, 60_000, (700, 90)).astype(">u2")
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="zlib")
    image = open_image(tmp_path / "a.tif")
    assert not isinstance(image.read_plane(), np.memmap)
    monkeypatch.setattr(image_file, "IN_MEMORY", pixels.nbytes - 1)
    plane = image.read_plane()
    assert isinstance(plane, np.memmap)
    np.testing.assert_array_equal(plane, pixels)


def test_outlines_of_a_plane_on_disk_are_those_of_the_plane(monkeypatch):
    monkeypatch.setattr(scratch, "IN_MEMORY", 100)
    labels = np.random.default_rng(2).integers(0, 3, (60, 70)).astype(np.uint16)  # many parts that touch at corners
    assert list(label_outlines(scratch.moved_to_disk(labels))) == list(label_outlines(labels))


@pytest.mark.parametrize("shape", [(50, 40), (50, 40, 3), (50, 40, 4)])
def test_a_large_picture_lies_on_disk_with_the_same_pixels(tmp_path: Path, monkeypatch, shape: tuple[int, ...]):
    pixels = np.random.default_rng(3).integers(0, 255, shape).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    monkeypatch.setattr(pictures, "IN_MEMORY", 10)
    image = open_image(tmp_path / "a.png")
    assert isinstance(image.read_plane(), np.memmap)
    for c in range(image.size_c):
        np.testing.assert_array_equal(image.read_plane(0, c), pixels.reshape(50, 40, -1)[..., c])
    if image.read_interleaved:
        np.testing.assert_array_equal(image.read_interleaved(0, 0, slice(1, 9), slice(2, 7)), pixels[1:9, 2:7])

"""Pixels that clients write to the sandbox: exact bytes at their place, whatever the geometry."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.omero.repository.pixel_store import PixelsShape, StoredPixels, channel_minmax, plane_blocks, sha1_of_pixels

SHAPE = PixelsShape(13, 11, 2, 3, 2, "uint16")


@pytest.fixture
def pixels(tmp_path):
    store = StoredPixels(tmp_path / "1", SHAPE)
    yield store
    store.close()


@st.composite
def regions(draw):
    x = draw(st.integers(0, SHAPE.size_x - 1))
    y = draw(st.integers(0, SHAPE.size_y - 1))
    w = draw(st.integers(1, SHAPE.size_x - x))
    h = draw(st.integers(1, SHAPE.size_y - y))
    z, c, t = draw(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 1)))
    return z, c, t, x, y, w, h


@given(writes=st.lists(st.tuples(regions(), st.integers(0, 2**32 - 1)), max_size=6), read=regions())
@settings(max_examples=80, deadline=None)
def test_tiles_as_in_an_array(tmp_path_factory, writes, read):
    expected = np.zeros((2, 3, 2, 11, 13), np.uint16)
    store = StoredPixels(tmp_path_factory.mktemp("pixels") / "1", SHAPE)
    for (z, c, t, x, y, w, h), seed in writes:
        tile = np.random.default_rng(seed).integers(0, 65535, (h, w), dtype=np.uint16)
        store.write_tile(tile.astype(">u2").tobytes(), z, c, t, x, y, w, h)
        expected[t, c, z, y : y + h, x : x + w] = tile
    z, c, t, x, y, w, h = read
    found = store.read_tile(0, z, c, t, x, y, w, h)
    whole = store.read_bytes(0, SHAPE.total_bytes)
    digest = sha1_of_pixels(store)
    extremes = channel_minmax(store)
    store.close()
    np.testing.assert_array_equal(found, expected[t, c, z, y : y + h, x : x + w])
    assert whole == expected.astype(">u2").tobytes()
    assert digest == hashlib.sha1(whole).digest()
    assert extremes == [(expected[:, i].min(), expected[:, i].max()) for i in range(3)]


def test_reading_what_was_never_written_makes_no_file(pixels):
    assert not pixels.read_tile(0, 0, 0, 0, 0, 0, 13, 11).any()
    assert not pixels.path.exists()


def test_two_handles_see_each_other(pixels):
    other = StoredPixels(pixels.path, SHAPE)
    pixels.write_tile(bytes(range(6)), 1, 2, 1, 3, 4, 3, 1)
    assert other.read_tile(0, 1, 2, 1, 3, 4, 3, 1).tobytes() == bytes(range(6))
    other.close()


def test_bad_regions_and_sizes_write_nothing(pixels):
    with pytest.raises(IndexError, match="outside the 13 x 11"):
        pixels.write_tile(b"\0" * 28, 0, 0, 0, 0, 0, 14, 1)
    with pytest.raises(IndexError, match="c=3"):
        pixels.write_tile(b"\0" * 26, 0, 3, 0, 0, 0, 13, 1)
    with pytest.raises(ValueError, match="25 bytes given"):
        pixels.write_tile(b"\0" * 25, 0, 0, 0, 0, 0, 13, 1)
    with pytest.raises(IndexError, match="resolution level"):
        pixels.read_tile(1, 0, 0, 0, 0, 0, 1, 1)
    with pytest.raises(IndexError, match="outside"):
        pixels.read_bytes(SHAPE.total_bytes - 1, 2)
    with pytest.raises(IndexError, match="outside"):
        pixels.write_bytes(SHAPE.total_bytes - 1, b"ab")
    assert not pixels.path.exists()


def test_minmax_leaves_out_not_a_number(tmp_path):
    store = StoredPixels(tmp_path / "1", PixelsShape(2, 2, 1, 2, 1, "float"))
    values = np.array([[np.nan, -1.5], [2.5, np.inf]], ">f4")
    store.write_tile(values.tobytes(), 0, 0, 0, 0, 0, 2, 2)
    assert channel_minmax(store) == [(-1.5, 2.5), (0.0, 0.0)]
    store.close()


def test_blocks_are_bounded(tmp_path):
    store = StoredPixels(tmp_path / "1", PixelsShape(20000, 3000, 1, 1, 1, "uint16"))
    sizes = [block.nbytes for _, block in plane_blocks(store)]
    assert max(sizes) <= 1 << 24
    assert sum(sizes) == store.shape.total_bytes

"""Regions of TIFF files: any order of the axes, compressed or not, in strips or tiles, gives the same pixels."""

import itertools

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.images.tiff import pixels as reader
from bioimage_suite.images.tiff.pixels import region_reader

SIZES = {"T": 2, "C": 3, "Z": 2, "Y": 20, "X": 34}
WHOLE = np.random.default_rng(1).integers(0, 60_000, tuple(SIZES.values())).astype(np.uint16)
EVERY = ["".join(order) for axes in ("YX", "CYX", "TCYX", "TCZYX") for order in itertools.permutations(axes)]
ORDERS = EVERY[:32] + EVERY[32::9]


def pixels_in_order(order: str) -> np.ndarray:
    """The first index of every axis that is missing, the rest in this order."""
    kept = WHOLE[tuple(slice(None) if axis in order else 0 for axis in "TCZYX")]
    letters = [axis for axis in "TCZYX" if axis in order]
    return np.ascontiguousarray(kept.transpose([letters.index(axis) for axis in order]))


def check(path, order: str, rows: slice, columns: slice) -> None:
    with tifffile.TiffFile(path) as tiff:
        read = region_reader(tiff, tiff.series[0], order)
        for t, c, z in np.ndindex(*(SIZES[axis] if axis in order else 1 for axis in "TCZ")):
            found = read({"T": t, "C": c, "Z": z, "S": 0, "Y": rows, "X": columns})
            np.testing.assert_array_equal(found, WHOLE[t, c, z, rows, columns])
            assert found.dtype == WHOLE.dtype


@pytest.mark.parametrize("how", [{}, {"compression": "zlib"}, {"byteorder": ">"}], ids=["plain", "zlib", "big endian"])
@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_the_axes(tmp_path, order, how):
    tifffile.imwrite(
        tmp_path / "a.tif", pixels_in_order(order), photometric="minisblack", metadata={"axes": order}, **how
    )
    check(tmp_path / "a.tif", order, slice(3, 17), slice(5, 34))


@given(st.integers(0, 19), st.integers(1, 20), st.integers(0, 33), st.integers(1, 34))
def test_any_region_of_tiles(tmp_path_factory, y, height, x, width):
    path = tmp_path_factory.getbasetemp() / "tiles.tif"
    if not path.exists():
        tifffile.imwrite(
            path, pixels_in_order("CYX"), photometric="minisblack", metadata={"axes": "CYX"}, tile=(16, 16),
            compression="zlib",
        )  # fmt: skip
    check(path, "CYX", slice(y, min(y + height, 20)), slice(x, min(x + width, 34)))


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_samples_of_a_colour(tmp_path, planar, compression):
    colour = pixels_in_order("YXC" if planar == "contig" else "CYX")
    tifffile.imwrite(
        tmp_path / "a.tif", colour, photometric="rgb", planarconfig=planar, compression=compression, tile=(16, 16)
    )
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        read = region_reader(tiff, tiff.series[0], tiff.series[0].axes)
        found = read({"Y": slice(2, 9), "X": slice(1, 30), "S": slice(None)})
        one = read({"Y": slice(2, 9), "X": slice(1, 30), "S": 2})
    np.testing.assert_array_equal(found, pixels_in_order("YXC")[2:9, 1:30])
    np.testing.assert_array_equal(one, pixels_in_order("YXC")[2:9, 1:30, 2])


@pytest.mark.parametrize("shape", [(1, 34), (20, 1), (1, 1), (3, 1, 34), (1, 20, 34)])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_axes_of_length_one(tmp_path, shape, compression):
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", compression=compression)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        axes = tiff.series[0].axes.replace("Q", "Z")
        read = region_reader(tiff, tiff.series[0], axes)
        whole = {"Y": slice(0, shape[-2]), "X": slice(0, shape[-1])}
        found = [read({**whole, "Z": z}) for z in range(shape[0] if len(shape) == 3 else 1)]
    np.testing.assert_array_equal(np.reshape(found, shape), pixels)


def test_pages_that_are_no_pictures_are_refused_when_large(tmp_path, monkeypatch):
    monkeypatch.setattr("bioimage_suite.images.tiff.pixels.WHOLE_ARRAY_LIMIT", 1000)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels_in_order("YXC"), photometric="minisblack", metadata={"axes": "YXC"},
        compression="zlib",
    )  # fmt: skip
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff, pytest.raises(ValueError, match="YXC are cut into pages of XC"):
        region_reader(tiff, tiff.series[0], "YXC")


@pytest.mark.parametrize("cut", [{"rowsperstrip": 20}, {"tile": (32, 48)}, {"rowsperstrip": 7}])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_large_segment_is_decoded_once_for_all_regions(tmp_path, monkeypatch, cut, planar):
    monkeypatch.setattr(reader, "LARGE_SEGMENT", 100)
    colour = pixels_in_order("YXC" if planar == "contig" else "CYX")
    tifffile.imwrite(tmp_path / "a.tif", colour, photometric="rgb", planarconfig=planar, compression="zlib", **cut)
    whole = colour if planar == "contig" else colour.transpose(1, 2, 0)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        keyframe = tiff.pages.first.keyframe
        decode, decoded = keyframe.decode, []
        keyframe.decode = lambda data, index, **how: decoded.append(index) or decode(data, index, **how)
        read = region_reader(tiff, tiff.series[0], "YXS" if planar == "contig" else "SYX")
        for rows, columns in itertools.product((slice(0, 3), slice(3, 11), slice(11, 20)), (slice(0, 9), slice(9, 34))):
            place = {"T": 0, "C": 0, "Z": 0, "Y": rows, "X": columns}
            for sample in range(3):
                np.testing.assert_array_equal(read({**place, "S": sample}), whole[rows, columns, sample])
            np.testing.assert_array_equal(read({**place, "S": slice(None)}), whole[rows, columns])
    assert sorted(decoded) == sorted(set(decoded))


def test_of_large_segments_only_the_last_are_kept():
    kept = reader.LargeSegments()
    for offset in range(reader.MOST_KEPT + 3):
        kept.keep("a.tif", offset, np.full((2, 2, 1), offset))
    found = [kept.find("a.tif", offset) for offset in range(reader.MOST_KEPT + 3)]
    assert [one is None for one in found] == [True] * 3 + [False] * reader.MOST_KEPT
    assert [int(one.max()) for one in found[3:]] == list(range(3, reader.MOST_KEPT + 3))

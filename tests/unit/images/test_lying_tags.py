"""A TIFF whose tags do not tell of its bytes is refused, or what is left out is said: never other pixels in silence."""

import struct

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image

PIXELS = np.random.default_rng(5).integers(1, 4000, (48, 64)).astype(np.uint16)
LENGTH, BITS, COMPRESSION, COLOURS, OFFSETS, ROWS, COUNTS = 257, 258, 259, 262, 273, 278, 279
SHORT, LONG = 3, 4


def changed(path, code, *, value=None, kind=None, element=0):
    """Change the type or one value of a tag in the first directory of a little-endian TIFF."""
    data = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    places = [at + 2 + 12 * number for number in range(struct.unpack_from("<H", data, at)[0])]
    tag = next(place for place in places if struct.unpack_from("<H", data, place)[0] == code)
    form, count = struct.unpack_from("<HI", data, tag + 2)
    size = {SHORT: 2, LONG: 4}[form]
    values = tag + 8 if count * size <= 4 else struct.unpack_from("<I", data, tag + 8)[0]
    if kind is not None:
        struct.pack_into("<H", data, tag + 2, kind)
    if value is not None:
        struct.pack_into({SHORT: "<H", LONG: "<I"}[form], data, values + size * element, value)
    path.write_bytes(data)
    return path


def written(folder, **choices):
    path = folder / "a.tiff"
    tifffile.imwrite(path, PIXELS, metadata=None, photometric="minisblack", **choices)
    np.testing.assert_array_equal(open_image(path).read_plane(), PIXELS)
    return path


@pytest.mark.parametrize(
    ("choices", "change", "message"),
    [
        ({}, (BITS, {"value": 8}), "ask for 3,072 bytes in the first of its strips, which has 6,144"),
        ({}, (LENGTH, {"value": 24}), "ask for 3,072 bytes in the first of its strips, which has 6,144"),
        ({"rowsperstrip": 12}, (LENGTH, {"value": 24}), r"incorrect StripOffsets count \(4 != 2\)"),
        ({"compression": "zlib"}, (COMPRESSION, {"value": 1}), "ask for 6,144 bytes in the first of its strips"),
        ({"compression": "zlib"}, (COMPRESSION, {"kind": 99}), "ask for 6,144 bytes in the first of its strips"),
        ({}, (BITS, {"kind": 99}), "ask for 384 bytes in the first of its strips, which has 6,144"),
        ({}, (COMPRESSION, {"value": 2}), "samples of 16 bits are packed by a code for black and white"),
        ({}, (COLOURS, {"kind": 99}), "TiffTag 262 .*invalid data type 99"),
        ({}, (BITS, {"kind": 11}), "its tag BitsPerSample is no number"),
        ({"compression": "packbits"}, (BITS, {"value": 12}), "packbits"),
        ({"rowsperstrip": 12, "compression": "zlib"}, (OFFSETS, {"value": 0, "element": 2}), "where the header is"),
    ],
)
def test_a_tag_that_does_not_agree_with_the_bytes_is_refused(tmp_path, choices, change, message):
    code, what = change
    with pytest.raises(UserError, match=rf"Image a\.tiff: .*damaged.*{message}"):
        open_image(changed(written(tmp_path, **choices), code, **what))


@pytest.mark.parametrize("compression", ["zlib", None])
def test_strips_without_bytes_are_counted_and_said(tmp_path, capsys, compression):
    path = changed(written(tmp_path, rowsperstrip=12, compression=compression), COUNTS, value=0, element=1)
    plane = open_image(path).read_plane()
    assert not plane[12:24].any()
    np.testing.assert_array_equal(np.delete(plane, slice(12, 24), 0), np.delete(PIXELS, slice(12, 24), 0))
    assert "1 of its 4 strips or tiles have no bytes; they are read as 0" in capsys.readouterr().out


def test_rows_of_the_last_strip_may_be_missing_or_padded(tmp_path):
    # A last strip of 8 rows of 20, and one strip that says it has more rows than the image.
    written(tmp_path, rowsperstrip=20)
    path = changed(written(tmp_path), ROWS, value=1000)
    np.testing.assert_array_equal(open_image(path).read_plane(), PIXELS)


def ome(tmp_path, old, new):
    """An OME-TIFF of two channels with a part of its document replaced."""
    path = tmp_path / "a.ome.tiff"
    tifffile.imwrite(path, np.stack([PIXELS, PIXELS]), ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    with tifffile.TiffFile(path) as tiff:
        document = tiff.ome_metadata
    assert document
    assert old in document
    tifffile.imwrite(
        path, np.stack([PIXELS, PIXELS]), photometric="minisblack", metadata=None,
        description=document.replace(old, new).encode(),
    )  # fmt: skip
    return path


def test_pages_that_the_document_leaves_out_are_said(tmp_path, capsys):
    assert open_image(ome(tmp_path, 'SizeC="2"', 'SizeC="1"')).size_c == 1
    assert "1 of its 2 pages are in no image of its OME-XML, and are not read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("size", "message"),
    [("4294967296", "asks for 8,589,934,592 planes of 3,072 pixels"), ("many", "gives 'many' as SizeZ")],
)
def test_sizes_of_a_document_that_no_file_can_have_are_refused_before_memory_is_taken(tmp_path, size, message):
    with pytest.raises(UserError, match=f"its OME-XML {message}"):
        open_image(ome(tmp_path, 'SizeZ="1"', f'SizeZ="{size}"'))


def test_whole_numbers_are_not_unpacked_as_floating_point_numbers(tmp_path):
    path = changed(written(tmp_path, compression="zlib", predictor=2), 317, value=3)
    with pytest.raises(UserError, match="its pixels are uint16, packed as only floating-point numbers are"):
        open_image(path)

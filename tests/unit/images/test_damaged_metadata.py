"""Metadata that lie end in a clear error, soon, or are left out."""

import struct

import numpy as np
import pytest
import zarr

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.tiff.reading import MOST_ERRORS
from bioimage_suite.images.writers.display_settings import _of_imagej, _of_ome_xml, _of_zarr


def test_a_chain_of_many_damaged_pages_is_given_up_soon(tmp_path, caplog):
    pages = 20 * MOST_ERRORS
    page = struct.Struct("<HHHIII")  # one tag of an unknown type, and the place of the next page
    path = tmp_path / "chain.tiff"
    with path.open("wb") as file:
        file.write(b"II*\0" + struct.pack("<I", 8))
        for number in range(pages):
            following = 8 + (number + 1) * page.size
            file.write(page.pack(1, 273, 99, 1, 0, following if number + 1 < pages else 0))
    with pytest.raises(UserError, match="damaged"):
        open_image(path)
    assert len(caplog.records) <= 2 * MOST_ERRORS


@pytest.mark.parametrize(("written", "color"), [("00ff7f", "00FF7F"), ("#00FF7F", "00FF7F"), ([[]], None), (7, None)])
def test_a_colour_of_an_ome_zarr_is_six_hexadecimal_digits_or_none(written, color):
    assert _of_zarr({"color": written}).color == color


@pytest.mark.parametrize(
    ("written", "name"), [("DAPI", "DAPI"), (1, "1"), (0.5, "0.5"), (True, None), ([], None), ({}, None), (None, None)]
)
def test_the_name_of_a_channel_of_an_ome_zarr_is_a_text(written, name, tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}]}
    axes = [{"name": "c", "type": "channel"}, *({"name": axis, "type": "space"} for axis in "yx")]
    channels = [{"label": written, "window": {"start": 0, "end": 9}, "color": "FFFFFF"}]
    group.attrs.update({"multiscales": [{"axes": axes, "datasets": [level]}], "omero": {"channels": channels}})
    group.create_array("0", data=np.ones((1, 4, 4), np.uint8))
    assert open_image(tmp_path / "a.zarr").channels == (name,)


@pytest.mark.parametrize("window", [None, 1, 1e308, "x", [[]], {"start": [[]], "end": 9}, {"start": "x", "end": {}}])
def test_a_window_of_an_ome_zarr_is_two_numbers_or_none(window):
    assert _of_zarr({"window": window}).start is None


def test_a_window_of_an_ome_xml_is_two_numbers_or_none():
    windows = "".join(f'<M K="window {number}">{text}</M>' for number, text in enumerate(("1 9", "x 9", "nan inf")))
    found = _of_ome_xml(
        f'<OME><Pixels>{"<Channel/>" * 3}</Pixels><MapAnnotation Namespace="github.com/bioimage-suite-galaxy/display">'
        f"<Value>{windows}</Value></MapAnnotation></OME>"
    )
    assert [(one.start, one.end) for one in found] == [(1, 9), (None, 9), (None, None)]


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ({"Ranges": (1.0, 9.0)}, (1, 9)), ({"Ranges": "x"}, (None, None)), ({"Ranges": ("x", None)}, (None, None)),
        ({"min": 1.0, "max": "many"}, (1, None)), ({"LUTs": [np.zeros(256), "x"]}, (None, None)),
    ],
)  # fmt: skip
def test_ranges_of_imagej_are_numbers_or_none(said, window):
    [found] = _of_imagej(said, 1)
    assert (found.start, found.end, found.color) == (*window, None)

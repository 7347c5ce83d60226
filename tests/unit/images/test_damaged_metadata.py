"""Metadata that lie end in a clear error, soon, or are left out."""

import struct

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.tiff.reading import MOST_ERRORS
from bioimage_suite.images.writers.display_settings import _of_zarr


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

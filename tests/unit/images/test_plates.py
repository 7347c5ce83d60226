"""Plates: names of rows, and which image belongs to a position."""

from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.writers.plates import match_images
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.plate_layout import Position


@pytest.mark.parametrize("name", ["Image_12", "Image_12.ome.tiff", "Image_12-a.tif", "Image_12_x.tif"])
def test_an_id_finds_its_image_however_the_name_goes_on(name: str):
    positions = [Position(2, "12", "P", 0, 0, 1)]
    assert match_images("image_id", positions, {name: Path("a")}) == [name]


@pytest.mark.parametrize("name", ["Image_12a", "Image_123_x", "cell_12.tif"])
def test_another_id_is_not_taken_for_it(name: str):
    with pytest.raises(UserError, match="image '12' is not among the images"):
        match_images("image_id", [Position(2, "12", "P", 0, 0, 1)], {name: Path("a")})


@pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (31, "AF")])
def test_row_names(index, name):
    assert letters_of(index) == name

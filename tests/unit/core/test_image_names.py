"""Names of images that lead back to OMERO."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.image_names import (
    SUFFIXES,
    image_identifier,
    name_in_identifier,
    parse_image_identifier,
    safe_name,
    without_suffix,
)


@given(st.integers(1, 2**62), st.text(max_size=300))
def test_every_name_leads_back_to_its_image_and_fits_a_file_system(number, name):
    identifier = image_identifier(number, name)
    assert parse_image_identifier(identifier) == number
    assert parse_image_identifier(f"{identifier}.ome.tiff") == number
    assert len(identifier.encode()) < 200
    assert safe_name(identifier) == identifier
    assert "/" not in identifier


@pytest.mark.parametrize(
    "name",
    ["Image_12", "Image_12.ome.tiff", "Image_12-a.tif", "Image_12_x", "Image_12_", "Image_12 (1)"],
)
def test_names_of_image_12(name):
    assert parse_image_identifier(name) == 12


@pytest.mark.parametrize(
    "name", ["cell.tif", "image_12_x", "Image_x", "Image_12x", "Image_12a.tif", "Image_12é", "My_Image_12_x", ""]
)
def test_other_names_have_no_id(name):
    assert parse_image_identifier(name) is None
    assert name_in_identifier(name) == ""


@given(st.text("abc ._-ä", min_size=1, max_size=30).map(lambda text: f"n{text}n"))
def test_the_name_within_an_identifier_is_that_of_the_image(name):
    assert name_in_identifier(image_identifier(7, name)) == safe_name(name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_suffix_is_taken_off_once_in_either_case(suffix):
    assert without_suffix(f"a.b{suffix}") == "a.b"
    assert without_suffix(f"a.b{suffix.upper()}") == "a.b"


@pytest.mark.parametrize("name", ["cell", "scan_1.5um", "exp.control", "v1.2", "tif", ""])
def test_what_is_no_suffix_stays(name):
    assert without_suffix(name) == name

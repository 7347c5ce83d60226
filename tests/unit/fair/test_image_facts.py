"""What images say of themselves, by their files or by the table of an export."""

from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.image_facts import ImageFacts, facts_of_ome_xml, meaningful, omero_id, read_images
from bioimage_suite.fair.metadata.image_list import known_values, load_images, merge_images, read_image_table
from tests.unit.fair.metadata_samples import DATA, images, ome


def test_facts_of_an_image_are_read_from_its_ome_xml():
    image = images()[0]
    assert known_values(image) == {
        "image.dimensions": "X=16 Y=16 Z=1 C=2 T=1",
        "image.pixel_size_x": "0.65 µm",
        "image.pixel_size_y": "0.65 µm",
        "image.channels": "DAPI; GFP",
        "image.format": "OME-TIFF",
        "acquisition.date": "2026-01-15",
        "acquisition.imaging_instrument": "Made-up M1",
    }
    # Of two objectives, only the one in use.
    assert image.fields["Objective.LensNA"].values == ("0.8",)
    # One of two channels says its emission.
    assert (image.fields["Channel.EmissionWavelength"].filled, image.fields["Channel.EmissionWavelength"].places) == (
        1,
        2,
    )


def test_key_values_in_ome_xml_keep_their_order():
    pairs = "<M K='b'>1</M><M K='a'>2</M><M K='b'>3</M>"
    rest = f"<MapAnnotation><Value>{pairs}</Value></MapAnnotation>"
    assert ome(rest=f"<StructuredAnnotations>{rest}</StructuredAnnotations>").key_values == (
        ("b", "1"),
        ("a", "2"),
        ("b", "3"),
    )


@pytest.mark.parametrize("xml", ["<OME><Image></OME>", '<!DOCTYPE x [<!ENTITY a "b">]><OME>&a;</OME>'])
def test_broken_and_hostile_xml_is_refused(xml: str):
    with pytest.raises(UserError, match="image x"):
        facts_of_ome_xml(xml, "x")


def test_what_is_no_tiff_is_said(tmp_path: Path):
    (tmp_path / "x").write_text("no image")
    with pytest.raises(UserError, match=r"image x\.tif: not a readable TIFF"):
        list(read_images([(tmp_path / "x", "x.tif")]))


@pytest.mark.parametrize("length", [9, 10, 12, 60, 150])
def test_a_tiff_that_was_cut_off_is_said(tmp_path: Path, length: int):
    (tmp_path / "x").write_bytes((DATA / "cells_a.ome.tiff").read_bytes()[:length])
    with pytest.raises(UserError, match=r"image x\.tif: not a readable TIFF"):
        list(read_images([(tmp_path / "x", "x.tif")]))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Objective.LensNA", "0", False),
        ("Objective.LensNA", "0.8", True),
        ("Channel.ContrastMethod", "Other", False),
        ("Plane.PositionX", "0", True),
        ("Pixels.BigEndian", "false", True),
        ("Objective.Model", " unknown ", False),
    ],
)
def test_filled_in_is_not_the_same_as_said(name: str, value: str, expected: bool):
    assert meaningful(name, value) is expected


def test_the_table_of_the_export_from_omero_adds_to_the_images():
    table_rows = read_image_table(DATA / "image_table.tsv", "t")
    merged = merge_images([ImageFacts("Image_11_cells_a.tif", "11")], table_rows)
    assert [(image.name, image.image_id) for image in merged] == [
        ("Image_11_cells_a.tif", "11"),
        ("Image_12_cells_b.tif", "12"),
    ]
    assert merged[0].key_values == (("Organism", "Homo sapiens"),)
    assert known_values(merged[1])["image.pixel_size_x"] == "0.65 µm"


def test_two_images_of_one_name_are_refused():
    with pytest.raises(UserError, match="image a: 2 images have this name"):
        merge_images([ImageFacts("a"), ImageFacts("a")], [])


def test_an_image_table_without_ids_or_names_is_refused(tmp_path: Path):
    (tmp_path / "t").write_text("x\ty\n1\t2\n")
    with pytest.raises(UserError, match="no column image_id"):
        load_images([], tmp_path / "t", "t")


@pytest.mark.parametrize("name", ["Image_12", "Image_12.ome.tiff", "Image_12-a.tif", "Image_12_x"])
def test_the_id_of_an_image_is_known_however_its_name_goes_on(name):
    assert omero_id(name) == "12"

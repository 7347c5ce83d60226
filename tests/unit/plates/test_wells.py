"""Wells with their conditions, from the tables that people have."""

from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.wells import Well, Wells, read_wells


def wells_of(folder: Path, *texts: str, plate: str = "P") -> Wells:
    files = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.tsv"
        path.write_text(text.replace(" ", "\t"))
        files.append((path, path.name))
    return read_wells(files, plate)


def test_wells_sort_as_on_a_plate_of_1536(tmp_path: Path):
    found = wells_of(tmp_path, "well dose\nAF48 4\nAA01 3\nB2 2\nB10 2\na1 1\n")
    assert [well.label for well in found.conditions] == ["A1", "B2", "B10", "AA1", "AF48"]
    assert found.conditions[Well("P", 31, 47)] == {"dose": "4"}


def test_images_say_the_well_of_a_measurement_and_what_they_agree_in(tmp_path: Path):
    table = "image_id image_name plate_name well drug note size_x\n7 a.tif P A1 DMSO x 5\n8 a.tif P A1 DMSO y 5\n"
    found = wells_of(tmp_path, table)
    assert found.of_image("Image_7_a.tif") == found.of_image("Image_8.ome.tiff") == Well("P", 0, 0)
    assert found.conditions == {Well("P", 0, 0): {"drug": "DMSO"}}


def test_tables_of_images_and_of_wells_join(tmp_path: Path):
    found = wells_of(tmp_path, "image well\none.ome.tiff A1\ntwo A2\n", "well drug\nA2 X\nA1 DMSO\n")
    assert found.of_image("one").label == "A1"
    assert [found.conditions[well]["drug"] for well in found.conditions] == ["DMSO", "X"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["plate dose\nP 1\n"], "no column well"),
        (["well dose\nA1 1\na01 2\n"], "line 3: well A1 of plate 'P' stands there twice"),
        (["well dose\nA0 1\n"], "line 2: well 'A0'"),
        (["image well\na A1\na A2\n"], "image a stands in well A1"),
        (["well dose\nA1 1\n", "well dose\nA1 2\n"], "another table says '1'"),
        (["well dose\n"], "no table has a row with a well"),
        (["\n\n"], "has no filled line"),
    ],
)
def test_tables_that_say_no_wells_are_refused(tmp_path: Path, texts: list[str], message: str):
    with pytest.raises(UserError, match=message):
        wells_of(tmp_path, *texts)


def test_rows_with_and_without_a_plate_do_not_mix(tmp_path: Path):
    with pytest.raises(UserError, match="some rows name a plate"):
        wells_of(tmp_path, "plate well\nQ A1\n", "well dose\nA1 1\n", plate="")


def test_an_image_that_no_table_names(tmp_path: Path):
    with pytest.raises(UserError, match="image 'Image_9': no layout table says its well"):
        wells_of(tmp_path, "image_id well\n7 A1\n").of_image("Image_9")

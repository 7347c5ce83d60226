"""What is said of a dataset, plate or well holds for the images in it, and for no others."""

from pathlib import Path

import pytest

from bioimage_suite.fair.metadata.checks import Validated
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.linked_data import join_properties, read_rows, value_row
from bioimage_suite.fair.metadata.table import by_object
from tests.unit.fair.metadata_samples import check

PLATES = (
    "plate,well,image,Batch,Shelf\nP1,,,one,low\nP2,,,two,high\nP1,A1,,well,\n"
    "P1,A01,a.tif,image,\nP1,B1,b.tif,,\nP2,A1,c.tif,,\n"
)


def of_images(result: Validated, *images: ImageFacts | str) -> list[dict[str, list[str]]]:
    objects = by_object(result.values)
    facts = [ImageFacts(image) if isinstance(image, str) else image for image in images]
    return [
        {key.lstrip("?"): [value.value for value in found] for key, found in objects.of_image(image).items()}
        for image in facts
    ]


def test_each_image_has_the_values_of_its_own_plate_and_well():
    first, second, third = of_images(check(PLATES, images=("a.tif", "b.tif", "c.tif")), "a.tif", "b.tif", "c.tif")
    assert first == {"Batch": ["image"], "Shelf": ["low"], "Plate": ["P1"], "Well": ["A01"]}
    assert second == {"Batch": ["one"], "Shelf": ["low"], "Plate": ["P1"], "Well": ["B1"]}
    assert third == {"Batch": ["two"], "Shelf": ["high"], "Plate": ["P2"], "Well": ["A1"]}


def test_a_well_wins_over_its_plate():
    text = "plate,well,image,Batch\nP1,,,one\nP1,A1,,well\nP1,A1,a.tif,\nP2,A1,b.tif,\n"
    assert [found.get("Batch") for found in of_images(check(text), "a.tif", "b.tif")] == [["well"], None]


@pytest.mark.parametrize(
    "text",
    [
        "Dataset Name,Image Name,Organism\nD1,,Homo sapiens\nD2,,Mus musculus\nD1,a.tif,\nD2,b.tif,\n",
        "# header dataset,s,s\nDataset,Image Name,Organism\n1,,Homo sapiens\n2,,Mus musculus\n1,a.tif,\n2,b.tif,\n",
    ],
    ids=["names", "ids"],
)
def test_two_datasets_do_not_share_their_values(text: str):
    found = of_images(check(text), "a.tif", "b.tif")
    assert [values["biosample.organism"] for values in found] == [["Homo sapiens"], ["Mus musculus"]]


def test_images_given_say_their_container_by_their_own_pairs():
    result = check("plate,Batch\nP1,one\nP2,two\n")
    one = ImageFacts("a.tif", key_values=(("plate_name", "P2"),))
    assert of_images(result, one, "b.tif") == [{"Batch": ["two"]}, {}]


def test_the_only_plate_holds_all_images():
    assert of_images(check("plate,Batch\nP1,one\n"), "a.tif") == [{"Batch": ["one"]}]


def test_an_image_of_which_the_plate_is_not_known_is_said():
    result = check("plate,image,Batch\nP1,,one\nP2,,two\nP1,a.tif,\n,b.tif,\n")
    assert [(f.level, f.found, f.expected) for f in result.findings] == [
        ("warning", "no plate for b.tif", "which of P1, P2")
    ]


def test_rows_of_wells_and_regions_are_not_those_of_the_image_with_their_id():
    text = "object_type,object_id,namespace,key,value\nwell,12,n,Batch,w\nroi,12,n,Batch,r\nimage,12,n,Batch,i\n"
    assert of_images(check(text), ImageFacts("x", "12")) == [{"Batch": ["i"]}]


def test_linked_data_keep_plates_apart(tmp_path: Path):
    (tmp_path / "t").write_text(PLATES)
    read, images = read_rows(tmp_path / "t", "t")
    for rows in (read, [value_row(value) for value in check(PLATES).values]):
        described, _ = join_properties(images, rows)
        batches = [[found.value for found in one.properties if found.name == "Batch"] for one in described]
        assert batches == [["image", "well", "one"], ["one"], ["two"]]

"""The Croissant description of a package.

That mlcroissant finds no issue in it and loads it, `tests/peers/test_croissant.py` says.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bioimage_suite.fair.products.croissant import croissant, package_name
from bioimage_suite.fair.products.package import make_package, write_product
from tests.unit.fair.made_crates import study


@pytest.fixture
def made(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    package = tmp_path / "made.zip"
    write_product(package, make_package("general", study("general")))
    package = package.rename(tmp_path / package_name(package))
    return croissant(study("general"), package), package


def named(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {one["@id"]: one for one in document["distribution"] + document["recordSet"] if one["@type"] == kind}


def test_the_package_is_named_with_its_checksum(made: tuple[dict[str, Any], Path]):
    document, package = made
    whole = named(document, "cr:FileObject")["package"]
    assert whole["sha256"] == hashlib.sha256(package.read_bytes()).hexdigest()
    assert whole["contentUrl"] == package.name


def test_images_and_label_maps_are_read_from_the_zip(made: tuple[dict[str, Any], Path]):
    sets = named(made[0], "cr:FileSet")
    assert {name: one["includes"] for name, one in sets.items()} == {
        "images": ["images/*.tiff"],
        "annotations": ["annotations/*.tiff"],
    }
    assert {one["containedIn"]["@id"] for one in sets.values()} == {"package"}


def test_each_annotation_is_tied_to_its_image(made: tuple[dict[str, Any], Path]):
    pairs = named(made[0], "cr:RecordSet")["annotated"]["data"]
    assert pairs == [
        {"annotated/image": "images/cells_a.ome.tiff", "annotated/annotation": "annotations/cells_a.ome.tiff"}
    ]


def test_columns_have_the_type_of_all_their_cells(made: tuple[dict[str, Any], Path]):
    fields = named(made[0], "cr:RecordSet")["records-results/cells_a.tsv"]["field"]
    kinds = {field["name"]: field["dataType"] for field in fields}
    assert (kinds["image_id"], kinds["physical_size_x_um"]) == ("sc:Integer", "sc:Float")
    assert (kinds["physical_size_z_um"], kinds["image_name"]) == ("sc:Float", "sc:Text")


def test_every_source_is_described_and_every_id_is_one(made: tuple[dict[str, Any], Path]):
    document, _ = made
    entries = document["distribution"] + document["recordSet"]
    identifiers = [one["@id"] for one in entries] + [field["@id"] for one in entries for field in one.get("field", ())]
    assert len(identifiers) == len(set(identifiers))
    sources = [field["source"] for one in entries for field in one.get("field", ()) if "source" in field]
    assert {reference["@id"] for one in sources for reference in one.values() if "@id" in reference} <= set(identifiers)


def test_the_description_is_the_same_for_the_same_input(made: tuple[dict[str, Any], Path]):
    document, package = made
    assert json.dumps(croissant(study("general"), package)) == json.dumps(document)

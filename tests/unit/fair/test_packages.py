"""Packages of a study: what each product holds, and what is refused before one is made."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.untrusted_files import safe_relative_path
from bioimage_suite.fair.crates.checks import check_crate, check_document
from bioimage_suite.fair.crates.reading import read_crate
from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.image_facts import ImageFacts, read_images
from bioimage_suite.fair.products.deposit import zenodo_json
from bioimage_suite.fair.products.package import (
    Package,
    make_package,
    package_path,
    place_images,
    read_study,
    write_package,
)
from bioimage_suite.fair.products.study_assembly import REQUIRED_FIELDS
from bioimage_suite.tables.key_value_dialects import read_dialect
from bioimage_suite.tables.reader import read_text_table
from tests.unit.fair.made_crates import (
    DATA,
    FILES,
    NAMES,
    VALUES,
    crate,
    entity,
    errors,
    of_type,
    root,
    study,
    value,
)


@pytest.mark.parametrize("product", ["bia", "general"])
def test_packages_hold_what_they_describe(tmp_path: Path, product: str):
    package = make_package(product, study(product))
    write_package(tmp_path / "p.zip", package)
    read = read_crate(tmp_path / "p.zip", "p.zip")
    assert errors(check_crate(read, product)) == []
    assert read.files is not None
    assert {"images/cells_a.ome.tiff", "images/cells_b.ome.tiff", "annotations/cells_a.ome.tiff"} <= read.files
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert archive.read("images/cells_a.ome.tiff") == (DATA / "cells_a.ome.tiff").read_bytes()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        write_package(tmp_path / name, make_package("general", study("general")))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_package_that_fails_leaves_nothing(tmp_path: Path):
    with pytest.raises(FileNotFoundError), Outputs() as outputs:
        write_package(outputs.file(tmp_path / "p.zip"), Package(None, {"a": "b"}, {"gone": tmp_path / "gone"}))
    assert list(tmp_path.iterdir()) == []


def test_gide_names_organisms_and_methods_in_the_root():
    found = root(crate("gide"))
    assert {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606"} in found["about"]
    assert {"@id": "http://purl.obolibrary.org/obo/FBbi_00000246"} in found["measurementMethod"]
    assert [author["@id"] for author in found["author"]] == [
        "https://orcid.org/0000-0002-1825-0097",
        "#person-Roe%2C%20Richard",
    ]


def test_annotations_are_described_with_mifa_and_linked_to_their_image():
    found = entity(crate("general"), "annotations/cells_a.ome.tiff")
    assert found["isBasedOn"] == {"@id": "images/cells_a.ome.tiff"}
    assert found["additionalType"] == "segmentation_mask"
    assert next(of_type(crate("bia"), "bia:AnnotationMethod"))["methodType"] == ["segmentation_mask"]


def test_a_size_that_nobody_knows_is_not_said_to_be_0():
    images = [ImageFacts(name) for name in NAMES]
    known = read_study(VALUES, images, files=[], annotations=[], results=[], product="bia")
    rows = list(csv.DictReader(io.StringIO(make_package("bia", known).texts["file_list.tsv"]), delimiter="\t"))
    assert [row["size_in_bytes"] for row in rows] == ["", ""]
    document = make_package("gide", known).crate
    assert document is not None
    assert [part["value"] for part in of_type(document, "QuantitativeValue")] == [2]
    assert root(document)["size"] == [{"@id": "#size-files"}]
    assert not errors(check_document(document, "crate", "gide"))


def test_zenodo_json_escapes_html():
    title = [v for v in VALUES if v.field != "study.description"]
    text = "<script>alert(1)</script> and more than 25 letters"
    made = zenodo_json(study("general", [*title, value("image", "*", "study.description", "d", text)]))
    assert made["description"] == "<p>&lt;script&gt;alert(1)&lt;/script&gt; and more than 25 letters</p>"
    assert made["license"] == "cc-zero"
    assert made["creators"][0] == {
        "name": "Doe, Jane",
        "affiliation": "University of Nowhere",
        "orcid": "0000-0002-1825-0097",
    }


@pytest.mark.parametrize(
    ("product", "field"), [(product, field) for product, fields in REQUIRED_FIELDS.items() for field in fields]
)
def test_each_required_field_is_asked_for(product: str, field: str):
    values = [found for found in VALUES if found.field != field]
    with pytest.raises(UserError, match="needs more") as caught:
        study(product, values)
    assert "missing for" in str(caught.value)


@pytest.mark.parametrize("field", ["annotation.overview", "annotation.type", "annotation.method"])
def test_annotations_must_be_described(field: str):
    values = [found for found in VALUES if found.field != field]
    with pytest.raises(UserError, match="needs more"):
        study("gide", values)
    assert study("gide", values, annotations=False).annotations is None


def test_an_annotation_of_no_image_is_refused():
    with pytest.raises(UserError, match=r"annotation other\.tif: no image has this name"):
        read_study(
            VALUES,
            list(read_images(FILES)),
            files=FILES,
            annotations=[(FILES[0][0], "other.tif")],
            results=[],
            product="gide",
        )


@pytest.mark.parametrize("name", ["../evil.tif", "a/../../b.tif", "/etc/passwd", "a//b", "..\\x"])
def test_names_that_climb_out_of_the_package_are_refused(name: str):
    with pytest.raises(UserError, match="would leave the package"):
        package_path("images", name)


@given(st.text(min_size=1, max_size=30))
def test_any_name_is_refused_or_stays_inside(name: str):
    try:
        path = package_path("images", name)
    except UserError:
        return
    assert safe_relative_path(path) is not None
    assert path.startswith("images/")


def test_two_images_with_one_path_are_refused():
    images = [ImageFacts("a:1.tif"), ImageFacts("a;1.tif")]
    with pytest.raises(UserError, match=r"a:1\.tif and a;1\.tif: both would be images/a_1\.tif"):
        place_images(images, [])


def test_values_of_omero_make_a_crate_too():
    """Rows by OMERO's id find the exported image, whatever its dataset is called."""
    text = (DATA / "template_rembi.csv").read_text().replace("image,", "image,image_id,", 1)
    lines = text.splitlines()
    rows = [lines[0], lines[1].replace("*,", "*,,", 1), lines[2].replace("cells_a.ome.tiff,", "x,11,", 1)]
    values = validate([read_dialect(read_text_table("\n".join(rows).encode(), "t"))], [], ()).values
    facts = [ImageFacts("Image_11_anything.tif", "11")]
    made = read_study(list(values), facts, files=[], annotations=[], results=[], product="bia")
    assert made.images[0].biosample.extrinsic == ("drug A 1 µM",)

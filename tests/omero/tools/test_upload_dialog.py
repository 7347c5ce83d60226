"""Results made from images that came by Galaxy's OMERO file source find their images by the address."""

import json
from pathlib import Path

import numpy as np
import omero_annotate
import omero_arrange_plates
import omero_export_images
import omero_export_labels
import omero_export_rois
import omero_export_table
import omero_find
import omero_get_annotations
import omero_import_labels
import omero_import_rois
import omero_import_table
import omero_transfer
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from tests.omero.tool_support import Lab, named, read_rows

PLANE = np.zeros((8, 9), np.uint8)
SOURCE = "gxuserfiles://0b4ba5e1-31b7-4d1e-a9a0-7a2c8f2f6f10"


def address(image: int, dataset: int, project: int = 7) -> str:
    return f"{SOURCE}/project_{project}/dataset_{dataset}/image_{image}"


@pytest.fixture
def import_rois(lab: Lab, tmp_path: Path, monkeypatch):
    """Import one ROI for each named label map; `known` are the addresses of datasets by name."""

    def run(names: list[str], known: list[tuple[str, list[str]]]) -> list[dict[str, str]]:
        labels = np.zeros(PLANE.shape, np.uint16)
        labels[2:4, 3:6] = 1
        tifffile.imwrite(tmp_path / "labels.tif", labels)
        (tmp_path / "addresses.json").write_text(json.dumps(known))
        values = {"label_maps": [named(name, tmp_path / "labels.tif") for name in names], "match": {"source": "source"}}
        outputs = {"output": "out.tsv", "rois": "rois.tsv", "addresses": "addresses.json"}
        monkeypatch.chdir(tmp_path)
        paths = lab.run(omero_import_rois, tmp_path, outputs, roi_name="o", shape="auto", **values)
        return read_rows(paths["output"])

    return run


@pytest.fixture
def images(lab: Lab) -> tuple[int, list[int]]:
    """A dataset and two images in it."""
    dataset = lab.container("Dataset", "d")
    return dataset, [lab.image(f"cell_{number}.tif", PLANE, dataset) for number in (1, 2)]


def test_files_with_the_names_of_the_images_find_them(import_rois, images):
    dataset, (first, second) = images
    known = [("cell_1.tif", [address(first, dataset)]), ("b", ["https://x/image_1", address(second, dataset)])]
    rows = import_rois(["b", "cell_1.ome.tiff"], known)
    assert [(row["image"], row["image_id"], row["roi_count"]) for row in rows] == [
        ("b", str(second), "1"),
        ("cell_1.ome.tiff", str(first), "1"),
    ]


def test_one_file_and_one_image_belong_together_whatever_their_names(import_rois, images):
    dataset, (first, _) = images
    [row] = import_rois(["Segment objects on dataset 3"], [("image_51", [address(first, dataset)])])
    assert row["image_id"] == str(first)
    # The id in a name goes first: it is what this suite writes.
    [row] = import_rois([f"Image_{first}_cell_1"], [("x", [address(first, dataset)])])
    assert row["image_id"] == str(first)


def test_addresses_that_lead_elsewhere_are_refused(lab: Lab, import_rois, images):
    dataset, (first, second) = images
    other = lab.container("Dataset", "other")
    two = [("a", [address(first, dataset)]), ("a.tif", [address(second, dataset)])]
    cases = [
        ([("a", [])], "'a': Galaxy knows no address of it in OMERO (found: none)"),
        ([("a", ["https://x.org/a.tif"])], r"'a': Galaxy knows no address of it in OMERO (found: https://x.org/a.tif)"),
        ([("a", [f"{SOURCE}/project_1/dataset_{dataset}/image_x"])], "'a': Galaxy knows no address of it in OMERO"),
        ([("a", [address(first, other)])], f"'a': image {first} does not stand in dataset {other}"),
        ([("a", [address(999999, dataset)])], "image 999999: no such id"),
        ([*two, two[1]], "'b': none of the images from OMERO have this name, but one must"),
    ]
    for known, message in cases:
        with pytest.raises(UserError) as caught:
            import_rois(["b"] if len(known) > 1 else ["a"], known)
        assert str(caught.value).startswith(message)
    twice = [("a.tif", [address(first, dataset)]), ("a.tif", [address(second, dataset)])]
    with pytest.raises(UserError, match=r"'a.tif': 2 of the images from OMERO have this name"):
        import_rois(["a.tif"], twice)
    assert lab.rows("select count(r) from Roi r") == [[0]]


def test_tables_and_label_maps_find_their_images_too(lab: Lab, images, tmp_path: Path, monkeypatch):
    dataset, (first, _) = images
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps([("cell", [address(first, dataset)])]))
    (tmp_path / "t.tsv").write_text("label\tx\n1\t2\n")
    tifffile.imwrite(tmp_path / "l.tif", np.ones(PLANE.shape, np.uint16))
    match = {"source": "source"}
    table = {"tables": [named("cell", tmp_path / "t.tsv")], "table_name": "m", "attach": "dataset", "match": match}
    outputs = {"output": "o.tsv", "merged": "m.tsv", "addresses": "a.json"}
    [row] = read_rows(lab.run(omero_import_table, tmp_path, outputs, **table)["output"])
    assert row["dataset_id"] == str(dataset)
    with pytest.raises(UserError, match="container: none is named"):
        lab.run(omero_import_table, tmp_path, outputs, **(table | {"attach": "container"}))
    values = {"label_maps": [named("cell", tmp_path / "l.tif")], "match": match, "labels_name": "o"}
    values |= {"place": {"by": "source", "create": True}}
    outputs = {"output": "l.tsv", "addresses": "a.json"}
    [row] = read_rows(lab.run(omero_import_labels, tmp_path, outputs, **values)["output"])
    assert row["image_id"] == str(first)


TARGET = {"source": "source"}
TOOLS = (
    (omero_find, {"output": "o.tsv"}, {"target": TARGET}),
    (
        omero_get_annotations,
        {"output": "o.tsv", "wide": "w.tsv", "folder": "f"},
        {"target": TARGET, "of": "images", "types": []},
    ),
    (omero_export_images, {"folder": "f", "metadata": "o.tsv"}, {"target": TARGET}),
    (
        omero_export_rois,
        {"folder": "f", "shapes": "s.tsv", "output": "o.tsv"},
        {"target": TARGET, "form": {"form": "table"}},
    ),
    (omero_transfer, {"crate": "c.zip", "output": "o.tsv"}, {"do": {"mode": "pack", "target": TARGET}}),
)


@pytest.mark.parametrize(("tool", "outputs", "config"), TOOLS, ids=[tool.__name__ for tool, _, _ in TOOLS])
def test_each_tool_works_on_images_of_the_dialog(tool, outputs, config, lab: Lab, images, tmp_path: Path, monkeypatch):
    dataset, (first, second) = images
    monkeypatch.chdir(tmp_path)
    known = [("b", [address(second, dataset)]), ("again", [address(second, dataset)])]
    (tmp_path / "a.json").write_text(json.dumps(known))
    table = outputs.get("output") or outputs["metadata"]
    lab.run(tool, tmp_path, {**outputs, "addresses": "a.json"}, **config)
    found = [
        row["image_id"] for row in read_rows(tmp_path / ("w.tsv" if "wide" in outputs else table)) if "image_id" in row
    ]
    assert found == [str(second)]
    (tmp_path / "a.json").write_text(json.dumps([("b", [address(first, dataset + 1)])]))
    with pytest.raises(UserError, match=f"'b': image {first} does not stand in dataset {dataset + 1}"):
        lab.run(
            tool, tmp_path, {name: f"2{path}" for name, path in outputs.items()} | {"addresses": "a.json"}, **config
        )
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(UserError, match="images from the upload dialog: none is chosen"):
        lab.run(
            tool, tmp_path, {name: f"3{path}" for name, path in outputs.items()} | {"addresses": "a.json"}, **config
        )


@pytest.mark.parametrize(
    ("tool", "config", "message"),
    [
        (omero_export_table, {"of": "images"}, "images {}: no OMERO.table is attached"),
        (omero_export_labels, {"labels_name": "l", "missing": "skip"}, "image {} 'cell_2.tif': no label map 'l'"),
    ],
)
def test_what_the_dialogs_images_have_is_asked_for(
    lab: Lab, images, tmp_path: Path, monkeypatch, tool, config, message
):
    dataset, (_, second) = images
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps([("b", [address(second, dataset)])]))
    outputs = {"folder": "f", "output": "o.tsv", "addresses": "a.json"}
    with pytest.raises(UserError, match=message.format(second)):
        lab.run(tool, tmp_path, outputs, target=TARGET, **config)


def test_rows_and_wells_are_those_of_the_dialogs_images(lab: Lab, images, tmp_path: Path, monkeypatch):
    dataset, (first, second) = images
    other = lab.image("cell_1.tif", PLANE, lab.container("Dataset", "other"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps([("x", [address(number, dataset)]) for number in (first, second)]))
    (tmp_path / "notes.csv").write_text("image,dose\ncell_1.tif,1\n")
    (tmp_path / "layout.tsv").write_text("image\twell\ncell_1.tif\tA1\n")
    values = {"table": named("notes.csv", tmp_path / "notes.csv"), "within": TARGET, "kind": "image", "mode": "add"}
    outputs = {"output": "o.tsv", "changes": "c.tsv", "addresses": "a.json"}
    [row] = read_rows(lab.run(omero_annotate, tmp_path, outputs, **values)["output"])
    assert row["image_id"] == str(first) != str(other)
    values = {"layout": named("layout", tmp_path / "layout.tsv"), "target": TARGET, "plate": "p"}
    outputs = {"output": "p.tsv", "addresses": "a.json"}
    [row] = read_rows(lab.run(omero_arrange_plates, tmp_path, outputs, screen={"by": "none"}, **values)["output"])
    assert row["image_id"] == str(first)

"""What omero_find lists for the forms of other tools to choose from, and what these tools make of a choice."""

from pathlib import Path

import numpy as np
import omero
import omero_annotate
import omero_arrange_plates
import omero_export_images
import omero_find
import omero_import_images
import omero_import_rois
import omero_import_table
import pytest
import tifffile
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images import choices
from tests.omero.tool_support import Lab, named, read_rows, typed

PLANE = np.zeros((2, 2), np.uint8)


@pytest.fixture
def find(lab: Lab, tmp_path: Path):
    def run(target: dict, **config) -> tuple[list[dict[str, str]], list[tuple[str, str, str]]]:
        outputs = {"output": "out.tsv", "offered": "choices.tsv"}
        paths = lab.run(omero_find, tmp_path, outputs, target=target, **config)
        rows = [(row["kind"], row["value"], row["name"]) for row in read_rows(paths["offered"])]
        return read_rows(paths["output"]), rows

    return run


def tag(lab: Lab, image: int, text: str) -> None:
    made = omero.model.TagAnnotationI()
    made.textValue = rstring(text)
    lab.annotate(image, made)


def test_each_container_channel_and_tag_is_listed_once(lab: Lab, find, monkeypatch):
    dataset = lab.container("Dataset", "ä, b")
    planes = {(0, channel, 0): PLANE for channel in (0, 1)}
    images = [lab.image(name, planes, dataset, channels=("DAPI", "GFP")) for name in ("b.tif", "a.tif")]
    for image in images:
        tag(lab, image, "good")
    tag(lab, images[0], "=1+1")
    monkeypatch.setattr(choices, "MOST_IMAGES", 1)
    _, rows = find(typed("dataset", '"ä, b"'))
    assert rows == [
        ("dataset", str(dataset), f"ä, b ({dataset})"),
        ("image", str(images[1]), f"a.tif ({images[1]})"),
        ("channel", "DAPI", "DAPI (2 images)"),
        ("channel", "GFP", "GFP (2 images)"),
        ("tag", "'=1+1", "'=1+1 (1 images)"),
        ("tag", "good", "good (2 images)"),
    ]
    # A choice is what the list says, with the apostrophe that keeps it from being a formula.
    found, _ = find(typed("dataset", dataset, by="id"), filters={"tags": "", "chosen_tags": ["'=1+1", "good"]})
    assert [row["image_name"] for row in found] == ["b.tif"]


def test_chosen_objects_are_found_by_their_ids(lab: Lab, find):
    datasets = [lab.container("Dataset", "twin") for _ in range(2)]
    images = [lab.image(f"{number}.tif", PLANE, dataset) for number, dataset in enumerate(datasets)]
    for chosen in (str(datasets[1]), [str(datasets[1])]):
        found, _ = find({"source": "choices", "kind": "dataset", "objects": chosen})
        assert [row["image_id"] for row in found] == [str(images[1])]
    for chosen, message in ((None, "dataset: none is chosen"), (["x"], "dataset 'x': the list of choices has no id")):
        with pytest.raises(UserError, match=message):
            find({"source": "choices", "kind": "dataset", "objects": chosen})


def test_chosen_channels_are_exported_beside_typed_ones(lab: Lab, tmp_path: Path):
    planes = {(0, channel, 0): PLANE for channel in (0, 1, 2)}
    image = lab.image("a.tif", planes, channels=("DAPI", "GFP", "=x"))
    form = {"kind": "ome_tiff", "selection": {"channels": "GFP", "chosen_channels": ["'=x", "GFP"]}}
    outputs = {"folder": "images", "metadata": "m.tsv"}
    config = {"target": typed("image", image, by="id"), "format": form}
    paths = lab.run(omero_export_images, tmp_path, outputs, **config)
    [row] = read_rows(paths["metadata"])
    assert (row["size_c"], row["channel_names"]) == ("2", "GFP; =x")


def test_images_go_into_the_dataset_or_screen_that_is_chosen(lab: Lab, tmp_path: Path):
    _, chosen = (lab.container("Dataset", "twin") for _ in range(2))
    tifffile.imwrite(tmp_path / "a.tif", PLANE)
    values = {
        "files": [named("a.tif", tmp_path / "a.tif") | {"ext": "tiff"}],
        "existing": "refuse",
        "zip_holds": "images",
    }
    place = {"by": "choices", "dataset_id": str(chosen)}
    [row] = read_rows(lab.run(omero_import_images, tmp_path, {"output": "o.tsv"}, place=place, **values)["output"])
    assert row["dataset_id"] == str(chosen)
    _, screen = (lab.container("Screen", "twin") for _ in range(2))
    (tmp_path / "layout.tsv").write_text("image\twell\na.tif\tA1\n")
    values |= {
        "layout": named("layout", tmp_path / "layout.tsv"),
        "target": typed("dataset", chosen, by="id"),
        "plate": "p",
    }
    by = {"by": "choices", "screen_id": str(screen)}
    [row] = read_rows(lab.run(omero_arrange_plates, tmp_path, {"output": "p.tsv"}, screen=by, **values)["output"])
    assert row["screen_id"] == str(screen)
    for place, message in (
        ({"by": "choices", "dataset_id": None}, "dataset '': not an id"),
        ({"by": "screen_choices", "screen_id": "x"}, "screen 'x': not an id"),
        ({"by": "screen_choices", "screen_id": str(screen)}, "screen 'twin' has its content already"),
    ):
        with pytest.raises(UserError, match=message):
            lab.run(omero_import_images, tmp_path, {"output": "o.tsv"}, place=place, **values)


def test_names_are_looked_up_in_the_container_that_is_chosen(lab: Lab, tmp_path: Path):
    first, second = (lab.container("Dataset", "twin") for _ in range(2))
    _, image = (lab.image("a.tif", PLANE, dataset) for dataset in (first, second))
    chosen = {"source": "choices", "kind": "dataset", "objects": [str(second)]}
    (tmp_path / "m.tsv").write_text("label\tx\n1\t2\n")
    (tmp_path / "notes.csv").write_text("image,dose\na.tif,1\n")
    tifffile.imwrite(tmp_path / "l.tif", np.ones(PLANE.shape, np.uint16))
    values = {"table": named("notes.csv", tmp_path / "notes.csv"), "within": chosen, "kind": "image", "mode": "add"}
    outputs = {"output": "o.tsv", "changes": "c.tsv"}
    [row] = read_rows(lab.run(omero_annotate, tmp_path, outputs, **values)["output"])
    assert row["image_id"] == str(image)
    maps = {"label_maps": [named("a", tmp_path / "l.tif")], "match": chosen, "roi_name": "o", "shape": "auto"}
    [row] = read_rows(lab.run(omero_import_rois, tmp_path, {"output": "r.tsv", "rois": "s.tsv"}, **maps)["output"])
    assert row["image_id"] == str(image)
    for attach, found in (("image", {"image_id": str(image)}), ("dataset", {"dataset_id": str(second)})):
        table = {"tables": [named("a", tmp_path / "m.tsv")], "table_name": "m", "attach": attach, "match": chosen}
        outputs = {"output": "t.tsv", "merged": "all.tsv"}
        [row] = read_rows(lab.run(omero_import_table, tmp_path, outputs, **table)["output"])
        assert found.items() <= row.items()
    table |= {"attach": "container"}
    [row] = read_rows(lab.run(omero_import_table, tmp_path, outputs, **table)["output"])
    assert row["dataset_id"] == str(second)

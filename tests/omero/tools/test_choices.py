"""What omero_find lists for the forms of other tools to choose from, and what these tools make of a choice."""

from pathlib import Path

import numpy as np
import omero
import omero_export_images
import omero_find
import pytest
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images import choices
from tests.omero.tool_support import Lab, read_rows, typed

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

"""Every OMERO tool on a server that is slow, has no pyramids yet, locks what it imports, and keeps originals of plates.

The sandbox's test mode (sandbox/omero/server/trials.py) answers as OMERO.server does meanwhile.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import omero_annotate
import omero_arrange_plates
import omero_export_images
import omero_export_labels
import omero_export_rois
import omero_export_table
import omero_find
import omero_get_annotations
import omero_import_images
import omero_import_labels
import omero_import_rois
import omero_import_table
import omero_transfer
import pytest
import tifffile

from scripts.suite_files import tool_script
from tests.omero.tool_support import Lab, from_table, named, picture, read_rows, setting, typed

LARGE = np.tile(np.arange(3300, dtype=np.uint16), (3300, 1))  # beyond 3192 x 3192: OMERO makes a pyramid
SETTINGS = {"missing_pyramid_ms": 300, "lock_timeout_ms": 300, "answer_ms": 2}
TOOLS = (
    *(omero_import_images, omero_find, omero_annotate, omero_get_annotations, omero_import_rois, omero_export_rois),
    *(omero_import_labels, omero_export_labels, omero_import_table, omero_export_table, omero_export_images),
    *(omero_arrange_plates, omero_transfer),
)


@pytest.fixture(autouse=True)
def difficult(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        for key, value in SETTINGS.items():
            stack.enter_context(setting(lab, f"omero.sandbox.{key}", value))
        yield


@pytest.fixture
def images(lab: Lab, tmp_path: Path) -> list[dict[str, str]]:
    """A small and a large image of dataset "d", imported."""
    for name, pixels in (("small.tif", picture(1)), ("large.tif", LARGE)):
        tifffile.imwrite(tmp_path / name, pixels, metadata=None)
    files = [named(name, tmp_path / name) | {"ext": "tiff"} for name in ("small.tif", "large.tif")]
    place = {"by": "name", "dataset": "d", "project": "p", "create": True}
    values = {"files": files, "place": place, "existing": "refuse", "zip_holds": "images", "table": None}
    return read_rows(lab.run(omero_import_images, tmp_path, {"output": "imported.tsv"}, **values)["output"])


def exported(lab: Lab, folder: Path, table: Path) -> list[np.ndarray]:
    outputs = {"folder": "images", "metadata": "meta.tsv"}
    form = {"kind": "ome_tiff", "selection": {}}
    paths = lab.run(omero_export_images, folder, outputs, target=from_table(table), format=form)
    files = sorted(paths["folder"].iterdir(), key=lambda path: int(path.name.split("_")[1]))
    return [tifffile.imread(path) for path in files]


def test_images_tables_and_annotations_go_there_and_back(lab: Lab, images, tmp_path: Path):
    found = lab.run(omero_find, tmp_path, {"output": "found.tsv"}, target=typed("project", "p"))["output"]
    assert [row["image_id"] for row in read_rows(found)] == [row["image_id"] for row in images]
    small, large = exported(lab, tmp_path, found)
    np.testing.assert_array_equal(small, picture(1))
    np.testing.assert_array_equal(large, LARGE)
    (tmp_path / "notes.csv").write_text("image,dose,TAG\nsmall.tif,1,good\nlarge.tif,2,good\n")
    values: dict[str, Any] = {"table": named("notes.csv", tmp_path / "notes.csv"), "within": typed("dataset", "d")}
    outputs = {"output": "annotated.tsv", "changes": "changes.tsv"}
    rows = read_rows(lab.run(omero_annotate, tmp_path, outputs, kind="image", mode="add", **values)["output"])
    assert {row["status"] for row in rows} == {"changed"}
    outputs = {"output": "tidy.tsv", "wide": "wide.tsv", "folder": "fetched"}
    of = {"target": typed("dataset", "d"), "of": "images", "types": ["key_value", "tag"]}
    rows = read_rows(lab.run(omero_get_annotations, tmp_path, outputs, **of)["output"])
    assert sorted(row["value"] for row in rows) == ["1", "2", "good", "good"]
    (tmp_path / "m.tsv").write_text("image\tlabel\tx\nsmall.tif\t1\t2.5\n")
    values = {"tables": [named("m", tmp_path / "m.tsv")], "match": typed("dataset", "d"), "table_name": "m"}
    lab.run(omero_import_table, tmp_path, {"output": "o.tsv", "merged": "all.tsv"}, attach="image", **values)
    outputs, of = {"folder": "tables", "output": "out.tsv"}, {"target": typed("dataset", "d"), "of": "images"}
    [table] = lab.run(omero_export_table, tmp_path, outputs, **of)["folder"].iterdir()
    assert [row["x"] for row in read_rows(table)] == ["2.5"]


def test_rois_and_label_maps_go_there_and_back(lab: Lab, images, tmp_path: Path):
    labels = np.zeros(picture(1).shape, np.uint16)
    labels[2:9, 3:12] = 1
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    name = f"Image_{images[0]['image_id']}_small.tif"
    maps = {"label_maps": [named(name, tmp_path / "labels.tif")], "match": {"source": "identifier"}}
    lab.run(omero_import_rois, tmp_path, {"output": "o.tsv", "rois": "r.tsv"}, roi_name="o", shape="auto", **maps)
    outputs = {"folder": "files", "shapes": "shapes.tsv", "output": "out.tsv"}
    target = {"target": typed("image", images[0]["image_id"], by="id"), "roi_name": ""}
    form = {"form": "label_map", "overlap": "error"}
    [path] = lab.run(omero_export_rois, tmp_path, outputs, form=form, **target)["folder"].iterdir()
    np.testing.assert_array_equal(tifffile.imread(path), labels)
    lab.run(omero_import_labels, tmp_path, {"output": "l.tsv"}, labels_name="o", place={"by": "source"}, **maps)
    values = {"target": target["target"], "labels_name": "o", "missing": "refuse"}
    outputs = {"folder": "labels", "output": "labels.tsv"}
    [path] = lab.run(omero_export_labels, tmp_path, outputs, **values)["folder"].iterdir()
    np.testing.assert_array_equal(tifffile.imread(path), labels)


def test_a_plate_whose_originals_are_kept_moves_to_another_group(lab: Lab, images, tmp_path: Path):
    (tmp_path / "layout.tsv").write_text("image\twell\nsmall.tif\tA1\nlarge.tif\tB2\n")
    values = {"layout": named("layout", tmp_path / "layout.tsv"), "target": typed("dataset", "d"), "plate": "plate"}
    lab.run(omero_arrange_plates, tmp_path, {"output": "plate.tsv"}, screen={"by": "none"}, dry_run=False, **values)
    do = {"mode": "pack", "target": typed("plate", "plate")}
    packed = lab.run(omero_transfer, tmp_path, {"crate": "crate.zip", "output": "packed.tsv"}, do=do)
    rows = read_rows(packed["output"])
    assert all(row["status"].startswith("packed as OME-TIFF") for row in rows), rows
    other = lab.stranger()
    other.sign_in()
    do = {"mode": "unpack", "crate": named("crate", packed["crate"])}
    outputs = {"output": "images.tsv", "containers": "containers.tsv"}
    made = read_rows(other.run(omero_transfer, tmp_path, outputs, do=do)["output"])
    assert [row["status"] for row in made] == ["made"] * len(images)
    assert other.rows("select count(w) from WellSample w where w.well.plate.name = 'plate'") == [[len(images)]]


def test_every_tool_of_omero_is_here():
    known = {module.__name__ for module in TOOLS}
    assert known == {script.stem for script in tool_script("omero_find").parents[1].glob("omero_*/omero_*.py")}

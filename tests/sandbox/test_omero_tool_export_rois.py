import json
from pathlib import Path

import numpy as np
import omero
import omero_export_rois
import omero_import_rois
import omero_roi_shapes
import pytest
import tifffile
from omero.rtypes import rdouble, rint, rstring
from omero_session import Session, open_session
from tool_errors import UserError

from tests.galaxy.seed_omero import draw
from tests.sandbox.omero_tool_fixtures import Lab, lab, named, read_rows, typed

__all__ = ("lab",)


@pytest.fixture
def export(lab: Lab, tmp_path: Path):
    def run(image: int, form: str = "label_map", overlap: str = "first", **config):
        values = {"target": typed("image", image, by="id"), "roi_name": "", "form": {"form": form, "overlap": overlap}}
        outputs = {"folder": "files", "shapes": "shapes.tsv", "output": "out.tsv"}
        paths = lab.run(omero_export_rois, tmp_path, outputs, **(values | config))
        return list(paths["folder"].iterdir()), read_rows(paths["shapes"]), read_rows(paths["output"])[0]

    return run


@pytest.mark.parametrize("shape", ["auto", "mask"])
def test_label_maps_go_to_omero_and_come_back_without_a_change(lab: Lab, export, tmp_path: Path, shape):
    labels = np.random.default_rng(3).integers(0, 6, (2, 3, 20, 30)).astype(np.uint16) * 7
    image = lab.image("stack.tif", {(z, 0, t): labels[t, z] for z in range(3) for t in range(2)})
    path = tmp_path / "labels.ome.tif"
    tifffile.imwrite(path, labels, metadata={"axes": "TZYX"})
    lab.run(
        omero_import_rois, tmp_path, {"output": "o.tsv", "rois": "r.tsv"}, match={"source": "identifier"},
        label_maps=[named(f"Image_{image}_stack.tif", path)], roi_name="cells", shape=shape,
    )  # fmt: skip
    [file], shapes, row = export(image, roi_name="cells")
    assert file.name == f"Image_{image}_stack.tif.ome.tiff"
    with tifffile.TiffFile(file) as found:
        assert (found.series[0].axes, found.series[0].dtype) == ("TZYX", np.uint16)
        np.testing.assert_array_equal(found.asarray(), labels)
    assert (row["roi_count"], row["status"], row["overlap_px"]) == ("5", "exported", "0")
    assert {one["label"] for one in shapes} == {"7", "14", "21", "28", "35"}


def test_every_kind_of_shape_arrives_or_is_counted(lab: Lab, export):
    image = lab.image("drawn", {(z, 0, t): np.zeros((30, 40), np.uint8) for z in range(3) for t in range(2)})
    draw(lab.session, image)
    everywhere = omero.model.RoiI()
    everywhere.image = omero.model.ImageI(image, False)
    for kind, values in (("PointI", {"x": 30.5, "y": 2.5}), ("LabelI", {"x": 1, "y": 1})):
        shape = getattr(omero.model, kind)()
        for name, value in values.items():
            setattr(shape, name, rdouble(value))
        everywhere.addShape(shape)
    for kind in ("PolygonI", "PolylineI"):
        shape = getattr(omero.model, kind)()
        shape.points, shape.theC = rstring("20,20 24,20 24,23"), rint(0)
        everywhere.addShape(shape)
    lab.save(everywhere)
    [file], shapes, row = export(image)
    labels = tifffile.imread(file)
    assert sorted(one["shape"] for one in shapes) == [
        "ellipse", "label", "line", "point", "polygon", "polyline", "rectangle",
    ]  # fmt: skip
    assert (row["roi_count"], row["shape_count"], row["not_drawn"], row["status"]) == ("4", "7", "3", "not all drawn")
    assert int(row["overlap_px"]) > 0
    assert (labels[:, :, 2, 30] == 4).all()
    assert set(np.unique(labels[0, 1])) == {0, 1, 2, 4}
    assert set(np.unique(labels[1, 1])) == {0, 4}
    assert (labels[0, 1] == 1).sum() == 80
    [file], _, _ = export(image, overlap="last")
    assert (tifffile.imread(file)[0, 1] == 1).sum() == 80 - int(row["overlap_px"])
    with pytest.raises(UserError, match=r"shares \d+ pixels with label 1 in plane z 1, t 0"):
        export(image, overlap="error")
    assert not list(file.parent.iterdir())
    [failed] = read_rows(file.parents[1] / "out.tsv")
    assert (failed["image_id"], failed["status"][:15]) == (str(image), "failed: image " + str(image)[:1])


def test_geojson_and_ome_xml_hold_all_shapes(lab: Lab, export):
    from ome_types import from_xml

    image = lab.image("drawn", {(z, 0, 0): np.zeros((30, 40), np.uint8) for z in range(3)})
    draw(lab.session, image)
    [file], _, _ = export(image, "geojson")
    features = json.loads(file.read_text())["features"]
    assert [feature["geometry"]["type"] for feature in features] == ["Polygon", "Polygon", "LineString"]
    assert [feature["properties"]["name"] for feature in features] == ["box", "cell", "scale"]
    file.unlink()
    [file], _, _ = export(image, "ome_xml")
    assert len(from_xml(file.read_text(), validate=True).rois) == 3
    file.unlink()
    files, shapes, _ = export(image, "table")
    assert (files, len(shapes)) == ([], 3)


def test_images_without_rois_give_empty_label_maps(lab: Lab, export):
    image = lab.image("plain", np.zeros((5, 6), np.uint8))
    [file], shapes, row = export(image)
    assert (tifffile.imread(file).any(), shapes, row["roi_count"]) == (False, [], "0")


def test_labels_beyond_16_bit_are_kept(lab: Lab, export, tmp_path: Path):
    labels = np.array([[0, 70000], [2**31 - 1, 5]], np.int32)
    image = lab.image("a", labels.astype(np.uint8))
    tifffile.imwrite(tmp_path / "l.tif", labels)
    lab.run(
        omero_import_rois, tmp_path, {"output": "o.tsv", "rois": "r.tsv"}, match={"source": "identifier"},
        label_maps=[named(f"Image_{image}_a", tmp_path / "l.tif")], roi_name="cells", shape="auto",
    )  # fmt: skip
    [file], _, _ = export(image)
    found = tifffile.imread(file)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, labels)


def test_the_number_of_queries_does_not_grow_with_the_images(lab: Lab, monkeypatch):
    images = [lab.image(str(number), {(z, 0, 0): np.zeros((3, 3), np.uint8) for z in range(2)}) for number in range(4)]
    for image in images:
        draw(lab.session, image)
    monkeypatch.setattr(omero_roi_shapes, "PAGE", 5)
    calls = []
    for name in ("rows", "objects"):
        original = getattr(Session, name)
        monkeypatch.setattr(Session, name, lambda *a, _o=original, **k: calls.append(a) or _o(*a, **k))
    with open_session(lab.address) as session:
        found = omero_roi_shapes.load_shapes(session, images)
    assert [len(shapes) for shapes in found.values()] == [3, 3, 3, 3]
    assert len(calls) == 1 + 3  # 12 ROIs: 5 + 5 + 2

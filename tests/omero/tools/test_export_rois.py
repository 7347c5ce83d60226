import json
from pathlib import Path

import numpy as np
import omero
import omero_export_rois
import omero_import_rois
import pytest
import tifffile
from omero.rtypes import rdouble, rint, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.rois import drawn_labels
from bioimage_suite.omero.rois import shapes as omero_roi_shapes
from bioimage_suite.omero.session import Session, open_session
from tests.galaxy.seed_omero import draw
from tests.omero.tool_support import Lab, named, read_rows, typed


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
    assert (tifffile.imread(file)[0, 1] == 1).sum() == 80 - int(row["overlap_px"])  # that of the earlier run
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


def add_roi(lab: Lab, image: int, kind: str, **values) -> int:
    """A ROI of one shape; returns its id."""
    roi, shape = omero.model.RoiI(), getattr(omero.model, f"{kind}I")()
    for name, value in values.items():
        number = rint if name.startswith("the") else rdouble
        setattr(shape, name, rstring(value) if isinstance(value, str) else number(value))
    roi.image = omero.model.ImageI(image, False)
    roi.addShape(shape)
    return lab.save(roi)


def test_no_shape_is_lost_silently(lab: Lab, export):
    """What lies outside, between pixel centres, or is of a kind that no client draws."""
    image = lab.image("im", {(z, 0, 0): np.zeros((20, 30), np.uint8) for z in range(2)})
    add_roi(lab, image, "Rectangle", x=2, y=3, width=4, height=5, theZ=0)
    lost = [
        add_roi(lab, image, "Rectangle", x=2, y=3, width=4, height=5, theZ=7),
        add_roi(lab, image, "Rectangle", x=2, y=3, width=4, height=5, theT=1),
        add_roi(lab, image, "Ellipse", x=200, y=3, radiusX=4, radiusY=5),
        add_roi(lab, image, "Rectangle", x=8.6, y=3, width=0.8, height=5),
        add_roi(lab, image, "Path", d="M 0 0 L 9 9"),
    ]
    [file], shapes, row = export(image)
    assert (row["shape_count"], row["not_drawn"], row["status"]) == ("6", str(len(lost)), "not all drawn")
    assert int(np.count_nonzero(tifffile.imread(file))) == 4 * 5
    assert [one["shape"] for one in shapes if int(one["roi_id"]) in lost][-1] == "path"
    file.unlink()
    for form in ("geojson", "ome_xml"):
        [file], shapes, row = export(image, form)
        assert (row["not_drawn"], row["status"], len(shapes)) == ("1", "not all drawn", 6)
        file.unlink()


def test_a_large_label_map_is_drawn_by_bands_like_in_one_piece(lab: Lab, export, monkeypatch):
    image = lab.image("im", np.zeros((75, 90), np.uint8))
    rng = np.random.default_rng(4)
    for kind in ("Rectangle", "Ellipse", "Mask"):
        for _ in range(3):
            x, y, width, height = (round(float(number), 1) for number in rng.uniform((0, 0, 5, 5), (60, 50, 40, 40)))
            if kind == "Mask":
                roi, mask = omero.model.RoiI(), omero.model.MaskI()
                mask.x, mask.y, mask.width, mask.height = map(rdouble, (int(x), int(y), 31, 33))
                mask.bytes = np.packbits(rng.random((33, 31)) < 0.6).tobytes()
                roi.image = omero.model.ImageI(image, False)
                roi.addShape(mask)
                lab.save(roi)
                continue
            names = ("x", "y", "width", "height") if kind == "Rectangle" else ("x", "y", "radiusX", "radiusY")
            add_roi(lab, image, kind, **dict(zip(names, (x, y, width, height), strict=True)))
    add_roi(lab, image, "Polygon", points="3.5,70.2 80.1,60 44,5.5 20,33")
    add_roi(lab, image, "Point", x=33.2, y=64.0)
    whole = {}
    for overlap in ("first", "last"):
        [file], _, row = export(image, overlap=overlap)
        whole[overlap] = tifffile.imread(file), row["overlap_px"], row["not_drawn"]
    assert whole["first"][0].max() >= 9
    monkeypatch.setattr(drawn_labels, "BAND", 16)
    for overlap, (labels, shared, lost) in whole.items():
        [file], _, row = export(image, overlap=overlap)
        with tifffile.TiffFile(file) as found:
            assert (found.series[0].axes, found.pages[0].tilewidth) == ("YX", 16)
            np.testing.assert_array_equal(found.asarray(), labels)
        assert (row["overlap_px"], row["not_drawn"]) == (shared, lost)


def test_text_that_xml_cannot_hold_does_not_break_the_document(lab: Lab, export):
    from ome_types import from_xml

    image = lab.image("im", np.zeros((20, 30), np.uint8))
    add_roi(lab, image, "Rectangle", x=2, y=3, width=4, height=5, textValue="a\x01b & <c>")
    [file], _, _ = export(image, "ome_xml")
    [roi] = from_xml(file.read_text(), validate=True).rois
    assert roi.union[0].text == "a\N{REPLACEMENT CHARACTER}b & <c>"

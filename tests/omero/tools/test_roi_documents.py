"""ROIs leave OMERO as GeoJSON or a table and come back: every kind of shape, with its place, text and colours."""

import json
import uuid
from pathlib import Path

import numpy as np
import omero
import omero_export_rois
import omero_import_rois
import pytest
import tifffile
from omero.rtypes import rdouble, rint, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.rois.label_shapes import pack_mask
from tests.omero.tool_support import Lab, named, read_rows, typed

BY_ID = {"source": "identifier"}
UFZ_TABLE = (
    "shape\tx\ty\tx_rad\ty_rad\tlabel\tx1\ty1\tx2\ty2\tpoints\twidth\theight\tfill_color\tstroke_color\tz\tc\tt\troi_name\n"
    "Ellipse\t5.5\t5.0\t2.0\t1.0\t\t\t\t\t\t\t\t\t(255,0,0,128)\t(0,0,0,255)\t0\t0\t0\tExample\n"
    "Polygon\t\t\t\t\t\t\t\t\t\t(3,3),(3.5,5),(3,8)\t\t\t\t\t1.0\t\t0\tExample\n"
    "Line\t\t\t\t\tscale\t2\t2\t5\t5\t\t\t\t\t\t\t\t\t\n"
)  # as the tool omero_roi_import of the UFZ takes it


@pytest.fixture
def image(lab: Lab) -> int:
    return lab.image("drawn", {(z, 0, t): np.zeros((30, 40), np.uint8) for z in range(3) for t in range(2)})


@pytest.fixture
def export(lab: Lab, tmp_path: Path):
    def run(image: int, form: str, roi_name: str = "") -> tuple[list[Path], Path]:
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        values = {"target": typed("image", image, by="id"), "form": {"form": form, "overlap": "first"}}
        outputs = {"folder": "files", "shapes": "shapes.tsv", "output": "out.tsv"}
        paths = lab.run(omero_export_rois, folder, outputs, roi_name=roi_name, **values)
        return list(paths["folder"].iterdir()), paths["shapes"]

    return run


@pytest.fixture
def import_file(lab: Lab, tmp_path: Path):
    def run(file: dict, **config) -> list[dict[str, str]]:
        values = {"label_maps": [file], "match": BY_ID, "roi_name": "again", "shape": "auto", "dry_run": False}
        outputs = {"output": "out.tsv", "rois": "rois.tsv"}
        return read_rows(lab.run(omero_import_rois, tmp_path, outputs, **(values | config))["output"])

    return run


def draw_all(lab: Lab, image: int) -> None:
    """Two ROIs with all kinds of shapes, in several planes, with texts, colours and transforms."""
    first, second = omero.model.RoiI(), omero.model.RoiI()
    for roi in (first, second):
        roi.image, roi.name = omero.model.ImageI(image, False), rstring("drawn by hand")

    def add(roi, kind, z=None, **values):
        shape = getattr(omero.model, f"{kind}I")()
        for name, value in values.items():
            wrap = rstring if isinstance(value, str) else rint if "Color" in name or name == "theT" else rdouble
            setattr(shape, name, value if isinstance(value, bytes) else wrap(value))
        if z is not None:
            shape.theZ = rint(z)
        roi.addShape(shape)
        return shape

    add(first, "Rectangle", z=1, x=2, y=3, width=10.25, height=8, textValue="box", strokeColor=-1, fillColor=255)
    turned = add(first, "Ellipse", z=2, theT=1, x=20, y=15, radiusX=6, radiusY=2.5, textValue="cell")
    turned.transform = omero.model.AffineTransformI()
    for name, value in zip(("a00", "a10", "a01", "a11", "a02", "a12"), (0.6, 0.8, -0.8, 0.6, 20.5, -7), strict=True):
        setattr(turned.transform, name, rdouble(value))
    add(first, "Polygon", points="1,2 3.3333333333333335,4 1,6.1", textValue="")
    ring = np.ones((5, 6), bool)
    ring[2, 2:4] = False
    ring[:, 4] = False
    mask = add(second, "Mask", x=30, y=20, width=6, height=5, textValue="7")
    mask.bytes = pack_mask(ring, 0, 0).bits
    add(second, "Line", x1=1, y1=2, x2=3, y2=4.5)
    line = add(second, "Polyline", points="0,0 1,1 2,0")
    line.strokeWidth = omero.model.LengthI(2.5, omero.model.enums.UnitsLength.PIXEL)
    add(second, "Point", x=4.5, y=5.5)
    add(second, "Label", x=6, y=7, textValue="here")
    for roi in (first, second):
        lab.save(roi)


def described(path: Path) -> list[tuple[str, ...]]:
    """All of each shape but its ids, and but the colours that a shape without any gets."""
    columns = ("shape", "text", "z", "t", "c", "numbers", "points", "transform", "stroke_width", "mask")
    return sorted(tuple(row[name] for name in columns) for row in read_rows(path))


def groups(path: Path) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for row in read_rows(path):
        found.setdefault(row["roi_id"], []).append(row["shape"])
    return sorted(map(sorted, found.values()))


@pytest.mark.parametrize("form", ["table", "geojson"])
def test_every_shape_comes_back_as_it_was(lab: Lab, export, import_file, image, form):
    draw_all(lab, image)
    files, before = export(image, form)
    path = before if form == "table" else files[0]
    [row] = import_file(named(f"Image_{image}_drawn", path))
    assert (row["roi_count"], row["status"]) == ("2", "imported")
    _, everything = export(image, "table")
    assert described(everything) == sorted(described(before) * 2)
    assert len(groups(everything)) == 4
    assert groups(everything) == sorted(groups(before) * 2)
    colours = [(row["stroke"], row["fill"]) for row in read_rows(everything) if row["shape"] == "rectangle"]
    assert colours == [("255,255,255,255", "0,0,0,255")] * 2


@pytest.mark.parametrize("shape", ["mask", "polygon"])
def test_areas_become_masks_or_polygons_of_the_same_pixels(lab: Lab, export, import_file, image, shape):
    draw_all(lab, image)
    [before], _ = export(image, "label_map", "drawn by hand")
    [file], _ = export(image, "geojson", "drawn by hand")
    colleague = lab.colleague()
    colleague.sign_in()
    document = json.loads(file.read_text())
    for feature in document["features"]:
        feature["properties"]["roi_name"] = None
    file.write_text(json.dumps(document))
    import_file(named(f"Image_{image}_drawn", file), shape=shape)
    [after], table = export(image, "label_map", "again")
    np.testing.assert_array_equal(tifffile.imread(before), tifffile.imread(after))
    kinds = {row["shape"] for row in read_rows(table)}
    assert ("polygon" in kinds, "mask" in kinds) == (shape == "polygon", shape == "mask")


def test_geojson_of_qupath_with_holes_parts_and_planes(export, import_file, image, tmp_path: Path):
    square = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
    hole = [[2, 2], [2, 5], [5, 5], [5, 2], [2, 2]]
    moved = [[[x + 20, y] for x, y in square], [[x + 20, y] for x, y in hole]]
    features = [
        {
            "type": "Feature",
            "id": "a9",
            "geometry": {"type": "Polygon", "coordinates": [square, hole], "plane": {"c": -1, "z": 2, "t": 0}},
            "properties": {"objectType": "annotation", "classification": {"name": "Tumor", "color": [200, 0, 0]}},
        },
        {
            "type": "Feature",
            "geometry": {"type": "MultiPolygon", "coordinates": [[square], moved]},
            "properties": {"objectType": "cell", "name": "two"},
        },
    ]
    path = tmp_path / "qupath.geojson"
    path.write_text(json.dumps(features))
    [row] = import_file(named(f"Image_{image}_drawn", path))
    assert row["roi_count"] == "2"
    [labels], table = export(image, "label_map")
    rows = read_rows(table)
    assert [(row["text"], row["z"], row["t"], row["c"]) for row in rows] == [
        ("Tumor", "2", "0", ""), ("two", "", "", ""), ("two", "", "", ""),
    ]  # fmt: skip
    found = tifffile.imread(labels)
    assert (found[0, 2] == 1).sum() == 100 - 9
    assert (found[1, 1] == 2).sum() == 2 * 100 - 9


def test_tables_of_the_peers_tool_and_of_many_images(lab: Lab, export, import_file, tmp_path: Path, image):
    path = tmp_path / "ufz.tsv"
    path.write_text(UFZ_TABLE)
    [row] = import_file(named(f"Image_{image}_drawn", path))
    assert row["roi_count"] == "3"
    rows = read_rows(export(image, "table")[1])
    assert [(r["shape"], r["roi_name"], r["text"], r["z"], r["numbers"], r["points"]) for r in rows] == [
        ("ellipse", "Example", "", "0", "5.5 5 2 1", ""),
        ("polygon", "Example", "", "1", "", "3,3 3.5,5 3,8"),
        ("line", "again", "scale", "", "2 2 5 5", ""),
    ]
    assert (rows[0]["fill"], rows[0]["stroke"]) == ("255,0,0,128", "0,0,0,255")
    other = lab.image("other", np.zeros((9, 9), np.uint8))
    path.write_text(f"image_id\tshape\tx\ty\n{other}\tpoint\t1\t2\n{image}\tpoint\t3\t4\n{other}\tpoint\t5\t6\n")
    report = import_file(named("many.tsv", path), roi_name="points")
    assert [(row["image_id"], row["roi_count"]) for row in report] == [(str(other), "2"), (str(image), "1")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shape\tx\ty\nstar\t1\t2\n", "row 1: shape 'star' is none of polygon"),
        ("shape\tx\ty\npoint\t1\t2\npoint\t1\t\n", "row 2: y is '', which is not a number"),
        ("shape\tpoints\npolygon\t1,2 3,4\n", "row 1: a polygon needs at least 3 points"),
        ("shape\tpoints\npolygon\t1,2 3,four 5,6\n", "is not a list of numbers"),
        ("shape\tx\ty\tz\npoint\t1\t2\t3\n", "z is 3, but image .* has only 3"),
        (
            "shape\tx\ty\twidth\theight\tmask\nmask\t1\t2\t9\t9\tAAAA\n",
            "row 1: the mask has 0 bytes, but 11 are needed",
        ),
        ("shape\tx\ty\tstroke\npoint\t1\t2\t1,2,300,4\n", "is not red,green,blue,alpha"),
        ('{"type": "FeatureCollection", "features": []}', "no feature in it"),
        ('[{"type": "Feature", "geometry": null}]', "feature 1: it is not as RFC 7946 has it"),
        ('{"type": "Point"}', "feature 1: it is not as RFC 7946 has it"),
        ('{"type": "Sphere", "coordinates": []}', "feature 1: geometry 'Sphere' is unknown"),
        ('{"type": "MultiPolygon", "coordinates": []}', "feature 1: its geometry is empty"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}', "needs three corners"),
        (
            '{"type": "Polygon", "coordinates": [[[5, 5], [6, 5], [6, 6]], [[0, 0], [1, 0], [1, 1]]]}',
            "the hole at x 0, y 0 does not lie in its outline",
        ),
        ('{"type": "Point", "coordinates": [NaN, 1]}', "a coordinate is not a number"),
    ],
)
def test_what_is_no_shape_is_refused_with_its_place(lab: Lab, import_file, image, tmp_path: Path, text, message):
    path = tmp_path / "bad"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        import_file(named(f"Image_{image}_drawn", path))
    assert lab.session.getRoiService().findByImage(image, None).rois == []


def test_a_dry_run_draws_nothing(lab: Lab, import_file, image, tmp_path: Path):
    path = tmp_path / "points.tsv"
    path.write_text("shape\tx\ty\npoint\t1\t2\n")
    [row] = import_file(named(f"Image_{image}_drawn", path), dry_run=True)
    assert (row["roi_count"], row["status"]) == ("1", "would import")
    assert lab.session.getRoiService().findByImage(image, None).rois == []


def test_texts_have_a_size_and_rois_a_description(lab: Lab, export, import_file, image, tmp_path: Path):
    table = tmp_path / "shapes.tsv"
    table.write_text(
        "shape\tx\ty\troi_id\ttext\ttext_size\tdescription\n"
        "label\t1\t2\ta\there\t18\tby hand\npoint\t3\t4\ta\t\t\t\nlabel\t5\t6\tb\tthere\t\t\n"
    )
    import_file(named(f"Image_{image}_drawn", table))
    hql = "select r.description, s.textValue, s.fontSize.value from Shape s join s.roi r order by s.id"
    assert lab.rows(hql) == [["by hand", "here", 18.0], ["by hand", None, None], [None, "there", None]]
    _, found = export(image, "table")
    assert [(row["text"], row["text_size"], row["description"]) for row in read_rows(found)] == [
        ("here", "18", "by hand"), ("", "", "by hand"), ("there", "", "")
    ]  # fmt: skip
    table.write_text("shape\tx\ty\ttext_size\nlabel\t1\t2\t-3\n")
    with pytest.raises(UserError, match=r"row 1: text_size is '-3', which is not above 0\. Mend the row"):
        import_file(named(f"Image_{image}_drawn", table))

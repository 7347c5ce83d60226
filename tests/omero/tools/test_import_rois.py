import uuid
from pathlib import Path

import numpy as np
import omero
import omero_import_rois
import pytest
import tifffile
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.rois import rois as omero_rois
from bioimage_suite.omero.rois.label_shapes import Mask, Polygon, fill_polygon, unpack_mask
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, named, read_rows, typed

BY_ID = {"source": "identifier"}


@pytest.fixture
def import_rois(lab: Lab, tmp_path: Path):
    def run(label_maps: list[dict], **config) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        values = {"label_maps": label_maps, "match": BY_ID, "roi_name": "nuclei", "shape": "auto", "dry_run": False}
        outputs = {"output": "out.tsv", "rois": "rois.tsv"}
        paths = lab.run(omero_import_rois, tmp_path, outputs, **(values | config))
        return read_rows(paths["output"]), read_rows(paths["rois"])

    return run


@pytest.fixture
def label_map(tmp_path: Path):
    def make(identifier: str, labels: np.ndarray, axes: str = "YX") -> dict[str, str]:
        path = tmp_path / f"{uuid.uuid4().hex}.ome.tif"
        tifffile.imwrite(path, labels, metadata={"axes": axes}, compression="zlib")
        return named(identifier, path)

    return make


def objects(seed: int = 1, shape: tuple[int, int] = (40, 50)) -> np.ndarray:
    """Discs, one with a hole, one in two parts, two that touch."""
    labels = np.zeros(shape, np.uint16)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for label, (row, column, radius) in enumerate(((9, 9, 6), (9, 16, 4), (28, 12, 7), (28, 34, 6 + seed)), 3):
        labels[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = label
    labels[26:29, 11:13] = 0
    labels[28, :] = 0
    return labels


def rois_of(lab: Lab, image: int) -> list:
    return lab.session.getRoiService().findByImage(image, None).rois


def drawn(lab: Lab, image: int, size: tuple[int, int], z: int | None = 0, t: int | None = 0) -> np.ndarray:
    """The label map of one plane that the ROIs in OMERO give."""
    labels = np.zeros(size, np.int64)
    for roi in rois_of(lab, image):
        for shape in roi.copyShapes():
            place = tuple(None if value is None else value.val for value in (shape.theZ, shape.theT))
            if place != (z, t):
                continue
            label = int(shape.textValue.val)
            if isinstance(shape, omero.model.PolygonI):
                points = [tuple(map(float, point.split(","))) for point in shape.points.val.split()]
                labels[fill_polygon(Polygon(tuple(points)), *size)] = label
            else:
                x, y, width, height = (int(v.val) for v in (shape.x, shape.y, shape.width, shape.height))
                bits = unpack_mask(Mask(x, y, width, height, bytes(b & 255 for b in shape.bytes)))
                labels[y : y + height, x : x + width][bits] = label
    return labels


@pytest.mark.parametrize(
    ("shape", "kinds"), [("auto", {"PolygonI", "MaskI"}), ("mask", {"MaskI"}), ("polygon", {"PolygonI"})]
)
def test_label_map_to_omero_and_back_changes_no_pixel(lab: Lab, import_rois, label_map, shape, kinds):
    labels = objects()
    image = lab.image("cell.tif", labels)
    table, rois = import_rois([label_map(f"Image_{image}_cell.tif", labels)], shape=shape)
    np.testing.assert_array_equal(drawn(lab, image, labels.shape), labels)
    found = rois_of(lab, image)
    assert {type(one).__name__ for roi in found for one in roi.copyShapes()} == kinds
    assert {roi.name.val for roi in found} == {"nuclei"}
    assert [(row["image_id"], row["roi_count"], row["replaced_count"], row["status"]) for row in table] == [
        (str(image), "4", "0", "imported")
    ]
    by_id = {roi.id.val: roi for roi in found}
    for row in rois:
        assert {one.textValue.val for one in by_id[int(row["roi_id"])].copyShapes()} == {row["label"]}
    assert [row["label"] for row in rois] == ["3", "4", "5", "6"]


def test_planes_and_time_points_keep_their_places(lab: Lab, import_rois, label_map):
    stack = np.zeros((2, 3, 40, 50), np.uint16)  # t, z, y, x
    stack[0, 0], stack[1, 2] = objects(1), objects(2)
    planes = {(z, 0, t): stack[t, z] for z in range(3) for t in range(2)}
    image = lab.image("stack", planes)
    _, rois = import_rois([label_map(f"Image_{image}_stack", stack, "TZYX")])
    assert len(rois) == 4  # one an object, with a shape in each of its planes
    for t in range(2):
        for z in range(3):
            np.testing.assert_array_equal(drawn(lab, image, (40, 50), z, t), stack[t, z])


def test_one_plane_for_many_holds_for_all(lab: Lab, import_rois, label_map):
    labels = objects()
    image = lab.image("stack", {(z, 0, 0): labels for z in range(3)})
    import_rois([label_map(f"Image_{image}_stack", labels)])
    np.testing.assert_array_equal(drawn(lab, image, labels.shape, None, 0), labels)


def test_a_rerun_replaces_its_own_and_nobody_elses(lab: Lab, import_rois, label_map):
    labels = objects()
    image = lab.image("cell", labels)
    file = label_map(f"Image_{image}_cell", labels)
    by_hand = omero.model.RoiI()
    by_hand.image, by_hand.name = omero.model.ImageI(image, False), rstring("nuclei")
    hand_id = lab.save(by_hand)
    colleague = lab.colleague()
    colleague.sign_in()
    theirs = {row["roi_id"] for row in import_rois([file])[1]}
    lab.sign_in()
    other_name = {row["roi_id"] for row in import_rois([file], roi_name="cells")[1]}
    first = {row["roi_id"] for row in import_rois([file])[1]}
    smaller = objects(2)
    smaller[smaller == 3] = 0
    table, rois = import_rois([label_map(f"Image_{image}_cell", smaller)])
    second = {row["roi_id"] for row in rois}
    assert (table[0]["replaced_count"], table[0]["roi_count"]) == ("4", "3")
    assert {str(roi.id.val) for roi in rois_of(lab, image)} == {str(hand_id)} | theirs | other_name | second
    assert not first & second
    # Of the replaced set not even its mark stays.
    marks = "select count(a) from MapAnnotation a where a.ns = '{}' and a.details.owner.omeName = '{}'"
    assert lab.rows(marks.format(omero_rois.roi_namespace("nuclei"), lab.user)) == [[1]]


def test_an_empty_label_map_is_no_error_and_clears_what_was_there(lab: Lab, import_rois, label_map):
    image = lab.image("cell", objects())
    import_rois([label_map(f"Image_{image}_cell", objects())])
    table, rois = import_rois([label_map(f"Image_{image}_cell", np.zeros((40, 50), np.uint16))])
    assert (table[0]["roi_count"], table[0]["replaced_count"], rois) == ("0", "4", [])
    assert rois_of(lab, image) == []


def test_a_dry_run_changes_nothing(lab: Lab, import_rois, label_map):
    image = lab.image("cell", objects())
    table, rois = import_rois([label_map(f"Image_{image}_cell", objects())], dry_run=True)
    assert (table[0]["roi_count"], table[0]["status"], rois) == ("4", "would import", [])
    assert rois_of(lab, image) == []


def test_files_without_an_id_are_matched_by_name(lab: Lab, import_rois, label_map):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, objects(), dataset) for name in ("a b.tif", "c.tif")]
    table, _ = import_rois([label_map("c", objects()), label_map("a_b", objects())], match=typed("dataset", "d"))
    assert [row["image_id"] for row in table] == [str(images[1]), str(images[0])]


def test_files_that_match_nothing_two_or_the_same_are_refused_before_any_change(lab: Lab, import_rois, label_map):
    dataset = lab.container("Dataset", "d")
    good = lab.image("good", objects(), dataset)
    for _ in range(2):
        lab.image("twin", objects(), dataset)
    fine = label_map(f"Image_{good}_good", objects())
    cases = [
        (label_map("Image_999999999_x", objects()), BY_ID, "image 999999999: no such id"),
        (label_map("nameless", objects()), BY_ID, "'nameless': the name has no image id"),
        (label_map("nameless", objects()), typed("dataset", "d"), "dataset d has no image of this name"),
        (label_map("twin", objects()), typed("dataset", "d"), r"'twin': 2 images of dataset d have this name \(ids"),
        (label_map(f"Image_{good}", objects()), BY_ID, f"both point to image {good}"),
        (label_map(f"Image_{good}_of_another_server", objects()), BY_ID, "is called 'good' in OMERO"),
    ]
    for bad, match, message in cases:
        with pytest.raises(UserError, match=message):
            import_rois([fine, bad], match=match)
        assert rois_of(lab, good) == []


def test_bad_label_maps_are_refused_before_any_change(lab: Lab, import_rois, label_map, tmp_path: Path):
    images = [lab.image(name, objects()) for name in ("good", "bad")]
    fine = label_map(f"Image_{images[0]}_good", objects())
    name = f"Image_{images[1]}_bad"
    whole = Path(label_map(name, objects())["source_path"]).read_bytes()
    broken = tmp_path / "broken.tif"
    text = tmp_path / "text.tif"
    text.write_text("not a TIFF at all")
    broken.write_bytes(whole[: len(whole) // 2])
    cases = [
        (label_map(name, objects()[:-1]), "is not that of image"),
        (label_map(name, objects().astype(np.float32) / 2), "which is no label"),
        (label_map(name, np.stack([objects()] * 2), "CYX"), "2 channels, a label map has one"),
        (label_map(name, -objects().astype(np.int32)), "is negative"),
        (named(name, broken), "damaged or cut short|is cut short"),
        (named(name, text), "it has no column 'shape'"),
    ]
    for bad, message in cases:
        with pytest.raises(UserError, match=message):
            import_rois([fine, bad])
        assert rois_of(lab, images[0]) == []


def test_a_failure_half_way_takes_back_what_was_saved_and_says_where(
    lab: Lab, import_rois, label_map, monkeypatch, tmp_path: Path
):
    monkeypatch.setattr(omero_rois, "BATCH", 2)
    images = [lab.image(name, objects()) for name in ("a", "b")]
    files = [label_map(f"Image_{image}_{name}", objects()) for image, name in zip(images, "ab", strict=True)]
    import_rois(files[:1])
    before = {roi.id.val for roi in rois_of(lab, images[0])}

    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, omero_rois, "_roi", 7, refuse)
    with pytest.raises(UserError, match="refused"):
        import_rois(files)
    assert {roi.id.val for roi in rois_of(lab, images[0])} == before
    assert rois_of(lab, images[1]) == []
    rows = read_rows(tmp_path / "out.tsv")
    assert [row["status"] for row in rows] == ["taken back", "failed: refused"]


def test_a_broken_connection_is_mended_by_a_rerun(lab: Lab, import_rois, label_map, monkeypatch, proxy: CuttingProxy):
    monkeypatch.setattr(omero_rois, "BATCH", 2)
    image = lab.image("a", objects())
    file = label_map(f"Image_{image}_a", objects())
    import_rois([file])
    with monkeypatch.context() as patch:
        fail_at(patch, omero_rois, "_roi", 4, proxy.cut)
        with pytest.raises(UserError, match="the connection broke"):
            import_rois([file], omero_host=proxy.address)
    assert len(rois_of(lab, image)) >= 4  # the old set is still there
    import_rois([file])
    assert len(rois_of(lab, image)) == 4
    np.testing.assert_array_equal(drawn(lab, image, (40, 50)), objects())


def test_many_objects_are_saved_in_batches(lab: Lab, import_rois, label_map, monkeypatch):
    labels = np.zeros((60, 60), np.int32)
    labels[::2, ::2] = np.arange(1, 901).reshape(30, 30)
    image = lab.image("many", labels.astype(np.uint16))
    monkeypatch.setattr(omero_rois, "BATCH", 400)
    calls = []
    original = omero_rois.MadeObjects.add
    monkeypatch.setattr(omero_rois.MadeObjects, "add", lambda *a: calls.append(a) or original(*a))
    _, rois = import_rois([label_map(f"Image_{image}_many", labels)])
    assert len(rois) == 900
    assert len(calls) == 2 + 3  # the first with its mark, then batches
    np.testing.assert_array_equal(drawn(lab, image, labels.shape), labels)


def test_the_name_of_the_rois_must_not_be_empty(lab: Lab, import_rois, label_map):
    image = lab.image("a", objects())
    with pytest.raises(UserError, match="name of the ROIs: empty"):
        import_rois([label_map(f"Image_{image}_a", objects())], roi_name="  ")
    with pytest.raises(UserError, match="input list: it holds no file"):
        import_rois([])

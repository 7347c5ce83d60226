import time
import uuid
from pathlib import Path

import numpy as np
import omero_export_labels
import omero_import_labels
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.files import imports as omero_imports
from bioimage_suite.omero.files import original_files
from bioimage_suite.omero.rois import label_import
from bioimage_suite.omero.rois import labels as omero_labels
from bioimage_suite.omero.rois.labels import labels_namespace
from bioimage_suite.omero.waiting import PixelsWait
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, named, read_rows, typed

PLANE = np.zeros((40, 50), np.uint8)
ELSEWHERE: dict = {"by": "name", "dataset": "label maps", "project": "", "create": True}


@pytest.fixture
def import_labels(lab: Lab, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(label_maps: list[dict], **config) -> list[dict[str, str]]:
        values = {"label_maps": label_maps, "match": {"source": "identifier"}, "labels_name": "nuclei"}
        values |= {"place": {"by": "source"}, "dry_run": False}
        return read_rows(lab.run(omero_import_labels, tmp_path, {"output": "out.tsv"}, **(values | config))["output"])

    return run


@pytest.fixture
def export_labels(lab: Lab, tmp_path: Path):
    def run(target: dict, **config) -> tuple[dict[str, np.ndarray], list[dict[str, str]]]:
        values = {"target": target, "labels_name": "nuclei", "missing": "skip"} | config
        outputs = {"folder": f"labels-{uuid.uuid4().hex}", "output": "labels.tsv"}
        paths = lab.run(omero_export_labels, tmp_path, outputs, **values)
        return {path.name: tifffile.imread(path) for path in paths["folder"].iterdir()}, read_rows(paths["output"])

    return run


@pytest.fixture
def label_map(tmp_path: Path):
    def make(identifier: str, labels: np.ndarray, axes: str = "YX") -> dict[str, str]:
        path = tmp_path / f"{uuid.uuid4().hex}.ome.tif"
        tifffile.imwrite(path, labels, metadata={"axes": axes}, ome=True)
        return named(identifier, path)

    return make


def random_labels(shape: tuple[int, ...], dtype: str, largest: int | None = None) -> np.ndarray:
    high = np.iinfo(dtype).max if largest is None else largest
    labels = np.random.default_rng(3).integers(0, high, shape, dtype, endpoint=True)
    labels.flat[-1] = high
    return labels


def counts(lab: Lab) -> list[int]:
    models = ("Image", "Fileset", "MapAnnotation", "Dataset", "Project", "DatasetImageLink")
    return [lab.rows(f"select count(o) from {model} o")[0][0] for model in models]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32"])
@pytest.mark.parametrize("axes", ["TZYX", "ZTYX"])
def test_3d_labels_come_back_without_a_changed_pixel(lab: Lab, import_labels, export_labels, label_map, dtype, axes):
    shape = {"T": 2, "Z": 3, "Y": 40, "X": 50}
    labels = random_labels(tuple(shape[axis] for axis in axes), dtype)
    dataset = lab.container("Dataset", "d")
    image = lab.image("stack", {(z, 0, t): PLANE for z in range(3) for t in range(2)}, dataset)
    [row] = import_labels([label_map(f"Image_{image}_stack", labels, axes)])
    assert (row["image_id"], row["dataset_id"], row["status"]) == (str(image), str(dataset), "imported")
    assert (row["pixel_type"], row["largest_label"]) == (dtype, str(np.iinfo(dtype).max))
    files, [row] = export_labels(typed("dataset", "d"))
    [(name, found)] = files.items()
    assert name == f"Image_{image}_stack.ome.tiff"
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, labels if axes == "TZYX" else labels.swapaxes(0, 1))
    assert (row["image_id"], row["image"], row["status"]) == (str(image), f"Image_{image}_stack", "exported")


def test_omero_itself_has_the_same_pixels_and_the_sources_physical_sizes(
    lab: Lab, import_labels, label_map, monkeypatch
):
    monkeypatch.setattr(label_import, "TILE", 16)
    labels = random_labels((40, 50), "int32")
    image = lab.image("a", PLANE, lab.container("Dataset", "d"))
    [row] = import_labels([label_map(f"Image_{image}_a", labels)])
    query = f"select p from Pixels p where p.image.id = {row['label_image_id']}"
    pixels = lab.session.getQueryService().findByQuery(query, None)
    store = lab.session.createRawPixelsStore()
    PixelsWait(time.sleep).until_ready(lambda: store.setPixelsId(pixels.id.val, False), "labels")
    np.testing.assert_array_equal(np.frombuffer(store.getPlane(0, 0, 0), ">i4").reshape(40, 50), labels)
    store.close()
    assert (pixels.physicalSizeX.getValue(), pixels.physicalSizeX.getSymbol()) == (0.25, "µm")
    assert row["label_image_name"] == "a [nuclei]"
    assert lab.rows(f"select i.name from Image i where i.id = {row['label_image_id']}") == [["a [nuclei]"]]


def test_the_convention_is_written_on_the_label_image(lab: Lab, import_labels, label_map):
    image = lab.image("a", PLANE, lab.container("Dataset", "d"))
    [row] = import_labels([label_map(f"Image_{image}_a", PLANE)], labels_name="cells")
    pairs = "select m.ns, v.name, v.value from ImageAnnotationLink l, MapAnnotation m join m.mapValue v "
    found = lab.rows(f"{pairs} where l.child.id = m.id and l.parent.id = {row['label_image_id']}")
    assert {namespace for namespace, _, _ in found} == {"github.com/bioimage-suite-galaxy/labels/cells"}
    assert {tuple(one[1:]) for one in found} >= {("source image id", str(image)), ("source image name", "a")}


@pytest.mark.parametrize(("largest", "expected"), [(7, "int32"), (2**31, "uint32")])
def test_64_bit_labels_become_the_type_that_holds_them(lab: Lab, import_labels, tmp_path: Path, largest, expected):
    labels = random_labels((40, 50), "int64", largest)
    tifffile.imwrite(tmp_path / "x.tif", labels, metadata={"axes": "YX"})
    image = lab.image("a", PLANE, lab.container("Dataset", "d"))
    [row] = import_labels([named(f"Image_{image}_a", tmp_path / "x.tif")])
    assert (row["pixel_type"], row["largest_label"]) == (expected, str(largest))
    tifffile.imwrite(tmp_path / "y.tif", random_labels((40, 50), "int64", 2**32), metadata={"axes": "YX"})
    with pytest.raises(UserError, match=r"label 4294967296 is 2\^32 or more"):
        import_labels([named(f"Image_{image}_a", tmp_path / "y.tif")])


def test_a_rerun_leaves_the_same_alone_and_replaces_what_changed(lab: Lab, import_labels, export_labels, label_map):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, PLANE, dataset) for name in "ab"]
    files = [label_map(f"Image_{image}", PLANE + number) for number, image in enumerate(images)]
    first = import_labels(files)
    before = counts(lab)
    again = import_labels(files)
    assert [row["status"] for row in again] == ["unchanged", "unchanged"]
    assert [row["label_image_id"] for row in again] == [row["label_image_id"] for row in first]
    assert counts(lab) == before
    changed = import_labels([files[0], label_map(f"Image_{images[1]}", PLANE + 9)])
    assert [(row["status"], row["replaced_count"]) for row in changed] == [("unchanged", "0"), ("imported", "1")]
    assert counts(lab) == before
    found, _ = export_labels(typed("dataset", "d"))
    assert {int(labels.max()) for labels in found.values()} == {0, 9}


def test_sets_and_users_do_not_touch_each_other(lab: Lab, import_labels, export_labels, label_map):
    image = lab.image("a", PLANE, lab.container("Dataset", "d"))
    import_labels([label_map(f"Image_{image}", PLANE + 1)])
    import_labels([label_map(f"Image_{image}", PLANE + 2)], labels_name="cells")
    lab.colleague().sign_in()
    [row] = import_labels([label_map(f"Image_{image}", PLANE + 3)])
    assert row["replaced_count"] == "0"
    assert export_labels(typed("image", image, "id"))[0][f"Image_{image}_a.ome.tiff"].max() == 3
    lab.sign_in()  # Each gets their own.
    assert export_labels(typed("image", image, "id"))[0][f"Image_{image}_a.ome.tiff"].max() == 1
    assert export_labels(typed("image", image, "id"), labels_name="cells")[0][f"Image_{image}_a.ome.tiff"].max() == 2


def test_label_maps_may_stand_in_a_dataset_of_their_own(lab: Lab, import_labels, export_labels, label_map):
    image = lab.image("a", PLANE)  # in no dataset
    with pytest.raises(UserError, match=f"image {image} 'a': it stands in no dataset"):
        import_labels([label_map(f"Image_{image}", PLANE)])
    rows = [import_labels([label_map(f"Image_{image}", PLANE)], place=ELSEWHERE)[0] for _ in range(2)]
    assert [row["status"] for row in rows] == ["imported", "unchanged"]
    where = f"select l.parent.name from DatasetImageLink l where l.child.id = {rows[0]['label_image_id']}"
    assert lab.rows(where) == [["label maps"]]
    assert len(export_labels(typed("image", image, "id"))[0]) == 1


def test_images_without_labels_are_skipped_or_refused(lab: Lab, import_labels, export_labels, label_map):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, PLANE, dataset) for name in "ab"]
    with pytest.raises(UserError, match=f"image {images[0]} 'a' and 1 more: no label map 'nuclei'"):
        export_labels(typed("dataset", "d"))
    import_labels([label_map(f"Image_{images[0]}", PLANE)])
    files, rows = export_labels(typed("dataset", "d"))
    assert list(files) == [f"Image_{images[0]}_a.ome.tiff"]
    # The label image in the same dataset is no source.
    assert [(row["image_id"], row["status"]) for row in rows] == [
        (str(images[0]), "exported"),
        (str(images[1]), "no label map"),
    ]
    with pytest.raises(UserError, match=f"image {images[1]} 'b': no label map"):
        export_labels(typed("dataset", "d"), missing="refuse")
    [[label_image]] = lab.rows("select i.id from Image i where i.name = 'a [nuclei]'")
    with pytest.raises(UserError, match="all of these are label maps themselves"):
        export_labels(typed("image", label_image, "id"))


def test_bad_input_is_refused_before_any_change(lab: Lab, import_labels, export_labels, label_map):
    image = lab.image("a", PLANE, lab.container("Dataset", "d"))
    before = counts(lab)
    fine = label_map(f"Image_{image}", PLANE)
    cases = [
        ({"label_maps": [label_map(f"Image_{image}", PLANE[1:])]}, "is not that of image"),
        ({"label_maps": [label_map(f"Image_{image}", PLANE.astype(np.float32) + 0.5)]}, "which is no label"),
        ({"label_maps": [fine], "labels_name": " "}, "name of the labels: empty"),
        ({"label_maps": [fine], "place": ELSEWHERE | {"create": False}}, "dataset 'label maps': there is none"),
    ]
    for config, message in cases:
        with pytest.raises(UserError, match=message):
            import_labels(**config)
    with pytest.raises(UserError, match="name of the labels: empty"):
        export_labels(typed("dataset", "d"), labels_name="")
    [row] = import_labels([fine], dry_run=True, place=ELSEWHERE)
    assert (row["status"], row["label_image_id"]) == ("would import", "")
    assert counts(lab) == before


@pytest.mark.parametrize("name", ["make_mark", "import_fileset"])
def test_a_failure_half_way_leaves_the_old_label_maps(
    lab: Lab, import_labels, export_labels, label_map, monkeypatch, name, tmp_path: Path
):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, PLANE, dataset) for name in "ab"]
    import_labels([label_map(f"Image_{image}", PLANE + 1) for image in images])
    before = counts(lab)

    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, label_import, name, 2, refuse)
    with pytest.raises(UserError, match="refused"):
        import_labels([label_map(f"Image_{image}", PLANE + 2) for image in images], place=ELSEWHERE)
    assert counts(lab) == before
    statuses = [(row["image_id"], row["status"]) for row in read_rows(tmp_path / "out.tsv")]
    assert statuses == [(str(images[0]), "taken back"), (str(images[1]), "failed: refused")]
    assert {int(labels.max()) for labels in export_labels(typed("dataset", "d"))[0].values()} == {1}


def test_a_broken_connection_is_mended_by_a_rerun(
    lab: Lab, import_labels, export_labels, label_map, monkeypatch, proxy: CuttingProxy
):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, PLANE, dataset) for name in "ab"]
    files = [label_map(f"Image_{image}", PLANE + image % 250) for image in images]
    with monkeypatch.context() as patch:
        fail_at(patch, omero_imports, "_upload", 2, proxy.cut)
        with pytest.raises(UserError, match="the connection broke"):
            import_labels(files, omero_host=proxy.address)
    assert [row["status"] for row in import_labels(files)] == ["unchanged", "imported"]
    assert len(export_labels(typed("dataset", "d"))[0]) == 2


def test_a_damaged_download_leaves_no_file(lab: Lab, import_labels, export_labels, label_map, monkeypatch, tmp_path):
    image = lab.image("a", PLANE, lab.container("Dataset", "d"))
    import_labels([label_map(f"Image_{image}", PLANE)])
    monkeypatch.setattr(original_files, "BLOCK", 100)
    assert len(export_labels(typed("dataset", "d"))[0]) == 1  # in blocks
    [[file]] = lab.rows("select o.id from OriginalFile o where o.name like '%nuclei.ome.tiff'")
    original = omero_labels._label_image
    monkeypatch.setattr(omero_labels, "_label_image", lambda row: original([*row[:8], "0" * 40, "SHA1-160"]))
    assert file
    with pytest.raises(UserError, match="OMERO's file is damaged"):
        export_labels(typed("dataset", "d"))
    folders = [path for path in tmp_path.iterdir() if path.name.startswith("labels-") and path.is_dir()]
    assert [len(list(folder.iterdir())) for folder in folders] == [1]  # that of the first export alone
    assert labels_namespace("nuclei").endswith("/labels/nuclei")

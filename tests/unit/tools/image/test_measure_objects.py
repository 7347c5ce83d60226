"""measure_objects: every column equals skimage.measure.regionprops; sizes, units and empty maps are right."""

import csv
from pathlib import Path

import measure_objects
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model import bands
from bioimage_suite.measurement import object_scan

DATA = Path(__file__).parents[4] / "test-data"
SAME = {
    "area_px": "area", "bbox_min_y_px": "bbox-0", "bbox_min_x_px": "bbox-1", "bbox_max_y_px": "bbox-2",
    "bbox_max_x_px": "bbox-3", "convex_area_px": "area_convex",
}  # fmt: skip
CLOSE = {
    "centroid_y_px": "centroid-0", "centroid_x_px": "centroid-1", "equivalent_diameter_px": "equivalent_diameter_area",
    "major_axis_px": "axis_major_length", "minor_axis_px": "axis_minor_length", "eccentricity": "eccentricity",
    "orientation_rad": "orientation", "solidity": "solidity", "perimeter_px": "perimeter",
    "perimeter_crofton_px": "perimeter_crofton",
}  # fmt: skip


def measure(tmp_path: Path, labels: Path, image: Path | None = None, *more: str) -> list[dict[str, str]]:
    words = ["--labels", str(labels), "--output", str(tmp_path / "table.tsv"), *more]
    measure_objects.main(words + (["--image", str(image)] if image else []))
    with (tmp_path / "table.tsv").open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def assert_equals_regionprops(rows, labels, channels, names):
    from skimage.measure import regionprops_table

    wanted = [name.split("-")[0] for name in (*SAME.values(), *CLOSE.values())]
    properties = ["label", *dict.fromkeys(wanted), *(f"intensity_{s}" for s in ("mean", "min", "max", "std"))]
    table = regionprops_table(labels, np.stack(channels, -1).astype(float), properties=properties)
    np.testing.assert_array_equal(column(rows, "label"), table["label"])
    for ours, theirs in SAME.items():
        np.testing.assert_array_equal(column(rows, ours), table[theirs], err_msg=ours)
    for ours, theirs in CLOSE.items():
        np.testing.assert_allclose(column(rows, ours), table[theirs], rtol=1e-8, atol=1e-7, err_msg=ours)
    for c, name in enumerate(names):
        for statistic in ("mean", "std"):
            found, expected = column(rows, f"{statistic}_{name}"), table[f"intensity_{statistic}-{c}"]
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
        for statistic in ("min", "max"):
            np.testing.assert_array_equal(column(rows, f"{statistic}_{name}"), table[f"intensity_{statistic}-{c}"])


def test_real_nuclei_equal_regionprops(tmp_path):
    rows = measure(tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / "nuclei.ome.tiff")
    labels, image = tifffile.imread(DATA / "nuclei_truth.ome.tiff"), tifffile.imread(DATA / "nuclei.ome.tiff")
    assert len(rows) == 125
    assert_equals_regionprops(rows, labels, [image], ["Nuclei"])
    assert [int(row["sum_Nuclei"]) for row in rows] == [image[labels == int(row["label"])].sum() for row in rows]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 200), st.integers(1, 60)),
    count=st.integers(1, 12),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32, np.int16]),
)
def test_any_labels_equal_regionprops(tmp_path_factory, seed, shape, count, dtype):
    """Labels in several parts, with holes, on the border, over several bands, of single pixels, with gaps."""
    tmp_path = tmp_path_factory.mktemp("measure")
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, count + 1, (shape[0] // 6 + 1, shape[1] // 6 + 1)) * (rng.random() > 0.5)
    labels = np.kron(coarse, np.ones((6, 6), int))[: shape[0], : shape[1]]
    speckle = rng.random(shape) < 0.1
    labels[speckle] = rng.integers(0, count + 1, int(speckle.sum()))
    labels = (labels * 70).astype(np.int32)
    channels = [(rng.normal(0, 1, shape) * 50 + 100).astype(dtype) for _ in range(2)]
    tifffile.imwrite(tmp_path / "l.tiff", labels)
    tifffile.imwrite(
        tmp_path / "i.ome.tiff", np.stack(channels), ome=True, photometric="minisblack",
        metadata={"axes": "CYX", "Channel": {"Name": ["a b", "c"]}},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", 1)
        patch.setattr(object_scan, "TILE_ROWS", 16)
        patch.setattr(object_scan, "READ_PIXELS", 1)
        patch.setattr(object_scan, "COMPUTED_PIXELS", 1)
        rows = measure(tmp_path, tmp_path / "l.tiff", tmp_path / "i.ome.tiff")
    if not labels.any():
        assert rows == []
        return
    assert_equals_regionprops(rows, labels, channels, ["a b", "c"])


def test_units(tmp_path):
    rows = measure(tmp_path, DATA / "synthetic_labels.ome.tiff")
    assert [row["label"] for row in rows] == ["1", "2", "7"]
    np.testing.assert_allclose(column(rows, "area_um2"), column(rows, "area_px") * 0.25)
    np.testing.assert_allclose(column(rows, "centroid_x_um"), column(rows, "centroid_x_px") * 0.5)
    np.testing.assert_allclose(column(rows, "perimeter_um"), column(rows, "perimeter_px") * 0.5)
    assert "mean_Labels" not in rows[0]


def test_planes_have_their_place_in_the_table(tmp_path):
    labels = np.zeros((2, 1, 3, 64, 80), np.uint16)
    labels[:, :, :, 10:20, 10:20] = 5
    tifffile.imwrite(tmp_path / "l.ome.tiff", labels, ome=True, photometric="minisblack", metadata={"axes": "TCZYX"})
    rows = measure(tmp_path, tmp_path / "l.ome.tiff", DATA / "synthetic_tczyx.ome.tiff", "--image-name=Image_7_a\tb")
    assert [(row["t"], row["z"], row["label"]) for row in rows] == [(t, z, "5") for t in "01" for z in "012"]
    assert {row["image"] for row in rows} == {"Image_7_a b"}
    pixels = tifffile.imread(DATA / "synthetic_tczyx.ome.tiff")
    assert float(rows[4]["mean_GFP & <friends>"]) == pytest.approx(pixels[1, 1, 1, 10:20, 10:20].mean())


def test_no_objects_give_a_header_only(tmp_path):
    rows = measure(tmp_path, DATA / "synthetic_zero.ome.tiff", DATA / "synthetic_zero.ome.tiff")
    header = (tmp_path / "table.tsv").read_text()
    assert rows == []
    assert header.startswith("image\tlabel\t")
    assert "mean_DAPI" in header
    assert header.count("\n") == 1


def test_pixels_that_are_not_square_are_said(tmp_path, capsys):
    labels = np.zeros((20, 20), np.uint16)
    labels[5:9, 5:15] = 1
    for height, said in ((0.5, False), (1.0, True)):
        metadata = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": height, "PhysicalSizeYUnit": "µm"}
        tifffile.imwrite(tmp_path / "l.ome.tiff", labels, metadata=metadata)
        measure(tmp_path, tmp_path / "l.ome.tiff")
        assert ("its pixels are not square (0.5 x 1 µm)" in capsys.readouterr().out) == said


def test_one_pixel(tmp_path):
    labels = np.zeros((5, 5), np.uint16)
    labels[0, 4] = 65_535
    tifffile.imwrite(tmp_path / "l.tiff", labels)
    (row,) = measure(tmp_path, tmp_path / "l.tiff")
    assert (row["label"], row["area_px"], row["perimeter_px"], row["eccentricity"]) == ("65535", "1", "0.0", "0.0")
    assert (row["circularity"], row["feret_max_px"]) == ("1.0", "1.0")


@pytest.mark.parametrize(
    ("labels", "image", "message"),
    [
        ("nuclei_truth.ome.tiff", "nuclei_upper_left.ome.tiff", "Give the label map that was made"),
        ("synthetic_tczyx.ome.tiff", "synthetic_tczyx.ome.tiff", "2 channels"),
        ("truncated.tiff", "nuclei.ome.tiff", "cut short"),
        ("nuclei_truth.ome.tiff", "not_an_image.tiff", "not an image"),
    ],
)
def test_bad_input_is_refused(tmp_path, labels, image, message):
    with pytest.raises(UserError, match=message):
        measure(tmp_path, DATA / labels, DATA / image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pixels", "message"),
    [(np.full((9, 9), 0.5, np.float32), "0.5, which is no label"), (-np.ones((9, 9), np.int32), "negative")],
)
def test_bad_labels_are_refused(tmp_path, pixels, message):
    tifffile.imwrite(tmp_path / "l.tiff", pixels)
    with pytest.raises(UserError, match=message):
        measure(tmp_path, tmp_path / "l.tiff")

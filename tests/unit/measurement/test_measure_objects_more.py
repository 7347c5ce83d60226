"""measure_objects: 3D, texture, neighbours, children, summary: each against scikit-image, scipy or plain counting."""

import csv
import itertools
from pathlib import Path

import measure_objects
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.measurement import object_scan, object_texture
from bioimage_suite.measurement.object_texture import TextureOptions
from bioimage_suite.segmentation import foreground_mask

DATA = Path(__file__).parents[3] / "test-data"


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def measure(tmp_path: Path, labels: Path, image: Path | None = None, *more: str) -> list[dict[str, str]]:
    words = ["--labels", str(labels), "--output", str(tmp_path / "table.tsv"), *more]
    measure_objects.main(words + (["--image", str(image)] if image else []))
    return read_table(tmp_path / "table.tsv")


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name] or "nan") for row in rows])


def write(path: Path, pixels: np.ndarray, axes: str, **metadata: object) -> Path:
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": axes, **metadata})
    return path


def random_labels(seed: int, shape: tuple[int, ...], count: int = 6) -> np.ndarray:
    """Blocks of labels that touch, with speckle, gaps and single pixels."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, count + 1, tuple(size // 4 + 1 for size in shape))
    labels = np.kron(coarse, np.ones((4,) * len(shape), int))[tuple(slice(0, size) for size in shape)]
    speckle = rng.random(shape) < 0.05
    labels[speckle] = rng.integers(0, count + 1, int(speckle.sum()))
    return (labels * 11).astype(np.uint16)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(2, 7), st.integers(1, 80), st.integers(1, 14)),
    z_step=st.sampled_from([1.0, 2.0, 3.5]),
)
def test_volumes_equal_regionprops(tmp_path_factory, seed, shape, z_step):
    from scipy.spatial import ConvexHull
    from skimage.measure import marching_cubes, mesh_surface_area, regionprops

    tmp_path = tmp_path_factory.mktemp("volume")
    labels = random_labels(seed, shape)
    values = np.random.default_rng(seed).integers(0, 5000, shape).astype(np.uint16)
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 0.5 * z_step}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreground_mask, "BAND_PIXELS", 1)
        patch.setattr(object_scan, "TILE_ROWS", 16)
        patch.setattr(object_scan, "READ_PIXELS", 1)
        patch.setattr(object_scan, "COMPUTED_PIXELS", 1)
        rows = measure(
            tmp_path, write(tmp_path / "l.ome.tiff", labels, "ZYX", **sizes),
            write(tmp_path / "i.ome.tiff", values, "ZYX", Channel={"Name": ["A"]}), "--volume",
        )  # fmt: skip
    props = regionprops(labels, values, spacing=(z_step, 1, 1))
    assert [int(row["label"]) for row in rows] == [prop.label for prop in props]
    for row, prop in zip(rows, props, strict=True):
        numbers = {name: float(text) for name, text in row.items() if name != "image" and text}
        assert numbers["volume_voxels"] == len(prop.coords)
        assert numbers["volume_um3"] == pytest.approx(prop.area * 0.125)
        np.testing.assert_array_equal(
            [numbers[f"bbox_{end}_{a}_px"] for end in ("min", "max") for a in "zyx"], prop.bbox
        )
        centre = [numbers["centroid_z_px"] * z_step, numbers["centroid_y_px"], numbers["centroid_x_px"]]
        np.testing.assert_allclose(centre, prop.centroid, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose([numbers[f"centroid_{a}_um"] for a in "zyx"], np.multiply(prop.centroid, 0.5))
        assert numbers["equivalent_diameter_px"] == pytest.approx(prop.equivalent_diameter_area)
        assert numbers["major_axis_px"] == pytest.approx(prop.axis_major_length, abs=1e-6)
        assert numbers["minor_axis_px"] == pytest.approx(prop.axis_minor_length, abs=1e-5)
        inside = np.pad(prop.image, 1).astype(float)
        area = mesh_surface_area(*marching_cubes(inside, 0.5, spacing=(z_step, 1, 1))[:2])
        assert numbers["surface_area_px2"] == pytest.approx(area, rel=1e-5)
        corners = prop.coords[:, None] + np.array(list(itertools.product((0, 1), repeat=3)))
        assert numbers["convex_volume_voxels"] == pytest.approx(ConvexHull(corners.reshape(-1, 3)).volume)
        assert numbers["solidity"] <= 1 + 1e-9
        assert (numbers["mean_A"], numbers["max_A"]) == (pytest.approx(prop.intensity_mean), prop.intensity_max)
        assert numbers["std_A"] == pytest.approx(prop.intensity_std, abs=1e-9)


def test_a_ball_is_round_and_a_rod_is_not(tmp_path):
    z, y, x = np.indices((41, 41, 41)) - 20
    labels = (z**2 + y**2 + x**2 <= 15**2).astype(np.uint16)
    labels[0:2, 0:2, :] = 2
    ball, rod = measure(tmp_path, write(tmp_path / "l.ome.tiff", labels, "ZYX"), None, "--volume")
    assert float(ball["sphericity"]) == pytest.approx(0.92, abs=0.01)  # steps make the surface 8 % too large
    assert float(ball["major_axis_px"]) == pytest.approx(30, abs=0.5)
    assert float(rod["sphericity"]) < 0.7
    assert "volume_um3" not in ball


def test_volumes_keep_time_points_apart(tmp_path):
    labels = np.zeros((2, 3, 20, 20), np.uint16)
    labels[0, :, 5:9, 5:9], labels[1, 1, 5:9, 5:9] = 1, 1
    rows = measure(tmp_path, write(tmp_path / "l.ome.tiff", labels, "TZYX"), None, "--volume")
    assert [(row["t"], row["volume_voxels"]) for row in rows] == [("0", "48"), ("1", "16")]
    assert "z" not in rows[0]


SKIMAGE_NAMES = {"contrast": "contrast", "correlation": "correlation", "energy": "ASM", "homogeneity": "homogeneity",
                 "variance": "variance"}  # fmt: skip


def test_texture_equals_scikit_images_cooccurrence(tmp_path):
    """One rectangle, so that scikit-image's matrices, which know no mask, are the object's."""
    from skimage.feature import graycomatrix, graycoprops

    image = tifffile.imread(DATA / "nuclei.ome.tiff")[100:160, 200:280]
    labels = np.zeros_like(image)
    labels[5:50, 10:60] = 3
    write(tmp_path / "i.ome.tiff", image, "YX", Channel={"Name": ["N"]})
    write(tmp_path / "l.ome.tiff", labels, "YX")
    (row,) = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", "--texture-channels=N",
                     "--texture-levels=16")  # fmt: skip
    low, high = int(image.min()), int(image.max())
    levels = np.minimum((image - float(low)) * 16 // (high - low), 15).astype(np.uint8)[5:50, 10:60]
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrices = graycomatrix(levels, [1], angles, levels=16, symmetric=True, normed=True)
    for ours, theirs in SKIMAGE_NAMES.items():
        expected = graycoprops(matrices, theirs).mean()
        assert float(row[f"haralick_{ours}_N"]) == pytest.approx(expected), ours
    assert float(row["haralick_entropy_N"]) == pytest.approx(graycoprops(matrices, "entropy").mean() / np.log(2))


def plain_features(p: np.ndarray) -> dict[str, float]:
    """The paper's sums, written out."""
    size = len(p)
    cells = [(i, j, p[i, j]) for i in range(size) for j in range(size)]
    margin = p.sum(axis=1)

    def entropy(values):
        return -sum(v * np.log2(v) for v in values if v > 0)

    plus = [sum(v for i, j, v in cells if i + j == k) for k in range(2 * size - 1)]
    minus = [sum(v for i, j, v in cells if abs(i - j) == k) for k in range(size)]
    plus_mean, minus_mean = (sum(k * v for k, v in enumerate(one)) for one in (plus, minus))
    h, hx = entropy(p.ravel()), entropy(margin)
    h1 = -sum(v * np.log2(margin[i] * margin[j]) for i, j, v in cells if v > 0)
    h2 = entropy(np.outer(margin, margin).ravel())
    return {
        "sum_average": plus_mean,
        "sum_variance": sum((k - plus_mean) ** 2 * v for k, v in enumerate(plus)),
        "sum_entropy": entropy(plus),
        "difference_variance": sum((k - minus_mean) ** 2 * v for k, v in enumerate(minus)),
        "difference_entropy": entropy(minus),
        "information_1": (h - h1) / hx,
        "information_2": np.sqrt(1 - np.exp(-2 * (h2 - h))),
    }


def test_haralick_features_are_the_papers_sums():
    rng = np.random.default_rng(0)
    p = rng.random((5, 5)) * (rng.random((5, 5)) < 0.7)
    p = (p + p.T) / (p + p.T).sum()
    found = object_texture.haralick_features(p[None])
    for name, value in plain_features(p).items():
        assert found[name][0] == pytest.approx(value), name
    assert len(found) == 13


@pytest.mark.parametrize("shape", [(1, 12, 9), (4, 9, 8)])
@pytest.mark.parametrize("distance", [1, 2])
def test_pairs_of_pixels_are_those_of_one_object(shape, distance):
    labels = random_labels(3, shape)
    grey = np.random.default_rng(4).integers(0, 6, shape).astype(np.uint8)
    label = int(labels.max())
    box = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(labels == label))
    options = TextureOptions(distance, 6)
    contrasts = []
    for step in object_texture.directions(shape[0] > 1):
        pairs = []
        for at in zip(*np.nonzero(labels == label), strict=True):
            to = tuple(np.add(at, np.multiply(step, distance)))
            if all(0 <= a < size for a, size in zip(to, shape, strict=True)) and labels[to] == label:
                pairs.append((int(grey[at]) - int(grey[to])) ** 2)
        if pairs:
            contrasts.append(np.mean(pairs))
    found = object_texture.textures(labels, grey, [(label, box)], options)
    assert found["contrast"][0] == pytest.approx(np.mean(contrasts))


def test_texture_of_a_pixel_is_empty_and_of_a_flat_object_defined(tmp_path):
    labels = np.zeros((20, 20), np.uint16)
    labels[2, 2], labels[5:9, 5:9] = 1, 2
    write(tmp_path / "l.ome.tiff", labels, "YX")
    image = write(tmp_path / "i.ome.tiff", np.full((20, 20), 7, np.uint8), "YX", Channel={"Name": ["A"]})
    pixel, flat = measure(tmp_path, tmp_path / "l.ome.tiff", image, "--texture-channels=all")
    assert pixel["haralick_contrast_A"] == ""
    assert (flat["haralick_contrast_A"], flat["haralick_correlation_A"], flat["haralick_energy_A"]) == (
        "0.0",
        "1.0",
        "1.0",
    )


def test_texture_range_is_the_given_one(tmp_path):
    labels = np.ones((8, 8), np.uint8)
    image = np.tile(np.array([0, 100], np.uint8), (8, 4))
    write(tmp_path / "l.ome.tiff", labels, "YX")
    write(tmp_path / "i.ome.tiff", image, "YX", Channel={"Name": ["A"]})
    options = ["--texture-channels=A", "--texture-levels=4"]
    (own,) = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", *options)
    (wide,) = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", *options, "--texture-high=400")
    assert float(own["haralick_contrast_A"]) > float(wide["haralick_contrast_A"]) > 0


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), depth=st.sampled_from([1, 4]), within=st.floats(1, 30))
def test_neighbours_by_plain_counting(tmp_path_factory, seed, depth, within):
    tmp_path = tmp_path_factory.mktemp("neighbours")
    labels = random_labels(seed, (depth, 90, 12), 9)
    write(tmp_path / "l.ome.tiff", labels, "ZYX")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreground_mask, "BAND_PIXELS", 1)
        patch.setattr(object_scan, "TILE_ROWS", 16)
        patch.setattr(object_scan, "READ_PIXELS", 1)
        patch.setattr(object_scan, "COMPUTED_PIXELS", 1)
        rows = measure(tmp_path, tmp_path / "l.ome.tiff", None, "--volume", f"--neighbours-within={within}")
    names = [int(row["label"]) for row in rows]
    contacts = set()
    for axis in range(3):
        one, other = (np.delete(labels, at, axis).ravel() for at in (-1, 0))
        contacts |= {(int(a), int(b)) for a, b in zip(one, other, strict=True) if a != b and a and b}
    contacts |= {(b, a) for a, b in contacts}
    z = column(rows, "centroid_z_px") if depth > 1 else np.zeros(len(rows))
    points = np.stack([z, column(rows, "centroid_y_px"), column(rows, "centroid_x_px")], 1)
    for i, row in enumerate(rows):
        assert int(row["neighbours_touching"]) == sum(a == names[i] for a, _ in contacts)
        away = np.delete(np.linalg.norm(points - points[i], axis=1), i)
        assert int(row[f"neighbours_within_{within:g}px"]) == (away <= within).sum()
        if len(away):
            assert float(row["nearest_neighbour_px"]) == pytest.approx(away.min())
            nearest = names.index(int(float(row["nearest_neighbour_label"])))
            assert np.linalg.norm(points[nearest] - points[i]) == pytest.approx(away.min())


def test_an_only_object_has_no_neighbours(tmp_path):
    labels = np.zeros((20, 20), np.uint16)
    labels[2:5, 2:5] = 4
    (row,) = measure(tmp_path, write(tmp_path / "l.ome.tiff", labels, "YX"), None, "--neighbours-within=50")
    names = ("neighbours_touching", "nearest_neighbour_label", "nearest_neighbour_px", "neighbours_within_50px")
    assert [row[name] for name in names] == ["0", "", "", "0"]


@pytest.mark.parametrize("volume", [False, True])
def test_children_belong_to_the_parent_with_most_of_their_pixels(tmp_path, volume):
    cells = np.zeros((2, 30, 40), np.uint16)
    cells[:, 5:25, 2:20], cells[:, 5:25, 20:38] = 5, 9
    spots = np.zeros_like(cells)
    spots[:, 6:8, 4:6] = 1  # in 5
    spots[:, 10:12, 18:21] = 2  # two columns in 5, one in 9
    spots[:, 15:17, 30:32] = 3  # in 9
    spots[:, 0:2, 0:2] = 4  # outside
    spots[:, 24:28, 30:31] = 6  # one row of four in 9, the others outside
    for name, pixels in (("cells", cells), ("spots", spots)):
        write(tmp_path / f"{name}.ome.tiff", pixels, "ZYX")
    options = ["--children", str(tmp_path / "spots.ome.tiff"), f"--output-children={tmp_path / 'c.tsv'}"]
    rows = measure(tmp_path, tmp_path / "cells.ome.tiff", None, *options, *(["--volume"] if volume else []))
    unit, factor = ("volume_voxels", 2) if volume else ("area_px", 1)
    assert [(row["label"], row["spots_count"], row[f"spots_{unit}"]) for row in rows][:2] == [
        ("5", "2", str(10 * factor)), ("9", "2", str(8 * factor)),
    ]  # fmt: skip
    children = read_table(tmp_path / "c.tsv")[:5]
    assert [(row["children"], row["label"], row["parent_label"]) for row in children] == [
        ("spots", "1", "5"), ("spots", "2", "5"), ("spots", "3", "9"), ("spots", "4", ""), ("spots", "6", "9"),
    ]  # fmt: skip
    assert [int(row[f"inside_parent_{unit}"]) for row in children] == [n * factor for n in (4, 4, 4, 0, 1)]


def test_summary_is_one_row_for_the_image(tmp_path):
    rows = measure(
        tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / "nuclei.ome.tiff", f"--output-summary={tmp_path / 's.tsv'}"
    )
    (summary,) = read_table(tmp_path / "s.tsv")
    area = column(rows, "area_px")
    assert (summary["image"], summary["objects"], summary["sum_of_area_px"]) == (
        "nuclei.ome.tiff",
        "125",
        str(int(area.sum())),
    )
    assert float(summary["mean_of_area_px"]) == pytest.approx(area.mean())
    assert float(summary["median_of_mean_Nuclei"]) == pytest.approx(np.median(column(rows, "mean_Nuclei")))
    assert float(summary["std_of_solidity"]) == pytest.approx(column(rows, "solidity").std())
    assert float(summary["foreground_fraction"]) == pytest.approx(area.sum() / 512**2)
    assert not any("centroid" in name or "bbox" in name for name in summary)


def test_nothing_in_the_image_gives_headers_and_a_summary_of_zero(tmp_path):
    options = [f"--output-summary={tmp_path / 's.tsv'}", "--texture-channels=all", "--neighbours-within=9", "--volume",
               "--children", str(DATA / "synthetic_zero.ome.tiff"), "--children-name=spots",
               f"--output-children={tmp_path / 'c.tsv'}"]  # fmt: skip
    zero = DATA / "synthetic_zero.ome.tiff"
    assert measure(tmp_path, zero, zero, *options) == read_table(tmp_path / "c.tsv") == []
    (summary,) = read_table(tmp_path / "s.tsv")
    assert (summary["objects"], summary["sum_of_area_px"], summary["mean_of_area_px"]) == ("0", "0", "")
    header = (tmp_path / "table.tsv").read_text()
    assert all(name in header for name in ("haralick_contrast_DAPI", "neighbours_within_9px", "spots_count"))


def test_an_empty_volume(tmp_path):
    path = write(tmp_path / "l.ome.tiff", np.zeros((3, 9, 9), np.uint8), "ZYX")
    assert measure(tmp_path, path, path, "--volume", "--texture-channels=0", "--neighbours-within=9") == []


def test_labels_above_65535(tmp_path):
    labels = np.zeros((12, 12), np.int32)
    labels[1:3, 1:3], labels[5:8, 5:8] = 70_000, 2_000_000_000
    tifffile.imwrite(tmp_path / "l.tiff", labels)
    rows = measure(tmp_path, tmp_path / "l.tiff", None, "--neighbours-within=9")
    assert [(row["label"], row["area_px"]) for row in rows] == [("70000", "4"), ("2000000000", "9")]
    assert rows[0]["nearest_neighbour_label"] == "2000000000"


def test_standard_deviation_keeps_its_digits(tmp_path):
    image = np.full((50, 50), 65_535, np.uint16)
    image[7, 7] = 65_534
    tifffile.imwrite(tmp_path / "i.tiff", image)
    tifffile.imwrite(tmp_path / "l.tiff", np.ones((50, 50), np.uint8))
    (row,) = measure(tmp_path, tmp_path / "l.tiff", tmp_path / "i.tiff")
    assert float(row["std_channel_0"]) == pytest.approx(np.sqrt(1 / 2500 - 1 / 2500**2), rel=1e-9)


def test_nan_in_an_object_is_refused_and_outside_is_not(tmp_path):
    image = np.ones((20, 20), np.float32)
    image[3, 3] = np.nan
    labels = np.zeros((20, 20), np.uint8)
    labels[10:15, 10:15] = 1
    tifffile.imwrite(tmp_path / "i.tiff", image)
    tifffile.imwrite(tmp_path / "l.tiff", labels)
    (row,) = measure(tmp_path, tmp_path / "l.tiff", tmp_path / "i.tiff")
    assert row["mean_channel_0"] == "1.0"
    tifffile.imwrite(tmp_path / "l.tiff", np.ones((20, 20), np.uint8))
    with pytest.raises(UserError, match="NaN or infinite"):
        measure(tmp_path, tmp_path / "l.tiff", tmp_path / "i.tiff")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--texture-channels=Cy5"], "does not exist"),
        (["--texture-levels=1"], "between 2 and 256"),
        (["--texture-distance=0"], "between 1 and 100"),
        (["--texture-low=5", "--texture-high=5"], "must be less"),
        (["--neighbours-within=-1"], "above 0"),
        (["--children", "nuclei_upper_left.ome.tiff"], "Give the label map"),
        (["--children", "nuclei_truth.ome.tiff", "nuclei_truth.ome.tiff"], "name of its own"),
    ],
)
def test_bad_options_are_refused(tmp_path, options, message):
    options = [str(DATA / word) if word.endswith(".tiff") else word for word in options]
    with pytest.raises(UserError, match=message):
        measure(tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / "nuclei.ome.tiff", *options)
    assert list(tmp_path.iterdir()) == []


def test_texture_needs_an_image(tmp_path):
    with pytest.raises(UserError, match="no image was given"):
        measure(tmp_path, DATA / "nuclei_truth.ome.tiff", None, "--texture-channels=all")

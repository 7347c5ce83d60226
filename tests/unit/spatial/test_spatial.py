"""Spatial statistics: against formulas, brute force and scikit-learn; the tool as a whole; what it refuses."""

import csv

import numpy as np
import pytest
import tifffile
from analyze_spatial_pattern import main
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.spatial import window as spatial_window
from bioimage_suite.spatial.clusters import density_map, find_clusters, neighbours_within
from bioimage_suite.spatial.scenes import box_around
from bioimage_suite.spatial.statistics import (
    PatternOptions,
    Points,
    analyze,
    curves_of,
    deviation_test,
    nearest_distances,
    pair_histogram,
    pairs_within,
)
from bioimage_suite.spatial.window import Box, Region

SQUARE = Box(np.zeros(2), np.array([100.0, 80.0]))


def random_points(n, seed, classes=1, window=SQUARE):
    rng = np.random.default_rng(seed)
    return Points(window.random_points(n, rng), rng.integers(0, classes, n), classes)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.floats(0.5, 60), st.sampled_from([2, 3]))
def test_every_pair_is_found_once(seed, n, reach, dimensions):
    position = np.random.default_rng(seed).uniform(0, 100, (n, dimensions))
    found = [(i, j, d) for part in pairs_within(position, reach) for i, j, d in zip(*part, strict=True)]
    distance = np.sqrt(((position[:, None] - position[None]) ** 2).sum(axis=2))
    expected = {(i, j) for i, j in zip(*np.nonzero(distance <= reach), strict=True) if i < j}
    assert len(found) == len(expected)
    assert {(min(i, j), max(i, j)) for i, j, _ in found} == expected
    assert all(d == pytest.approx(distance[i, j]) for i, j, d in found)


def curves(points, window, correction, reach=20.0, radii=10):
    return curves_of(pair_histogram(points, window, reach, correction), points, window, reach, radii)


def test_two_points_by_hand():
    points = Points(np.array([[40.0, 40.0], [40.0, 46.0]]), np.zeros(2, int), 1)
    size = 100 * 80
    plain = curves(points, SQUARE, "none")
    assert plain.r.tolist() == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert plain.k[0, 0].tolist() == [0, 0] + [size] * 8
    assert plain.l[0, 0, 2] == pytest.approx((size / np.pi) ** 0.5)
    moved = curves(points, SQUARE, "translation")
    assert moved.k[0, 0, 2] == pytest.approx(size * 80 / (80 - 6))
    round_ = curves(points, SQUARE, "isotropic")
    assert round_.k[0, 0, 2] == pytest.approx(size)  # both circles lie within the rectangle


def test_classes_are_paired_with_each_other():
    points = Points(np.array([[40.0, 40], [40, 45], [40, 43]]), np.array([0, 0, 1]), 2)
    k = curves(points, SQUARE, "none").k
    assert k[0, 1, 0] == k[1, 0, 0] == pytest.approx(8000 / 2 * 1)  # 2 apart
    assert k[0, 1, 1] == pytest.approx(8000 / 2 * 2)  # 3 apart
    assert np.isnan(k[1, 1]).all()  # one point has no other of its class


@pytest.mark.parametrize("centre", [(0.0, 0.0), (3.0, 40.0), (50.0, 79.0), (99.0, 78.0), (50.0, 40.0)])
@pytest.mark.parametrize("radius", [1.0, 6.0, 25.0])
def test_isotropic_weight_is_the_part_of_the_circle_inside(centre, radius):
    angle = (np.arange(200_000) + 0.5) * 2 * np.pi / 200_000
    circle = np.array(centre) + radius * np.column_stack([np.sin(angle), np.cos(angle)])
    weight = SQUARE.isotropic_weights(np.array([centre]), np.array([radius]))[0]
    assert 1 / weight == pytest.approx(SQUARE.contains(circle).mean(), abs=1e-4)


def test_translation_weights_of_a_region_are_counted_pixels():
    rng = np.random.default_rng(2)
    mask = rng.random((30, 40)) < 0.6
    region = Region(mask, np.array([0.5, 2.0]))
    for dy, dx in ((0, 0), (3, 5), (-3, 5), (3, -5), (-7, -2), (0, 9), (12, 0)):
        a = mask[max(dy, 0) : 30 + min(dy, 0), max(dx, 0) : 40 + min(dx, 0)]
        b = mask[max(-dy, 0) : 30 + min(-dy, 0), max(-dx, 0) : 40 + min(-dx, 0)]
        found = region.translation_weights(np.array([[dy * 0.5, dx * 2.0]]))[0]
        assert found == pytest.approx(mask.sum() / (a & b).sum(), rel=1e-4)
    assert region.size == pytest.approx(mask.sum())
    assert region.translation_weights(np.array([[500.0, 3]]))[0] == pytest.approx(100)


def test_a_large_region_is_coarsened_but_weighs_the_same(monkeypatch):
    mask = np.zeros((300, 420), bool)
    mask[20:280, 30:200] = mask[200:290, 100:400] = True
    shift = np.random.default_rng(0).uniform(-60, 60, (200, 2))
    exact = Region(mask, np.array([0.5, 0.5])).translation_weights(shift)
    monkeypatch.setattr(spatial_window, "LARGEST_SIDE", 100)
    coarse = Region(mask, np.array([0.5, 0.5])).translation_weights(shift)
    assert coarse == pytest.approx(exact, rel=0.06)
    assert np.median(coarse / exact) == pytest.approx(1, abs=0.01)


def test_a_full_region_is_a_box():
    region = Region(np.ones((80, 100), bool), np.ones(2))
    box = Box(np.array([-0.5, -0.5]), np.array([79.5, 99.5]))
    shift = np.array([[3.0, -9], [0, 0], [20, 20]])
    assert region.translation_weights(shift) == pytest.approx(box.translation_weights(shift), rel=1e-4)
    assert [c.tolist() for c in region.bounds] == [c.tolist() for c in box.bounds]
    points = region.random_points(500, np.random.default_rng(0))
    assert box.contains(points).all()
    assert region.contains(points).all()


@pytest.mark.parametrize("correction", ["translation", "isotropic"])
def test_random_patterns_have_l_equal_r_and_g_one(correction):
    found = [curves(random_points(120, seed), SQUARE, correction) for seed in range(60)]
    mean_l = np.mean([one.k[0, 0] for one in found], axis=0) ** 0.5 / np.pi**0.5
    assert mean_l == pytest.approx(found[0].r, rel=0.03)
    assert np.mean([one.g[0, 0] for one in found], axis=0)[2:] == pytest.approx(np.ones(8), abs=0.06)


def test_random_patterns_in_a_ragged_region_and_in_3d():
    mask = np.zeros((80, 100), bool)
    mask[10:70, 5:40] = mask[50:70, 30:90] = True
    region = Region(mask, np.ones(2))
    mean_k = np.mean([curves(random_points(120, s, 1, region), region, "translation").k for s in range(60)], axis=0)[
        0, 0
    ]
    assert (mean_k / np.pi) ** 0.5 == pytest.approx(np.arange(2, 21, 2), rel=0.04)
    box = Box(np.zeros(3), np.array([30.0, 60, 60]))
    found = [curves(random_points(150, seed, 1, box), box, "translation").k[0, 0] for seed in range(60)]
    mean_k = np.mean(found, axis=0)
    assert (0.75 * mean_k / np.pi) ** (1 / 3) == pytest.approx(np.arange(2, 21, 2), rel=0.06)


def test_nearest_distances_by_brute_force():
    points = random_points(60, 4, classes=3)
    distance = np.sqrt(((points.position[:, None] - points.position[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    found = nearest_distances(points)
    for target in range(3):
        assert found[:, target] == pytest.approx(distance[:, points.of_class == target].min(axis=1))
    lonely = nearest_distances(Points(np.array([[1.0, 1], [4, 5]]), np.array([0, 1]), 3))
    assert np.nan_to_num(lonely, nan=-1).tolist() == [[-1, 5, -1], [5, -1, -1]]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 150), st.floats(1, 15), st.integers(1, 8))
def test_clusters_are_those_of_scikit_learn(seed, n, reach, least):
    from sklearn.cluster import DBSCAN

    position = np.random.default_rng(seed).uniform(0, 60, (n, 2))
    ours, theirs = find_clusters(position, reach, least), DBSCAN(eps=reach, min_samples=least).fit(position)
    core = theirs.core_sample_indices_
    assert (ours[core] - 1 == theirs.labels_[core]).all()  # both number by the first core point
    assert ((ours > 0) == (theirs.labels_ >= 0)).all()
    assert (neighbours_within(position, reach) + 1 >= least).sum() == len(core)


def test_density_map_counts_every_point():
    points = random_points(200, 1)
    sigma, cell = 1.0, 0.5
    density, corner = density_map(points.position, SQUARE, sigma, cell)
    assert density.shape == (200, 160)
    assert corner.tolist() == [0, 0]
    assert density.sum() * cell**2 == pytest.approx(200, rel=0.05)


def test_deviation_test_ranks():
    simulated = np.random.default_rng(0).normal(0, 1, (99, 5))
    assert deviation_test(np.full(5, 30.0), simulated) == pytest.approx(0.01)
    assert deviation_test(np.zeros(5), simulated) == pytest.approx(1.0)
    assert np.isnan(deviation_test(np.zeros(5), simulated[:0]))


def test_clustered_and_regular_patterns_are_told_apart():
    rng = np.random.default_rng(0)
    options = PatternOptions(radii=10, max_radius=10, simulations=39)
    parents = np.repeat(rng.uniform(10, 70, (10, 2)), 8, axis=0)
    clustered = Points(parents + rng.normal(0, 1.5, (80, 2)), np.zeros(80, int), 1)
    grid = np.stack(np.meshgrid(np.arange(5, 100, 10.0), np.arange(5, 80, 10.0), indexing="ij"), -1).reshape(-1, 2)
    regular = Points(grid + rng.normal(0, 0.5, grid.shape), np.zeros(80, int), 1)
    for points, above in ((clustered, True), (regular, False)):
        found = analyze(points, SQUARE, options)
        assert deviation_test(found.curves.l[0, 0], found.simulated_l[:, 0, 0]) == pytest.approx(1 / 40)
        assert (found.curves.l[0, 0, 4] > 5) == above
        assert (found.mean_nearest[0, 0] < found.simulated_nearest[:, 0, 0].mean()) == above


def test_shuffled_classes_keep_the_points():
    points = random_points(60, 3, classes=2)
    found = analyze(points, SQUARE, PatternOptions(simulations=5, null="labels"))
    one = analyze(Points(points.position, np.zeros(60, int), 1), SQUARE, PatternOptions(simulations=2, null="labels"))
    assert one.simulated_l[0] == pytest.approx(one.curves.l)
    assert found.simulated_l[0, 0, 1] != pytest.approx(found.curves.l[0, 1])


def write_table(path, header, rows):
    path.write_text("\n".join("\t".join(map(str, row)) for row in [header, *rows]) + "\n", encoding="utf-8")
    return path


def run(tmp_path, *arguments):
    names = {name: tmp_path / name for name in ("objects-out", "summary-out", "curves-out")}
    main([*map(str, arguments), *(str(part) for name, path in names.items() for part in (f"--{name}", path))])
    tables = []
    for path in names.values():
        with path.open(encoding="utf-8") as stream:
            tables.append(list(csv.DictReader(stream, delimiter="\t")))
    return tables


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(8)
    rows = [(f"im{k // 40}", k % 40 + 1, *rng.uniform(0, 50, 2).round(3), "AB"[k % 2], k) for k in range(80)]
    return write_table(
        tmp_path / "t.tsv", ("image", "label", "centroid_x_um", "centroid_y_um", "type", "mean_GFP"), rows
    )


def test_table_with_classes_and_images(table, tmp_path):
    files = tmp_path / "figure", tmp_path / "density"
    arguments = ("--table", table, "--unit", "um", "--class-column", "type", "--neighbour-distance", 6,
                  "--simulations", 5,
                 "--width", 50, "--height", 50, "--radii", 5)  # fmt: skip
    objects, summary, curves = run(tmp_path, *arguments, "--figure", files[0], "--density-out", files[1])
    assert len(objects) == 80
    assert list(objects[0])[-4:] == ["nearest_A_um", "nearest_B_um", "neighbours", "cluster"]
    assert objects[3]["mean_GFP"] == "3"
    assert [(r["image"], r["from_class"], r["to_class"]) for r in summary[:4]] == [
        ("im0", "A", "A"), ("im0", "A", "B"), ("im0", "B", "A"), ("im0", "B", "B"),
    ]  # fmt: skip
    assert {r["window_um2"] for r in summary} == {"2500.0"}
    assert all(1 / 6 <= float(r["L_p"]) <= 1 for r in summary)
    assert len(curves) == 2 * 4 * 5
    assert float(curves[0]["L_low_um"]) <= float(curves[0]["L_high_um"])
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert tifffile.imread(files[1]).dtype == np.float32
    again = run(tmp_path, *arguments)
    assert again == [objects, summary, curves]
    assert run(tmp_path, *arguments, "--seed", 1)[1] != summary


def labels_file(path, centres, shape=(60, 80), **sizes):
    pixels = np.zeros(shape, np.uint16)
    for number, centre in enumerate(centres, 1):
        pixels[tuple(centre)] = number
    metadata = {"axes": "ZYX"[-len(shape) :], **sizes}
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=metadata)
    return path


def test_label_maps_are_classes(tmp_path):
    size = {"PhysicalSizeX": 2.0, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 2.0, "PhysicalSizeYUnit": "µm"}
    a = labels_file(tmp_path / "a.tiff", [(10, 10), (10, 20), (40, 60)], **size)
    b = labels_file(tmp_path / "b.tiff", [(10, 13)], **size)
    objects, summary, _ = run(
        tmp_path, "--labels", a, b, "--class-names", "cell", "spot", "--unit", "um", "--neighbour-distance", 25,
        "--min-cluster", 2, "--simulations", 3, "--figure", tmp_path / "f",
    )  # fmt: skip
    columns = ("class", "nearest_cell_um", "nearest_spot_um", "neighbours", "cluster")
    assert [tuple(row[name] for name in columns) for row in objects] == [
        ("cell", "20.0", "6.0", "1", "1"), ("cell", "20.0", "14.0", "1", "1"),
        ("cell", "100.0", objects[2]["nearest_spot_um"], "0", ""), ("spot", "6.0", "", "0", ""),
    ]  # fmt: skip
    assert {r["window_um2"] for r in summary} == {str(60 * 80 * 4.0)}
    assert summary[0]["clusters"] == "1"
    assert summary[3]["mean_nearest_um"] == ""


def test_region_leaves_objects_out(tmp_path):
    labels = labels_file(tmp_path / "a.tiff", [(10, 10), (10, 20), (12, 30), (40, 60)])
    region = np.zeros((60, 80), np.uint8)
    region[:20, :40] = 3
    tifffile.imwrite(tmp_path / "r.tiff", region, photometric="minisblack")
    objects, summary, _ = run(
        tmp_path, "--labels", labels, "--region", tmp_path / "r.tiff", "--neighbour-distance", 5, "--simulations", 2,
        "--figure", tmp_path / "f",
    )  # fmt: skip
    assert (summary[0]["from_objects"], summary[0]["objects_outside_window"], summary[0]["window_px2"]) == (
        "3",
        "1",
        "800.0",
    )
    assert objects[3]["nearest_all_px"] == ""


def test_3d_label_map(tmp_path):
    labels = labels_file(tmp_path / "a.tiff", [(1, 10, 10), (3, 10, 10), (3, 30, 30)], (5, 60, 80))
    objects, summary, curves = run(
        tmp_path, "--labels", labels, "--neighbour-distance", 5, "--simulations", 2, "--figure", tmp_path / "f"
    )
    assert objects[0]["nearest_all_px"] == "2.0"
    assert summary[0]["window_px3"] == str(5 * 60 * 80.0)
    assert "K_px3" in curves[0]


@pytest.mark.parametrize("count", [0, 1])
def test_no_object_and_one_object(count, tmp_path):
    labels = labels_file(tmp_path / "a.tiff", [(10, 10)][:count])
    objects, summary, _ = run(
        tmp_path, "--labels", labels, "--neighbour-distance", 5, "--simulations", 2, "--figure", tmp_path / "f"
    )
    assert len(objects) == count
    assert all(r["mean_nearest_px"] == r["nearest_p"] == r["L_p"] == "" for r in summary)


def test_a_table_without_rows(tmp_path):
    table = write_table(tmp_path / "t", ("x", "y"), [])
    assert run(tmp_path, "--table", table, "--neighbour-distance", 5) == [[], [], []]


def test_a_condition_makes_two_classes_in_the_window_of_the_image(tmp_path):
    rows = [(10.5, 10, 3), (20, 10, 9), (30, 10, 9)]
    table = write_table(tmp_path / "t", ("centroid_x_px", "centroid_y_px", "mean_GFP"), rows)
    image = labels_file(tmp_path / "a.tiff", [])
    objects, summary, _ = run(
        tmp_path, "--table", table, "--class-condition", "mean_GFP > 5", "--window-image", image,
        "--neighbour-distance", 12, "--simulations", 2, "--figure", tmp_path / "f",
    )  # fmt: skip
    assert [(r["nearest_other_px"], r["nearest_selected_px"]) for r in objects] == [
        ("", "9.5"), ("9.5", "10.0"), ("19.5", "10.0"),
    ]  # fmt: skip
    assert {r["window_px2"] for r in summary} == {"4800.0"}
    assert [(r["from_class"], r["from_objects"]) for r in summary[::2]] == [("other", "1"), ("selected", "2")]


@pytest.mark.parametrize("rows", [[], [(3, 4, 7)]])
def test_no_row_and_one_row_with_a_condition(rows, tmp_path):
    table = write_table(tmp_path / "t", ("centroid_x_px", "centroid_y_px", "mean_GFP"), rows)
    image = labels_file(tmp_path / "a.tiff", [])
    objects, summary, _ = run(
        tmp_path, "--table", table, "--class-condition", "mean_GFP > 5", "--window-image", image,
        "--neighbour-distance", 12, "--simulations", 2, "--figure", tmp_path / "f", "--density-out", tmp_path / "d",
    )  # fmt: skip
    assert len(objects) == len(rows)
    assert [r["from_objects"] for r in summary] == ["0", "0", str(len(rows)), str(len(rows))]
    assert (tmp_path / "f").read_bytes().startswith(b"\x89PNG")


def test_a_table_without_rows_and_classes_still_has_a_figure(tmp_path):
    table = write_table(tmp_path / "t", ("x", "y"), [])
    run(tmp_path, "--table", table, "--neighbour-distance", 5, "--figure", tmp_path / "f")
    assert (tmp_path / "f").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--neighbour-distance", 5, "--class-column", "type", "--class-condition", "label > 2"), "exclude each other"),
        (("--neighbour-distance", 5, "--class-condition", "nothing > 2"), "nothing"),
        (("--neighbour-distance", 5, "--window-image", "x", "--width", 4, "--height", 4), "exclude each other"),
        (("--neighbour-distance", 5, "--window-image", "x"), "Window x: it serves one image, here are 2"),
        (("--neighbour-distance", 0), "neighbour distance 0"),
        (("--neighbour-distance", 5, "--max-radius", -1), "max radius -1"),
        (("--neighbour-distance", 5, "--simulations", -1), "simulations -1"),
        (("--neighbour-distance", 5, "--width", 4), "belong together"),
        (("--neighbour-distance", 5, "--x-column", "nothing"), "no column 'nothing'"),
        (("--neighbour-distance", 5, "--class-column", "mean_GFP"), "at most 20"),
        (("--neighbour-distance", 5, "--unit", "px"), "in px"),
    ],
)
def test_refused(arguments, message, table, tmp_path):
    with pytest.raises(UserError, match=message):
        run(tmp_path, "--table", table, "--unit", "um", *arguments)
    assert not (tmp_path / "objects-out").exists()


def test_refused_windows(tmp_path):
    line = write_table(tmp_path / "t", ("x", "y"), [(1, 1), (2, 1), (3, 1)])
    with pytest.raises(UserError, match="span no area"):
        run(tmp_path, "--table", line, "--neighbour-distance", 5)
    tifffile.imwrite(tmp_path / "r.tiff", np.zeros((9, 9), np.uint8), photometric="minisblack")
    with pytest.raises(UserError, match="every pixel is 0"):
        run(tmp_path, "--table", line, "--neighbour-distance", 5, "--region", tmp_path / "r.tiff")
    tifffile.imwrite(tmp_path / "r.tiff", np.ones((9, 9), np.uint8), photometric="minisblack")
    with pytest.raises(UserError, match="no rectangle"):
        run(tmp_path, "--table", line, "--neighbour-distance", 5, "--region", tmp_path / "r.tiff", "--correction",
            "isotropic")  # fmt: skip
    with pytest.raises(UserError, match="more than one class"):
        run(tmp_path, "--labels", tmp_path / "r.tiff", "--neighbour-distance", 5, "--null", "labels")
    nan = write_table(tmp_path / "n", ("x", "y"), [("nan", 1), (2, 1), (3, 1)])
    with pytest.raises(UserError, match="not a finite number"):
        run(tmp_path, "--table", nan, "--neighbour-distance", 5)


def test_box_around_points():
    box = box_around(np.array([[0.0, 0], [10, 20], [5, 5], [2, 2]]), "x")
    assert box.lower == pytest.approx([5 - 5 * 5 / 3, 10 - 10 * 5 / 3])

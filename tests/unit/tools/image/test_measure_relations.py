"""measure_objects: neighbours and children, by plain counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model import bands
from bioimage_suite.measurement import object_scan
from tests.unit.tools.image.measuring import column, measure, random_labels, read_table, write


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), depth=st.sampled_from([1, 4]), within=st.floats(1, 30))
def test_neighbours_by_plain_counting(tmp_path_factory, seed, depth, within):
    tmp_path = tmp_path_factory.mktemp("neighbours")
    labels = random_labels(seed, (depth, 90, 12), 9)
    write(tmp_path / "l.ome.tiff", labels, "ZYX")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", 1)
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


@pytest.mark.parametrize("volume", [False, True])
def test_grey_values_within_and_outside_of_children_by_plain_counting(tmp_path, monkeypatch, volume):
    monkeypatch.setattr(bands, "BAND_PIXELS", 100)
    generator = np.random.default_rng(1)
    cells, nuclei = (random_labels(seed, (2, 30, 40), 6) for seed in (1, 2))
    image = generator.integers(0, 65536, (2, 2, 30, 40)).astype(np.uint16)
    for name, pixels in (("cells", cells), ("nuclei", nuclei)):
        write(tmp_path / f"{name}.ome.tiff", pixels, "ZYX")
    write(tmp_path / "image.ome.tiff", image, "CZYX", Channel={"Name": ["DAPI", "GFP"]})
    options = ["--children", str(tmp_path / "nuclei.ome.tiff"), f"--output-children={tmp_path / 'c.tsv'}"]
    options += ["--children-grey", *(["--volume"] if volume else [])]
    rows = measure(tmp_path, tmp_path / "cells.ome.tiff", tmp_path / "image.ome.tiff", *options)
    assert len(rows) > 4
    for row in rows:
        planes = slice(None) if volume else int(row["z"])
        own = cells[planes] == int(row["label"])
        for channel, pixels in zip(("DAPI", "GFP"), image, strict=True):
            grey = pixels[planes]
            within, outside = (grey[own & part].astype(float) for part in (nuclei[planes] > 0, nuclei[planes] == 0))
            for name, part in ((f"nuclei_mean_{channel}", within), (f"outside_nuclei_mean_{channel}", outside)):
                assert row[name] == "" if not len(part) else float(row[name]) == pytest.approx(part.mean(), rel=1e-12)
            if len(within) and len(outside):
                assert float(row[f"nuclei_ratio_{channel}"]) == pytest.approx(within.mean() / outside.mean())


def test_grey_values_of_children_need_image_and_children(tmp_path):
    labels = write(tmp_path / "l.ome.tiff", np.ones((5, 5), np.uint16), "YX")
    with pytest.raises(UserError, match="Grey values within children"):
        measure(tmp_path, labels, None, "--children-grey")


def test_the_ring_of_an_object_by_hand(tmp_path):
    labels = np.zeros((7, 12), np.uint16)
    labels[3, 2], labels[3, 6], labels[6, 11] = 3, 5, 8
    image = np.arange(7 * 12, dtype=np.uint16).reshape(7, 12)
    write(tmp_path / "l.ome.tiff", labels, "YX", PhysicalSizeX=0.5, PhysicalSizeY=0.5)
    write(tmp_path / "i.ome.tiff", image, "YX", PhysicalSizeX=0.5, PhysicalSizeY=0.5, Channel={"Name": "GFP"})
    rows = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", "--ring=1", "--features")
    assert [[row[name] for name in ("label", "ring_area_px", "ring_area_um2", "ring_mean_GFP")] for row in rows] == [
        ["3", "4", "1.0", "38.0"],  # the four pixels beside it, whose mean is its own value
        ["5", "4", "1.0", "42.0"],
        ["8", "2", "0.5", "76.5"],  # in the corner: 71 above it and 82 left of it
    ]
    assert [row["ring_ratio_GFP"] for row in rows[:2]] == ["1.0", "1.0"]
    assert float(rows[2]["ring_ratio_GFP"]) == pytest.approx(83 / ((71 + 82) / 2))


@pytest.mark.parametrize("width", [1, 4, 30])
def test_rings_are_expanded_labels_less_the_objects(tmp_path, monkeypatch, width):
    from skimage.segmentation import expand_labels

    monkeypatch.setattr(bands, "BAND_PIXELS", 100)
    labels = random_labels(3, (2, 50, 40), 3)
    image = np.random.default_rng(1).integers(0, 65536, (2, 2, 50, 40)).astype(np.uint16)
    write(tmp_path / "l.ome.tiff", labels, "ZYX")
    write(tmp_path / "i.ome.tiff", image, "CZYX", Channel={"Name": ["DAPI", "GFP"]})
    rows = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", f"--ring={width}")
    assert len(rows) > 4
    for row in rows:
        z, label = int(row["z"]), int(row["label"])
        ring = (expand_labels(labels[z], width) == label) & (labels[z] == 0)
        assert int(row["ring_area_px"]) == ring.sum() > 0
        for channel, grey in zip(("DAPI", "GFP"), image[:, z], strict=True):
            mean = grey[ring].mean()
            assert float(row[f"ring_mean_{channel}"]) == pytest.approx(mean, rel=1e-9)
            assert float(row[f"ring_ratio_{channel}"]) == pytest.approx(grey[labels[z] == label].mean() / mean)


def test_the_ring_of_a_volume_reaches_into_the_planes_beside_it(tmp_path):
    labels = np.zeros((5, 9, 9), np.uint16)
    labels[2, 4, 4] = 1
    image = np.full((5, 9, 9), 10, np.uint16)
    image[1, 4, 4] = image[3, 4, 4] = 100
    size = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 1.0}
    write(tmp_path / "l.ome.tiff", labels, "ZYX", **size)
    write(tmp_path / "i.ome.tiff", image, "ZYX", **size, Channel={"Name": "GFP"})
    names = ("ring_volume_voxels", "ring_volume_um3", "ring_mean_GFP", "ring_ratio_GFP")
    found = {}
    for width in (1, 2):
        files = (tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff")
        (row,) = measure(tmp_path, *files, "--volume", f"--ring={width}", "--features")
        found[width] = [float(row[name]) for name in names]
    # A plane is two pixels away: within 1 px four voxels, within 2 px twelve and the two above and below.
    assert found == {1: [4, 1, 10, 1], 2: [14, 3.5, (12 * 10 + 200) / 14, pytest.approx(10 / (320 / 14))]}


def test_an_object_without_background_has_no_ring(tmp_path):
    labels = write(tmp_path / "l.ome.tiff", np.ones((5, 5), np.uint16), "YX")
    image = write(tmp_path / "i.ome.tiff", np.ones((5, 5), np.uint16), "YX", Channel={"Name": "GFP"})
    (row,) = measure(tmp_path, labels, image, "--ring=3")
    assert [row[name] for name in ("ring_area_px", "ring_mean_GFP", "ring_ratio_GFP")] == ["0", "", ""]


def test_a_ring_needs_an_image_and_a_width(tmp_path):
    labels = write(tmp_path / "l.ome.tiff", np.ones((5, 5), np.uint16), "YX")
    with pytest.raises(UserError, match="Ring: no image was given"):
        measure(tmp_path, labels, None, "--ring=3")
    for width in (0, -1, 1001):
        with pytest.raises(UserError, match=f"Ring of {width} pixels: must lie between 1 and 1000"):
            measure(tmp_path, labels, labels, f"--ring={width}")


def test_without_a_ring_nothing_changes(tmp_path):
    labels = write(tmp_path / "l.ome.tiff", random_labels(1, (30, 40)), "YX")
    assert not [name for name in measure(tmp_path, labels, labels)[0] if name.startswith("ring")]

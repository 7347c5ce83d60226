"""evaluate_segmentation: counts equal those done by hand and by an assignment over all pairs."""

import csv
from pathlib import Path

import evaluate_segmentation
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model import bands

DATA = Path(__file__).parents[4] / "test-data"


def evaluate(
    folder: Path, true: np.ndarray, found: np.ndarray, thresholds: str = "0.5,0.7", *more: str
) -> dict[str, str]:
    for name, pixels in (("true", true), ("found", found)):
        tifffile.imwrite(folder / f"{name}.tiff", pixels, photometric="minisblack")
    return evaluate_files(folder, folder / "true.tiff", folder / "found.tiff", thresholds, *more)


def evaluate_files(folder: Path, true: Path, found: Path, thresholds: str = "0.5", *more: str) -> dict[str, str]:
    evaluate_segmentation.main(
        [f"--true={true}", f"--found={found}", f"--thresholds={thresholds}", f"--output={folder / 'out.tsv'}", *more]
    )
    with (folder / "out.tsv").open(newline="") as stream:
        (row,) = csv.DictReader(stream, delimiter="\t")
    return row


def test_by_hand(tmp_path):
    true, found = np.zeros((20, 40), np.uint16), np.zeros((20, 40), np.uint16)
    true[0:10, 0:10], found[0:10, 2:12] = 1, 4  # IoU 80 / 120
    true[12:20, 0:10], found[12:20, 0:5], found[12:20, 5:10] = 2, 5, 6  # split; IoU of each part is exactly 0.5
    true[0:10, 20:25], true[0:10, 25:30], found[0:10, 20:30] = 3, 7, 9  # merged; IoU 0.5
    found[15, 35] = 30  # nothing there
    row = evaluate(tmp_path, true, found)
    assert (row["true_objects"], row["found_objects"]) == ("4", "5")
    assert (row["split_objects"], row["merged_objects"]) == ("1", "1")
    assert (row["matched_0.5"], row["matched_0.7"]) == ("3", "0")
    assert float(row["precision_0.5"]) == 3 / 5
    assert float(row["recall_0.5"]) == 3 / 4
    assert float(row["f1_0.5"]) == 6 / 9
    assert float(row["average_precision_0.5"]) == 3 / 6
    assert float(row["dice"]) == pytest.approx(2 * (80 + 80 + 100) / (280 + 281))
    assert float(row["mean_average_precision"]) == pytest.approx((3 / 6 + 3 * (1 / 8)) / 10)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), threshold=st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.9]))
def test_matches_equal_an_assignment_over_all_pairs(tmp_path_factory, seed, threshold):
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    true = np.kron(rng.integers(0, 6, (6, 6)), np.ones((5, 5), int)).astype(np.uint16)
    found = np.roll(true, rng.integers(0, 3, 2), (0, 1)) * 3
    noise = rng.random(found.shape) < 0.2
    found[noise] = rng.integers(0, 20, int(noise.sum()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", 1)
        row = evaluate(tmp_path_factory.mktemp("pairs"), true, found.astype(np.int32), f"{threshold}")
    truths, founds = (np.unique(one[one > 0]) for one in (true, found))
    iou = np.array(
        [[((true == a) & (found == b)).sum() / ((true == a) | (found == b)).sum() for b in founds] for a in truths]
    )
    expected = 0
    if iou.size:
        rows, columns = linear_sum_assignment(-(iou >= threshold).astype(float))
        expected = int((iou[rows, columns] >= threshold).sum())
    assert int(row[f"matched_{threshold:g}"]) == expected


def test_the_same_map_is_perfect(tmp_path):
    row = evaluate_files(tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / "nuclei_truth.ome.tiff", "0.5 1")
    assert (row["f1_1"], row["dice"], row["mean_average_precision"]) == ("1.0", "1.0", "1.0")
    assert (row["matched_0.5"], row["split_objects"], row["merged_objects"]) == ("125", "0", "0")


def test_planes_are_matched_one_by_one(tmp_path):
    true = np.zeros((2, 10, 10), np.uint8)
    true[0, :5], true[1, 5:] = 1, 1
    row = evaluate(tmp_path, true, true[::-1].copy())
    assert (row["true_objects"], row["found_objects"], row["matched_0.5"]) == ("2", "2", "0")


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_volume_is_compared_as_the_same_voxels_on_one_plane(tmp_path_factory, seed):
    tmp_path = tmp_path_factory.mktemp("volume")
    rng = np.random.default_rng(seed)
    true, found = (np.kron(rng.integers(0, 5, (2, 3, 4)), np.ones((2, 3, 3), int)).astype(np.uint16) for _ in range(2))
    found[rng.random(found.shape) < 0.1] = 0
    volume = evaluate(tmp_path, true, found, "0.5,0.7", "--volume")
    flat = evaluate(tmp_path, true.reshape(-1, true.shape[-1]), found.reshape(-1, found.shape[-1]))
    assert volume == flat


def test_movies_of_volumes_keep_time_points_apart(tmp_path):
    true = np.zeros((2, 3, 10, 10), np.uint8)
    true[0, :, :5], true[1, :, 5:] = 1, 1
    for name, pixels in (("true", true), ("found", true[::-1])):
        tifffile.imwrite(tmp_path / f"{name}.ome.tiff", pixels, ome=True, photometric="minisblack",
                         metadata={"axes": "TZYX"})  # fmt: skip
    row = evaluate_files(tmp_path, tmp_path / "true.ome.tiff", tmp_path / "found.ome.tiff", "0.5", "--volume")
    assert (row["true_objects"], row["found_objects"], row["matched_0.5"], row["dice"]) == ("2", "2", "0", "0.0")


def test_nothing_to_compare_is_empty_not_perfect(tmp_path):
    zero = np.zeros((9, 9), np.uint8)
    row = evaluate(tmp_path, zero, zero)
    assert (row["true_objects"], row["f1_0.5"], row["dice"], row["mean_average_precision"]) == ("0", "", "", "")
    assert evaluate(tmp_path, zero + 1, zero)["f1_0.5"] == "0.0"


@pytest.mark.parametrize("thresholds", ["", "0", "1.1", "-0.5", "a", "nan"])
def test_impossible_thresholds_are_refused(tmp_path, thresholds):
    with pytest.raises(UserError, match="IoU thresholds"):
        evaluate_files(tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / "nuclei_truth.ome.tiff", thresholds)


@pytest.mark.parametrize(
    ("found", "message"),
    [("synthetic_labels.ome.tiff", "two label maps of the same image"), ("synthetic_rgb.png", "3 channels"),
     ("truncated.tiff", "cut short")],
)  # fmt: skip
def test_bad_input_is_refused(tmp_path, found, message):
    with pytest.raises(UserError, match=message):
        evaluate_files(tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / found)
    assert list(tmp_path.iterdir()) == []

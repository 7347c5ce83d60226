"""How bright is a nucleus? The same question to found and to annotated nuclei of 16 real images."""

import statistics
from pathlib import Path

import numpy as np

from tests.training.studies.data import TEST_DATA, Study, annotated_nuclei, rows, run_tool, write_json


def study(folder: Path) -> Study:
    """Segment and measure; compare with the annotation."""
    pairs = [*annotated_nuclei(folder), (TEST_DATA / "nuclei.ome.tiff", TEST_DATA / "nuclei_truth.ome.tiff")]
    scores, errors, images = [], [], []
    for number, (image, truth) in enumerate(pairs):
        labels = folder / f"labels_{number}.ome.tiff"
        run_tool("segment_objects", "--image", image, "--output", labels)
        run_tool("evaluate_segmentation", "--found", labels, "--true", truth, "--output", folder / "score.tsv")
        scores += rows(folder / "score.tsv")
        found, true = (_means(image, one, folder) for one in (labels, truth))
        pairs_of = _matched(labels, truth)
        errors += [(found[a] - true[b]) / true[b] for a, b in pairs_of if true[b] > 0]
        images.append((statistics.fmean(found.values()), statistics.fmean(true.values())))
    f1 = [float(one["f1_0.5"]) for one in scores]
    numbers = {
        "images": len(pairs),
        "true_nuclei": sum(int(one["true_objects"]) for one in scores),
        "found_nuclei": sum(int(one["found_objects"]) for one in scores),
        "merged": sum(int(one["merged_objects"]) for one in scores),
        "f1_mean": statistics.fmean(f1),
        "f1_worst": min(f1),
        "matched_nuclei": len(errors),
        "median_error_percent": 100 * statistics.median(errors),
        "share_within_10_percent": 100 * sum(abs(one) <= 0.1 for one in errors) / len(errors),
        "correlation_of_image_means": float(np.corrcoef(np.array(images).T)[0, 1]),
    }
    worst = int(np.argmin(f1))
    return Study(numbers, {"intensity-worst": _overlay(pairs[worst][0], folder / f"labels_{worst}.ome.tiff", folder)})


def _means(image: Path, labels: Path, folder: Path) -> dict[int, float]:
    """Return the mean grey value of each object by its label, of the first channel."""
    table = folder / "measured.tsv"
    run_tool("measure_objects", "--labels", labels, "--image", image, "--output", table)
    measured = rows(table)
    column = next(name for name in measured[0] if name.startswith("mean_"))
    return {int(one["label"]): float(one[column]) for one in measured}


def _matched(found: Path, true: Path) -> list[tuple[int, int]]:
    """Return pairs of labels whose intersection over union is at least 0.5."""
    import tifffile

    a, b = (tifffile.imread(one).squeeze() for one in (found, true))
    both, shared = np.unique(np.stack([a[(a > 0) & (b > 0)], b[(a > 0) & (b > 0)]]), axis=1, return_counts=True)
    sizes_a, sizes_b = np.bincount(a.ravel()), np.bincount(b.ravel())
    return [
        (int(i), int(j))
        for (i, j), count in zip(both.T, shared, strict=True)
        if count / (sizes_a[i] + sizes_b[j] - count) >= 0.5
    ]


def _overlay(image: Path, labels: Path, folder: Path) -> Path:
    given = {"images": [["worst", str(image)]], "labels": [["worst", str(labels)]]}
    pairs = write_json(folder / "pairs.json", given)
    picture = folder / "worst.png"
    run_tool(
        "overlay_objects", "--pairs", pairs, "--output-png", picture, "--output-html", folder / "w.html", "--edge", 512
    )
    return picture

"""Which threshold suits nuclei? Four of them on 17 annotated images, all else as it stands."""

import statistics
from pathlib import Path

from tests.training.studies.data import TEST_DATA, Study, annotated_nuclei, rows, run_tool, write_json

METHODS = {"li": "Li", "local_mean": "Local mean", "local_otsu": "Local Otsu", "otsu": "Otsu"}
SCORES = {"f1": "f1_0.5", "f1_strict": "f1_0.7", "ap": "mean_average_precision"}


def study(folder: Path) -> Study:
    """Score each threshold on each image."""
    pairs = [*annotated_nuclei(folder), (TEST_DATA / "nuclei.ome.tiff", TEST_DATA / "nuclei_truth.ome.tiff")]
    numbers: dict[str, float] = {"images": len(pairs)}
    for method in METHODS:
        labels = [folder / f"{method}_{number}.ome.tiff" for number in range(len(pairs))]
        scores = [_score(image, truth, method, one) for (image, truth), one in zip(pairs, labels, strict=True)]
        numbers |= {
            f"{name}_{method}": statistics.fmean(float(one[column]) for one in scores)
            for name, column in SCORES.items()
        }
        numbers[f"worst_{method}"] = min(float(one["f1_0.5"]) for one in scores)
    last = len(pairs) - 1
    return Study(numbers, {"choosing-side-by-side": _pictures(pairs[last][0], last, folder)})


def _score(image: Path, truth: Path, method: str, labels: Path) -> dict[str, str]:
    table = labels.with_suffix(".tsv")
    run_tool("segment_objects", "--image", image, "--output", labels, "--method", method)
    run_tool("evaluate_segmentation", "--found", labels, "--true", truth, "--output", table)
    return rows(table)[0]


def _pictures(image: Path, number: int, folder: Path) -> Path:
    """Return one picture with the outlines of all four thresholds."""
    given = {
        "images": [[name, str(image)] for name in METHODS.values()],
        "labels": [[name, str(folder / f"{method}_{number}.ome.tiff")] for method, name in METHODS.items()],
    }
    picture = folder / "side_by_side.png"
    pairs = write_json(folder / "pairs.json", given)
    outputs = ["--output-png", picture, "--output-html", folder / "w.html"]
    run_tool("overlay_objects", "--pairs", pairs, *outputs, "--edge", 400)
    return picture

"""How much of a section is positive? One real section, by two sets of stain vectors and several thresholds."""

import importlib.resources
import shutil
from pathlib import Path

from tests.training.studies.data import Study, rows, run_tool


def study(folder: Path) -> Study:
    """Quantify DAB with published and with estimated vectors, each with Otsu's and with fixed thresholds."""
    image = Path(str(importlib.resources.files("skimage") / "data" / "ihc.png"))
    numbers: dict[str, float] = {}
    for stains in ("h_dab", "estimate_h_dab"):
        row = _dab(image, folder, "--stains", stains, "--figure", folder / f"{stains}.png")
        numbers |= {
            f"tissue_{stains}": 100 * float(row["tissue_fraction"]),
            f"positive_{stains}": 100 * float(row["positive_fraction"]),
            f"threshold_{stains}": float(row["threshold"]),
        }
        for threshold in (0.4, 0.5, 0.7):
            levels = ["--positive", threshold, "--moderate", threshold + 0.3, "--strong", threshold + 0.6]
            row = _dab(image, folder, "--stains", stains, *levels)
            numbers[f"positive_{stains}_from_{threshold}"] = 100 * float(row["positive_fraction"])
    shutil.copy(folder / "h_dab.png", folder / "tissue.png")
    return Study(numbers, {"tissue-stains": folder / "tissue.png"})


def _dab(image: Path, folder: Path, *options: object) -> dict[str, str]:
    table = folder / "staining.tsv"
    run_tool("quantify_staining", "--image", image, "--table", table, "--vectors-out", folder / "v.tsv", *options)
    return next(row for row in rows(table) if row["stain"] == "DAB")

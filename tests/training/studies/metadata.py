"""What do published images say about themselves? Completeness of 15 real images, before and after describing them."""

import csv
import statistics
from pathlib import Path

from tests.training.studies.data import Study, rows, run_tool, wheel, write_json

HEADER = {
    "Study: Title": "Nuclei and micronuclei of cultured human cells",
    "Study: Description": "Images with annotations of nuclei and micronuclei, the test data of the program mnfinder.",
    "Study: License": "MIT",
    "Study component: Name": "Test data",
    "Biosample: Organism": "Homo sapiens",
    "Biosample: Biological entity": "cells in culture",
    "Image acquisition: Imaging method": "fluorescence microscopy",
}
"""What the package itself says, and nothing that one would have to guess."""


def study(folder: Path) -> Study:
    """Report completeness of the files alone, then with the description; count what is left to ask for."""
    images = sorted(wheel("mnfinder").glob("mnfinder/test-data/*/images/*.tif"))
    listed = write_json(folder / "images.json", [{"path": str(one), "name": one.name} for one in images])
    filled = folder / "filled.csv"
    with filled.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([["image", *HEADER], ["*", *HEADER.values()]])
    given = write_json(folder / "metadata.json", [{"path": str(filled), "name": filled.name}])
    table, findings = folder / "metadata.tsv", folder / "findings.tsv"
    scopes = "study,biosample,acquisition"
    run_tool(
        "validate_metadata", "--metadata", given, "--images", listed, "--scopes", scopes,
        "--table", table, "--findings", findings, "--report", folder / "r.html",
    )  # fmt: skip
    before, _ = _completeness(listed, folder)
    after, missing = _completeness(listed, folder, "--metadata", table)
    numbers = {
        "images": len(images),
        "errors": sum(one["level"] == "error" for one in rows(findings)),
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        "required_missing": missing,
    }
    return Study(numbers, {})


def _completeness(images: Path, folder: Path, *options: object) -> tuple[dict[str, float], int]:
    """Return mean percentages of some modules, and how many required fields no image has."""
    by_image, by_field = folder / "by_image.tsv", folder / "by_field.tsv"
    outputs = ["--image-completeness", by_image, "--field-completeness", by_field, "--report", folder / "r.html"]
    run_tool("metadata_report", "--images", images, "--standards", "rembi,nbo-q", *outputs, *options)
    names = {"study": "Study (%)", "biosample": "Biosample (%)", "data": "Image data (%)", "tier": "NBO-Q tier 1 (%)"}
    means = {key: statistics.fmean(float(row[name]) for row in rows(by_image)) for key, name in names.items()}
    return means, sum(row["level"] == "required" and row["present"] == "0" for row in rows(by_field))

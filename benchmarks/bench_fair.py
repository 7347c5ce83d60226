"""Measure time and memory of the metadata tools on 10,000 images, each tool as a process of its own.

`python -m benchmarks.bench_fair` prints the figures; `make bench` collects `records()`. No public tool does the same,
so the goals are the project's own.
"""

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import OWN_GOAL, ROOT, Record, figure, run_process
from scripts.suite_files import tool_script

TEMPLATE = ROOT / "test-data" / "fair" / "template_rembi.csv"
IMAGES = 10_000
SECONDS_GOAL, MEBIBYTES_GOAL = "<= 30", "<= 500"


def _write_inputs(folder: Path) -> None:
    import numpy as np
    import tifffile

    first = folder / "first.ome.tiff"
    metadata = {"axes": "CYX", "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "µm", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(first, np.zeros((2, 16, 16), np.uint16), metadata=metadata)
    names = [f"cells_{number:05}.ome.tiff" for number in range(IMAGES)]
    for name in names:
        (folder / name).write_bytes(first.read_bytes())
    (folder / "images.json").write_text(json.dumps([{"path": str(folder / name), "name": name} for name in names]))
    header, everything, row, *_ = TEMPLATE.read_text(encoding="utf-8").splitlines()
    rows = [row.replace("cells_a.ome.tiff", name) for name in names]
    (folder / "filled.csv").write_text("\n".join([header, everything, *rows]) + "\n", encoding="utf-8")
    (folder / "metadata.json").write_text(json.dumps([{"path": str(folder / "filled.csv"), "name": "filled.csv"}]))


def records() -> list[Record]:
    """Measure time and memory of each tool on 10,000 small OME-TIFFs, and return the figures."""
    found: list[Record] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_inputs(folder)
        images = ("--images", folder / "images.json")
        table = ("--metadata", folder / "table.tsv")
        reports = ("--findings", folder / "f.tsv", "--report", folder / "f.html")
        counts = ("--image-completeness", folder / "i.tsv", "--field-completeness", folder / "c.tsv")
        scopes = ("--scopes", "study,biosample,acquisition,annotation")
        runs: list[tuple[str, str, tuple[object, ...]]] = [
            ("template as XLSX", "metadata_template", (*images, *scopes, "--output", folder / "t.xlsx")),
            ("template as CSV", "metadata_template", (*images, *scopes, "--form", "csv", "--output", folder / "t.csv")),
            (
                "validation",
                "validate_metadata",
                ("--metadata", folder / "metadata.json", *images, *scopes, *reports, "--table", folder / "table.tsv"),
            ),
            ("completeness report", "metadata_report", (*table, *images, *counts, "--report", folder / "r.html")),
        ]
        for product in ("gide", "bia", "general", "idr"):
            output = ("--crate", folder / "gide.json", "--package", folder / f"{product}.zip")
            arguments: tuple[object, ...] = ("--product", product, *table, *images, *output, "--with-images")
            runs.append((f"crate {product}", "build_crate", arguments))
        runs.append(("crate check bia", "validate_crate", ("--crate", folder / "bia.zip", *reports)))
        runs.append(("crate check general", "validate_crate", ("--crate", folder / "general.zip", *reports)))
        for title, script, arguments in runs:
            cost = run_process([sys.executable, str(tool_script(script)), *map(str, arguments)])
            for unit, value, goal in (("s", cost.seconds, SECONDS_GOAL), ("MiB", cost.peak_mib, MEBIBYTES_GOAL)):
                measured = "time" if unit == "s" else "peak memory"
                found.append(figure(f"{title}, {IMAGES:,} images: {measured}", value, unit, goal, OWN_GOAL))
    return found


if __name__ == "__main__":
    for record in records():
        print(f"{record['name']:40} {record['value']:>8} {record['unit']:3} goal {record['goal']}")

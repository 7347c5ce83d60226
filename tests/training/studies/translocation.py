"""Do two inhibitors send a protein into the nucleus, and at which dose? A public plate of 96 wells, BBBC013.

Image set BBBC013v1 was provided by Ilya Ravkin (Creative Commons Attribution 3.0) and is available from the Broad
Bioimage Benchmark Collection (Ljosa et al. 2012, doi:10.1038/nmeth.2083). CellProfiler's repository has it as TIFF; it
is taken from there at a fixed commit, because no package of the registries brings a plate with its pixels.
`python -m tests.training.studies.translocation FOLDER` writes an OME-TIFF for each well, and the layout.
"""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tifffile

from sandbox.setup import cache_folder
from tests.training.studies.data import NotReachable, Study, rows, run_tool, write_json

REPOSITORY = "https://github.com/CellProfiler/CellProfiler"
COMMIT = "5b9c361fcc1116d3d47496d7ce429ba1dddbce16"
PLACE = "tests/core/data/ExampleSBSImages"
SHAPE, CHANNELS = (640, 640), ("GFP", "DNA")
LEAST_DOSE = {"wortmannin": 250.0 / 2**8, "LY294002": 80_000.0 / 2**8}
"""In nM; each of the nine columns has twice the dose of the one before."""
WELLS = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]
FEATURE, LIMIT = "nuclei_ratio_GFP", 10
PLAIN = "nuclei_mean_GFP"
RING = 10
"""Largest distance of what counts as a cell from its nucleus, in pixels."""


def repository() -> Path:
    """Return a clone of the repository; `PLATE_REPOSITORY` may name one that is there already.

    Raises:
        NotReachable: It cannot be cloned from here.
    """
    known = os.environ.get("PLATE_REPOSITORY")
    if known:
        return Path(known)
    folder = cache_folder() / "studies" / "CellProfiler"
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        command = ["git", "clone", "-q", "--filter=blob:none", "--no-checkout", REPOSITORY, str(part)]
        quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=quiet)
        if done.returncode:
            raise NotReachable(f"{REPOSITORY}: {done.stderr.strip()[-200:]}")
        part.rename(folder)
    return folder


def said_of(well: str) -> tuple[str, str, str]:
    """Return control, compound and dose in nM of a well as texts, as CellProfiler's tutorial of this plate says.

    Positive controls, 150 nM wortmannin, are A12 to D12 and E1 to H1.
    """
    first, column = well[0] in "ABCD", int(well[1:])
    compound = "wortmannin" if first else "LY294002"
    if 3 <= column <= 11:
        return "", compound, f"{LEAST_DOSE[compound] * 2 ** (column - 3):.6g}"
    return "positive" if column == (12 if first else 1) else "negative", "", ""


def pixels_of(known: Path, well: str) -> np.ndarray:
    """Return the (C, Y, X) uint8 pixels of a well.

    Raises:
        ValueError: They are not as they were when this was written.
    """
    number = WELLS.index(well) + 1
    planes = []
    for channel in (1, 2):
        name = f"{PLACE}/Channel{channel}-{number:02d}-{well[0]}-{int(well[1:]):02d}.tif"
        command = ["git", "-C", str(known), "show", f"{COMMIT}:{name}"]
        plane = tifffile.imread(io.BytesIO(subprocess.run(command, check=True, capture_output=True).stdout))
        if plane.shape != SHAPE or plane.dtype != np.uint8:
            raise ValueError(f"{name}: {plane.dtype} pixels of shape {plane.shape}")
        planes.append(plane)
    return np.stack(planes)


def write_plate(folder: Path) -> Path:
    """Write the images of all wells and the layout; return the layout."""
    known = repository()
    folder.mkdir(exist_ok=True)
    table = [("plate", "well", "image", "control", "compound", "dose_nM")]
    metadata = {"axes": "CYX", "Channel": {"Name": list(CHANNELS)}}
    for well in WELLS:
        file = folder / f"BBBC013_{well}.ome.tiff"
        tifffile.imwrite(file, pixels_of(known, well), metadata=metadata, photometric="minisblack")
        table.append(("BBBC013", well, file.name, *said_of(well)))
    layout = folder / "layout.tabular"
    layout.write_text("".join("\t".join(row) + "\n" for row in table), encoding="utf-8")
    return layout


def measured(folder: Path) -> Iterator[dict[str, str]]:
    """Segment nuclei and cells of each image, measure the cells; yield the tables as a form lists them."""
    images = sorted(folder.glob("*.ome.tiff"))
    for image in images:
        stem = image.name.removesuffix(".ome.tiff")
        nuclei, cells, table = (folder / f"{stem}.{what}" for what in ("nuclei.tiff", "cells.tiff", "tsv"))
        shared = ["--threshold-images", *images, "--min-area", 40, "--smoothing-sigma", 1]
        grown = ["--cells-by", "distance", "--cell-distance", RING, "--output-cells", cells]
        run_tool("segment_objects", "--image", image, "--channel", "DNA", "--output", nuclei, *shared, *grown)
        inside = ["--children", nuclei, "--children-name", "nuclei", "--children-grey"]
        inside += ["--output-children", folder / "children.tsv"]
        run_tool(
            "measure_objects", "--labels", cells, "--image", image, "--image-name", stem, "--output", table, *inside
        )
        yield {"element_identifier": stem, "source_path": str(table)}


def screen(folder: Path, tables: list[dict[str, str]], layout: Path) -> None:
    """Profile the wells, find hits, fit doses; the outputs get the names of the tools' outputs."""
    controls = {"column": "control", "negative": "negative"}
    profile = {
        "tables": tables,
        "layout": [{"element_identifier": "layout", "source_path": str(layout)}],
        "features": "area_px, eccentricity, mean_GFP, nuclei_ratio_GFP, nuclei_mean_GFP, outside_nuclei_mean_GFP",
        "reference": {"wells": "negative", **controls},
        "method": "mad_robustize",
        "selection": {"operations": ["drop_na_columns", "variance_threshold"]},
    }
    run_form("profile_wells", folder, profile, "profiles", "normalized", "features")
    score = {"by": "feature", "feature": FEATURE, "limit": LIMIT, "side": "above", "least_objects": 20}
    asked = {"profiles": {"element_identifier": "profiles", "source_path": str(folder / "normalized")}, **controls}
    asked |= {"positive": "positive", "score": score, "title": "BBBC013", "replicates": "compound, dose_nM"}
    asked |= {"dose": {"fit": "yes", "compound": "compound", "dose": "dose_nM"}, "tag": "hit[screen hits]"}
    run_form("find_hits", folder, asked, "hits", "notes", "quality", "plates", "report", "curves", "curves-plot")


def study(folder: Path) -> Study:
    """Go from the pixels of the plate to hits and curves; compare with what is known of the wells."""
    plate = folder / "plate"
    layout = write_plate(plate)
    screen(folder, list(measured(plate)), layout)
    listed = {
        "images": [[path.name, str(path)] for path in sorted(plate.glob("*.ome.tiff"))],
        "layout": [["layout", str(layout)]],
        "hits": [["hits", str(folder / "hits")]],
    }
    shown = ["--channel", "GFP", "--positive", "positive", "--most", "8", "--output", folder / "montage"]
    run_tool("montage_hits", "--inputs", write_json(folder / "montage.json", listed), *shown)
    figures = {"plate": "plates", "curves": "curves-plot"}
    return Study(numbers_of(folder), {f"translocation-{name}": folder / file for name, file in figures.items()})


def run_form(tool: str, folder: Path, form: Mapping[str, object], *outputs: str) -> None:
    """Run a tool that takes its form as JSON."""
    run_tool(
        tool, "--config", write_json(folder / f"{tool}.json", form), *(f"--{one}={folder / one}" for one in outputs)
    )


def numbers_of(folder: Path) -> dict[str, float]:
    """Return what came out, beside what is known: wells with inhibitor, and at which dose."""
    hits = rows(folder / "hits")
    quality = next(row for row in rows(folder / "quality") if row["feature"] == FEATURE)
    numbers = {name: float(quality[name]) for name in ("z_prime", "robust_z_prime", "ssmd", "edge_effect")}
    plain = next(row for row in rows(folder / "quality") if row["feature"] == PLAIN)
    numbers |= {"z_prime_of_plain_mean": float(plain["z_prime"])}
    numbers |= {"nuclei": float(sum(int(row["object_count"]) for row in hits)), "wells": float(len(hits))}
    for curve in rows(folder / "curves"):
        name = curve["compound"]
        numbers |= {f"{what}_{name}": float(curve[what]) for what in ("ec50", "ec50_standard_error", "r_squared")}
        own = [row for row in hits if row["compound"] == name]
        numbers[f"hits_{name}"] = float(sum(row["hit"] == "yes" for row in own))
        numbers[f"least_dose_of_hits_{name}"] = min(float(row["dose_nM"]) for row in own if row["hit"] == "yes")
        numbers[f"rank_correlation_{name}"] = rank_correlation(own)
    return numbers


def rank_correlation(wells: list[dict[str, str]]) -> float:
    """Return Spearman's correlation of dose and score."""
    from scipy.stats import spearmanr

    return float(spearmanr([float(row["dose_nM"]) for row in wells], [float(row["score"]) for row in wells])[0])


if __name__ == "__main__":
    write_plate(Path(sys.argv[1]))

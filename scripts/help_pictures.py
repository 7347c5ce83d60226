"""Make the pictures of the tools' help from runs of the tools on the test data.

    python -m scripts.help_pictures [TOOL ...]     # all that are made here: docs/images/tools/<tool>.png or .jpg

A picture is what the tool itself draws, or its result drawn by `overlay_objects`. Those of pages and forms come from
Chromium: `python -m tests.browser.pictures`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.suite_files import ROOT, tool_script

if TYPE_CHECKING:
    from PIL import Image

PICTURES = ROOT / "docs" / "images" / "tools"
DATA = ROOT / "test-data"
WIDTH, COLOURS, MOST_BYTES = 720, 64, 100_000
IMAGE, LABELS = DATA / "nuclei_upper_left.ome.tiff", DATA / "nuclei_truth.ome.tiff"


def run(tool: str, *words: object) -> None:
    """Run a tool's script.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = [sys.executable, str(tool_script(tool)), *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def listed(folder: Path, **kinds: dict[str, Path]) -> Path:
    """Write lists of `[name, path]` by kind, as tools with several inputs read them; return the file."""
    file = folder / "listed.json"
    file.write_text(
        json.dumps({kind: [[name, str(path)] for name, path in one.items()] for kind, one in kinds.items()})
    )
    return file


def drawn(folder: Path, image: Path, name: str, labels: Path | None = None, *words: str) -> Path:
    """Draw an image, with the outlines of its objects if there are any; return the PNG."""
    file = folder / f"{name}.png"
    kinds = {"images": {name: image}, "labels": {name: labels or none_of(folder, image)}}
    pages = ("--output-html", folder / "page.html")
    run("overlay_objects", "--pairs", listed(folder, **kinds), "--output-png", file, *pages, "--edge", 340, *words)
    return file


def none_of(folder: Path, image: Path) -> Path:
    """Write a label map without objects for an image."""
    import numpy as np

    from bioimage_suite.images.readers.opening import open_image
    from bioimage_suite.images.writers.label_maps import write_label_map

    like = open_image(image)
    file = folder / "none.ome.tiff"
    write_label_map(file, [np.zeros((like.size_y, like.size_x), np.int32)] * (like.size_z * like.size_t), like)
    return file


def beside(files: list[Path]) -> "Image.Image":
    """Return pictures side by side."""
    from PIL import Image

    opened = [Image.open(file).convert("RGB") for file in files]
    whole = Image.new("RGB", (sum(one.width for one in opened), max(one.height for one in opened)), "white")
    left = 0
    for one in opened:
        whole.paste(one, (left, 0))
        left += one.width
    return whole


def save_small(picture: "Image.Image", file: Path) -> None:
    """Write a picture at most WIDTH wide: as PNG with a palette of COLOURS, or as JPEG where the name ends so.

    Raises:
        ValueError: It takes more than MOST_BYTES.
    """
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)))
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = picture.convert("RGB")
    if file.suffix == ".jpg":
        picture.save(file, quality=85, optimize=True)
    else:
        picture.quantize(COLOURS).save(file, optimize=True)
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{file}: {file.stat().st_size} bytes, more than {MOST_BYTES}")


def segmented(folder: Path) -> Path:
    """Return the label map of `segment_objects`."""
    labels = folder / "segmented.ome.tiff"
    run("segment_objects", "--image", IMAGE, "--background-radius", 25, "--output", labels)
    return labels


def segment_objects(folder: Path) -> list[Path]:
    """Draw an image, and the objects found in it."""
    return [drawn(folder, IMAGE, "image"), drawn(folder, IMAGE, "objects", segmented(folder))]


def measure_objects(folder: Path) -> list[Path]:
    """Draw objects with their numbers, as the table has them."""
    return [drawn(folder, IMAGE, "label in the table", segmented(folder), "--edge=420", "--numbers")]


def filter_objects(folder: Path) -> list[Path]:
    """Draw objects before and after small ones are left out."""
    labels, table, kept = segmented(folder), folder / "t.tsv", folder / "kept.ome.tiff"
    run("measure_objects", "--labels", labels, "--output", table)
    outputs = ("--output-labels", kept, "--output-table", folder / "kept.tsv")
    run("filter_objects", "--labels", labels, "--table", table, "--keep", "area_px > 500", *outputs)
    return [drawn(folder, IMAGE, "all", labels), drawn(folder, IMAGE, "area_px > 500", kept)]


def overlay_objects(folder: Path) -> list[Path]:
    """Draw the contact sheet of two images."""
    names = {name: DATA / f"nuclei_{name}.ome.tiff" for name in ("upper_left", "upper_right")}
    labels = {}
    for name, image in names.items():
        labels[name] = folder / f"{name}.ome.tiff"
        run("segment_objects", "--image", image, "--background-radius", 25, "--output", labels[name])
    pages = ("--output-png", folder / "sheet.png", "--output-html", folder / "page.html")
    run("overlay_objects", "--pairs", listed(folder, images=names, labels=labels), *pages, "--edge", 340)
    return [folder / "sheet.png"]


def summarize_measurements(folder: Path) -> list[Path]:
    """Draw the plot of two images."""
    tables = {}
    for name in ("upper_left", "upper_right"):
        labels, tables[name] = folder / "l.ome.tiff", folder / f"{name}.tsv"
        run(
            "segment_objects",
            "--image",
            DATA / f"nuclei_{name}.ome.tiff",
            "--background-radius",
            25,
            "--output",
            labels,
        )
        run(
            "measure_objects", "--labels", labels, "--image", DATA / f"nuclei_{name}.ome.tiff", "--output", tables[name]
        )
    outputs = [
        word for name in ("table-out", "statistics-out", "plot", "report") for word in (f"--{name}", folder / name)
    ]
    given = listed(folder, tables=tables, pictures={})
    run("summarize_measurements", "--inputs", given, "--features", "area_px, mean_Nuclei", *outputs)
    return [folder / "plot"]


def track_objects(folder: Path) -> list[Path]:
    """Draw the figure of a movie."""
    tables = ("--objects-out", folder / "o", "--tracks-out", folder / "t", "--figure", folder / "f.png")
    run("track_objects", "--labels", DATA / "moving_cells.ome.tiff", "--max-distance", 12, "--divisions", *tables)
    return [folder / "f.png"]


def analyze_spatial_pattern(folder: Path) -> list[Path]:
    """Draw the figure of the objects of an image."""
    tables = ("--objects-out", folder / "o", "--summary-out", folder / "s", "--curves-out", folder / "c")
    given = ("--labels", LABELS, "--neighbour-distance", 40, "--figure", folder / "f.png")
    run("analyze_spatial_pattern", *given, *tables)
    return [folder / "f.png"]


def quantify_staining(folder: Path) -> list[Path]:
    """Draw the figure of a stained section."""
    tables = ("--table", folder / "t", "--vectors-out", folder / "v", "--figure", folder / "f.png")
    run("quantify_staining", "--image", DATA / "ihc.png", "--stains", "h_dab", *tables)
    return [folder / "f.png"]


MADE: dict[str, Callable[[Path], list[Path]]] = {
    make.__name__: make
    for make in (
        segment_objects, measure_objects, filter_objects, overlay_objects, summarize_measurements, track_objects,
        analyze_spatial_pattern, quantify_staining,
    )
}  # fmt: skip
PHOTOGRAPHS = {"segment_objects", "measure_objects", "filter_objects", "overlay_objects"}


def main(chosen: list[str] | None = None) -> int:
    """Make the pictures of the tools that are named, or all."""
    for tool in chosen or MADE:
        with tempfile.TemporaryDirectory() as folder:
            file = PICTURES / f"{tool}.{'jpg' if tool in PHOTOGRAPHS else 'png'}"
            save_small(beside(MADE[tool](Path(folder))), file)
        print(f"{file.name}: {file.stat().st_size:,} bytes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

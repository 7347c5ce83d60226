"""What all pictures are made with: runs of a tool, images with outlines, files small enough for a help."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def form(folder: Path, tool: str, values: dict[str, Any], *outputs: str) -> None:
    """Run a tool that takes its form as JSON; its outputs get their own names in the folder."""
    file = folder / f"{tool}.json"
    file.write_text(json.dumps(values))
    run(tool, "--config", file, *(f"--{name}={folder / name}" for name in outputs))


def given(file: Path) -> dict[str, str]:
    """Return a dataset as a form names it."""
    return {"source_path": str(file), "element_identifier": file.stem}


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


def below(file: Path, pictures: list[Path]) -> Path:
    """Write pictures below each other, as wide as the widest; return the PNG."""
    from PIL import Image

    opened = [Image.open(one).convert("RGB") for one in pictures]
    wide = max(one.width for one in opened)
    opened = [one.resize((wide, round(one.height * wide / one.width))) for one in opened]
    whole = Image.new("RGB", (wide, sum(one.height for one in opened)), "white")
    top = 0
    for one in opened:
        whole.paste(one, (0, top))
        top += one.height
    whole.save(file)
    return file


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

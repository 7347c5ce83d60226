"""Compare quantify_staining with rgb2hed of scikit-image on a slide of 20,000 x 20,000 RGB pixels, both by tile.

`python -m benchmarks.bench_image_staining` prints the figures; `make bench` collects `records()`. rgb2hed needs about
30 GB for the whole image, so it gets the same tiles from the same reader. It only separates the stains; the tool also
finds thresholds and counts pixels. Both are whole processes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import Record, figure, part_of, run_process
from scripts.suite_files import tool_script

SIDE = 20_000
COMPARED = "rgb2hed of scikit-image 0.26 by tiles of 1024, same reader"


def make_slide(path: Path, side: int) -> None:
    """Write a compressed slide; each tile is one of eight noisy copies of scikit-image's tissue section."""
    import numpy as np
    import skimage.data
    import tifffile

    section = skimage.data.immunohistochemistry()
    rng = np.random.default_rng(0)
    noisy = [np.clip(section + rng.normal(0, 2, section.shape), 0, 255).astype(np.uint8) for _ in range(8)]
    count = -(-side // 512)

    def tiles() -> Any:
        for _ in range(count * count):
            yield noisy[int(rng.integers(len(noisy)))]

    tifffile.imwrite(path, tiles(), shape=(side, side, 3), dtype=np.uint8, tile=(512, 512), photometric="rgb",
                     compression="zlib", compressionargs={"level": 1}, bigtiff=True)  # fmt: skip


def with_scikit_image(path: Path) -> None:
    """Separate hematoxylin, eosin and DAB tile by tile, and sum each of them."""
    import numpy as np
    from skimage.color import rgb2hed

    from bioimage_suite.images.readers.opening import open_image
    from bioimage_suite.staining.quantities import tiles_of

    image = open_image(path)
    total = np.zeros(3)
    for block in tiles_of(image):
        total += rgb2hed(image.read_colour(0, 0, *block)).sum(axis=(0, 1))
    print(total)


def records(side: int = SIDE) -> list[Record]:
    """Measure, and return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        slide = Path(folder) / "slide.tiff"
        make_slide(slide, side)
        command = [sys.executable, str(tool_script("quantify_staining")), "--image", str(slide), "--stains", "h_e_dab"]
        ours = run_process([*command, "--table", f"{folder}/t", "--vectors-out", f"{folder}/v"])
        theirs = run_process(part_of(__file__, slide))
    pixels = f"{side} x {side}"
    rows: list[tuple[str, float, str, str, str]] = [
        (f"speed, {pixels}", theirs.seconds / ours.seconds, "x", ">= 3", COMPARED),
        (f"processor time saved, {pixels}", theirs.processor_seconds / ours.processor_seconds, "x", "", COMPARED),
        (f"time, {pixels}", ours.seconds, "s", "", COMPARED),
        (f"peak memory, {pixels}", ours.peak_mib, "MiB", "<= 1024", COMPARED),
        (f"peak memory of the other, {pixels}", theirs.peak_mib, "MiB", "", COMPARED),
    ]
    return [figure(f"quantify_staining: {row[0]}", *row[1:]) for row in rows]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with_scikit_image(Path(sys.argv[1]))
    else:
        for record in records():
            print(record)

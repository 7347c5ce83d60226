"""Make the plate of 12 wells for tests of plates: `python test-data/make_plate_test_data.py`, from fixed seeds.

Three rows of four wells: four negative controls (A1, B1, C1, A2), two positive ones (B2, C2), compound A in four doses
(A3, A4, B3, B4) that raises GFP with an ec50 of 10 µM, compound B in two doses without effect; C4 has no cell.
The known hits are B3 and B4: 10 and 100 µM of compound A.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent
SIDE, PIXEL_UM, BACKGROUND = 96, 0.5, 100
WELLS = {
    "A1": ("negative", "", ""),
    "A2": ("negative", "", ""),
    "A3": ("", "A", "0.1"),
    "A4": ("", "A", "1"),
    "B1": ("negative", "", ""),
    "B2": ("positive", "", ""),
    "B3": ("", "A", "10"),
    "B4": ("", "A", "100"),
    "C1": ("negative", "", ""),
    "C2": ("positive", "", ""),
    "C3": ("", "B", "1"),
    "C4": ("", "B", "10"),
}
HITS, EMPTY = ("B3", "B4"), "C4"


def gfp_of(well: str) -> float:
    """Return the mean grey level of GFP in cells of a well above the background; controls differ, too."""
    control, compound, dose = WELLS[well]
    effect = 1.0 if control == "positive" else 0.0
    if compound == "A":
        effect = float(dose) / (float(dose) + 10)
    return 300 + 2000 * effect + 100 * spread_of(well, 7)


def spread_of(well: str, step: int) -> float:
    """Return how a well differs from others without a reason: -1 to 1."""
    return (list(WELLS).index(well) * step % 5 - 2) / 2


def image_of(well: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (C, Y, X) uint16 pixels of a well's field, DAPI and GFP, and the (Y, X) labels of its nine nuclei."""
    generator = np.random.default_rng(list(WELLS).index(well))
    y, x = np.mgrid[:SIDE, :SIDE]
    labels = np.zeros((SIDE, SIDE), np.uint16)
    pixels = generator.normal(BACKGROUND, 4, (2, SIDE, SIDE))
    for number in range(0 if well == EMPTY else 9):
        at = np.array(divmod(number, 3)) * 30 + 18 + generator.uniform(-4, 4, 2)
        radius = generator.uniform(6, 8) + 0.3 * spread_of(well, 2)
        inside = (y - at[0]) ** 2 + (x - at[1]) ** 2 <= radius**2
        labels[inside] = number + 1
        pixels[0][inside] += generator.normal(1500 + 80 * spread_of(well, 3), 60)
        pixels[1][inside] += generator.normal(gfp_of(well), 20)
    return np.clip(np.rint(pixels), 0, 65535).astype(np.uint16), labels


def rows_of(well: str) -> list[tuple[object, ...]]:
    """Return one row for each nucleus: image, label, class, area, means, a constant."""
    pixels, labels = image_of(well)
    return [
        (
            f"made_{well}.ome.tiff",
            label,
            "round",
            float((labels == label).sum()) * PIXEL_UM**2,
            *(float(channel[labels == label].mean()) for channel in pixels),
            1,
        )
        for label in range(1, int(labels.max()) + 1)
    ]


def write_image(path: Path, well: str) -> None:
    """Write the field of a well as OME-TIFF."""
    metadata = {
        "axes": "CYX",
        "Channel": {"Name": ["DAPI", "GFP"]},
        **{f"PhysicalSize{axis}": PIXEL_UM for axis in "XY"},
        **{f"PhysicalSize{axis}Unit": "µm" for axis in "XY"},
    }
    tifffile.imwrite(path, image_of(well)[0], metadata=metadata, compression="zlib", photometric="minisblack")


def table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write a tab-separated table."""
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def main(folder: Path) -> None:
    """Write the tables, and the images to the folder `plate`."""
    header = ("image", "label", "class", "area_um2", "mean_DAPI", "mean_GFP", "constant")
    table(folder / "plate_cells.tabular", [header, *(row for well in WELLS for row in rows_of(well))])
    layout = [("plate", "well", "image", "control", "compound", "dose_uM")]
    layout += [("made", well, f"made_{well}.ome.tiff", *said) for well, said in WELLS.items()]
    table(folder / "plate_layout.tabular", layout)
    (folder / "plate").mkdir(exist_ok=True)
    for well in WELLS:
        write_image(folder / "plate" / f"made_{well}.ome.tiff", well)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

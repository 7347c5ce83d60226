"""NRRD by pynrrd. What its axes are: https://teem.sourceforge.net/nrrd/format.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.arrays import ArrayImage

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.series import Reading

COLOURS = {"RGB-color", "RGBA-color", "3-color", "4-color"}
IN_SPACE = {"domain", "space", "???", "none"}
MOST_CHANNELS = 16  # of a first axis without a kind; with more it is x (Bio-Formats 7.3.1, NRRDReader)


def read_nrrd(path: Path, name: str, _reading: Reading) -> ArrayImage:
    """Read a file with its data in it.

    Raises:
        UserError: Its pixels are in another file.
        ValueError: It is not as the format demands.
    """
    import nrrd

    with path.open("rb") as stream:
        header = nrrd.read_header(stream)
        if "data file" in header or "datafile" in header:
            raise UserError(f"Image {name}: its pixels are in another file. Save both as one `.nrrd`.")
        pixels = nrrd.read_data(header, stream, str(path), index_order="C")
    axes = _axes(header)
    notes: list[str] = []
    lengths = _lengths(header, axes, notes)
    interval = lengths.pop("t", None)
    return ArrayImage(
        "NRRD", pixels, axes, pixels.dtype, lengths={axis: one for axis, one in lengths.items() if axis in "xyz"},
        interval=(float(interval[0]), interval[1]) if interval else None, notes=tuple(notes),
    )  # fmt: skip


def _axes(header: dict[str, Any]) -> str:
    """Return a letter for each axis, the slowest first."""
    sizes = [int(size) for size in header["sizes"]]
    kinds = [str(kind) for kind in header.get("kinds") or ["???"] * len(sizes)]
    letters = []
    space = iter("XYZT?")
    for number, (kind, size) in enumerate(zip(kinds, sizes, strict=True)):
        unnamed_channels = number == 0 and "kinds" not in header and len(sizes) > 2 and 1 < size <= MOST_CHANNELS
        if kind == "time":
            letters.append("T")
        elif kind in COLOURS:
            letters.append("S")
        elif unnamed_channels or kind not in IN_SPACE:
            letters.append("S" if unnamed_channels and size in {3, 4} else "C")
        else:
            letters.append(next(space, "?"))
    return "".join(reversed(letters))


def _lengths(header: dict[str, Any], axes: str, notes: list[str]) -> dict[str, tuple[float | str, str]]:
    """Return the distance of two pixels by axis: `spacings`, or the length of each of `space directions`."""
    directions = header.get("space directions")
    found: dict[str, tuple[float | str, str]] = {}
    if directions is not None:
        steps = [float(np.linalg.norm(one)) for one in np.asarray(directions, float)]
        units = [str(unit) for unit in header.get("space units") or []]
        unit_of = dict(zip("XYZ", units, strict=False))
    else:
        steps = [float(one) for one in header.get("spacings", [])]
        unit_of = dict(zip(reversed(axes), [str(unit) for unit in header.get("units") or []], strict=False))
    for axis, step in zip(reversed(axes), steps, strict=False):
        if np.isfinite(step):
            found[axis.lower()] = (step, unit_of.get(axis) or ("s" if axis == "T" else ""))
    bare = sorted(axis for axis, (_, unit) in found.items() if axis in "xyz" and not unit)
    if bare:
        notes.append(
            f"its distances along {', '.join(bare)} have no unit and are taken as micrometres, as Bio-Formats does"
        )
    return {axis: (step, unit or "µm") for axis, (step, unit) in found.items()}

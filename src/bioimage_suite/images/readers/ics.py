"""ICS (Image Cytometry Standard): a header of text, and the pixels, mapped or unpacked with gzip.

In version 2 the pixels follow in the same file, in version 1 they are a file beside it, `.ids`.

Dean et al., Cytometry 11 (1990), https://doi.org/10.1002/cyto.990110502; version 2 as libics writes it. No package of
conda-forge reads it.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.arrays import ArrayImage, planes_left

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.series import Reading

AXES = {
    "x": "X", "y": "Y", "z": "Z", "t": "T", "ch": "C", "c": "C", "p": "C", "probe": "C"
}  # fmt: skip
LARGEST_HEADER = 1 << 24
AT_ONCE = 1 << 20  # bytes
Header = dict[tuple[str, str], list[str]]


def read_ics(path: Path, name: str, _reading: Reading) -> ArrayImage:
    """Open a file.

    Raises:
        ValueError: It is not as the format demands.
        UserError: The file of its pixels (`.ids`) is not there.
    """
    header, start = _header(path)
    pixels = path
    if start is None:
        pixels, start = path.with_suffix(".ids"), 0
        if path.suffix.lower() != ".ics" or not pixels.is_file():
            raise UserError(
                f"Image {name}: an ICS file of version 1, whose pixels are in another file (.ids). Give both to "
                "convert_image (files that form one image)."
            )
    order = header["layout", "order"]
    sizes = [int(size) for size in header["layout", "sizes"]]
    names = [one.casefold() for one in order if one.casefold() != "bits"]
    shape = tuple(size for one, size in zip(order, sizes, strict=True) if one.casefold() != "bits")[::-1]
    if min(shape) < 1:
        raise ValueError(f"its sizes are {shape}")
    dtype = _dtype(header, sizes[[one.casefold() for one in order].index("bits")])
    axes = "".join(AXES.get(one, "?") for one in reversed(names))
    lengths = _lengths(header, order)
    interval = lengths.pop("t", None)
    array, there = _pixels(pixels, start, header, dtype, shape)
    return ArrayImage(
        "ICS", array, axes, dtype, notes=planes_left(there, shape, dtype.itemsize),
        lengths={axis: one for axis, one in lengths.items() if axis in "xyz"},
        interval=(float(interval[0]), interval[1]) if interval else None,
    )  # fmt: skip


def _header(path: Path) -> tuple[Header, int | None]:
    """Return the words of each line, and where the pixels begin: None if they are elsewhere."""
    found: Header = {}
    with path.open("rb") as stream:
        separators = stream.readline().decode("latin-1")[:2]
        end = separators[1:].encode("latin-1") or b"\n"
        text = stream.read(LARGEST_HEADER)
    place = len(separators) if end == b"\n" else 2
    at = 0
    while at < len(text):
        until = text.find(end, at)
        until = len(text) if until < 0 else until
        words = text[at:until].decode("latin-1").strip("\r").split(separators[0])
        at = until + 1
        if words[0] == "end":
            return found, place + at
        if len(words) > 2:
            found[words[0].casefold(), words[1].casefold()] = [word for word in words[2:] if word]
    return found, None


def _dtype(header: Header, bits: int) -> np.dtype:
    kind = header["representation", "format"][0].casefold()
    signed = header.get(("representation", "sign"), ["unsigned"])[0].casefold() == "signed"
    letter = {"integer": "i" if signed else "u", "real": "f", "complex": "c"}[kind]
    order = header.get(("representation", "byte_order"), ["1"])
    return np.dtype(f"{'<' if order[0] == '1' else '>'}{letter}{bits // 8}")


def _pixels(path: Path, start: int, header: Header, dtype: np.dtype, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """Return the array, and the bytes of all pixels that are there."""
    packing = header.get(("representation", "compression"), ["uncompressed"])[0].casefold()
    if packing == "uncompressed":
        return np.memmap(path, dtype, "r", start, shape), path.stat().st_size - start
    if packing != "gzip":
        raise ValueError(f"its compression {packing!r} is unknown")
    unpacking = zlib.decompressobj(wbits=31)
    with path.open("rb") as stream:
        stream.seek(start)
        size = math.prod(shape) * dtype.itemsize
        data = unpacking.decompress(stream.read(), size)
    array = np.frombuffer(data, dtype).reshape(shape)
    there = size
    while more := unpacking.decompress(unpacking.unconsumed_tail, AT_ONCE):
        there += len(more)
    return array, there


def _lengths(header: Header, order: list[str]) -> dict[str, tuple[float | str, str]]:
    """Return the distance of two pixels by axis where it has a unit."""
    scales, units = header.get(("parameter", "scale"), []), header.get(("parameter", "units"), [])
    found = {
        AXES.get(one.casefold(), "?").lower(): (scale, unit)
        for one, scale, unit in zip(order, scales, units, strict=False)
    }
    return {
        axis: one
        for axis, one in found.items()
        if axis in "xyzt" and one[1].casefold() not in {"undefined", "relative"}
    }

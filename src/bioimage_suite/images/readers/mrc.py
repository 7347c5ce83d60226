"""MRC of electron microscopes (MRC2014) by mrcfile: sections of a volume, mapped from the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bioimage_suite.images.readers.arrays import ArrayImage, planes_left

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.series import Reading

HEADER_BYTES = 1024
BIG_ENDIAN = b"\x11\x11"  # its machine stamp


def read_mrc(path: Path, _name: str, _reading: Reading) -> ArrayImage:
    """Open a file; sections are z-planes, rows run from the last to the first, as Bio-Formats shows them.

    The first row of an MRC is the lowest, bytes have a sign (https://www.ccpem.ac.uk/mrc-format/mrc2014/).

    Raises:
        ValueError: It is not as the format demands.
    """
    import mrcfile

    _check_extended_header(path)
    file = mrcfile.mmap(path, mode="r")
    data = np.asarray(file.data)
    start = HEADER_BYTES + int(file.header.nsymbt)
    notes = planes_left(path.stat().st_size - start, data.shape, data.dtype.itemsize)
    data = data.reshape(-1, *data.shape[-2:])[:, ::-1]
    size = file.voxel_size
    lengths: dict[str, tuple[float | str, str]] = {axis: (float(size[axis]), "Å") for axis in "xyz" if size[axis] > 0}
    return ArrayImage("MRC", data, "ZYX", data.dtype, lengths=lengths, notes=notes)


def _check_extended_header(path: Path) -> None:
    """Refuse one that is longer than the file: mrcfile takes memory for it first.

    Raises:
        ValueError: It is.
    """
    with path.open("rb") as stream:
        start = stream.read(HEADER_BYTES)
    order: Literal["little", "big"] = "big" if start[212:214] == BIG_ENDIAN else "little"
    length = int.from_bytes(start[92:96], order, signed=True)
    if length > path.stat().st_size:
        raise ValueError(f"it states an extended header of {length:,} bytes")

"""MRC of electron microscopes (MRC2014) by mrcfile: sections of a volume, mapped from the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.images.readers.arrays import ArrayImage

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.series import Reading


def read_mrc(path: Path, _name: str, _reading: Reading) -> ArrayImage:
    """Open a file; sections are z-planes, rows run from the last to the first, as Bio-Formats shows them.

    The first row of an MRC is the lowest, bytes have a sign (https://www.ccpem.ac.uk/mrc-format/mrc2014/).

    Raises:
        ValueError: It is not as the format demands.
    """
    import mrcfile

    file = mrcfile.mmap(path, mode="r")
    data = np.asarray(file.data)
    data = data.reshape(-1, *data.shape[-2:])[:, ::-1]
    size = file.voxel_size
    lengths: dict[str, tuple[float | str, str]] = {axis: (float(size[axis]), "Å") for axis in "xyz" if size[axis] > 0}
    return ArrayImage("MRC", data, "ZYX", data.dtype, lengths=lengths)

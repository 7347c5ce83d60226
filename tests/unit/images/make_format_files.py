"""`python -m tests.unit.images.make_format_files FOLDER` writes files of further formats, for tests of image_info."""

import sys
from pathlib import Path

import numpy as np

from tests.unit.images.dicom_files import write_dicom, write_slide
from tests.unit.images.format_files import write_gif, write_ics, write_imaris, write_mrc, write_nrrd
from tests.unit.images.oib_files import write_oib

PIXELS = np.arange(2 * 3 * 24 * 30, dtype=np.uint16).reshape(1, 2, 3, 24, 30)  # T, C, Z, Y, X


def write_all(folder: Path) -> None:
    """Write one small file of each format, over what is there."""
    for old in folder.glob("made.*"):
        old.unlink()
    write_imaris(folder / "made.ims", PIXELS)
    write_oib(folder / "made.oib", PIXELS[:, :, :1])
    write_dicom(folder / "made.dcm", PIXELS[0, 0], PixelSpacing=[0.002, 0.001])
    write_slide(folder / "made.slide.dcm", PIXELS[0, 0].transpose(1, 2, 0).astype("u1"))
    write_nrrd(folder / "made.nrrd", PIXELS[0, 0], "gzip", spacings=[0.1, 0.2, 0.3], units=["mm"] * 3)
    write_mrc(folder / "made.mrc", PIXELS[0, 0])
    write_ics(folder / "made.ics", PIXELS, "TCZYX", packed=True)
    write_gif(folder / "made.gif", PIXELS[0, 0].astype("u1"))


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))

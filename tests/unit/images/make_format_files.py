"""Files for tests: `python -m tests.unit.images.make_format_files FOLDER [FOLDER]`, of image_info and convert_image.

The first folder gets one file of each further format, the second an OIF with its folder in a zip file.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from tests.unit.images.dicom_files import write_dicom, write_slide
from tests.unit.images.format_files import write_gif, write_ics, write_imaris, write_mrc, write_nrrd
from tests.unit.images.oib_files import write_oib, write_oif

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


def write_packed(path: Path) -> None:
    """Write a zip file of an OIF of one z-plane and its folder."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for one in write_oif(Path(folder), PIXELS[:, :, :1]).values():
            out.writestr(zipfile.ZipInfo(one.relative_to(folder).as_posix()), one.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
    for folder in sys.argv[2:]:
        write_packed(Path(folder) / "made_oif.zip")

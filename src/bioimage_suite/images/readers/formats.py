"""Formats that a package of their own reads, each by one small module: recognised here, opened as lazy planes."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bioimage_suite.core import damage
from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.arrays import ArrayImage, image_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.images.model.series import Reading

    Read = Callable[[Path, str, Reading], ArrayImage]

AGAIN = "Upload it again, or export it as OME-TIFF from the maker's program."
UTF16_START = b"\xff\xfe[\0"
OIF_SECTIONS = ("[FileInformation]", "[ProfileSaveInfo]", "[Acquisition Parameters Common]")


@dataclass(frozen=True)
class Format:
    """A format of image files.

    Attributes:
        name: In messages.
        package: That its reader imports.
        read: Function from path, name in messages and choices to what is in a file.
    """

    name: str
    package: str
    read: Read


def is_oif(start: bytes) -> bool:
    """Return whether a file is a text of settings of an OIF, by its first bytes; the one of a plane may be so too."""
    said = start.decode("utf-16", "ignore") if start.startswith(UTF16_START) else ""
    return any(section in said for section in OIF_SECTIONS)


def is_ics(start: bytes) -> bool:
    """Return whether a file is the header of an ICS, by its first bytes: two separators, then the first word."""
    return start[2:13].lower() == b"ics_version"


def format_of(start: bytes) -> Format | None:
    """Recognise a format by the first 512 bytes of a file."""
    return _maker_format(start) or _common_format(start)


def _maker_format(start: bytes) -> Format | None:
    """Recognise the formats of microscopes' makers."""
    if start.startswith(b"ZISRAWFILE"):
        from bioimage_suite.images.readers.czi import read_czi

        return Format("CZI", "pylibCZIrw", read_czi)
    # Files of NIS-Elements 2 and later consist of chunks, older ones of JPEG 2000 boxes; a plain JPEG 2000 file begins
    # like the latter.
    if start.startswith((b"\xda\xce\xbe\x0a", b"\x00\x00\x00\x0cjP  ")):
        from bioimage_suite.images.readers.nd2 import read_nd2

        return Format("ND2", "bioio_nd2", read_nd2)
    if start[:4] == b"\x70\0\0\0" and start[8:9] == b"\x2a":
        from bioimage_suite.images.readers.lif import read_lif

        return Format("LIF", "liffile", read_lif)
    # The identifier of DeltaVision's variant of MRC, in either byte order.
    if start[96:98] in (b"\xa0\xc0", b"\xc0\xa0"):
        from bioimage_suite.images.readers.deltavision import read_dv

        return Format("DeltaVision", "mrc", read_dv)
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        from bioimage_suite.images.readers.olympus import read_oib

        return Format("OIB", "oiffile", read_oib)
    if is_oif(start):
        from bioimage_suite.images.readers.olympus import read_oif

        return Format("OIF", "oiffile", read_oif)
    return None


def _common_format(start: bytes) -> Format | None:
    if start[208:212] == b"MAP ":
        from bioimage_suite.images.readers.mrc import read_mrc

        return Format("MRC", "mrcfile", read_mrc)
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        from bioimage_suite.images.readers.imaris import read_imaris

        return Format("Imaris", "h5py", read_imaris)
    if start[128:132] == b"DICM":
        from bioimage_suite.images.readers.dicom import read_dicom

        return Format("DICOM", "pydicom", read_dicom)
    if start.startswith(b"NRRD000"):
        from bioimage_suite.images.readers.nrrd import read_nrrd

        return Format("NRRD", "nrrd", read_nrrd)
    if is_ics(start):
        from bioimage_suite.images.readers.ics import read_ics

        return Format("ICS", "numpy", read_ics)
    if start.startswith((b"GIF87a", b"GIF89a")):
        from bioimage_suite.images.readers.gif import read_gif

        return Format("GIF", "PIL", read_gif)
    return None


def open_format(path: Path, name: str, form: Format, reading: Reading) -> ImageFile:
    """Open a file of such a format.

    Args:
        path: The file.
        name: Name of the image in messages.
        form: By its first bytes.
        reading: Which of several images.

    Raises:
        UserError: Its package is not installed.
        UserError: Or its package cannot read the file.
    """
    try:
        importlib.import_module(form.package)
    except ImportError as error:
        raise UserError(
            f"Image {name}: a file of the format {form.name}, which this tool does not read. "
            "Convert it with convert_image first."
        ) from error
    with damage.reading(f"Image {name}: the {form.name} file", AGAIN), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = image_of(form.read(path, name, reading), name)
        # A file that was cut short may show it only here.
        image.read_region(image.size_t - 1, image.size_c - 1, image.size_z - 1, slice(0, 1), slice(0, 1))
        return image

"""Opening of image files as lazy planes: TIFF of all kinds, OME-Zarr, pictures, and formats with readers of their own.

Nothing is guessed, with two exceptions: pages of a multi-page TIFF without axes are time points (or z-planes, by
choice), and samples of a colour pixel are channels. Readers are imported when a file of their format is opened.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from bioimage_suite.core import damage
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.ome_xml import valid_text
from bioimage_suite.images.model.series import ONLY_ONE, Reading

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from bioimage_suite.images.model.image_file import ImageFile

AGAIN = "Upload or export it again."
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ZIP_START = b"PK\x03\x04"
MAX_PIXELS = 1 << 45  # of all planes: 70 TB of 16-bit pixels

# First bytes of files that people upload instead of an image.
KNOWN_STARTS = (
    (b"%PDF", "is a PDF"), (b"\x1f\x8b", "is compressed with gzip"),
    (b"<?xml", "is an XML text"),
    (b"<", "is an XML or HTML text"), (b"{", "is a JSON text"), (b"\x7fELF", "is a program"), (b"MZ", "is a program"),
)  # fmt: skip


def open_image(path: Path, name: str | None = None, reading: Reading = ONLY_ONE) -> ImageFile:
    """Open an image file of any supported format; pixels are read later.

    Notes on metadata that are left out or assumed go to standard output.

    Args:
        path: An image file (recognised by its content, not its suffix), a zip file of an OME-Zarr, or an OME-Zarr
            folder.
        name: Name of the image in messages; None for the file's name.
        reading: Which of several images, and what the pages of a TIFF without axes are.

    Raises:
        UserError: The file is missing, empty or damaged, its format is unknown, or it holds several images and none
            was chosen.
    """
    name = name or path.name
    with damage.reading(f"Image {name}", AGAIN):
        image = _open_image(path, name, reading)
    return _checked(image)


def open_images(path: Path, name: str | None = None, reading: Reading = ONLY_ONE) -> list[ImageFile]:
    """Open every image of a file: its series, scenes, positions or fields of wells.

    Args:
        path: As for `open_image`.
        name: Name of the image in messages; None for the file's name.
        reading: What the pages of a TIFF without axes are.

    Raises:
        UserError: As `open_image`.
    """
    name = name or path.name
    if _is_ome_zarr(path):
        from bioimage_suite.images.readers.zarr import open_ome_zarr_images

        with damage.reading(f"Image {name}", AGAIN):
            opened = open_ome_zarr_images(path, name)
        return [_checked(image) for image in opened]
    if path.is_file() and _is_tiff(_start_of(path)):
        from bioimage_suite.images.tiff.reading import open_tiff_images

        with damage.reading(f"Image {name}", AGAIN):
            opened = open_tiff_images(path, name, reading.pages)
        return [_checked(image) for image in opened]
    first = open_image(path, name, replace(reading, series=0))
    others = range(1, len(first.details["series"]))
    return [first, *(open_image(path, name, replace(reading, series=number)) for number in others)]


def open_own_labels(path: Path, name: str | None = None) -> list[ImageFile]:
    """Open the label maps that an image brings along: those of an OME-Zarr; other formats have none.

    Args:
        path: As for `open_image`.
        name: Name of the image in messages; None for the file's name.

    Raises:
        UserError: As `open_image`.
    """
    if not _is_ome_zarr(path):
        return []
    from bioimage_suite.images.readers.zarr import open_ome_zarr_labels

    with damage.reading(f"Image {name or path.name}", AGAIN):
        opened = open_ome_zarr_labels(path, name or path.name)
    return [_checked(image) for image in opened]


def _is_ome_zarr(path: Path) -> bool:
    """Return whether a path is a folder or a zip file."""
    if not path.is_file():
        return path.is_dir()
    return _start_of(path).startswith(ZIP_START)


def _checked(image: ImageFile) -> ImageFile:
    """Check the size of an image, print what is left out or assumed of its metadata, and guard its pixels."""
    image = _with_valid_names(image)
    _check_size(image)
    for note in image.notes:
        print(f"NOTE: Image {image.name}: {note}.", flush=True)
    return _guarded(image)


def _with_valid_names(image: ImageFile) -> ImageFile:
    """Replace characters in names that no OME-XML can hold: Bio-Formats would open what is written as a plain TIFF."""
    channels = tuple(valid_text(one) if one else one for one in image.channels)
    notes = image.notes
    if channels != image.channels:
        notes = (*notes, "characters in names of channels that no OME-XML can hold are replaced")
    return replace(image, name=valid_text(image.name), channels=channels, notes=notes)


def _check_size(image: ImageFile) -> None:
    """Refuse sizes that no image has, before memory is taken for it."""
    sizes = {axis: getattr(image, f"size_{axis}") for axis in "tczyx"}
    said = ", ".join(f"{axis} {size}" for axis, size in sizes.items())
    if min(sizes.values()) < 1 or math.prod(sizes.values()) > MAX_PIXELS:
        raise UserError(f"Image {image.name}: no image has its size ({said}). {AGAIN}")


def _guarded(image: ImageFile) -> ImageFile:
    """Return the same image, whose regions have the size that was asked for or fail with a clear error."""

    def checked(pixels: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        if pixels.shape[:2] != (rows.stop - rows.start, columns.stop - columns.start):
            raise ValueError(f"{pixels.shape[:2]} pixels where rows {rows} and columns {columns} were asked for")
        return pixels

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        with damage.reading(f"Image {image.name}, pixels at t={t}, c={c}, z={z}", AGAIN):
            return checked(image.read_region(t, c, z, rows, columns), rows, columns)

    def read_interleaved(t: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        with damage.reading(f"Image {image.name}, pixels at t={t}, z={z}", AGAIN):
            assert image.read_interleaved
            return checked(image.read_interleaved(t, z, rows, columns), rows, columns)

    return replace(
        image, read_region=read_region, read_interleaved=read_interleaved if image.read_interleaved else None
    )


def _open_image(path: Path, name: str, reading: Reading) -> ImageFile:
    if path.is_dir():
        from bioimage_suite.images.readers.zarr import open_ome_zarr

        return open_ome_zarr(path, name, reading)
    if not path.is_file():
        raise UserError(f"Image {name}: there is no file {path}. Give the path of an image.")
    start = _start_of(path)
    if not start:
        raise UserError(f"Image {name}: the file is empty (0 bytes). Upload or export it again.")
    if _is_tiff(start):
        from bioimage_suite.images.tiff.reading import open_tiff

        return open_tiff(path, name, reading)
    if start.startswith(ZIP_START):
        from bioimage_suite.images.readers.zarr import open_ome_zarr

        return open_ome_zarr(path, name, reading)
    from bioimage_suite.images.readers.pictures import open_picture, picture_kind

    picture = picture_kind(path, start)
    if picture:
        return open_picture(path, name, picture)
    from bioimage_suite.images.readers.formats import format_of, open_format

    form = format_of(start)
    if form:
        return open_format(path, name, form, reading)
    raise UserError(
        f"Image {name}: not an image of a known format; it {_seems(start)}. "
        "Give a TIFF, OME-TIFF, PNG, JPEG, JPEG 2000, BMP, GIF, OME-Zarr, CZI, ND2, LIF, DeltaVision, Imaris, OIB, "
        "OIF, DICOM, MRC, NRRD or ICS."
    )


def _start_of(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(512)


def _is_tiff(start: bytes) -> bool:
    """Say whether a file is a TIFF, or the OME-XML of a set of them.

    A DICOM file may begin as a TIFF, for programs that know only that: Bio-Formats reads it as DICOM.
    """
    return (start[:4] in TIFF_STARTS and start[128:132] != b"DICM") or (start.startswith(b"<") and b"<OME" in start)


def _seems(start: bytes) -> str:
    """Describe a file of an unknown format by its first bytes."""
    for signature, answer in KNOWN_STARTS:
        if start.startswith(signature):
            return f"{answer} (it begins with {start[:8]!r})"
    start = start[:16]
    text = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start)
    return f"seems to be a text: it begins with {start!r}" if text else f"begins with {start[:8]!r}"

"""Opening of TIFF, OME-TIFF, ImageJ TIFF, PNG, JPEG, OME-Zarr, CZI, ND2, LIF and DeltaVision as lazy planes.

Nothing is guessed, with two exceptions: pages of a multi-page TIFF without metadata are z-planes, and samples of a
colour pixel are channels. Readers are imported when a file of their format is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.image_file import ImageFile, sample_names
from bioimage_suite.images.series import ONLY_ONE, Reading

if TYPE_CHECKING:
    import numpy as np

# First bytes of files that people upload instead of an image.
KNOWN_STARTS = (
    (b"%PDF", "is a PDF"), (b"GIF8", "is a GIF"), (b"BM", "is a BMP"), (b"\x89HDF", "is an HDF5 file"),
    (b"\x1f\x8b", "is compressed with gzip"), (b"\xd0\xcf\x11\xe0", "is an OLE file, such as OIB"),
    (b"<?xml", "is an XML text"), (b"<", "is an XML or HTML text"), (b"{", "is a JSON text"),
    (b"\x7fELF", "is a program"), (b"MZ", "is a program"),
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
    image = _open_image(path, name or path.name, reading)
    for note in image.notes:
        print(f"NOTE: Image {image.name}: {note}.", flush=True)
    return image


def _open_image(path: Path, name: str, reading: Reading) -> ImageFile:
    if path.is_dir():
        from bioimage_suite.images.zarr import open_ome_zarr

        return open_ome_zarr(path, name, reading)
    if not path.is_file():
        raise UserError(f"Image {name}: there is no file {path}. Give the path of an image.")
    with path.open("rb") as stream:
        start = stream.read(128)
    if not start:
        raise UserError(f"Image {name}: the file is empty (0 bytes). Upload or export it again.")
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        from bioimage_suite.images.tiff import open_tiff

        return open_tiff(path, name, reading)
    if start.startswith(b"PK\x03\x04"):
        from bioimage_suite.images.zarr import open_ome_zarr

        return open_ome_zarr(path, name, reading)
    if start.startswith(b"\x89PNG\r\n\x1a\n") or start.startswith(b"\xff\xd8\xff"):
        return _open_picture(path, name, "PNG" if start[0] == 0x89 else "JPEG")
    from bioimage_suite.images.vendor_formats import open_vendor_file, vendor_format

    vendor = vendor_format(start)
    if vendor:
        return open_vendor_file(path, name, vendor, reading)
    raise UserError(
        f"Image {name}: not an image of a known format; it {_seems(start)}. "
        "Give a TIFF, OME-TIFF, PNG, JPEG, OME-Zarr, CZI, ND2, LIF or DeltaVision."
    )


def _seems(start: bytes) -> str:
    """Describe a file of an unknown format by its first bytes."""
    for signature, answer in KNOWN_STARTS:
        if start.startswith(signature):
            return f"{answer} (it begins with {start[:8]!r})"
    start = start[:16]
    text = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start)
    return f"seems to be a text: it begins with {start!r}" if text else f"begins with {start[:8]!r}"


def _open_picture(path: Path, name: str, kind: str) -> ImageFile:
    """Decode a whole PNG or JPEG: neither format can be read in parts."""
    import imagecodecs

    decode = imagecodecs.png_decode if kind == "PNG" else imagecodecs.jpeg8_decode
    data = path.read_bytes()
    try:
        # The decoder fills missing parts of a JPEG with grey. The end marker (FF D9) must follow the start of the last
        # scan (FF DA); neither can occur within the pixels of a scan.
        if kind == "JPEG" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
            raise ValueError("its last scan does not end")
        pixels = decode(data)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"Image {name}: the {kind} file is damaged or cut short ({error}). Upload it again.") from error
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    samples = pixels.shape[2]

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        return pixels[rows, columns, c]

    return ImageFile(
        name=name, size_t=1, size_c=samples, size_z=1, size_y=pixels.shape[0], size_x=pixels.shape[1],
        dtype=pixels.dtype, channels=sample_names(samples), physical_size={}, time_increment=None,
        read_region=read_region, details={"format": kind, "axes": "YXS" if samples > 1 else "YX", "series": [""]},
        read_interleaved=lambda t, z, rows, columns: pixels[rows, columns],
    )  # fmt: skip

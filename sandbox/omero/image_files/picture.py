"""PNG and JPEG: decoded whole at the first read, since neither can be read in parts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero.image_files.description import ChannelDescription, ImageFileError, SeriesDescription
from sandbox.omero.image_files.series_reader import SeriesReader, pixel_type_of

if TYPE_CHECKING:
    from pathlib import Path

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
# A decoded picture is held in memory: 16,384 x 16,384 bytes is the most that is accepted.
MAX_PICTURE_BYTES = 1 << 28


def open_picture(path: Path) -> SeriesReader:
    """Open a PNG or JPEG file.

    Raises:
        ImageFileError: The file is broken or larger than 256 MiB when decoded.
    """
    pixels = _decode(path)
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    description = SeriesDescription(
        name=None,
        size_x=pixels.shape[1],
        size_y=pixels.shape[0],
        size_z=1,
        size_c=samples,
        size_t=1,
        pixel_type=pixel_type_of(pixels.dtype, path),
        dimension_order="XYCZT",
        channels=(ChannelDescription(),) * samples,
        level_sizes=((pixels.shape[1], pixels.shape[0]),),
        tile_size=(pixels.shape[1], pixels.shape[0]),
    )
    lazy = _LazyPicture(path, pixels.shape, pixels.dtype)
    return SeriesReader(description, [lazy], "YXS"[: pixels.ndim], path, lazy.forget)


class _LazyPicture:
    """A picture that is decoded at its first read; the check at opening does not keep its pixels."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path, self.shape, self.dtype = path, shape, dtype
        self._pixels: np.ndarray | None = None
        self._lock = threading.Lock()

    def __getitem__(self, index: Any) -> Any:
        with self._lock:
            if self._pixels is None:
                self._pixels = _decode(self.path)
            return self._pixels[index]

    def forget(self) -> None:
        self._pixels = None


def _decode(path: Path) -> np.ndarray:
    """Decode PNG with libpng (Pillow cuts 16-bit RGB down to 8 bits) and JPEG with Pillow.

    The numbers are those in the file, as Bio-Formats reads them: of palette entries, and of pixels of 1, 2 and 4 bits,
    which libraries stretch to 255; a colour that counts as transparent makes no further sample.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.width * picture.height * len(picture.getbands()) * 2 > MAX_PICTURE_BYTES:
                raise ImageFileError(
                    f"{path.name}: {picture.width} x {picture.height} is too large for this format; "
                    "save it as tiled OME-TIFF"
                )
            if picture.format == "JPEG":
                return np.asarray(picture if picture.mode in ("L", "RGB") else picture.convert("RGB"))
            if picture.mode == "P":
                return np.asarray(picture)
        return _decode_png(path.read_bytes())
    except ImageFileError:
        raise
    except Exception as error:  # Pillow and imagecodecs raise many kinds
        raise ImageFileError(f"{path.name}: not a readable picture: {error}") from error


def _decode_png(data: bytes) -> np.ndarray:
    from imagecodecs import png_decode

    bits, colour = data[24], data[25]  # of the header: 0 is grey, 2 red, green and blue
    pixels = png_decode(data)
    if colour == 0:
        pixels = pixels.reshape(*pixels.shape[:2], -1)[..., 0]
        return pixels // (255 // (2**bits - 1)) if bits < 8 else pixels
    return pixels[..., :3] if colour == 2 else pixels

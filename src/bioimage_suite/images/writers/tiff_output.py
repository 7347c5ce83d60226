"""What every writer of an OME-TIFF decides alike: tiles, BigTIFF or classic TIFF, and the UUID."""

from __future__ import annotations

import re
import uuid
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np

TILE = 512
"""Largest edge of a tile, px."""
STRIPS = 4
"""Strips of a plane that is not cut into tiles, at most."""
# Offsets of classic TIFF address 4 GB; 32 MB of it are left for tables of tiles and metadata, and for tiles that
# compression makes larger.
CLASSIC_BYTES = 2**32 - 2**25
_UUID = re.compile(r'UUID="urn:uuid:([0-9a-f-]{36})"')


class Checksum:
    """CRC-32 of pixels, as `value`, over all that passed through `over`."""

    def __init__(self) -> None:
        self.value = 0

    def over(self, parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the same arrays."""
        for part in parts:
            self.add(part)
            yield part

    def add(self, part: np.ndarray) -> None:
        """Take an array into account, in the order of its axes."""
        self.value = zlib.crc32(part.tobytes(), self.value)


def tile_length(size: int) -> int:
    """Return the edge of a tile: 512, or less for a smaller image (a multiple of 16, as TIFF requires)."""
    return min(TILE, -(-size // 16) * 16)


def strip_rows(height: int) -> int:
    """Return the rows of a strip of a plane that is not cut into tiles: of three or four strips, or of one.

    Galaxy 26.1 counts the values of every TIFF (galaxy.datatypes.images); those of a plane in one piece it takes pixel
    by pixel, which takes it four times as long. Two strips ImageJ's own opener (1.53t) cannot read where they are
    short: tifffile writes the two lengths as 16-bit numbers in the tag itself, and ImageJ takes them for an address.
    """
    return -(-height // STRIPS) if height >= 3 else height


def layout(height: int, width: int) -> dict[str, Any]:
    """Return how tifffile shall cut a plane: into tiles, or into a few strips where one tile would hold it.

    ImageJ's own opener reads no tiles: with them, it needs Bio-Formats even for a small image. Nor does it know a
    predictor beside zlib: with one, it shows wrong pixels without a word.
    """
    if max(height, width) <= TILE:
        return {"rowsperstrip": strip_rows(height), "predictor": False}
    return {"tile": (tile_length(height), tile_length(width))}


def needs_bigtiff(pixel_bytes: int) -> bool:
    """Return whether pixels of as many bytes, uncompressed, might exceed what classic TIFF can address."""
    return pixel_bytes > CLASSIC_BYTES


def uuid_of(content: str) -> str:
    """Return the UUID that OME-TIFF needs, made from its content, so that the same input gives the same file."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, content))


def identified(xml: str, checksum: int) -> str:
    """Return OME-XML with a UUID that depends on the pixels too; the document is as long as before.

    Args:
        xml: The document, whose UUID depends on name and sizes of the image.
        checksum: Of all pixels in their order.
    """
    found = _UUID.search(xml)
    return xml.replace(found[1], uuid_of(f"{found[1]} {checksum}")) if found else xml


def identify_tiff(path: Path, checksum: int) -> None:
    """Give the OME-XML in a TIFF that was just written a UUID of its pixels: see `identified`."""
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        description = tiff.pages.first.tags["ImageDescription"]
        at, length = description.valueoffset, description.count
    with path.open("r+b") as file:
        file.seek(at)
        xml = file.read(length)
        file.seek(at)
        file.write(identified(xml.decode("utf-8"), checksum).encode())


def resolution_tags(x: float | None, y: float | None, factor: float = 1.0) -> dict[str, Any]:
    """Return the pixels per centimetre as arguments for tifffile: programs that know no OME-XML see a scale by them.

    Args:
        x: Width of a pixel of the image in µm; without it nothing is returned.
        y: Its height in µm; without it nothing is returned.
        factor: Pixels of the image in one of the file, for smaller levels.
    """
    if not x or not y or not min(x, y) > 0:
        return {}
    found = (10_000 / (x * factor), 10_000 / (y * factor))
    # A fraction of two 32-bit numbers; a pixel of less than an atom, or of 40 m, has none.
    return {"resolution": found, "resolutionunit": "CENTIMETER"} if 1e-6 < min(found) <= max(found) < 2**32 else {}

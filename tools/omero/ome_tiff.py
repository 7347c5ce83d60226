"""OME-TIFF written tile by tile, with the metadata that OMERO has."""

import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omero_image_details import Channel, ImageDetails, Length
from omero_pixels import pixel_dtype

if TYPE_CHECKING:
    import numpy as np

CLASSIC_TIFF_LIMIT = 2**32 - 2**25  # Offsets are 32 bit; what remains is for tags. Larger files are BigTIFF.


def tile_side(image: ImageDetails, largest: int) -> int:
    """The side of the file's square tiles: a multiple of 16, as TIFF demands, no larger than the image needs."""
    need = max(image.size_x, image.size_y)
    return min(largest, -(-need // 16) * 16)


def write_ome_tiff(path: Path, image: ImageDetails, tiles: Iterable["np.ndarray"], side: int, source: str) -> None:
    """Write one image as OME-TIFF, zlib-compressed tiles, axes TCZYX.

    Args:
        path: File to make.
        image: The image's metadata.
        tiles: Its tiles in the order of `omero_pixels.image_tiles`; those at the border may be smaller.
        side: Side of the tiles in pixels.
        source: Names the image among all servers; makes the file's UUID, so that the same image gives the same file.
    """
    import tifffile

    dtype = pixel_dtype(image)
    shape = (image.size_t, image.size_c, image.size_z, image.size_y, image.size_x)
    size = dtype.itemsize
    for length in shape:
        size *= length
    with tifffile.TiffWriter(path, ome=True, bigtiff=size > CLASSIC_TIFF_LIMIT) as file:
        file.write(
            _padded(tiles, side),
            shape=shape,
            dtype=dtype,
            tile=(side, side),
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            maxworkers=int(os.environ.get("GALAXY_SLOTS", "1")),
            metadata=_ome_metadata(image, source),
        )


def _padded(tiles: Iterable["np.ndarray"], side: int) -> Iterator["np.ndarray"]:
    """TIFF stores whole tiles: fill those at the right and lower border with zeros."""
    import numpy as np

    for tile in tiles:
        rows, columns = side - tile.shape[0], side - tile.shape[1]
        yield np.pad(tile, ((0, rows), (0, columns))) if rows or columns else tile


def _ome_metadata(image: ImageDetails, source: str) -> dict[str, Any]:
    """The names that tifffile translates to OME-XML; what OMERO does not know is left out."""
    metadata: dict[str, Any] = {
        "axes": "TCZYX",
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, source)),
        "Name": image.name,
        "Channel": [_channel(channel) for channel in image.channels],
        "MapAnnotation": [{"Value": pairs} for pairs in _without_repeats(image.pairs)],
    }
    for axis, length in (("X", image.physical_x), ("Y", image.physical_y), ("Z", image.physical_z)):
        metadata |= _length_attributes(f"PhysicalSize{axis}", length)
    if image.description:
        metadata["Description"] = image.description
    if image.acquired:
        metadata["AcquisitionDate"] = image.acquired.strftime("%Y-%m-%dT%H:%M:%S")
    return metadata


def _length_attributes(name: str, length: Length | None) -> dict[str, Any]:
    return {} if length is None else {name: length.value, f"{name}Unit": length.symbol}


def _channel(channel: Channel) -> dict[str, Any]:
    named = {"Name": channel.name, "Color": channel.color}
    return (
        {name: value for name, value in named.items() if value is not None}
        | _length_attributes("EmissionWavelength", channel.emission)
        | _length_attributes("ExcitationWavelength", channel.excitation)
    )


def _without_repeats(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """Spread pairs over dictionaries so that a key that stands there twice keeps both values."""
    spread: list[dict[str, str]] = []
    for key, value in pairs:
        place = next((one for one in spread if key not in one), None)
        if place is None:
            place = {}
            spread.append(place)
        place[key] = value
    return spread

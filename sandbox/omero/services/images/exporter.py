"""Exporter: an image as OME-TIFF or OME-XML, for `omero export` and omero-cli-transfer."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.image_files import ImageFileError
from sandbox.omero.objects import hydrate
from sandbox.omero.objects.access import readable_row
from sandbox.omero.repository.pixel_access import open_pixels
from sandbox.omero.repository.pixel_store import MAX_PLANE_PIXELS, PixelSource
from sandbox.omero.server.servant import StatefulService
from sandbox.omero.services.images.pyramid import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from sandbox.omero.database.transactions import Transaction

AXES = "TCZYX"
PIXELS_PATHS = ["image", "channels.logicalChannel", "pixelsType"]


class Exporter(StatefulService):
    """The export of one image, into a temporary file without a name that goes with this service."""

    interface = "omero.api.Exporter"
    image_id: int | None = None
    made: IO[bytes] | None = None

    def addImage(self, image_id: int, current: Any) -> None:
        """Choose the image to export; as in OMERO, the last one counts."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            readable_row(tx, context, "Image", image_id)
        self.released()
        self.image_id = image_id

    def generateTiff(self, current: Any) -> int:
        """Write the OME-TIFF; return its size in bytes."""
        import tifffile

        with self.server.database.read(self.context(current)) as tx:
            pixels, source = self._open(tx, current)
        try:
            shape = source.shape
            if shape.size_x * shape.size_y > MAX_PLANE_PIXELS:
                raise errors.api_usage(f"Image {self.image_id}: too large to be exported; download its files or tiles")
            made = self._new_file()
            handle = tifffile.FileHandle(made, name="export.ome.tif")  # the file itself has no name
            with tifffile.TiffWriter(handle, ome=True, bigtiff=shape.total_bytes >= 1 << 31) as writer:
                writer.write(
                    _planes(source),
                    shape=(shape.size_t, shape.size_c, shape.size_z, shape.size_y, shape.size_x),
                    dtype=shape.wire_type.newbyteorder("="),
                    photometric="minisblack",
                    metadata=_metadata(pixels),
                )
        except (ImageFileError, OSError) as error:
            raise errors.resource(f"Image {self.image_id}: {error}") from error
        finally:
            source.close()
        return made.seek(0, 2)

    def generateXml(self, current: Any) -> int:
        """Write the OME-XML, without pixels; return its size in bytes."""
        import tifffile

        with self.server.database.read(self.context(current)) as tx:
            pixels, source = self._open(tx, current)
        source.close()
        sizes = tuple(getattr(pixels, f"size{axis}").val for axis in AXES)
        document = tifffile.OmeXml()
        planes = (sizes[0] * sizes[1] * sizes[2], 1, 1, *sizes[3:], 1)
        document.addimage(
            source.shape.wire_type.newbyteorder("="), sizes, planes, **{**_metadata(pixels), "axes": AXES}
        )
        return self._new_file().write(document.tostring(declaration=True).encode())

    def _new_file(self) -> IO[bytes]:
        self.released()
        self.made = tempfile.TemporaryFile(dir=self.server.files)  # noqa: SIM115 - lives as long as this service
        return self.made

    def _open(self, tx: Transaction, current: Any) -> tuple[Any, PixelSource]:
        if self.image_id is None:
            raise errors.api_usage("No image was added")
        rows = tx.find("Pixels", image=self.image_id)
        if not rows:
            raise errors.api_usage(f"Image {self.image_id} has no pixels")
        (pixels,) = hydrate.load(tx, self.context(current), "Pixels", [rows[0]["id"]], PIXELS_PATHS)
        try:
            return pixels, open_pixels(tx, self.server.files, rows[0])
        except (ImageFileError, OSError) as error:
            raise errors.resource(f"Image {self.image_id}: {error}") from error

    def read(self, position: int, size: int, _current: Any) -> bytes:
        """Return bytes of the generated file; none at its end."""
        if self.made is None:
            raise errors.api_usage("Nothing was generated")
        if position < 0 or not 0 <= size <= MAX_MESSAGE_BYTES:
            raise errors.api_usage(f"position {position} and size {size}: not a part of the file")
        self.made.seek(position)
        return self.made.read(size)

    def released(self) -> None:
        """Close the generated file."""
        if self.made is not None:
            self.made.close()
            self.made = None


def _planes(source: PixelSource) -> Iterator[np.ndarray]:
    shape = source.shape
    for t in range(shape.size_t):
        for c in range(shape.size_c):
            for z in range(shape.size_z):
                plane = source.read_tile(0, z, c, t, 0, 0, shape.size_x, shape.size_y)
                yield plane.astype(shape.wire_type.newbyteorder("="))


def _metadata(pixels: Any) -> dict[str, Any]:
    """Return what OME-XML says about the image, in the terms of tifffile."""
    image = pixels.image
    found: dict[str, Any] = {"axes": AXES, "Name": image.name.val if image.name is not None else ""}
    if image.description is not None:
        found["Description"] = image.description.val
    for name in ("physicalSizeX", "physicalSizeY", "physicalSizeZ", "timeIncrement"):
        quantity = getattr(pixels, name)
        if quantity is not None:
            key = name[0].upper() + name[1:]
            found[key], found[f"{key}Unit"] = quantity.getValue(), quantity.getSymbol()
    channels = pixels.copyChannels()
    names = [c.logicalChannel.name.val if c.logicalChannel.name is not None else None for c in channels]
    found["Channel"] = {"Color": [_color(c) for c in channels]}
    if all(names):
        found["Channel"]["Name"] = names
    for key, name in (("EmissionWavelength", "emissionWave"), ("ExcitationWavelength", "excitationWave")):
        waves = [getattr(c.logicalChannel, name) for c in channels]
        if all(wave is not None for wave in waves):
            found["Channel"][key] = [wave.getValue() for wave in waves]
            found["Channel"][f"{key}Unit"] = [wave.getSymbol() for wave in waves]
    return found


def _color(channel: Any) -> int:
    """Pack a colour as OME-XML does: RGBA in a signed 32-bit integer."""
    parts = [getattr(channel, name) for name in ("red", "green", "blue", "alpha")]
    red, green, blue, alpha = [part.val if part is not None else 255 for part in parts]
    packed = red << 24 | green << 16 | blue << 8 | alpha
    return packed - (1 << 32) if packed >= 1 << 31 else packed

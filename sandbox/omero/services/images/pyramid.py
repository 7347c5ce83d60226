"""The common part of RawPixelsStore and RenderingEngine: opened pixels and their resolution levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.image_files import ImageFileError
from sandbox.omero.objects.access import readable_row
from sandbox.omero.repository.pixel_access import open_pixels
from sandbox.omero.repository.pixel_store import MAX_PLANE_PIXELS, PixelSource, StoredPixels
from sandbox.omero.repository.reduced_pixels import ReducedPixels, with_smaller_sizes
from sandbox.omero.server.servant import StatefulService

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.server.state import Server

# Ice.MessageSizeMax of OMERO.server (omero.ice.config: 250000 KB), less room for the message's header.
MAX_MESSAGE_BYTES = 250_000 * 1024 - 4096
TILE_BYTES = 1 << 20


def open_readable_pixels(server: Server, context: Context, pixels_id: int) -> tuple[dict[str, Any], PixelSource]:
    """Open pixels that the caller may read; return their row and themselves, which the caller closes.

    Raises:
        omero.ResourceError: Their file is gone or damaged.
    """
    with server.database.read(context) as tx:
        pixels = readable_row(tx, context, "Pixels", pixels_id)
        try:
            return pixels, open_pixels(tx, server.files, pixels)
        except (ImageFileError, OSError) as error:
            raise errors.resource(f"Pixels {pixels_id}: {error}") from error


class PyramidService(StatefulService):
    """A service that works on the pixels of one image.

    Attributes:
        pixels: Row of the Pixels; None before an id is set.
        source: Its pixels.
        level: Resolution level in use, 0 is full size (OMERO's clients count from the smallest).
        writes: Whether it writes pixels, which then have one size.
    """

    pixels: dict[str, Any] | None = None
    source: PixelSource | None = None
    level = 0
    writes = False

    def open_pixels(self, pixels_id: int, current: Any) -> dict[str, Any]:
        """Switch to the pixels with this id; return their row."""
        pixels, source = open_readable_pixels(self.server, self.context(current), pixels_id)
        self.released()
        if not (self.writes and isinstance(source, StoredPixels)):
            source = with_smaller_sizes(source)
        self.pixels, self.source, self.level = pixels, source, 0
        return pixels

    def opened(self) -> PixelSource:
        """Return the pixels; raise omero.ApiUsageException where no id was set."""
        if self.source is None:
            raise errors.api_usage("This service has no pixels: set the id of the pixels first")
        return self.source

    def require_ready(self) -> None:
        """Raise MissingPyramidException or LockTimeout in the test mode; see server/trials.py."""
        assert self.pixels is not None
        source = self.opened()
        full = source.full if isinstance(source, ReducedPixels) else source
        self.server.trials.require_ready(self.pixels["id"], full)

    def released(self) -> None:
        """Close the file of the pixels."""
        if self.source is not None:
            self.source.close()
        self.source = None

    def requiresPixelsPyramid(self, _current: Any) -> bool:
        """Return whether the planes are too large to be used whole: more than 3192 x 3192 pixels."""
        shape = self.opened().shape
        return shape.size_x * shape.size_y > MAX_PLANE_PIXELS

    def getResolutionLevels(self, _current: Any) -> int:
        """Return the number of sizes in which the image is stored."""
        return len(self.opened().level_sizes)

    def getResolutionDescriptions(self, _current: Any) -> list[Any]:
        """Return width and height of every size, the full size first."""
        import omero

        return [omero.api.ResolutionDescription(w, h) for w, h in self.opened().level_sizes]

    def getResolutionLevel(self, _current: Any) -> int:
        """Return the size in use; 0 is the smallest."""
        return len(self.opened().level_sizes) - 1 - self.level

    def setResolutionLevel(self, level: int, _current: Any) -> None:
        """Choose a size; 0 is the smallest."""
        levels = len(self.opened().level_sizes)
        if not 0 <= level < levels:
            raise errors.api_usage(f"Resolution level {level} is not one of 0..{levels - 1}")
        self.level = levels - 1 - level

    def getTileSize(self, _current: Any) -> list[int]:
        """Return width and height of a tile that is cheap to read."""
        source = self.opened()
        width, height = source.tile_size
        if width == source.shape.size_x:  # strips: as many rows as make a megabyte, as Bio-Formats counts
            height = min(source.shape.size_y, max(1, TILE_BYTES // source.shape.row_bytes))
        return [width, height]

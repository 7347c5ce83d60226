"""ThumbnailStore: small JPEG pictures of images, rendered when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero import errors
from sandbox.omero.rendering import views
from sandbox.omero.rendering.pictures import to_jpeg
from sandbox.omero.rendering.settings import DEFAULT_COMPRESSION
from sandbox.omero.services.images.raw_pixels_store import bad_values_named
from sandbox.omero.services.images.rendering_engine import RenderingEngine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.omero.rendering.pictures import Rendering

DEFAULT_SIDE = 48  # ThumbnailBean: width and height where the client gives none
MAX_SIDE = 1024
NOT_YET = 128  # grey; ThumbnailBean gives a picture of a clock


class ThumbnailStore(RenderingEngine):
    """Thumbnails of the image in use, or of several.

    The class inherits the rendering engine's settings; clients can call only the operations of its own interface.
    """

    interface = "omero.api.ThumbnailStore"
    in_progress = False

    def setPixelsId(self, pixels_id: int, current: Any) -> bool:
        """Switch to an image; return whether there are rendering settings for it."""
        self.lookupPixels(pixels_id, current)
        return self.lookupRenderingDef(pixels_id, current)

    def setRenderingDefId(self, definition_id: int, current: Any) -> None:
        """Load the settings with this id."""
        self.loadRenderingDef(definition_id, current)

    def getRenderingDefId(self, _current: Any) -> int:
        """Return the id of the settings in use."""
        if self.definition_id is None:
            raise errors.api_usage("No rendering settings in use")
        return self.definition_id

    def resetDefaults(self, current: Any) -> None:
        """Save the default settings as the caller's own, if the caller may."""
        import omero

        try:
            self.rendering = self._defaults(current)
        except omero.ConcurrencyException:
            self.in_progress = True
            return
        if self._may_save(current):
            self._save_own(current)

    def isInProgress(self, _current: Any) -> bool:
        """Return whether the last picture is a placeholder for pixels that are not ready."""
        return self.in_progress

    def thumbnailExists(self, _width: Any, _height: Any, _current: Any) -> bool:
        """Return True: thumbnails are made when asked for."""
        self.opened()
        return True

    def createThumbnail(self, _width: Any, _height: Any, _current: Any) -> None:
        """Do nothing: thumbnails are made when asked for."""
        self.opened()

    def createThumbnails(self, _current: Any) -> None:
        """Do nothing: thumbnails are made when asked for."""
        self.opened()

    def createThumbnailsByLongestSideSet(self, side: Any, pixels_ids: Iterable[int], current: Any) -> None:
        """Do nothing: thumbnails are made when asked for."""

    def _thumbnail(self, width: Any, height: Any, current: Any, z: int | None = None, t: int | None = None) -> bytes:
        import omero

        box = (_side(width), _side(height))
        try:
            self.load(current)
        except omero.ConcurrencyException:
            self.in_progress = True
            return to_jpeg(np.full((box[1], box[0], 3), NOT_YET, np.uint8), DEFAULT_COMPRESSION)
        self.in_progress = False
        rendering: Rendering = self._settings()
        with bad_values_named():
            picture = views.render_thumbnail(
                self.opened(),
                rendering,
                rendering.default_z if z is None else z,
                rendering.default_t if t is None else t,
                box,
            )
        return to_jpeg(picture, DEFAULT_COMPRESSION)

    def getThumbnail(self, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture that fits into width and height."""
        return self._thumbnail(width, height, current)

    def getThumbnailWithoutDefault(self, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture as getThumbnail does."""
        return self._thumbnail(width, height, current)

    def getThumbnailDirect(self, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture as getThumbnail does."""
        return self._thumbnail(width, height, current)

    def getThumbnailByLongestSide(self, side: Any, current: Any) -> bytes:
        """Return a picture whose longest side has this length."""
        return self._thumbnail(side, side, current)

    def getThumbnailByLongestSideDirect(self, side: Any, current: Any) -> bytes:
        """Return a picture as getThumbnailByLongestSide does."""
        return self._thumbnail(side, side, current)

    def getThumbnailForSectionDirect(self, z: int, t: int, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture of one plane that fits into width and height."""
        return self._thumbnail(width, height, current, z, t)

    def getThumbnailForSectionByLongestSideDirect(self, z: int, t: int, side: Any, current: Any) -> bytes:
        """Return a picture of one plane whose longest side has this length."""
        return self._thumbnail(side, side, current, z, t)

    def getThumbnailSet(self, width: Any, height: Any, pixels_ids: Iterable[int], current: Any) -> dict[int, bytes]:
        """Return thumbnails of several images by the ids of their pixels, without those that cannot be shown."""
        import omero

        found = {}
        for pixels_id in pixels_ids or []:
            try:
                self.setPixelsId(pixels_id, current)
                found[pixels_id] = self._thumbnail(width, height, current)
            except (omero.ValidationException, omero.ResourceError):
                continue
        return found

    def getThumbnailByLongestSideSet(self, side: Any, pixels_ids: Iterable[int], current: Any) -> dict[int, bytes]:
        """Return thumbnails as getThumbnailSet does, with this longest side."""
        return self.getThumbnailSet(side, side, pixels_ids, current)


def _side(value: Any) -> int:
    side = DEFAULT_SIDE if value is None else value.val
    if not 1 <= side <= MAX_SIDE:
        raise errors.validation(f"A thumbnail cannot be {side} pixels wide: 1 to {MAX_SIDE} are possible")
    return side

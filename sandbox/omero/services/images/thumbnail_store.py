"""ThumbnailStore: small JPEG pictures of images, rendered when asked for.

As in OMERO (ThumbnailBean, ThumbnailCtx) the database notes which sizes a user has seen, and the version counts up when
the rendering settings changed since: OMERO.web puts it into the address, so that a browser asks for the new picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero import errors
from sandbox.omero.access.directory import GROUP_ANNOTATE, GROUP_READ, GROUP_WRITE
from sandbox.omero.access.permissions import rights
from sandbox.omero.objects.access import readable_row
from sandbox.omero.rendering import views
from sandbox.omero.rendering.pictures import longest_side_size, to_jpeg
from sandbox.omero.rendering.settings import DEFAULT_COMPRESSION
from sandbox.omero.services.images.raw_pixels_store import bad_values_named
from sandbox.omero.services.images.rendering_engine import RenderingEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction
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
    settings_owner: int | None = None
    """Whose thumbnails are looked for, if not the caller's: those of the owner of settings that the caller chose."""

    def setPixelsId(self, pixels_id: int, current: Any) -> bool:
        """Switch to an image; return whether there are rendering settings for it."""
        self.settings_owner = None
        self.lookupPixels(pixels_id, current)
        return self.lookupRenderingDef(pixels_id, current)

    def setRenderingDefId(self, definition_id: int, current: Any) -> None:
        """Load the settings with this id."""
        self.loadRenderingDef(definition_id, current)
        context = self.context(current)
        with self.server.database.read(context) as tx:
            self.settings_owner = readable_row(tx, context, "RenderingDef", definition_id)["owner_id"]

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

    def thumbnailExists(self, width: Any, height: Any, current: Any) -> bool:
        """Return whether a thumbnail of this size was made with the settings in use."""
        self.opened()
        context = self.context(current)
        with self.server.database.read(context) as tx:
            row = self._noted(tx, context, (_side(width), _side(height)))
            return row is not None and not self._is_outdated(tx, context, row)

    def createThumbnail(self, width: Any, height: Any, current: Any) -> None:
        """Note a thumbnail of this size; its picture is made when asked for."""
        self.opened()
        self._note((_side(width), _side(height)), current)

    def createThumbnails(self, current: Any) -> None:
        """Bring what is noted of the image's thumbnails up to date; pictures are made when asked for."""
        self.opened()
        context = self.context(current)
        with self.server.database.read(context) as tx:
            sizes = {(row["sizeX"], row["sizeY"]) for row in tx.find("Thumbnail", pixels=self._pixels()["id"])}
        for size in sorted(sizes):
            self._note(size, current)

    def createThumbnailsByLongestSideSet(self, side: Any, pixels_ids: Iterable[int], current: Any) -> None:
        """Note thumbnails of several images."""
        self.getThumbnailByLongestSideSet(side, pixels_ids, current)

    # What the database notes of thumbnails.

    def _noted(self, tx: Transaction, context: Context, size: tuple[int, int]) -> dict[str, Any] | None:
        """Return the row of the caller's thumbnail of this size, else that of the image's owner."""
        pixels = self._pixels()
        rows = tx.find("Thumbnail", pixels=pixels["id"], sizeX=size[0], sizeY=size[1])
        for owner in (self.settings_owner or context.user_id, pixels["owner_id"]):
            own = [row for row in rows if row["owner_id"] == owner]
            if own:
                return own[-1]
        return None

    def _is_outdated(self, tx: Transaction, context: Context, row: dict[str, Any]) -> bool:
        """Return whether a noted thumbnail has to be made anew, as ThumbnailCtx.isThumbnailCached decides it."""
        settings = None if self.definition_id is None else tx.get("RenderingDef", self.definition_id)
        if settings is None or settings["update_id"] <= row["update_id"]:
            return False
        user, owner = self.settings_owner or context.user_id, row["owner_id"]
        if owner != context.user_id:
            return bool(user == context.user_id) != bool(user == owner)
        return bool(user == owner) or not self._is_read_only(context)

    def _is_read_only(self, context: Context) -> bool:
        """Return whether the caller's thumbnail of this image is not noted: ThumbnailCtx.isExtendedGraphCritical."""
        pixels = self._pixels()
        if pixels["owner_id"] == context.user_id or context.is_admin:
            return False
        bits = context.directory.groups[pixels["group_id"]].permissions
        return not bits & GROUP_READ or not bits & (GROUP_ANNOTATE | GROUP_WRITE)

    def _note(self, size: tuple[int, int], current: Any) -> None:
        """Note that there is a thumbnail of this size made with the settings in use, as far as the caller may."""
        if self.definition_id is None:
            return
        context = self.context(current)
        with self.server.database.read(context) as tx:
            row = self._noted(tx, context, size)
            if self._is_read_only(context) if row is None else not self._is_outdated(tx, context, row):
                return
        with self.server.database.write(context) as tx:
            self._write_note(tx, context, size)

    def _write_note(self, tx: Transaction, context: Context, size: tuple[int, int]) -> None:
        pixels, row = self._pixels(), self._noted(tx, context, size)
        settings = tx.get("RenderingDef", self.definition_id) if self.definition_id is not None else None
        if row is None or settings is None or settings["owner_id"] != row["owner_id"]:
            values = {"pixels": pixels["id"], "mimeType": "image/jpeg", "sizeX": size[0], "sizeY": size[1]}
            tx.create("Thumbnail", **values, group_id=pixels["group_id"])
        elif rights(context, row["owner_id"], row["group_id"]).edit:
            tx.update("Thumbnail", row["id"])

    def _thumbnail(self, box: tuple[int, int], current: Any, z: int | None = None, t: int | None = None) -> bytes:
        """Render a plane to a picture of exactly this width and height."""
        import omero

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

    def _longest(self, side: Any) -> tuple[int, int]:
        shape = self.opened().shape
        return longest_side_size(shape.size_x, shape.size_y, _side(side))

    def _noted_thumbnail(self, size: tuple[int, int], current: Any) -> bytes:
        picture = self._thumbnail(size, current)
        if not self.in_progress:
            self._note(size, current)
        return picture

    def getThumbnail(self, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture of this width and height, whatever the proportions of the image, and note it."""
        return self._noted_thumbnail((_side(width), _side(height)), current)

    def getThumbnailWithoutDefault(self, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture as getThumbnail does."""
        return self.getThumbnail(width, height, current)

    def getThumbnailDirect(self, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture as getThumbnail does, without noting it."""
        return self._thumbnail((_side(width), _side(height)), current)

    def getThumbnailByLongestSide(self, side: Any, current: Any) -> bytes:
        """Return a picture whose longest side has this length, and note it."""
        return self._noted_thumbnail(self._longest(side), current)

    def getThumbnailByLongestSideDirect(self, side: Any, current: Any) -> bytes:
        """Return a picture as getThumbnailByLongestSide does, without noting it."""
        return self._thumbnail(self._longest(side), current)

    def getThumbnailForSectionDirect(self, z: int, t: int, width: Any, height: Any, current: Any) -> bytes:
        """Return a picture of one plane of this width and height."""
        return self._thumbnail((_side(width), _side(height)), current, z, t)

    def getThumbnailForSectionByLongestSideDirect(self, z: int, t: int, side: Any, current: Any) -> bytes:
        """Return a picture of one plane whose longest side has this length."""
        return self._thumbnail(self._longest(side), current, z, t)

    def getThumbnailSet(self, width: Any, height: Any, pixels_ids: Iterable[int], current: Any) -> dict[int, bytes]:
        """Return thumbnails of several images by the ids of their pixels, without those that cannot be shown."""
        return self._set(pixels_ids, current, lambda: (_side(width), _side(height)))

    def getThumbnailByLongestSideSet(self, side: Any, pixels_ids: Iterable[int], current: Any) -> dict[int, bytes]:
        """Return thumbnails as getThumbnailSet does, with this longest side."""
        return self._set(pixels_ids, current, lambda: self._longest(side))

    def _set(
        self, pixels_ids: Iterable[int] | None, current: Any, size: Callable[[], tuple[int, int]]
    ) -> dict[int, bytes]:
        import omero

        found = {}
        for pixels_id in pixels_ids or []:
            try:
                self.setPixelsId(pixels_id, current)
                found[pixels_id] = self._noted_thumbnail(size(), current)
            except (omero.ValidationException, omero.ResourceError):
                continue
        return found


def _side(value: Any) -> int:
    side = DEFAULT_SIDE if value is None else value.val
    if not 1 <= side <= MAX_SIDE:
        raise errors.validation(f"A thumbnail cannot be {side} pixels wide: 1 to {MAX_SIDE} are possible")
    return side

"""IProjection: projections of stacks along z, as bytes or as a new image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.image_files.series_reader import numpy_type_of
from sandbox.omero.rendering import views
from sandbox.omero.services.images.pixels import Pixels
from sandbox.omero.services.images.pyramid import open_readable_pixels
from sandbox.omero.services.images.raw_pixels_store import bad_values_named
from sandbox.omero.services.images.rendering_engine import PROJECTIONS

if TYPE_CHECKING:
    import numpy as np

    from sandbox.omero.repository.pixel_store import PixelSource


class Projection(Pixels):
    """The service of projections; it makes images as IPixels does."""

    interface = "omero.api.IProjection"

    def _source(self, pixels_id: int, current: Any) -> tuple[dict[str, Any], PixelSource]:
        pixels, source = open_readable_pixels(self.server, self.context(current), pixels_id)
        try:
            self.server.trials.require_ready(pixels_id, source)
        except Exception:
            source.close()
            raise
        return pixels, source

    def _wire_type(self, pixel_type: Any, source: PixelSource) -> np.dtype:
        """Return the type of the result: that of the pixels, unless the client names another."""
        if pixel_type is None:
            return source.shape.wire_type
        return numpy_type_of(self._pixel_type(pixel_type)["value"]).newbyteorder(">")

    def projectStack(
        self,
        pixels_id: int,
        pixel_type: Any,
        kind: Any,
        t: int,
        channel: int,
        step: int,
        first: int,
        last: int,
        current: Any,
    ) -> bytes:
        """Return the projection of one channel at one time point."""
        _, source = self._source(pixels_id, current)
        try:
            wire_type = self._wire_type(pixel_type, source)
            with bad_values_named():
                plane = views.projected_plane(source, PROJECTIONS[kind.value], channel, t, first, last, step)
                return plane.astype(wire_type).tobytes()
        finally:
            source.close()

    def projectPixels(
        self,
        pixels_id: int,
        pixel_type: Any,
        kind: Any,
        first_t: int,
        last_t: int,
        channels: list[int],
        step: int,
        first: int,
        last: int,
        name: str,
        current: Any,
    ) -> int:
        """Make a new image of the projections of time points and channels; return its id."""
        from omero.rtypes import rint

        pixels, source = self._source(pixels_id, current)
        try:
            if not 0 <= first_t <= last_t < source.shape.size_t:
                raise errors.api_usage(f"t={first_t}..{last_t} is not inside 0..{source.shape.size_t - 1}")
            chosen = list(channels) if channels else list(range(source.shape.size_c))
            sizes = (None, None, rint(1), rint(last_t - first_t + 1))
            image: int = self.copyAndResizeImage(pixels["image"], *sizes, chosen, str(kind), False, current).val
            made = self._retype(image, name, pixel_type, current)
            _, target = self._source(made, current)
            try:
                with bad_values_named():
                    for t in range(first_t, last_t + 1):
                        for index, c in enumerate(chosen):
                            plane = views.projected_plane(source, PROJECTIONS[kind.value], c, t, first, last, step)
                            data = plane.astype(target.shape.wire_type).tobytes()
                            place = (0, index, t - first_t, 0, 0, plane.shape[1], plane.shape[0])
                            target.write_tile(data, *place)  # type: ignore[attr-defined]
            finally:
                target.close()
        finally:
            source.close()
        return image

    def _retype(self, image_id: int, name: str, pixel_type: Any, current: Any) -> int:
        """Give the new image its name and pixel type; return the id of its pixels."""
        with self.server.database.write(self.context(current)) as tx:
            if name:
                tx.update("Image", image_id, name=name)
            pixels_id: int = tx.find("Pixels", image=image_id)[0]["id"]
            if pixel_type is not None:
                kind = self._pixel_type(pixel_type)
                tx.update("Pixels", pixels_id, pixelsType=kind["id"], significantBits=kind["bitSize"])
        return pixels_id

"""Test mode: a server as slow and as busy as a real one, set by keys of IConfig.

| key | what the server does |
|---|---|
| `omero.sandbox.missing_pyramid_ms` | has no pyramid of an image for so long after the first request for its pixels |
| `omero.sandbox.lock_timeout_ms` | has the pixels of an image locked for so long after the first request for them |
| `omero.sandbox.answer_ms` | delays every operation by so long |

Until then requests for pixels are answered as by OMERO's PixelsService (omero-romio,
src/main/java/ome/io/nio/PixelsService.java, `_getPixelBuffer`): MissingPyramidException for an imported image whose
planes have more than 3192 x 3192 pixels in one resolution only, LockTimeout for one that is being written (here: any
imported one). A pyramid of floating point numbers is never made (`makePyramid`), so such a request never succeeds.
OMERO's `backOff` is a guess: for a pyramid by the number of tiles (SimpleBackOff.java), for a lock 15 s. Here it is
short, so that clients must retry often.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox.omero import errors
from sandbox.omero.repository.pixel_store import MAX_PLANE_PIXELS, StoredPixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.omero.repository.pixel_store import PixelSource

MISSING_PYRAMID_KEY = "omero.sandbox.missing_pyramid_ms"
LOCK_TIMEOUT_KEY = "omero.sandbox.lock_timeout_ms"
ANSWER_KEY = "omero.sandbox.answer_ms"
BACK_OFF_MS = 100


class Trials:
    """The difficulties that are set, and since when clients have waited for which pixels."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = config
        self._asked: dict[tuple[str, int], float] = {}

    def wait(self) -> None:
        """Wait for as long as operations are delayed."""
        if ANSWER_KEY in self._config:
            time.sleep(self._seconds(ANSWER_KEY))

    def require_ready(self, pixels_id: int, source: PixelSource) -> None:
        """Check that pixels are ready by now.

        Raises:
            omero.MissingPyramidException: Their pyramid is still to be made.
            omero.LockTimeout: They are still locked.
        """
        if isinstance(source, StoredPixels):
            return
        if self._is_missing_pyramid(pixels_id, source):
            raise errors.missing_pyramid(f"Missing pyramid:{pixels_id}_pyramid", BACK_OFF_MS, pixels_id)
        if self._waits(LOCK_TIMEOUT_KEY, pixels_id):
            raise errors.lock_timeout("Import in progress.", 0, BACK_OFF_MS)

    def _is_missing_pyramid(self, pixels_id: int, source: PixelSource) -> bool:
        shape = source.shape
        if MISSING_PYRAMID_KEY not in self._config or len(source.level_sizes) > 1:
            return False
        if shape.size_x * shape.size_y <= MAX_PLANE_PIXELS:
            return False
        return self._waits(MISSING_PYRAMID_KEY, pixels_id) or shape.wire_type.kind == "f"

    def _waits(self, key: str, pixels_id: int) -> bool:
        seconds = self._seconds(key)
        return seconds > 0 and time.monotonic() < self._asked.setdefault((key, pixels_id), time.monotonic()) + seconds

    def _seconds(self, key: str) -> float:
        value = self._config.get(key, "")
        return int(value) / 1000 if value.isdecimal() else 0.0

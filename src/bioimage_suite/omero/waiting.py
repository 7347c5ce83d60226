"""Waiting for pixels that OMERO is still preparing: the pyramid of a large image, or an import in progress."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from bioimage_suite.core.errors import UserError

LONGEST_WAIT = 900.0
"""Seconds that a tool waits for the pixels of one image before it gives up."""
SHORTEST, LONGEST, UNKNOWN = 0.1, 60.0, 5.0
"""Seconds between two attempts: at least, at most, and where the server does not say."""
Result = TypeVar("Result")


class PixelsWait:
    """Requests for pixels that are repeated until the server has prepared them; shared by several threads.

    OMERO answers `MissingPyramidException` or `LockTimeout` while it makes a pyramid or finishes an import, and says
    with `backOff` when to ask again (omero-blitz, src/main/slice/omero/ServerErrors.ice).
    """

    def __init__(self, sleep: Callable[[float], Any]) -> None:
        """Wait by `sleep(seconds)`, which returns true when the waiting is to end at once."""
        self._sleep = sleep
        self._one_waits = threading.Lock()

    def until_ready(self, request: Callable[[], Result], shown: str) -> Result:
        """Make a request for pixels; repeat it while the server prepares them, and print what it waits for.

        Args:
            request: The request.
            shown: The image in messages.

        Returns:
            The result of the request.

        Raises:
            UserError: The pixels are not ready after `LONGEST_WAIT`, or the waiting was ended.
        """
        import omero

        try:
            return request()
        except omero.ConcurrencyException as error:
            if isinstance(error, omero.OptimisticLockException):
                raise
        with self._one_waits:  # The other threads ask again when this one has the pixels: one message per image.
            return self._repeat(request, shown)

    def _repeat(self, request: Callable[[], Result], shown: str) -> Result:
        import omero

        waited = 0.0
        while True:
            try:
                return request()
            except omero.ConcurrencyException as error:
                seconds = _back_off(error)
                if waited + seconds > LONGEST_WAIT:
                    raise _given_up(error, shown, waited) from error
                print(
                    f"{shown}: {_reason(error)}; asking again in {seconds:g} s (waited {waited:.0f} of at most "
                    f"{LONGEST_WAIT:.0f} s)",
                    flush=True,
                )
                if self._sleep(seconds):
                    raise _given_up(error, shown, waited) from error
                waited += seconds


def _back_off(error: Any) -> float:
    """Return the seconds until the next attempt."""
    return min(max(error.backOff / 1000, SHORTEST), LONGEST) if error.backOff > 0 else UNKNOWN


def _reason(error: Any) -> str:
    import omero

    if isinstance(error, omero.MissingPyramidException):
        return "OMERO makes its pyramid (resolution levels)"
    return f"OMERO is not ready with its pixels ({error.message or type(error).__name__})"


def _given_up(error: Any, shown: str, waited: float) -> UserError:
    import omero

    remedy = "Run the tool again later"
    if isinstance(error, omero.MissingPyramidException):
        remedy += (
            "; an image whose pyramid never comes (OMERO makes none of floating point pixels) must be imported with "
            "resolution levels, for instance as OME-TIFF from convert_image"
        )
    return UserError(f"{shown}: {_reason(error)} and was not ready after {waited:.0f} s. {remedy}.")

"""Controls of a plate: wells with nothing in them (negative) or with a known effect (positive)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from bioimage_suite.plates.profiles import Profiles


@dataclass(frozen=True)
class Controls:
    """Which wells are controls: (wells,) bool each."""

    negative: np.ndarray
    positive: np.ndarray

    @property
    def samples(self) -> np.ndarray:
        """Return (wells,) bool: the wells that are no control."""
        return np.asarray(~(self.negative | self.positive))


def find_controls(profiles: Profiles, column: str, negative: str, positive: str) -> Controls:
    """Find the controls by the texts of a condition; upper and lower case mean the same.

    Args:
        profiles: The wells.
        column: Name of the condition.
        negative: Texts of negative controls, separated by commas.
        positive: Texts of positive controls; may be empty.

    Raises:
        UserError: There is no such condition, a well would be both, or no well is a negative control.
    """
    texts = [text.strip().casefold() for text in profiles.texts(column)]
    chosen = [{one.strip().casefold() for one in names.split(",") if one.strip()} for names in (negative, positive)]
    both = chosen[0] & chosen[1]
    if both:
        raise UserError(f"control {both.pop()!r}: given as negative and as positive. Keep it as one of them.")
    found = Controls(*(np.array([text in names for text in texts], dtype=bool) for names in chosen))
    if not found.negative.any():
        shown = ", ".join(repr(text) for text in list(dict.fromkeys(profiles.texts(column)))[:10])
        raise UserError(
            f"negative controls {negative!r}: no well has this in {column}; its texts are {shown}. Name one of them."
        )
    return found


def require_on_each_plate(profiles: Profiles, wanted: np.ndarray, what: str, least: int) -> None:
    """Check that each plate has enough wells of a kind, with objects.

    Raises:
        UserError: A plate has fewer than `least`.
    """
    for plate in profiles.plates:
        count = int((profiles.on_plate(plate) & wanted & (profiles.counts > 0)).sum())
        if count < least:
            raise UserError(
                f"plate {plate!r}: {count} {what} with objects, at least {least} are needed. Add them to the layout, "
                "or normalize to all wells."
            )

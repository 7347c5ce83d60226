"""Physical sizes and time steps as files give them: in the schema's units, or unknown with a note that says why."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bioimage_suite.core.units import LENGTH, TIME, UnitTable, micrometres
from bioimage_suite.images.model.image_file import PhysicalSize

if TYPE_CHECKING:
    from collections.abc import Mapping

# Extent of a pixel in µm that a microscope, or a camera on a stand, can have: an atom's hundredth, ten metres.
SMALLEST, LARGEST = 1e-6, 1e7


def pixel_sizes(given: Mapping[str, tuple[float | str, str]], notes: list[str]) -> dict[str, PhysicalSize]:
    """Return the physical sizes that can be.

    Args:
        given: Value and unit by axis `x`, `y`, `z`.
        notes: Gets a sentence for each that is left out.
    """
    found = {axis: _pixel_size(axis, value, unit, notes) for axis, (value, unit) in given.items()}
    return {axis: size for axis, size in found.items() if size}


def _pixel_size(axis: str, value: float | str, unit: str, notes: list[str]) -> PhysicalSize | None:
    what = f"the physical size along {axis}"
    size = _quantity(what, value, unit, LENGTH, notes)
    extent = micrometres(size.value, size.unit) if size else None
    if extent is not None and not SMALLEST <= extent <= LARGEST:
        notes.append(f"{what} is {value} {unit}, which no pixel has; it is taken as unknown")
        return None
    return size


def time_step(value: float | str | None, unit: str, notes: list[str]) -> PhysicalSize | None:
    """Return the time between two time points, None where it is unknown.

    Args:
        value: As the file gives it; 0 stands for unknown in most.
        unit: As the file gives it.
        notes: Gets a sentence where it is left out.
    """
    if value is None or _number(value) == 0:
        return None
    return _quantity("the time between frames", value, unit, TIME, notes)


def _quantity(what: str, value: float | str, unit: str, table: UnitTable, notes: list[str]) -> PhysicalSize | None:
    number = _number(value)
    if not (math.isfinite(number) and number > 0):
        notes.append(f"{what} is {value} {unit}, which cannot be; it is taken as unknown")
        return None
    symbol = table.symbol(unit)
    if symbol is None:
        notes.append(f"{what} is {value} in the unit {unit!r}, which is none that OME knows; it is taken as unknown")
        return None
    return PhysicalSize(number, symbol)


def _number(value: float | str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan

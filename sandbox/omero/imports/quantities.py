"""Quantities of files in the columns of the model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.omero.image_files import Quantity


@functools.cache
def _unit_names(kind: str) -> dict[str, str]:
    import omero.model

    return {symbol: name for name, symbol in getattr(omero.model, kind + "I").SYMBOLS.items()}


def quantity_columns(name: str, quantity: Quantity | None, kind: str = "Length") -> dict[str, Any]:
    """Return the two columns of a quantity; none for a unit that OMERO does not know."""
    unit = _unit_names(kind).get(quantity.unit) if quantity else None
    if quantity is None or unit is None:
        return {}
    return {name: quantity.value, name + "_unit": unit}

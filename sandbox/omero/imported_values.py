"""Values as files give them, in the columns of the model: quantities with their units, entries of enumerations."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sandbox.omero.image_files import Quantity

if TYPE_CHECKING:
    from sandbox.omero.database import Transaction


@functools.cache
def _unit_names(kind: str) -> dict[str, str]:
    import omero.model

    return {symbol: name for name, symbol in getattr(omero.model, kind + "I").SYMBOLS.items()}


def quantity_columns(name: str, quantity: Quantity | None, kind: str = "Length") -> dict[str, Any]:
    """Return the two columns of a quantity; one with a unit that OMERO does not know is left out."""
    unit = _unit_names(kind).get(quantity.unit) if quantity else None
    if quantity is None or unit is None:
        return {}
    return {name: quantity.value, name + "_unit": unit}


def enum_id(tx: Transaction, entity: str, value: str) -> int:
    """Return the id of an enumeration's value; OMERO too adds what a file says and its list does not have."""
    found = tx.enum(entity, value)
    return found if found is not None else tx.create(entity, value=value)

"""Names and number of columns that an OMERO.table can hold.

OMERO.tables stores a table with PyTables, a column as a member of an HDF5 type. PyTables refuses some names, OMERO
others (omero-py, src/omero/hdfstorageV2.py: "Reserved column name"), and HDF5 limits the size of the type. The server
reports all of these as internal errors.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.tables.feature_table import Feature

_RESERVED = re.compile(r"(_[cfgv]_|__)")
TYPE_LIMIT = 65_520
"""Bytes that HDF5 can describe the columns with: an object header of 64 KB without its own parts; measured."""
_MEMBER = 32
_KIND = {"string": 8, "double": 20}
"""Bytes that describe a column, and those of its type; all types but these take 12."""


def storable_columns(columns: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return columns under names that OMERO.tables can hold; a renamed column has its name as the description.

    Raises:
        UserError: There are more columns than an OMERO.table can hold.
    """
    names = {column.name for column in columns}
    found = []
    for column in columns:
        name = storable_name(column.name)
        if name == column.name:
            found.append(column)
            continue
        name = _unused(name, names)
        names.add(name)
        found.append(replace(column, name=name, description=column.name))
    _check_number(found)
    return tuple(found)


def storable_name(name: str) -> str:
    """Return a name that OMERO.tables can hold: "/" becomes "_", and reserved beginnings lose their underscores.

    >>> storable_name("area/perimeter"), storable_name("_v_x"), storable_name("__id__"), storable_name("mean_DAPI")
    ('area_perimeter', 'v_x', 'id__', 'mean_DAPI')
    """
    name = name.replace("/", "_")
    if _RESERVED.match(name):
        name = name.lstrip("_")
    return name if name not in ("", ".") else "column"


def _unused(name: str, names: set[str]) -> str:
    number = 2
    made = name
    while made in names:
        made, number = f"{name}_{number}", number + 1
    return made


def _check_number(columns: Sequence[Feature]) -> None:
    size = 0
    for number, column in enumerate(columns):
        padded = -(-(len(column.name.encode()) + 1) // 8) * 8
        size += padded + _MEMBER + _KIND.get(column.kind, 12)
        if size > TYPE_LIMIT:
            raise UserError(
                f"tables: {len(columns)} columns are too many for one OMERO.table, which can hold the first {number} "
                f"of them, up to {columns[number - 1].name!r}. Import fewer columns, or give them shorter names."
            )

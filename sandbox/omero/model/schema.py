"""The database's tables, generated from the entity model.

Each root entity has one table, which its subclasses share; `entity_class` is the class of a row. A reference is a
column with the property's name and an index; a quantity with a unit is two columns (`physicalSizeX`,
`physicalSizeX_unit`); a list of named values is a table of its own, `<Root>_<property>`, so that queries can use it.
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from sandbox.omero.model.entities import MODEL_ENTITIES, ORDERED, ROOTS, Entity, Property

SCHEMA_VERSION = 1

SCALARS: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "RString": sa.Text,
    "RInt": sa.Integer,
    "RLong": sa.Integer,
    "RBool": sa.Integer,
    "RTime": sa.Integer,
    "RDouble": sa.Float,
    "RFloat": sa.Float,
}
OWNERSHIP = {
    "owner_id": "Experimenter",
    "group_id": "ExperimenterGroup",
    "creation_id": "Event",
    "update_id": "Event",
    "external_id": "ExternalInfo",
}
"""Columns for `details`; they have no index, as they select badly and an index would mislead SQLite's planner."""
DETAIL_PROPERTIES = {
    "owner": ("owner_id", "Experimenter"),
    "group": ("group_id", "ExperimenterGroup"),
    "creationEvent": ("creation_id", "Event"),
    "updateEvent": ("update_id", "Event"),
    "externalInfo": ("external_id", "ExternalInfo"),
}
"""The properties of `details` by their names in HQL: the column that holds each, and what it refers to."""
UNIQUE = (
    ("Experimenter", ("omeName",)),
    ("ExperimenterGroup", ("name",)),
    ("Session", ("uuid",)),
    ("GroupExperimenterMap", ("parent", "child")),
)

METADATA = sa.MetaData()


def _column_name(entity: Entity, prop: Property) -> str:
    """Return the property's name, or `<Entity>_<name>` where sibling classes use one name for different things."""
    siblings = MODEL_ENTITIES[entity.root].subclasses
    types = {
        MODEL_ENTITIES[name].properties[prop.name].type
        for name in siblings
        if prop.name in MODEL_ENTITIES[name].properties
    }
    return prop.name if len(types) == 1 else f"{prop.declared_by}_{prop.name}"


def _columns(entity: Entity, prop: Property) -> list[sa.Column[Any]]:
    name = _column_name(entity, prop)
    if prop.kind == "scalar":
        return [sa.Column(name, SCALARS[prop.type])]
    if prop.kind == "unit":
        return [sa.Column(name, sa.Float), sa.Column(name + "_unit", sa.Text)]
    if prop.kind == "bytes":
        return [sa.Column(name, sa.LargeBinary)]
    if prop.kind == "strings":
        return [sa.Column(name, sa.JSON)]
    if prop.kind == "reference":
        target = MODEL_ENTITIES[prop.type].root
        # Deferred: a saved graph may refer forwards and in circles until it is complete.
        key = sa.ForeignKey(f"{target}.id", deferrable=True, initially="DEFERRED")
        columns = [sa.Column(name, sa.Integer, key, index=True)]
        if (entity.root, prop.name) in ORDERED:
            columns.append(sa.Column(name + "_index", sa.Integer))
        return columns
    return []


def _named_values_table(root: str, prop: Property) -> None:
    sa.Table(
        f"{root}_{prop.name}",
        METADATA,
        sa.Column("id", sa.Integer, sa.ForeignKey(f"{root}.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, index=True),
        sa.Column("value", sa.Text),
        sqlite_with_rowid=False,
    )


def _root_table(root: str) -> None:
    columns: dict[str, sa.Column[Any]] = {}
    for name in MODEL_ENTITIES[root].subclasses:
        entity = MODEL_ENTITIES[name]
        for prop in entity.properties.values():
            if prop.kind == "named_values" and f"{root}_{prop.name}" not in METADATA.tables:
                _named_values_table(root, prop)
            for column in _columns(entity, prop):
                columns.setdefault(column.name, column)
    details = []
    if not MODEL_ENTITIES[root].is_global:
        for column_name, target in OWNERSHIP.items():
            key = sa.ForeignKey(f"{target}.id", deferrable=True, initially="DEFERRED")
            details.append(sa.Column(column_name, sa.Integer, key))
    if root == "ExperimenterGroup":
        details.append(sa.Column("permissions", sa.Integer, nullable=False))
    sa.Table(
        root,
        METADATA,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("entity_class", sa.Text, nullable=False),
        *details,
        *columns.values(),
        # ids are never used again, not even after a delete
        sqlite_autoincrement=True,
    )


for _root in ROOTS:
    _root_table(_root)
for _entity, _names in UNIQUE:
    sa.Index(
        f"unique_{_entity}_{'_'.join(_names)}",
        *(METADATA.tables[_entity].c[name] for name in _names),
        unique=True,
    )
sa.Index("ix_EventLog_entityId", METADATA.tables["EventLog"].c.entityId)
for _link in MODEL_ENTITIES.values():
    if _link.is_link and not _link.is_global:
        _table = METADATA.tables[_link.root]
        sa.Index(f"unique_{_link.name}", _table.c.parent, _table.c.child, _table.c.owner_id, unique=True)

SETTING = sa.Table(
    "sandbox_setting",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""Facts about the database: `schema_version`, `uuid`, and the changed values of IConfig (`config.<key>`)."""
CREDENTIAL = sa.Table(
    "sandbox_credential",
    METADATA,
    sa.Column("experimenter_id", sa.ForeignKey("Experimenter.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
)
"""Password hashes, in a table of their own that no HQL query can reach."""


def table_of(entity: Entity | str) -> sa.Table:
    """Return the table that holds the entity's rows."""
    return METADATA.tables[entity.root if isinstance(entity, Entity) else MODEL_ENTITIES[entity].root]


@functools.cache
def column_name(entity: Entity, prop: Property) -> str:
    """Return the name of the (first) column that holds a property that is not a collection."""
    return _column_name(entity, prop)

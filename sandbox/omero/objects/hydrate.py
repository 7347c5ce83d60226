"""Ice objects from rows: whole graphs, in a number of SQL queries that depends on their shape, not their size.

A fetch tree names what to load, for instance `pixels.channels` and `details.owner`. The rest is as in OMERO:
references become unloaded objects (or the loaded object, if it is in the same answer), collections are marked as not
loaded, enumerations are always loaded.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.omero.access import permissions
from sandbox.omero.access.binary_access import RESTRICTION
from sandbox.omero.access.directory import permission_bits
from sandbox.omero.model.entities import MODEL_ENTITIES, ORDERED, Entity, Property, subclass_property
from sandbox.omero.model.schema import DETAIL_PROPERTIES, OWNERSHIP, column_name, table_of
from sandbox.omero.objects.restrictions import RESTRICTABLE, restricted_ids
from sandbox.omero.objects.rtypes import scalar_wrappers, shared_rtypes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction


@dataclass
class Fetch:
    """What to load below an object.

    Attributes:
        children: What to load below each property.
        pairs: For a collection, the (parent id, element id) pairs to take; None takes all elements.
    """

    children: dict[str, Fetch] = field(default_factory=dict)
    pairs: set[tuple[int, int]] | None = None

    def at(self, path: Iterable[str]) -> Fetch:
        """Return the node below this one at a path; make it if it is missing."""
        node = self
        for name in path:
            node = node.children.setdefault(name, Fetch())
        return node


def fetch_tree(paths: Iterable[str]) -> Fetch:
    """Return a tree of paths such as `pixels.channels`."""
    root = Fetch()
    for path in paths:
        root.at(path.split("."))
    return root


def load(tx: Transaction, context: Context, entity: str, ids: Iterable[int], fetch: Iterable[str] = ()) -> list[Any]:
    """Return the objects with these ids that the caller may see, in the order of the ids.

    Args:
        tx: A transaction.
        context: Who asks.
        entity: Name of an entity.
        ids: Any number of ids.
        fetch: Paths to load with them, `pixels.channels` or `details.owner`.
    """
    wanted = list(ids)
    found = MODEL_ENTITIES[entity]
    visible = set(wanted)
    if not found.is_global:
        condition, parameters = permissions.read_scope(context)
        table = table_of(found).name
        sql = f'SELECT id FROM "{table}" AS t WHERE id IN (SELECT value FROM json_each(:ids)) AND ' + (
            condition.format(alias="t")
        )
        visible = {row[0] for row in tx.rows(sql, parameters | {"ids": json.dumps(wanted)})}
    loader = Loader(tx, context)
    loader.load(found, [i for i in wanted if i in visible], fetch_tree(fetch))
    loader.connect()
    return [loader.objects[found.root, i] for i in wanted if i in visible and (found.root, i) in loader.objects]


class Loader:
    """The objects of one answer: every row becomes one object, however many references it has."""

    def __init__(self, tx: Transaction, context: Context) -> None:
        self.tx = tx
        self.context = context
        self.objects: dict[tuple[str, int], Any] = {}
        self._rows: dict[tuple[str, int], tuple[Any, ...]] = {}
        self._unconnected: list[tuple[str, int]] = []
        self._permissions: dict[tuple[int, int, bool], Any] = {}
        self._shared = shared_rtypes()
        self._scope, self._scope_parameters = permissions.read_scope(context)

    def load(self, entity: Entity, ids: Sequence[int], fetch: Fetch) -> None:
        """Load the objects that are still missing, and below all of them what `fetch` names."""
        root = entity.root
        missing = [i for i in dict.fromkeys(ids) if (root, i) not in self.objects]
        if missing:
            self._load_rows(root, missing)
        for name, below in fetch.children.items():
            if name == "details":
                self._fetch_details(root, ids, below)
                continue
            prop = subclass_property(MODEL_ENTITIES[root], name)
            if prop is None:
                continue
            if prop.kind == "reference":
                self._fetch_reference(root, ids, prop, below)
            elif prop.kind == "collection":
                self._fetch_collection(root, ids, prop, below)

    def _load_rows(self, root: str, ids: list[int]) -> None:
        columns = root_columns(root)
        listed = ", ".join(f'"{name}"' for name in columns)
        sql = f'SELECT {listed} FROM "{root}" WHERE id IN (SELECT value FROM json_each(:ids))'
        made: dict[str, list[tuple[Any, tuple[Any, ...]]]] = {}
        for row in self.tx.rows(sql, {"ids": json.dumps(ids)}):
            plan = object_plan(row[1])
            made.setdefault(row[1], []).append((plan.make(row, self._shared), row))
            key = (root, row[0])
            self._rows[key] = row
            self.objects[key] = made[row[1]][-1][0]
            self._unconnected.append(key)
        for name, pairs in made.items():
            for prop in object_plan(name).named_values:
                self._add_named_values(root, prop, pairs)

    def _add_named_values(self, root: str, prop: Property, pairs: list[tuple[Any, tuple[Any, ...]]]) -> None:
        import omero.model

        sql = (
            f'SELECT id, name, value FROM "{root}_{prop.name}" WHERE id IN (SELECT value FROM json_each(:ids))'
            " ORDER BY id, position"
        )
        values: dict[int, list[Any]] = {}
        for row_id, name, value in self.tx.rows(sql, {"ids": json.dumps([row[0] for _, row in pairs])}):
            values.setdefault(row_id, []).append(omero.model.NamedValue(name, value))
        for made, row in pairs:
            setattr(made, f"_{prop.name}", values.get(row[0], []))

    def _value(self, root: str, row_id: int, column: str) -> Any:
        row = self._rows.get((root, row_id))
        return row[root_columns(root)[column]] if row is not None else None

    def _fetch_reference(self, root: str, ids: Sequence[int], prop: Property, fetch: Fetch) -> None:
        column = column_name(MODEL_ENTITIES[prop.declared_by], prop)
        targets = [t for i in ids if (t := self._value(root, i, column)) is not None]
        self.load(MODEL_ENTITIES[prop.type], list(dict.fromkeys(targets)), fetch)

    def _fetch_details(self, root: str, ids: Sequence[int], fetch: Fetch) -> None:
        if MODEL_ENTITIES[root].is_global:
            return
        for name, below in fetch.children.items():
            if name not in DETAIL_PROPERTIES:
                continue
            column, target = DETAIL_PROPERTIES[name]
            targets = [t for i in ids if (t := self._value(root, i, column)) is not None]
            self.load(MODEL_ENTITIES[target], list(dict.fromkeys(targets)), below)

    def _fetch_collection(self, root: str, ids: Sequence[int], prop: Property, fetch: Fetch) -> None:
        element = MODEL_ENTITIES[prop.type]
        wanted = list(dict.fromkeys(ids))
        order = f'"{prop.inverse}_index", id' if (element.root, prop.inverse) in ORDERED else "id"
        scope = "1" if element.is_global else self._scope.format(alias="t")
        sql = (
            f'SELECT "{prop.inverse}", id FROM "{element.root}" AS t'
            f' WHERE "{prop.inverse}" IN (SELECT value FROM json_each(:ids)) AND {scope} ORDER BY {order}'
        )
        parameters = {"ids": json.dumps(wanted)} | ({} if element.is_global else self._scope_parameters)
        elements: dict[int, list[int]] = {}
        for parent, child in self.tx.rows(sql, parameters):
            if fetch.pairs is None or (parent, child) in fetch.pairs:
                elements.setdefault(parent, []).append(child)
        self.load(element, [child for children in elements.values() for child in children], fetch)
        for parent in wanted:
            owner = self.objects.get((root, parent))
            if owner is not None:
                setattr(owner, f"_{prop.name}Seq", [self.objects[element.root, c] for c in elements.get(parent, [])])
                setattr(owner, f"_{prop.name}Loaded", True)

    def connect(self) -> None:
        """Set the references and details of everything loaded. Call it once, after the last `load`."""
        self._load_groups()
        self._find_classes_of_proxies()
        restricted = self._restricted()
        for key in self._unconnected:
            row, made = self._rows[key], self.objects[key]
            plan = object_plan(row[1])
            for attribute, position, target in plan.references:
                value = row[position]
                if value is not None:
                    setattr(made, attribute, self.object_or_proxy(target, value))
            made._details = self._details(plan, row, is_restricted=key in restricted)
        self._unconnected = []

    def _load_groups(self) -> None:
        """Load the groups of all objects: in OMERO they are at hand, as the rights on an object depend on its group."""
        rows = (self._rows[key] for key in self._unconnected if not MODEL_ENTITIES[key[0]].is_global)
        groups = {row[3] for row in rows}
        missing = [group for group in groups if ("ExperimenterGroup", group) not in self._rows]
        if missing:
            self._load_rows("ExperimenterGroup", missing)

    def _restricted(self) -> set[tuple[str, int]]:
        """Return the keys of the objects loaded last whose original files the caller may not download."""
        rows: dict[str, list[tuple[str, tuple[Any, ...]]]] = {}
        for key in self._unconnected:
            row = self._rows[key]
            if row[1] in RESTRICTABLE:
                rows.setdefault(row[1], []).append((key[0], row))
        found: set[tuple[str, int]] = set()
        for name, pairs in rows.items():
            ids = restricted_ids(self.tx, self.context, name, [(row[0], row[2], row[3]) for _, row in pairs])
            found |= {(root, row[0]) for root, row in pairs if row[0] in ids}
        return found

    def _find_classes_of_proxies(self) -> None:
        """Find the concrete class of every unloaded annotation, shape or light source."""
        unknown: dict[str, set[int]] = {}
        for key in self._unconnected:
            row = self._rows[key]
            for _, position, target in object_plan(row[1]).references:
                value = row[position]
                if len(target.subclasses) > 1 and value is not None and (target.root, value) not in self.objects:
                    unknown.setdefault(target.root, set()).add(value)
        for root, ids in unknown.items():
            sql = f'SELECT id, entity_class FROM "{root}" WHERE id IN (SELECT value FROM json_each(:ids))'
            for row_id, name in self.tx.rows(sql, {"ids": json.dumps(sorted(ids))}):
                self.objects[root, row_id] = proxy(MODEL_ENTITIES[name], row_id)

    def object_or_proxy(self, target: Entity, row_id: int) -> Any:
        """Return what a reference to a row becomes: the loaded object if the answer has it, else an unloaded one."""
        if target.is_enumeration:
            return enumeration(self.tx, target.name).get(row_id)
        key = (target.root, row_id)
        found = self.objects.get(key)
        if found is None:
            found = self.objects[key] = proxy(target, row_id)
        return found

    def _details(self, plan: ObjectPlan, row: tuple[Any, ...], *, is_restricted: bool) -> Any:
        details = _new_details()()
        attributes = details.__dict__
        if plan.entity.is_global:
            own = (
                row[root_columns("ExperimenterGroup")["permissions"]]
                if plan.entity.name == "ExperimenterGroup"
                else None
            )
            attributes["_permissions"] = (
                self.permissions_of(-1, -1) if own is None else _permissions_object(own, [False] * 6)
            )
            return details
        owner, group, creation, update, external = row[2:7]
        attributes["_owner"] = self.object_or_proxy(MODEL_ENTITIES["Experimenter"], owner)
        attributes["_group"] = self.object_or_proxy(MODEL_ENTITIES["ExperimenterGroup"], group)
        attributes["_creationEvent"] = self.object_or_proxy(MODEL_ENTITIES["Event"], creation)
        attributes["_updateEvent"] = self.object_or_proxy(MODEL_ENTITIES["Event"], update)
        if external is not None:
            attributes["_externalInfo"] = self.object_or_proxy(MODEL_ENTITIES["ExternalInfo"], external)
        attributes["_permissions"] = self.permissions_of(owner, group, is_restricted=is_restricted)
        return details

    def permissions_of(self, owner: int, group: int, *, is_restricted: bool = False) -> Any:
        """Return the permissions object for an owner and group; the objects of one answer share it."""
        found = self._permissions.get((owner, group, is_restricted))
        if found is None:
            known = self.context.directory.groups.get(group)
            bits = known.permissions if known is not None else permission_bits("rwr-r-")
            rights = permissions.rights(self.context, owner, group)
            found = _permissions_object(bits, rights.restrictions())
            found._extendedRestrictions = [RESTRICTION] if is_restricted else []
            self._permissions[owner, group, is_restricted] = found
        return found


def _permissions_object(bits: int, restrictions: list[bool]) -> Any:
    import omero.model

    made = omero.model.PermissionsI(bits)
    made._restrictions = restrictions
    made._extendedRestrictions = []
    return made


@functools.cache
def _new_details() -> Callable[[], Any]:
    import omero.model

    return _copier(omero.model.DetailsI())


@functools.cache
def root_columns(root: str) -> dict[str, int]:
    """Return the position of every column in the rows that objects are made from: id, class and details come first."""
    names = [column.name for column in table_of(root).columns]
    first = ["id", "entity_class", *(name for name in OWNERSHIP if name in names)]
    return {name: position for position, name in enumerate([*first, *(n for n in names if n not in first)])}


def _copier(template: Any) -> Callable[[], Any]:
    """Return a function that makes objects like the template, several times faster than its constructor."""
    kind: Any = type(template)
    attributes = dict(template.__dict__)

    def copy() -> Any:
        made = kind.__new__(kind)
        made.__dict__.update(attributes)
        return made

    return copy


@dataclass(frozen=True)
class ObjectPlan:
    """The recipe by which a row of one class becomes an object."""

    entity: Entity
    new: Callable[[], Any]
    scalars: tuple[tuple[str, int, str], ...]
    units: tuple[tuple[str, int, int, type, Any], ...]
    plain: tuple[tuple[str, int, Callable[..., Any]], ...]
    references: tuple[tuple[str, int, Entity], ...]
    named_values: tuple[Property, ...]

    def make(self, row: tuple[Any, ...], shared: Mapping[str, Mapping[Any, Any]]) -> Any:
        """Make the object without references, details and collections; `shared` has the rtypes by kind and value."""
        made = self.new()
        attributes = made.__dict__
        attributes["_id"] = shared["RLong"][row[0]]
        for name, position, rtype in self.scalars:
            value = row[position]
            if value is not None:
                attributes[name] = shared[rtype][value]
        for name, position, unit_position, kind, units in self.units:
            if row[position] is not None:
                attributes[name] = kind(row[position], getattr(units, row[unit_position]))
        for name, position, convert in self.plain:
            if row[position] is not None:
                attributes[name] = convert(row[position])
        return made


@functools.cache
def object_plan(name: str) -> ObjectPlan:
    """Return the plan for a concrete entity."""
    import omero.model

    entity = MODEL_ENTITIES[name]
    template = getattr(omero.model, name + "I")(1, True)
    if hasattr(template, "_toggleCollectionsLoaded"):
        template._toggleCollectionsLoaded(False)
    columns = root_columns(entity.root)
    scalars: list[Any]
    units: list[Any]
    plain: list[Any]
    references: list[Any]
    named: list[Any]
    scalars, units, plain, references, named = [], [], [], [], []
    for prop in entity.properties.values():
        attribute = f"_{prop.name}"
        position = columns.get(column_name(entity, prop), -1)
        if prop.kind == "scalar":
            scalars.append((attribute, position, prop.type))
        elif prop.kind == "unit":
            unit_class = getattr(omero.model, prop.type + "I")
            unit_values = getattr(omero.model.enums, f"Units{prop.type}")
            units.append((attribute, position, columns[f"{prop.name}_unit"], unit_class, unit_values))
        elif prop.kind == "bytes":
            plain.append((attribute, position, bytes))
        elif prop.kind == "strings":
            plain.append((attribute, position, json.loads))
        elif prop.kind == "reference":
            references.append((attribute, position, MODEL_ENTITIES[prop.type]))
        elif prop.kind == "named_values":
            named.append(prop)
    return ObjectPlan(
        entity,
        _copier(template),
        tuple(scalars),
        tuple(units),
        tuple(plain),
        tuple(references),
        tuple(named),
    )


@functools.cache
def _proxy_maker(name: str) -> Callable[[], Any]:
    import omero.model

    return _copier(getattr(omero.model, name + "I")(1, False))


def proxy(entity: Entity, row_id: int) -> Any:
    """Return an unloaded object."""
    made = _proxy_maker(entity.name)()
    made.__dict__["_id"] = scalar_wrappers()["RLong"](row_id)
    return made


def enumeration(tx: Transaction, entity: str) -> Mapping[int, Any]:
    """Return the loaded objects of an enumeration by id. All answers share them: never change one."""
    key = ("enumeration", entity)
    caches = tx.database.caches
    if key not in caches:
        caches[key] = _enumeration_objects(tx, entity)
    found: dict[int, Any] = caches[key]
    return found


def _enumeration_objects(tx: Transaction, entity: str) -> dict[int, Any]:
    import omero.model

    columns = ", ".join(f'"{name}"' for name in root_columns(entity))
    objects, shared = {}, shared_rtypes()
    for row in tx.rows(f'SELECT {columns} FROM "{entity}" ORDER BY id', {}):
        made = objects[row[0]] = object_plan(entity).make(row, shared)
        made._details = omero.model.DetailsI()
        made._details._permissions = _permissions_object(permission_bits("rwr-r-"), [False] * 6)
    return objects

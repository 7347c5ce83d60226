"""Store Ice objects as rows, for IUpdate.

A graph is walked once to give every new object an id, then written table by table. Foreign keys are checked at the
end of the transaction, so the graph may refer forwards and in circles. As in OMERO, an unloaded object is only a
reference, a null property of a loaded object is stored as null, a collection that is not loaded stays unchanged, an
enumeration is found by its value, and owner, events and version are set by the server, not by the client.
"""

from __future__ import annotations

import functools
import itertools
import json
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.access.directory import PRIVATE, SYSTEM_GROUP, USER_GROUP, permission_bits, permission_text
from sandbox.omero.database.event_log import java_name
from sandbox.omero.model.entities import MODEL_ENTITIES, ORDERED, Entity, Property, find_entity
from sandbox.omero.model.schema import column_name, table_of
from sandbox.omero.objects.hydrate import Fetch, Loader, enumeration
from sandbox.omero.objects.orphans import delete_orphans, owned_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

ADMIN_ONLY = {
    *("Experimenter", "ExperimenterGroup", "GroupExperimenterMap", "Session", "Share", "Event", "EventLog"),
    *("Node", "DBPatch"),
}
PRIVILEGE_FOR = {
    "Experimenter": "ModifyUser",
    "ExperimenterGroup": "ModifyGroup",
    "GroupExperimenterMap": "ModifyGroupMembership",
}
PLACE_IN_REPOSITORY = ("repo", "path", "name", "size", "hash")
"""Properties of an imported file that only the server may set."""


@dataclass
class Node:
    """One loaded object of the graph."""

    thing: Any
    entity: Entity
    id: int
    is_new: bool
    row: dict[str, Any] = field(default_factory=dict)
    named_values: dict[str, list[Any]] = field(default_factory=dict)


VARCHAR = 255
LIMITED_NAMES = ("Project", "Dataset", "Image", "Screen", "Plate", "Folder", "OriginalFile", "ExperimenterGroup")
"""Entities whose name is varchar(255) in OMERO's database (omero-model, mappings/*.ome.xml: no type="text")."""


def _storable(entity: Entity, prop: Property, value: Any) -> Any:
    """Return a plain value that PostgreSQL would take in this column.

    Raises:
        omero.ValidationException: It is a text with the character NUL, or longer than the column.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise errors.validation(f"{entity.name}.{prop.name}: invalid byte sequence for encoding UTF8: 0x00")
        if prop.name == "name" and len(value) > VARCHAR and entity.name in LIMITED_NAMES:
            raise errors.validation(f"{entity.name}.name: value too long for type character varying({VARCHAR})")
    return value


def _storable_pairs(entity: Entity, pairs: list[Any]) -> list[Any]:
    """Return named values that PostgreSQL would take.

    Raises:
        omero.ValidationException: A key is longer than 255 characters, or a text has the character NUL.
    """
    for pair in pairs:
        if pair is None:
            continue
        if len(pair.name) > VARCHAR:
            raise errors.validation(f"{entity.name}: a key is too long for type character varying({VARCHAR})")
        if "\0" in pair.name or "\0" in (pair.value or ""):
            raise errors.validation(f"{entity.name}: invalid byte sequence for encoding UTF8: 0x00")
    return pairs


class Saver:
    """Saves one call's objects in one transaction."""

    def __init__(self, tx: Transaction, context: Context) -> None:
        self.tx = tx
        self.context = context
        self._nodes: dict[int, Node] = {}  # by id() of the Ice object
        self._order: list[Node] = []
        self._owners: dict[tuple[str, int], tuple[int, int]] = {}  # (owner, group) of rows referred to
        self._next: dict[str, int] = {}
        self._stored: dict[tuple[str, int], dict[str, Any]] = {}
        self._allowed: set[tuple[Any, ...]] = set()  # references of one kind to the same object, looked at before

    def save(self, things: Sequence[Any], *, describe: bool = True) -> list[int]:
        """Store objects and every loaded object that they lead to; return their ids.

        Args:
            things: The objects.
            describe: Set ids and details in the objects themselves, to give them back to the client. That takes longer
                than the writing.
        """
        for thing in things:
            if thing is None:
                raise errors.api_usage("null cannot be saved")
        for thing in things:
            self._collect(thing)
        self._load_stored()
        for node in self._order:
            self._read(node)
        groups = self._groups()
        for node in self._order:
            self._authorise(node, groups)
        self._write(groups)
        if describe:
            for node in self._order:
                self._describe(node)
            self._load_ends()
            self._load_events()
            self._load_owners()
        return [self._id_of(thing) for thing in things]

    @property
    def nodes(self) -> list[Node]:
        """Return every object that was saved."""
        return self._order

    def take_apart(self) -> None:
        """Empty the objects that were saved. Call it only when nobody needs them any more.

        They refer to each other in circles; once emptied they are freed at once, without Python's collector.
        """
        for node in self._order:
            vars(node.thing).clear()

    # --- walking the graph -----------------------------------------------------------------------

    def _collect(self, first: Any) -> None:
        """Note every loaded object; give new ones their id."""
        pending = [first]
        while pending:
            thing = pending.pop()
            if thing is None or id(thing) in self._nodes:
                continue
            entity = self._entity(thing)
            if not thing._loaded:
                if thing._id is None:
                    raise errors.validation(f"{entity.name}: an unloaded object without an id")
                continue
            if entity.is_enumeration and self._find_enumeration(thing, entity):
                continue
            node = self._note(thing, entity)
            pending.extend(reversed(self._neighbours(node)))

    @staticmethod
    def _entity(thing: Any) -> Entity:
        import omero.model

        entity = find_entity(thing.ice_id()) if isinstance(thing, omero.model.IObject) else None
        if entity is None:
            raise errors.api_usage(f"{type(thing).__name__} cannot be saved")
        return entity

    def _note(self, thing: Any, entity: Entity) -> Node:
        is_new = thing._id is None
        if is_new and entity.is_enumeration:
            raise errors.validation(f"{entity.name}: no value {_plain(thing._value)!r} in this enumeration")
        node = Node(thing, entity, self._allocate(entity) if is_new else thing._id._val, is_new)
        self._nodes[id(thing)] = node
        self._order.append(node)
        return node

    def _neighbours(self, node: Node) -> list[Any]:
        found = []
        for attribute, loaded, inverse in _neighbour_attributes(node.entity):
            if not loaded:
                found.append(getattr(node.thing, attribute))
            elif getattr(node.thing, loaded):
                for element in getattr(node.thing, attribute):
                    if element is not None and element._loaded:
                        # The element belongs to this object, whether or not the client set the reference.
                        setattr(element, inverse, node.thing)
                    found.append(element)
        details = node.thing._details
        if details is not None and details._externalInfo is not None:
            found.append(details._externalInfo)
        return found

    def _find_enumeration(self, thing: Any, entity: Entity) -> bool:
        """Return whether an enumeration object stands for one that exists, and give it that one's id."""
        if thing._id is not None:
            return True
        value = _plain(thing._value)
        known = self.tx.enum(entity.name, value) if value is not None else None
        if known is None:
            return False
        thing._id = _rlong(known)
        return True

    def _allocate(self, entity: Entity) -> int:
        """Return the next id of a table; ids are given out in the order of the graph."""
        root = entity.root
        if root not in self._next:
            last = self.tx.rows("SELECT seq FROM sqlite_sequence WHERE name = :name", {"name": root})
            self._next[root] = last[0][0] if last else 0
        self._next[root] += 1
        return self._next[root]

    def _id_of(self, thing: Any) -> int:
        node = self._nodes.get(id(thing))
        return node.id if node is not None else thing._id._val

    # --- reading the objects ---------------------------------------------------------------------

    def _load_stored(self) -> None:
        """Read the rows of the existing objects, in one query a table."""
        wanted: dict[str, list[int]] = {}
        for node in self._order:
            if not node.is_new:
                wanted.setdefault(node.entity.root, []).append(node.id)
        for root, ids in wanted.items():
            for row in self.tx.find(root, id=ids):
                self._stored[root, row["id"]] = row
        for node in self._order:
            if not node.is_new:
                stored = self._stored.get((node.entity.root, node.id))
                if stored is None or stored["entity_class"] != node.entity.name:
                    raise errors.validation(f"No such object: {node.entity.name}:{node.id}")

    def _read(self, node: Node) -> None:
        """Fill the object's row, check required properties, and give the elements of lists their positions."""
        thing, row = node.thing, node.row
        for prop, attribute, column in _columns(node.entity):
            value = getattr(thing, attribute)
            if prop.kind == "named_values":
                node.named_values[prop.name] = _storable_pairs(node.entity, value or [])
            elif prop.kind == "reference":
                row[column] = self._id_of(value) if value is not None else None
            elif prop.kind == "unit":
                number = value._value if value is not None else None
                row[column] = number
                row[f"{column}_unit"] = value._unit.name if number is not None and value._unit else None
            elif prop.kind == "strings":
                row[column] = json.loads(json.dumps(value)) if value is not None else None
            elif prop.kind == "bytes":
                row[column] = bytes(value) if value is not None else None
            else:
                row[column] = _storable(node.entity, prop, _plain(value))
        if thing._details is not None and not node.entity.is_global:
            _check_owner_and_group(thing._details)
            external = thing._details._externalInfo
            row["external_id"] = self._id_of(external) if external is not None else None
        self._check_required(node)
        self._position_elements(node)

    def _check_required(self, node: Node) -> None:
        for name in node.entity.required:
            column = column_name(node.entity, node.entity.properties[name])
            if node.row.get(column) is None:
                default = _default(node.entity, name)
                if default is None:
                    raise errors.validation(
                        f"not-null property references a null or transient value: {node.entity.name}.{name}"
                    )
                node.row[column] = default

    def _position_elements(self, node: Node) -> None:
        """Give the elements of loaded lists their positions; they may come earlier or later in the walk."""
        for name, inverse in _ordered_lists(node.entity):
            if not getattr(node.thing, f"_{name}Loaded"):
                continue
            for position, element in enumerate(getattr(node.thing, f"_{name}Seq")):
                below = self._nodes.get(id(element))
                if below is not None:
                    below.row[f"{inverse}_index"] = position

    # --- permissions -----------------------------------------------------------------------------

    def _groups(self) -> dict[int, int]:
        """Return the group of every node, by id() of its object."""
        return {id(n.thing): self._group(n) for n in self._order if not n.entity.is_global}

    def _group(self, node: Node) -> int:
        stored = self._stored.get((node.entity.root, node.id)) if not node.is_new else None
        if stored is not None:
            kept: int = stored["group_id"]
            return kept
        details = node.thing._details
        wanted: int | None = details._group.id.val if details is not None and details._group is not None else None
        if wanted is not None and (self.context.all_groups or wanted == self.context.group_id):
            return wanted
        if self.context.all_groups:
            # New objects follow what they are linked to.
            for _, target in self._references(node):
                if target.is_new is False:
                    return self._owner_and_group(target.entity.root, target.id)[1]
            for _, root, row_id in self._unloaded_references(node):
                return self._owner_and_group(root, row_id)[1]
        return self.context.group_id

    def _references(self, node: Node) -> list[tuple[Property, Node]]:
        """Return the references to other objects of the graph that belong to someone."""
        found = []
        for prop, attribute in _owned_references(node.entity):
            below = self._nodes.get(id(getattr(node.thing, attribute)))
            if below is not None:
                found.append((prop, below))
        return found

    def _unloaded_references(self, node: Node) -> list[tuple[Property, str, int]]:
        """Return the references to existing objects outside the graph: (property, root entity, id)."""
        found = []
        for prop, attribute in _owned_references(node.entity):
            value = getattr(node.thing, attribute)
            if value is not None and id(value) not in self._nodes:
                found.append((prop, MODEL_ENTITIES[prop.type].root, value._id._val))
        return found

    def _owner_and_group(self, root: str, row_id: int) -> tuple[int, int]:
        key = (root, row_id)
        if key not in self._owners:
            rows = self.tx.rows(f'SELECT owner_id, group_id FROM "{root}" WHERE id = :id', {"id": row_id})
            if not rows:
                raise errors.validation(f"No such object: {root}:{row_id}")
            self._owners[key] = rows[0]
        return self._owners[key]

    def _authorise(self, node: Node, groups: dict[int, int]) -> None:
        entity = node.entity
        if entity.root in ADMIN_ONLY or entity.is_enumeration:
            self._authorise_administration(node)
            return
        if entity.is_global:
            return
        group = groups[id(node.thing)]
        if node.is_new:
            self._authorise_new(node, group)
        else:
            stored = self._stored[entity.root, node.id]
            self._authorise_change(node, stored)
        self._authorise_references(node, group)

    def _authorise_administration(self, node: Node) -> None:
        """Check rights on users, groups and the server's own rows: for administrators, each by its own privilege."""
        name, context = node.entity.root, self.context
        if not context.is_admin:
            raise errors.security(f"Only administrators may save {node.entity.name}")
        if name not in ADMIN_ONLY:
            return
        everything = {row["value"] for row in self.tx.find("AdminPrivilege")} <= context.privileges
        privilege = PRIVILEGE_FOR.get(name)
        # A user's configuration has the privileges themselves, and a membership of the system group gives them.
        gives = name == "Experimenter" and bool(node.thing._config)
        parent = node.thing._parent if name == "GroupExperimenterMap" else None
        gives |= parent is not None and parent.id is not None and parent.id.val == SYSTEM_GROUP
        if not everything and (privilege is None or gives or not context.may(privilege)):
            raise errors.security(f"User {context.user_id} lacks the privilege to save {node.entity.name}")

    def _authorise_new(self, node: Node, group: int) -> None:
        if group == USER_GROUP and not self.context.is_admin:
            raise errors.security("Only administrators may save in the group of all users")
        if group not in self.context.member_of and not self.context.may("WriteOwned"):
            raise errors.security(f"User {self.context.user_id} may not save {node.entity.name} in group {group}")
        if node.entity.root == "OriginalFile" and node.row.get("repo"):
            raise errors.security("Only an import makes an OriginalFile of the managed repository")

    def _authorise_change(self, node: Node, stored: dict[str, Any]) -> None:
        if not self._visible(stored["owner_id"], stored["group_id"]):
            raise errors.security(f"Cannot read {java_name(node.entity.name)}:Id_{node.id}")
        given = _plain(getattr(node.thing, "_version", None))
        if given is not None and stored.get("version") is not None and given != stored["version"]:
            raise errors.optimistic_lock(
                f"Row was updated by another transaction: {node.entity.name}:{node.id} is at version "
                f"{stored['version']}, not {given}"
            )
        if not self._changed(node, stored):
            return
        allowed = permissions.rights(self.context, stored["owner_id"], stored["group_id"])
        if not allowed.edit:
            raise errors.security(
                f"Updating {node.entity.name}:{node.id} is not allowed to user {self.context.user_id}"
            )
        # Clients may not say where a file lies on the server: they could name somebody else's file.
        moved = node.entity.root == "OriginalFile" and any(
            name in node.row and node.row[name] != stored[name]
            for name in (PLACE_IN_REPOSITORY if stored["repo"] else ("repo",))
        )
        if moved:
            raise errors.security(f"OriginalFile:{node.id}: only an import moves files within the managed repository")

    def _changed(self, node: Node, stored: dict[str, Any]) -> bool:
        return any(
            stored.get(name) != value for name, value in node.row.items() if name != "version"
        ) or self._named_values_changed(node)

    def _named_values_changed(self, node: Node) -> bool:
        for name, values in node.named_values.items():
            pairs = [(v.name, v.value) for v in values if v is not None]
            if pairs != self.tx.named_values(node.entity.name, node.id, name):
                return True
        return False

    def _visible(self, owner: int, group: int) -> bool:
        """Return whether the caller sees an object at all, in the group(s) of the call."""
        context = self.context
        if not context.all_groups and group not in (context.group_id, USER_GROUP):
            return False
        known = context.directory.groups.get(group)
        whole = context.is_admin or group in context.leader_of or group == USER_GROUP
        return (
            whole
            or owner == context.user_id
            or (group in context.member_of and known is not None and known.is_readable)
        )

    def _authorise_references(self, node: Node, group: int) -> None:
        """Check that what an object refers to is visible, of the same group, and grants the right that is needed.

        OMERO checks every reference of a new or changed object (omero-server,
        src/main/java/ome/security/basic/OmeroInterceptor.java: evaluateLinkages, neededRight).
        """
        stored = self._stored[node.entity.root, node.id] if not node.is_new else {}
        if stored and not self._changed(node, stored):
            return
        node_owner = stored["owner_id"] if stored else self._owner_for(node)
        for prop, root, row_id in self._unloaded_references(node):
            case = (node.entity, node_owner, prop, root, row_id, group)
            if case in self._allowed:
                continue
            owner, owner_group = self._owner_and_group(root, row_id)
            is_old = bool(stored) and stored.get(column_name(node.entity, prop)) == row_id
            if not is_old and not self._visible(owner, owner_group):
                raise errors.security(f"{root}:{row_id} is not available to user {self.context.user_id}")
            self._authorise_reference(node, prop, (root, row_id), (owner, owner_group), (node_owner, group))
            self._allowed.add(case)
        for prop, below in self._references(node):
            if not below.is_new:
                row = self._stored[below.entity.root, below.id]
                place = (row["owner_id"], row["group_id"])
                self._authorise_reference(node, prop, (below.entity.name, below.id), place, (node_owner, group))

    def _authorise_reference(
        self, node: Node, prop: Property, target: tuple[str, int], target_place: tuple[int, int], place: tuple[int, int]
    ) -> None:
        """Check one reference to an object that is there; both places are (owner, group)."""
        (owner, target_group), (node_owner, group) = target_place, place
        name = f"{target[0]}:{target[1]}"
        if target_group == USER_GROUP:
            return
        if target_group != group:
            raise errors.group_security(
                f"{node.entity.name} in group {group} cannot be linked to {name} in group {target_group}"
            )
        if owner in (self.context.user_id, node_owner):
            return
        known = self.context.directory.groups[group]
        if not known.is_readable and (self.context.is_admin or group in self.context.leader_of):
            raise errors.read_only_group(
                f"Cannot link to {name}: user {self.context.user_id} is an administrator or leader of the private "
                f"group {group} and may not link to users' data"
            )
        allowed = permissions.rights(self.context, owner, target_group)
        needed = _needed_right(node.entity, prop)
        if not (needed == "read" or (allowed.annotate if needed == "annotate" else allowed.link)):
            raise errors.security(f"Group is {permission_text(known.permissions)}. Cannot link to object: {name}")

    # --- writing ---------------------------------------------------------------------------------

    def _write(self, groups: dict[int, int]) -> None:
        inserts: dict[str, list[Node]] = {}
        for node in self._order:
            if node.is_new:
                inserts.setdefault(node.entity.root, []).append(node)
            else:
                self._update(node)
        for root, nodes in inserts.items():
            self._insert(root, nodes, groups)
        self._delete_orphans()

    def _insert(self, root: str, nodes: list[Node], groups: dict[int, int]) -> None:
        rows = []
        for node in nodes:
            row = node.row
            row["id"], row["entity_class"] = node.id, node.entity.name
            if "version" in row:
                row["version"] = 0
            if not node.entity.is_global:
                row["owner_id"], row["group_id"] = self._owner_for(node), groups[id(node.thing)]
                row["creation_id"] = row["update_id"] = self.tx.event
            rows.append(row)
        self._append_positions(root, rows)
        if root == "ExperimenterGroup":
            for row in rows:
                row["permissions"] = permission_bits(PRIVATE)
        try:
            self.tx.insert_rows(root, rows)
        except sqlite3.IntegrityError as error:
            raise errors.validation(f"could not insert {nodes[0].entity.name}: {error}") from None
        for node in nodes:
            self._write_named_values(node, replace=False)
        for name, run in itertools.groupby(nodes, key=lambda node: node.entity.name):
            self.tx.log("INSERT", name, [node.id for node in run])

    def _owner_for(self, node: Node) -> int:
        """Return the owner of a new object: the caller, unless an administrator names another."""
        details = node.thing._details
        wanted = details._owner if details is not None else None
        if wanted is not None and wanted.id is not None and self.context.may("WriteOwned"):
            owner: int = wanted.id.val
            return owner
        return self.context.user_id

    def _append_positions(self, root: str, rows: list[dict[str, Any]]) -> None:
        """Give new elements of lists that have no position the last ones."""
        for (entity, reference), _ in ORDERED.items():
            if entity != root:
                continue
            last: dict[int, int] = {}
            for row in rows:
                parent = row.get(reference)
                if parent is None or row.get(f"{reference}_index") is not None:
                    continue
                if parent not in last:
                    last[parent] = self.tx._next_index(root, reference, parent) - 1
                last[parent] += 1
                row[f"{reference}_index"] = last[parent]

    def _update(self, node: Node) -> None:
        stored = self._stored[node.entity.root, node.id]
        changed = {name: value for name, value in node.row.items() if name != "version" and stored.get(name) != value}
        names_changed = self._named_values_changed(node)
        if (not changed and not names_changed) or node.entity.name == "ExternalInfo":  # which is immutable
            return
        table = table_of(node.entity)
        if "version" in table.c:
            changed["version"] = (stored["version"] or 0) + 1
        if not node.entity.is_global:
            changed["update_id"] = self.tx.event
        try:
            self.tx.execute(table.update().where(table.c.id == node.id).values(changed))
        except sa.exc.IntegrityError as error:
            raise errors.validation(f"could not update {node.entity.name}:{node.id}: {error.orig}") from None
        stored.update(changed)
        self.tx.log("UPDATE", node.entity.name, [node.id])
        if names_changed:
            self._write_named_values(node, replace=True)

    def _write_named_values(self, node: Node, *, replace: bool) -> None:
        for name, values in node.named_values.items():
            if values or replace:
                pairs = [(v.name, v.value) for v in values if v is not None]
                self.tx._write_named_values(node.entity.name, node.id, name, pairs)

    def _delete_orphans(self) -> None:
        kept: dict[str, set[int]] = {}
        for node in self._order:
            kept.setdefault(node.entity.root, set()).add(node.id)
            for prop in owned_lists(node.entity):
                elements = getattr(node.thing, f"_{prop.name}Seq") or ()
                kept.setdefault(MODEL_ENTITIES[prop.type].root, set()).update(
                    self._id_of(element) for element in elements if element is not None
                )
        known = [(node.entity, node.id, node.thing) for node in self._order if not node.is_new]
        delete_orphans(self.tx, self.context, known, kept)

    def _load_events(self) -> None:
        """Load the events in the details, as OMERO has them loaded: the time, and who and where as proxies."""
        import omero.model
        from omero.rtypes import rtime

        found = [
            event
            for node in self._order
            for event in (node.thing._details._creationEvent, node.thing._details._updateEvent)
            if event is not None
        ]
        ids = json.dumps(list({event._id._val for event in found}))
        sql = (
            'SELECT id, time, session, experimenter, "experimenterGroup" FROM "Event"'
            " WHERE id IN (SELECT value FROM json_each(:ids))"
        )
        rows = {number: row for number, *row in self.tx.rows(sql, {"ids": ids})}
        for event in found:
            time, session, user, group = rows.get(event._id._val, (None,) * 4)
            event._loaded, event._time = True, rtime(time)
            event._session = None if session is None else omero.model.SessionI(session, False)
            event._experimenter = None if user is None else omero.model.ExperimenterI(user, False)
            event._experimenterGroup = None if group is None else omero.model.ExperimenterGroupI(group, False)

    def _load_owners(self) -> None:
        """Load the owners in the details, as OMERO has them loaded."""
        found = [node.thing._details for node in self._order if node.thing._details._owner is not None]
        loader = Loader(self.tx, self.context)
        loader.load(MODEL_ENTITIES["Experimenter"], [details._owner._id._val for details in found], Fetch())
        loader.connect()
        for details in found:
            details._owner = loader.objects.get(("Experimenter", details._owner._id._val), details._owner)

    def _load_ends(self) -> None:
        """Load the ends of links, which OMERO has loaded to compare rights (OmeroInterceptor, evaluateLinkages)."""
        found: dict[str, list[tuple[Any, str, int]]] = {}
        for node in self._order:
            if not node.is_new or not node.entity.is_link:
                continue
            for end in ("parent", "child"):
                thing = getattr(node.thing, f"_{end}")
                if thing is not None and not thing.isLoaded():
                    kind = node.entity.properties[end].type
                    found.setdefault(kind, []).append((node.thing, f"_{end}", thing._id._val))
        loader = Loader(self.tx, self.context)
        for kind, ends in found.items():
            loader.load(MODEL_ENTITIES[kind], [number for _, _, number in ends], Fetch())
        loader.connect()
        for kind, ends in found.items():
            for link, attribute, number in ends:
                known = loader.objects.get((MODEL_ENTITIES[kind].root, number))
                setattr(link, attribute, known if known is not None else getattr(link, attribute))

    def _describe(self, node: Node) -> None:
        """Set id, version and details of the client's object, which saveAndReturn gives back."""
        import omero.model
        from omero.rtypes import rint

        thing = node.thing
        thing._id = _rlong(node.id)
        stored = self._stored.get((node.entity.root, node.id), {})
        if "version" in node.entity.properties:
            thing._version = rint(stored.get("version") or 0)
        for prop, attribute in _reference_attributes(node.entity):
            value = getattr(thing, attribute)
            if value is not None and MODEL_ENTITIES[prop.type].is_enumeration:
                known = enumeration(self.tx, prop.type).get(value._id._val)
                if known is None:
                    raise errors.validation(f"No such object: {prop.type}:{value._id._val}")
                setattr(thing, attribute, known)
        given, details = thing._details, omero.model.DetailsI()
        thing._details = details
        if node.entity.is_global:
            return
        details._externalInfo = given._externalInfo if given is not None else None
        if given is None and stored.get("external_id") is not None:
            details._externalInfo = omero.model.ExternalInfoI(stored["external_id"], False)
        owner = stored["owner_id"] if stored else self._owner_for(node)
        group = stored.get("group_id", self._group(node))
        details._owner = omero.model.ExperimenterI(owner, False)
        details._group = omero.model.ExperimenterGroupI(group, False)
        event = self.tx._event_id
        details._creationEvent = omero.model.EventI(stored.get("creation_id", event), False)
        details._updateEvent = omero.model.EventI(stored.get("update_id", event), False)
        known_group = self.context.directory.groups[group]
        made = omero.model.PermissionsI(known_group.permissions)
        made._restrictions = permissions.rights(self.context, owner, group).restrictions()
        made._extendedRestrictions = []
        details._permissions = made


def _check_owner_and_group(details: Any) -> None:
    """Refuse a loaded owner or group without a name: OMERO merges them too (omero-model, object.vm: getOwner).

    Raises:
        omero.ValidationException: A required property is missing.
    """
    for thing, name, required in (
        (details._owner, "Experimenter", "omeName"),
        (details._group, "ExperimenterGroup", "name"),
    ):
        if thing is not None and thing._loaded and thing._id is not None and getattr(thing, f"_{required}") is None:
            raise errors.validation(f"not-null property references a null or transient value: {name}.{required}")


def _needed_right(entity: Entity, prop: Property) -> str:
    """Return the right that a reference to another's object needs: read, annotate or write."""
    if "RenderingDef" in (entity.root, prop.type) or (entity.root, prop.type) == ("Thumbnail", "Pixels"):
        return "read"
    if entity.is_annotation_link or (entity.root, prop.type) == ("Roi", "Image"):
        return "annotate"
    return "write"


@functools.cache
def _neighbour_attributes(entity: Entity) -> tuple[tuple[str, str, str], ...]:
    """Return where an object holds others: (attribute, "", "") or, for a list, (attribute, loaded, way back)."""
    return tuple(
        (f"_{prop.name}", "", "")
        if prop.kind == "reference"
        else (f"_{prop.name}Seq", f"_{prop.name}Loaded", f"_{prop.inverse}")
        for prop in entity.properties.values()
        if prop.kind in ("reference", "collection")
    )


@functools.cache
def _columns(entity: Entity) -> tuple[tuple[Property, str, str], ...]:
    """Return the properties that are no collection, each with its attribute and its (first) column."""
    found = [prop for prop in entity.properties.values() if prop.kind != "collection"]
    return tuple((prop, f"_{prop.name}", column_name(entity, prop)) for prop in found)


@functools.cache
def _reference_attributes(entity: Entity) -> tuple[tuple[Property, str], ...]:
    """Return the properties that refer to one other object, each with its attribute."""
    return tuple((prop, attribute) for prop, attribute, _ in _columns(entity) if prop.kind == "reference")


@functools.cache
def _owned_references(entity: Entity) -> tuple[tuple[Property, str], ...]:
    """Return those of `_reference_attributes` that refer to what belongs to a user and a group."""
    return tuple(found for found in _reference_attributes(entity) if not MODEL_ENTITIES[found[0].type].is_global)


@functools.cache
def _ordered_lists(entity: Entity) -> tuple[tuple[str, str], ...]:
    """Return the collections that keep an order: (name, the elements' way back)."""
    found = [prop for prop in entity.properties.values() if prop.kind == "collection"]
    return tuple((p.name, p.inverse) for p in found if (MODEL_ENTITIES[p.type].root, p.inverse) in ORDERED)


def _plain(value: Any) -> Any:
    if value is None:
        return None
    plain = value._val
    return int(plain) if isinstance(plain, bool) else plain


def _rlong(value: int) -> Any:
    from omero.rtypes import rlong

    return rlong(value)


def _default(entity: Entity, name: str) -> Any:
    """Return the value that the server itself fills in."""
    defaults = {
        ("Experimenter", "ldap"): 0,
        ("ExperimenterGroup", "ldap"): 0,
        ("GroupExperimenterMap", "owner"): 0,
        ("Fileset", "templatePrefix"): "",
    }
    return defaults.get((entity.root, name))

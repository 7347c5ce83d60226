"""The objects that belong to an object: they are deleted, moved or copied with it.

Three rules have the effect of OMERO's graph policies:

- What cannot exist without an object (a reference to it must not be null) goes with it: pixels with the image, links
  with their ends.
- What only this object uses goes too: a dataset's images that are in no other dataset, an instrument with its last
  image, an annotation that is linked to nothing else. Tags, terms and files stay unless a child option includes them.
- All other references to it become null.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.database.event_log import java_name
from sandbox.omero.model.entities import MODEL_ENTITIES, find_entity
from sandbox.omero.model.schema import column_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

STAYING = ("TagAnnotation", "TermAnnotation", "FileAnnotation")
"""Annotations that are kept unless asked for, even when nothing else uses them (`omero delete --help`)."""
USED = {
    "Image": ("instrument", "imagingEnvironment", "objectiveSettings", "stageLabel", "experiment", "fileset"),
    "Channel": ("statsInfo", "logicalChannel"),
    "LogicalChannel": ("detectorSettings", "lightSourceSettings", "lightPath"),
    "RenderingDef": ("quantization",),
    "Shape": ("transform",),
    "Annotation": ("file",),
    "FilesetEntry": ("originalFile",),
    "FilesetJobLink": ("child",),
    "JobOriginalFileLink": ("child",),
    "PixelsOriginalFileMap": ("parent",),
    "ProjectDatasetLink": ("child",),
    "DatasetImageLink": ("child",),
    "ScreenPlateLink": ("child",),
    "WellSample": ("image",),
    "Filter": ("transmittanceRange",),
    "Instrument": ("microscope",),
}
"""By root entity, the references to what it uses: the used object goes when the last object that uses it goes."""
PARTS = {("Roi", "image"), ("Folder", "parentFolder"), ("Image", "fileset")}
"""References that may be null, although the object that has them is a part of what they refer to."""
UNTOUCHABLE = {"Experimenter", "ExperimenterGroup", "Session", "Event", "Node"}


@dataclass(frozen=True)
class Reference:
    """A column of one table that refers to another."""

    root: str
    column: str
    target: str
    is_part: bool
    is_use: bool
    is_link_parent: bool


@functools.cache
def references() -> tuple[Reference, ...]:
    """Return every reference between objects that have owners."""
    found: dict[tuple[str, str], Reference] = {}
    for entity in MODEL_ENTITIES.values():
        for prop in entity.properties.values():
            target = MODEL_ENTITIES[prop.type] if prop.kind == "reference" else None
            if target is None or target.is_enumeration or entity.is_enumeration:
                continue
            column = column_name(entity, prop)
            use = prop.name in USED.get(entity.root, ()) or (entity.is_annotation_link and prop.name == "child")
            part = (entity.root, prop.name) in PARTS or (prop.name in entity.required and not use)
            link_parent = entity.is_link and prop.name == "parent"
            found[entity.root, column] = Reference(entity.root, column, target.root, part, use, link_parent)
    return tuple(found.values())


@functools.cache
def referrers(target: str) -> tuple[Reference, ...]:
    """Return the references that lead to a root entity."""
    return tuple(r for r in references() if r.target == target)


@functools.cache
def uses(root: str) -> tuple[Reference, ...]:
    """Return the references by which a root entity uses others."""
    return tuple(r for r in references() if r.root == root and r.is_use)


@dataclass(frozen=True)
class ChildOptions:
    """The kinds of children that go, or stay, whatever the rules say."""

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    include_namespaces: frozenset[str] = frozenset()
    exclude_namespaces: frozenset[str] = frozenset()

    @staticmethod
    def of(request: Any) -> ChildOptions:
        """Return the options of a request."""
        given = list(getattr(request, "childOptions", None) or [])

        def names(lists: Iterable[Any]) -> frozenset[str]:
            found: set[str] = set()
            for name in (n for listed in lists for n in listed or []):
                entity = find_entity(name)
                if entity is None:
                    raise errors.api_usage(f"{name}: no such class in a child option")
                found |= set(entity.subclasses)
            return frozenset(found)

        include = names(o.includeType for o in given)
        exclude = names(o.excludeType for o in given)
        return ChildOptions(
            include,
            exclude - include,
            frozenset(n for o in given for n in o.includeNs or []),
            frozenset(n for o in given for n in o.excludeNs or []),
        )


@dataclass
class Closure:
    """The objects that go with the targets.

    Attributes:
        found: By root entity, the ids.
        owners: Owner and group of each, by (root, id).
        classes: The entity of each, by (root, id).
    """

    found: dict[str, set[int]] = field(default_factory=dict)
    owners: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    classes: dict[tuple[str, int], str] = field(default_factory=dict)
    targets: set[tuple[str, int]] = field(default_factory=set)

    def has(self, root: str, row_id: int | None) -> bool:
        """Return whether an object is in the closure."""
        return row_id in self.found.get(root, ())

    def by_class(self) -> dict[str, list[int]]:
        """Return the ids by Java class, as responses list them."""
        grouped: dict[str, list[int]] = {}
        for root, ids in self.found.items():
            for row_id in sorted(ids):
                grouped.setdefault(java_name(self.classes[root, row_id]), []).append(row_id)
        return grouped


def targets_of(request: Any) -> list[tuple[str, int]]:
    """Return the (entity, id) pairs that a request names."""
    found = []
    for name, ids in (request.targetObjects or {}).items():
        entity = find_entity(name)
        if entity is None or entity.root in UNTOUCHABLE:
            raise errors.api_usage(f"{name}: not a class that this request works on")
        found += [(entity.name, row_id) for row_id in ids or []]
    return found


class Walker:
    """Finds the closure of some targets."""

    def __init__(
        self, tx: Transaction, context: Context, options: ChildOptions, *, split_filesets_stay: bool = False
    ) -> None:
        self.tx = tx
        self.context = context
        self.options = options
        self._split_filesets_stay = split_filesets_stay
        self.closure = Closure()

    def walk(self, targets: Iterable[tuple[str, int]]) -> Closure:
        """Return the targets and everything that goes with them.

        Raises:
            omero.ApiUsageException: A target does not exist, or the caller does not see it.
        """
        wanted: dict[str, set[int]] = {}
        for entity, row_id in targets:
            wanted.setdefault(MODEL_ENTITIES[entity].root, set()).add(row_id)
        for root, ids in wanted.items():
            added = self._add(root, ids)
            missing = sorted(i for i in ids - added if not self.closure.has(root, i)) or [
                i for i in ids if not self._visible(root, i)
            ]
            if missing:
                raise errors.api_usage(f"No such object: {root}[{missing[0]}]")
            self.closure.targets |= {(root, i) for i in ids}
        pending = {root: set(ids) for root, ids in wanted.items()}
        while pending:
            self._add_parts(pending)
            pending = self._add_orphans()
        return self.closure

    def _visible(self, root: str, row_id: int) -> bool:
        owner, group = self.closure.owners[root, row_id]
        context = self.context
        if not context.all_groups and group != context.group_id:
            return False
        known = context.directory.groups.get(group)
        if context.is_admin or group in context.leader_of or owner == context.user_id:
            return True
        return group in context.member_of and known is not None and known.is_readable

    def _add(self, root: str, ids: Iterable[int]) -> set[int]:
        """Add objects that are not in the closure yet; return those that were added."""
        entity = MODEL_ENTITIES[root]
        new = [i for i in ids if not self.closure.has(root, i)]
        owned = "owner_id, group_id" if not entity.is_global else "-1, -1"
        sql = f'SELECT id, entity_class, {owned} FROM "{root}" WHERE id IN (SELECT value FROM json_each(:ids))'
        added = set()
        for row_id, name, owner, group in self.tx.rows(sql, {"ids": json.dumps(new)}):
            self.closure.found.setdefault(root, set()).add(row_id)
            self.closure.owners[root, row_id] = (owner, group)
            self.closure.classes[root, row_id] = name
            added.add(row_id)
        return added

    def _add_parts(self, pending: dict[str, set[int]]) -> None:
        """Add everything that cannot exist without the objects found so far, to any depth."""
        while pending:
            target, ids = pending.popitem()
            for reference in referrers(target):
                part_of_link = MODEL_ENTITIES[reference.root].is_link
                file_annotation = (reference.root, reference.column) == ("Annotation", "file")
                if not (reference.is_part or part_of_link or file_annotation):
                    continue
                found = [row_id for row_id, _ in self._referring(reference, ids)]
                if reference.root not in ("Annotation",):
                    found = self._without_excluded(reference.root, found)
                added = self._add(reference.root, found)
                if added:
                    pending.setdefault(reference.root, set()).update(added)

    def _without_excluded(self, root: str, ids: list[int]) -> list[int]:
        return ids if not set(MODEL_ENTITIES[root].subclasses) <= self.options.exclude else []

    def _referring(self, reference: Reference, ids: Iterable[int]) -> list[tuple[int, int]]:
        """Return (id, what it refers to) for the rows that refer to one of `ids`."""
        sql = (
            f'SELECT id, "{reference.column}" FROM "{reference.root}"'
            f' WHERE "{reference.column}" IN (SELECT value FROM json_each(:ids))'
        )
        return [(r[0], r[1]) for r in self.tx.rows(sql, {"ids": json.dumps(sorted(ids))})]

    def _add_orphans(self) -> dict[str, set[int]]:
        """Add what only the closure uses; return what was added by root entity."""
        candidates: dict[str, set[int]] = {}
        for root, ids in list(self.closure.found.items()):
            for reference in uses(root):
                sql = (
                    f'SELECT DISTINCT "{reference.column}" FROM "{root}"'
                    f' WHERE id IN (SELECT value FROM json_each(:ids)) AND "{reference.column}" IS NOT NULL'
                )
                used = {r[0] for r in self.tx.rows(sql, {"ids": json.dumps(sorted(ids))})}
                candidates.setdefault(reference.target, set()).update(
                    used - self.closure.found.get(reference.target, set())
                )
        added: dict[str, set[int]] = {}
        for target, ids in candidates.items():
            orphans = self._orphans(target, ids) if ids else set()
            new = self._add(target, orphans)
            if new:
                added[target] = new
        return added

    def _orphans(self, target: str, ids: set[int]) -> set[int]:
        """Return those of `ids` that go: used by nothing else, or asked for, and deletable by the caller."""
        forced, possible = self._sort_candidates(target, ids)
        permitted = set(possible)
        for reference in referrers(target):
            if reference.is_link_parent or (reference.is_part and not reference.is_use):
                continue
            for row_id, used in self._referring(reference, possible):
                if not self.closure.has(reference.root, row_id):
                    possible.discard(used)
        if target == "Fileset":
            # A fileset whose images all go is used by nobody, whatever the order.
            possible = {i for i in permitted if self._all_images_go(i)}
        if target == "Image" and self._split_filesets_stay:
            possible = self._with_whole_filesets(possible, possible | forced)
        return forced | possible

    def _with_whole_filesets(self, images: set[int], going: set[int]) -> set[int]:
        """Return those of some images whose filesets go as a whole; the others stay, without their dataset."""
        sql = (
            'SELECT i.id, j.id FROM "Image" AS i JOIN "Image" AS j ON j.fileset = i.fileset'
            " WHERE i.id IN (SELECT value FROM json_each(:ids))"
        )
        pairs = self.tx.rows(sql, {"ids": json.dumps(sorted(images))})
        return images - {image for image, other in pairs if other not in going and not self.closure.has("Image", other)}

    def _all_images_go(self, fileset: int) -> bool:
        rows = self.tx.rows('SELECT id FROM "Image" WHERE fileset = :id', {"id": fileset})
        return all(self.closure.has("Image", row[0]) for row in rows)

    def _sort_candidates(self, target: str, ids: set[int]) -> tuple[set[int], set[int]]:
        """Return (what an option includes, what may go if nothing else uses it)."""
        entity = MODEL_ENTITIES[target]
        namespace = "ns" if target == "Annotation" else "NULL"
        owned = "owner_id, group_id" if not entity.is_global else "-1, -1"
        sql = (
            f'SELECT id, entity_class, {namespace}, {owned} FROM "{target}"'
            " WHERE id IN (SELECT value FROM json_each(:ids))"
        )
        forced, possible = set(), set()
        options = self.options
        for row_id, name, ns, owner, group in self.tx.rows(sql, {"ids": json.dumps(sorted(ids))}):
            if name in options.exclude or (ns is not None and ns in options.exclude_namespaces):
                continue
            if options.include_namespaces and target == "Annotation" and ns not in options.include_namespaces:
                continue
            # A colleague's rendering settings go with the pixels, and take their own part along.
            if owner != -1 and target != "QuantumDef" and not permissions.rights(self.context, owner, group).delete:
                continue
            if name in options.include:
                forced.add(row_id)
            elif name not in STAYING:
                possible.add(row_id)
        return forced, possible


def release(tx: Transaction, closure: Closure) -> None:
    """Set references from what stays to what goes to null.

    Raises:
        omero.ApiUsageException: Something that stays cannot exist without something that goes.
    """
    for target, ids in closure.found.items():
        for reference in referrers(target):
            if reference.is_part and (reference.root, reference.column) not in PARTS and not reference.is_use:
                continue
            sql = (
                f'SELECT id, "{reference.column}" FROM "{reference.root}"'
                f' WHERE "{reference.column}" IN (SELECT value FROM json_each(:ids))'
            )
            rows = tx.rows(sql, {"ids": json.dumps(sorted(ids))})
            staying = [r for r in rows if not closure.has(reference.root, r[0])]
            if not staying:
                continue
            if (reference.root, reference.column) in {("WellSample", "image"), ("FilesetEntry", "originalFile")}:
                raise errors.api_usage(
                    f"{target}[{staying[0][1]}] is needed by {reference.root}[{staying[0][0]}], which would remain"
                )
            tx.rows(
                f'UPDATE "{reference.root}" SET "{reference.column}" = NULL'
                " WHERE id IN (SELECT value FROM json_each(:ids))",
                {"ids": json.dumps([r[0] for r in staying])},
            )


def check_filesets(tx: Transaction, closure: Closure) -> None:
    """Check that the images of a fileset stay together.

    Raises:
        omero.ApiUsageException: Some images of a fileset would go, others stay.
    """
    images = closure.found.get("Image", set())
    sql = (
        'SELECT i.fileset, i.id FROM "Image" AS i WHERE i.fileset IN'
        ' (SELECT fileset FROM "Image" WHERE id IN (SELECT value FROM json_each(:ids)) AND fileset IS NOT NULL)'
    )
    for fileset, image in tx.rows(sql, {"ids": json.dumps(sorted(images))}) if images else []:
        if image not in images and not closure.has("Fileset", fileset):
            raise errors.api_usage(
                f"within Fileset[{fileset}]: Image[{image}] would remain; a fileset's images cannot be split"
            )

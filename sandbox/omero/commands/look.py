"""Requests that change nothing: parents, children, disk usage."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access.permissions import read_scope
from sandbox.omero.commands.graph import UNTOUCHABLE, ChildOptions, Walker, referrers, targets_of
from sandbox.omero.database.event_log import java_name
from sandbox.omero.model.entities import MODEL_ENTITIES, find_entity
from sandbox.omero.repository.stored_files import original_file_path, pixels_path

if TYPE_CHECKING:
    from sandbox.omero.commands.run import Run
    from sandbox.omero.database.transactions import Transaction

STORED = ("OriginalFile", "Pixels")
"""Entities that have a file on the disk."""
OWNERS = {"Experimenter": "owner_id", "ExperimenterGroup": "group_id"}
"""Targets of DiskUsage2 that stand for all objects of a user or group, and the column with that user or group."""
IDS = "(SELECT value FROM json_each(:ids))"


def entity_names(names: Any) -> set[str]:
    """Return the named classes and all their subclasses.

    Raises:
        omero.ApiUsageException: There is no such class.
    """
    found: set[str] = set()
    for name in names or []:
        entity = find_entity(name)
        if entity is None:
            raise errors.api_usage(f"{name}: no such class")
        found |= set(entity.subclasses)
    return found


def run_find_children(run: Run, tx: Transaction, request: Any) -> Any:
    """Return the objects of some classes below the targets."""
    import omero.cmd

    wanted = entity_names(request.typesOfChildren)
    everything = ChildOptions(include=frozenset(MODEL_ENTITIES["Annotation"].subclasses))
    closure = Walker(tx, run.context, everything).walk(targets_of(request))
    found: dict[str, list[int]] = {}
    for (root, row_id), name in sorted(closure.classes.items()):
        if name in wanted and (root, row_id) not in closure.targets:
            found.setdefault(java_name(name), []).append(row_id)
    return omero.cmd.FoundChildren(children=found)


def run_find_parents(_run: Run, tx: Transaction, request: Any) -> Any:
    """Return the objects of some classes above the targets."""
    import omero.cmd

    wanted = entity_names(request.typesOfParents)
    seen: set[tuple[str, int]] = {(MODEL_ENTITIES[n].root, i) for n, i in targets_of(request)}
    pending = list(seen)
    found: dict[str, list[int]] = {}
    while pending:
        root, row_id = pending.pop()
        for above in _above(tx, root, row_id):
            if above in seen:
                continue
            seen.add(above)
            pending.append(above)
            row = tx.get(above[0], above[1])
            if row is not None and row["entity_class"] in wanted:
                found.setdefault(java_name(row["entity_class"]), []).append(above[1])
    return omero.cmd.FoundParents(parents=found)


def _above(tx: Transaction, root: str, row_id: int) -> list[tuple[str, int]]:
    """Return what an object is a part of, and what it is linked under."""
    found = []
    row = tx.get(root, row_id) or {}
    for prop in MODEL_ENTITIES[root].properties.values():
        if prop.kind == "reference" and prop.name in MODEL_ENTITIES[root].required and row.get(prop.name) is not None:
            target = MODEL_ENTITIES[prop.type]
            if not target.is_global and not MODEL_ENTITIES[root].is_link:
                found.append((target.root, row[prop.name]))
    if root == "Roi" and row.get("image") is not None:
        found.append(("Image", row["image"]))
    for reference in referrers(root):
        entity = MODEL_ENTITIES[reference.root]
        if entity.is_link and reference.column == "child":
            parent = MODEL_ENTITIES[entity.properties["parent"].type].root
            found += [(parent, link["parent"]) for link in tx.find(reference.root, child=row_id)]
        elif (reference.root, reference.column) == ("WellSample", "image"):
            found += [("Well", sample["well"]) for sample in tx.find("WellSample", image=row_id)]
    return [pair for pair in found if pair[0] not in UNTOUCHABLE]


def run_legal_targets(_run: Run, _tx: Transaction, _request: Any) -> Any:
    """Return the classes that a request may work on."""
    import omero.cmd

    names = [java_name(e.name) for e in MODEL_ENTITIES.values() if not e.is_global and not e.is_enumeration]
    return omero.cmd.LegalGraphTargetsResponse(targets=sorted(names))


def run_disk_usage(run: Run, tx: Transaction, request: Any) -> Any:
    """Return how many bytes the files of the targets take."""
    import omero.cmd

    targets = targets_of(SimpleNamespace(targetObjects=_named(request, whole=False)))
    for name in request.targetClasses or []:
        entity = find_entity(name)
        if entity is None:
            raise errors.api_usage(f"{name}: no such class")
        if entity.name not in OWNERS:
            targets += [(entity.name, row["id"]) for row in tx.find(entity.name)]
    include = ChildOptions(include=frozenset(MODEL_ENTITIES["Annotation"].subclasses))
    closure = Walker(tx, run.context, include).walk(targets)
    below = {(root, row_id) for root in STORED for row_id in closure.found.get(root, ())}
    files = run.server.files
    usage: dict[tuple[int, int], dict[str, list[int]]] = {}
    for root, row_id in sorted(below | _of_owners(run, tx, request)):
        row = tx.get(root, row_id)
        path = original_file_path(files, row) if root == "OriginalFile" and row else pixels_path(files, row_id)
        if row is not None and path.is_file():
            kind = _referer(tx, row_id) if root == "OriginalFile" else root
            owner = usage.setdefault((row["owner_id"], row["group_id"]), {})
            owner.setdefault(kind, []).append(path.stat().st_size)
    response = omero.cmd.DiskUsage2Response({}, {}, {}, {})
    for (user, group), sizes in usage.items():
        owner = omero.api.LongPair(user, group)
        response.fileCountByReferer[owner] = {kind: len(listed) for kind, listed in sizes.items()}
        response.bytesUsedByReferer[owner] = {kind: sum(listed) for kind, listed in sizes.items()}
        response.totalFileCount[owner] = sum(map(len, sizes.values()))
        response.totalBytesUsed[owner] = sum(map(sum, sizes.values()))
    return response


def _named(request: Any, *, whole: bool) -> dict[str, list[int]]:
    """Return the ids that a request names by class: of users and groups (`whole`), or of everything else."""
    named = (request.targetObjects or {}).items()
    return {name: ids for name, ids in named if (getattr(find_entity(name), "name", "") in OWNERS) == whole}


def _of_owners(run: Run, tx: Transaction, request: Any) -> set[tuple[str, int]]:
    """Return what is stored for the users and groups that a request names, as far as the caller may see it."""
    found: set[tuple[str, int]] = set()
    scope, parameters = read_scope(run.context)
    for name, ids in [*_named(request, whole=True).items(), *((name, None) for name in request.targetClasses or [])]:
        entity = find_entity(name)
        if entity is None or entity.name not in OWNERS:
            continue
        known = {row["id"] for row in tx.find(entity.name)}
        missing = sorted(set(ids or ()) - known)
        if missing:
            raise errors.api_usage(f"No such object: {entity.name}{missing}")
        for root in STORED:
            sql = f'SELECT x.id FROM "{root}" x WHERE {scope.format(alias="x")} AND x.{OWNERS[entity.name]} IN {IDS}'
            given = json.dumps(sorted(known) if ids is None else list(ids))
            found |= {(root, row_id) for (row_id,) in tx.rows(sql, parameters | {"ids": given})}
    return found


def _referer(tx: Transaction, file_id: int) -> str:
    """Return what a file belongs to, in the server's words: an imported file, the log of a job, or an attachment."""
    if tx.find("FilesetEntry", originalFile=file_id):
        return "FilesetEntry"
    return "Job" if tx.find("JobOriginalFileLink", child=file_id) else "Annotation"


def timing_of(request: Any) -> tuple[int, float]:
    """Return the number of steps of a Timing request, and the seconds of each: at most 100 of 0.1 s."""
    return min(max(request.steps or 0, 0), 100), min(max(request.millisPerStep or 0, 0), 100) / 1e3


def run_timing(run: Run, _tx: Transaction, request: Any) -> Any:
    """Wait, for clients that test how they wait."""
    import omero.cmd

    steps, seconds = timing_of(request)
    for _ in range(steps):
        time.sleep(seconds)
        run.advance()
    return omero.cmd.OK()

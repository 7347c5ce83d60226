"""Duplicate: copies of objects and what belongs to them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.commands.graph import ChildOptions, Closure, Walker, java_name, references, targets_of
from sandbox.omero.model import MODEL_ENTITIES
from sandbox.omero.schema import METADATA

if TYPE_CHECKING:
    from sandbox.omero.commands.run import Run
    from sandbox.omero.database import Transaction

IMPORTED = {"Fileset", "FilesetEntry", "FilesetJobLink", "Job", "Thumbnail"}
"""What belongs to the import of an image and not to its copy."""


def run_duplicate(run: Run, tx: Transaction, request: Any) -> Any:
    """Copy the targets with what belongs to them; the copies are the caller's."""
    import omero.cmd

    for name in ("typesToDuplicate", "typesToReference", "typesToIgnore"):
        if getattr(request, name):
            raise errors.unsupported(f"Duplicate with {name}")
    closure = Walker(tx, run.context, ChildOptions.of(request)).walk(targets_of(request))
    if any(row["fileset"] is not None for row in tx.find("Image", id=sorted(closure.found.get("Image", ())))):
        # The pixels of such an image are its fileset's files, and images of one fileset cannot go different ways.
        raise errors.unsupported("Duplicate of imported images")
    for root in IMPORTED:
        closure.found.pop(root, None)
    _drop_outward_links(tx, closure)
    copies = _copy(run, tx, closure) if not request.dryRun else {}
    named: dict[str, list[int]] = {}
    for (root, row_id), copy in copies.items():
        named.setdefault(java_name(closure.classes[root, row_id]), []).append(copy)
    return omero.cmd.DuplicateResponse(duplicates=named)


def _drop_outward_links(tx: Transaction, closure: Closure) -> None:
    """Links from outside are not copied (a copy of a dataset is in no project), those to annotations are."""
    for root in [r for r in closure.found if MODEL_ENTITIES[r].is_link]:
        parent = MODEL_ENTITIES[MODEL_ENTITIES[root].properties["parent"].type].root
        sql = f'SELECT id, parent FROM "{root}" WHERE id IN (SELECT value FROM json_each(:ids))'
        for row_id, owner in tx.rows(sql, {"ids": json.dumps(sorted(closure.found[root]))}):
            if not closure.has(parent, owner):
                closure.found[root].discard(row_id)


def _copy(run: Run, tx: Transaction, closure: Closure) -> dict[tuple[str, int], int]:
    """Insert the copies; new ids by (root, old id)."""
    copies: dict[tuple[str, int], int] = {}
    for root, ids in closure.found.items():
        last = tx.rows("SELECT seq FROM sqlite_sequence WHERE name = :name", {"name": root})
        first = last[0][0] + 1 if last else 1
        copies |= {(root, row_id): first + n for n, row_id in enumerate(sorted(ids))}
    for root, ids in closure.found.items():
        rows = tx.find(root, id=sorted(ids))
        columns = [r for r in references() if r.root == root]
        for row in rows:
            for reference in columns:
                if (reference.target, row[reference.column]) in copies:
                    row[reference.column] = copies[reference.target, row[reference.column]]
            if not MODEL_ENTITIES[root].is_global:
                row |= {"owner_id": run.context.user_id, "creation_id": tx.event, "update_id": tx.event}
            row["id"] = copies[root, row["id"]]
        if rows:
            tx.execute(METADATA.tables[root].insert(), rows)
        for row in rows:
            tx.log("INSERT", row["entity_class"], [row["id"]])
        _copy_named_values(tx, root, copies)
    _copy_files(run, copies)
    return copies


def _copy_named_values(tx: Transaction, root: str, copies: dict[tuple[str, int], int]) -> None:
    lists = {
        p.name
        for n in MODEL_ENTITIES[root].subclasses
        for p in MODEL_ENTITIES[n].properties.values()
        if p.kind == "named_values"
    }
    pairs = json.dumps([[old, new] for (owner, old), new in copies.items() if owner == root])
    for name in lists:
        tx.rows(
            f'INSERT INTO "{root}_{name}" (id, position, name, value)'
            " SELECT json_extract(p.value, '$[1]'), v.position, v.name, v.value"
            f" FROM json_each(:pairs) AS p JOIN \"{root}_{name}\" AS v ON v.id = json_extract(p.value, '$[0]')",
            {"pairs": pairs},
        )


def _copy_files(run: Run, copies: dict[tuple[str, int], int]) -> None:
    """Copy pixels and files before the commit: a copy without its data would be worse than data without its copy."""
    folders = {"Pixels": run.server.files / "Pixels", "OriginalFile": run.server.files / "OriginalFile"}
    for (root, old), new in copies.items():
        source = folders[root] / str(old) if root in folders else None
        if source is not None and source.exists():
            shutil.copy2(source, source.with_name(str(new)))

"""Duplicate: copies of objects and what belongs to them."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import shutil
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.commands.graph import ChildOptions, Closure, Walker, references, targets_of
from sandbox.omero.database.event_log import java_name
from sandbox.omero.image_files import ImageFileError
from sandbox.omero.model.entities import MODEL_ENTITIES, find_entity
from sandbox.omero.model.schema import METADATA
from sandbox.omero.repository.pixel_access import open_pixels
from sandbox.omero.repository.pixel_store import MAX_PLANE_PIXELS, StoredPixels
from sandbox.omero.repository.stored_files import pixels_path

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.omero.commands.run import Run
    from sandbox.omero.database.transactions import Transaction

IMPORTED = {"Fileset", "Thumbnail"}
"""Entities of an import, with its files and jobs, that a copy of the image does not get."""


def run_duplicate(run: Run, tx: Transaction, request: Any) -> Any:
    """Copy the targets and what belongs to them; the caller owns the copies."""
    import omero.cmd

    fates = fates_of(request)
    options = ChildOptions.of(request)
    if "Fileset" in {name.rpartition(".")[2] for name in request.targetObjects or {}}:
        raise errors.unsupported("Duplicate of a Fileset")
    wanted = {name for name, fate in fates.items() if fate == "typesToDuplicate"}
    left = IMPORTED | (fates.keys() - wanted)
    options = dataclasses.replace(options, include=options.include | wanted, exclude=options.exclude | left)
    closure = Walker(tx, run.context, options).walk(targets_of(request))
    run.advance()
    _drop_outward_links(tx, closure)
    ignored = {name for name, fate in fates.items() if fate == "typesToIgnore"}
    loose = _let_go(tx, closure, ignored)
    run.advance()
    # A dry run names the objects that would be copied (DuplicateI.buildResponse).
    copies = {(root, row_id): row_id for root, ids in closure.found.items() for row_id in sorted(ids)}
    if not request.dryRun:
        copies = _copy(run, tx, closure, loose)
        run.advance()
    named: dict[str, list[int]] = {}
    for (root, row_id), copy in copies.items():
        named.setdefault(java_name(closure.classes[root, row_id]), []).append(copy)
    return omero.cmd.DuplicateResponse(duplicates=named)


def fates_of(request: Any) -> dict[str, str]:
    """Map each class to the one of the request's three lists that has it, or has its nearest base class.

    Raises:
        omero.ApiUsageException: A class is unknown, or in two lists.
    """
    listed: dict[str, str] = {}
    for fate in ("typesToDuplicate", "typesToReference", "typesToIgnore"):
        for name in getattr(request, fate) or []:
            entity = find_entity(name)
            if entity is None:
                raise errors.api_usage(f"{name}: no such class in {fate}")
            if listed.setdefault(entity.name, fate) != fate:
                raise errors.api_usage(f"{name} is in {listed[entity.name]} and in {fate}")
    fates: dict[str, str] = {}
    for name in sorted(listed, key=lambda name: -len(MODEL_ENTITIES[name].subclasses)):
        fates |= dict.fromkeys(MODEL_ENTITIES[name].subclasses, listed[name])
    return fates


def _let_go(tx: Transaction, closure: Closure, ignored: set[str]) -> set[tuple[str, int, str]]:
    """Drop what cannot exist without something ignored; return the other references to it: (root, id, column)."""
    loose: set[tuple[str, int, str]] = set()
    for reference in references():
        held = closure.found.get(reference.root)
        if not held or not ignored & set(MODEL_ENTITIES[reference.target].subclasses):
            continue
        sql = (
            f'SELECT h.id FROM "{reference.root}" AS h JOIN "{reference.target}" AS t ON t.id = h."{reference.column}"'
            " WHERE h.id IN (SELECT value FROM json_each(:ids))"
            " AND t.entity_class IN (SELECT value FROM json_each(:ignored))"
        )
        found = {r[0] for r in tx.rows(sql, {"ids": json.dumps(sorted(held)), "ignored": json.dumps(sorted(ignored))})}
        if reference.column in MODEL_ENTITIES[reference.root].required:
            held -= found
        loose |= {(reference.root, row_id, reference.column) for row_id in found}
    return loose


def _drop_outward_links(tx: Transaction, closure: Closure) -> None:
    """Drop links from outside, except those to annotations: a copy of a dataset is in no project."""
    for root in [r for r in closure.found if MODEL_ENTITIES[r].is_link]:
        parent = MODEL_ENTITIES[MODEL_ENTITIES[root].properties["parent"].type].root
        sql = f'SELECT id, parent FROM "{root}" WHERE id IN (SELECT value FROM json_each(:ids))'
        for row_id, owner in tx.rows(sql, {"ids": json.dumps(sorted(closure.found[root]))}):
            if not closure.has(parent, owner):
                closure.found[root].discard(row_id)


def _copy(run: Run, tx: Transaction, closure: Closure, loose: set[tuple[str, int, str]]) -> dict[tuple[str, int], int]:
    """Insert the copies, without the references that are `loose`; return new ids by (root, old id)."""
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
                if (root, row["id"], reference.column) in loose:
                    row[reference.column] = None
                elif (reference.target, row[reference.column]) in copies:
                    row[reference.column] = copies[reference.target, row[reference.column]]
            if root == "Image":
                row["fileset"] = None  # its pixels are copied, its files are not
            if not MODEL_ENTITIES[root].is_global:
                row |= {"owner_id": run.context.user_id, "creation_id": tx.event, "update_id": tx.event}
            row["id"] = copies[root, row["id"]]
        if rows:
            tx.execute(METADATA.tables[root].insert(), rows)
        for row in rows:
            tx.log("INSERT", row["entity_class"], [row["id"]])
        _copy_named_values(tx, root, copies)
    _copy_files(run, tx, copies)
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


def _copy_files(run: Run, tx: Transaction, copies: dict[tuple[str, int], int]) -> None:
    """Copy pixels and files before the commit: a copy without its data would be worse than data without a copy."""
    folders = {"Pixels": run.server.files / "Pixels", "OriginalFile": run.server.files / "OriginalFile"}
    for (root, old), new in copies.items():
        source = folders[root] / str(old) if root in folders else None
        if source is not None and source.exists():
            shutil.copy2(source, source.with_name(str(new)))
        elif root == "Pixels":
            _copy_imported_pixels(tx, run.server.files, old, new)


def _copy_imported_pixels(tx: Transaction, files: Path, old: int, new: int) -> None:
    """Write the pixels of an imported image to a file for its copy, a plane at a time."""
    pixels = tx.get("Pixels", old)
    assert pixels is not None
    try:
        source = open_pixels(tx, files, pixels)
    except (ImageFileError, OSError) as error:
        raise errors.resource(f"Pixels {old}: {error}") from error
    target = StoredPixels(pixels_path(files, new), source.shape)
    with contextlib.closing(source), contextlib.closing(target):
        shape = source.shape
        if isinstance(source, StoredPixels):
            return  # nobody has written to them yet
        if shape.size_x * shape.size_y > MAX_PLANE_PIXELS:
            raise errors.unsupported("Duplicate of an imported image with resolution levels")
        whole = (0, 0, shape.size_x, shape.size_y)
        for t, c, z in itertools.product(range(shape.size_t), range(shape.size_c), range(shape.size_z)):
            plane = source.read_tile(0, z, c, t, *whole)
            target.write_tile(plane.astype(shape.wire_type).tobytes(), z, c, t, *whole)

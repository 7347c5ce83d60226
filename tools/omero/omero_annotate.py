"""Annotate many OMERO objects from one table: key-value pairs, tags, comments and ratings."""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from annotation_changes import Change, Wanted, apply_changes, plan_changes
from key_value_dialects import ALL_IMAGES, TAG_NAMESPACE, Reading, TargetObject, read_key_values
from object_table import write_table
from omero_annotations import CLIENT_NAMESPACE
from omero_objects import CLASSES, ImageRecord, Target, find_ids, find_nonempty_images, read_target
from omero_session import Session, open_session
from omero_undo import MadeObjects
from tool_errors import UserError, run_tool

CHANGE_COLUMNS = (
    "object_type",
    "object_id",
    "object_name",
    "action",
    "annotation_type",
    "namespace",
    "before",
    "after",
)
SHOWN = 10  # Problems of a table that a message names at most.


def read_wanted(reading: Reading, namespace: str, kind: str) -> dict[TargetObject, Wanted]:
    """Collect what the table wants for each object.

    Columns COMMENT, RATING and TAG (any case) become comments, ratings and tags, all others key-value pairs.

    Args:
        reading: The table.
        namespace: For pairs in OMERO.web's namespace, which readers give to pairs that name none.
        kind: Kind of the objects where the table's form leaves it open.

    Raises:
        UserError: Anything in the table is odd (a wrong encoding, a ragged row, a formula), with line and column; a
            rating that is not 1 to 5; no pair at all.
    """
    odd = [one for one in reading.findings if one.level != "note"]
    if odd:
        shown = "; ".join(
            f"line {one.line}, column {one.column or '?'}: found {one.found!r}, expected {one.expected}"
            for one in odd[:SHOWN]
        )
        raise UserError(f"table {reading.file}: {len(odd)} cells are not in order. {shown}. Mend the table.")
    found: dict[TargetObject, Wanted] = {}
    for pair in reading.pairs:
        target = pair.target
        if reading.dialect == "omero-scripts-new" and target.kind == "image":
            target = replace(target, kind=kind)
        wanted = found.setdefault(target, Wanted())
        key = pair.key.casefold()
        if pair.namespace == TAG_NAMESPACE or key == "tag":
            wanted.tags[parse_tag(pair.value)] = None
        elif key == "comment":
            wanted.comments[pair.value] = None
        elif key == "rating":
            if not re.fullmatch("[1-5]", pair.value):
                raise UserError(
                    f"table {reading.file}, line {pair.line}: rating {pair.value!r} is not 1 to 5. Mend it."
                )
            wanted.rating = int(pair.value)
        else:
            space = namespace if pair.namespace == CLIENT_NAMESPACE else pair.namespace
            pairs = wanted.pairs.setdefault(space, [])
            if (pair.key, pair.value) not in pairs:
                pairs.append((pair.key, pair.value))
    if not found:
        raise UserError(f"table {reading.file}: no value in it. Check that its first line names the keys.")
    return found


def parse_tag(text: str) -> tuple[str, str]:
    """Split `name[tag set]` into name and tag set.

    >>> parse_tag("mitosis[stages]"), parse_tag("mitosis")
    (('mitosis', 'stages'), ('mitosis', ''))
    """
    match = re.fullmatch(r"(.+?)\s*\[(.+)\]", text)
    return (match[1].strip(), match[2].strip()) if match else (text, "")


def find_objects(
    session: Session, targets: Sequence[TargetObject], within: Mapping[str, Any]
) -> dict[tuple[str, int, str], list[TargetObject]]:
    """Look up the object of each row.

    Args:
        session: An open session.
        targets: As the table names them, by id or by name.
        within: `source` "group" (names are looked up in the whole group) or a target whose images and wells they are.

    Returns:
        For each (kind, id, name) the rows that speak of it.

    Raises:
        UserError: An object that is unknown, ambiguous or of a kind that cannot be annotated.
    """
    images = [] if within["source"] == "group" else find_nonempty_images(session, read_target(within))
    found: dict[tuple[str, int, str], list[TargetObject]] = {}
    by_id: dict[str, list[TargetObject]] = {}
    by_name: dict[str, list[TargetObject]] = {}
    for target in targets:
        object_kind = target.kind
        if object_kind not in CLASSES:
            raise UserError(
                f"{object_kind} {target.id or target.name!r}: such objects cannot be annotated. Leave it out."
            )
        if target.id and not target.id.isdecimal():
            raise UserError(f"{object_kind} {target.id!r}: not an id. Write a whole number.")
        if not target.id and (target.name == ALL_IMAGES or (images and object_kind in ("image", "well"))):
            for place in _find_within(target, images, object_kind):
                found.setdefault(place, []).append(target)
        else:
            (by_id if target.id else by_name).setdefault(object_kind, []).append(target)
    for object_kind, group in by_id.items():
        ids = tuple(dict.fromkeys(int(target.id) for target in group))
        find_ids(session, Target(object_kind, ids=ids))
        for target in group:
            found.setdefault((object_kind, int(target.id), target.name), []).append(target)
    for object_kind, group in by_name.items():
        names = tuple(dict.fromkeys(target.name for target in group))
        numbers = dict(zip(names, find_ids(session, Target(object_kind, names=names)), strict=True))
        for target in group:
            found.setdefault((object_kind, numbers[target.name], target.name), []).append(target)
    return found


def main() -> None:
    """Parse the command line, annotate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, table, within, kind, mode, ...")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    parser.add_argument("--changes", type=Path, required=True, help="table of changes to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    table = config["table"]
    reading = read_key_values(Path(table["source_path"]), table["element_identifier"], config.get("split") or "")
    wanted = read_wanted(reading, (config.get("namespace") or "").strip() or CLIENT_NAMESPACE, config["kind"])
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        found = find_objects(session, list(wanted), config["within"])
        merged = {place: Wanted.merged([wanted[target] for target in targets]) for place, targets in found.items()}
        changes = plan_changes(session, merged, config["mode"])
        if not config.get("dry_run"):
            made = MadeObjects()
            try:
                apply_changes(session, changes, made)
            except BaseException:
                with suppress(Exception):  # If the server is gone, a rerun finds what is there already.
                    session.delete(made.ids)
                raise
    done = "would change" if config.get("dry_run") else "changed"
    kinds = {kind for kind, _, _ in found}
    columns = [
        f"{kinds.pop()}_id" if len(kinds) == 1 else "object_id",
        "object_type",
        "object_name",
        "change_count",
        "status",
    ]
    write_table(args.output, columns, _object_rows(found, changes, done))
    write_table(args.changes, CHANGE_COLUMNS, (change.row() for change in changes))
    print(f"{len(found)} objects, {len(changes)} changes" + (" (nothing was changed)" if config.get("dry_run") else ""))


def _find_within(target: TargetObject, images: Sequence[ImageRecord], kind: str) -> list[tuple[str, int, str]]:
    """The image or well of a name among the images of a container; exact names go before those in other case."""
    if target.name == ALL_IMAGES:
        if not images:
            raise UserError("image '*': it stands for all images of a container. Choose the container.")
        return [("image", image.image_id, image.image_name) for image in images]
    places = {
        (kind, image.image_id, image.image_name) if kind == "image" else (kind, image.well_id or 0, image.well or "")
        for image in images
        if target.name.casefold() == (image.image_name if kind == "image" else image.well or "").casefold()
    }
    exact = {place for place in places if place[2] == target.name} or places
    if len(exact) != 1:
        ids = ", ".join(str(place[1]) for place in sorted(exact)) or "none"
        raise UserError(
            f"{kind} {target.name!r}: the container must have one of this name; found ids: {ids}. Give the id."
        )
    return list(exact)


def _object_rows(
    found: Mapping[tuple[str, int, str], Any], changes: Sequence[Change], done: str
) -> list[tuple[Any, ...]]:
    counts: dict[tuple[str, int], int] = {}
    for change in changes:
        counts[change.kind, change.object_id] = counts.get((change.kind, change.object_id), 0) + 1
    rows = []
    for kind, number, name in found:
        count = counts.get((kind, number), 0)
        rows.append((number, kind, name, count, done if count else "unchanged"))
    return rows


if __name__ == "__main__":
    run_tool(main)

"""Annotate many OMERO objects from one table: key-value pairs, tags, comments, ratings and attached files."""

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.annotations.annotations import CLIENT_NAMESPACE
from bioimage_suite.omero.annotations.changes import Change, Wanted, apply_changes, plan_changes
from bioimage_suite.omero.annotations.tables import left_out, read_attachments, read_wanted
from bioimage_suite.omero.object_report import AT_WORK, Row, object_report
from bioimage_suite.omero.objects import CLASSES, PAGE, ImageRecord, Target, find_ids, find_nonempty_images, read_target
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.omero.undo import MadeObjects
from bioimage_suite.tables.key_value_dialects import ALL_IMAGES, TargetObject, read_key_values
from bioimage_suite.tables.object_table import write_table

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
OBJECT_COLUMNS = ("object_type", "object_name", "change_count", "status")


def find_objects(
    session: Session, targets: Sequence[TargetObject], within: Mapping[str, Any]
) -> dict[tuple[str, int, str], list[TargetObject]]:
    """Find the object of each row.

    Args:
        session: An open session.
        targets: The objects as the table names them, by id or by name.
        within: `source` "group" to look names up in the whole group, or a target to look them up among its images and
            wells.

    Returns:
        For each (kind, id, name) the rows that name it.

    Raises:
        UserError: An object is unknown, ambiguous or of a kind that cannot be annotated.
    """
    images = [] if within["source"] == "group" else find_nonempty_images(session, read_target(within))
    found: dict[tuple[str, int, str], list[TargetObject]] = {}
    by_id: dict[str, list[TargetObject]] = {}
    by_name: dict[str, list[TargetObject]] = {}
    by_dataset: dict[str, list[ImageRecord]] = {}
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
        elif not target.id and target.dataset:
            if target.dataset not in by_dataset:
                by_dataset[target.dataset] = find_nonempty_images(session, _dataset(target.dataset))
            for place in _find_within(target, by_dataset[target.dataset], object_kind):
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


def annotate(
    session: Session, wanted: Mapping[tuple[str, int, str], Wanted], report: list[Row], *, mode: str, dry_run: bool
) -> list[Change]:
    """Give objects the annotations that they lack: all objects, or none if anything fails.

    Args:
        session: An open session.
        wanted: The wanted annotations by (kind, id, name) of the object.
        report: Receives one row per object, see `object_report`.
        mode: See `annotation_changes.plan_changes`.
        dry_run: Only report what would be done.

    Returns:
        The changes.

    Raises:
        UserError: The server failed, or the user may not annotate an object. Nothing has changed then.
    """
    for kind, number, name in wanted:
        report.append({"object_type": kind, f"{kind}_id": number, "object_id": number, "object_name": name})
    _check_permissions(session, wanted, report)
    changes = plan_changes(session, wanted, mode)
    counts = Counter((change.kind, change.object_id) for change in changes)
    for row in report:
        row["change_count"] = counts[row["object_type"], row["object_id"]]
    if not dry_run:
        for row in report:
            row["status"] = AT_WORK if row["change_count"] else "unchanged"
        made = MadeObjects()
        try:
            apply_changes(session, changes, made)
        except BaseException:
            with suppress(Exception):  # If the server is gone, a rerun finds the annotations that are there already.
                session.delete(made.ids)
            raise
    for row in report:
        row["status"] = ("would change" if dry_run else "changed") if row["change_count"] else "unchanged"
    return changes


def main() -> None:
    """Parse the command line, annotate the objects, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, table, within, kind, mode, ...")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    parser.add_argument("--changes", type=Path, required=True, help="table of changes to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    table = config["table"]
    reading = read_key_values(Path(table["source_path"]), table["element_identifier"], config.get("split") or "")
    namespace = (config.get("namespace") or "").strip() or CLIENT_NAMESPACE
    wanted = read_wanted(reading, namespace, config["kind"], read_attachments(config.get("attachments")))
    for line in left_out(reading):
        print(line, flush=True)
    columns: list[str] = []
    with (
        object_report(args.output, columns) as report,
        open_session(config["omero_host"], config.get("omero_group") or "") as session,
    ):
        found = find_objects(session, list(wanted), config["within"])
        kinds = {kind for kind, _, _ in found}
        columns += [f"{kinds.pop()}_id" if len(kinds) == 1 else "object_id", *OBJECT_COLUMNS]
        merged = {place: Wanted.merged([wanted[target] for target in targets]) for place, targets in found.items()}
        changes = annotate(session, merged, report, mode=config["mode"], dry_run=bool(config.get("dry_run")))
    write_table(args.changes, CHANGE_COLUMNS, (change.row() for change in changes))
    print(f"{len(found)} objects, {len(changes)} changes" + (" (nothing was changed)" if config.get("dry_run") else ""))


def _check_permissions(session: Session, wanted: Mapping[tuple[str, int, str], Wanted], report: Sequence[Row]) -> None:
    refused: set[tuple[str, int]] = set()
    for kind in dict.fromkeys(kind for kind, _, _ in wanted):
        ids = [number for other, number, _ in wanted if other == kind]
        for start in range(0, len(ids), PAGE):
            hql = f"select o from {CLASSES[kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
            for one in session.objects(hql, ids=ids[start : start + PAGE]):
                if not one.details.permissions.canAnnotate():
                    refused.add((kind, one.id.val))
    for row in report:
        if (row["object_type"], row["object_id"]) in refused:
            row["status"] = AT_WORK
    if refused:
        kind, number = min(refused)
        raise UserError(
            f"{kind} {number} and {len(refused) - 1} more: you may not annotate them in group {session.group_name!r}. "
            "Ask their owner, or leave them out. Nothing was changed."
        )


def _dataset(text: str) -> Target:
    """Return the dataset that a row names; see `TargetObject.dataset`."""
    if re.fullmatch(r"#\d+", text):
        return Target("dataset", ids=(int(text[1:]),))
    return Target("dataset", names=(text,))


def _find_within(target: TargetObject, images: Sequence[ImageRecord], kind: str) -> list[tuple[str, int, str]]:
    """Find an image or well by name among the images of a container; an exact name goes before one in another case."""
    if target.name == ALL_IMAGES:
        if not images:
            raise UserError("image '*': it stands for all images of a container. Choose the container.")
        return [("image", image.image_id, image.image_name) for image in images]
    # A table with the columns plate and well names a well "plate/well".
    names = {"image": ("{0.image_name}",), "well": ("{0.well}", "{0.plate_name}/{0.well}")}[kind]
    places = {
        (kind, image.image_id, image.image_name) if kind == "image" else (kind, image.well_id or 0, image.well or "")
        for image in images
        if target.dataset in ("", image.dataset_name, f"#{image.dataset_id}")
        and target.name.casefold() in [name.format(image).casefold() for name in names]
    }
    exact = {place for place in places if place[2] == target.name} or places
    if len(exact) != 1:
        ids = ", ".join(str(place[1]) for place in sorted(exact)) or "none"
        where = f" of dataset {target.dataset!r}" if target.dataset else ""
        raise UserError(
            f"{kind} {target.name!r}{where}: the container must have one of this name; found ids: {ids}. Give the id."
        )
    return list(exact)


if __name__ == "__main__":
    run_tool(main)

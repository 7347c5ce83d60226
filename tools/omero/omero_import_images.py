"""Import image files into an OMERO dataset, described by a table, without Java and never twice."""

import argparse
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation_changes import Wanted, apply_changes, plan_changes
from image_filesets import ImageFileset, read_filesets
from key_value_dialects import ALL_IMAGES, TargetObject, read_key_values
from object_table import write_table
from omero_annotate import read_wanted
from omero_annotations import CLIENT_NAMESPACE
from omero_containers import DatasetPlace, find_place, make_place
from omero_imports import ImportRun, find_imported, import_fileset, undo_imports
from omero_session import Session, open_session
from omero_undo import MadeObjects
from tool_errors import UserError, run_tool

COLUMNS = (
    "image_id",
    "image_name",
    "file",
    "dataset_id",
    "dataset_name",
    "project_name",
    "annotation_count",
    "sha1",
    "status",
)


@dataclass(frozen=True)
class Words:
    """What a table says of a file's images: annotations and a description ("" is none)."""

    wanted: Wanted = field(default_factory=Wanted)
    description: str = ""


def match_words(wanted: Mapping[TargetObject, Wanted], labels: Sequence[str]) -> dict[str, Words]:
    """Find the file of each row of a table.

    Args:
        wanted: What the rows want, from `omero_annotate.read_wanted`.
        labels: What the list calls the files. A row may also give the last step of a path within a zip, or leave the
            suffix out.

    Raises:
        UserError: A row about something else than a file's images, or one that leads to no file or to several; two
            descriptions of one file.
    """
    rows: dict[str, list[Wanted]] = {}
    for target, one in wanted.items():
        if target.kind != "image" or target.id:
            raise UserError(
                f"table: a row is about {target.kind} {target.id or target.name!r}, but the images are not in OMERO "
                "yet. Name each row after its file, in a column image."
            )
        for label in labels if target.name == ALL_IMAGES else [_only_label(target.name, labels)]:
            rows.setdefault(label, []).append(one)
    return {label: _words(label, several) for label, several in rows.items()}


def import_images(
    session: Session,
    filesets: Sequence[ImageFileset],
    *,
    place: DatasetPlace,
    words: Mapping[str, Words],
    existing: str,
    dry_run: bool,
) -> list[tuple[Any, ...]]:
    """Import what the dataset does not have yet, and annotate the images of all files.

    Args:
        session: An open session.
        filesets: What to import.
        place: Where to.
        words: What to annotate, by the label of the fileset.
        existing: "skip" or "refuse" content that the dataset has already, or that stands in the list twice.
        dry_run: Check everything and change nothing.

    Returns:
        Rows of the object table.

    Raises:
        UserError: The server refused a file or failed; everything that this run has made is deleted again.
    """
    known = {} if place.dataset_id is None else find_imported(session, place.dataset_id, filesets)
    if existing == "refuse":
        _refuse_repeats(filesets, known, place)
    if dry_run:
        first = {one.content: one.label for one in reversed(filesets)}
        fresh = {label for content, label in first.items() if content not in known}
        return [row for one in filesets for row in _planned(one, place, known, one.label in fresh)]
    run, made = ImportRun(), MadeObjects()
    try:
        dataset_id = make_place(session, place, made)
        images: dict[str, list[int]] = {}
        status = {}
        for number, one in enumerate(filesets, 1):
            status[one.label] = "skipped" if one.content in known else "imported"
            if one.content not in known:
                description = words.get(one.label, Words()).description
                known[one.content] = import_fileset(session, run, one, dataset_id, description=description)
            images[one.label] = known[one.content]
            print(f"{number}/{len(filesets)} {one.label}: {status[one.label]}", flush=True)
        names = _image_names(session, [image for ids in images.values() for image in ids])
        counts = _annotate(session, images, names, words, made)
    except BaseException:
        with suppress(Exception):  # If the server is gone, a rerun finds what is there by its content.
            undo_imports(session, run, made.ids)
        raise
    return [
        (image, names[image], one.label, dataset_id, place.dataset_name, place.project_name, counts.get(image, 0),
         " ".join(one.content), status[one.label])
        for one in filesets
        for image in images[one.label]
    ]  # fmt: skip


def main() -> None:
    """Parse the command line, import, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON: omero_host, files, place, table, existing, ..."
    )
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    files = config["files"]
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix="unpacked-") as folder:
        entries = [files] if isinstance(files, dict) else list(files or [])
        filesets = read_filesets(entries, config["zip_holds"], Path(folder))
        words = _read_words(config, [one.label for one in filesets])
        with open_session(config["omero_host"], config.get("omero_group") or "") as session:
            rows = import_images(
                session,
                filesets,
                place=find_place(session, config["place"]),
                words=words,
                existing=config["existing"],
                dry_run=bool(config.get("dry_run")),
            )
    write_table(args.output, COLUMNS, rows)


def _read_words(config: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Words]:
    table = config.get("table")
    if not table or not table["source_path"]:  # Galaxy describes a file that was not chosen by its empty path.
        return {}
    reading = read_key_values(Path(table["source_path"]), table["element_identifier"])
    namespace = (config.get("namespace") or "").strip() or CLIENT_NAMESPACE
    return match_words(read_wanted(reading, namespace, "image"), labels)


def _only_label(name: str, labels: Sequence[str]) -> str:
    """The file of a row; the strictest comparison that finds any decides."""
    last = [label.rsplit("/", 1)[-1] for label in labels]
    comparisons = (
        [label for label in labels if label == name],
        [label for label, step in zip(labels, last, strict=True) if step == name],
        [label for label, step in zip(labels, last, strict=True) if _stem(step) == _stem(name)],
    )
    found = next((one for one in comparisons if one), [])
    if len(found) > 1:
        raise UserError(f"table: {name!r} leads to several files ({', '.join(found[:5])}). Give the whole path.")
    if not found:
        shown = ", ".join(labels[:10])
        raise UserError(f"table: no file is called {name!r}. Mend the row or leave it out; files: {shown}.")
    return found[0]


def _stem(name: str) -> str:
    # A suffix begins with a letter: "5um" in "scan_1.5um" is none.
    return re.sub(r"(\.ome)?\.[A-Za-z][A-Za-z0-9]{1,4}$", "", name, flags=re.IGNORECASE)


def _words(label: str, several: Sequence[Wanted]) -> Words:
    """Join the rows of a file, and take the column `description` (any case) out of the key-value pairs."""
    joined = Wanted.merged(several)
    descriptions: list[str] = []
    for namespace, pairs in joined.pairs.items():
        descriptions += [value for key, value in pairs if key.casefold() == "description"]
        joined.pairs[namespace] = [pair for pair in pairs if pair[0].casefold() != "description"]
    if len(set(descriptions)) > 1:
        raise UserError(f"table: {label!r} has {len(set(descriptions))} descriptions. Keep one of them.")
    return Words(joined, descriptions[0] if descriptions else "")


def _refuse_repeats(
    filesets: Sequence[ImageFileset], known: Mapping[tuple[str, ...], list[int]], place: DatasetPlace
) -> None:
    first: dict[tuple[str, ...], str] = {}
    for one in filesets:
        if one.content in known:
            raise UserError(
                f"file {one.label!r}: dataset {place.dataset_name!r} has its content already, as image "
                f"{', '.join(map(str, known[one.content][:5]))}. Leave it out, or choose to skip such files."
            )
        if first.setdefault(one.content, one.label) != one.label:
            raise UserError(
                f"file {one.label!r}: it has the same content as {first[one.content]!r}. Leave one out, or choose to "
                "skip such files."
            )


def _planned(
    one: ImageFileset, place: DatasetPlace, known: Mapping[tuple[str, ...], list[int]], fresh: bool
) -> list[tuple[Any, ...]]:
    status = "would import" if fresh else "would skip"
    ids: Sequence[int | None] = known.get(one.content) or [None]
    where = (place.dataset_id, place.dataset_name, place.project_name)
    return [(image, None, one.label, *where, None, " ".join(one.content), status) for image in ids]


def _image_names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for start in range(0, len(ids), 1000):
        names |= dict(
            session.rows("select i.id, i.name from Image i where i.id in (:ids)", ids=ids[start : start + 1000])
        )
    return names


def _annotate(
    session: Session,
    images: Mapping[str, Sequence[int]],
    names: Mapping[int, str],
    words: Mapping[str, Words],
    made: MadeObjects,
) -> dict[int, int]:
    """Annotate the images of each file; returns the number of changes by image. What is there already stays."""
    several: dict[int, list[Wanted]] = {}
    for label, one in words.items():
        for image in images[label]:
            several.setdefault(image, []).append(one.wanted)
    merged = {("image", image, names[image]): Wanted.merged(ones) for image, ones in several.items()}
    changes = plan_changes(session, merged, "add")
    apply_changes(session, changes, made)
    counts: dict[int, int] = {}
    for change in changes:
        counts[change.object_id] = counts.get(change.object_id, 0) + 1
    return counts


if __name__ == "__main__":
    run_tool(main)

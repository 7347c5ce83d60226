"""Bring measurement tables to OMERO as OMERO.tables, attached to the images or to their dataset."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from feature_table import Survey, read_measurements, survey_tables
from named_files import NamedFile, match_images, read_files
from object_table import read_table, write_table
from omero_objects import ImageRecord, find_ids, read_target
from omero_session import Session, open_session
from omero_tables import TableWriter, attach_table, find_own_tables
from omero_undo import MadeObjects, merge_ids
from tool_errors import UserError, run_tool


@dataclass(frozen=True)
class Place:
    """An object that gets a table: `kind` is "image" or "dataset"."""

    kind: str
    object_id: int
    name: str


@dataclass(frozen=True)
class Measurements:
    """Tables with all that is known of them.

    `images` and `places` tell for each name in the tables its image and where its rows go; `rois`, if not None, is
    the id of the ROI by (image id, label).
    """

    files: Sequence[NamedFile]
    survey: Survey
    images: Mapping[str, ImageRecord]
    places: Mapping[str, Place]
    rois: Mapping[tuple[int, int], int] | None


def import_tables(session: Session, measurements: Measurements, name: str) -> list[tuple[Any, ...]]:
    """Make one table for each place, in place of the one that an earlier run made there.

    The new tables are complete before the old ones go, and taken back if anything fails. A table named `name` replaces
    only one of the same name that the same user made on the same object with this suite.

    Returns:
        (place, file id, annotation id, row count, replaced count) of each table.

    Raises:
        UserError: The server failed; what was made has been taken back.
    """
    wanted = list(dict.fromkeys(measurements.places.values()))
    file_name = f"{name}.h5"  # OMERO's usual ending for a table.
    old: dict[int, dict[str, list[int]]] = {}
    if wanted:
        old = find_own_tables(session, wanted[0].kind, [place.object_id for place in wanted], file_name)
    made = MadeObjects()
    name_size = max((len(image.image_name.encode()) for image in measurements.images.values()), default=1) or 1
    writer = TableWriter(measurements.survey.features, name_size, measurements.rois is not None)
    file_ids: dict[Place, int] = {}
    counts = dict.fromkeys(wanted, 0)
    try:
        for place, rows in _by_place(measurements):
            if place in file_ids:  # Its rows do not stand together.
                writer.reopen(session, file_ids[place])
            else:
                file_ids[place] = writer.create(session, file_name)
                made.add("OriginalFile", [file_ids[place]])
            counts[place] += writer.write(rows)
            writer.close()
        report = []
        for place in wanted:
            annotation_id = attach_table(session, place.kind, place.object_id, file_ids[place], made)
            replaced = len(old.get(place.object_id, {}).get("FileAnnotation", ()))
            report.append((place, file_ids[place], annotation_id, counts[place], replaced))
            print(f"{place.kind} {place.object_id}: {counts[place]} rows, {replaced} tables replaced", flush=True)
        session.delete(merge_ids(old.values()))
    except BaseException:
        with suppress(Exception):  # If the server is gone, the mark lets the next run take them away.
            writer.close()
            session.delete(made.ids)
        raise
    return report


def choose_places(
    session: Session, attach: str, images: Mapping[str, ImageRecord], match: Mapping[str, Any]
) -> dict[str, Place]:
    """Decide which object gets the rows of each image.

    Args:
        session: An open session.
        attach: "image" or "dataset".
        images: The image of each name.
        match: How names were matched; a typed dataset there takes the rows of all images.

    Raises:
        UserError: An image that stands in no dataset, or in several while none was named.
    """
    if attach == "image":
        return {name: Place("image", image.image_id, image.image_name) for name, image in images.items()}
    if match["source"] != "identifier":
        target = read_target(match)
        ids = find_ids(session, target)
        if target.kind == "dataset" and len(ids) == 1:
            [[dataset]] = session.rows("select d.name from Dataset d where d.id in (:ids)", ids=ids)
            return {name: Place("dataset", ids[0], dataset) for name in images}
    rows = session.rows(
        "select l.child.id, d.id, d.name from DatasetImageLink l join l.parent d where l.child.id in (:ids) "
        "order by d.id",
        ids=[image.image_id for image in images.values()],
    )
    places: dict[str, Place] = {}
    for name, image in images.items():
        found = [(number, dataset) for image_id, number, dataset in rows if image_id == image.image_id]
        if len(found) != 1:
            shown = ", ".join(f"{number} {dataset!r}" for number, dataset in found) or "none"
            raise UserError(
                f"image {image.image_id} {image.image_name!r}: it must stand in one dataset to attach the table there; "
                f"found: {shown}. Choose the dataset, or attach to the images."
            )
        places[name] = Place("dataset", *found[0])
    return places


def main() -> None:
    """Parse the command line, import, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, tables, match, attach, ...")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    parser.add_argument("--merged", type=Path, required=True, help="all measurements as one table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    name, attach = config["table_name"].strip(), config["attach"]
    if not name or "/" in name:
        raise UserError(f"table name {name!r}: write a name without a slash, such as measurements.")
    files = read_files(config["tables"])
    survey = survey_tables(files)
    given = (config.get("rois") or {}).get("source_path")  # Galaxy describes a file that was not given, without a path.
    rois = read_rois(Path(given)) if given else None
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        found = match_images(session, survey.images, config["match"])
        images = dict(zip(survey.images, found, strict=True))
        places = choose_places(session, attach, images, config["match"])
        if config.get("dry_run"):
            report = [(place, "", "", "", "") for place in dict.fromkeys(places.values())]
        else:
            report = import_tables(session, Measurements(files, survey, images, places, rois), name)
    status = "would import" if config.get("dry_run") else "imported"
    columns = (f"{attach}_id", f"{attach}_name", "table_name", "file_id", "annotation_id", "row_count")
    rows = ((p.object_id, p.name, name, *numbers, status) for p, *numbers in report)
    write_table(args.output, (*columns, "replaced_count", "status"), rows)
    write_merged(args.merged, files, survey, images)


def read_rois(path: Path) -> dict[tuple[int, int], int]:
    """Read the ROI table of omero_import_rois: the ROI's id by (image id, label).

    Raises:
        UserError: A column is missing or a cell is not a whole number.
    """
    table = read_table(path, "table of ROIs")
    wanted = ("image_id", "label", "roi_id")
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise UserError(f"table of ROIs: no column {missing[0]}; found: {', '.join(table.columns)}.")
    try:
        return {
            (int(image), int(label)): int(roi)
            for image, label, roi in zip(*(table.column(column) for column in wanted), strict=True)
        }
    except ValueError as error:
        raise UserError(f"table of ROIs: {error}. Give the table as omero_import_rois wrote it.") from None


def write_merged(path: Path, files: Sequence[NamedFile], survey: Survey, images: Mapping[str, ImageRecord]) -> None:
    """Write all measurements as one table: image_id, image, then the features as they were written."""
    columns = ("image_id", "image", *(feature.name for feature in survey.features))
    rows = read_measurements(files, survey.features)
    write_table(path, columns, ((images[name].image_id, name, *values) for name, values in rows))


def _by_place(
    measurements: Measurements,
) -> Iterator[tuple[Place, Iterator[tuple[int, str, int, Sequence[str]]]]]:
    """Yield runs of rows that go to one place, then every place that has no row at all."""
    features, rois = measurements.survey.features, measurements.rois
    names = [feature.name for feature in features]
    label = names.index("label") if "label" in names else None

    def row(name: str, values: Sequence[str]) -> tuple[int, str, int, Sequence[str]]:
        image, roi = measurements.images[name], -1  # OMERO.tables has no empty id; -1 points to nothing.
        if rois is not None and label is not None and values[label].isdecimal():
            roi = rois.get((image.image_id, int(values[label])), -1)
        return image.image_id, image.image_name, roi, values

    seen = set()
    found = read_measurements(measurements.files, features)
    for place, rows in groupby(found, key=lambda item: measurements.places[item[0]]):
        seen.add(place)
        yield place, (row(name, values) for name, values in rows)
    for place in dict.fromkeys(measurements.places.values()):
        if place not in seen:
            yield place, iter(())


if __name__ == "__main__":
    run_tool(main)

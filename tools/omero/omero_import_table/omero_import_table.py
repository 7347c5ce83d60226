"""Import measurement tables to OMERO as OMERO.tables, attached to images, their dataset or another container."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.named_files import NamedFile, match_images, read_files
from bioimage_suite.omero.object_report import AT_WORK, Row, object_report
from bioimage_suite.omero.objects import CLASSES, ImageRecord, find_ids, read_target
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.omero.tables.columns import RowMaker, find_places, make_rows
from bioimage_suite.omero.tables.feature_table import Survey, read_measurements, survey_tables
from bioimage_suite.omero.tables.tables import (
    TableWriter,
    attach_table,
    find_free_tables,
    find_own_tables,
    finish_tables,
)
from bioimage_suite.omero.undo import MadeObjects, merge_ids
from bioimage_suite.tables.object_table import read_table, write_table

COLUMNS = ("table_name", "file_id", "annotation_id", "row_count", "replaced_count", "status")


@dataclass(frozen=True)
class Place:
    """An object that gets a table."""

    kind: str
    object_id: int
    name: str


@dataclass(frozen=True)
class Measurements:
    """Tables to import; `places` maps each image name in the tables to the object that gets its rows."""

    files: Sequence[NamedFile]
    places: Mapping[str, Place]
    rows: RowMaker


def import_tables(session: Session, measurements: Measurements, name: str, report: list[Row]) -> None:
    """Make one table for each place, and replace the table of an earlier run there.

    The new tables are complete before the old ones are deleted, and are deleted if anything fails. A table named `name`
    replaces only tables of the same name that the same user made on the same object with this suite.

    Args:
        session: An open session.
        measurements: The tables and their places.
        name: Name of the tables.
        report: One row per place, see `object_report`.

    Raises:
        UserError: The server failed; everything that this run made is deleted.
    """
    wanted = list(dict.fromkeys(measurements.places.values()))
    rows_of = dict(zip(wanted, report, strict=True))
    file_name = f"{name}.h5"  # OMERO's usual ending for a table.
    old: dict[int, dict[str, list[int]]] = {}
    if wanted:
        old = find_own_tables(session, wanted[0].kind, [place.object_id for place in wanted], file_name)
    session.delete({"OriginalFile": find_free_tables(session, file_name)})
    made = MadeObjects()
    writer = TableWriter(measurements.rows.columns)
    try:
        for place, rows in _by_place(measurements):
            row = rows_of[place]
            row["status"] = AT_WORK
            if row.get("file_id"):  # The rows of this place are not contiguous.
                writer.reopen(session, row["file_id"])
            else:
                row["file_id"] = writer.create(session, file_name)
                made.add("OriginalFile", [row["file_id"]])
                row["annotation_id"] = attach_table(session, place.kind, place.object_id, row["file_id"], made)
            row["row_count"] = row.get("row_count", 0) + writer.write(rows)
            writer.close()
            row["status"] = "imported"
        for place, row in rows_of.items():
            row["replaced_count"] = len(old.get(place.object_id, {}).get("FileAnnotation", ()))
            print(f"{place.kind} {place.object_id}: {row['row_count']} rows, {row['replaced_count']} tables replaced")
        finish_tables(session, [row["annotation_id"] for row in report])
        session.delete(merge_ids(old.values()))
    except BaseException:
        with suppress(Exception):  # If the server is gone, the next run finds them by their mark and deletes them.
            writer.close()
            session.delete(made.ids)
        raise


def choose_places(
    session: Session, attach: str, images: Mapping[str, ImageRecord], match: Mapping[str, Any]
) -> dict[str, Place]:
    """Decide which object gets the rows of each image.

    Args:
        session: An open session.
        attach: "image"; "dataset"; or "container", the container that `match` names.
        images: The image of each name.
        match: How names were matched; a dataset named there gets the rows of all images.

    Raises:
        UserError: An image is in no dataset, or in several and none was named; no container was named, or several.
    """
    if attach == "container":
        place = _container(session, match)
        return dict.fromkeys([*images, ""], place)  # "" is the key of rows without an image.
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
    """Parse the command line, import the tables, write the reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, tables, match, attach, ...")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    parser.add_argument("--merged", type=Path, required=True, help="all measurements as one table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    name, attach, match = config["table_name"].strip(), config["attach"], config["match"]
    if not name or "/" in name:
        raise UserError(f"table name {name!r}: write a name without a slash, such as measurements.")
    files = read_files(config["tables"])
    survey = survey_tables(files, rows_have_images=attach != "container")
    given = (config.get("rois") or {}).get("source_path")  # Galaxy describes a file that was not given without a path.
    rois = read_rois(Path(given)) if given else None
    columns: list[str] = []
    with (
        object_report(args.output, columns) as report,
        open_session(config["omero_host"], config.get("omero_group") or "") as session,
    ):
        found = match_images(session, survey.images, match)
        images = dict(zip(survey.images, found, strict=True))
        places = choose_places(session, attach, images, match)
        ids = find_places(session, survey, read_target(match)) if attach == "container" else {}
        measurements = Measurements(files, places, make_rows(survey, images, ids, rois))
        kind = next((place.kind for place in places.values()), attach)
        columns += [f"{kind}_id", f"{kind}_name", *COLUMNS]
        for place in dict.fromkeys(places.values()):
            report.append({f"{kind}_id": place.object_id, f"{kind}_name": place.name, "table_name": name})
        if config.get("dry_run"):
            for row in report:
                row["status"] = "would import"
        else:
            import_tables(session, measurements, name, report)
    write_merged(args.merged, files, survey, images)


def read_rois(path: Path) -> dict[tuple[int, int], int]:
    """Read the ROI table of omero_import_rois; return ROI ids by (image id, label).

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
    """Write all measurements as one table: image_id, image, then the features as in the input."""
    known = ("image_id", "image") if images else ()
    rows = read_measurements(files, survey.features)
    columns = (*known, *(feature.name for feature in survey.features))
    write_table(path, columns, ((images[name].image_id, name, *values) if images else values for name, values in rows))


def _container(session: Session, match: Mapping[str, Any]) -> Place:
    if match["source"] == "identifier":
        raise UserError("container: none is named. Choose to match names within a container, and name it.")
    target = read_target(match)
    ids = find_ids(session, target)
    if len(ids) != 1:
        raise UserError(f"{target.kind}s {', '.join(map(str, ids))}: the table can go to one object only. Name one.")
    hql = f"select o.name from {CLASSES[target.kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
    [[name]] = session.rows(hql, ids=list(ids))
    return Place(target.kind, ids[0], name)


def _by_place(measurements: Measurements) -> Iterator[tuple[Place, Iterator[Sequence[Any]]]]:
    """Yield each place with a run of consecutive rows for it, then every place without any row."""
    places, maker = measurements.places, measurements.rows
    seen = set()
    found = read_measurements(measurements.files, maker.features)
    for place, rows in groupby(found, key=lambda item: places[item[0]] if maker.images else places[""]):
        seen.add(place)
        yield place, (maker.values(name, texts) for name, texts in rows)
    for place in dict.fromkeys(places.values()):
        if place not in seen:
            yield place, iter(())


if __name__ == "__main__":
    run_tool(main)

"""Import of measurement tables as OMERO.tables, attached to images, their dataset or another container."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.objects import (
    CLASSES,
    ImageRecord,
    find_ids,
    read_target,
)
from bioimage_suite.omero.paging import paged_rows
from bioimage_suite.omero.tables.feature_table import Feature, Survey, read_measurements
from bioimage_suite.omero.tables.joining import describe_table, fitting, joined_columns, kept_rows
from bioimage_suite.omero.tables.tables import (
    Elements,
    OwnTable,
    TableWriter,
    attach_table,
    find_free_tables,
    find_own_tables,
    finish_tables,
)
from bioimage_suite.omero.undo import MadeObjects, merge_ids, without, writing
from bioimage_suite.tables.object_table import read_exact_table, write_table
from bioimage_suite.tables.plate_layout import well_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bioimage_suite.omero.named_files import NamedFile
    from bioimage_suite.omero.session import Session
    from bioimage_suite.omero.tables.columns import RowMaker
    from bioimage_suite.tables.report import Row


@dataclass(frozen=True)
class TableTarget:
    """An object that gets a table."""

    kind: str
    object_id: int
    name: str


@dataclass(frozen=True)
class TableImport:
    """Tables to import; `targets` maps each image name in the tables to the object that gets its rows.

    `counts` holds the number of rows by file and image, as `feature_table.Survey` has it.
    """

    files: Sequence[NamedFile]
    targets: Mapping[str, TableTarget]
    rows: RowMaker
    counts: Sequence[tuple[str, str, int]]

    def target_of(self, image: str) -> TableTarget | None:
        """Return the object that gets the rows of an image; rows of no image go to the target of ""."""
        return self.targets.get(image if self.rows.images else "")


@dataclass(frozen=True)
class Plan:
    """What becomes of one target: the table's columns, the files it is made from, and the tables that go for it.

    Of tables in `kept` the rows go into the new table, except those of the files in `again`.
    """

    columns: tuple[Feature, ...]
    elements: Elements
    replaced: tuple[OwnTable, ...]
    kept: tuple[OwnTable, ...] = ()
    again: tuple[str, ...] = ()


def import_tables(
    session: Session,
    measurements: TableImport,
    name: str,
    rows: Mapping[TableTarget, Row],
    *,
    existing: str = "element",
) -> None:
    """Make one table for each target, and replace the table of an earlier run there.

    The new tables are complete before the old ones are deleted, and are deleted if anything fails. A table named `name`
    replaces only tables of the same name that the same user made on the same object with this suite.

    Args:
        session: An open session.
        measurements: The tables and their targets.
        name: Name of the tables.
        rows: The row of each target in the report.
        existing: What becomes of tables of this name that are there. "element": those made from the same files are
            replaced, others stay. "append": their rows stand in the new table, too, except those of the same files.
            "replace": all are replaced.

    Raises:
        UserError: The server failed; everything that this run made is deleted.
    """
    file_name = f"{name}.h5"  # OMERO's usual ending for a table.
    wanted = list(rows)
    with writing(session, [f"table/{name}"]) as made:
        # Under this lease, what is not complete and what is not attached was left by a run that is gone.
        made.clear(lambda again: {"OriginalFile": find_free_tables(again, file_name)})
        own: list[OwnTable] = []
        if wanted:
            places = (wanted[0].kind, [target.object_id for target in wanted], file_name)
            own = find_own_tables(session, *places)
            known = merge_ids(one.ids for one in own)
            made.rest.append(
                lambda again: without(merge_ids(one.ids for one in find_own_tables(again, *places)), known)
            )
        plans = {target: plan_table(session, measurements, target, own, existing) for target in wanted}
        for target, values in _by_target(measurements):
            row, plan = rows[target], plans[target]
            row.begin()
            with TableWriter(plan.columns) as writer:
                _write(
                    session, writer, target, values, plan=plan, source=measurements, row=row, name=file_name, made=made
                )
            row.done("imported")
        for target, row in rows.items():
            row.fill(replaced_count=len(plans[target].replaced))
            print(
                f"{target.kind} {target.object_id}: {row.cells['row_count']} rows, "
                f"{row.cells['replaced_count']} tables replaced"
            )
        made.stay_alone()
        finish_tables(session, [row.cells["annotation_id"] for row in rows.values()])
        made.finish(merge_ids(one.ids for plan in plans.values() for one in plan.replaced))


def plan_table(
    session: Session, measurements: TableImport, target: TableTarget, own: Sequence[OwnTable], existing: str
) -> Plan:
    """Decide what becomes of the tables that are there, see `import_tables`."""
    columns = measurements.rows.columns
    counts: dict[str, int] = {}
    for file, image, count in measurements.counts:
        if measurements.target_of(image) == target:
            counts[file] = counts.get(file, 0) + count
    elements = tuple(counts.items())
    here = [one for one in own if one.object_id == target.object_id]
    if existing == "element":
        gone = [one for one in here if not one.is_complete or one.is_within(elements)]
        return Plan(columns, elements, tuple(gone))
    if existing == "replace":
        return Plan(columns, elements, tuple(here))
    kept = [one for one in here if one.is_complete and not (one.elements and one.is_within(elements))]
    before: list[tuple[str, int]] = []
    for one in kept:
        old_columns, count = describe_table(session, one)
        columns = joined_columns(old_columns, columns)
        before += [element for element in one.elements or (("", count),) if element[0] not in counts]
    return Plan(columns, (*before, *elements), tuple(here), tuple(kept), tuple(counts))


def _write(
    session: Session,
    writer: TableWriter,
    target: TableTarget,
    values: Iterator[Sequence[Any]],
    *,
    plan: Plan,
    source: TableImport,
    row: Row,
    name: str,
    made: MadeObjects,
) -> None:
    """Write a run of rows to the table of a target, which is made and attached for the first of them."""
    if "file_id" in row.cells:  # The rows of this target are not contiguous.
        writer.reopen(session, row.cells["file_id"])
    else:
        file_id = writer.create(session, name, made)
        row.fill(file_id=file_id)
        row.fill(
            annotation_id=attach_table(session, target.kind, target.object_id, file_id, made, elements=plan.elements)
        )
        row.fill(row_count=sum(_carry_over(session, writer, plan, one) for one in plan.kept))
    fit = fitting(source.rows.columns, plan.columns)
    row.fill(row_count=row.cells["row_count"] + writer.write(fit(one) for one in values))
    writer.close()


def _carry_over(session: Session, writer: TableWriter, plan: Plan, table: OwnTable) -> int:
    """Write the rows of an old table to the new one, except those that come again; return how many."""
    columns, _ = describe_table(session, table)
    fit = fitting(columns, plan.columns)
    return writer.write(fit(values) for values in kept_rows(session, table, plan.again))


def choose_targets(
    session: Session, attach: str, images: Mapping[str, ImageRecord], match: Mapping[str, Any]
) -> dict[str, TableTarget]:
    """Decide which object gets the rows of each image.

    Args:
        session: An open session.
        attach: "image"; "dataset"; "well" or "plate" of each image; or "container", the container that `match` names.
        images: The image of each name.
        match: How names were matched; a dataset named there gets the rows of all images.

    Raises:
        UserError: An image is in no dataset, well or plate, or in several datasets and none was named; no container was
            named, or several.
    """
    if attach == "container":
        return dict.fromkeys([*images, ""], _container(session, match))  # "" is the key of rows without an image.
    if attach == "image":
        return {name: TableTarget("image", image.image_id, image.image_name) for name, image in images.items()}
    if attach in ("well", "plate"):
        return {name: _place_of(image, attach) for name, image in images.items()}
    if match["source"] in ("typed", "choices"):
        container = read_target(match)
        ids = find_ids(session, container)
        if container.kind == "dataset" and len(ids) == 1:
            [[dataset]] = session.rows("select d.name from Dataset d where d.id in (:ids)", ids=ids)
            return {name: TableTarget("dataset", ids[0], dataset) for name in images}
    hql = "select l.child.id, d.id, d.name from DatasetImageLink l join l.parent d where l.child.id in (:ids) "
    hql += "order by d.id"
    rows = paged_rows(session, hql, {image.image_id for image in images.values()})
    targets: dict[str, TableTarget] = {}
    for name, image in images.items():
        found = [(number, dataset) for image_id, number, dataset in rows if image_id == image.image_id]
        if len(found) != 1:
            shown = ", ".join(f"{number} {dataset!r}" for number, dataset in found) or "none"
            raise UserError(
                f"image {image.image_id} {image.image_name!r}: it must stand in one dataset to attach the table there; "
                f"found: {shown}. Choose the dataset, or attach to the images."
            )
        targets[name] = TableTarget("dataset", *found[0])
    return targets


def _place_of(image: ImageRecord, kind: str) -> TableTarget:
    """Return the well or plate of an image; a well is called by plate and position."""
    well, plate = (image.well_id, image.well), (image.plate_id, image.plate_name)
    if well[0] is None or plate[0] is None:
        raise UserError(
            f"image {image.image_id} {image.image_name!r}: it is in no {kind}. Attach the table to the images, their "
            "dataset or a container."
        )
    if kind == "plate":
        return TableTarget(kind, plate[0], plate[1] or "")
    return TableTarget(kind, well[0], f"{plate[1]}/{well[1]}")


def read_rois(path: Path) -> dict[tuple[int, int], int]:
    """Read the ROI table of omero_import_rois; return ROI ids by (image id, label).

    Raises:
        UserError: A column is missing or a cell is not a whole number.
    """
    table = read_exact_table(path, "table of ROIs")
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


def _container(session: Session, match: Mapping[str, Any]) -> TableTarget:
    if match["source"] not in ("typed", "choices"):
        raise UserError("container: none is named. Choose to match names within a container, and name it.")
    container = read_target(match)
    ids = find_ids(session, container)
    if len(ids) != 1:
        raise UserError(f"{container.kind}s {', '.join(map(str, ids))}: the table can go to one object only. Name one.")
    if container.kind == "well":
        [[plate, row, column]] = session.rows(
            "select p.name, w.row, w.column from Well w join w.plate p where w.id = :id", id=ids[0]
        )
        return TableTarget("well", ids[0], f"{plate}/{well_label(row, column)}")
    hql = f"select o.name from {CLASSES[container.kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
    [[name]] = session.rows(hql, ids=list(ids))
    return TableTarget(container.kind, ids[0], name)


def _by_target(measurements: TableImport) -> Iterator[tuple[TableTarget, Iterator[Sequence[Any]]]]:
    """Yield each target with a run of consecutive rows for it, then every target without any row."""
    targets, maker = measurements.targets, measurements.rows
    seen = set()
    found = read_measurements(measurements.files, maker.features)
    for target, rows in groupby(found, key=lambda item: targets[item[0]] if maker.images else targets[""]):
        seen.add(target)
        yield target, (maker.values(name, texts) for name, texts in rows)
    for target in dict.fromkeys(targets.values()):
        if target not in seen:
            yield target, iter(())

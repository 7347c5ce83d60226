"""Import of image files into a dataset or screen: what is there already is not imported again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import without_suffix
from bioimage_suite.omero.annotations.changes import ANNOTATE_LEASE, Wanted, apply_changes, plan_changes
from bioimage_suite.omero.containers import DatasetPlace, ScreenPlace, make_place, make_screen
from bioimage_suite.omero.files.filesets import content_sha1
from bioimage_suite.omero.files.imports import (
    ImportRun,
    find_imported,
    find_surplus,
    find_unfinished,
    import_fileset,
    imported_by,
    refuse_deleted_place,
)
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.undo import MadeObjects, writing
from bioimage_suite.tables.key_value_dialects import ALL_IMAGES, TargetObject
from bioimage_suite.tables.plate_layout import well_label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bioimage_suite.omero.files.filesets import ImageFileset
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Cells, Report

DATASET_COLUMNS = ("dataset_id", "dataset_name", "project_name")


@dataclass(frozen=True)
class Words:
    """The annotations and description that a table gives to a file's images ("" is no description)."""

    wanted: Wanted = field(default_factory=Wanted)
    description: str = ""


def match_words(wanted: Mapping[TargetObject, Wanted], labels: Sequence[str]) -> dict[str, Words]:
    """Find the file of each row of a table; return what the rows say by label of the file.

    Args:
        wanted: The annotations by row target, from `annotations.tables.read_wanted`.
        labels: The names of the files in the list. A row may also give the last part of a path within a zip, or omit
            the suffix.

    Raises:
        UserError: A row is not about the images of a file, matches no file or several, or a file has two descriptions.
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


Destination = DatasetPlace | ScreenPlace


def import_images(
    session: Session,
    filesets: Sequence[ImageFileset],
    report: Report,
    *,
    place: Destination,
    words: Mapping[str, Words],
    existing: str,
    skip: Collection[str] = (),
    dry_run: bool,
) -> None:
    """Import the content that the dataset or screen lacks, and annotate the images of all files.

    Args:
        session: An open session.
        filesets: The filesets to import.
        report: Receives one row per file, finally one per image.
        place: The dataset, or a screen for formats that hold plates.
        words: Annotations and descriptions by label of the fileset.
        existing: "skip" or "refuse" content that is there already or occurs twice in the list.
        skip: Steps that the server leaves out, of `files.imports.SKIPPED`.
        dry_run: Check everything and change nothing.

    Raises:
        UserError: The server refused a file or failed; everything that this run made is deleted.
    """
    for one in filesets:
        report.add(file=one.label, sha1=" ".join(one.content) if one.has_sha1 else "", **_place_cells(place))
    known = _known(session, place, filesets)
    if existing == "refuse":
        _refuse_repeats(filesets, known, place)
    if dry_run:
        _plan(filesets, known, report)
        return
    with writing(session) as made:
        run = ImportRun(made.stay_alone)
        made.clear(find_unfinished)
        made.rest.append(lambda again: imported_by(again, run))
        container_id = (
            make_screen(session, place, made) if isinstance(place, ScreenPlace) else make_place(session, place, made)
        )
        place = _made_place(place, container_id)
        kind = "screen" if isinstance(place, ScreenPlace) else "dataset"
        made.lease([f"import/{kind.capitalize()}:{container_id}/{content_sha1(one)}" for one in filesets])
        session.delete(find_surplus(session, run, container_id, filesets, kind))
        known = _known(session, place, filesets)
        if existing == "refuse":
            _refuse_repeats(filesets, known, place)
        images = _import_all(
            session, run, filesets, report, place=place, container_id=container_id, known=known, words=words, skip=skip
        )
        names = _image_names(session, [image for ids in images.values() for image in ids])
        counts = _annotate(session, images, names, words, made)
        cells = _image_cells(session, place, container_id, names)
        made.finish({})
    for row in report.take_rows():
        for image in images[row.cells["file"]]:
            own = {"image_id": image, "image_name": names[image], "annotation_count": counts.get(image, 0)}
            report.add(**row.cells | cells[image] | own, status=row.status)


def _import_all(
    session: Session,
    run: ImportRun,
    filesets: Sequence[ImageFileset],
    report: Report,
    *,
    place: Destination,
    container_id: int,
    known: Mapping[tuple[str, ...], list[int]],
    words: Mapping[str, Words],
    skip: Collection[str],
) -> dict[str, list[int]]:
    """Import the filesets whose content is not known yet; return the image ids of all filesets by label."""
    contents = dict(known)
    images: dict[str, list[int]] = {}
    for number, (one, row) in enumerate(zip(filesets, report.rows, strict=True), 1):
        row.begin()
        status = "skipped" if one.content in contents else "imported"
        if one.content not in contents:
            description = words.get(one.label, Words()).description
            contents[one.content] = _import(
                session, run, one, place, container_id=container_id, description=description, skip=skip
            )
        images[one.label] = contents[one.content]
        row.done(status)
        print(f"{number}/{len(filesets)} {one.label}: {status}", flush=True)
    return images


def _only_label(name: str, labels: Sequence[str]) -> str:
    """Return the label of a row's file: by full label, else by last part of the path, else without suffix."""
    last = [label.rsplit("/", 1)[-1] for label in labels]
    comparisons = (
        [label for label in labels if label == name],
        [label for label, step in zip(labels, last, strict=True) if step == name],
        [label for label, step in zip(labels, last, strict=True) if without_suffix(step) == without_suffix(name)],
    )
    found = next((one for one in comparisons if one), [])
    if len(found) > 1:
        raise UserError(f"table: {name!r} leads to several files ({', '.join(found[:5])}). Give the whole path.")
    if not found:
        shown = ", ".join(labels[:10])
        raise UserError(f"table: no file is called {name!r}. Mend the row or leave it out; files: {shown}.")
    return found[0]


def _words(label: str, several: Sequence[Wanted]) -> Words:
    """Merge the rows of a file, and move the column `description` (any case) out of the key-value pairs."""
    joined = Wanted.merged(several)
    descriptions: list[str] = []
    for namespace, pairs in joined.pairs.items():
        descriptions += [value for key, value in pairs if key.casefold() == "description"]
        joined.pairs[namespace] = [pair for pair in pairs if pair[0].casefold() != "description"]
    if len(set(descriptions)) > 1:
        raise UserError(f"table: {label!r} has {len(set(descriptions))} descriptions. Keep one of them.")
    return Words(joined, descriptions[0] if descriptions else "")


def _known(session: Session, place: Destination, filesets: Sequence[ImageFileset]) -> dict[tuple[str, ...], list[int]]:
    """Return the image ids by content of their files, for contents that the dataset or screen has."""
    if isinstance(place, ScreenPlace):
        return {} if place.screen_id is None else find_imported(session, place.screen_id, filesets, "screen")
    return {} if place.dataset_id is None else find_imported(session, place.dataset_id, filesets)


def _import(
    session: Session,
    run: ImportRun,
    one: ImageFileset,
    place: Destination,
    *,
    container_id: int,
    description: str,
    skip: Collection[str],
) -> list[int]:
    """Import a fileset and return image ids; raise a UserError for a plate in a dataset or an image in a screen."""
    dataset, screen = (container_id, None) if isinstance(place, DatasetPlace) else (None, container_id)
    ids = import_fileset(session, run, one, dataset, screen_id=screen, description=description, skip=skip)
    if isinstance(place, DatasetPlace):
        hql = "select l.child.id from DatasetImageLink l where l.parent.id = :place and l.child.id in (:ids)"
        remedy = f"it holds a plate, which cannot go into dataset {place.dataset_name!r}. Choose a screen"
    else:
        hql = "select i.id from ScreenPlateLink l join l.child p join p.wells w join w.wellSamples s join s.image i "
        hql += "where l.parent.id = :place and i.id in (:ids)"
        remedy = f"it holds no plate, so it cannot go into screen {place.screen_name!r}. Choose a dataset"
    if {row[0] for row in session.rows(hql, place=container_id, ids=ids)} != set(ids):
        refuse_deleted_place(session, dataset, screen)
        raise UserError(f"file {one.label!r}: {remedy}.")
    return ids


def _made_place(place: Destination, container_id: int) -> Destination:
    """Return the place with the id of its dataset or screen, which exists now."""
    if isinstance(place, ScreenPlace):
        return replace(place, screen_id=container_id)
    return replace(place, dataset_id=container_id)


def _place_cells(place: Destination) -> Cells:
    """Return the cells with ids and names of the dataset and project, or of the screen, as far as they exist."""
    names = ("screen_id", "screen_name") if isinstance(place, ScreenPlace) else DATASET_COLUMNS
    return {name: getattr(place, name) for name in names}


def _image_cells(session: Session, place: Destination, container_id: int, images: Iterable[int]) -> dict[int, Cells]:
    """Return the cells with the position of each image after the import; fields of a well count from 1."""
    if isinstance(place, DatasetPlace):
        return {image: {"dataset_id": container_id} for image in images}
    cells: dict[int, Cells] = {}
    fields: dict[int, int] = {}
    ids = list(images)
    for page in batches(ids):
        rows = session.rows(
            "select s.image.id, p.id, p.name, w.id, w.row, w.column from WellSample s join s.well w join w.plate p "
            "where s.image.id in (:ids) order by s.id",
            ids=page,
        )
        for image, plate_id, plate_name, well_id, row, column in rows:
            fields[well_id] = fields.get(well_id, 0) + 1
            well = {"well_id": well_id, "well": well_label(row, column), "field": fields[well_id]}
            cells[image] = {"screen_id": container_id, "plate_id": plate_id, "plate_name": plate_name, **well}
    return cells


def _refuse_repeats(
    filesets: Sequence[ImageFileset],
    known: Mapping[tuple[str, ...], list[int]],
    place: Destination,
) -> None:
    where = f"screen {place.screen_name!r}" if isinstance(place, ScreenPlace) else f"dataset {place.dataset_name!r}"
    first: dict[tuple[str, ...], str] = {}
    for one in filesets:
        if one.content in known:
            raise UserError(
                f"file {one.label!r}: {where} has its content already, as image "
                f"{', '.join(map(str, known[one.content][:5]))}. Leave it out, or choose to skip such files."
            )
        if first.setdefault(one.content, one.label) != one.label:
            raise UserError(
                f"file {one.label!r}: it has the same content as {first[one.content]!r}. Leave one out, or choose to "
                "skip such files."
            )


def _plan(filesets: Sequence[ImageFileset], known: Mapping[tuple[str, ...], list[int]], report: Report) -> None:
    """Set the status of each row to what an import would do; a file whose images are there has a row for each."""
    first = {one.content: one.label for one in reversed(filesets)}
    for one, row in zip(filesets, report.take_rows(), strict=True):
        fresh = one.content not in known and first[one.content] == one.label
        ids: Sequence[int | None] = known.get(one.content) or [None]
        for image in ids:
            report.add(**row.cells, image_id=image).done("would import" if fresh else "would skip")


def _image_names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for page in batches(ids):
        names |= dict(session.rows("select i.id, i.name from Image i where i.id in (:ids)", ids=page))
    return names


def _annotate(
    session: Session,
    images: Mapping[str, Sequence[int]],
    names: Mapping[int, str],
    words: Mapping[str, Words],
    made: MadeObjects,
) -> dict[int, int]:
    """Annotate the images of each file, keeping existing annotations; return the number of changes by image id."""
    several: dict[int, list[Wanted]] = {}
    for label, one in words.items():
        for image in images[label]:
            several.setdefault(image, []).append(one.wanted)
    merged = {("image", image, names[image]): Wanted.merged(ones) for image, ones in several.items()}
    if merged:
        made.lease([ANNOTATE_LEASE])
    changes = plan_changes(session, merged, "add")
    apply_changes(session, changes, made)
    counts: dict[int, int] = {}
    for change in changes:
        counts[change.object_id] = counts.get(change.object_id, 0) + 1
    return counts

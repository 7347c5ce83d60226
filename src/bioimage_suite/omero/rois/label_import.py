"""Import of label maps as images that are linked to their source images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import safe_name
from bioimage_suite.core.workers import results_in_order
from bioimage_suite.omero.annotations.annotations import pair_values
from bioimage_suite.omero.containers import DatasetPlace, find_place, make_place
from bioimage_suite.omero.files.filesets import ImageFileset, single_file
from bioimage_suite.omero.files.imports import (
    ImportRun,
    find_imported,
    find_unfinished,
    import_fileset,
    imported_by,
)
from bioimage_suite.omero.images.details import Channel, ImageDetails, load_image_details
from bioimage_suite.omero.images.ome_tiff import tile_side, write_ome_tiff
from bioimage_suite.omero.images.pixels import TILE
from bioimage_suite.omero.named_files import is_same_element
from bioimage_suite.omero.rois.label_map_file import LabelMapFile, check_sizes, describe_label_map, read_planes
from bioimage_suite.omero.rois.labels import (
    FILE_KEY,
    SOURCE_KEY,
    LabelImage,
    find_free_marks,
    find_label_images,
    make_mark,
)
from bioimage_suite.omero.undo import MadeObjects, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from bioimage_suite.omero.named_files import NamedFile
    from bioimage_suite.omero.objects import ImageRecord
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Cells, Report


@dataclass(frozen=True)
class Labels:
    """A label map after a first pass: its image, its largest label, and the numpy dtype that holds all labels."""

    file: NamedFile
    image: ImageRecord
    largest: int
    dtype: str


@dataclass(frozen=True)
class Prepared:
    """A label map ready for import: the file to upload, its dataset, and the user's label images that it replaces.

    `there` is the id of the user's label image with the same content, if any.
    """

    labels: Labels
    fileset: ImageFileset
    place: DatasetPlace
    there: int | None
    old: tuple[LabelImage, ...]


def survey_all(files: Sequence[NamedFile], images: Sequence[ImageRecord]) -> list[Labels]:
    """Read label maps to their ends, on every core of the job, and check each as `survey_labels` does."""
    pairs = list(zip(files, images, strict=True))
    return list(results_in_order(survey_labels, pairs, [file.identifier for file in files]))


def survey_labels(pair: tuple[NamedFile, ImageRecord]) -> Labels:
    """Read a label map to its end and check that it fits its image and a pixel type of OMERO.

    64-bit labels become int32, or uint32 if needed; every other dtype is kept.

    Raises:
        UserError: The label map is damaged, has another size than the image, or a label of 2^32 or more.
    """
    file, image = pair
    opened = _opened(file)
    check_sizes(opened, image)
    largest, dtype = 0, ""
    for _, _, plane in read_planes(opened):
        largest, dtype = max(largest, int(plane.max(initial=0))), plane.dtype.name
    if dtype in ("int64", "uint64"):
        dtype = "int32" if largest < 2**31 else "uint32"
    if largest >= 2**32:
        raise UserError(
            f"label map {file.identifier}: label {largest} is 2^32 or more, which no pixel type of OMERO holds. "
            "Renumber the objects."
        )
    return Labels(file, image, largest, dtype)


def write_label_image(task: tuple[Labels, ImageDetails, Path], name: str, database: str) -> None:
    """Write a label map as OME-TIFF (axes TCZYX, one channel), with the physical sizes of its source.

    The same labels give the same file, byte for byte, so that a rerun recognises them by checksum, whatever address of
    the server it uses.

    Args:
        task: The label map, its source, and the file to write.
        name: Name of the set.
        database: The server's own UUID.
    """
    labels, source, path = task
    file = _opened(labels.file)
    details = replace(
        source,
        name=image_name(labels.image, name),
        description=None,
        acquired=None,
        pixel_type=labels.dtype,
        size_c=1,
        size_z=file.size_z,
        size_t=file.size_t,
        channels=(Channel(name, None, None, None),),
        key_values=(),
        tags=(),
        instrument=None,
    )
    side = tile_side(details, TILE)
    write_ome_tiff(
        path, details, _tiles(file, labels.dtype, side), side, f"{database}/image/{source.image_id}/labels/{name}"
    )


def image_name(image: ImageRecord, name: str) -> str:
    """Return the name of an image's label image in the set `name`."""
    return f"{image.image_name} [{name}]"


def import_labels(
    session: Session,
    surveyed: Sequence[Labels],
    report: Report,
    *,
    name: str,
    place: Mapping[str, Any],
    folder: Path,
    dry_run: bool,
) -> None:
    """Import label maps and replace those of the same set that this user imported before.

    New label images are made before the old ones are deleted, and are deleted if anything fails: all images keep their
    old label maps, or all have the new ones. A label map with the same content as the one in OMERO is kept.

    Args:
        session: An open session.
        surveyed: The label maps.
        report: Receives one row per label map.
        name: Name of the set.
        place: `by` "source" (the dataset of each image), or see `containers.find_place`.
        folder: Empty folder for the files to upload.
        dry_run: Check everything and change nothing.

    Raises:
        UserError: An image is in no dataset, the dataset is unknown, or the server failed.
    """
    files = _write_files(session, surveyed, name, folder)
    if dry_run:
        for one in _prepare(session, surveyed, files, name, place):
            report.add(**_cells(one, name)).done("unchanged" if one.there else "would import")
        return
    ids = [one.image.image_id for one in surveyed]
    with writing(session, [f"labels/{name}/Image:{number}" for number in ids]) as made:
        run = ImportRun(made.stay_alone)
        prepared = _prepare(session, surveyed, files, name, place)
        work = [(one, report.add(**_cells(one, name))) for one in prepared]
        # Under these leases, marks on no image were left by a run that is gone.
        made.clear(lambda again: {"MapAnnotation": find_free_marks(again, ids, name)})
        made.clear(find_unfinished)
        made.rest.append(lambda again: imported_by(again, run))
        shared_id = make_place(session, prepared[0].place, made) if place["by"] != "source" else None
        for one, row in work:
            row.begin()
            dataset_id = shared_id or one.place.dataset_id
            assert dataset_id is not None
            number = one.there or _import_one(session, run, one, dataset_id=dataset_id, name=name, made=made)
            status = "unchanged" if one.there else "imported"
            row.done(status, label_image_id=number, dataset_id=dataset_id)
            print(f"{one.labels.file.identifier}: {status}, {len(one.old)} replaced", flush=True)
        old = [label_image for one in prepared for label_image in one.old]
        made.finish({
            "Fileset": sorted({label_image.fileset_id for label_image in old}),
            "MapAnnotation": sorted({label_image.annotation_id for label_image in old}),
        })  # fmt: skip


def _import_one(
    session: Session, run: ImportRun, one: Prepared, *, dataset_id: int, name: str, made: MadeObjects
) -> int:
    image = one.labels.image
    pairs = (
        (SOURCE_KEY, str(image.image_id)),
        ("source image name", image.image_name),
        ("labels", name),
        (FILE_KEY, one.labels.file.identifier),
        ("tool", "omero_import_labels"),
    )
    mark_id = make_mark(name, pairs, made)
    title = image_name(image, name)
    [number] = import_fileset(session, run, one.fileset, dataset_id, name=title, mark_id=mark_id)
    return number


def _opened(file: NamedFile) -> LabelMapFile:
    # Opened by the process that reads it: two that share an open file share their place in it.
    return describe_label_map(file.identifier, file.path, carried=True)


def _tiles(file: LabelMapFile, dtype: str, side: int) -> Iterator[np.ndarray]:
    """Yield the tiles of a label map, (rows, columns), in the order of a TIFF with axes TCZYX."""
    for _, _, plane in read_planes(file):
        for y in range(0, file.size_y, side):
            for x in range(0, file.size_x, side):
                yield plane[y : y + side, x : x + side].astype(dtype)


def _write_files(session: Session, surveyed: Sequence[Labels], name: str, folder: Path) -> list[ImageFileset]:
    """Write the file of each label image, on every core of the job."""
    database = session.client.getSession().getConfigService().getDatabaseUuid()
    filesets = []
    sources = load_image_details(session, [one.image.image_id for one in surveyed])
    paths = [folder / f"{source.image_id}.ome.tiff" for source in sources]
    tasks = list(zip(surveyed, sources, paths, strict=True))
    titles = [one.file.identifier for one in surveyed]
    for _ in results_in_order(partial(write_label_image, name=name, database=database), tasks, titles):
        pass
    for one, path in zip(surveyed, paths, strict=True):
        label = one.file.identifier
        filesets.append(single_file(label, f"{safe_name(one.image.image_name)}_{safe_name(name)}.ome.tiff", path))
    return filesets


def _prepare(
    session: Session,
    surveyed: Sequence[Labels],
    filesets: Sequence[ImageFileset],
    name: str,
    place: Mapping[str, Any],
) -> list[Prepared]:
    """Look what is there of the label images, and where each goes."""
    shared = None if place["by"] == "source" else find_place(session, place)
    places = [shared or _own_place(one.image) for one in surveyed]
    old = _find_old(session, surveyed, name)
    contents: dict[int, dict[tuple[str, ...], list[int]]] = {}
    for dataset_id in {one.dataset_id for one in places if one.dataset_id is not None}:
        contents[dataset_id] = find_imported(session, dataset_id, filesets)
    prepared = []
    for one, fileset, where in zip(surveyed, filesets, places, strict=True):
        own = old.get(one.image.image_id, [])
        same = contents.get(where.dataset_id or -1, {}).get(fileset.content, [])
        there = next((label_image.image_id for label_image in own if label_image.image_id in same), None)
        rest = tuple(label_image for label_image in own if label_image.image_id != there)
        prepared.append(Prepared(one, fileset, where, there, rest))
    return prepared


def _find_old(session: Session, surveyed: Sequence[Labels], name: str) -> dict[int, list[LabelImage]]:
    """Find this user's label images of the same set and the same elements, by source image."""
    elements = {one.image.image_id: one.file.identifier for one in surveyed}
    own = [one for one in find_label_images(session, list(elements), name) if one.owner_id == session.user_id]
    files = pair_values(session, (one.annotation_id for one in own), FILE_KEY)
    old: dict[int, list[LabelImage]] = {}
    for one in own:
        if is_same_element(files.get(one.annotation_id), elements[one.source_id]):
            old.setdefault(one.source_id, []).append(one)
    return old


def _own_place(image: ImageRecord) -> DatasetPlace:
    if image.dataset_id is None:
        raise UserError(
            f"image {image.image_id} {image.image_name!r}: it stands in no dataset. Choose a dataset for the labels."
        )
    return DatasetPlace(image.dataset_id, image.dataset_name or "")


def _cells(one: Prepared, name: str) -> Cells:
    return {
        "image_id": one.labels.image.image_id,
        "image_name": one.labels.image.image_name,
        "label_map": one.labels.file.identifier,
        "labels_name": name,
        "label_image_id": one.there,
        "label_image_name": image_name(one.labels.image, name),
        "dataset_id": one.place.dataset_id,
        "pixel_type": one.labels.dtype,
        "largest_label": one.labels.largest,
        "replaced_count": len(one.old),
    }

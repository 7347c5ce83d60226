"""Import of the segmented objects of files as regions of interest."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from bioimage_suite.omero.named_files import match_images
from bioimage_suite.omero.rois.rois import FILE_KEY, ImageRois, find_own_rois, save_rois
from bioimage_suite.omero.rois.sources import RoiSource, check_source, source_rois
from bioimage_suite.omero.undo import merge_ids, without, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from bioimage_suite.omero.objects import ImageRecord
    from bioimage_suite.omero.session import Session
    from bioimage_suite.omero.undo import MadeObjects
    from bioimage_suite.tables.report import Report, Row

    Work = tuple[RoiSource, ImageRecord, Row]

SENT = "imported"
"""Status of a file whose ROIs were all sent; how many they are is known when the server has answered."""


def import_rois(
    session: Session,
    sources: Sequence[RoiSource],
    report: Report,
    *,
    match: Mapping[str, Any],
    name: str,
    kind: str,
    dry_run: bool,
    write: Callable[[Sequence[tuple[Any, ...]]], Any],
) -> None:
    """Import the segmented objects of files as ROIs of their images, and replace those of an earlier run.

    The new ROIs are saved before the old ones are deleted, and are deleted if anything fails: all images keep their old
    ROIs, or all have the new ones.

    Args:
        session: An open session.
        sources: Label maps and drawn shapes; each identifier names an image.
        report: Receives one row per image.
        match: How to find the images, see `named_files.match_images`.
        name: Name of the set of ROIs; a set replaces only that of the same name, user and file identifier.
        kind: "auto", "polygon" or "mask", see `rois.sources.source_rois`.
        dry_run: Check everything and change nothing.
        write: Writes (image id, name of the file, label, ROI id) of each ROI; called while everything can still be
            taken back.

    Raises:
        UserError: Before any change: a file matches no image, is damaged, or does not fit its image. Later: the server
            failed; everything saved is deleted.
    """
    images = match_images(session, [source.identifier for source in sources], match)
    for source, image in zip(sources, images, strict=True):
        report.add(image_id=image.image_id, image_name=image.image_name, image=source.identifier, roi_name=name)
    work = list(zip(sources, images, report.rows, strict=True))
    for source, image, row in work:
        with row.at_work():
            check_source(source, image)  # Finds all faults before the first image is changed.
    elements = {image.image_id: source.identifier for source, image, _ in work}
    names = [] if dry_run else [f"rois/{name}/Image:{number}" for number in elements]
    found: list[tuple[Any, ...]] = []
    with writing(session, names) as made:
        old = find_own_rois(session, elements, name)
        replaced = merge_ids(old.values())
        if not dry_run:
            made.rest.append(lambda again: without(merge_ids(find_own_rois(again, elements, name).values()), replaced))
        counted = _counted(work, kind) if dry_run else _saved(session, work, name, kind, made)
        with closing(counted):
            for (source, image, row), rois in zip(work, counted, strict=True):
                gone = len(old.get(image.image_id, {}).get("Roi", ()))
                row.done("would import" if dry_run else SENT, roi_count=len(rois), replaced_count=gone)
                if not dry_run:
                    found += [(image.image_id, source.identifier, label, roi_id) for label, roi_id in rois]
                print(f"{source.identifier}: {len(rois)} objects, {gone} replaced", flush=True)
        write(found)
        if not dry_run:
            made.finish(replaced)


def _counted(work: Sequence[Work], kind: str) -> Generator[list[tuple[int, int]], None, None]:
    """Yield the labels of each file's ROIs, which have no ids."""
    for source, image, row in work:
        row.begin()
        yield [(label, 0) for label, _ in source_rois(source, image, kind)]


def _saved(
    session: Session, work: Sequence[Work], name: str, kind: str, made: MadeObjects
) -> Generator[list[tuple[int, int]], None, None]:
    """Save the ROIs of each file; yield (label, id) of each, file by file, while those of the next are saved."""

    def images() -> Iterator[ImageRois]:
        for source, image, row in work:
            row.begin()
            pairs = {"tool": "omero_import_rois", FILE_KEY: source.identifier, "name": name}
            yield ImageRois(image.image_id, source_rois(source, image, kind), pairs)
            row.done(SENT)

    rois: list[tuple[int, int]] = []
    ended = 0
    with closing(save_rois(session, images(), name=name, made=made)) as saved:
        try:
            for number, label, roi_id in saved:
                for _ in range(ended, number):
                    yield rois
                    rois, ended = [], ended + 1
                rois.append((label, roi_id))
        except Exception:
            if work[-1][2].status == SENT:  # Nothing was built any more: the server failed at what it was sent.
                work[ended][2].begin()
            raise
    for _ in range(ended, len(work)):
        yield rois
        rois = []

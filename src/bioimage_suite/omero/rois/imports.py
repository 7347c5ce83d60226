"""Import of the segmented objects of files as regions of interest."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bioimage_suite.omero.named_files import match_images
from bioimage_suite.omero.rois.rois import find_own_rois, save_rois
from bioimage_suite.omero.rois.sources import RoiSource, check_source, source_rois
from bioimage_suite.omero.undo import MadeObjects, merge_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Report


def import_rois(
    session: Session,
    sources: Sequence[RoiSource],
    report: Report,
    *,
    match: Mapping[str, Any],
    name: str,
    kind: str,
    dry_run: bool,
) -> list[tuple[Any, ...]]:
    """Import the segmented objects of files as ROIs of their images, and replace those of an earlier run.

    The new ROIs are saved before the old ones are deleted, and are deleted if anything fails: all images keep their old
    ROIs, or all have the new ones.

    Args:
        session: An open session.
        sources: Label maps and drawn shapes; each identifier names an image.
        report: Receives one row per image.
        match: How to find the images, see `named_files.match_images`.
        name: Name of the set of ROIs; a set replaces only the set of the same name and user.
        kind: "auto", "polygon" or "mask", see `rois.sources.source_rois`.
        dry_run: Check everything and change nothing.

    Returns:
        (image id, name of the file, label, ROI id) of each ROI.

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
    old = find_own_rois(session, [image.image_id for image in images], name)
    found, made = [], MadeObjects()
    try:
        for source, image, row in work:
            row.begin()
            labelled = source_rois(source, image, kind)
            if dry_run:
                count = sum(1 for _ in labelled)
            else:
                pairs = {"tool": "omero_import_rois", "file": source.identifier, "name": name}
                saved = list(save_rois(session, image.image_id, labelled, name=name, pairs=pairs, made=made))
                found += [(image.image_id, source.identifier, label, roi_id) for label, roi_id in saved]
                count = len(saved)
            replaced = len(old.get(image.image_id, {}).get("Roi", ()))
            row.done("would import" if dry_run else "imported", roi_count=count, replaced_count=replaced)
            print(f"{source.identifier}: {count} objects, {replaced} replaced", flush=True)
        if not dry_run:
            session.delete(merge_ids(old.values()))
    except BaseException:
        with suppress(Exception):  # If the server is gone, the next run finds them by their mark and deletes them.
            session.delete(made.ids)
        raise
    return found

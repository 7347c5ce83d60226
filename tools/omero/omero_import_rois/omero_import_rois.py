"""Import objects of label maps, GeoJSON or tables of shapes to OMERO as regions of interest (ROIs)."""

import argparse
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.named_files import match_images, read_files
from bioimage_suite.omero.object_report import AT_WORK, Row, object_report
from bioimage_suite.omero.rois.rois import find_own_rois, save_rois
from bioimage_suite.omero.rois.sources import RoiSource, check_source, open_source, source_rois
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.omero.undo import MadeObjects, merge_ids
from bioimage_suite.tables.object_table import write_table

IMAGE_COLUMNS = ("image_id", "image_name", "image", "roi_name", "roi_count", "replaced_count", "status")
ROI_COLUMNS = ("image_id", "image", "label", "roi_id")


def import_rois(
    session: Session,
    sources: Sequence[RoiSource],
    report: list[Row],
    *,
    match: Mapping[str, Any],
    name: str,
    kind: str,
    dry_run: bool,
) -> list[tuple[Any, ...]]:
    """Import the objects of files as ROIs of their images, and replace those of an earlier run.

    The new ROIs are saved before the old ones are deleted, and are deleted if anything fails: all images keep their old
    ROIs, or all have the new ones.

    Args:
        session: An open session.
        sources: Label maps and drawn shapes; each identifier names an image.
        report: Receives one row per image, see `object_report`.
        match: How to find the images, see `named_files.match_images`.
        name: Name of the set of ROIs; a set replaces only the set of the same name and user.
        kind: "auto", "polygon" or "mask", see `roi_sources.source_rois`.
        dry_run: Check everything and change nothing.

    Returns:
        Rows of `ROI_COLUMNS`.

    Raises:
        UserError: Before any change: a file matches no image, is damaged, or does not fit its image. Later: the server
            failed; everything saved is deleted.
    """
    images = match_images(session, [source.identifier for source in sources], match)
    for source, image in zip(sources, images, strict=True):
        report.append({"image_id": image.image_id, "image_name": image.image_name, "image": source.identifier})
    for source, image, row in zip(sources, images, report, strict=True):
        row |= {"roi_name": name, "status": AT_WORK}
        check_source(source, image)  # Finds all faults before the first image is changed.
        del row["status"]
    old = find_own_rois(session, [image.image_id for image in images], name)
    found, made = [], MadeObjects()
    try:
        for source, image, row in zip(sources, images, report, strict=True):
            row["status"] = AT_WORK
            objects = source_rois(source, image, kind)
            count = 0
            if dry_run:
                count = sum(1 for _ in objects)
            else:
                pairs = {"tool": "omero_import_rois", "file": source.identifier, "name": name}
                for label, roi_id in save_rois(session, image.image_id, objects, name=name, pairs=pairs, made=made):
                    found.append((image.image_id, source.identifier, label, roi_id))
                    count += 1
            replaced = len(old.get(image.image_id, {}).get("Roi", ()))
            row |= {"roi_count": count, "replaced_count": replaced}
            row["status"] = "would import" if dry_run else "imported"
            print(f"{source.identifier}: {count} objects, {replaced} replaced", flush=True)
        if not dry_run:
            session.delete(merge_ids(old.values()))
    except BaseException:
        with suppress(Exception):  # If the server is gone, the next run finds them by their mark and deletes them.
            session.delete(made.ids)
        raise
    return found


def main() -> None:
    """Parse the command line, import the ROIs, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, label_maps, match, roi_name, ...")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    parser.add_argument("--rois", type=Path, required=True, help="table of label and ROI id to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    name = config["roi_name"].strip()
    if not name:
        raise UserError("name of the ROIs: empty. Write what the objects are, such as nuclei.")
    with object_report(args.output, IMAGE_COLUMNS) as report:
        sources = [source for file in read_files(config["label_maps"]) for source in open_source(file)]
        with open_session(config["omero_host"], config.get("omero_group") or "") as session:
            found = import_rois(
                session,
                sources,
                report,
                match=config["match"],
                name=name,
                kind=config["shape"],
                dry_run=bool(config.get("dry_run")),
            )
    write_table(args.rois, ROI_COLUMNS, found)


if __name__ == "__main__":
    run_tool(main)

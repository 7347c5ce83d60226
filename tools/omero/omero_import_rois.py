"""Bring the objects of label maps back to OMERO as regions of interest."""

import argparse
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from label_map_file import LabelMapFile, check_sizes, describe_label_map, read_planes
from label_shapes import plane_shapes
from named_files import match_images, read_files
from object_table import write_table
from omero_objects import ImageRecord
from omero_rois import PlacedShape, find_own_rois, save_rois
from omero_session import Session, open_session
from omero_undo import MadeObjects, merge_ids
from tool_errors import UserError, run_tool

IMAGE_COLUMNS = ("image_id", "image_name", "image", "roi_name", "roi_count", "replaced_count", "status")
ROI_COLUMNS = ("image_id", "image", "label", "roi_id")


@dataclass(frozen=True)
class Report:
    """What was done: rows of the object table and of the table of ROIs."""

    images: list[tuple[Any, ...]]
    rois: list[tuple[Any, ...]]


def import_rois(
    session: Session, files: Sequence[LabelMapFile], *, match: Mapping[str, Any], name: str, kind: str, dry_run: bool
) -> Report:
    """Make the objects of label maps ROIs of their images, in place of those that an earlier run made.

    The new ROIs are saved before the old ones go, and taken back if anything fails: an image has either its old set or
    its new one, all images alike.

    Args:
        session: An open session.
        files: Label maps; each identifier leads to an image.
        match: How, see `named_files.match_images`.
        name: Name of the set of ROIs; a set replaces only the set of the same name and user.
        kind: "auto", "polygon" or "mask", see `label_shapes.plane_shapes`.
        dry_run: Check everything and change nothing.

    Raises:
        UserError: Before anything is changed: a file that leads to no image, is damaged, or has other sizes than its
            image. Later: the server failed; what was saved has been taken back.
    """
    images = match_images(session, [file.identifier for file in files], match)
    for file, image in zip(files, images, strict=True):
        check_sizes(file, image)
        for _ in read_planes(file):
            pass  # A damaged file shall be found before the first image is changed.
    old = find_own_rois(session, [image.image_id for image in images], name)
    report, made = Report([], []), MadeObjects()
    try:
        for file, image in zip(files, images, strict=True):
            objects = _objects(file, image, kind)
            if not dry_run:
                pairs = {"tool": "omero_import_rois", "label map": file.identifier, "name": name}
                for label, roi_id in save_rois(session, image.image_id, objects, name=name, pairs=pairs, made=made):
                    report.rois.append((image.image_id, file.identifier, label, roi_id))
            replaced = len(old.get(image.image_id, {}).get("Roi", ()))
            status = "would import" if dry_run else "imported"
            report.images.append(
                (image.image_id, image.image_name, file.identifier, name, len(objects), replaced, status)
            )
            print(f"{file.identifier}: {len(objects)} objects, {replaced} replaced", flush=True)
        if not dry_run:
            session.delete(merge_ids(old.values()))
    except BaseException:
        with suppress(Exception):  # If the server is gone, the mark lets the next run take them away.
            session.delete(made.ids)
        raise
    return report


def main() -> None:
    """Parse the command line, import, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, label_maps, match, roi_name, ...")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    parser.add_argument("--rois", type=Path, required=True, help="table of label and ROI id to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    name = config["roi_name"].strip()
    if not name:
        raise UserError("name of the ROIs: empty. Write what the objects are, such as nuclei.")
    files = [describe_label_map(file.identifier, file.path) for file in read_files(config["label_maps"])]
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        report = import_rois(
            session,
            files,
            match=config["match"],
            name=name,
            kind=config["shape"],
            dry_run=bool(config.get("dry_run")),
        )
    write_table(args.output, IMAGE_COLUMNS, report.images)
    write_table(args.rois, ROI_COLUMNS, report.rois)


def _objects(file: LabelMapFile, image: ImageRecord, kind: str) -> dict[int, list[PlacedShape]]:
    """The shapes of each label over all planes.

    A label map of one plane for an image of many gives shapes without z (or t): they hold for all planes.
    """
    objects: dict[int, list[PlacedShape]] = {}
    for z, t, labels in read_planes(file):
        placed_z = z if file.size_z == image.size_z else None
        placed_t = t if file.size_t == image.size_t else None
        try:
            for shape in plane_shapes(labels, kind):
                objects.setdefault(shape.label, []).append(PlacedShape(shape, placed_z, placed_t))
        except UserError as error:
            raise UserError(f"label map {file.identifier}, {error}") from None
    return objects


if __name__ == "__main__":
    run_tool(main)

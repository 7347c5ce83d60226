"""Export the label maps that omero_import_labels brought to OMERO, named after their source images."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.core.made_files import all_or_nothing
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.images.details import load_image_details
from bioimage_suite.omero.object_report import AT_WORK, Row, do_each, object_report
from bioimage_suite.omero.objects import ImageRecord, find_nonempty_images, read_target
from bioimage_suite.omero.rois.labels import LabelImage, download_label_map, find_label_images, label_images_among
from bioimage_suite.omero.session import Session, open_session

COLUMNS = (
    "image_id",
    "image_name",
    "image",
    "labels_name",
    "label_image_id",
    "label_image_name",
    "size_x",
    "size_y",
    "size_z",
    "size_t",
    "pixel_type",
    "status",
)


def choose_label_images(
    images: Sequence[ImageRecord], found: Sequence[LabelImage], *, name: str, missing: str, user_id: int
) -> dict[int, LabelImage]:
    """Choose one label image for each image: the user's newest one, or else the newest of all.

    Args:
        images: The source images.
        found: Label images, the newest last.
        name: Name of the set, for messages.
        missing: "skip" or "refuse" an image without one.
        user_id: Id of the user.

    Raises:
        UserError: An image has no label image and `missing` is "refuse", no image has one, or there is no image.
    """
    chosen: dict[int, LabelImage] = {}
    for one in sorted(found, key=lambda one: (one.owner_id == user_id, one.image_id)):
        chosen[one.source_id] = one
    if not images:
        raise UserError("images: all of these are label maps themselves. Choose the images that they were made from.")
    without = [image for image in images if image.image_id not in chosen]
    if without and (missing == "refuse" or not chosen):
        image, others = without[0], f" and {len(without) - 1} more" if len(without) > 1 else ""
        raise UserError(
            f"image {image.image_id} {image.image_name!r}{others}: no label map {name!r} in OMERO that you can read. "
            "Check the name of the labels; omero_import_labels makes them."
        )
    return chosen


def export_labels(
    session: Session,
    images: Sequence[ImageRecord],
    chosen: Mapping[int, LabelImage],
    folder: Path,
    report: Sequence[Row],
    *,
    made: list[Path],
) -> None:
    """Write each label map to `folder` as `Image_<id>_<name>.ome.tiff`, with the id and name of its source image.

    Args:
        session: An open session.
        images: The source images.
        chosen: The label image of each image that has one, by image id.
        folder: Folder to write to.
        report: One row per image, see `object_report`; filled with the status.
        made: Collects the paths of the files, so that the caller can remove them if anything fails.

    Raises:
        UserError: OMERO cannot deliver a file, or it is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def fetch(image: ImageRecord, row: Row) -> None:
        row["status"] = "no label map"
        if image.image_id in chosen:
            row["status"] = AT_WORK
            made.append(folder / f"{image_identifier(image.image_id, image.image_name)}.ome.tiff")
            download_label_map(session, chosen[image.image_id], made[-1])
            row["status"] = "exported"
            print(f"{len(made)}/{len(chosen)} {made[-1].name}", flush=True)

    do_each(report, images, fetch)


def main() -> None:
    """Parse the command line, export the label maps, write the object table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, labels_name, missing")
    parser.add_argument("--folder", type=Path, required=True, help="folder for the label maps")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    name = config["labels_name"].strip()
    if not name:
        raise UserError("name of the labels: empty. Write the name that they were imported with.")
    with (
        all_or_nothing() as made,
        object_report(args.output, COLUMNS) as report,
        open_session(config["omero_host"], config.get("omero_group") or "") as session,
    ):
        images = find_nonempty_images(session, read_target(config["target"]))
        # Label images may be in the same dataset as their sources, but have no label maps of their own.
        labels = label_images_among(session, [image.image_id for image in images])
        images = [image for image in images if image.image_id not in labels]
        found = find_label_images(session, [image.image_id for image in images], name)
        chosen = choose_label_images(images, found, name=name, missing=config["missing"], user_id=session.user_id)
        report.extend(_rows(session, images, chosen, name))
        export_labels(session, images, chosen, args.folder, report, made=made)


def _rows(
    session: Session, images: Sequence[ImageRecord], chosen: Mapping[int, LabelImage], name: str
) -> Iterator[Row]:
    details = {one.image_id: one for one in load_image_details(session, [one.image_id for one in chosen.values()])}
    for image in images:
        identifier = image_identifier(image.image_id, image.image_name)
        row: Row = {"image_id": image.image_id, "image_name": image.image_name, "image": identifier}
        row["labels_name"] = name
        if image.image_id in chosen:
            one = details[chosen[image.image_id].image_id]
            row |= {"label_image_id": one.image_id, "label_image_name": one.name, "pixel_type": one.pixel_type}
            row |= {f"size_{axis}": getattr(one, f"size_{axis}") for axis in "xyzt"}
        yield row


if __name__ == "__main__":
    run_tool(main)

"""Export of the label images that belong to images, named after their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.omero.images.details import load_image_details
from bioimage_suite.omero.rois.labels import (
    LabelImage,
    download_label_map,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.omero.objects import (
        ImageRecord,
    )
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Cells, Report, Row


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
    *,
    report: Report,
    outputs: Outputs,
) -> None:
    """Write each label map to `folder` as `Image_<id>_<name>.ome.tiff`, with the id and name of its source image.

    Args:
        session: An open session.
        images: The source images.
        chosen: The label image of each image that has one, by image id.
        folder: Folder to write to.
        report: One row per image.
        outputs: The outputs of the run.

    Raises:
        UserError: OMERO cannot deliver a file, or it is damaged.
    """
    numbers = {image_id: number for number, image_id in enumerate(chosen, 1)}

    def fetch(image: ImageRecord, row: Row) -> None:
        if image.image_id not in chosen:
            row.done("no label map")
            return
        path = folder / f"{image_identifier(image.image_id, image.image_name)}.ome.tiff"
        download_label_map(session, chosen[image.image_id], outputs.file(path))
        row.done("exported")
        print(f"{numbers[image.image_id]}/{len(chosen)} {path.name}", flush=True)

    report.for_each(images, fetch)


def label_cells(
    session: Session, images: Sequence[ImageRecord], chosen: Mapping[int, LabelImage], name: str
) -> Iterator[Cells]:
    """Yield the cells of each image in the report: the image, and its label image if it has one."""
    details = {one.image_id: one for one in load_image_details(session, [one.image_id for one in chosen.values()])}
    for image in images:
        identifier = image_identifier(image.image_id, image.image_name)
        cells: Cells = {"image_id": image.image_id, "image_name": image.image_name, "image": identifier}
        cells["labels_name"] = name
        if image.image_id in chosen:
            one = details[chosen[image.image_id].image_id]
            cells |= {"label_image_id": one.image_id, "label_image_name": one.name, "pixel_type": one.pixel_type}
            cells |= {f"size_{axis}": getattr(one, f"size_{axis}") for axis in "xyzt"}
        yield cells

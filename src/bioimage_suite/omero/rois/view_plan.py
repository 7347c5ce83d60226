"""Choice of the part of each image to export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images.pixels import level_sizes
from bioimage_suite.omero.images.views import ImageView, Selection, choose_view, read_selection
from bioimage_suite.omero.rois.boxes import roi_regions
from bioimage_suite.omero.rois.shapes import load_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bioimage_suite.omero.images.details import ImageDetails
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Report, Row


def plan_views(
    session: Session, images: Sequence[ImageDetails], form: Mapping[str, Any], report: Report
) -> list[ImageView]:
    """Decide which part of each image to export.

    Args:
        session: An open session.
        images: The images.
        form: The choices of the tool's form, see `read_selection`.
        report: One row per image; says which images lack the chosen part.

    Raises:
        UserError: An image lacks the chosen part, or no image has a ROI to crop to.
    """
    chosen = read_selection(form)
    region = form.get("region") or {"kind": "all"}
    name = (region.get("roi_name") or "").strip()
    crops = region["kind"] == "rois"
    shapes = load_shapes(session, [image.image_id for image in images], name) if crops else {}
    views: list[ImageView] = []

    def plan(image: ImageDetails, _: Row) -> None:
        boxes = roi_regions(image, shapes[image.image_id]) if crops else [None]
        sizes = _sizes(session, image, chosen)
        views.extend(choose_view(image, chosen, sizes, box) for box in boxes)

    report.for_each(images, plan)
    if not views:
        named = f" of name {name!r}" if name else ""
        raise UserError(f"ROIs: none of the {len(images)} images has a ROI{named} that you can read. Draw some first.")
    return views


def _sizes(session: Session, image: ImageDetails, chosen: Selection) -> list[tuple[int, int]]:
    # Ask the server for the levels of each image only if a smaller level is wanted.
    return level_sizes(session, image) if chosen.level else [(image.size_x, image.size_y)]

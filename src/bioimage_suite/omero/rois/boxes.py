"""Rectangles that enclose ROIs."""

import math
from collections.abc import Iterable, Sequence

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images.details import ImageDetails
from bioimage_suite.omero.images.views import ViewRegion
from bioimage_suite.omero.rois.shapes import KINDS, RoiShape, shape_points, transformed

Point = tuple[float, float]


def roi_regions(image: ImageDetails, shapes: Iterable[RoiShape]) -> list[ViewRegion]:
    """Return the smallest rectangle of whole pixels around each ROI, clipped to the image, ordered by ROI id.

    Raises:
        UserError: OMERO does not define the kind of a shape, or a ROI lies outside the image.
    """
    corners: dict[int, list[Point]] = {}
    for shape in shapes:
        corners.setdefault(shape.roi_id, []).extend(_corners(shape))
    return [_region(image, roi_id, points) for roi_id, points in sorted(corners.items())]


def _region(image: ImageDetails, roi_id: int, points: Sequence[Point]) -> ViewRegion:
    spans = []
    for values, size in zip(zip(*points, strict=True), (image.size_x, image.size_y), strict=True):
        first = max(0, math.floor(min(values)))
        # A line along the edge of pixels counts for one row or column of pixels.
        last = min(size, max(math.ceil(max(values)), math.floor(min(values)) + 1))
        if first >= last:
            raise UserError(
                f"ROI {roi_id} of image {image.image_id} {image.name!r}: it lies outside the image. Leave it out, by "
                "the name of the ROIs, or mend it in OMERO."
            )
        spans.append((first, last - first))
    return ViewRegion(spans[0][0], spans[1][0], spans[0][1], spans[1][1], roi_id)


def _corners(shape: RoiShape) -> list[Point]:
    """Return points (x, y) with the bounding box of the transformed shape."""
    if shape.kind not in KINDS:
        raise UserError(
            f"shape {shape.shape_id} of ROI {shape.roi_id}: {shape.kind!r} is not a shape that this tool knows. "
            "Take the ROI out, or choose ROIs by their name."
        )
    points = transformed(shape, shape_points(shape))
    if shape.kind == "ellipse":
        a00, a10, a01, a11, _, _ = shape.transform or (1, 0, 0, 1, 0, 0)
        _, _, radius_x, radius_y = shape.numbers
        half_x, half_y = math.hypot(a00 * radius_x, a01 * radius_y), math.hypot(a10 * radius_x, a11 * radius_y)
        [(x, y)] = points
        return [(x - half_x, y - half_y), (x + half_x, y + half_y)]
    if shape.kind in ("point", "label"):
        # A point covers the pixel it lies in.
        x, y = (math.floor(value) for value in points[0])
        return [(x, y), (x + 1, y + 1)]
    return points

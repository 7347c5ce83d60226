"""Conversion of ROI shapes to pixels, rings of points, masks and polygons."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.label_outlines import mask_parts
from bioimage_suite.omero.rois.label_shapes import Mask, Polygon, fill_polygon, join_rings, pack_mask, unpack_mask
from bioimage_suite.omero.rois.shapes import RoiShape, shape_points, transformed

if TYPE_CHECKING:
    import numpy as np

AREAS = ("polygon", "rectangle", "ellipse", "mask", "point")
"""Kinds that cover pixels. Lines, polylines and labels have no area."""
LARGEST_MASK = 2**31  # Pixels: 46,000 x 46,000, 256 MB as bits.
ELLIPSE_POINTS = 128  # A ring of 128 points differs from a circle of radius r by less than r / 3000.

Point = tuple[float, float]


def shape_pixels(shape: RoiShape, height: int, width: int, first: int = 0) -> tuple[int, int, "np.ndarray"]:
    """Return the pixels that a shape covers: (x, y, boolean image (rows, columns) with its upper left pixel there).

    A pixel is covered if its centre is inside (even-odd rule). A point covers the pixel it lies in.

    Args:
        shape: A shape of a kind in `AREAS`.
        height: Rows of the plane, or of a band of rows; the shape is clipped to it.
        width: Columns of the plane.
        first: First row of the band in the plane; y counts from it.

    Raises:
        UserError: A mask is rotated or scaled, or has too few bits.
    """
    if shape.kind == "mask":
        return _mask_pixels(shape, height, width, first)
    import numpy as np

    outer = [(x, y - first) for x, y in _ring(shape)]
    if shape.kind == "point":
        column, row = math.floor(outer[0][0]), math.floor(outer[0][1])
        outer = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
    columns, rows = zip(*outer, strict=True)
    left, right = _clip(min(columns), width), _clip(max(columns) + 1, width)
    top, bottom = _clip(min(rows), height), _clip(max(rows) + 1, height)
    if right <= left or bottom <= top:
        return 0, 0, np.zeros((0, 0), bool)
    if shape.kind == "ellipse":
        return left, top, _ellipse_pixels(shape, left, top + first, (bottom - top, right - left))
    moved = Polygon(tuple((x - left, y - top) for x, y in outer))
    return left, top, fill_polygon(moved, bottom - top, right - left)


def row_span(shape: RoiShape) -> tuple[int, int]:
    """Return the first row that a shape of `AREAS` may cover, and the row after the last."""
    if shape.kind == "mask":
        _, y, _, height = _mask_place(shape)
        return y, y + height
    rows = [y for _, y in _ring(shape)]
    return math.floor(min(rows)), math.floor(max(rows)) + 1


def shape_rings(shape: RoiShape) -> list[list[list[Point]]]:
    """Return a shape's polygons, each a list of rings of points (x, y): the outer ring, then holes.

    An ellipse becomes a ring of 128 points; the rings of a mask follow the edges of its pixels. Lines, polylines,
    points and labels become one polygon with one open ring of their points.
    """
    if shape.kind != "mask":
        return [[_ring(shape)]]
    x, y, mask = _unpacked(shape)
    return mask_parts(mask, x, y)


def as_masks(shape: RoiShape, height: int, width: int) -> Iterator[RoiShape]:
    """Convert a polygon, rectangle or ellipse to a mask of the pixels that it covers; yield other shapes unchanged.

    A shape that covers no pixel of the plane yields nothing.

    Args:
        shape: A shape.
        height: Rows of the plane; the shape is clipped to it.
        width: Columns of the plane.
    """
    if shape.kind not in ("polygon", "rectangle", "ellipse"):
        yield shape
        return
    x, y, pixels = shape_pixels(shape, height, width)
    if pixels.any():
        yield _as_mask(shape, x, y, pixels)


def as_polygons(shape: RoiShape) -> Iterator[RoiShape]:
    """Convert a mask to polygons along the edges of its pixels, one per part; yield other shapes unchanged."""
    if shape.kind != "mask":
        yield shape
        return
    for polygon in shape_rings(shape):
        points = tuple(join_rings(polygon))
        yield replace(shape, kind="polygon", points=points, numbers=(), bits=b"", transform=None)


def mask_of_rings(shape: RoiShape, polygons: list[list[list[Point]]]) -> RoiShape:
    """Make a mask of all pixels whose centres lie in polygons with holes; other fields are taken from `shape`."""
    import numpy as np

    corners = np.concatenate([np.asarray(polygon[0]) for polygon in polygons])
    x, y = (math.floor(value) for value in corners.min(axis=0))
    width, height = (max(1, math.ceil(value) - low) for value, low in zip(corners.max(axis=0), (x, y), strict=True))
    if width * height > LARGEST_MASK:
        raise ValueError(f"a mask of {width} x {height} pixels is too large; at most {LARGEST_MASK:,}")
    pixels = np.zeros((height, width), bool)
    for polygon in polygons:
        ring = Polygon(tuple((column - x, row - y) for column, row in join_rings(polygon)))
        pixels |= fill_polygon(ring, height, width)
    return _as_mask(shape, x, y, pixels)


def _as_mask(shape: RoiShape, x: int, y: int, pixels: "np.ndarray") -> RoiShape:
    mask = pack_mask(pixels, x, y)
    numbers = (float(x), float(y), float(mask.width), float(mask.height))
    return replace(shape, kind="mask", numbers=numbers, points=(), bits=mask.bits, transform=None)


def _ring(shape: RoiShape) -> list[Point]:
    if shape.kind == "ellipse":
        x, y, radius_x, radius_y = shape.numbers
        angles = (2 * math.pi * step / ELLIPSE_POINTS for step in range(ELLIPSE_POINTS))
        return transformed(shape, [(x + radius_x * math.cos(a), y + radius_y * math.sin(a)) for a in angles])
    return transformed(shape, shape_points(shape))


def _ellipse_pixels(shape: RoiShape, left: int, top: int, size: tuple[int, int]) -> "np.ndarray":
    import numpy as np

    rows, columns = np.mgrid[: size[0], : size[1]]
    x, y = columns + left + 0.5, rows + top + 0.5
    if shape.transform is not None:  # Bring the pixels to the ellipse, not the ellipse to the pixels.
        a00, a10, a01, a11, a02, a12 = shape.transform
        inverse = np.linalg.inv([[a00, a01], [a10, a11]])
        x, y = np.tensordot(inverse, np.stack([x - a02, y - a12]), 1)
    centre_x, centre_y, radius_x, radius_y = shape.numbers
    if radius_x <= 0 or radius_y <= 0:
        return np.zeros(size, bool)
    inside: np.ndarray = ((x - centre_x) / radius_x) ** 2 + ((y - centre_y) / radius_y) ** 2 <= 1
    return inside


def _mask_pixels(shape: RoiShape, height: int, width: int, first: int) -> tuple[int, int, "np.ndarray"]:
    import numpy as np

    x, y, mask_width, mask_height = _mask_place(shape)
    left, top = _clip(x, width), _clip(y - first, height)
    right, bottom = _clip(x + mask_width, width), _clip(y - first + mask_height, height)
    # Only the rows of the band are unpacked, because unpacking takes eight times the space.
    start, stop = (top + first - y) * mask_width, (bottom + first - y) * mask_width
    bits = np.frombuffer(shape.bits[start // 8 : -(-stop // 8)], np.uint8)
    rows = np.unpackbits(bits)[start % 8 : start % 8 + stop - start].reshape(bottom - top, mask_width).astype(bool)
    return left, top, rows[:, left - x : right - x]


def _unpacked(shape: RoiShape) -> tuple[int, int, "np.ndarray"]:
    x, y, width, height = _mask_place(shape)
    return x, y, unpack_mask(Mask(x, y, width, height, shape.bits))


def _mask_place(shape: RoiShape) -> tuple[int, int, int, int]:
    x, y, width, height = (round(number) for number in shape.numbers)
    if shape.transform is not None:
        if shape.transform[:4] != (1, 0, 0, 1):
            raise UserError(
                f"mask {shape.shape_id} of ROI {shape.roi_id}: it is rotated or scaled, which pixels cannot follow "
                "exactly. Draw it again in OMERO."
            )
        x, y = x + round(shape.transform[4]), y + round(shape.transform[5])
    if len(shape.bits) * 8 < width * height:
        raise UserError(
            f"mask {shape.shape_id} of ROI {shape.roi_id}: {len(shape.bits)} bytes for {width} x {height} pixels. "
            "Delete it in OMERO and make it again."
        )
    return x, y, width, height


def _clip(value: float, largest: int) -> int:
    return max(0, min(largest, math.floor(value)))

"""Pictures from pixels and rendering settings: a region, a section across z, a projection, a thumbnail."""

from __future__ import annotations

import numpy as np

from sandbox.omero.rendering.pictures import Rendering, active_channels, project, render, shrink
from sandbox.omero.repository.pixel_store import CHUNK, MAX_PLANE_PIXELS, PixelSource

MAX_PICTURE_PIXELS = 1 << 25  # 5792 x 5792: with its encoding to JPEG some 250 MB
STRIP_PIXELS = 1 << 22  # rendered at a time, at some 20 bytes each
LEAST_THUMBNAIL = 3  # JavaImageScalingService of omero-server
THUMBNAIL_OVERSAMPLING = 4  # a plane is thinned out to at least this many times the thumbnail's size


def render_region(
    source: PixelSource, rendering: Rendering, level: int, z: int, t: int, region: tuple[int, int, int, int] | None
) -> np.ndarray:
    """Render a region (x, y, width, height) of a plane, or the whole plane.

    A region that reaches beyond the image is cut off at its border.

    Returns:
        Array of shape (h, w, 3), uint8.

    Raises:
        IndexError: The region or the plane is outside the image, or the picture would be too large.
    """
    width, height = source.level_sizes[level]
    x, y, w, h = region or (0, 0, width, height)
    w, h = min(w, width - x), min(h, height - y)
    if w * h > MAX_PICTURE_PIXELS:
        raise IndexError(f"{w} x {h} plane too large, cannot exceed {MAX_PICTURE_PIXELS} pixels: render it by regions")
    if w < 1 or h < 1:
        raise IndexError(f"The region is outside the {width} x {height} image")
    picture = np.empty((h, w, 3), np.uint8)
    rows = max(1, STRIP_PIXELS // w)
    for top in range(0, h, rows):
        count = min(rows, h - top)
        planes = {c: source.read_tile(level, z, c, t, x, y + top, w, count) for c in _needed(rendering)}
        picture[top : top + count] = render(planes, rendering)
    return picture


def render_section(source: PixelSource, rendering: Rendering, across: str, position: int, t: int) -> np.ndarray:
    """Render a section across z: `XZ` (one row, z downwards) or `ZY` (one column, z to the right)."""
    shape = source.shape
    planes = {}
    for c in _needed(rendering):
        if across == "XZ":
            rows = [source.read_tile(0, z, c, t, 0, position, shape.size_x, 1) for z in range(shape.size_z)]
            planes[c] = np.concatenate(rows, axis=0)
        else:
            columns = [source.read_tile(0, z, c, t, position, 0, 1, shape.size_y) for z in range(shape.size_z)]
            planes[c] = np.concatenate(columns, axis=1)
    return render(planes, rendering)


def projected_plane(source: PixelSource, kind: str, c: int, t: int, first: int, last: int, step: int) -> np.ndarray:
    """Project the planes `first` to `last` (included), every `step`-th, of one channel.

    Raises:
        IndexError: There are no such planes, or they are too large.
    """
    shape = source.shape
    if not 0 <= first <= last < shape.size_z or step < 1:
        raise IndexError(f"z={first}..{last} in steps of {step} is not inside 0..{shape.size_z - 1}")
    if shape.size_x * shape.size_y > MAX_PLANE_PIXELS:
        raise IndexError(f"{shape.size_x} x {shape.size_y} pixels are too many for a projection")
    levels = range(first, last + 1, step)
    return project((source.read_tile(0, z, c, t, 0, 0, shape.size_x, shape.size_y) for z in levels), kind)


def render_projection(
    source: PixelSource, rendering: Rendering, kind: str, t: int, first: int, last: int, step: int
) -> np.ndarray:
    """Render the projection of a stack (`kind` as for `rendering.pictures.project`)."""
    channels = _needed(rendering)
    return render({c: projected_plane(source, kind, c, t, first, last, step) for c in channels}, rendering)


def render_thumbnail(source: PixelSource, rendering: Rendering, z: int, t: int, size: tuple[int, int]) -> np.ndarray:
    """Render a plane as a picture of this size (width, height), but of three pixels a side at least."""
    size = (max(LEAST_THUMBNAIL, size[0]), max(LEAST_THUMBNAIL, size[1]))
    level = max(i for i, have in enumerate(source.level_sizes) if i == 0 or (have[0] >= size[0] and have[1] >= size[1]))
    planes = {c: _thinned(source, level, z, c, t, size) for c in _needed(rendering)}
    return shrink(render(planes, rendering), size)


def _thinned(source: PixelSource, level: int, z: int, c: int, t: int, size: tuple[int, int]) -> np.ndarray:
    """Read a plane in strips and keep every n-th pixel, so that a large plane needs little memory."""
    width, height = source.level_sizes[level]
    step = max(1, min(width // (size[0] * THUMBNAIL_OVERSAMPLING), height // (size[1] * THUMBNAIL_OVERSAMPLING)))
    rows = max(1, CHUNK // (width * source.shape.wire_type.itemsize))
    rows += -rows % step
    strips = [
        source.read_tile(level, z, c, t, 0, y, width, min(rows, height - y))[::step, ::step].copy()  # frees the strip
        for y in range(0, height, rows)
    ]
    return np.concatenate(strips, axis=0)


def _needed(rendering: Rendering) -> list[int]:
    """Return the channels to read: the active ones; one if none is, for the size of the black picture."""
    return active_channels(rendering) or [0]

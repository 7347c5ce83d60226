"""Drawing of objects, tracks and ROIs on an image with stretched grey values or original colours."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.figures.overlay_lines import Roi, TrackPaths, draw_rois, draw_tracks, spread_colours
from bioimage_suite.images.model.bands import BAND_PIXELS, bands
from bioimage_suite.images.model.label_runs import labels_on
from bioimage_suite.images.model.planes import check_same_size, planes_of
from bioimage_suite.images.writers.label_maps import check_label_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from bioimage_suite.images.model.image_file import ImageFile

# Percentiles of the grey values that become black and white, so that a few hot pixels do not darken the rest.
BLACK_PERCENTILE, WHITE_PERCENTILE = 0.5, 99.8
COLOUR = "colour"
# A plane of more pixels is shrunk before its grey values are stretched.
MOST_PIXELS = 1 << 24


@dataclass(frozen=True)
class View:
    """How an image is shown.

    Attributes:
        channel: Name or index of the channel; `colour` for the original red, green and blue.
        edge: Longest edge of the picture, px; smaller images are enlarged.
        style: How objects of a label map are drawn: `outlines` or `filled`.
        numbers: Whether the label of each object is written beside it.
        time: Which time point is shown: `first`, `middle` or `last`.
    """

    channel: str = "0"
    edge: int = 384
    style: str = "outlines"
    numbers: bool = False
    time: str = "first"


@dataclass(frozen=True)
class Found:
    """Objects, tracks and ROIs to draw on an image.

    Attributes:
        labels: Opened label map of the same size.
        tracks: Paths of objects.
        rois: Shapes.
    """

    labels: ImageFile | None = None
    tracks: TrackPaths | None = None
    rois: list[Roi] = field(default_factory=list)


@dataclass(frozen=True)
class ObjectPicture:
    """One image of a contact sheet.

    Attributes:
        name: Name of the image.
        objects: Number of tracks if there are any, else of different labels in all planes, else of ROIs.
        kind: What was counted: `object`, `track` or `ROI`.
        place: The plane shown, empty if there is only one.
        channel: Name of the channel shown.
        grey: (Y, X, 3) uint8 picture of the image; without pixels where it is not shown.
        outlined: (Y, X, 3) uint8 picture with the objects drawn; likewise.
    """

    name: str
    objects: int
    kind: str
    place: str
    channel: str
    grey: np.ndarray
    outlined: np.ndarray


def draw_objects(image: ImageFile, found: Found, view: View, shown: bool = True) -> ObjectPicture:
    """Count objects, and draw them on the middle z-plane of one time point.

    Args:
        image: Opened image.
        found: Objects, tracks or ROIs to draw on it.
        view: How the image is shown.
        shown: Whether it is shown at all; else its pixels are not read.

    Raises:
        UserError: The channel does not exist, the image has no colours, or the sizes differ.
    """
    if found.labels:
        check_label_map(found.labels)
        check_same_size(found.labels, image, "its image")
    z, t = image.size_z // 2, {"first": 0, "middle": image.size_t // 2, "last": image.size_t - 1}[view.time]
    place = [f"z {z} of {image.size_z}"] if image.size_z > 1 else []
    place += [f"t {t} of {image.size_t}"] if image.size_t > 1 else []
    channel = _channel(image, view.channel)
    count, kind = _counted(found)
    label = COLOUR if channel is None else image.channel_label(channel)
    grey = outlined = np.zeros((0, 0, 3), np.uint8)
    if shown:
        grey, outlined = _pictures(image, found, view, (t, channel, z))
    return ObjectPicture(image.name, count, kind, ", ".join(place), label, grey, outlined)


def _pictures(
    image: ImageFile, found: Found, view: View, at: tuple[int, int | None, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture of a plane, by time point, channel and z, and the same with what was found on it."""
    import cv2

    t, _, z = at
    scale = view.edge / max(image.size_y, image.size_x)
    size = (max(1, round(image.size_x * scale)), max(1, round(image.size_y * scale)))
    plane = _plane(image, *at)
    picture = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    drawn = picture.copy()
    if found.labels:
        drawn = _with_labels(drawn, _sampled(found.labels, t, z, size), view)
    # Coordinate 0 is the centre of the first pixel, in the image and in the picture.
    if found.tracks:
        draw_tracks(drawn, found.tracks, t, scale)
    draw_rois(drawn, found.rois, scale, view.numbers)
    return picture, drawn


def _channel(image: ImageFile, channel: str) -> int | None:
    """Return the index of a channel; None for the colours of an RGB image."""
    if channel.strip().casefold() != COLOUR or COLOUR in {(name or "").casefold() for name in image.channels}:
        return image.resolve_channel(channel)
    if image.size_c not in (3, 4) or image.dtype != np.uint8:
        raise UserError(
            f"Image {image.name}: it has {image.size_c} channels of {image.dtype}, which are no colours. "
            "Choose a channel, or give an RGB image of 8 bits a colour."
        )
    return None


def _plane(image: ImageFile, t: int, channel: int | None, z: int) -> np.ndarray:
    """Return (Y, X) or, in colour, (Y, X, 3) uint8 pixels of a plane, shrunk if large."""
    if channel is not None:
        return stretched(_shrunk(image, image.plane_reader(t, channel, z)))
    everything = slice(0, image.size_x)
    return _shrunk(image, lambda first, last: image.read_colour(t, z, slice(first, last), everything))


def _shrunk(image: ImageFile, read_rows: Callable[[int, int], np.ndarray]) -> np.ndarray:
    """Read a plane; shrink one larger than MOST_PIXELS to means of squares, band by band, to bound the memory."""
    import cv2

    step = math.ceil(math.sqrt(image.size_y * image.size_x / MOST_PIXELS))
    if step <= 1:
        return read_rows(0, image.size_y)
    rows = step * max(1, BAND_PIXELS // (image.size_x * step))
    parts = []
    for first in range(0, image.size_y, rows):
        band = read_rows(first, min(first + rows, image.size_y))
        if band.dtype not in (np.uint8, np.uint16):
            band = band.astype(np.float32)  # OpenCV cannot shrink other integers
        size = (-(-image.size_x // step), -(-band.shape[0] // step))
        parts.append(cv2.resize(band, size, interpolation=cv2.INTER_AREA))
    return np.concatenate(parts)


def _sampled(labels: ImageFile, t: int, z: int, size: tuple[int, int]) -> np.ndarray:
    """Return labels at the pixels of a picture of (width, height) as (height, width) int64, read band by band."""
    columns = np.arange(size[0]) * labels.size_x // size[0]
    rows = np.arange(size[1]) * labels.size_y // size[1]
    read = labels.plane_reader(t, 0, z)
    bounds = [
        (first, last, np.searchsorted(rows, [first, last])) for first, last in bands(labels.size_y, labels.size_x)
    ]
    parts = [read(first, last)[rows[a:b] - first][:, columns] for first, last, (a, b) in bounds if b > a]
    array: np.ndarray = np.concatenate(parts).astype(np.int64)
    return array


def _counted(found: Found) -> tuple[int, str]:
    """Return the number of objects, tracks or ROIs in the whole image, and which of these were counted."""
    if found.tracks:
        return found.tracks.count, "track"
    if found.labels:
        return _count(found.labels), "object"
    return len(found.rois), "ROI"


def _count(labels: ImageFile) -> int:
    """Return the number of different labels in all planes."""
    return len({label for t, z in planes_of(labels) for label in labels_on(labels, t, z).tolist()})


def stretched(plane: np.ndarray) -> np.ndarray:
    """Map grey values between two percentiles to 0..255 as uint8; a flat plane and NaN become 0."""
    values = np.nan_to_num(plane.astype(np.float32), posinf=0, neginf=0)
    low, high = np.percentile(values, (BLACK_PERCENTILE, WHITE_PERCENTILE))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(plane.shape, np.uint8)
    array: np.ndarray = (np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return array


def _with_labels(picture: np.ndarray, shown: np.ndarray, view: View) -> np.ndarray:
    """Draw the objects of (Y, X) labels on a picture of the same size."""
    drawn = with_colours(picture, shown) if view.style == "filled" else with_outlines(picture, shown)
    if view.numbers:
        _write_labels(drawn, shown)
    return drawn


def with_colours(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Colour the pixels of each object, half transparent."""
    inside = labels > 0
    out = picture.copy()
    out[inside] = (out[inside].astype(np.uint16) + spread_colours(labels[inside])) // 2
    return out


def with_outlines(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Colour the pixels of each object that touch another label or the background.

    Args:
        picture: (Y, X, 3) uint8.
        labels: (Y, X) integers of the same size.
    """
    border = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    border &= labels > 0
    out = picture.copy()
    out[border] = spread_colours(labels[border])
    return out


def _write_labels(picture: np.ndarray, labels: np.ndarray) -> None:
    """Write the label of each object at the mean of its pixels."""
    from bioimage_suite.figures.overlay_lines import write_text

    y, x = np.nonzero(labels)
    ids, index = np.unique(labels[y, x], return_inverse=True)
    count = np.bincount(index, minlength=len(ids))
    middle_x, middle_y = np.bincount(index, x, len(ids)) / count, np.bincount(index, y, len(ids)) / count
    for label, at_x, at_y in zip(ids.tolist(), middle_x, middle_y, strict=True):
        write_text(picture, str(label), float(at_x), float(at_y))

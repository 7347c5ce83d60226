"""Draws the objects of a label map on their image: grey values stretched, one outline per object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_file import ImageFile
from label_map_writer import check_label_map
from tool_errors import UserError

if TYPE_CHECKING:
    import numpy as np

# Percentiles of the grey values that become black and white: a few hot pixels must not leave the rest dark.
BLACK_PERCENTILE, WHITE_PERCENTILE = 0.5, 99.8


@dataclass(frozen=True)
class ObjectPicture:
    """One image of a contact sheet.

    Attributes:
        name: Name of the image.
        objects: Number of different labels in all planes.
        place: Which plane is shown, empty where there is only one.
        channel: Name of the channel shown.
        grey: (Y, X, 3) uint8 picture of the image.
        outlined: (Y, X, 3) uint8 the same with outlines.
    """

    name: str
    objects: int
    place: str
    channel: str
    grey: np.ndarray
    outlined: np.ndarray


def draw_objects(image: ImageFile, labels: ImageFile, channel: str, edge: int) -> ObjectPicture:
    """Picture the middle z-plane of the first time point.

    Args:
        image: Opened image.
        labels: Opened label map of the same size.
        channel: Name or index of the channel to show.
        edge: Longest edge of the picture in pixels; smaller images are enlarged.

    Raises:
        UserError: No such channel, or the sizes differ.
    """
    import cv2

    check_label_map(labels)
    sizes = [(one.size_t, one.size_z, one.size_y, one.size_x) for one in (image, labels)]
    if sizes[0] != sizes[1]:
        raise UserError(
            f"Label map {labels.name} is T, Z, Y, X = {sizes[1]}, its image {image.name} is {sizes[0]}. "
            "Give the label map that was made from this image."
        )
    index, z = image.resolve_channel(channel), image.size_z // 2
    scale = edge / max(image.size_y, image.size_x)
    size = (max(1, round(image.size_x * scale)), max(1, round(image.size_y * scale)))
    grey = stretched(image.read_plane(0, index, z))
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    # OpenCV resizes no 32-bit integers without interpolation, but floats: exact up to 2^24 labels, enough for outlines.
    shown = cv2.resize(labels.read_plane(0, 0, z).astype("float32"), size, interpolation=cv2.INTER_NEAREST)
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    place = [f"z {z} of {image.size_z}"] if image.size_z > 1 else []
    place += [f"t 0 of {image.size_t}"] if image.size_t > 1 else []
    outlined = with_outlines(picture, shown.astype("int32"))
    return ObjectPicture(image.name, _count(labels), ", ".join(place), image.channel_label(index), picture, outlined)


def _count(labels: ImageFile) -> int:
    """Number of different labels in all planes."""
    import numpy as np

    found: set[int] = set()
    for t in range(labels.size_t):
        for z in range(labels.size_z):
            found.update(np.unique(labels.read_plane(t, 0, z)).tolist())
    return len(found - {0})


def stretched(plane: np.ndarray) -> np.ndarray:
    """Map grey values to 0..255 between two percentiles; a flat plane is black, NaN too."""
    import numpy as np

    values = np.nan_to_num(plane.astype(np.float32), posinf=0, neginf=0)
    low, high = np.percentile(values, (BLACK_PERCENTILE, WHITE_PERCENTILE))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(plane.shape, np.uint8)
    return (np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def with_outlines(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Colour the pixels of each object that touch another label or the background.

    Args:
        picture: (Y, X, 3) uint8.
        labels: (Y, X) int32 of the same size.
    """
    import numpy as np

    border = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    border &= labels > 0
    out = picture.copy()
    out[border] = outline_colours(labels[border])
    return out


def outline_colours(labels: np.ndarray) -> np.ndarray:
    """A bright colour per label: hues a golden angle apart, so that neighbours in number differ; (n, 3) uint8."""
    import cv2
    import numpy as np

    hue = (labels.astype(np.int64) * 0.618034 % 1 * 179).astype(np.uint8)
    colours = np.stack([hue, np.full_like(hue, 190), np.full_like(hue, 255)], axis=1)
    return cv2.cvtColor(colours[None], cv2.COLOR_HSV2RGB)[0] if len(labels) else np.zeros((0, 3), np.uint8)

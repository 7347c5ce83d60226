"""The planes of an image: which there are, how far they lie apart, and whether two images have the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile


def planes_of(image: ImageFile) -> list[tuple[int, int]]:
    """Return the time point and z of every plane, z running faster."""
    return [(t, z) for t in range(image.size_t) for z in range(image.size_z)]


def z_step(image: ImageFile) -> float:
    """Return the distance of two planes in pixels of the plane; 1 if the image does not define it."""
    across, along = image.micrometres("x"), image.micrometres("z")
    return along / across if across and along else 1.0


def sizes(image: ImageFile) -> tuple[int, int, int, int]:
    """Return the numbers of time points, z-planes, rows and columns, which an image and its label map share."""
    return image.size_t, image.size_z, image.size_y, image.size_x


def check_same_size(labels: ImageFile, image: ImageFile, kind: str = "image") -> None:
    """Reject a label map that was not made from this image.

    Args:
        labels: The label map.
        image: The image.
        kind: What the message calls the image.

    Raises:
        UserError: The sizes differ.
    """
    if sizes(labels) != sizes(image):
        raise UserError(
            f"Label map {labels.name} is T, Z, Y, X = {sizes(labels)}, {kind} {image.name} is {sizes(image)}. "
            "Give the label map that was made from this image."
        )

"""Images of a CZI of Zeiss: pixels by `czi_scenes`, what is said of them by `czi_metadata`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.series import choose_series
from bioimage_suite.images.readers.arrays import ArrayImage
from bioimage_suite.images.readers.czi_metadata import metadata_of
from bioimage_suite.images.readers.czi_scenes import CziScenes, ScenePixels, open_scenes

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.series import Reading
    from bioimage_suite.images.readers.czi_metadata import CziMetadata

VIEW_NAMES = {"V": "view", "B": "block"}
UNDERSTOOD = "TCZSHIRVBM"


def read_czi(path: Path, name: str, reading: Reading) -> ArrayImage:
    """Read a scene of a file, or a view or block of it.

    Args:
        path: The file.
        name: Name of the image in messages.
        reading: Which of its images.

    Raises:
        UserError: None was chosen of several, or the file has an axis that no image here has.
        Exception: Of Zeiss' library, where the file is damaged.
    """
    file = open_scenes(path)
    odd = {axis: length for axis, length in file.lengths.items() if axis not in UNDERSTOOD and length > 1}
    if odd:
        listed = ", ".join(f"{axis} ({length})" for axis, length in odd.items())
        raise UserError(
            f"Image {name}: the CZI file has the axes {listed} beside T, C, Z, Y, X. Export it as OME-TIFF from ZEN."
        )
    said = metadata_of(file.document.raw_metadata)
    images = file.images()
    names = _names(file, said, images)
    number, view = images[choose_series(names, reading.series, name)]
    pixels = ScenePixels(file, number, view)
    return ArrayImage(
        "CZI", pixels, "TCZYXS"[: len(pixels.shape)], file.dtype, channels=_channels(file, said),
        lengths=said.lengths, interval=said.interval, facts=said.facts, series=tuple(names), stored_axes=_axes(file),
    )  # fmt: skip


def _names(file: CziScenes, said: CziMetadata, images: list[tuple[int | None, dict[str, int]]]) -> list[str]:
    numbers = list(file.boxes)
    word = "Image:" if numbers in ([None], list(range(len(numbers)))) else "scene "
    return [
        " ".join(
            [
                said.scenes.get(number or 0) or f"{word}{number or 0}",
                *(f"{VIEW_NAMES[axis]} {at}" for axis, at in view.items()),
            ]
        )
        for number, view in images
    ]


def _channels(file: CziScenes, said: CziMetadata) -> tuple[str | None, ...]:
    names = [*said.channels, *[""] * file.size("C")][: file.size("C")]
    parts = ("Red", "Green", "Blue") if file.samples == 3 else ("",)
    return tuple(f"{one} {part}".strip() or None for one in names for part in parts)


def _axes(file: CziScenes) -> str:
    """Return the letters of the axes as the format has them."""
    lengths = file.lengths
    letters = [axis for axis in "VBRIHTCZ" if lengths.get(axis, 1) > 1 or (axis in lengths and axis in "TCZ")]
    return "".join(letters) + ("YXS" if file.samples > 1 else "YX")

"""Images of an ND2 of Nikon by the reader of BioIO: a position of the stage is an image."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.series import choose_series
from bioimage_suite.images.readers.arrays import ArrayImage, state_of

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.ome_facts import Fact
    from bioimage_suite.images.model.series import Reading


ONE_SCENE = threading.Lock()
"""Held while a region is read: a reader has one scene at a time, and the images of a file share a reader."""


class ReaderPixels:
    """The pixels of the reader's image, read as they are asked for.

    Attributes:
        shape: Length of each axis.
    """

    def __init__(self, reader: Any) -> None:
        """Take a reader whose scene is set; it may be set to another one later, for another image of the file."""
        self._reader, self._order = reader, str(reader.dims.order)
        self._scene, self.shape = reader.current_scene_index, tuple(reader.dims.shape)

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region."""
        left = "".join(axis for axis, at in zip(self._order, key, strict=True) if isinstance(at, slice))
        with ONE_SCENE:
            _choose_scene(self._reader, self._scene)
            pixels: np.ndarray = self._reader.get_image_data(left, **dict(zip(self._order, key, strict=True)))
        return pixels


def _choose_scene(reader: Any, scene: int) -> None:
    if reader.current_scene_index != scene:  # setting it anew forgets what was read of it
        reader.set_scene(scene)


@lru_cache(maxsize=1)
def _reader_of(path: Path, _state: tuple[int, ...]) -> Any:
    """Open a file once for all its images."""
    from bioio_nd2 import Reader

    # The reader logs what it could not find to standard error; errors that matter are raised.
    for package in ("bioio_base", "bioio_nd2", "nd2"):
        logging.getLogger(package).setLevel(logging.CRITICAL + 1)

    class OnceTranslated(Reader):
        """Its metadata of the microscope are those of a translation of all scenes, which it makes anew for each."""

        # Asked for with the standard metadata, and not used here; each is looked for in all frames of the file.
        row = column = stage_position_x = stage_position_y = None

        @cached_property
        def ome_metadata(self) -> Any:
            document = super().ome_metadata
            for image in document.images:
                image.acquisition_date = _in_utc(image.acquisition_date)
            return document

    return OnceTranslated(path)


def read_nd2(path: Path, name: str, reading: Reading) -> ArrayImage:
    """Read an image of a file.

    Args:
        path: The file.
        name: Name of the image in messages.
        reading: Which of its images.

    Raises:
        UserError: None was chosen of several, or the file has an axis that no image here has.
        Exception: Of the reader, where the file is damaged.
    """
    reader = _reader_of(path, state_of(path))
    names = tuple(str(one) for one in reader.scenes)
    scene = choose_series(names, reading.series, name)
    _choose_scene(reader, scene)
    odd = [f"{axis} ({length})" for axis, length in zip(reader.dims.order, reader.dims.shape, strict=True)
           if axis not in "TCZYXS"]  # fmt: skip
    if odd:
        raise UserError(
            f"Image {name}: the ND2 file has the axes {', '.join(odd)} beside T, C, Z, Y, X. "
            "Export it as OME-TIFF from NIS-Elements."
        )
    lengths = reader.physical_pixel_sizes
    return ArrayImage(
        "ND2", ReaderPixels(reader), str(reader.dims.order), np.dtype(reader.dtype), channels=_channels(reader),
        lengths={axis: (value, "µm") for axis in "xyz" if (value := getattr(lengths, axis.upper()))},
        interval=_interval(reader), facts=_facts(reader), series=names, document=_document(reader, scene),
    )  # fmt: skip


def _channels(reader: Any) -> tuple[str | None, ...]:
    names = [str(one) for one in reader.channel_names or []]
    samples = dict(zip(reader.dims.order, reader.dims.shape, strict=True)).get("S", 1)
    parts = ("Red", "Green", "Blue") if samples == 3 else ("",) * samples
    return tuple(f"{one} {part}".strip() or None for one in names for part in parts)


def _interval(reader: Any) -> tuple[float, str] | None:
    interval = reader.time_interval
    return (interval.total_seconds(), "s") if interval is not None else None


def _document(reader: Any, scene: int) -> str | None:
    """Return the reader's translation to OME-XML, reduced to one scene; None if it has none."""
    try:
        document = reader.ome_metadata
        images = document.images[scene : scene + 1]
        return str(document.model_copy(update={"images": images}).to_xml()) if images else None
    except Exception:  # the metadata of some files give no valid document; the pixels can be read nevertheless
        return None


def _facts(reader: Any) -> list[Fact]:
    try:
        known = reader.standard_metadata
    except Exception:  # see _document
        return []
    wanted = (
        ("image", "AcquisitionDate", "imaging_datetime"),
        ("image", "Experimenter", "imaged_by"),
        ("objective", "Description", "objective"),
        ("detector", "Binning", "binning"),
    )
    found = [(subject, label, _in_utc(getattr(known, key, None))) for subject, label, key in wanted]
    return [(subject, label, str(value), "") for subject, label, value in found if value not in (None, "")]


def _in_utc(value: Any) -> Any:
    """Return a moment in UTC: the reader gives it in the time zone of this machine. All else stays as it is."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value

"""The image model: what a file says of itself, and how to read its pixels.

The axes are always T, C, Z, Y, X (OME's names). Metadata that a file lacks are None.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import IN_MEMORY, on_disk, release
from bioimage_suite.core.units import micrometres

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from bioimage_suite.images.model.bands import RowReader


@dataclass(frozen=True)
class PhysicalSize:
    """Extent of a pixel along one axis, or of a time step, as in the file.

    Attributes:
        value: Extent, greater than zero.
        unit: OME's symbol (`µm`, `ms`; see `units`).
    """

    value: float
    unit: str

    @property
    def micrometres(self) -> float | None:
        """Return the extent in µm; None if the unit is not a length (`pixel`, `reference frame`)."""
        return micrometres(self.value, self.unit)


@dataclass(frozen=True)
class ImageFile:
    """Metadata of an image file, and functions that read its pixels.

    Attributes:
        name: Name of the image in messages (Galaxy's element identifier, else the file's name).
        size_t: Number of time points.
        size_c: Number of channels; each sample of a colour pixel counts as one.
        size_z: Number of z-planes.
        size_y: Rows of a plane.
        size_x: Columns of a plane.
        dtype: numpy type of the pixels.
        channels: Name of each channel, None where the file has none.
        physical_size: Extent of a pixel by axis name (`x`, `y`, `z`); axes without one in the file are absent.
        time_increment: Time between two time points with its unit, None where unknown.
        read_region: Function of (t, c, z, rows, columns) that returns a (Y, X) array; rows and columns are slices with
            start and stop.
        details: Other metadata of the format, for `image_info`; `series` has the names of all images in the file.
        notes: Sentences on metadata that were left out or assumed.
        read_interleaved: Function of (t, z, rows, columns) that returns a (Y, X, samples) array, if the file stores
            colours; else None.
    """

    name: str
    size_t: int
    size_c: int
    size_z: int
    size_y: int
    size_x: int
    dtype: np.dtype
    channels: tuple[str | None, ...]
    physical_size: dict[str, PhysicalSize]
    time_increment: PhysicalSize | None
    read_region: Callable[[int, int, int, slice, slice], np.ndarray]
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    read_interleaved: Callable[[int, int, slice, slice], np.ndarray] | None = None

    def read_plane(self, t: int = 0, c: int = 0, z: int = 0) -> np.ndarray:
        """Read one whole plane as a (Y, X) array; one of more than IN_MEMORY bytes lies on disk."""
        if self.size_y * self.size_x * self.dtype.itemsize <= IN_MEMORY:
            return self.read_region(t, c, z, slice(0, self.size_y), slice(0, self.size_x))
        from bioimage_suite.images.model.bands import bands

        plane, read = on_disk((self.size_y, self.size_x), self.dtype), self.plane_reader(t, c, z)
        for first, last in bands(self.size_y, self.size_x):
            plane[first:last] = read(first, last)
            release(plane)
        return plane

    def read_colour(self, t: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        """Read a region of the first three channels as (Y, X, 3); interleaved pixels are decoded once."""
        import numpy as np

        if self.read_interleaved:
            return self.read_interleaved(t, z, rows, columns)[..., :3]
        return np.stack([self.read_region(t, c, z, rows, columns) for c in range(3)], axis=-1)

    def plane_reader(self, t: int, c: int, z: int) -> RowReader:
        """Return a function from a range of rows to a (rows, X) array; a plane that fits in memory is decoded once."""
        from bioimage_suite.images.model.bands import by_chunks, rows_of

        if self.size_y * self.size_x * self.dtype.itemsize <= IN_MEMORY:
            return rows_of(self.read_plane(t, c, z))

        def read(first: int, last: int) -> np.ndarray:
            return self.read_region(t, c, z, slice(first, last), slice(0, self.size_x))

        return by_chunks(read, self.size_y, self.size_x)

    def micrometres(self, axis: str) -> float | None:
        """Return the extent of a pixel along `x`, `y` or `z` in µm, None where unknown."""
        size = self.physical_size.get(axis)
        return size.micrometres if size else None

    def channel_label(self, index: int) -> str:
        """Return the name of a channel, or `channel_<index>` if the file has none."""
        return self.channels[index] or f"channel_{index}"

    def channel_labels(self) -> list[str]:
        """Return one distinct label per channel: a name that occurs twice gets its index (`DAPI_2`)."""
        labels = [self.channel_label(index) for index in range(self.size_c)]
        return [label if labels.count(label) == 1 else f"{label}_{i}" for i, label in enumerate(labels)]

    def resolve_channel(self, wanted: str) -> int:
        """Find a channel by its name or by its index.

        A name wins over an index, so that a channel called "488" is found by that name.

        Args:
            wanted: Name as in the file (case matters only if two names differ by nothing else), or 0-based index, as in
                OMERO and giatools.

        Returns:
            The 0-based index.

        Raises:
            UserError: No channel or more than one matches. The message lists the channels.
        """
        wanted = wanted.strip()
        same = [i for i, name in enumerate(self.channels) if name == wanted]
        same = same or [i for i, name in enumerate(self.channels) if (name or "").casefold() == wanted.casefold() != ""]
        if len(same) == 1:
            return same[0]
        if not same and wanted.isdecimal() and int(wanted) < self.size_c:
            return int(wanted)
        listed = ", ".join(f"{i}: {name or 'without a name'}" for i, name in enumerate(self.channels))
        problem = "is the name of more than one channel" if same else "does not exist"
        raise UserError(
            f"Channel {wanted!r} of image {self.name}: {problem}. Give one of these by its name, or by its index "
            f"counted from 0: {listed}."
        )


def with_numbers_only(image: ImageFile) -> ImageFile:
    """Return the same image, whose regions fail to read if they hold NaN or infinite pixels.

    Raises:
        UserError: Raised later, when such a region is read.
    """
    if image.dtype.kind not in "fc":
        return image

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        import numpy as np

        pixels = image.read_region(t, c, z, rows, columns)
        bad = int((~np.isfinite(pixels)).sum())
        if bad:
            raise UserError(
                f"Image {image.name}: {bad} pixels of channel {image.channel_label(c)}, t={t}, z={z}, in the rows "
                f"{rows.start} to {rows.stop - 1}, are no numbers (NaN) or infinite. Replace them first."
            )
        return pixels

    return replace(image, read_region=read_region, read_interleaved=None)


def sample_names(samples: int) -> tuple[str | None, ...]:
    """Return the channel names of a pixel's samples: grey, grey + alpha, RGB, RGB + alpha."""
    known: dict[int, tuple[str | None, ...]] = {
        1: (None,),
        2: ("Grey", "Alpha"),
        3: ("Red", "Green", "Blue"),
        4: ("Red", "Green", "Blue", "Alpha"),
    }
    return known.get(samples, (None,) * samples)

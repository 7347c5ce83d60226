"""Writer of label maps as OME-TIFF, band by band, with the axes and physical sizes of the source image."""

from __future__ import annotations

import math
import tempfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.in_order import threads_allowed
from bioimage_suite.images.writers.tiff_output import layout, needs_bigtiff, resolution_tags, uuid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np

    from bioimage_suite.images.model.image_file import ImageFile

# Share of equal neighbours within objects: noise of a camera makes few pixels equal, borders of labels few different.
SAME_NEIGHBOURS = 0.9
LARGEST_LABEL = 2**31 - 1
BUFFER_BYTES = 1 << 26  # most bytes of tiles that are compressed at once
MANY_PIECES = 5  # in as many pieces a label is on average if it is none of one object
ENOUGH_PIECES = 1000  # fewer say too little to refuse a file
MOST_NEIGHBOURS = 0.5  # share of equal neighbours: fewer have grey values, most have masks and maps of classes
MASK_VALUES = {"uint8": 255, "uint16": 65_535, "float32": 255, "float64": 255}
"""What programs write for "inside" in a mask, by pixel type."""


class LabelSpool:
    """Bands of labels in a temporary file until the largest label is known, which decides between uint16 and int32.

    Attributes:
        largest: The largest label so far.
        checksum: CRC-32 of all labels so far.
    """

    def __init__(self, width: int) -> None:
        """Create an empty spool for planes of `width` columns."""
        self.largest = 0
        self.checksum = 0
        self._width = width
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the spool)

    def append(self, band: np.ndarray) -> None:
        """Append the next rows, a (rows, X) int32 array."""
        self.largest = max(self.largest, int(band.max(initial=0)))
        self.checksum = zlib.crc32(band.data, self.checksum)
        self._file.write(band.data)

    def tiles(self, planes: int, height: int, tile: tuple[int, int]) -> Iterator[np.ndarray]:
        """Yield the planes as tiles in the order of a TIFF, as uint16 if all labels fit, else int32.

        A tile of the size of a plane gives whole planes.
        """
        import numpy as np

        dtype = label_dtype(self.largest)
        self._file.seek(0)
        for _ in range(planes):
            for y in range(0, height, tile[0]):
                rows = min(tile[0], height - y)
                band = np.frombuffer(self._file.read(rows * self._width * 4), np.int32).reshape(rows, self._width)
                for x in range(0, self._width, tile[1]):
                    part = band[:, x : x + tile[1]].astype(dtype)
                    yield np.pad(part, [(0, tile[0] - part.shape[0]), (0, tile[1] - part.shape[1])])


def label_dtype(largest: int) -> np.dtype:
    """Return the pixel type of a label map: uint16 up to 65,535 objects, else int32."""
    import numpy as np

    return np.dtype(np.uint16 if largest <= 65_535 else np.int32)


def write_label_map(path: Path, bands: Iterable[np.ndarray], like: ImageFile) -> int:
    """Write a label map with one channel and the T, Z, Y, X sizes and physical sizes of `like`.

    Args:
        path: File to write.
        bands: (rows, X) integers that together make all planes, z running faster than t.
        like: The image that was segmented.

    Returns:
        The largest label.

    Raises:
        UserError: A label is too large for int32.
    """
    import numpy as np
    import tifffile

    spool = LabelSpool(like.size_x)
    for band in bands:
        if band.dtype.kind in "iu" and band.dtype.itemsize >= 4 and band.max(initial=0) > LARGEST_LABEL:
            raise UserError(
                f"Label map of {like.name}: label {band.max()} is above {LARGEST_LABEL:,}, the most that an OME-TIFF "
                "holds as int32. Number the objects anew."
            )
        spool.append(np.ascontiguousarray(band, np.int32))
    cut = layout(like.size_y, like.size_x)
    planes = like.size_t * like.size_z
    shape = (like.size_t, 1, like.size_z, like.size_y, like.size_x)
    identity = uuid_of(f"{like.name} {shape} {spool.checksum}")
    with tifffile.TiffWriter(path, ome=True, bigtiff=needs_bigtiff(4 * math.prod(shape))) as tiff:
        tiff.write(
            spool.tiles(planes, like.size_y, cut.get("tile", (like.size_y, like.size_x))),
            shape=shape,
            dtype=label_dtype(spool.largest),
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},  # the default level takes 2.4 times as long for a few per cent
            **{"predictor": True, **cut},
            maxworkers=threads_allowed(),
            buffersize=BUFFER_BYTES,
            metadata={"axes": "TCZYX", "UUID": identity, "Channel": {"Name": ["Labels"]}, **ome_sizes(like)},
            **resolution_tags(like.micrometres("x"), like.micrometres("y")),
        )
    return spool.largest


def ome_sizes(image: ImageFile) -> dict[str, Any]:
    """Return physical sizes and time increment as attributes of OME-XML's Pixels."""
    attributes: dict[str, Any] = {}
    for axis, size in image.physical_size.items():
        attributes[f"PhysicalSize{axis.upper()}"] = size.value
        attributes[f"PhysicalSize{axis.upper()}Unit"] = size.unit
    if image.time_increment:
        attributes["TimeIncrement"] = image.time_increment.value
        attributes["TimeIncrementUnit"] = image.time_increment.unit
    return attributes


def as_label_map(image: ImageFile, *, carried: bool = False, regions: bool = False) -> ImageFile:
    """Return a label map whose pixels are integers: floating point numbers are taken if they are whole.

    A note on standard output says so if it looks like a mask, in which all objects have one label.

    Args:
        image: The label map.
        carried: Its pixels are only stored elsewhere, whatever they are: what looks like grey values is noted. Else
            objects are made of them, and it is refused.
        regions: Its labels are regions, not objects: a mask or a map of classes is as good, and not noted.

    Raises:
        UserError: It looks like an image of grey values and is not `carried`; or later, when a region is read that
            holds a number that is not whole.
    """
    import numpy as np

    if image.size_c == 1 and image.dtype.kind in "iubf":
        _look_at_pieces(image, carried, regions)
    if image.dtype.kind != "f":
        return image

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        pixels = image.read_region(t, c, z, rows, columns)
        whole = np.isfinite(pixels) & (pixels == np.rint(pixels)) & (np.abs(pixels.astype(np.float64)) < 2**31)
        if not whole.all():
            raise UserError(
                f"Label map {image.name}: a pixel of plane t={t}, z={z} is {pixels[~whole][0]}, which is no label. "
                "Give a label map, or save it as 16-bit or 32-bit integers."
            )
        labels: np.ndarray = pixels.astype(np.int32)
        return labels

    return replace(image, dtype=np.dtype(np.int32), read_region=read_region, read_interleaved=None)


def _look_at_pieces(image: ImageFile, carried: bool, regions: bool) -> None:
    """Refuse grey values, note a mask: by the number of pieces that the labels are in, in the middle of a plane.

    Raises:
        UserError: The labels are in many pieces, and most neighbours differ, as with grey values; noted if `carried`.
    """
    import numpy as np

    pixels = _middle_with_labels(image)
    if pixels.dtype.kind == "f" and not (np.isfinite(pixels) & (pixels == np.rint(pixels))).all():
        return  # an error of its own, where it is read
    values = np.unique(pixels[pixels != 0])
    if not len(values):
        return
    pieces, same = pieces_in(pixels)
    is_mask = len(values) == 1 and values[0] == MASK_VALUES.get(image.dtype.name)
    if pieces <= MANY_PIECES * len(values) and not is_mask:
        return
    if same < MOST_NEIGHBOURS and len(values) > 1 and pieces >= ENOUGH_PIECES:
        doubt = (
            f"Label map {image.name}: its {len(values):,} labels are in about {pieces:,} pieces, as grey values are. "
            "Was the image given in its place? Give a label map, such as that of segment_objects."
        )
        if not carried:
            raise UserError(doubt)
        print(f"NOTE: {doubt}", flush=True)
        return
    if regions:
        return
    labels = "1 label is" if len(values) == 1 else f"{len(values):,} labels are"
    as_mask = f", its pixels are 0 and {float(values[0]):.10g} alone, as in a mask" if len(values) == 1 else ""
    print(
        f"NOTE: Label map {image.name}: {labels} in about {pieces:,} pieces{as_mask}: all objects have the same label "
        "and count as one where they share it. To give each connected part a label of its own, use segment_objects "
        f"first: smoothing 0, manual threshold {float(values[0]) / 2:.10g}, do not split, smallest object 1, "
        "keep holes.",
        flush=True,
    )


def pieces_in(pixels: np.ndarray) -> tuple[int, float]:
    """Count the pieces that labels are in, and how many neighbours are equal.

    A piece is counted at each run along a row that has no pixel of its label above it: once for a round object, a few
    times for one with arms.

    Args:
        pixels: (Y, X) integers, 0 is background.

    Returns:
        Number of pieces; share of equal pairs among the pixels beside each other that are no background (1 without
        any).
    """
    import numpy as np

    inside = pixels != 0
    begins = inside.copy()
    begins[:, 1:] &= pixels[:, 1:] != pixels[:, :-1]
    above = np.zeros_like(inside)
    above[1:] = inside[1:] & (pixels[1:] == pixels[:-1])
    number = np.cumsum(begins.ravel())  # of the run of each pixel that is no background
    has_above = np.zeros(int(number[-1]) + 1, bool)
    has_above[number[above.ravel()]] = True
    pairs = inside[:, 1:] & inside[:, :-1]
    equal = int((pixels[:, 1:] == pixels[:, :-1])[pairs].sum())
    return int(number[-1] - has_above.sum()), equal / int(pairs.sum()) if pairs.any() else 1.0


def seems_label_map(image: ImageFile) -> bool:
    """Say whether an image looks like a label map: one channel of whole numbers that are the same from pixel to pixel.

    The middle of the first plane is looked at, up to 2048 x 2048 pixels.
    """
    import numpy as np

    if image.dtype.kind not in "iubf" or image.size_c != 1:
        return False
    pixels = _middle(image)
    if pixels.dtype.kind == "f" and not (np.isfinite(pixels) & (pixels == np.rint(pixels)) & (pixels >= 0)).all():
        return False
    inside = (pixels[:, 1:] != 0) & (pixels[:, :-1] != 0)
    same = pixels[:, 1:] == pixels[:, :-1]
    return bool(inside.any() and (pixels == 0).any() and same[inside].mean() > SAME_NEIGHBOURS)


def takes_nearest(image: ImageFile, nearest: bool) -> bool:
    """Return whether smaller levels take pixels, not means: as wanted, or with a note if it looks like a label map."""
    if nearest or not seems_label_map(image):
        return nearest
    print(f"NOTE: Image {image.name}: it looks like a label map; smaller levels take pixels, not means.", flush=True)
    return True


def _middle_with_labels(image: ImageFile) -> np.ndarray:
    """Return the middle of the first plane, or of the plane half-way where that one is empty, as at a stack's ends."""
    first = _middle(image)
    return first if first.any() else _middle(image, image.size_t // 2, image.size_z // 2)


def _middle(image: ImageFile, t: int = 0, z: int = 0) -> np.ndarray:
    """Return the middle of a plane, up to 2048 x 2048 pixels."""
    top, left = max(0, image.size_y // 2 - 1024), max(0, image.size_x // 2 - 1024)
    window = (slice(top, min(image.size_y, top + 2048)), slice(left, min(image.size_x, left + 2048)))
    return image.read_region(t, 0, z, *window)


def check_label_map(labels: ImageFile) -> None:
    """Reject an image that is not a label map.

    Raises:
        UserError: Pixels are not integers, or there is more than one channel.
    """
    if labels.dtype.kind not in "iub":
        raise UserError(
            f"Label map {labels.name}: its pixels are {labels.dtype}, not integers. "
            "Save it as 16-bit or 32-bit integers."
        )
    if labels.size_c != 1:
        raise UserError(
            f"Label map {labels.name}: it has {labels.size_c} channels, a label map has one. "
            "Was the image given in its place?"
        )

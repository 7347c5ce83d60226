"""Whether the tags of a TIFF agree with its bytes: a tag that lies would give other pixels without a word.

tifffile reads what the tags say. Where a size or a depth is wrong it takes too few bytes of a strip, or those of a
header; where a tag cannot be read it takes the default, such as one bit a sample.
"""

from __future__ import annotations

import math
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import tifffile

# Width, length, bits, compression, colours, order of bits, offsets, samples, rows, counts, planes, predictor, tiles,
# format of samples.
STRUCTURE = (256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 339)
# As STRUCTURE, without what is each page's own: the places and sizes of its strips or tiles. With extra samples.
LAYOUT = {256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339}
WHOLE_NUMBERS = (1, 3, 4, 6, 8, 9, 13, 16, 17, 18)
"""Types of tags: byte, short, long and their like."""
NOT_COMPRESSED = 1
OF_FLOATS = 3  # a predictor
OF_BITS = (2, 3, 4)  # compressions of facsimile
# Whose segments unpack to the bytes of the pixels: LZW, deflate, PackBits, LZMA, zstd.
UNPACKED = (5, 8, 32_946, 32_773, 34_925, 50_000)
HEADER = 8  # bytes
MOST_VALUES = 1 << 16  # Bytes of a tag of LAYOUT: a number for each sample of a pixel.
WHOLE_BYTES = (8, 16, 32, 64)
# Their strips are those of many planes, or counted otherwise.
OF_THEIR_OWN = ("is_stk", "is_lsm", "is_ndpi", "is_eer", "is_sis")


def check_agreement(page: tifffile.TiffPage, name: str) -> None:
    """Compare what the tags of a page say with the number and the sizes of its strips or tiles.

    Args:
        page: That describes all pages of an image.
        name: Of the image in messages.

    Raises:
        UserError: They do not agree.
    """
    for code in STRUCTURE:
        tag = page.tags.get(code)
        if tag is not None and (tag.dtype not in WHOLE_NUMBERS or not tag.count):
            raise UserError(_disagree(name, f"its tag {tag.name} is no number"))
    if any(getattr(page.parent, one) for one in OF_THEIR_OWN) or not isinstance(page.bitspersample, int):
        return
    if page.compression in OF_BITS and page.bitspersample > 1:
        raise UserError(
            _disagree(name, f"its samples of {page.bitspersample} bits are packed by a code for black and white")
        )
    if page.predictor == OF_FLOATS and page.dtype is not None and page.dtype.kind != "f":
        raise UserError(_disagree(name, f"its pixels are {page.dtype}, packed as only floating-point numbers are"))
    what = "tiles" if page.is_tiled else "strips"
    stated, there = math.prod(page.chunked), len(page.dataoffsets)
    if stated != there:
        raise UserError(_disagree(name, f"its size and that of its {what} ask for {stated} {what}, it has {there}"))
    row, least, most = _segment_bytes(page)
    found = _bytes_of_first(page, most + row)
    if found is not None and not least <= found < most + row:
        raise UserError(
            _disagree(name, f"its tags ask for {least:,} bytes in the first of its {what}, which has {found:,}")
        )


def count_absent(page: tifffile.TiffPage | tifffile.TiffFrame, name: str) -> int:
    """Return how many strips or tiles of a page have no bytes: they stand for zeros, or were lost.

    Raises:
        UserError: One has bytes and no place.
    """
    pairs = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if any(count and offset < HEADER for offset, count in pairs):
        raise UserError(_disagree(name, "a strip or tile of it begins in the first bytes, where the header is"))
    return sum(not count for _, count in pairs)


def pages_of_their_own(series: tifffile.TiffPageSeries, name: str) -> dict[int, tifffile.TiffPage]:
    """Return the pages, by number in the series, whose pixels are stored in another way than those of the first.

    tifffile reads the tags of the first page of an image and takes those of the others for the same.

    Args:
        series: The pages of an image; None stands for one that is missing.
        name: Of the image in messages.

    Raises:
        UserError: The pixels of one are none of the same image: they have other sizes, another type or another meaning.
        struct.error: A file ends within the tags of a page.
    """
    first = series.keyframe
    if any(getattr(first.parent, one) for one in OF_THEIR_OWN):
        return {}
    found = {}
    with _opened(first):
        layouts = {_layout(first)}
    for number, frame in enumerate(series.pages):
        if frame is None or frame is first or getattr(frame, "is_virtual", False):
            continue
        with _opened(frame):
            own = _layout(frame)
            if own in layouts:
                continue
            page = frame.aspage()
            if page.hash == first.hash:
                layouts.add(own)  # It means the same.
                continue
            _check_same_pixels(page, first, name)
            check_agreement(page, name)
        found[number] = page
    return found


@contextmanager
def _opened(page: tifffile.TiffPage | tifffile.TiffFrame) -> Iterator[None]:
    """Open the file of a page, if it lies beside that of the image: tifffile has closed it."""
    handle = page.parent.filehandle
    closed = handle.closed
    if closed:
        handle.open()
    try:
        yield
    finally:
        if closed:
            handle.close()


def _layout(page: tifffile.TiffPage | tifffile.TiffFrame) -> bytes:
    """Return what the tags of a page of an open file say of how its pixels are stored, as it stands in the file."""
    from tifffile import TIFF

    form, handle = page.parent.tiff, page.parent.filehandle
    handle.seek(page.offset)
    count = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))[0]
    tags = handle.read(count * form.tagsize)
    found = []
    for at in range(0, len(tags), form.tagsize):
        code, kind = struct.unpack_from(form.tagformat1, tags, at)
        if code not in LAYOUT:
            continue
        values, value = struct.unpack_from(form.tagformat2, tags, at + 4)
        size = values * struct.calcsize(TIFF.DATA_FORMATS.get(kind, "B"))
        if len(value) < size <= MOST_VALUES:
            handle.seek(struct.unpack(form.offsetformat, value)[0])
            value = handle.read(size)
        found.append(tags[at : at + form.tagsize - form.offsetsize] + value)
    return b"".join(found)


def _check_same_pixels(page: tifffile.TiffPage, first: tifffile.TiffPage, name: str) -> None:
    def means(one: tifffile.TiffPage) -> tuple[object, ...]:
        return one.shape, one.axes, one.dtype, one.photometric

    if means(page) != means(first):
        raise UserError(
            f"Image {name}: its page {page.index} has other pixels ({_described(page)}) than page {first.index} "
            f"({_described(first)}), and both are planes of one image. Write it again with planes of one kind."
        )


def _described(page: tifffile.TiffPage) -> str:
    colours = getattr(page.photometric, "name", page.photometric)
    return f"{' x '.join(map(str, page.shape))}, {page.dtype}, {colours}"


def _segment_bytes(page: tifffile.TiffPage) -> tuple[int, int, int]:
    """Return the bytes of a row, and how many the first strip or tile has at least and at most; a short one is full."""
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    width, length = page.imagewidth, page.imagelength
    full_width, full_length = (page.tilewidth, page.tilelength) if page.is_tiled else (width, page.rowsperstrip)

    def of_rows(columns: int) -> int:
        return -(-columns * samples * int(page.bitspersample) // 8)

    depth = page.tiledepth if page.is_tiled else 1
    # Rows without a number are all of them.
    longest = full_length if full_length < 1 << 31 else length
    least = of_rows(min(width, full_width)) * min(length, full_length)
    return of_rows(full_width), least, max(least, of_rows(full_width) * longest * depth)


def _bytes_of_first(page: tifffile.TiffPage, most: int) -> int | None:
    """Return the bytes of the pixels of the first strip or tile, None where they are not known without decoding."""
    count = page.databytecounts[0]
    if not count or page.is_subsampled:
        return None
    if page.compression == NOT_COMPRESSED:
        return count
    # Samples of whole bytes are checked as they are decoded.
    if page.bitspersample in WHOLE_BYTES or page.compression not in UNPACKED:
        return None
    from tifffile import TIFF

    handle = page.parent.filehandle
    handle.seek(page.dataoffsets[0])
    return len(TIFF.DECOMPRESSORS[page.compression](handle.read(count), out=most))


def _disagree(name: str, why: str) -> str:
    return f"Image {name}: the TIFF file is damaged: {why}. Upload or export it again."

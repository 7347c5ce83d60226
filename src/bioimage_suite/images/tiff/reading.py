"""TIFF of every kind (OME, ImageJ, BigTIFF, makers' own) for `image_file`: metadata when opened, pixels by region."""

from __future__ import annotations

import logging
import math
import re
import struct
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.damage import pass_fault_of_machine
from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.image_file import ImageFile, sample_names
from bioimage_suite.images.model.series import Reading, SeriesDocuments, choose_series
from bioimage_suite.images.tiff.agreement import STRUCTURE, check_agreement, count_absent, pages_of_their_own
from bioimage_suite.images.tiff.axes import Axes, UnknownAxesError, axes_of
from bioimage_suite.images.tiff.dialects import Dialect, dialect_of
from bioimage_suite.images.tiff.metadata import read_metadata
from bioimage_suite.images.tiff.ome_planes import (
    ElsewhereError,
    as_written,
    beside_only,
    check_sizes,
    document_of_pages,
    document_of_set,
)
from bioimage_suite.images.tiff.pixels import Place, region_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import tifffile

# What tifffile logs where it goes on without planes, or without the tags that say where and what they are (TIFF 6.0,
# ImageJ, MetaMorph, LSM); its other complaints are of tags that may be missed.
PLANES_ARE_MISSING = re.compile(
    "corrupted file|corrupted tag list of page|invalid offset to page|invalid page offset|failed to reshape"
    "|shape does not match|missing data offset|incorrect StripOffsets count"
    r"|TiffTag (270|330|33628|33629|33630|33631|34412|50838|50839)\b.*invalid value offset"
    rf"|TiffTag ({'|'.join(map(str, STRUCTURE))})\b.*invalid"
)
# What a library makes of pages whose metadata do not describe them.
FALLBACKS = ("generic", "uniform")
MOST_PAGES_LEFT = 1000  # that are looked at
MOST_ERRORS = 1000  # that tifffile may log of one file
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, INKS, YCBCR = 0, 1, 2, 5, 6  # photometric interpretations
ASSOCIATED, UNASSOCIATED = 1, 2  # alpha as an extra sample
LAB = (8, 9, 10)  # CIE's, ICC's, ITU's
# Compressions that keep colours as they are stored: none, LZW, deflate, PackBits, zstd.
KEEPING_COLOURS = (1, 5, 8, 32_773, 32_946, 50_000)
# Pictures of the slide, not of what is on it.
BESIDE_THE_IMAGE = {"thumbnail", "label", "macro", "map", "overview"}


@dataclass(frozen=True)
class Picture:
    """One of the images of a file.

    Attributes:
        name: Its name, empty where it has none.
        series: Its pages, of the full resolution.
        axes: Of the series.
        position: Index on the axis of positions.
        own: Pages by number in the series that are stored in another way than its first.
        note: A sentence if strips or tiles have no bytes.
    """

    name: str
    series: tifffile.TiffPageSeries
    axes: Axes
    position: int = 0
    own: Mapping[int, tifffile.TiffPage] = field(default_factory=dict)
    note: str = ""


def open_tiff(path: Path, name: str, reading: Reading) -> ImageFile:
    """Open an image of a TIFF file; of a pyramid, its full resolution.

    Args:
        path: The file.
        name: What messages call the image.
        reading: Which of its images, and what its pages are.

    Raises:
        UserError: The file is damaged, truncated or incomplete, or has axes other than time, channel, z, y and x.
    """
    return _open_chosen(path, name, reading.pages, lambda names: [choose_series(names, reading.series, name)])[0]


def open_tiff_images(path: Path, name: str, pages: str) -> list[ImageFile]:
    """Open every image of a TIFF file; the file is opened and described once.

    Args:
        path: The file.
        name: What messages call it.
        pages: Axis of the pages of a TIFF that has no axes: `t` or `z`.

    Raises:
        UserError: As `open_tiff`.
    """
    return _open_chosen(path, name, pages, lambda names: range(len(names)))


def _open_chosen(
    path: Path, name: str, pages: str, choose: Callable[[Sequence[str]], Sequence[int]]
) -> list[ImageFile]:
    import tifffile

    try:
        with _no_page_missing():
            tiff = _open(path)
            pictures = _pictures(tiff, pages)
            if not pictures:
                raise ValueError("it holds no image")
            chosen = choose([one.name for one in pictures])
            for number in chosen:
                check_agreement(pictures[number].series.keyframe, name)
                pictures[number] = _checked(tiff, pictures[number], name)
                _check_colours(pictures[number].series, name)
    except UnknownAxesError as error:
        raise UserError(
            f"Image {name}: {error}; only T, C, Z, Y, X are understood. Convert it to an OME-TIFF with named axes."
        ) from error
    except ElsewhereError as error:
        raise UserError(
            f"Image {name}: {error}. Give all its files to convert_image as a set, which joins them."
        ) from error
    except (tifffile.TiffFileError, struct.error, ValueError, IndexError, KeyError, TypeError, OSError) as error:
        pass_fault_of_machine(error)
        raise UserError(f"Image {name}: the TIFF file is damaged or cut short ({error}). Upload it again.") from error
    return _described(tiff, pictures, chosen, name)


def _open(path: Path) -> tifffile.TiffFile:
    """Open a file with the OME-XML that tells of its pages.

    Raises:
        ElsewhereError: That is in another file, or tells of other files.
    """
    import tifffile

    with path.open("rb") as stream:
        if stream.read(1) == b"<":
            document, first = document_of_set(path.read_text(encoding="utf-8"), path)
            return _described_by(tifffile.TiffFile(first, omexml=document))
    tiff = tifffile.TiffFile(path)
    if tiff.is_ome and tiff.ome_metadata:
        other = (beside_only if tiff.is_mmstack else document_of_pages)(tiff.ome_metadata, path)
        if other:
            tiff.close()
            tiff = tifffile.TiffFile(path, omexml=other)
        return tiff if tiff.is_mmstack else _described_by(tiff)
    if tiff.is_imagej and _is_miscounted(tiff):
        tiff.close()
        return tifffile.TiffFile(path, is_imagej=False)
    return tiff


def _is_miscounted(tiff: tifffile.TiffFile) -> bool:
    """Say whether ImageJ's numbers of images, channels, slices and frames are not those of the pages.

    ImageJ and Bio-Formats then see pages one after the other; tifffile would leave some out.
    """
    said, pages = tiff.imagej_metadata or {}, len(tiff.pages)
    stated = math.prod(int(said.get(name, 1)) for name in ("channels", "slices", "frames"))
    images = int(said.get("images", pages))
    # Of a large stack ImageJ writes one page, which all images follow.
    return (stated not in {1, images} and pages == images) or 1 <= images < pages


def _described_by(tiff: tifffile.TiffFile) -> tifffile.TiffFile:
    check_sizes(tiff.ome_metadata or "", math.prod(tiff.pages.first.shape))
    if tiff.series[0].kind in FALLBACKS:
        raise ElsewhereError("its OME-XML does not describe the planes in it")
    return tiff


def _pictures(tiff: tifffile.TiffFile, pages: str) -> list[Picture]:
    """Return the images of a file, without smaller versions and pictures of the slide's label.

    Raises:
        UnknownAxesError: The axes of an image are not those of one.
    """
    series = [
        one
        for one in tiff.series
        if not one.keyframe.is_reduced and one.name.casefold().partition(" ")[0] not in BESIDE_THE_IMAGE
    ]
    found = []
    for one in series or tiff.series:
        axes = axes_of(one, pages)
        if axes.positions == 1:
            found.append(Picture(one.name, one, axes))
        else:
            found += [Picture(f"position {n}", one, axes, n) for n in range(axes.positions)]
    return found


def _described(tiff: tifffile.TiffFile, pictures: list[Picture], chosen: Sequence[int], name: str) -> list[ImageFile]:
    document = as_written(tiff.ome_metadata)
    documents = SeriesDocuments(document if any(one.series.kind == "ome" for one in pictures) else None)
    details = {
        "series": [one.name for one in pictures],
        "document": document,
        "imagej": tiff.imagej_metadata,
    }
    dialect = dialect_of(tiff)
    left = _pages_left(tiff) if tiff.is_ome else Counter()
    return [
        _picture_file(tiff, picture, name, documents.of(number), dialect=dialect, details=details,
                      left=left[picture.series.keyframe.shape])
        for number in chosen for picture in [pictures[number]]
    ]  # fmt: skip


def _picture_file(
    tiff: tifffile.TiffFile, picture: Picture, name: str, xml: str | None, *, dialect: Dialect | None,
    details: dict[str, Any], left: int,
) -> ImageFile:  # fmt: skip
    series, axes = picture.series, picture.axes
    sizes = axes.sizes
    notes: list[str] = []
    if series.kind != "ome":
        xml, left = None, 0
    said = read_metadata(tiff, xml, dialect, notes)
    if axes.guessed in {"T", "Z"}:
        what, other = ("time points", "z") if axes.guessed == "T" else ("z-planes", "t")
        notes.append(
            f"its {sizes[axes.guessed]} pages have no axes and are taken as {what}; choose `{other}` as `pages` "
            "if they are the other"
        )
    if left:
        notes.append(f"{left} of its {len(tiff.pages)} pages are in no image of its OME-XML, and are not read")
    inks = series.keyframe.photometric == INKS
    if _is_inverted(series):
        what = (
            "colours are inks for printing (CMYK)" if inks else "grey values are stored with 0 as white (WhiteIsZero)"
        )
        notes.append(f"its {what} and read inverted, as Bio-Formats does")
    elif series.keyframe.photometric == WHITE_IS_ZERO and series.dtype.kind == "b":
        notes.append("its pixels are true or false, read as they are stored; OMERO shows them inverted (WhiteIsZero)")
    if picture.note:
        notes.append(picture.note)
    count = sizes["C"] * sizes["S"]
    unnamed = _names_of_samples(series.keyframe, count) if sizes["C"] == 1 else (None,) * count
    read = _reader(tiff, picture, name)
    return ImageFile(
        name=name, size_t=sizes["T"], size_c=count, size_z=sizes["Z"], size_y=sizes["Y"],
        size_x=sizes["X"], dtype=series.dtype.newbyteorder("="),
        channels=said.channels if len(said.channels) == count else unnamed,
        physical_size=said.physical_size or {}, time_increment=said.time_increment,
        read_region=lambda t, c, z, rows, columns: read(t, c, z, (rows, columns), None),
        read_interleaved=None if sizes["S"] == 1 or inks else (
            lambda t, z, rows, columns: read(t, 0, z, (rows, columns), slice(None))),
        details={"format": dialect.name if dialect else _format(tiff), "facts": dialect.facts if dialect else [],
                 "axes": series.axes, "levels": len(series.levels), "ome_xml": xml, **details},
        notes=tuple(notes),
    )  # fmt: skip


def _names_of_samples(page: tifffile.TiffPage, count: int) -> tuple[str | None, ...]:
    """Return what the samples of a pixel are: colours where the page is a picture in colours, else without a name."""
    grey = page.photometric in {WHITE_IS_ZERO, BLACK_IS_ZERO}
    alpha = tuple(page.extrasamples) in {(ASSOCIATED,), (UNASSOCIATED,)}
    return sample_names(count) if page.photometric in {RGB, YCBCR} or (grey and alpha) else (None,) * count


def _pages_left(tiff: tifffile.TiffFile) -> Counter[tuple[int, ...]]:
    """Count the pages by shape that the document tells nothing of; smaller versions do not count."""
    told = {page.index for one in tiff.series for page in one.pages if page is not None and page.parent is tiff}
    left = [number for number in range(len(tiff.pages)) if number not in told][:MOST_PAGES_LEFT]
    pages = [tiff.pages[number].aspage() for number in left]
    return Counter(page.shape for page in pages if not page.is_reduced)


@contextmanager
def _no_page_missing() -> Iterator[None]:
    """Refuse what tifffile only logs: it opens a file whose pages point behind its end with what is left.

    Pages of a damaged file may number millions, with an error in each.

    Raises:
        ValueError: tifffile logged within the block that pages are missing, or MOST_ERRORS of any kind.
    """
    logger = logging.getLogger("tifffile")
    errors: list[str] = []
    logged = 0

    def keep(record: logging.LogRecord) -> None:
        nonlocal logged
        logged += 1
        if PLANES_ARE_MISSING.search(record.getMessage()):
            errors.append(record.getMessage())
        if logged > MOST_ERRORS:
            raise ValueError((errors or [record.getMessage()])[0])

    collector = logging.Handler(logging.ERROR)
    collector.emit = keep  # type: ignore[method-assign]
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)
    if errors:
        raise ValueError(errors[0])


def _format(tiff: tifffile.TiffFile) -> str:
    return "OME-TIFF" if tiff.is_ome else "ImageJ TIFF" if tiff.is_imagej else "TIFF"


def _checked(tiff: tifffile.TiffFile, picture: Picture, name: str) -> Picture:
    """Reject a file whose pixels end early or are not of one image, before anything is computed from it."""
    size, series = tiff.filehandle.size, picture.series
    if series.dataoffset is not None:
        end = series.dataoffset + series.nbytes
        if end > size:
            raise UserError(_truncated(name, end, size))
        return picture
    absent = total = 0
    for number, page in enumerate(series.pages):
        if page is None:
            raise UserError(
                f"Image {name}: plane {number} of {len(series.pages)} is not in this file. An OME-TIFF of several "
                "files must be joined into one by convert_image, a file cut short uploaded again."
            )
        end = max((o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True) if n), default=0)
        # In a series over several files each plane has its own handle.
        size = page.parent.filehandle.size
        if end > size or not page.dataoffsets:
            raise UserError(_truncated(name, end, size))
        absent, total = absent + count_absent(page, name), total + len(page.dataoffsets)
    own = pages_of_their_own(series, name)
    if not absent:
        return replace(picture, own=own)
    note = (
        f"{absent} of its {total} strips or tiles have no bytes; they are read as 0, as in a sparse TIFF. "
        "If the image has no such empty parts they were lost: export it again"
    )
    return replace(picture, own=own, note=note)


def _check_colours(series: tifffile.TiffPageSeries, name: str) -> None:
    """Refuse brightness and differences of colour that no decoder turns into red, green and blue."""
    page = series.keyframe
    if page.photometric == YCBCR and page.compression in KEEPING_COLOURS:
        raise UserError(
            f"Image {name}: its colours are stored as brightness and two differences (YCbCr) without JPEG, which no "
            "reader here shows right. Save it as RGB."
        )
    if page.photometric in LAB:
        raise UserError(
            f"Image {name}: its colours are stored as lightness and two differences (L*a*b*), which would be taken for "
            "red, green and blue. Save it as RGB."
        )


def _truncated(name: str, end: int, size: int) -> str:
    return f"Image {name}: the TIFF file is cut short: pixels should reach byte {end}, it has {size}. Upload it again."


def _is_inverted(series: tifffile.TiffPageSeries) -> bool:
    """Say whether 0 is white, or no ink, in whole numbers: they are read inverted, as Bio-Formats does.

    Not so truth values: writers of masks keep "true" as 1 and yet call it black.
    """
    return series.keyframe.photometric in {WHITE_IS_ZERO, INKS} and series.dtype.kind in "iu"


def _reader(
    tiff: tifffile.TiffFile, picture: Picture, name: str
) -> Callable[[int, int, int, tuple[slice, slice], slice | None], np.ndarray]:
    """Give a function from t, c, z, (rows, columns), samples to a (Y, X) array, or with a slice of samples (Y, X, S).

    Raises:
        UserError: When the pixels cannot be read.
    """
    import tifffile

    samples_of_pixel = picture.axes.sizes["S"]
    inverted = _is_inverted(picture.series)
    try:
        read_place = region_reader(tiff, picture.series, picture.axes.letters, picture.axes.shape, picture.own)
    except ValueError as error:
        raise UserError(f"Image {name}: {error}. Convert it to an OME-TIFF, one plane a page.") from error

    def read(t: int, c: int, z: int, region: tuple[slice, slice], samples: slice | None) -> np.ndarray:
        channel, sample = divmod(c, samples_of_pixel)
        rows, columns = region
        place: Place = {"T": t, "C": channel, "Z": z, "S": sample, "Y": rows, "X": columns, "R": picture.position}
        if samples is not None:
            place["S"] = samples
        try:
            pixels = read_place(place)
            return ~pixels if inverted else pixels
        except (tifffile.TiffFileError, ValueError, RuntimeError, OSError) as error:
            pass_fault_of_machine(error)
            raise UserError(
                f"Image {name}: the pixels at t={t}, c={c}, z={z} cannot be read ({error}). "
                "The file is damaged, or its compression is unknown: upload it again or convert it to OME-TIFF."
            ) from error

    return read

"""DICOM by pydicom, frame by frame, and whole slides by wsidicom, tile by tile. Standard: PS3.3 and PS3.5."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.arrays import ArrayImage, planes_left

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.ome_facts import Fact
    from bioimage_suite.images.model.series import Reading

PIXEL_DATA, PIXEL_DATA_BIG = b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10"
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


def read_dicom(path: Path, name: str, _reading: Reading) -> ArrayImage:
    """Open a file; its frames are z-planes, as for Bio-Formats, or the tiles of a slide.

    Values are those stored: no rescale function is applied. MONOCHROME1, where 0 is white, is inverted.

    Raises:
        UserError: It holds no pixels.
    """
    import pydicom

    said = pydicom.dcmread(path, stop_before_pixels=True)
    if said.get("SOPClassUID") == WHOLE_SLIDE and _is_level(said):
        return _slide(path, said)
    if "Rows" not in said or "Columns" not in said:
        raise UserError(f"Image {name}: the DICOM file holds no image. Give the files of the images themselves.")
    pixels = Frames(path, said)
    axes = "ZYXS" if len(pixels.shape) == 4 else "ZYX"
    # Samples of a colour lie within a row, or the file has a plane for each.
    height, width, *samples = pixels.shape[1:]
    stored = (pixels.shape[0], height, width * math.prod(samples))
    there = _stored_bytes(path, said)
    notes = planes_left(there, stored, int(said.BitsAllocated) // 8, padded=True) if there else ()
    return ArrayImage("DICOM", pixels, axes, pixels.dtype, lengths=_lengths(said), facts=_facts(said), notes=notes)


def _stored_bytes(path: Path, said: Any) -> int | None:
    """Return the bytes of the pixels where they are not compressed, and a pixel is whole bytes."""
    import pydicom

    syntax = said.file_meta.TransferSyntaxUID
    halved = "YBR" in said.get("PhotometricInterpretation", "")  # colours may be
    if syntax.is_compressed or syntax.is_deflated or int(said.BitsAllocated) % 8 or halved:
        return None
    with path.open("rb") as stream:
        pydicom.dcmread(stream, stop_before_pixels=True)
        # Group and element; what a value is, and two zeros, where that is explicit; then the length.
        head = stream.read(12)
    length = head[4:8] if syntax.is_implicit_VR else head[8:12]
    pixels = head[:4] in (PIXEL_DATA, PIXEL_DATA_BIG)
    return int.from_bytes(length, "little" if syntax.is_little_endian else "big") if pixels else None


def _is_level(said: Any) -> bool:
    """Say whether it is a level of a slide's pyramid: tiles, or `VOLUME`.

    Bio-Formats writes stacks as pictures of a slide (`OVERVIEW`), whose frames are whole planes.
    """
    sides = ("Rows", "Columns")
    whole = [int(said.get(f"TotalPixelMatrix{side}") or 0) for side in sides]
    return "VOLUME" in (said.get("ImageType") or []) or whole != [int(said.get(side) or 0) for side in sides]


class Frames:
    """The frames of a file as one array, (Z, Y, X) or (Z, Y, X, S); the last frame that was decoded is kept.

    Attributes:
        shape: Of the array.
        dtype: Of the pixels.
    """

    def __init__(self, path: Path, said: Any) -> None:
        """Read the sizes; frames are decoded later."""
        self._path = path
        inverted = said.get("PhotometricInterpretation") == "MONOCHROME1"
        signed = int(said.get("PixelRepresentation") or 0)
        # The largest number that the bits in use can hold; -1 - v is the inverse of a signed v.
        self._white = (-1 if signed else (1 << int(said.get("BitsStored", 8))) - 1) if inverted else None
        self._last: tuple[int, np.ndarray] | None = None
        first = self._frame(0)
        self.shape: tuple[int, ...] = (int(said.get("NumberOfFrames") or 1), *first.shape)
        self.dtype = first.dtype

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region of a frame: its number, then slices of rows and columns, and samples of a colour."""
        number, *region = key
        assert isinstance(number, int)
        return self._frame(number)[tuple(region)]

    def _frame(self, number: int) -> np.ndarray:
        from pydicom.pixels.utils import pixel_array

        if self._last is None or self._last[0] != number:
            pixels = pixel_array(self._path, index=number)
            if self._white is not None:
                pixels = (self._white - pixels.astype(np.int64)).astype(pixels.dtype)
            self._last = number, pixels
        return self._last[1]


class Slide:
    """The full resolution of a slide as one array, (C, Y, X, S); regions are put together of its tiles.

    Attributes:
        shape: Of the array.
        dtype: Of the pixels.
    """

    def __init__(self, slide: Any) -> None:
        """Take the largest level of an open slide."""
        self._slide = slide
        self._paths = slide.levels.base_level.optical_paths
        size = slide.size
        pixel = np.asarray(slide.read_region((0, 0), 0, (1, 1), path=self._paths[0]))
        self.shape: tuple[int, ...] = (len(self._paths), size.height, size.width, pixel.size)
        self.dtype = pixel.dtype

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region: number of the optical path, slices of rows and columns, samples."""
        path, rows, columns, samples = key
        assert isinstance(path, int)
        assert isinstance(rows, slice)
        assert isinstance(columns, slice)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        picture = self._slide.read_region((columns.start, rows.start), 0, size, path=self._paths[path])
        return np.asarray(picture).reshape(*size[::-1], -1)[..., samples]


def _slide(path: Path, said: Any) -> ArrayImage:
    from wsidicom import WsiDicom

    slide = WsiDicom.open(path)
    pixels = Slide(slide)
    spacing = slide.levels.base_level.pixel_spacing
    lengths: dict[str, tuple[float | str, str]] = {}
    if spacing is not None:
        lengths = {"x": (float(spacing.width), "mm"), "y": (float(spacing.height), "mm")}
    optics = said.get("OpticalPathSequence") or []
    facts = _facts(said)
    power = next((one.get("ObjectiveLensPower") for one in optics if one.get("ObjectiveLensPower")), None)
    facts += [("objective", "NominalMagnification", f"{float(power):g}", "")] if power else []
    return ArrayImage("DICOM slide", pixels, "CYXS", pixels.dtype, lengths=lengths, facts=facts)


def _lengths(said: Any) -> dict[str, tuple[float | str, str]]:
    """Return the distance of two pixels in mm; `PixelSpacing` has that of rows first."""
    shared = (said.get("SharedFunctionalGroupsSequence") or [{}])[0]
    measures = (shared.get("PixelMeasuresSequence") or [{}])[0]

    def value(word: str) -> Any:
        return said.get(word) or measures.get(word)

    found: dict[str, tuple[float | str, str]] = {}
    spacing = value("PixelSpacing") or value("ImagerPixelSpacing")
    if spacing and len(spacing) == 2:
        found |= {"y": (float(spacing[0]), "mm"), "x": (float(spacing[1]), "mm")}
    between = value("SpacingBetweenSlices") or value("SliceThickness")
    if between:
        found["z"] = (float(between), "mm")
    return found


def _facts(said: Any) -> list[Fact]:
    date = str(said.get("AcquisitionDateTime") or "")[:14]
    found: list[Fact] = []
    if len(date) == 14 and date.isdecimal():
        iso = f"{date[:4]}-{date[4:6]}-{date[6:8]}T{date[8:10]}:{date[10:12]}:{date[12:]}"
        found.append(("image", "AcquisitionDate", iso, ""))
    for word, ours in (("Manufacturer", "Manufacturer"), ("ManufacturerModelName", "Model")):
        if said.get(word):
            found.append(("microscope", ours, str(said.get(word)), ""))
    return found

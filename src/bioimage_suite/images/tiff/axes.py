"""What the axes of a TIFF series are: time, channels, z-planes, samples of a colour, or images side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tifffile

KNOWN = "TCZYXS"
POSITIONS = "R"  # of the stage: images of their own
WITH_POSITIONS = ("mmstack", "ndtiff")  # Micro-Manager's
WITHOUT_MEANING = "IQ"  # tifffile: a sequence of pages, some other axis
RGB, YCBCR = 2, 6  # photometric interpretations


class UnknownAxesError(ValueError):
    """Axes that an image of time, channels and z-planes has not."""


@dataclass(frozen=True)
class Axes:
    """The axes of a series.

    Attributes:
        letters: One for each dimension: `TCZYXS`, `R` for positions, `_` for one of length 1 without a meaning.
        shape: Length of each dimension.
        sizes: Length of `TCZYXS`, 1 where there is none.
        positions: Images side by side.
        guessed: Which axis the pages are that have none; empty where the file says.
    """

    letters: str
    shape: tuple[int, ...]
    sizes: dict[str, int]
    positions: int = 1
    guessed: str = ""


def axes_of(series: tifffile.TiffPageSeries, pages: str) -> Axes:
    """Name each axis of a series.

    Args:
        series: Of an open file.
        pages: What the pages of a file without axes are: `t` or `z`.

    Raises:
        UnknownAxesError: An axis is none of time, channels, z, y, x, and no plain sequence of pages.
    """
    letters, shape = _metamorph_axes(series) if series.kind == "stk" else (list(series.axes), series.shape)
    guessed = ""
    for number, (letter, length) in enumerate(zip(letters, shape, strict=True)):
        if letter not in KNOWN and length == 1:
            letters[number] = "_"
    _name_samples(series, letters)
    unknown = [number for number, letter in enumerate(letters) if letter in WITHOUT_MEANING]
    if len(unknown) == 1:
        guessed = _meaning(unknown[0], letters, shape, pages)
        letters[unknown[0]] = guessed
    named = [letter for letter in letters if letter != "_"]
    positions = dict(zip(letters, shape, strict=True)).get(POSITIONS, 1) if series.kind in WITH_POSITIONS else 1
    strange = set(named) - {*KNOWN, *(POSITIONS if positions > 1 else "")} or len(set(named)) < len(named)
    if strange or not {"Y", "X"} <= set(named) or 0 in shape:
        raise UnknownAxesError(f"its axes are {series.axes} with the lengths {series.shape}")
    lengths = {letter: length for letter, length in zip(letters, shape, strict=True) if letter in KNOWN}
    return Axes("".join(letters), shape, dict.fromkeys(KNOWN, 1) | lengths, positions, guessed)


def _metamorph_axes(series: tifffile.TiffPageSeries) -> tuple[list[str], tuple[int, ...]]:
    """Take planes of different wavelengths for channels, of which all follow each other at each z or time.

    Raises:
        UnknownAxesError: The wavelengths do not repeat.
    """
    said = series.keyframe.parent.stk_metadata or {}
    waves = [float(wave) for wave in said.get("Wavelengths", ())]
    channels = len(set(waves))
    if channels < 2 or len(waves) != series.shape[0]:
        return list(series.axes), series.shape
    if any(wave != waves[number % channels] for number, wave in enumerate(waves)):
        raise UnknownAxesError(f"its {len(waves)} planes change between {channels} wavelengths in no order")
    outer = "T" if series.axes[0] not in "TZ" else series.axes[0]
    return [outer, "C", *series.axes[1:]], (len(waves) // channels, channels, *series.shape[1:])


def _name_samples(series: tifffile.TiffPageSeries, letters: list[str]) -> None:
    """Make samples of the channels that a page of a colour picture holds; those of an LSM are channels."""
    page = series.keyframe
    last = "C" in letters and page.axes in {"YXS", "SYX"} and letters[-3:][page.axes.index("S")] == "C"
    if last and series.kind != "lsm" and page.photometric in {RGB, YCBCR} and "S" not in letters:
        letters[letters.index("C")] = "S"
    if series.kind == "lsm" and "S" in letters:
        letters[letters.index("S")] = "C"


def _meaning(number: int, letters: list[str], shape: tuple[int, ...], pages: str) -> str:
    """Return the letter of an axis without a meaning: pages as the user says, channels for what lies within a pixel."""
    within = "X" in letters and "Y" in letters and number > max(letters.index("Y"), letters.index("X"))
    wanted = ["C"] if within else [pages.upper(), *{"T", "Z"} - {pages.upper()}]
    for letter in wanted:
        taken = letters.index(letter) if letter in letters else None
        if taken is None or shape[taken] == 1:
            if taken is not None:
                letters[taken] = "_"
            return letter
    return letters[number]

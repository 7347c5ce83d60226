"""Stains, white and levels of a stained image: published, given, or found from its colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.planes import sizes
from bioimage_suite.staining.quantities import Palette, StainOptions, densities, otsu, separate, white_of
from bioimage_suite.staining.vectors import STAIN_SETS, Stains, estimate_vectors, make_stains, parse_vectors

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile


@dataclass(frozen=True)
class WantedLevels:
    """Levels as a user gives them.

    Attributes:
        tissue: Least mean optical density of tissue, or `otsu`.
        positive: Least amount of weak stain; None for Otsu's threshold.
        moderate: Least amount of moderate stain; None for twice the weak one.
        strong: Least amount of strong stain; None for three times the weak one.
    """

    tissue: str = "0.1"
    positive: float | None = None
    moderate: float | None = None
    strong: float | None = None

    def check(self) -> None:
        """Reject values out of range.

        Raises:
            UserError: A level is not a number of 0 or more.
        """
        for name in ("tissue", "positive", "moderate", "strong"):
            value = getattr(self, name)
            if value in (None, "otsu"):
                continue
            try:
                sensible = 0 <= float(value) < float("inf")
            except ValueError:
                sensible = False
            if not sensible:
                raise UserError(f"Level {name} {value}: an optical density is 0 or more. Give such a number.")


def check_colour(image: ImageFile) -> None:
    """Reject an image that is not one plane of red, green and blue.

    Raises:
        UserError: The image does not have 3 or 4 channels of 8 bits, or has several time points or z-planes.
    """
    if image.size_c not in (3, 4):
        raise UserError(
            f"Image {image.name}: it has {image.size_c} channels; stains need red, green and blue. Give an RGB image."
        )
    if image.dtype != "uint8":
        raise UserError(f"Image {image.name}: its pixels are {image.dtype}. Convert it to 8 bits a colour.")
    if image.size_t * image.size_z > 1:
        raise UserError(
            f"Image {image.name}: it has {image.size_t} time points and {image.size_z} z-planes. Give one plane."
        )


def check_regions(regions: ImageFile, image: ImageFile) -> None:
    """Reject a label map of regions that is not one plane of the image's size.

    Raises:
        UserError: The sizes differ.
    """
    if sizes(regions) != (1, 1, image.size_y, image.size_x):
        raise UserError(
            f"Regions {regions.name}: T, Z, Y, X = {sizes(regions)}, "
            f"image {image.name} has Y, X = {(image.size_y, image.size_x)}. Give a label map of the same size."
        )


def choose_white(palette: Palette, wanted: str) -> np.ndarray:
    """Return the (3,) values of unstained background: a number for all colours, or estimated from the image.

    Raises:
        UserError: The text is neither `estimate` nor a number that can be.
    """
    if wanted == "estimate":
        return white_of(palette)
    try:
        value = float(wanted)
    except ValueError:
        value = 0.0
    if not 1 < value <= 255:
        raise UserError(f"White {wanted}: give the value of unstained background, above 1 and up to 255.")
    return np.full(3, value)


def choose_stains(palette: Palette, white: np.ndarray, kind: str, vectors: str, image: str) -> Stains:
    """Return the requested stains: published, given, or estimated from the image.

    Args:
        palette: Colours of the image.
        white: (3,) values of unstained background.
        kind: A key of STAIN_SETS, `estimate_` and such a key, or `own`.
        vectors: For `own`: lines (or parts between semicolons) as `parse_vectors` reads them.
        image: Name of the image in messages.
    """
    if kind == "own":
        return make_stains(parse_vectors(vectors.replace(";", "\n")))
    if kind.startswith("estimate_"):
        names = tuple(STAIN_SETS[kind.removeprefix("estimate_")])
        density = densities(palette.colours, white)
        return make_stains(estimate_vectors(density, palette.counts, (names[0], names[1]), image))
    return make_stains(STAIN_SETS[kind])


def choose_levels(
    palette: Palette, stains: Stains, white: np.ndarray, wanted: WantedLevels, image: str
) -> StainOptions:
    """Return the thresholds: given, or Otsu's of the mean density (tissue) and of the amounts in tissue (stains).

    Args:
        palette: Colours of the image.
        stains: The stains.
        white: (3,) values of unstained background.
        wanted: The given levels.
        image: Name of the image in messages.

    Raises:
        UserError: Otsu's threshold is requested but all pixels are alike, or the levels do not ascend.
    """
    nothing = StainOptions(stains, white, 0.0, np.zeros((len(stains.names), 3)))
    amounts, density = separate(palette.colours, nothing)
    tissue = otsu(density, palette.counts) if wanted.tissue == "otsu" else float(wanted.tissue)
    inside = palette.counts * (density >= tissue)
    levels = []
    for k, name in enumerate(stains.names):
        weak = wanted.positive if wanted.positive is not None else otsu(amounts[:, k], inside)
        if np.isnan([tissue, weak]).any():
            what = "tissue" if np.isnan(tissue) else f"stain {name}"
            raise UserError(
                f"Image {image}: all its pixels are alike in {what}, so Otsu's method finds no threshold. Give one."
            )
        moderate = wanted.moderate if wanted.moderate is not None else 2 * weak
        strong = wanted.strong if wanted.strong is not None else 3 * weak
        if not weak <= moderate <= strong:
            raise UserError(
                f"Levels of stain {name}: weak {weak:.4g}, moderate {moderate:.4g}, strong {strong:.4g} do not ascend. "
                "Give higher levels for moderate and strong."
            )
        levels.append((weak, moderate, strong))
    return StainOptions(stains, white, float(tissue), np.array(levels))

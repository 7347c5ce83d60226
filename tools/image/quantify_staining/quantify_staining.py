#!/usr/bin/env python
"""Separates the stains of a brightfield image and measures them: area, amount and H-score of the tissue and regions."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.images.image_file import ImageFile, open_image
from bioimage_suite.images.label_maps import check_label_map
from bioimage_suite.images.series import add_reading_arguments, beside, reading_of
from bioimage_suite.staining.quantities import (
    Palette,
    Quantities,
    StainOptions,
    densities,
    otsu,
    palette_of,
    quantify,
    quantify_regions,
    separate,
    white_of,
)
from bioimage_suite.staining.vectors import STAIN_SETS, Stains, estimate_vectors, make_stains, parse_vectors
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    import numpy as np


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


def choose_stains(palette: Palette, white: np.ndarray, args: Namespace) -> Stains:
    """Return the requested stains: published, given, or estimated from the image."""
    if args.stains == "own":
        return make_stains(parse_vectors((args.vectors or "").replace(";", "\n")))
    if args.stains.startswith("estimate_"):
        names = tuple(STAIN_SETS[args.stains.removeprefix("estimate_")])
        density = densities(palette.colours, white)
        return make_stains(estimate_vectors(density, palette.counts, (names[0], names[1]), args.name))
    return make_stains(STAIN_SETS[args.stains])


def choose_levels(palette: Palette, stains: Stains, white: np.ndarray, args: Namespace) -> StainOptions:
    """Return the thresholds: given, or Otsu's of the mean density (tissue) and of the amounts in tissue (stains).

    Raises:
        UserError: Otsu's threshold is requested but all pixels are alike, or the levels do not ascend.
    """
    import numpy as np

    nothing = StainOptions(stains, white, 0.0, np.zeros((len(stains.names), 3)))
    amounts, density = separate(palette.colours, nothing)
    tissue = otsu(density, palette.counts) if args.tissue == "otsu" else float(args.tissue)
    inside = palette.counts * (density >= tissue)
    levels = []
    for k, name in enumerate(stains.names):
        weak = args.positive if args.positive is not None else otsu(amounts[:, k], inside)
        if np.isnan([tissue, weak]).any():
            what = "tissue" if np.isnan(tissue) else f"stain {name}"
            raise UserError(
                f"Image {args.name}: all its pixels are alike in {what}, so Otsu's method finds no threshold. Give one."
            )
        moderate = args.moderate if args.moderate is not None else 2 * weak
        strong = args.strong if args.strong is not None else 3 * weak
        if not weak <= moderate <= strong:
            raise UserError(
                f"Levels of stain {name}: weak {weak:.4g}, moderate {moderate:.4g}, strong {strong:.4g} do not ascend. "
                "Give higher levels for moderate and strong."
            )
        levels.append((weak, moderate, strong))
    return StainOptions(stains, white, float(tissue), np.array(levels))


TABLE_COLUMNS = (
    "image", "region", "stain", "area_px", "tissue_px", "tissue_fraction", "positive_px", "positive_fraction",
    "mean_amount", "mean_positive_amount", "weak_fraction", "moderate_fraction", "strong_fraction", "h_score",
    "threshold",
)  # fmt: skip
AREAS = ("area_px", "tissue_px", "positive_px")


def table_rows(
    name: str, quantities: Quantities, options: StainOptions, pixel_area: float | None
) -> Iterator[tuple[Any, ...]]:
    """Yield one row for each region and stain.

    - positive: pixels at or above the weak level; fractions are of the tissue's pixels
    - weak, moderate, strong: pixels from one level to the next
    - h_score: 1 x weak + 2 x moderate + 3 x strong, in percent of the tissue's pixels: 0 to 300 (McCarty KS et al.
      1985, Arch Pathol Lab Med 109, 716-721, who count nuclei; here pixels are counted)
    """
    for i, region in enumerate(quantities.region.tolist()):
        pixels, tissue = int(quantities.pixels[i]), int(quantities.tissue[i])
        for k, stain in enumerate(options.stains.names):
            above = [int(count) for count in quantities.above[i, k]]
            classes = [above[0] - above[1], above[1] - above[2], above[2]]
            fractions = [count / tissue if tissue else None for count in classes]
            areas = [] if pixel_area is None else [pixels * pixel_area, tissue * pixel_area, above[0] * pixel_area]
            yield (
                name, region or "whole image", stain, pixels, tissue, tissue / pixels, above[0],
                above[0] / tissue if tissue else None,
                float(quantities.amount[i, k]) / tissue if tissue else None,
                float(quantities.positive_amount[i, k]) / above[0] if above[0] else None, *fractions,
                100 * sum((n + 1) * count for n, count in enumerate(classes)) / tissue if tissue else None,
                float(options.levels[k, 0]), *areas,
            )  # fmt: skip


def vector_rows(name: str, options: StainOptions) -> Iterator[tuple[Any, ...]]:
    """Yield the white, vectors and thresholds that were used."""
    yield (name, "white", *options.white.tolist(), None, None, None, None)
    for k, stain in enumerate(options.stains.names):
        yield (name, stain, *options.stains.vectors[k].tolist(), *options.levels[k].tolist(), options.tissue)


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, required=True)
    add_reading_arguments(parser)
    parser.add_argument("--name")
    parser.add_argument("--regions", type=Path, help="label map of the same size")
    parser.add_argument("--regions-name")
    estimates = [f"estimate_{name}" for name in ("h_e", "h_dab")]
    parser.add_argument("--stains", choices=[*STAIN_SETS, *estimates, "own"], required=True)
    parser.add_argument("--vectors", help="own: 'name: red, green, blue' for two or three stains, one per line")
    parser.add_argument("--white", default="255", help="value of background, or 'estimate'")
    parser.add_argument("--tissue", default="0.1", help="least mean optical density, or 'otsu'")
    parser.add_argument("--positive", type=float, help="least amount of weak stain; default: Otsu's threshold")
    parser.add_argument("--moderate", type=float, help="least amount of moderate stain; default: twice the weak one")
    parser.add_argument("--strong", type=float, help="least amount of strong stain; default: three times the weak one")
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--vectors-out", type=Path, required=True)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--amounts", type=Path, help="OME-TIFF: a channel for each stain, 1000 for an amount of 1")
    parser.add_argument("--masks", type=Path, help="OME-TIFF: channels of tissue and of each positive stain")
    return parse_arguments(parser, argv)


def _white(palette: Palette, args: Namespace) -> np.ndarray:
    import numpy as np

    if args.white == "estimate":
        return white_of(palette)
    try:
        value = float(args.white)
    except ValueError:
        value = 0.0
    if not 1 < value <= 255:
        raise UserError(f"White {args.white}: give the value of unstained background, above 1 and up to 255.")
    return np.full(3, value)


def _check(args: Namespace) -> None:
    for name in ("tissue", "positive", "moderate", "strong"):
        value = getattr(args, name)
        if value in (None, "otsu"):
            continue
        try:
            sensible = 0 <= float(value) < float("inf")
        except ValueError:
            sensible = False
        if not sensible:
            raise UserError(f"Level {name} {value}: an optical density is 0 or more. Give such a number.")


def _open_regions(image: ImageFile, args: Namespace) -> ImageFile | None:
    """Open the label map of regions; return None if there is none.

    Raises:
        UserError: The file is not a label map, or its size differs from that of the image.
    """
    if not args.regions:
        return None
    regions = open_image(args.regions, args.regions_name or args.regions.name, beside(args))
    check_label_map(regions)
    if (regions.size_t, regions.size_z, regions.size_y, regions.size_x) != (1, 1, image.size_y, image.size_x):
        raise UserError(
            f"Regions {regions.name}: T, Z, Y, X = {(regions.size_t, regions.size_z, regions.size_y, regions.size_x)}, "
            f"image {image.name} has Y, X = {(image.size_y, image.size_x)}. Give a label map of the same size."
        )
    return regions


def main(argv: list[str] | None = None) -> None:
    """Parse, open, separate, count, write."""
    import numpy as np

    args = _arguments(argv)
    args.name = args.name or args.image.name
    _check(args)
    image = open_image(args.image, args.name, reading_of(args))
    check_colour(image)
    regions = _open_regions(image, args)
    palette = palette_of(image)
    white = _white(palette, args)
    options = choose_levels(palette, choose_stains(palette, white, args), white, args)
    parts = [quantify(palette, options)]
    if regions:
        parts.append(quantify_regions(image, regions, options))
    x, y = image.micrometres("x"), image.micrometres("y")
    pixel_area = x * y if x and y else None
    if args.amounts or args.masks:
        from bioimage_suite.staining.images import write_amounts, write_masks

        if args.amounts:
            write_amounts(args.amounts, image, options)
        if args.masks:
            write_masks(args.masks, image, options)
    if args.figure:
        from bioimage_suite.staining.figure import draw_stains, thumbnail

        draw_stains(args.figure, args.name, thumbnail(image), palette, options)
    in_um = [column.replace("_px", "_um2") for column in AREAS] if pixel_area else []
    rows = [row for part in parts for row in table_rows(args.name, part, options, pixel_area)]
    write_rows(args.table, (*TABLE_COLUMNS, *in_um), rows)
    header = ("image", "stain", "red", "green", "blue", "weak", "moderate", "strong", "tissue")
    write_rows(args.vectors_out, header, vector_rows(args.name, options))
    for row in rows[: len(options.stains.names)]:
        print(f"{row[2]}: positive {row[6]} of {row[4]} pixels of tissue, threshold {np.round(row[14], 4)}")


if __name__ == "__main__":
    run_tool(main)

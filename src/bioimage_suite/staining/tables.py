"""Rows of the tables of stains: quantities by region and stain, and the vectors and thresholds that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.staining.quantities import Quantities, StainOptions

TABLE_COLUMNS = (
    "image", "region", "stain", "area_px", "tissue_px", "tissue_fraction", "positive_px", "positive_fraction",
    "mean_amount", "mean_positive_amount", "weak_fraction", "moderate_fraction", "strong_fraction", "h_score",
    "threshold",
)  # fmt: skip  # fmt: skip
AREAS = ("area_px", "tissue_px", "positive_px")
VECTOR_COLUMNS = ("image", "stain", "red", "green", "blue", "weak", "moderate", "strong", "tissue")


def table_columns(pixel_area: float | None) -> tuple[str, ...]:
    """Return the header of the table of quantities, with areas in µm² if the area of a pixel is known."""
    return (*TABLE_COLUMNS, *(column.replace("_px", "_um2") for column in AREAS if pixel_area))


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

"""Figure of a stained image: each stain alone, the tissue, and the distribution of the amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.staining.quantities import Palette, StainOptions, colour_of, separate, tiles_of

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

MOST_PIXELS_ACROSS = 700  # longest side of the thumbnail, px


def thumbnail(image: ImageFile) -> np.ndarray:
    """Return every n-th pixel as (Y, X, 3) uint8: colours stay those of the image, averages would be new ones."""
    step = max(1, -(-max(image.size_y, image.size_x) // MOST_PIXELS_ACROSS))
    small = np.zeros((-(-image.size_y // step), -(-image.size_x // step), 3), np.uint8)
    for rows, columns in tiles_of(image):
        first, left = -(-rows.start // step), -(-columns.start // step)
        part = colour_of(image, rows, columns)[first * step - rows.start :: step, left * step - columns.start :: step]
        small[first : first + part.shape[0], left : left + part.shape[1]] = part
    return small


def draw_stains(path: Path, name: str, small: np.ndarray, palette: Palette, options: StainOptions) -> None:
    """Write the figure as PNG.

    Args:
        path: File to write.
        name: Name of the image.
        small: (Y, X, 3) uint8 thumbnail.
        palette: Colours of the whole image, for the histograms.
        options: Stains, white, tissue and levels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    stains = options.stains
    figure = Figure(figsize=(4 * (len(stains.names) + 1), 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(name, parse_math=False)
    axes = figure.subplots(2, len(stains.names) + 1)
    amounts, density = separate(small, options)
    tissue = density >= options.tissue
    axes[0, 0].imshow(small)
    axes[0, 0].set_title("Image")
    axes[1, 0].imshow(_outlined(small, tissue))
    axes[1, 0].set_title(f"Tissue (density ≥ {options.tissue:.3g})")
    amounts_of_palette, density_of_palette = separate(palette.colours, options)
    counts = palette.counts * (density_of_palette >= options.tissue)
    for k, stain in enumerate(stains.names):
        # Colours of the image with this stain alone.
        alone = options.white * 10 ** (-amounts[..., k : k + 1] * stains.vectors[k])
        axes[0, k + 1].imshow(np.clip(alone, 0, 255).astype(np.uint8))
        axes[0, k + 1].set_title(stain, parse_math=False)
        axis = axes[1, k + 1]
        highest = max(float(amounts_of_palette[:, k].max(initial=0)), float(options.levels[k].max())) * 1.02
        number, edges = np.histogram(amounts_of_palette[:, k], 200, (0, highest), weights=counts)
        colour = np.clip(10 ** (-stains.vectors[k]), 0, 1)  # of an amount of 1
        axis.stairs(number, edges, fill=True, color=colour)  # 200 bars take longer to draw than all the rest.
        for level, style in zip(options.levels[k], ("-", "--", ":"), strict=True):
            axis.axvline(level, color="k", linestyle=style, linewidth=1)
        axis.set_title(f"{stain} in tissue", parse_math=False)
        axis.set(xlabel="amount (optical density)", ylabel="pixels")
        axis.set_yscale("symlog")  # logarithmic, but shows 0
    for axis in (*axes[0], axes[1, 0]):
        axis.set_axis_off()
    figure.savefig(path, format="png", dpi=80, metadata={"Software": None})


def _outlined(small: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the picture with pale pixels outside the mask."""
    return np.where(mask[..., None], small, (small.astype(np.uint16) + 3 * 255) // 4).astype(np.uint8)

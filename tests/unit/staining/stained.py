"""Images made of known amounts of stains."""

import numpy as np

from bioimage_suite.staining.quantities import StainOptions


def stained(amounts, vectors, white=255.0):
    """Pixels that a camera would see of given amounts (..., 3)."""
    return np.clip(np.rint(white * 10 ** -(amounts @ vectors)), 0, 255).astype(np.uint8)


def options_for(stains, levels=(0.15, 0.4, 0.8), tissue=0.1, white=255.0):
    return StainOptions(stains, np.full(3, white), tissue, np.tile(levels, (len(stains.names), 1)))

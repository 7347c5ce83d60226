"""Rings that were traced along pixels give these pixels again."""

import numpy as np

from bioimage_suite.images.model.filled_rings import fill_rings
from bioimage_suite.images.model.label_outlines import label_outlines


def test_traced_objects_are_filled_to_their_pixels():
    labels = np.random.default_rng(3).integers(0, 4, (40, 50))
    for outline in label_outlines(labels):
        rings = [ring for part in outline.parts for ring in part]
        np.testing.assert_array_equal(fill_rings(rings, 40, 50), labels == outline.label)


def test_a_pixel_counts_if_its_centre_is_inside():
    square = [(0.5, 0.4), (2.6, 0.4), (2.6, 1.5), (0.5, 1.5)]
    np.testing.assert_array_equal(fill_rings([square], 2, 4), [[True, True, True, False], [False] * 4])

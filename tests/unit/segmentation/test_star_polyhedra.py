"""Star-convex polyhedra (StarDist in 3D) become the objects that they were made from."""

import numpy as np
import pytest

from bioimage_suite.segmentation.model_objects import ObjectOptions, find_objects
from bioimage_suite.segmentation.star_polyhedra import label_polyhedra
from tests.unit.segmentation.model_outputs import ellipsoids, matched, polyhedra_of

ROUND = (1.0, 1.0, 1.0)


@pytest.mark.parametrize("anisotropy", [ROUND, (2.0, 1.0, 1.0)])
def test_polyhedra_are_the_objects_they_were_made_from(anisotropy):
    labels = ellipsoids()
    found = find_objects(polyhedra_of(anisotropy), ObjectOptions("star_polygons", anisotropy=anisotropy), 5)
    assert np.unique(found).tolist() == [0, 5, 6, 7]
    assert min(matched(found, labels)) > 0.85


def test_of_overlapping_polyhedra_the_most_probable_stays_and_is_on_top():
    prediction = np.zeros((97, 30, 30, 60), np.float32)
    for column, probability in ((20, 0.9), (23, 0.8), (36, 0.7)):
        prediction[0, 15, 15, column], prediction[1:, 15, 15, column] = probability, 10
    found = label_polyhedra(prediction, 0.5, 0.4, ROUND)
    assert found.max() == 2
    assert (found[15, 15, 22], found[15, 15, 29], found[15, 15, 40]) == (1, 1, 2)
    assert label_polyhedra(prediction, 0.5, 0.95, ROUND).max() == 3
    assert label_polyhedra(prediction, 0.75, 0.95, ROUND).max() == 2
    assert (found == 1).sum() == pytest.approx(0.94 * 4 / 3 * np.pi * 1000, rel=0.02)  # of a ball, with 96 rays


def test_polyhedra_are_cut_at_the_borders():
    prediction = np.zeros((33, 9, 9, 9), np.float32)
    prediction[0, 4, 4, 4], prediction[1:, 4, 4, 4] = 1, 1e6
    assert (label_polyhedra(prediction, 0.5, 0.4, ROUND) == 1).all()
    assert label_polyhedra(np.zeros((33, 3, 9, 9), np.float32), 0.5, 0.4, ROUND).max() == 0

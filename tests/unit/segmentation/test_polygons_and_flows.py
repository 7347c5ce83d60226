"""Star-convex polygons (StarDist) and flows (Cellpose) become the objects that they were made from."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.segmentation.flow_objects import flow_errors, label_flows
from bioimage_suite.segmentation.model_objects import ObjectOptions, find_objects
from bioimage_suite.segmentation.star_polygons import label_stars
from tests.unit.segmentation.model_outputs import RAYS, TWO_TOUCH, ellipses, flows_of, matched, stars_of


def test_polygons_are_the_objects_they_were_made_from():
    labels = ellipses((60, 70), *TWO_TOUCH)
    found = label_stars(stars_of(labels), 0.4, 0.4)
    assert found.max() == 3
    assert min(matched(found, labels)) > 0.85
    assert label_stars(np.zeros((1 + RAYS, 9, 9), np.float32), 0.5, 0.4).max() == 0


def test_of_overlapping_polygons_the_most_probable_stays_and_is_on_top():
    prediction = np.zeros((1 + RAYS, 60, 60), np.float32)
    for row, column, probability in ((30, 20, 0.9), (30, 24, 0.8), (30, 38, 0.7)):
        prediction[0, row, column], prediction[1:, row, column] = probability, 10
    # The second disk shares three quarters of its area with the first one, the third a tenth with the first.
    found = label_stars(prediction, 0.5, 0.4)
    assert found.max() == 2
    assert (found[30, 22], found[30, 29], found[30, 40]) == (1, 1, 2)
    assert label_stars(prediction, 0.5, 0.95).max() == 3
    assert label_stars(prediction, 0.75, 0.95).max() == 2
    assert (found == 1).sum() == pytest.approx(np.pi * 100, rel=0.03)


def test_small_polygons_inside_of_a_large_one_are_dropped():
    prediction = np.zeros((1 + RAYS, 60, 60), np.float32)
    for column, probability, radius in ((30, 0.9, 20), (40, 0.8, 3)):
        prediction[0, 30, column], prediction[1:, 30, column] = probability, radius
    assert label_stars(prediction, 0.5, 0.4).max() == 1


def test_pixels_at_the_border_propose_nothing():
    prediction = np.ones((1 + RAYS, 5, 5), np.float32)
    assert (label_stars(prediction, 0.5, 1) > 0).sum() < 10


def test_flows_lead_to_the_objects_they_were_made_from():
    labels = ellipses((60, 70), *TWO_TOUCH)
    found = label_flows(flows_of(labels), 0.0)
    assert found.max() == 3
    assert min(matched(found, labels)) > 0.95
    assert label_flows(np.full((3, 9, 9), -1, np.float32), 0.0).max() == 0


def test_flows_fill_holes_and_stop_at_the_border():
    labels = ellipses((40, 40), (0, 20, 9, 9))
    flows = flows_of(labels)
    flows[2, 3, 22] = -6
    flows[0] -= 0.5  # beyond the border
    found = label_flows(flows, 0.0)
    assert ((found > 0) == (labels > 0)).all()


def test_the_error_of_flows_is_the_squared_difference_to_those_of_the_shape():
    labels = ellipses((60, 70), *TWO_TOUCH)
    flows = flows_of(labels)[:2] / 5
    assert flow_errors(labels, flows)[1:].max() < 0.15
    # Of unit vectors: 1 to no flow, 2 to a right angle, 4 to the opposite direction.
    assert flow_errors(labels, 0 * flows)[1:] == pytest.approx(1, abs=0.02)
    assert flow_errors(labels, np.stack([flows[1], -flows[0]]))[1:] == pytest.approx(2, abs=0.1)
    assert flow_errors(labels, -flows)[1:].min() > 3.7
    assert flow_errors(0 * labels, flows).tolist() == [0]


def test_objects_whose_flows_disagree_with_their_shape_are_dropped():
    """All flows of the second object lead to its left end, so it is one object, but not one of that shape."""
    labels = ellipses((60, 90), (30, 20, 12, 12), (30, 60, 12, 20))
    flows = flows_of(labels)
    y, x = np.nonzero(labels == 2)
    to = np.stack([30 - y, 41 - x])
    flows[:2, y, x] = 5 * to / np.maximum(np.hypot(*to), 1)
    assert label_flows(flows, 0.0, most_error=0).max() == 2
    assert np.unique(label_flows(flows, 0.0)[labels == 2]).tolist() == [0]
    assert (label_flows(flows, 0.0)[labels == 1] > 0).all()


def test_an_object_of_nearly_the_whole_plane_is_dropped():
    labels = ellipses((60, 60), (30, 30, 28, 28))
    assert label_flows(flows_of(labels), 0.0).max() == 0
    assert label_flows(flows_of(np.pad(labels, 20)), 0.0).max() == 1


def test_more_steps_are_taken_where_cells_are_larger_than_the_models():
    labels = ellipses((60, 700), (30, 350, 12, 300))
    flows = flows_of(labels)
    found = [
        find_objects(flows, ObjectOptions("flows", threshold=0, flow_error=0, rescale=rescale)) for rescale in (1, 0.5)
    ]
    # In 200 steps only pixels within 200 of the centre arrive there.
    assert 350 < np.ptp(np.nonzero(found[0])[1]) < 450
    assert ((found[1] > 0) == (labels > 0)).all()


def test_planes_of_a_volume_have_labels_of_their_own():
    flows = flows_of(ellipses((60, 70), *TWO_TOUCH))
    found = find_objects(np.stack([flows, flows], axis=1), ObjectOptions("flows", threshold=0), 5)
    assert [sorted(np.unique(plane)) for plane in found] == [[0, 5, 6, 7], [0, 8, 9, 10]]


def test_outputs_that_are_neither_are_refused():
    with pytest.raises(UserError, match="its output has 2 channels"):
        ObjectOptions("star_polygons").check(2, "m")
    with pytest.raises(UserError, match=r"4 channels of volumes\. Star-convex polyhedra are"):
        ObjectOptions("star_polygons").check(4, "m", volume=True)
    with pytest.raises(UserError, match="Flows have 3"):
        ObjectOptions("flows").check(2, "m")

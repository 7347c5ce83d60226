import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from bioimage_suite.images.model import label_outlines as module
from bioimage_suite.images.model.label_outlines import label_outlines, mask_parts

LABELS = hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 3))


def area(ring) -> float:
    x, y = np.array(ring).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@given(LABELS, st.sampled_from([1, 30, 2**20]))
@settings(max_examples=300, deadline=None)
def test_parts_and_holes_are_those_that_scipy_counts(labels, band_pixels):
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BAND_PIXELS", band_pixels)
        found = {one.label: one for one in label_outlines(labels)}
    assert list(found) == sorted(set(labels.ravel().tolist()) - {0})
    for label, one in found.items():
        mask = labels == label
        assert [one.box] == ndimage.find_objects(mask.astype(int))
        parts, count = ndimage.label(mask)  # by sides of pixels
        assert len(one.parts) == count
        expected = []
        for number in range(1, count + 1):
            outside, holes = ndimage.label(np.pad(parts != number, 1, constant_values=True))
            sizes = np.bincount(outside.ravel(), minlength=holes + 1)[2:]  # the first is what surrounds all
            expected.append(sorted([float((parts == number).sum() + sizes.sum()), *(-sizes).tolist()]))
        assert sorted(sorted(map(area, part)) for part in one.parts) == sorted(expected)
        assert all(area(part[0]) > 0 for part in one.parts)


@given(LABELS)
@settings(max_examples=100, deadline=None)
def test_rings_turn_at_every_point(labels):
    for one in label_outlines(labels):
        for ring in (ring for part in one.parts for ring in part):
            steps = np.diff(np.array([*ring, ring[0]]), axis=0)
            assert ((steps == 0).sum(axis=1) == 1).all()
            assert ((steps[:, 0] == 0) != (np.roll(steps[:, 0], 1) == 0)).all()


def test_one_pixel_is_a_square_and_straight_edges_have_no_extra_points():
    assert mask_parts(np.ones((1, 1), bool), 3, 5) == [[[(3, 5), (4, 5), (4, 6), (3, 6)]]]
    assert mask_parts(np.ones((7, 9), bool)) == [[[(0, 0), (9, 0), (9, 7), (0, 7)]]]


def test_pixels_that_touch_only_by_corners_are_parts_of_their_own():
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    assert [[area(ring) for ring in part] for part in mask_parts(diamond)] == [[1]] * 4


@given(LABELS)
@settings(max_examples=300, deadline=None)
def test_polygons_are_valid_by_ogc_and_cover_the_pixels(labels):
    for one in label_outlines(labels):
        polygons = shapely.MultiPolygon([(outer, holes) for outer, *holes in one.parts])
        assert polygons.is_valid, shapely.is_valid_reason(polygons)
        assert polygons.area == (labels == one.label).sum()


def test_the_largest_labels_are_parted_too():
    labels = np.array([[2**31 - 1, 0, 5], [0, 2**31 - 1, 5]], np.int32)
    found = {one.label: [[area(ring) for ring in part] for part in one.parts] for one in label_outlines(labels)}
    assert found == {5: [[2]], 2**31 - 1: [[1], [1]]}


def test_an_empty_mask_has_no_part():
    assert mask_parts(np.zeros((3, 4), bool)) == []

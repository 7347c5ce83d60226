import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioimage_suite.omero.rois.label_shapes import Mask, Polygon, fill_polygon, plane_shapes, unpack_mask

LABELS = hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 3))


def back(shapes, size):
    """Draw shapes into an empty label map."""
    labels = np.zeros(size, np.int64)
    for one in shapes:
        if isinstance(one.shape, Polygon):
            labels[fill_polygon(one.shape, *size)] = one.label
        else:
            mask = one.shape
            area = labels[mask.y : mask.y + mask.height, mask.x : mask.x + mask.width]
            area[unpack_mask(mask)] = one.label
    return labels


@given(LABELS, st.sampled_from(["auto", "mask", "polygon"]))
@settings(max_examples=300, deadline=None)
def test_no_pixel_changes_on_the_way_there_and_back(labels, kind):
    np.testing.assert_array_equal(back(plane_shapes(labels, kind), labels.shape), labels)


def test_objects_of_one_part_without_holes_are_polygons_others_masks():
    ring = np.ones((3, 3), np.uint8)
    ring[1, 1] = 0
    parts = np.array([[1, 0, 1]], np.uint8)
    touching = np.array([[1, 0], [0, 1]], np.uint8)
    bend = np.array([[1, 0], [1, 1]], np.uint8)
    kinds = [type(next(plane_shapes(one, "auto")).shape) for one in (ring, parts, touching, bend)]
    assert kinds == [Mask, Mask, Mask, Polygon]


def test_holes_are_holes_by_both_filling_rules_and_parts_are_polygons_of_their_own():
    labels = np.ones((5, 9), np.uint8)
    labels[1:4, 1:3] = labels[2, 4] = labels[:, 6] = 0
    shapes = list(plane_shapes(labels, "polygon"))
    assert [(one.label, type(one.shape)) for one in shapes] == [(1, Polygon)] * 2
    for one in shapes:
        for row, column in np.ndindex(labels.shape):
            start = np.array(one.shape.points) - (column + 0.5, row + 0.5)
            end = np.roll(start, -1, axis=0)
            cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
            turn = np.arctan2(cross, (start * end).sum(axis=1)).sum()  # 2 pi for each time around the pixel's centre
            assert (abs(turn) > np.pi) == fill_polygon(one.shape, *labels.shape)[row, column]


def test_huge_labels_keep_their_numbers():
    labels = np.array([[2**31 - 1, 5], [5, 5]], np.int32)
    assert [one.label for one in plane_shapes(labels, "auto")] == [5, 2**31 - 1]


def test_an_empty_plane_has_no_shape():
    assert list(plane_shapes(np.zeros((4, 5), np.uint16), "auto")) == []


def test_mask_bits_are_packed_row_by_row_most_significant_first():
    mask = next(plane_shapes(np.array([[1, 0, 1], [0, 1, 1]]), "mask")).shape
    assert (mask.x, mask.y, mask.width, mask.height, mask.bits) == (0, 0, 3, 2, bytes([0b10101100]))


def test_a_polygon_beyond_the_plane_is_cut_at_its_border():
    filled = fill_polygon(Polygon(((-5.0, -5.0), (2.0, -5.0), (2.0, 9.0), (-5.0, 9.0))), 3, 4)
    np.testing.assert_array_equal(filled, [[True, True, False, False]] * 3)

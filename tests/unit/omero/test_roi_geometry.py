import base64
import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ome_types import from_xml

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.label_outlines import mask_parts
from bioimage_suite.omero.rois import shapes as omero_roi_shapes
from bioimage_suite.omero.rois.documents import to_geojson, to_ome_xml
from bioimage_suite.omero.rois.geometry import shape_pixels, shape_rings
from bioimage_suite.omero.rois.label_shapes import Polygon, fill_polygon, pack_mask
from bioimage_suite.omero.rois.shapes import RoiShape, roi_labels

MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8))


def shape(kind="rectangle", numbers=(), *, roi=1, number=10, text=None, points=(), bits=b"", transform=None, z=None):
    return RoiShape(
        image_id=7,
        roi_id=roi,
        roi_name="set",
        shape_id=number,
        kind=kind,
        z=z,
        t=None,
        c=None,
        text=text,
        numbers=tuple(map(float, numbers)),
        points=tuple(points),
        bits=bits,
        transform=transform,
        stroke=None,
        fill=None,
    )


def covered(one: RoiShape, height: int, width: int) -> np.ndarray:
    x, y, pixels = shape_pixels(one, height, width)
    plane = np.zeros((height, width), bool)
    plane[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
    return plane


def test_examples_in_docstrings_hold():
    assert doctest.testmod(omero_roi_shapes).failed == 0


@given(MASKS)
@settings(max_examples=300, deadline=None)
def test_rings_with_their_holes_cover_exactly_the_mask(mask):
    polygons = mask_parts(mask)
    total = np.zeros(mask.shape, int)
    area = 0.0
    for polygon in polygons:
        part = np.zeros(mask.shape, bool)
        for number, ring in enumerate(polygon):
            filled = fill_polygon(Polygon(tuple(ring)), *mask.shape)
            assert number == 0 or not (filled & ~part).any()  # a hole lies within its outer ring
            part = part & ~filled if number else filled
            x, y = np.array(ring).T
            area += (-1 if number else 1) * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        total += part
    np.testing.assert_array_equal(total, mask)
    assert area == mask.sum()


@given(MASKS, st.integers(-4, 6), st.integers(-4, 6))
@settings(deadline=None)
def test_masks_come_back_and_are_cut_at_the_border(mask, x, y):
    packed = pack_mask(mask, x, y)
    numbers = (x, y, packed.width, packed.height)
    plane = covered(shape("mask", numbers, bits=packed.bits), 5, 7)
    expected = np.zeros((40, 40), bool)
    expected[y + 10 : y + 10 + packed.height, x + 10 : x + 10 + packed.width] = mask
    np.testing.assert_array_equal(plane, expected[10:15, 10:17])


def test_rectangles_ellipses_and_points_cover_pixels_by_their_centres():
    plane = covered(shape("rectangle", (1, 1, 2, 1.4)), 4, 5)
    assert (plane.sum(), plane[1, 1:3].all()) == (2, True)
    plane = covered(shape("ellipse", (3, 3, 2, 2)), 6, 6)
    assert plane.sum() == 12  # centres at distance up to 2 of a grid point
    assert covered(shape("point", (2.9, 1.2)), 4, 4).nonzero() == (np.array([1]), np.array([2]))
    assert not covered(shape("point", (9, 1)), 4, 4).any()
    assert not covered(shape("rectangle", (-5, -5, 3, 3)), 4, 4).any()


def test_transforms_move_what_is_drawn():
    shifted = (1.0, 0.0, 0.0, 1.0, 2.0, 1.0)
    turned = (0.0, 1.0, -1.0, 0.0, 4.0, 0.0)  # a quarter turn: x' = 4 - y, y' = x
    np.testing.assert_array_equal(
        covered(shape("rectangle", (0, 0, 2, 1), transform=shifted), 4, 5),
        covered(shape("rectangle", (2, 1, 2, 1)), 4, 5),
    )
    np.testing.assert_array_equal(
        covered(shape("ellipse", (2, 1, 2, 1), transform=turned), 5, 5), covered(shape("ellipse", (3, 2, 1, 2)), 5, 5)
    )
    mask = pack_mask(np.array([[1, 0], [1, 1]], bool), 0, 0)
    moved = covered(shape("mask", (0, 0, 2, 2), bits=mask.bits, transform=shifted), 4, 5)
    assert sorted(zip(*np.nonzero(moved), strict=True)) == [(1, 2), (2, 2), (2, 3)]
    with pytest.raises(UserError, match="it is rotated or scaled"):
        covered(shape("mask", (0, 0, 2, 2), bits=mask.bits, transform=turned), 4, 5)


def test_a_mask_with_too_few_bits_is_named():
    with pytest.raises(UserError, match="mask 10 of ROI 1: 1 bytes for 4 x 4 pixels"):
        shape_pixels(shape("mask", (0, 0, 4, 4), bits=b"\xff"), 9, 9)


def test_an_ellipse_ring_is_close_to_the_ellipse():
    [[ring]] = shape_rings(shape("ellipse", (10, 20, 5, 3)))
    for x, y in ring:
        assert math.isclose(((x - 10) / 5) ** 2 + ((y - 20) / 3) ** 2, 1)


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["3", "7"], [3, 7]),
        (["3", "3"], [1, 2]),
        (["3", None], [1, 2]),
        (["3", "x"], [1, 2]),
        (["0", "1"], [1, 2]),
        (["3", "²"], [1, 2]),
        (["1", str(2**31)], [1, 2]),
    ],
)
def test_labels_come_from_the_texts_or_are_counted(texts, labels):
    shapes = [shape(roi=number, text=text) for number, text in enumerate(texts, 5)]
    assert list(roi_labels(shapes).values()) == labels


def test_geojson_closes_rings_and_keeps_holes_and_parts():
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    both = np.zeros((3, 6), bool)
    both[:, :3], both[0, 5] = ring, True
    features = to_geojson([
        shape("mask", (2, 1, 3, 3), bits=pack_mask(ring, 0, 0).bits, text="4", z=1),
        shape("mask", (0, 0, 6, 3), bits=pack_mask(both, 0, 0).bits),
        shape("point", (1.5, 2)),
        shape("line", (0, 0, 4, 4)),
        shape("polyline", points=((0.0, 0.0), (1.0, 2.0), (3.0, 3.0))),
        shape("ellipse", (5, 5, 2, 1)),
    ])["features"]  # fmt: skip
    kinds = ["Polygon", "MultiPolygon", "Point", "LineString", "LineString", "Polygon"]
    assert [feature["geometry"]["type"] for feature in features] == kinds
    outer, hole = features[0]["geometry"]["coordinates"]
    assert outer[0] == outer[-1]
    assert {tuple(point) for point in outer} == {(2, 1), (5, 1), (5, 4), (2, 4)}
    assert {tuple(point) for point in hole} == {(3, 2), (4, 2), (4, 3), (3, 3)}
    assert (features[0]["properties"]["name"], features[0]["properties"]["z"]) == ("4", 1)
    assert features[5]["properties"]["ellipse"] == {"x": 5, "y": 5, "radius_x": 2, "radius_y": 1}


def test_ome_xml_is_valid_and_keeps_every_shape():
    mask = pack_mask(np.eye(3, dtype=bool), 0, 0)
    shapes = [
        shape("polygon", points=((0.0, 0.0), (1.5, 2.0), (3.0, 0.25)), text='a "&" <b>', z=2),
        shape("mask", (4, 5, 3, 3), number=11, bits=mask.bits),
        shape("rectangle", (1, 2, 3, 4), roi=2, number=12, transform=(1.0, 0.0, 0.0, 1.0, 2.0, 1.0)),
        shape("ellipse", (1, 2, 3, 4), roi=2, number=13),
        shape("point", (1, 2), roi=2, number=14),
        shape("line", (1, 2, 3, 4), roi=2, number=15),
        shape("polyline", points=((0.0, 0.0), (1.0, 1.0)), roi=3, number=16),
        shape("label", (1, 2), roi=3, number=17, text="here"),
    ]
    found = from_xml(to_ome_xml(shapes), validate=True)
    assert [roi.id for roi in found.rois] == ["ROI:1", "ROI:2", "ROI:3"]
    union = found.rois[0].union
    by_kind = {type(one).__name__: one for one in union}
    assert (by_kind["Polygon"].text, by_kind["Polygon"].the_z) == ('a "&" <b>', 2)
    assert by_kind["Polygon"].points == "0,0 1.5,2 3,0.25"
    data = by_kind["Mask"].bin_data.value
    assert (data if data == mask.bits else base64.b64decode(data)) == mask.bits
    assert sum(len(list(roi.union)) for roi in found.rois) == len(shapes)

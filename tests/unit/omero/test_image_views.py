import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images import views as image_views
from bioimage_suite.omero.images.details import ImageDetails
from bioimage_suite.omero.images.instruments import Length
from bioimage_suite.omero.images.views import Selection, ViewRegion, choose_view, read_selection, view_tiles, whole_view
from bioimage_suite.omero.rois.boxes import roi_regions
from bioimage_suite.omero.rois.shapes import RoiShape
from tests.unit.omero.image_details import details


def view(chosen: Selection, image: ImageDetails | None = None, sizes=((100, 60), (50, 30), (25, 15))):
    return choose_view(image or details(), chosen, sizes)


def test_examples_in_docstrings_hold():
    result = doctest.testmod(image_views)
    assert (result.attempted > 0, result.failed) == (True, 0)


def test_nothing_chosen_is_the_whole_image():
    assert view(Selection()) == whole_view(details())
    assert view(Selection()).is_whole
    assert view(Selection()).result == details()
    assert not view(Selection(channels=("0", "2"))).is_whole
    assert not view(Selection(planes="1-7, 0")).is_whole  # another order is another image


@pytest.mark.parametrize(
    ("texts", "expected"),
    [(("GFP", "DAPI"), (1, 0)), (("0",), (0,)), (("1",), (1,)), (("2",), (2,)), ((), (0, 1, 2))],
)
def test_channels_by_name_or_by_index_from_0_as_in_all_tools(texts, expected):
    assert view(Selection(channels=texts)).channels == expected


def test_a_name_that_is_a_number_goes_before_the_index():
    assert view(Selection(channels=("0",)), details(("1", "0", "2"))).channels == (1,)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            Selection(channels=("gfp",)),
            r"'im': no channel 'gfp'. Give one .* from 0: 0: DAPI, 1: GFP, 2: 2",
        ),
        (Selection(channels=("3",)), "no channel '3'"),
        (Selection(channels=("4",)), "no channel '4'"),
        (Selection(planes="8"), "z-plane '8': there are 0 to 7"),
        (Selection(planes="3-8"), "z-plane '3-8': there are 0 to 7"),
        (Selection(planes="5-3"), "z-plane '5-3': there are 0 to 7"),
        (Selection(times="1;2"), "time point '1;2': not an index or range"),
        (Selection(times="-2"), "time point '-2': not an index or range"),
        (Selection(level=3), "resolution level 3 is not there, it has 3"),
        (
            Selection(region=ViewRegion(50, 0, 51, 10)),
            "rectangle x 50, y 0, width 51, height 10 is not inside the image",
        ),
    ],
)
def test_what_an_image_does_not_have_is_named(chosen, message):
    with pytest.raises(UserError, match=message):
        view(chosen)


def test_channels_of_one_name_are_chosen_by_index():
    image = details(("a", "a", "b"))
    with pytest.raises(UserError, match="2 channels are called 'a'"):
        view(Selection(channels=("a",)), image)
    assert view(Selection(channels=("1",)), image).channels == (1,)


def test_complex_pixels_have_no_projection():
    with pytest.raises(UserError, match="complex pixels have no projection"):
        view(Selection(projection="max"), details(pixel_type="double-complex"))


def test_a_form_with_a_rectangle_without_area_is_refused():
    region = {"kind": "rectangle", "x": 0, "y": 0, "width": 0, "height": 4}
    with pytest.raises(UserError, match="has no area"):
        read_selection({"region": region})
    assert read_selection({}) == Selection()


@given(st.integers(0, 99), st.integers(0, 59), st.integers(1, 100), st.integers(1, 60), st.integers(0, 2))
def test_a_rectangle_at_a_level_covers_it_and_stays_inside(x, y, width, height, level):
    sizes = ((100, 60), (50, 30), (25, 15))
    region = ViewRegion(x, y, min(width, 100 - x), min(height, 60 - y))
    found = view(Selection(region=region, level=level), sizes=sizes).region
    factor = 2**level
    assert found.x * factor <= region.x
    assert (found.x + found.width) * factor >= region.x + region.width
    assert found.x + found.width <= sizes[level][0]
    assert found.y + found.height <= sizes[level][1]
    assert found.width * factor < region.width + 2 * factor


def test_the_physical_size_follows_the_level():
    result = view(Selection(level=1)).result
    assert (result.size_x, result.physical_x) == (50, Length(1.0, "µm", 1.0))


@given(st.integers(1, 40), st.sampled_from(["none", "max"]))
def test_tiles_cover_every_pixel_once_in_the_files_order(side, projection):
    chosen = Selection(("2", "0"), "2-3", "1", ViewRegion(10, 20, 33, 17), 0, projection)
    one = view(chosen)
    seen: dict[tuple, int] = {}
    for tile in view_tiles(one, side):
        for x in range(tile.x, tile.x + tile.width):
            for y in range(tile.y, tile.y + tile.height):
                seen[tile.c, tile.z, x, y] = seen.get((tile.c, tile.z, x, y), 0) + 1
    assert set(seen.values()) == {1}
    assert len(seen) == 2 * 2 * 33 * 17
    places = [(tile.c, tile.z) for tile in view_tiles(one, 64)]
    assert places == [(2, 2), (2, 3), (0, 2), (0, 3)]
    assert one.result.size_z == (1 if projection == "max" else 2)


def shape(kind: str, numbers=(), points=(), transform=None, roi_id: int = 1) -> RoiShape:
    values = {"image_id": 7, "roi_id": roi_id, "roi_name": None, "shape_id": 5, "kind": kind, "z": None, "t": None}
    values |= {"c": None, "text": None, "numbers": numbers, "points": points, "bits": b"", "transform": transform}
    return RoiShape(**values, stroke=None, fill=None)


@pytest.mark.parametrize(
    ("one", "box"),
    [
        (shape("rectangle", (2.2, 3, 10, 8.5)), (2, 3, 11, 9)),
        (shape("ellipse", (20, 30, 5, 4)), (15, 26, 10, 8)),
        (shape("ellipse", (20, 30, 5, 4), transform=(0, 1, -1, 0, 60, 0)), (26, 15, 8, 10)),
        (shape("polygon", points=((1, 1), (4.5, 2), (3, 9))), (1, 1, 4, 8)),
        (shape("polyline", points=((1, 1), (4, 1))), (1, 1, 3, 1)),
        (shape("line", (0, 0, 20, 20)), (0, 0, 20, 20)),
        (shape("point", (5.5, 6.5)), (5, 6, 1, 1)),
        (shape("label", (5, 6)), (5, 6, 1, 1)),
        (shape("mask", (3, 4, 5, 6)), (3, 4, 5, 6)),
        (shape("rectangle", (90, 50, 30, 30)), (90, 50, 10, 10)),
        (shape("rectangle", (-5, -5, 10, 10)), (0, 0, 5, 5)),
    ],
)
def test_the_box_of_each_kind_of_shape(one, box):
    [found] = roi_regions(details(), [one])
    assert (found.x, found.y, found.width, found.height, found.roi_id) == (*box, 1)


def test_a_roi_of_several_shapes_has_one_box_and_rois_are_ordered():
    shapes = [shape("point", (50, 50), roi_id=2), shape("point", (1, 1)), shape("point", (8, 3))]
    boxes = roi_regions(details(), shapes)
    assert [(box.roi_id, box.x, box.y, box.width, box.height) for box in boxes] == [(1, 1, 1, 8, 3), (2, 50, 50, 1, 1)]


def test_a_roi_outside_and_an_unknown_shape_are_refused_never_skipped():
    with pytest.raises(UserError, match="ROI 1 of image 7 'im': it lies outside the image"):
        roi_regions(details(), [shape("point", (100, 10))])
    with pytest.raises(UserError, match="shape 5 of ROI 1: 'path' is not a shape that this tool knows"):
        roi_regions(details(), [shape("path")])

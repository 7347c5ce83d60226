"""Planes to pictures: windows, colours, projections and thumbnails by their definitions."""

import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.omero.rendering import views
from sandbox.omero.rendering.pictures import (
    ChannelRendering,
    Rendering,
    active_channels,
    channel_colors,
    longest_side_size,
    project,
    quantize,
    render,
    shrink,
    to_jpeg,
    to_packed_int,
)
from sandbox.omero.repository.pixel_store import PixelsShape

RED, GREEN, HALF_BLUE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 128)


@given(start=st.integers(0, 60000), width=st.integers(1, 5535))
def test_linear_window(start, width):
    end = start + width
    plane = np.array([0, start, (start + end) // 2, end, 65535], np.uint16)
    found = quantize(plane, ChannelRendering(True, start, end, RED))
    expected = [0, 0, round(255 * (width // 2) / width), 255, 255]
    np.testing.assert_allclose(found, expected, atol=1)
    assert found[1] == 0
    assert found[3] == 255


@pytest.mark.parametrize(
    ("family", "coefficient", "middle"),
    [
        ("linear", 1.0, 128),
        ("polynomial", 2.0, 64),
        ("logarithmic", 1.0, 223),
        ("exponential", 0.5, 2),
        ("exponential", 2.0, 0),
    ],
)
def test_families(family, coefficient, middle):
    found = quantize(np.array([0, 128, 255]), ChannelRendering(True, 0, 255, RED, family, coefficient))
    assert found.tolist() == [0, middle, 255]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_large_planes_are_quantised_like_small_ones(dtype):
    plane = np.random.default_rng(0).integers(-100, 120, (300, 300)).astype(dtype)
    channel = ChannelRendering(True, -20, 90, RED, "polynomial", 1.5)
    np.testing.assert_array_equal(quantize(plane, channel), quantize(plane.astype(np.float64), channel))


def test_reverse_and_empty_window():
    assert quantize(np.array([0, 255]), ChannelRendering(True, 0, 255, RED, reverse=True)).tolist() == [255, 0]
    assert quantize(np.array([6, 7, 8]), ChannelRendering(True, 7, 7, RED)).tolist() == [0, 0, 255]


def test_not_a_number_is_black():
    assert quantize(np.array([np.nan, 1.0]), ChannelRendering(True, 0, 1, RED)).tolist() == [0, 255]


def test_colours_add_and_clip():
    plane = np.array([[0, 255]], np.uint8)
    channels = tuple(ChannelRendering(True, 0, 255, color) for color in (RED, GREEN, HALF_BLUE, RED))
    picture = render(dict.fromkeys(range(4), plane), Rendering(channels))
    assert picture.tolist() == [[[0, 0, 0], [255, 255, 128]]]


def test_greyscale_shows_the_first_active_channel():
    planes = {0: np.array([[9]], np.uint8), 1: np.array([[200]], np.uint8)}
    off, on = ChannelRendering(False, 0, 255, RED), ChannelRendering(True, 0, 255, GREEN)
    rendering = Rendering((off, on), greyscale=True)
    assert active_channels(rendering) == [1]
    assert render(planes, rendering).tolist() == [[[200, 200, 200]]]
    assert active_channels(Rendering((on, off, on))) == [0, 2]


def test_colours_are_omeros():
    """As omero-renderer, omeis/providers/re/ColorsFactory.java; white as RenderingSettingsImpl.resetChannelBindings."""
    blue, white = (0, 0, 255, 255), (255, 255, 255, 255)
    assert channel_colors([None], [None]) == [RED]
    assert channel_colors([None] * 4, [None] * 4) == [RED, GREEN, blue, RED]
    assert channel_colors([None] * 3, [461.0, 509.0, 2000.0]) == [blue, GREEN, blue]
    assert channel_colors([None] * 3, [None, 509.0, None]) == [white, GREEN, white]
    assert channel_colors([HALF_BLUE, None], [None, None]) == [HALF_BLUE, white]


def test_packed_int():
    picture = np.array([[[1, 2, 3], [255, 0, 0]]], np.uint8)
    assert [int(v) & 0xFFFFFFFF for v in to_packed_int(picture)] == [0xFF010203, 0xFFFF0000]


def test_jpeg_keeps_size_and_colour():
    from PIL import Image

    picture = np.full((20, 30, 3), (200, 30, 60), np.uint8)
    opened = Image.open(io.BytesIO(to_jpeg(picture, 0.85)))
    assert opened.size == (30, 20)
    np.testing.assert_allclose(np.asarray(opened), picture, atol=4)


def test_the_size_of_a_thumbnail_is_omeros():
    """As omero-server: ThumbnailCtx.calculateXYWidths."""
    assert longest_side_size(512, 256, 96) == (96, 48)
    assert longest_side_size(1388, 1040, 96) == (96, 71)  # 71.93, cut off
    assert longest_side_size(1, 10000, 96) == (0, 96)
    assert longest_side_size(2, 2, 96) == (96, 96)  # small images grow
    assert shrink(np.zeros((256, 512, 3), np.uint8), (96, 48)).shape == (48, 96, 3)


def test_projections():
    planes = [np.array([[1, 250]], np.uint8), np.array([[4, 251]], np.uint8)]
    assert project(planes, "maximum").tolist() == [[4, 251]]
    assert project(planes, "mean").tolist() == [[2, 250]]
    assert project(planes, "sum").tolist() == [[5, 255]]
    assert project(planes, "sum").dtype == np.uint8


class Wide:
    """A plane of 200 MB without a pyramid, whose rows come when they are asked for."""

    shape = PixelsShape(10_000, 10_000, 3, 1, 1, "uint16")
    level_sizes = ((10_000, 10_000),)

    def read_tile(self, _level, _z, _c, _t, _x, y, w, h):
        return np.repeat(np.arange(y, y + h, dtype=">u2")[:, None], w, axis=1)


def traced(action):
    """What an action returns, and the most memory that it had at once, in bytes."""
    tracemalloc.start()
    try:
        return action(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_plane_takes_little_memory():
    rendering = Rendering((ChannelRendering(True, 0, 10_000, (255, 255, 255, 255)),))
    thumbnail, memory = traced(lambda: views.render_thumbnail(Wide(), rendering, 0, 0, (96, 96)))
    assert thumbnail.shape == (96, 96, 3)
    np.testing.assert_allclose(thumbnail[:, 50, 0], np.arange(96) * 255 / 96, atol=3)
    assert memory < 80e6
    region, memory = traced(lambda: views.render_region(Wide(), rendering, 0, 0, 0, (0, 5000, 8000, 2000)))
    assert (region[::1999, 0, 0] == [128, 178]).all()
    assert memory < 48e6 + 200e6  # the picture, and a strip of it
    projection, memory = traced(lambda: project((np.full((1000, 1000), n, np.uint16) for n in range(60)), "mean"))
    assert (projection == 29).all()
    assert memory < 40e6  # not 60 planes of 2 MB


def test_what_is_not_in_the_image_or_too_large_is_no_picture():
    rendering = Rendering((ChannelRendering(True, 0, 10_000, (255, 255, 255, 255)),))
    for region, message in ((None, "too large"), ((10_000, 0, 5, 5), "outside"), ((0, 0, 0, 5), "outside")):
        with pytest.raises(IndexError, match=message):
            views.render_region(Wide(), rendering, 0, 0, 0, region)

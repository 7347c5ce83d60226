"""Rendered images and thumbnails as BlitzGateway gets them, against pictures made here from the pixels and settings."""

import io

import numpy as np
import omero
import pytest
import tifffile
from omero.rtypes import rint
from PIL import Image

from sandbox.omero.client_import import import_files

SIDE = 64
WINDOWS = ((100, 900), (0, 50_000))
COLORS = ("FF0000", "00FF80")


def ramps():
    """Two channels of two z-planes each that rise to the right and downwards: nothing that JPEG would blur."""
    x = np.linspace(0, 1, SIDE)
    first = np.tile(x * 1000, (SIDE, 1))
    second = np.tile(x[:, None] * 60_000, (1, SIDE))
    return np.stack([np.stack([first * (z + 1) / 2, second * (z + 1) / 2]) for z in range(2)]).astype(np.uint16)


def expected(planes, windows=WINDOWS, colors=COLORS):
    """The picture (y, x, 3) of channels (c, y, x): each linear in its window, times its colour, added and clipped."""
    total = 0
    for plane, (start, end), color in zip(planes, windows, colors, strict=True):
        level = np.clip((plane.astype(float) - start) / (end - start), 0, 1)
        total = total + level[..., None] * np.array([int(color[i : i + 2], 16) for i in (0, 2, 4)])
    return np.clip(total, 0, 255)


def small(picture, size):
    return np.asarray(Image.fromarray(np.round(picture).astype(np.uint8)).resize(size, Image.Resampling.BOX), float)


def pixels_of(picture):
    return np.asarray(picture if isinstance(picture, Image.Image) else Image.open(io.BytesIO(picture)), float)


def assert_similar(found, picture, most=14, mean=4):
    """Close enough for JPEG, which keeps brightness better than colour."""
    assert found.shape == picture.shape
    difference = np.abs(found - picture)
    assert difference.mean() < mean
    assert np.quantile(difference, 0.99) < most


@pytest.fixture
def image(gateway):
    planes = ramps()
    stack = (planes[z, c] for z in range(2) for c in range(2))
    made = gateway.createImageFromNumpySeq(stack, "ramps", 2, 2, 1)
    found = gateway.getObject("Image", made.getId())
    found.setActiveChannels([1, 2], [list(window) for window in WINDOWS], list(COLORS))
    return found


@pytest.mark.parametrize("z", [0, 1])
def test_a_rendered_plane_follows_windows_and_colours(image, z):
    assert_similar(pixels_of(image.renderImage(z, 0, compression=1.0)), expected(ramps()[z]))


def test_one_channel_and_greyscale(image):
    image.setActiveChannels([2], [list(WINDOWS[1])], [COLORS[1]])
    assert_similar(
        pixels_of(image.renderImage(1, 0, compression=1.0)), expected(ramps()[1, 1:], WINDOWS[1:], COLORS[1:])
    )
    image.setGreyscaleRenderingModel()
    grey = expected(ramps()[1, 1:], WINDOWS[1:], ("FFFFFF",))
    assert_similar(pixels_of(image.renderImage(1, 0, compression=1.0)), grey)


def test_a_region_is_cut_from_the_plane(image):
    region = pixels_of(image.renderJpegRegion(1, 0, 10, 20, 32, 16, compression=1.0))
    assert_similar(region, expected(ramps()[1])[20:36, 10:42])


@pytest.mark.parametrize("size", [(32,), (16, 16), (96,)])
def test_a_thumbnail_is_the_plane_made_small(image, size):
    assert image.saveDefaults()
    thumbnail = pixels_of(image.getThumbnail(size, z=1, t=0))
    side = size[0]
    assert_similar(thumbnail, small(expected(ramps()[1]), (side, side)), most=30, mean=8)


def test_a_thumbnail_shows_the_middle_plane_of_the_owners_settings(gateway, image):
    assert image.saveDefaults()
    again = gateway.getObject("Image", image.getId())
    assert_similar(pixels_of(again.getThumbnail(32)), small(expected(ramps()[1]), (32, 32)), most=30, mean=8)


def test_thumbnails_of_several_images_at_once(gateway, image):
    assert image.saveDefaults()
    store = gateway.createThumbnailStore()
    pixels = image.getPrimaryPixels().getId()
    found = store.getThumbnailSet(rint(32), rint(32), [pixels, 10**9])
    assert_similar(pixels_of(found[pixels]), small(expected(ramps()[1]), (32, 32)), most=30, mean=8)
    assert not found.get(10**9)
    store.close()


def test_a_plane_larger_than_what_is_rendered_at_once(gateway):
    """OMERO renders what fits into its memory; here it is done in strips, which must not show."""
    ramp = np.add.outer(np.arange(5200) // 40, np.arange(2100) // 20).astype(np.uint8)
    made = gateway.createImageFromNumpySeq(iter([ramp]), "large", 1, 1, 1)
    image = gateway.getObject("Image", made.getId())
    image.setActiveChannels([1], [[0, 255]], ["FFFFFF"])
    assert image.saveDefaults()
    picture = image.renderImage(0, 0, compression=1.0)
    assert picture.size == (2100, 5200)
    for top in (0, 1990, 3990, 5100):  # among them where strips of 2**22 pixels meet
        part = np.repeat(ramp[top : top + 20, :, None], 3, -1).astype(float)
        assert_similar(pixels_of(picture.crop((0, top, 2100, top + 20))), part)
    thumbnail = small(np.repeat(ramp[::10, ::10, None], 3, -1), (42, 104))
    assert_similar(pixels_of(image.getThumbnail(104)), thumbnail, most=30)


def pyramid_tiff(folder, levels):
    path = folder / "pyramid.ome.tif"
    options = {"tile": (128, 128), "photometric": "minisblack"}
    with tifffile.TiffWriter(path) as writer:
        writer.write(levels[0], subifds=len(levels) - 1, metadata={"axes": "YX"}, **options)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, **options)
    return path


def pyramid_zarr(folder, levels):
    import zarr

    path = folder / "pyramid.ome.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=2)
    for number, level in enumerate(levels):
        group.create_array(str(number), data=np.ascontiguousarray(level), chunks=(128, 128))
    scales = [
        {"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [2**n, 2**n]}]}
        for n in range(len(levels))
    ]
    axes = [{"name": name, "type": "space"} for name in "yx"]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": scales, "version": "0.4"}]
    return path


@pytest.mark.parametrize("write", [pyramid_tiff, pyramid_zarr])
def test_pyramids_serve_their_levels_and_pictures(gateway, tmp_path, write):
    base = np.add.outer(np.arange(512), np.arange(640)).astype(np.uint16)
    levels = [base, base[::2, ::2], base[::4, ::4]]
    [image_id] = import_files(gateway.c, [write(tmp_path, levels)])
    image = gateway.getObject("Image", image_id)
    store = gateway.c.sf.createRawPixelsStore()
    store.setPixelsId(image.getPixelsId(), True)
    assert store.getResolutionLevels() == 3
    for number, level in enumerate(reversed(levels)):
        store.setResolutionLevel(number)
        height, width = level.shape
        tile = np.frombuffer(store.getTile(0, 0, 0, width - 40, height - 30, 40, 30), ">u2").reshape(30, 40)
        np.testing.assert_array_equal(tile, level[-30:, -40:])
    store.close()
    image.setActiveChannels([1], [[0, 1200]], ["FFFFFF"])
    assert image.saveDefaults()
    picture = expected(base[None], ((0, 1200),), ("FFFFFF",))
    assert_similar(pixels_of(image.getThumbnail(80)), small(picture, (80, 64)))
    assert_similar(
        pixels_of(image.renderJpegRegion(0, 0, 100, 200, 64, 32, compression=1.0)), picture[200:232, 100:164]
    )
    coarse = pixels_of(image.renderJpegRegion(0, 0, 10, 20, 64, 32, level=0, compression=1.0))
    assert_similar(coarse, picture[::4, ::4][20:52, 10:74])


@pytest.mark.parametrize(("kind", "height", "levels"), [("u2", 3300, 6), ("f4", 3300, 1), ("u2", 3000, 1)])
def test_a_large_image_in_one_size_is_served_in_six(gateway, tmp_path, kind, height, levels):
    """omero-romio, PixelsService: above 3192 x 3192 pixels, but not of floating point numbers."""
    base = np.add.outer(np.arange(height), np.arange(3301)).astype(kind)
    tifffile.imwrite(tmp_path / "large.tif", base)
    [image_id] = import_files(gateway.c, [tmp_path / "large.tif"])
    image = gateway.getObject("Image", image_id)
    store = gateway.c.sf.createRawPixelsStore()
    store.setPixelsId(image.getPixelsId(), True)
    assert store.getResolutionLevels() == levels
    sizes = [(d.sizeX, d.sizeY) for d in store.getResolutionDescriptions()]
    assert sizes == [(3301 >> n, height >> n) for n in range(levels)]
    full = np.frombuffer(store.getTile(0, 0, 0, 3200, 2900, 101, 50), base.dtype.newbyteorder(">"))
    np.testing.assert_array_equal(full.reshape(50, 101), base[2900:2950, 3200:])
    store.setResolutionLevel(0)
    if levels > 1:
        tile = np.frombuffer(store.getTile(0, 0, 0, 40, 20, 60, 80), ">u2").reshape(80, 60)
        blocks = base[20 * 32 : 100 * 32, 40 * 32 : 100 * 32].reshape(80, 32, 60, 32)
        np.testing.assert_array_equal(tile, blocks.mean(axis=(1, 3)).astype(base.dtype))
        image.setActiveChannels([1], [[0, 6600]], ["FFFFFF"])
        coarse = pixels_of(image.renderJpegRegion(0, 0, 40, 20, 60, 80, level=0, compression=1.0))
        assert_similar(coarse, expected(tile[None], ((0, 6600),), ("FFFFFF",)))
        with pytest.raises(omero.ApiUsageException, match="outside the 103 x 103 image"):
            store.getTile(0, 0, 0, 100, 0, 4, 4)
    store.close()

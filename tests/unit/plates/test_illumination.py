"""Uneven illumination is found in made images, and corrected."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.plates.illumination import FlatField, check_alike, corrected, estimate, reduced

SIZE = (150, 200)


def vignette(shape: tuple[int, int] = SIZE) -> np.ndarray:
    y, x = (np.linspace(-1, 1, size) for size in shape)
    light = 1.3 - 0.3 * (y[:, None] ** 2 + x**2) + 0.1 * x
    return light / light.mean()


def made(folder: Path, number: int, light: np.ndarray, dtype: type = np.uint16, offset: int = 100):
    generator = np.random.default_rng(number)
    scene = generator.normal(400, 5, light.shape)
    for y, x in generator.integers(0, light.shape, (12, 2)):
        scene[y : y + 12, x : x + 12] += generator.uniform(500, 1500)
    path = folder / f"{number}.ome.tiff"
    pixels = np.stack([scene * light + offset, scene + offset])
    tifffile.imwrite(path, pixels.astype(dtype), metadata={"axes": "CYX"}, photometric="minisblack")
    return open_image(path, path.name), scene


def test_the_illumination_is_found(tmp_path: Path):
    light = vignette()
    images = [made(tmp_path, number, light)[0] for number in range(24)]
    field = estimate(images, 0, 100, 0.05)
    found = field.region(slice(0, SIZE[0]), slice(0, SIZE[1]))
    error = np.abs(found / found.mean() / light - 1)
    assert np.median(error) < 0.015
    assert error.max() < 0.08
    assert estimate(images, 1, 100, 0.05).spread < 1.1


@pytest.mark.parametrize(("fields", "cells"), [(6, 10), (10, 25), (20, 60)])
def test_cells_do_not_show_in_the_flat_field(tmp_path: Path, fields: int, cells: int):
    """With as many cells a median over all pixels would be wrong by 15 % and more."""
    light, (y, x) = vignette((128, 128)), np.mgrid[:128, :128]
    images = []
    for number in range(fields):
        generator = np.random.default_rng(number)
        scene = generator.normal(400, 10, light.shape)
        for _ in range(cells):
            at, radius = generator.uniform(0, 128, 2), generator.uniform(4, 9)
            scene[(y - at[0]) ** 2 + (x - at[1]) ** 2 < radius**2] += generator.uniform(300, 1500)
        path = tmp_path / f"{number}.tif"
        tifffile.imwrite(path, (scene * light + 100).astype(np.float32))
        images.append(open_image(path, path.name))
    found = estimate(images, 0, 100, 0.05).region(slice(0, 128), slice(0, 128))
    assert np.abs(found / found.mean() / light - 1).max() < 0.04


def test_fields_without_light_in_the_background_tell_nothing_of_it(tmp_path: Path):
    light, images = vignette(), []
    for number in range(20):
        scene = np.full(light.shape, 0.0 if number < 6 else 400.0)
        for y, x in np.random.default_rng(number).integers(0, light.shape, (20, 2)):
            scene[y : y + 12, x : x + 12] += 1000
        tifffile.imwrite(tmp_path / f"{number}.tif", (scene * light).astype(np.float32))
        images.append(open_image(tmp_path / f"{number}.tif", f"{number}"))
    found = estimate(images, 0, 0, 0.05).region(slice(0, SIZE[0]), slice(0, SIZE[1]))
    assert np.abs(found / found.mean() / light - 1).max() < 0.05


def test_corrected_pixels_are_those_without_the_illumination(tmp_path: Path):
    light = vignette()
    pairs = [made(tmp_path, number, light) for number in range(24)]
    field = estimate([image for image, _ in pairs], 0, 100, 0.05)
    image, scene = pairs[3]
    done = corrected(image, [field, None])
    assert done.dtype == np.uint16
    ratio = (done.read_plane() - 100.0) / scene
    before = (image.read_plane() - 100.0) / scene
    assert np.ptp(np.percentile(ratio, [5, 95])) < 0.2 * np.ptp(np.percentile(before, [5, 95]))
    np.testing.assert_array_equal(done.read_plane(c=1), image.read_plane(c=1))


def test_a_tile_is_that_of_the_whole_plane(tmp_path: Path):
    image, _ = made(tmp_path, 1, vignette())
    field = FlatField(vignette((16, 20)), SIZE, 100, 9)
    done = corrected(image, [field, field])
    whole = done.read_plane()
    np.testing.assert_array_equal(done.read_region(0, 0, 0, slice(17, 90), slice(3, 120)), whole[17:90, 3:120])


@pytest.mark.parametrize(("dtype", "highest"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, None)])
def test_pixels_stay_in_the_range_of_their_type(tmp_path: Path, dtype: type, highest: int | None):
    path = tmp_path / "a.tiff"
    tifffile.imwrite(path, np.full((8, 8), 250 if dtype == np.uint8 else 65000, dtype))
    values = np.full((8, 8), 1.0)
    values[0, 0] = 0.5
    done = corrected(open_image(path), [FlatField(values, (8, 8), 0, 3)]).read_plane()
    assert done.dtype == dtype
    assert done[0, 0] == (130000 if highest is None else highest)
    assert done[4, 4] == (250 if dtype == np.uint8 else 65000)


@pytest.mark.parametrize("shape", [(5, 7), (128, 129), (300, 1000)])
def test_reduced_planes_are_means_of_blocks(tmp_path: Path, shape: tuple[int, int]):
    path = tmp_path / "a.tiff"
    pixels = np.random.default_rng(0).integers(0, 60000, shape).astype(np.uint16)
    tifffile.imwrite(path, pixels)
    found = reduced(open_image(path), 0, 0, 0)
    assert max(found.shape) <= 128
    if shape == (5, 7):
        np.testing.assert_array_equal(found, pixels)
    rows = np.rint(np.linspace(0, shape[0], found.shape[0] + 1)).astype(int)
    columns = np.rint(np.linspace(0, shape[1], found.shape[1] + 1)).astype(int)
    last = pixels[rows[-2] : rows[-1], columns[-2] : columns[-1]]
    assert found[-1, -1] == pytest.approx(last.mean())


def test_images_of_several_pixel_types_share_a_flat_field_and_keep_their_types(tmp_path: Path):
    light = vignette()
    pairs = [made(tmp_path, number, light, np.uint16 if number % 2 else np.float32) for number in range(24)]
    field = estimate([image for image, _ in pairs], 0, 100, 0.05)
    for image, scene in pairs[:2]:
        done = corrected(image, [field, None])
        assert done.dtype == image.dtype
        assert np.ptp(np.percentile((done.read_plane() - 100.0) / scene, [5, 95])) < 0.1


def test_images_without_light_do_not_count(tmp_path: Path):
    images = [made(tmp_path, number, vignette())[0] for number in range(3)]
    with pytest.raises(UserError, match="channel channel_0: 0 of 3 planes are brighter than the offset 9000"):
        estimate(images, 0, 9000, 0.05)
    with pytest.raises(UserError, match="2 of 2 planes"):
        estimate(images[:2], 0, 0, 0.05)


def test_images_of_another_size_are_refused(tmp_path: Path):
    one, other = made(tmp_path, 1, vignette())[0], made(tmp_path, 2, vignette((150, 201)))[0]
    with pytest.raises(UserError, match=r"image 2.ome.tiff: it has 201 columns, but 1.ome.tiff has 200"):
        check_alike([one, other])


@pytest.mark.parametrize("smoothing", [-1, 0, 0.6, float("nan")])
def test_a_smoothing_that_is_no_share_is_refused(smoothing):
    with pytest.raises(UserError, match=r"smoothing .*: it must be above 0"):
        estimate([], 0, 0, smoothing)

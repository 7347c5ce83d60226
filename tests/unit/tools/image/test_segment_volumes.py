"""segment_objects in 3D: its watershed as scikit-image has it, sizes, time points, limits."""

from pathlib import Path

import numpy as np
import pytest
import segment_objects
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.segmentation import foreground_mask, volume_objects
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions
from bioimage_suite.segmentation.split_objects import SplitOptions
from tests.unit.segmentation.round_objects import balls


def write_stack(path: Path, volume: np.ndarray, z_size: float | None = 1.0) -> Path:
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": z_size} if z_size else {}
    axes = "ZYX" if volume.ndim == 3 else "TZYX"
    tifffile.imwrite(path, volume, ome=True, photometric="minisblack", metadata={"axes": axes, **sizes})
    return path


def run(tmp_path: Path, image: Path, *options: str) -> np.ndarray:
    output = tmp_path / "labels.ome.tiff"
    segment_objects.main(["--image", str(image), "--output", str(output), "--volume", *options])
    return tifffile.imread(output)


def skimage_steps(volume: np.ndarray, z_step: float, split: SplitOptions) -> np.ndarray:
    """The same steps on the whole volume, by scipy and scikit-image alone."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.segmentation import watershed

    grey = np.rint(gaussian(volume, (1 / z_step, 1, 1), preserve_range=True)).astype(volume.dtype)
    mask = ndimage.binary_fill_holes(grey > threshold_otsu(grey))
    if split.seeds == "none":
        return ndimage.label(mask)[0]
    edges = [2 * max(1, round(split.seed_distance / z_step)) + 1, *[2 * split.seed_distance + 1] * 2]
    sigma = split.seed_smoothing
    height = ndimage.distance_transform_edt(mask, sampling=(z_step, 1, 1)).astype(np.float32)
    height = ndimage.gaussian_filter(height, (sigma / z_step, sigma, sigma), mode="constant")
    height = np.rint(height * 1024) / 1024
    peaks = peak_local_max(height, footprint=np.ones(edges), exclude_border=False, labels=mask.astype(np.uint8))
    markers = np.zeros(volume.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-height, markers, mask=mask)


def objects_of(labels: np.ndarray) -> set[bytes]:
    return {np.flatnonzero(labels == label).tobytes() for label in np.unique(labels[labels > 0])}


@pytest.mark.parametrize("seeds", ["distance", "none"])
@pytest.mark.parametrize("z_size", [1.0, 0.5, None])
def test_objects_equal_those_of_scikit_image(tmp_path, seeds, z_size):
    volume = balls()
    split = SplitOptions(seeds=seeds)
    options = ["--method=otsu", f"--seeds={seeds}", "--seed-distance=7", "--seed-smoothing=1", "--min-area=20"]
    labels = run(tmp_path, write_stack(tmp_path / "stack.ome.tiff", volume, z_size), *options)
    expected = skimage_steps(volume, (z_size or 0.5) / 0.5, split)
    assert objects_of(labels) == objects_of(expected)
    assert labels.max() == (2 if seeds == "none" else 3)


def test_seeds_by_intensity_divide_by_brightness(tmp_path):
    volume = np.zeros((5, 30, 60), np.uint16)
    volume[1:4, 5:25, 5:55] = 500
    volume[2, 15, 15] = volume[2, 15, 45] = 5000
    path = write_stack(tmp_path / "stack.ome.tiff", volume)
    labels = run(tmp_path, path, "--seeds=intensity", "--seed-distance=10", "--smoothing-sigma=2", "--method=li")
    assert labels.max() == 2
    assert labels[2, 15, 15] != labels[2, 15, 45]


def test_size_and_border_limits_count_voxels_and_six_faces(tmp_path):
    volume = np.zeros((6, 40, 40), np.uint16)
    volume[0:3, 5:10, 5:10] = volume[2:5, 20:30, 20:30] = volume[2:4, 5:9, 20:24] = 500
    path = write_stack(tmp_path / "stack.ome.tiff", volume)
    plain = ["--smoothing-sigma=0", "--seeds=none"]
    assert run(tmp_path, path, *plain).max() == 3
    assert run(tmp_path, path, *plain, "--min-area=33").max() == 2
    assert run(tmp_path, path, *plain, "--clear-border").max() == 2
    assert run(tmp_path, path, *plain, "--max-area=100").max() == 2


def test_time_points_have_labels_of_their_own_and_may_share_a_threshold(tmp_path):
    movie = np.zeros((2, 4, 30, 30), np.uint16)
    movie[0, 1:3, 5:15, 5:15] = 1000
    movie[1, 1:3, 5:15, 5:15] = 100
    path = write_stack(tmp_path / "movie.ome.tiff", movie)
    labels = run(tmp_path, path, "--smoothing-sigma=0", "--method=otsu")
    assert labels.shape == movie.shape
    assert (labels[0].max(), labels[1].max()) == (1, 2)
    assert run(tmp_path, path, "--smoothing-sigma=0", "--method=otsu", "--one-threshold").max() == 1


def test_a_single_plane_is_segmented_as_a_plane(tmp_path):
    plane = balls()[9]
    path = tmp_path / "plane.ome.tiff"
    tifffile.imwrite(path, plane, ome=True)
    volume = run(tmp_path, path)
    segment_objects.main(["--image", str(path), "--output", str(tmp_path / "plane.tiff")])
    np.testing.assert_array_equal(volume, tifffile.imread(tmp_path / "plane.tiff"))


def test_constant_volume_has_no_objects(tmp_path):
    path = write_stack(tmp_path / "stack.ome.tiff", np.full((3, 20, 20), 7, np.uint16))
    assert run(tmp_path, path).max() == 0


def test_an_object_too_large_to_split_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(volume_objects, "DIVIDED_VOXELS", 1000)
    path = write_stack(tmp_path / "stack.ome.tiff", balls())
    with pytest.raises(UserError, match="voxels, too many to split"):
        run(tmp_path, path)
    assert [file.name for file in tmp_path.iterdir()] == ["stack.ome.tiff"]


def test_local_thresholds_work_plane_by_plane(tmp_path):
    volume = balls()
    path = write_stack(tmp_path / "stack.ome.tiff", volume)
    options = ForegroundOptions(method="local_mean", local_size=41, local_offset=-100, fill_holes=False)
    smooth = volume_objects.smoothed_volume(lambda z: volume[z], volume.shape, options, 2.0)
    expected = [foreground_mask.foreground_mask(lambda a, b, p=p: p[a:b], *p.shape, options, np.nan) for p in smooth]
    labels = run(
        tmp_path, path, "--method=local_mean", "--local-size=41", "--local-offset=-100", "--keep-holes", "--min-area=0"
    )
    np.testing.assert_array_equal(labels > 0, expected)

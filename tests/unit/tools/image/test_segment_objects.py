"""segment_objects: every step equals scikit-image's definition, bands do not show, and real nuclei are found."""

from pathlib import Path

import numpy as np
import pytest
import segment_objects
import tifffile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model import bands
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.segmentation import foreground_mask
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions
from bioimage_suite.segmentation.split_objects import SplitOptions
from bioimage_suite.segmentation.whole_images import plane_threshold, segment_plane

DATA = Path(__file__).parents[4] / "test-data"


def rows_of(plane: np.ndarray):
    return lambda first, last: plane[first:last]


def segment(plane: np.ndarray, foreground: ForegroundOptions, split: SplitOptions) -> np.ndarray:
    read = foreground_mask.smoothed_plane(rows_of(plane), *plane.shape, foreground)
    threshold = plane_threshold(read, plane.shape, foreground)
    return np.vstack(list(segment_plane(read, plane.shape, foreground, split, threshold)))


def skimage_steps(plane: np.ndarray, sigma: float, distance: int, smoothing: float, smallest: int) -> np.ndarray:
    """The same steps by scikit-image and scipy alone."""
    from scipy.ndimage import binary_fill_holes, distance_transform_edt
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.measure import label
    from skimage.segmentation import watershed

    grey = np.rint(gaussian(plane, sigma, preserve_range=True)).astype(plane.dtype)
    mask = binary_fill_holes(grey > threshold_otsu(grey))
    height = gaussian(distance_transform_edt(mask), smoothing)
    peaks = peak_local_max(height, min_distance=distance, exclude_border=False, labels=mask.astype(np.uint8))
    markers = np.zeros(plane.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-np.rint(height * 1024) / 1024, markers, mask=mask)
    # a component too close to a higher one has no peak: here it stays one object
    rest = label(mask & (labels == 0), connectivity=1)
    labels[rest > 0] = rest[rest > 0] + labels.max()
    labels[np.bincount(labels.ravel())[labels] < smallest] = 0
    return labels


def objects_of(labels: np.ndarray) -> set[bytes]:
    return {np.flatnonzero(labels == label).tobytes() for label in np.unique(labels[labels > 0])}


def test_objects_equal_those_of_scikit_image(nuclei):
    expected = objects_of(skimage_steps(nuclei, 1.0, 7, 1.0, 20))
    found = objects_of(segment(nuclei, ForegroundOptions(method="otsu"), SplitOptions()))
    assert found == expected


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), seeds=st.sampled_from(["distance", "intensity", "none"]), border=st.booleans())
@example(seed=134, seeds="distance", border=False)  # a band whose only object has no top of its own
def test_height_of_bands_does_not_show(seed, seeds, border):
    rng = np.random.default_rng(seed)
    plane = rng.integers(0, 1000, (700, 90)).astype(np.uint16)
    if seed % 3 == 0:
        plane[50:640, 5:9] = 60_000  # a component over all bands
        plane[50:54, 5:80] = plane[636:640, 5:80] = plane[50:640, 76:80] = 60_000  # a ring: everything inside fills
    split = SplitOptions(seeds=seeds, seed_distance=3, min_area=5, clear_border=border)
    foreground = ForegroundOptions(method="otsu", smoothing_sigma=2.5, background_radius=seed % 2 * 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", 1 << 30)
        whole = segment(plane, foreground, split)
        patch.setattr(bands, "BAND_PIXELS", 90 * 64)
        np.testing.assert_array_equal(segment(plane, foreground, split), whole)


def test_labels_run_without_gaps_in_reading_order(nuclei):
    labels = segment(nuclei, ForegroundOptions(method="otsu"), SplitOptions(seeds="none"))
    found, first = np.unique(labels, return_index=True)
    np.testing.assert_array_equal(found, np.arange(labels.max() + 1))
    assert (np.diff(first[1:]) > 0).all()


@pytest.mark.parametrize("value", [0, 100, 65_535])
@pytest.mark.parametrize("method", ["otsu", "multi_otsu", "li", "triangle", "local_mean", "local_otsu"])
def test_constant_image_has_no_objects(value, method):
    plane = np.full((60, 70), value, np.uint16)
    assert segment(plane, ForegroundOptions(method=method), SplitOptions()).max() == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32, np.float64])
def test_pixel_types(dtype):
    plane = np.full((64, 64), 10, dtype)
    plane[10:30, 10:30] = 100
    labels = segment(plane, ForegroundOptions(method="otsu", smoothing_sigma=0), SplitOptions())
    np.testing.assert_array_equal(labels > 0, plane == 100)


def test_size_limits_and_border():
    plane = np.zeros((60, 60), np.uint8)
    plane[0:10, 20:30] = plane[20:24, 20:24] = plane[30:50, 30:50] = 200
    none = ForegroundOptions(method="otsu", smoothing_sigma=0)
    assert segment(plane, none, SplitOptions(min_area=16)).max() == 3
    assert segment(plane, none, SplitOptions(min_area=17)).max() == 2
    assert segment(plane, none, SplitOptions(min_area=17, max_area=399)).max() == 1
    assert segment(plane, none, SplitOptions(min_area=17, max_area=399, clear_border=True)).max() == 0


def f1_at(found: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    areas_found, areas_truth = np.bincount(found.ravel()), np.bincount(truth.ravel())
    matched = 0
    for label in range(1, len(areas_found)):
        others, shared = np.unique(truth[found == label], return_counts=True)
        iou = shared / (areas_found[label] + areas_truth[others] - shared)
        matched += bool((iou[others > 0] > threshold).any())
    return 2 * matched / ((areas_found[1:] > 0).sum() + (areas_truth[1:] > 0).sum())


def test_real_nuclei_agree_with_their_annotation(nuclei):
    """The demo's options (docs: segment_objects help, "small nuclei"): F1 at IoU 0.5 of at least 0.75."""
    truth = tifffile.imread(DATA / "nuclei_truth.ome.tiff")
    labels = segment(nuclei, ForegroundOptions(background_radius=25, method="otsu"), SplitOptions())
    assert f1_at(labels, truth, 0.5) >= 0.75


def run(tmp_path: Path, image: Path, *options: str) -> np.ndarray:
    output = tmp_path / "labels.ome.tiff"
    segment_objects.main(["--image", str(image), "--output", str(output), *options])
    return tifffile.imread(output)


def test_stack_keeps_axes_and_sizes_and_gives_each_object_its_own_label(tmp_path):
    labels = run(tmp_path, DATA / "synthetic_tczyx.ome.tiff", "--channel", "dapi")
    assert labels.shape == (2, 3, 64, 80)
    assert labels.dtype == np.uint16
    np.testing.assert_array_equal(np.unique(labels), np.arange(13))
    source, written = open_image(DATA / "synthetic_tczyx.ome.tiff"), open_image(tmp_path / "labels.ome.tiff")
    assert written.physical_size == source.physical_size
    assert written.time_increment == source.time_increment
    assert (written.size_t, written.size_c, written.size_z) == (2, 1, 3)


def test_same_input_gives_the_same_file(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    run(tmp_path / "a", DATA / "nuclei.ome.tiff")
    run(tmp_path / "b", DATA / "nuclei.ome.tiff")
    assert (tmp_path / "a/labels.ome.tiff").read_bytes() == (tmp_path / "b/labels.ome.tiff").read_bytes()


def test_one_threshold_for_all_planes(tmp_path):
    planes = np.zeros((2, 40, 40), np.uint8)
    planes[0, 5:15, 5:15] = 200
    planes[1, 5:15, 5:15] = 40
    source = tmp_path / "stack.tiff"
    tifffile.imwrite(source, planes, photometric="minisblack")
    assert run(tmp_path, source, "--smoothing-sigma=0", "--method=otsu").max() == 2
    assert run(tmp_path, source, "--smoothing-sigma=0", "--method=otsu", "--one-threshold").max() == 1


def test_one_threshold_for_a_list_of_images(tmp_path):
    paths = []
    for number, brightness in enumerate((200, 40)):
        plane = np.zeros((40, 40), np.uint8)
        plane[5:15, 5:15] = brightness
        paths.append(tmp_path / f"{number}.tiff")
        tifffile.imwrite(paths[-1], plane)
    together = ["--smoothing-sigma=0", "--method=otsu", "--threshold-images", *map(str, paths)]
    assert [run(tmp_path, path, *together).max() for path in paths] == [1, 0]
    assert [run(tmp_path, path, "--smoothing-sigma=0", "--method=otsu").max() for path in paths] == [1, 1]


def test_images_of_several_types_share_no_threshold(tmp_path):
    paths = []
    for dtype in (np.uint8, np.uint16):
        paths.append(tmp_path / f"{np.dtype(dtype).name}.tiff")
        tifffile.imwrite(paths[-1], np.eye(20, dtype=dtype))
    with pytest.raises(UserError, match=r"Image b: its pixels are uint16, those of the images before are uint8"):
        run(tmp_path, paths[0], "--threshold-images", *map(str, paths[:2]), "--threshold-name=a", "--threshold-name=b")


@pytest.mark.parametrize("volume", [[], ["--volume"]])
def test_decimal_numbers_and_long_integers_share_a_threshold(tmp_path, volume):
    planes = np.zeros((2, 1, 40, 40))
    planes[0, 0, 5:25, 5:25], planes[1, 0, 5:25, 5:25] = 0.9, 0.1
    for dtype, scale in ((np.float32, 1), (np.float64, 1), (np.int16, 1000), (np.uint32, 1e6)):
        paths = [tmp_path / f"{number}.tiff" for number in range(2)]
        for path, plane in zip(paths, planes, strict=True):
            stack = np.concatenate([plane, plane]) * scale
            tifffile.imwrite(path, stack.astype(dtype), ome=True, photometric="minisblack", metadata={"axes": "ZYX"})
        segment_objects.threshold_of_files.cache_clear()  # The files of a job do not change, these do.
        alone = [run(tmp_path, path, "--one-threshold", *volume) for path in paths]
        together = [run(tmp_path, path, "--threshold-images", *map(str, paths), *volume) for path in paths]
        assert [int(labels.max() > 0) for labels in (*alone, *together)] == [1, 1, 1, 0]
        if not volume:
            np.testing.assert_array_equal(run(tmp_path, paths[0]) > 0, alone[0] > 0)


def test_all_zero_image_gives_an_empty_label_map(tmp_path):
    labels = run(tmp_path, DATA / "synthetic_zero.ome.tiff")
    assert labels.shape == (64, 80)
    assert labels.max() == 0


def test_failure_leaves_no_output(tmp_path):
    source = tmp_path / "half_nan.tiff"
    planes = np.zeros((2, 40, 40), np.float32)
    planes[1] = np.nan
    tifffile.imwrite(source, planes, photometric="minisblack")
    with pytest.raises(UserError):
        run(tmp_path, source)
    assert [path.name for path in tmp_path.iterdir()] == ["half_nan.tiff"]

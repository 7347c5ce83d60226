"""Objects measured in groups, each after its last block, have the numbers of the whole plane or volume."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile

from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.measurement import object_scan, whole_objects
from bioimage_suite.measurement.measured_columns import MeasureOptions, measure_body


def scattered(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return labels of boxes; some labels lie in several places, so that they begin in one block and end in another."""
    labels = np.zeros(shape, np.int32)
    for label in rng.permutation(60) * 7 + 3:
        for _ in range(rng.integers(1, 4)):
            corner = rng.integers(0, shape)
            labels[tuple(slice(at, at + rng.integers(1, 15)) for at in corner)] = label
    return labels


@pytest.mark.parametrize(("shape", "dtype"), [((130, 90), np.float32), ((130, 90), np.uint8), ((9, 70, 40), np.uint16)])
def test_the_cuts_between_blocks_and_groups_do_not_show(tmp_path, monkeypatch, shape, dtype):
    rng = np.random.default_rng(4)
    axes = {"axes": "YX" if len(shape) == 2 else "ZYX"}
    tifffile.imwrite(tmp_path / "labels.tiff", scattered(shape, rng), ome=True, metadata=axes)
    tifffile.imwrite(
        tmp_path / "image.tiff", rng.normal(90, 30, shape).clip(0, 255).astype(dtype), ome=True, metadata=axes
    )
    labels, image = open_image(tmp_path / "labels.tiff"), open_image(tmp_path / "image.tiff")
    planes = list(range(labels.size_z))

    def measured() -> dict[str, np.ndarray]:
        with ThreadPoolExecutor(2) as pool:
            return measure_body(labels, image, 0, planes, MeasureOptions(), pool=pool).columns

    whole = measured()
    monkeypatch.setattr(object_scan, "TILE_ROWS", 16)
    monkeypatch.setattr(object_scan, "READ_PIXELS", 1)
    monkeypatch.setattr(whole_objects, "GROUP_BYTES", 1)
    cut = measured()
    assert list(cut) == list(whole)
    for name, column in whole.items():
        np.testing.assert_array_equal(cut[name], column, err_msg=name)
        assert cut[name].dtype == column.dtype

"""What a network's output means becomes objects."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.segmentation.model_objects import ObjectOptions, find_objects
from tests.unit.segmentation.round_objects import blobs


def test_meanings():
    one = blobs((40, 60), [(20, 20), (20, 29)], 6)
    edge = np.zeros_like(one)
    edge[:, 24:26] = 1
    prediction = np.stack([one, edge])
    assert find_objects(prediction, ObjectOptions("foreground")).max() == 1
    assert find_objects(prediction, ObjectOptions("foreground", seeds="distance", seed_distance=3)).max() == 2
    assert find_objects(prediction, ObjectOptions("foreground_boundary", seed_distance=3), 5).max() == 6
    classes = find_objects(np.stack([1 - one, one * 0.6, edge]), ObjectOptions("classes"))
    assert sorted(np.unique(classes)) == [0, 1, 2]
    labels = np.zeros((1, 9, 9), np.float32)
    labels[0, :5, :5], labels[0, 8, 8] = 70_000, 3
    assert sorted(np.unique(find_objects(labels, ObjectOptions("labels", min_size=2), 4))) == [0, 4]
    with pytest.raises(UserError, match="Channel 7"):
        ObjectOptions(foreground=7).check(2, "m")

"""What surrounds the points of a table."""

import numpy as np
import pytest

from bioimage_suite.spatial.scenes import box_around


def test_box_around_points():
    box = box_around(np.array([[0.0, 0], [10, 20], [5, 5], [2, 2]]), "x")
    assert box.lower == pytest.approx([5 - 5 * 5 / 3, 10 - 10 * 5 / 3])

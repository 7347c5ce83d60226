"""Columns of a measurement table."""

import numpy as np

from bioimage_suite.measurement import measured_columns


def test_pixels_that_are_not_square_have_no_length_in_um():
    columns = {name: np.ones(1) for name in ("area_px", "perimeter_px", "centroid_x_px")}
    assert set(measured_columns.with_units(columns, 0.5, 0.25)) - set(columns) == {"area_um2", "centroid_x_um"}
    assert measured_columns.with_units(columns, None, 0.25) == columns

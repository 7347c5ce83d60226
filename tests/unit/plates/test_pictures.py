"""Heat maps show each well in its place, up to 1,536 of them."""

import io

import numpy as np
from PIL import Image

from bioimage_suite.plates.controls import Controls
from bioimage_suite.plates.dose_response import Curve
from bioimage_suite.plates.pictures import curve_panels, heat_maps, plate_array
from bioimage_suite.tables.plate_layout import well_label
from tests.unit.plates.tables import profiles_of


def test_a_well_stands_in_its_row_and_column():
    profiles = profiles_of("A1 B12 AF48", np.array([[1.0], [2], [3]]))
    grid = plate_array(profiles, profiles.values[:, 0], "P")
    assert grid.shape == (32, 48)
    assert (grid[0, 0], grid[1, 11], grid[31, 47]) == (1, 2, 3)
    assert np.isnan(grid).sum() == 32 * 48 - 3


def test_maps_of_wells_without_values_and_with_odd_names():
    profiles = profiles_of("A1 A2", np.array([[np.nan], [np.nan]]), counts=[0, 0])
    none = np.zeros(2, bool)
    png = heat_maps(profiles, Controls(none, none), [("cost $ \\frac{", profiles.values[:, 0])], none)
    assert Image.open(io.BytesIO(png)).size[0] > 100


def test_maps_of_1536_wells_stay_within_a_screen():
    wells = " ".join(well_label(row, column) for row in range(32) for column in range(48))
    profiles = profiles_of(wells, np.arange(1536.0)[:, None])
    none = np.zeros(1536, bool)
    panels = [("score", profiles.values[:, 0]), ("number of objects", profiles.counts.astype(float))]
    width, height = Image.open(io.BytesIO(heat_maps(profiles, Controls(none, none), panels, none))).size
    assert 1200 < width < 2400
    assert 300 < height < 1600


def test_panels_of_curves_without_a_fit():
    curves = [Curve("a $x", np.array([]), np.array([]), note="fewer"), Curve("b", np.array([1.0, 2]), np.ones(2))]
    assert Image.open(io.BytesIO(curve_panels(curves, "dose $", "score_{"))).size[0] > 100
    assert curve_panels([], "dose", "score").startswith(b"\x89PNG")

"""A choice of features leaves out columns and changes no other."""

import pytest

from bioimage_suite.measurement.measured_columns import GROUPS
from tests.unit.tools.image.measuring import DATA, measure

PLANE = (DATA / "nuclei_truth.ome.tiff", DATA / "nuclei.ome.tiff")
VOLUME = (DATA / "volume_cells.ome.tiff", None, "--volume", "--neighbours-within=30")


@pytest.mark.parametrize("data", [PLANE, VOLUME])
@pytest.mark.parametrize(
    "chosen", [[], ["position"], ["outline", "box"], ["hull", "intensity"], ["ellipse"], [*GROUPS]]
)
def test_chosen_columns_are_those_of_the_whole_table(tmp_path, data, chosen):
    whole = measure(tmp_path, *data)
    some = measure(tmp_path, *data, "--features", *chosen)
    assert len(whole) == len(some) > 0
    columns = list(some[0])
    assert [{name: row[name] for name in columns} for row in whole] == some
    left_out = tuple(begin for group in {*GROUPS} - {*chosen} for begin in GROUPS[group])
    greys = () if "intensity" in chosen else ("mean_", "min_", "max_", "std_", "sum_")
    assert columns == [name for name in whole[0] if not name.startswith((*left_out, *greys))]


def test_a_summary_needs_no_feature(tmp_path):
    measure(tmp_path, *PLANE, "--output-summary", str(tmp_path / "summary.tsv"), "--features")
    header, row = (tmp_path / "summary.tsv").read_text().splitlines()
    assert header.split("\t")[:4] == ["image", "objects", "sum_of_area_px", "foreground_fraction"]
    assert row.split("\t")[1] == "125"

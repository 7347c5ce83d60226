"""From objects to wells."""

import statistics
from pathlib import Path

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.aggregation import aggregate
from bioimage_suite.plates.profiles import read_profiles, write_profiles
from bioimage_suite.plates.well_store import WellStore
from bioimage_suite.plates.wells import Well, read_wells
from tests.unit.plates.tables import write_cells


@pytest.fixture
def wells(tmp_path: Path):
    path = tmp_path / "layout.tsv"
    path.write_text("image\timage_id\twell\tdrug\na\t7\tA1\tx\nb\t8\tA2\ty\nc\t9\tB1\tz\n")
    return read_wells([(path, "layout")], "P")


def test_the_median_of_each_well_and_a_well_without_cells(tmp_path: Path, wells):
    one = write_cells(
        tmp_path / "a", "label area_um2 mean_DAPI class", [(1, 2, 5, "q"), (2, 4, "", "r"), (3, 9, 7, "q")]
    )
    two = write_cells(tmp_path / "Image_8_b.ome.tiff", "label area_um2", [(1, 3)])
    found = aggregate([one, two], wells, "*")
    assert found.texts == ("class",)
    assert found.profiles.features == ("area_um2", "mean_DAPI")
    assert found.profiles.counts.tolist() == [3, 1, 0]
    np.testing.assert_array_equal(found.profiles.values, [[4, 6], [3, np.nan], [np.nan, np.nan]])
    assert found.profiles.conditions == {"drug": ("x", "y", "z")}


def test_one_table_of_all_images_in_any_order(tmp_path: Path, wells):
    generator = np.random.default_rng(0)
    rows = [("abc"[n % 3], n, float(value)) for n, value in enumerate(generator.normal(size=40))]
    table = write_cells(tmp_path / "all", "image label f", rows)
    expected = [statistics.median(value for image, _, value in rows if image == name) for name in "abc"]
    assert aggregate([table], wells, "f").profiles.values[:, 0].tolist() == expected


@pytest.mark.parametrize("limit", [0, 100, 10_000])
def test_objects_come_back_in_order_from_memory_and_from_disk(tmp_path: Path, limit: int):
    one, two = Well("P", 0, 0), Well("P", 0, 1)
    store = WellStore(tmp_path, 2, limit)
    values = np.arange(40.0).reshape(20, 2)
    for place in range(0, 20, 4):
        store.add(one, values[place : place + 2])
        store.add(two, values[place + 2 : place + 4])
    picked = np.arange(20) % 4 < 2
    np.testing.assert_array_equal(store.values(one), values[picked])
    np.testing.assert_array_equal(store.values(two), values[~picked])
    assert store.values(Well("P", 1, 0)).shape == (0, 2)


def test_mean_and_mad_beside_the_median(tmp_path: Path, wells):
    table = write_cells(tmp_path / "a", "label f", [(1, 1), (2, 2), (3, 9)])
    found = aggregate([table], wells, "f", ("median", "mad", "mean")).profiles
    assert found.features == ("f", "mad_of_f", "mean_of_f")
    assert found.values[0].tolist() == [2, 1, 4]


def test_tables_that_name_wells(tmp_path: Path):
    layout = write_cells(tmp_path / "layout", "plate well", [("P", "A1"), ("Q", "A1"), ("Q", "AF48")])
    table = write_cells(tmp_path / "t", "plate well f", [("Q", "a01", 3), ("P", "A1", 1), ("Q", "AF48", 8)])
    assert aggregate([table], read_wells([layout]), "f").profiles.values[:, 0].tolist() == [1, 3, 8]


def test_parquet_and_text_give_the_same(tmp_path: Path, wells):
    import pyarrow.csv
    import pyarrow.parquet

    rows = [("a", 1, 0.1), ("b", 2, 1 / 3), ("a", 3, 2e-310)]
    text = write_cells(tmp_path / "t", "image label f", rows)
    read = pyarrow.csv.read_csv(text[0], parse_options=pyarrow.csv.ParseOptions(delimiter="\t"))
    pyarrow.parquet.write_table(read, tmp_path / "p")
    both = [aggregate([file], wells, "*").profiles.values for file in (text, (tmp_path / "p", "p"))]
    np.testing.assert_array_equal(*both)
    assert both[0][1, 0] == 1 / 3


def test_infinite_and_missing_values_do_not_count(tmp_path: Path, wells):
    table = write_cells(tmp_path / "a", "label f g", [(1, "inf", ""), (2, 4, "nan"), (3, "NA", "")])
    np.testing.assert_array_equal(aggregate([table], wells, "*").profiles.values[0], [4, np.nan])


@pytest.mark.parametrize(
    ("columns", "row", "features", "message"),
    [
        ("label f", (1, 2), "g", "feature 'g': no table has such a column"),
        ("label class", (1, "q"), "class", "it holds texts"),
        ("label f", (1, 2), "", "none is named"),
        ("image f", ("q", 2), "*", "image 'q': no layout table says its well"),
        ("f f", (1, 2), "*", "occurs twice"),
        ("label f", (1, 2, 3), "*", "table a: .*columns"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, wells, columns, row, features, message):
    table = write_cells(tmp_path / "a", columns, [row])
    with pytest.raises(UserError, match=message):
        aggregate([table], wells, features)


def test_a_text_far_down_in_a_column_of_numbers(tmp_path: Path, wells):
    table = write_cells(tmp_path / "a", "label f", [*((n, n / 7) for n in range(1_200_000)), (1, "oops")])
    with pytest.raises(UserError, match=r"table a: .*oops"):
        aggregate([table], wells, "f")


def test_an_empty_table_is_an_image_without_objects(tmp_path: Path, wells):
    found = aggregate(
        [write_cells(tmp_path / "a", "label f", []), write_cells(tmp_path / "b", "label f", [(1, 2)])], wells, "f"
    )
    assert found.profiles.counts.tolist() == [0, 1, 0]


def test_profiles_read_back_as_they_were(tmp_path: Path, wells):
    table = write_cells(tmp_path / "a", "label f g", [(1, 1 / 3, ""), (2, 5, "")])
    found = aggregate([table], wells, "*").profiles
    write_profiles(tmp_path / "p", found)
    again = read_profiles(tmp_path / "p", "p")
    assert (again.wells, again.features, again.conditions) == (found.wells, found.features, found.conditions)
    np.testing.assert_array_equal(again.values, found.values)
    np.testing.assert_array_equal(again.counts, found.counts)

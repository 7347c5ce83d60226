"""filter_objects: conditions are checked, label map and table stay the same objects."""

from pathlib import Path

import filter_objects
import measure_objects
import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.measurement_table import MeasurementTable, read_measurement_table
from bioimage_suite.tables.row_expression import rows_that_match

DATA = Path(__file__).parents[3] / "test-data"
TABLE = MeasurementTable(
    "t",
    ("label", "area_px", "mean_GFP & x", "kind", "hole"),
    (("1", "10", "0.5", "cell", ""), ("2", "20", "1.5", "debris", "3"), ("3", "30", "2.5", "cell", "0")),
)


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("area_px > 10", [2, 3]),
        ("10 < area_px <= 20", [2]),
        ("area_px >= 10 and not (area_px == 20)", [1, 3]),
        ("`mean_GFP & x` * 2 > area_px / 10 or kind == 'cell'", [1, 2, 3]),
        ("kind != 'cell'", [2]),
        ("hole >= 0", [2, 3]),
        ("hole < 1", [3]),
        ("area_px / hole > 5", [2, 3]),
        ("area_px >= median(area_px)", [2, 3]),
        ("sqrt(area_px) > 5 or -area_px > -11", [1, 3]),
        ("label\n==\n2", [2]),
        ("1 < 2", [1, 2, 3]),
        ("log10(hole) > 0", [2]),
    ],
)
def test_expressions(expression, kept):
    matching = rows_that_match(expression, TABLE)
    assert [int(row[0]) for row, keep in zip(TABLE.rows, matching, strict=True) if keep] == kept


@pytest.mark.parametrize(
    "expression",
    [
        "", "   ", "area_px", "area_px >", "area_px > 'a'", "kind > 'a'", "kind == 3", "area_px + kind > 1",
        "__import__('os').system('true')", "area_px.__class__ == 1", "[area_px] == 1", "area_px if 1 else 2",
        "lambda: 1", "area_px > True", "open('x') == 1", "area_px ** 99999 > 1", "(area_px > 1) + 1", "not area_px",
        "min(area_px, label) > 1", "f'{area_px}' == 'a'", "(" * 400 + ")" * 400, "nothing > 1", "`no such` > 1",
        "not " * 1200 + "area_px > 1", "area_px" + "+1" * 2000 + " > 1", "area_px > 1" + "0" * 400, "area_px == b'1'",
        "1j > area_px", "... == 1", "area_px > 1\0", "area_px in (1, 2)", "x" * 6000,
        "area_px > 1; 2", "area_px := 3", "sum(area_px) > 1", "kind",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(expression):
    with pytest.raises(UserError):
        rows_that_match(expression, TABLE)


def test_no_rows():
    empty = MeasurementTable("t", TABLE.columns, ())
    assert rows_that_match("area_px > 10 and area_px > mean(area_px)", empty).shape == (0,)


def run(tmp_path: Path, labels: Path, keep: str, table: Path | None = None) -> tuple[np.ndarray, MeasurementTable]:
    if table is None:
        table = tmp_path / "in.tsv"
        measure_objects.main([f"--labels={labels}", f"--output={table}"])
    outputs = tmp_path / "out.ome.tiff", tmp_path / "out.tsv"
    filter_objects.main([
        f"--labels={labels}", f"--table={table}", f"--keep={keep}", f"--output-labels={outputs[0]}",
        f"--output-table={outputs[1]}",
    ])  # fmt: skip
    return tifffile.imread(outputs[0]), read_measurement_table(outputs[1], "out")


def test_map_and_table_keep_the_same_objects(tmp_path):
    kept, table = run(tmp_path, DATA / "nuclei_truth.ome.tiff", "area_px > 200 and solidity > 0.95")
    before = tifffile.imread(DATA / "nuclei_truth.ome.tiff")
    wanted = table.whole_numbers("label")
    assert 0 < len(wanted) < 125
    np.testing.assert_array_equal(kept, np.where(np.isin(before, wanted), before, 0))
    assert np.bincount(kept.ravel())[wanted].min() > 200


def test_planes_are_filtered_one_by_one(tmp_path):
    labels = np.zeros((2, 40, 40), np.uint16)
    labels[0, 5:15, 5:15] = labels[1, 5:25, 5:25] = 3
    tifffile.imwrite(tmp_path / "l.tiff", labels, photometric="minisblack", metadata={"axes": "ZYX"})
    kept, table = run(tmp_path, tmp_path / "l.tiff", "area_px > 100")
    assert kept[0].max() == 0
    np.testing.assert_array_equal(kept[1], labels[1])
    assert table.texts("z") == ["1"]


def test_nothing_left_and_nothing_given(tmp_path):
    kept, table = run(tmp_path, DATA / "nuclei_truth.ome.tiff", "area_px > 1e9")
    assert (kept.max(), len(table.rows)) == (0, 0)
    kept, table = run(tmp_path, DATA / "synthetic_zero.ome.tiff", "area_px > 1")
    assert (kept.max(), len(table.rows), kept.shape) == (0, 0, (64, 80))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\tarea_px\n9\t1\n", "object 9 is not in label map"),
        ("area_px\n9\n", "no column 'label'"),
        ("image\tlabel\na\t1\nb\t2\n", "several images"),
        ("label\tz\n1\t3\n", "z runs to 3"),
        ("", "empty"),
        ("label\n1.5\n", "not a whole number"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, text, message):
    (tmp_path / "t.tsv").write_text(text)
    with pytest.raises(UserError, match=message):
        run(tmp_path, DATA / "synthetic_labels.ome.tiff", "label > 0", tmp_path / "t.tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["t.tsv"]

"""filter_objects: conditions are checked, label map and table stay the same objects."""

from pathlib import Path

import filter_objects
import measure_objects
import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.measurement_table import MeasurementTable, read_measurement_table

DATA = Path(__file__).parents[4] / "test-data"


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

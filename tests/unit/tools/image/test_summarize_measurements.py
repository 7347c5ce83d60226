"""summarize_measurements: no digit lost, statistics as defined, a report that nothing breaks out of."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import summarize_measurements
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.grouped_values import statistics
from bioimage_suite.tables.measurement_table import read_measurement_table

DATA = Path(__file__).parents[4] / "test-data"
OUTPUTS = ("table-out", "statistics-out", "plot", "report")


def summarize(folder: Path, tables: dict[str, str], *more: str, pictures: dict[str, Path] | None = None) -> Path:
    """Run the tool on tables given as text."""
    listed = []
    for number, (name, text) in enumerate(tables.items()):
        (folder / f"{number}.tsv").write_text(text)
        listed.append([name, str(folder / f"{number}.tsv")])
    shown = [[name, str(path)] for name, path in (pictures or {}).items()]
    (folder / "in.json").write_text(json.dumps({"tables": listed, "pictures": shown}))
    outputs = [f"--{name}={folder / name}" for name in OUTPUTS]
    summarize_measurements.main(["--inputs", str(folder / "in.json"), *outputs, *more])
    return folder


def rows_of(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_tables_are_joined_without_losing_a_digit_or_a_column(tmp_path):
    tables = {"a": "label\tarea_px\n1\t0.30000000000000004\n2\t5\n", "b": "image\tlabel\tmean_X\nIm\t1\t7\n\t2\t8\n"}
    summarize(tmp_path, tables, "--features=area_px,mean_*")
    assert rows_of(tmp_path / "table-out") == [
        ["image", "label", "area_px", "mean_X"],
        ["a", "1", "0.30000000000000004", ""],
        ["a", "2", "5", ""],
        ["Im", "1", "", "7"],
        ["b", "2", "", "8"],
    ]


def test_statistics_of_each_image_also_of_one_without_objects(tmp_path):
    tables = {"a": "label\tarea_px\n1\t1\n2\t2\n3\t6\n", "empty": "label\tarea_px\n", "one": "label\tarea_px\n1\t4\n"}
    summarize(tmp_path, tables, "--features=area_px")
    assert rows_of(tmp_path / "statistics-out")[1:] == [
        ["a", "area_px", "3", "3.0", repr(float(np.std([1, 2, 6], ddof=1))), "1.0", "1.5", "2.0", "4.0", "6.0"],
        ["empty", "area_px", "0", *[""] * 7],
        ["one", "area_px", "1", "4.0", "", "4.0", "4.0", "4.0", "4.0", "4.0"],
    ]
    assert "4 rows in 3 images." in (tmp_path / "report").read_text()


def test_a_list_without_any_object_is_no_error(tmp_path):
    summarize(tmp_path, {"a": "label\tarea_px\n"}, "--features=area_px")
    assert rows_of(tmp_path / "table-out") == [["image", "label", "area_px"]]
    assert (tmp_path / "plot").stat().st_size > 0


def test_groups_are_counted_apart(tmp_path):
    text = "image\tstain\th_score\nx\tDAB\t10\nx\tH\t20\ny\tDAB\t30\n"
    summarize(tmp_path, {"t": text}, "--features=h_score", "--group-by=stain")
    found = {(row[0], row[1]): row[3] for row in rows_of(tmp_path / "statistics-out")[1:]}
    assert found == {("x", "DAB"): "1", ("x", "H"): "1", ("y", "DAB"): "1", ("y", "H"): "0"}


def test_groups_of_two_columns(tmp_path):
    text = "image\tfrom\tto\tr\nx\tA\tA\t1\nx\tA\tB\t2\ny\tA\tB\t3\n"
    summarize(tmp_path, {"t": text}, "--features=r", "--group-by=from, to")
    rows = rows_of(tmp_path / "statistics-out")
    assert rows[0][:4] == ["image", "from", "to", "feature"]
    assert [(*row[:3], row[4]) for row in rows[1:]] == [
        ("x", "A", "A", "1"), ("x", "A", "B", "1"), ("y", "A", "A", "0"), ("y", "A", "B", "1"),
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_statistics_are_ordered_and_agree_with_numpy(values):
    count, mean, std, low, first, middle, third, high = statistics(np.array(values))
    assert count == len(values)
    assert low <= first <= middle <= third <= high
    # The mean of the two in the middle and the point between them may differ in the last digit.
    assert middle == pytest.approx(np.median(values), rel=1e-12, abs=1e-300)
    assert mean == np.mean(values)
    assert std == np.std(values, ddof=1)


def test_names_cannot_become_markup_or_formulas(tmp_path):
    name = '"><script>$\\frac{</script>'
    tables = {name: f"label\tmean_{name}\ttype\n1\t1\t$\\frac{{$\n2\t2\tb\n"}
    summarize(
        tmp_path, tables, "--features=mean_*", f"--title={name}", "--group-by=type", pictures={name: DATA / "ihc.png"}
    )
    page = (tmp_path / "report").read_text()
    assert "<script" not in page
    assert page.count("data:image/png;base64,") == 2


def test_real_table_comes_back_as_it_was(tmp_path):
    text = (DATA / "two_classes.tabular").read_text()
    summarize(tmp_path, {"t": text}, "--features=centroid_*", "--group-by=type")
    assert (tmp_path / "table-out").read_text() == text
    assert len(read_measurement_table(tmp_path / "statistics-out", "s").rows) == 4


def test_sheet_holds_all_pictures_however_large(tmp_path):
    from PIL import Image

    Image.new("RGB", (3000, 500), (9, 200, 9)).save(tmp_path / "wide.png")
    tables = {"a": "label\tarea_px\n1\t1\n"}
    pictures = {"wide": tmp_path / "wide.png", "tissue": DATA / "ihc.png"}
    summarize(tmp_path, tables, "--features=area_px", f"--sheet={tmp_path / 'sheet'}", pictures=pictures)
    sheet = np.asarray(Image.open(tmp_path / "sheet"))
    assert sheet.shape[1] == 2 * 1000 + 3 * 16
    assert (sheet == (9, 200, 9)).all(axis=2).sum() > 100_000
    with pytest.raises(UserError, match="no pictures"):
        summarize(tmp_path, tables, "--features=area_px", f"--sheet={tmp_path / 'sheet'}")
    for number, broken in enumerate((DATA / "not_an_image.tiff", declaring(tmp_path / "wide.png", 20_000))):
        with pytest.raises(UserError, match=r"Picture broken: not a readable PNG: .*\. Leave it out\."):
            summarize(
                tmp_path, tables, "--features=area_px", f"--sheet={tmp_path / f'{number}'}", pictures={"broken": broken}
            )


def declaring(path: Path, side: int) -> Path:
    """Let a PNG declare another width and height."""
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", side, side)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("tables", "more", "message"),
    [
        ({}, ["--features=a"], "no table to summarize"),
        (
            {"t": "a\tb\n1\t2\n"},
            ["--features=c*"],
            "Feature 'c\\*': no table has such a column. Choose among: image, a, b",
        ),
        ({"t": "a\tb\n1\t2\n"}, ["--features= , "], "No feature was asked for"),
        ({"t": "a\tb\nx\t2\n"}, ["--features=a"], "'x' of image t is no finite number"),
        ({"t": "a\tb\n1\t2\n"}, ["--features=a", "--group-by=z"], "no column 'z'"),
        ({"t": ""}, ["--features=a"], "is empty"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_left(tmp_path, tables, more, message):
    with pytest.raises(UserError, match=message):
        summarize(tmp_path, tables, *more)
    assert not [name for name in OUTPUTS if (tmp_path / name).exists()]

"""Measurement tables: the quick way to read them and the careful one agree; what is written reads back."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables import measurement_table
from bioimage_suite.tables.measurement_table import (
    POSITION_DIGITS,
    MeasurementTable,
    as_positions,
    read_measurement_table,
    write_rows,
)
from bioimage_suite.tables.reader import read_table

CELLS = st.text(st.sampled_from("ab1.-+=' \"\t,;\r\n#µ\x0b\x7f"), max_size=6)


def careful(path):
    """What read_measurement_table says without its quick way; the error's text where there is one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measurement_table, "_plain_rows", lambda _: None)
        try:
            return read_measurement_table(path, "t")
        except UserError as error:
            return str(error)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=4), st.booleans())
def test_the_quick_way_reads_what_the_careful_one_reads(tmp_path_factory, cells, ends):
    path = tmp_path_factory.getbasetemp() / "quick.tsv"
    text = "\n".join("\t".join(row) for row in cells) + ("\n" if ends else "")
    path.write_bytes(text.encode())
    rows = measurement_table._plain_rows(path)
    if rows is not None:
        assert careful(path) == MeasurementTable("t", rows[0], tuple(rows[1:]))


def test_usual_tables_go_the_quick_way(tmp_path):
    write_rows(tmp_path / "t", ("image", "label", "area_px"), [("a b.tif", 1, 0.1), ("c", 2, None)])
    assert measurement_table._plain_rows(tmp_path / "t") == [
        ("image", "label", "area_px"), ("a b.tif", "1", "0.1"), ("c", "2", ""),
    ]  # fmt: skip


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_text_is_one_cell_and_keeps_its_letters(text):
    cell = measurement_table.format_cell(text)
    assert len(cell.splitlines()) <= 1
    assert "\t" not in cell
    assert cell.replace(" ", "") == "".join(
        letter for letter in text if letter not in "\t\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029 "
    )


def test_names_with_two_blanks_stay_as_they_are(tmp_path):
    write_rows(tmp_path / "t", ("image", "n"), [("a  b", 1)])
    assert read_table(tmp_path / "t", "t").rows[1].cells == ("a  b", "1")


@given(npst.arrays(np.float64, 20, elements=st.floats(-1e9, 1e9)))
def test_positions_have_ten_digits_and_are_where_they_were(values):
    shown = as_positions(values)
    for value, one in zip(values.tolist(), shown.tolist(), strict=True):
        digits = Decimal(repr(one)).normalize().as_tuple().digits
        assert len(digits) <= POSITION_DIGITS
        assert abs(one - value) <= max(5.1e-10 * abs(value), 1e-15)


def test_a_measured_position_loses_the_noise_of_the_arithmetic_only():
    assert as_positions(np.array([127.49999999999999, 1 / 3, 0.0, 46_999.987654321])).tolist() == [
        127.5,
        0.3333333333,
        0.0,
        46_999.98765,
    ]
    assert np.isnan(as_positions(np.array([np.nan]))).all()


def test_a_line_break_in_the_name_of_a_column_does_not_break_the_header(tmp_path):
    write_rows(tmp_path / "t.tsv", ["image", "area\n(px)", "a\tb"], [["a", 1, 2]])
    assert (tmp_path / "t.tsv").read_text() == "image\tarea (px)\ta b\na\t1\t2\n"


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_quote_that_is_not_closed_does_not_swallow_the_rows_below_it(separator, tmp_path):
    rows = (["image", "label", "x"], ["a", "1", "2"], ['"b', "2", "3"], ["c", "3", "4"])
    (tmp_path / "t").write_text("".join(separator.join(row) + "\n" for row in rows))
    with pytest.raises(UserError, match=r"line 3: not a readable table .* Fix the quotes there"):
        read_measurement_table(tmp_path / "t", "t")

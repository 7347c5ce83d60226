"""Cells that Python reads as numbers although no table means them, and objects with two rows."""

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.grouped_values import grouped
from bioimage_suite.tables.measurement_table import MeasurementTable, number_of
from bioimage_suite.tables.row_expression import rows_that_match


def table(*cells: str, column: str = "area_px") -> MeasurementTable:
    return MeasurementTable("t", ("image", column), tuple(("a", cell) for cell in cells))


@pytest.mark.parametrize("text", ["1_000", "inf", "-Infinity", "1e999", "٣", "x", "1,5"])
def test_a_text_that_is_no_number_is_refused_and_its_row_named(text):
    with pytest.raises(ValueError, match=r"float|\d|inf|Inf|1e999|٣"):
        number_of(text)
    with pytest.raises(UserError, match="row 2 below the header: area_px is"):
        table("1", text).numbers("area_px")
    with pytest.raises(UserError, match="of image a is no finite number"):
        grouped(table("1", text), ["a"], ["area_px"], [])
    with pytest.raises(UserError, match="a text is compared with a number"):
        rows_that_match("area_px > 0", table("1", text))


@pytest.mark.parametrize(("text", "number"), [("1e3", 1000.0), (" 2 ", 2.0), ("-0.5", -0.5), ("+7", 7.0)])
def test_usual_numbers_are_read(text, number):
    assert number_of(text) == number
    assert table(text).numbers("area_px").tolist() == [number]


@pytest.mark.parametrize("text", ["9007199254740993", "1e308", "1.5"])
def test_whole_numbers_that_a_float_cannot_hold_are_refused(text):
    with pytest.raises(UserError, match="not a whole number"):
        table("1", text).whole_numbers("area_px")


def test_objects_with_two_rows_are_named():
    columns = ("image", "t", "label", "area_px")
    rows = (("a", "0", "1", "5"), ("a", "1", "1", "5"), ("a", "1", "1", "6"), ("b", "1", "1", "5"))
    assert MeasurementTable("t", columns, rows).objects_twice() == ["label 1, t 1, image a"]
    assert MeasurementTable("t", columns[:2], ()).objects_twice() == []


@pytest.mark.parametrize("again", ["1.0", "01", "+1", "1e0", " 1"])
def test_an_object_whose_label_is_written_in_two_ways_is_one(again):
    rows = (("a", "1"), ("a", again), ("01", "1"), ("1", "1"), ("a", "x"), ("a", "X"), ("a", ""))
    assert MeasurementTable("t", ("image", "label"), rows).objects_twice() == ["label 1, image a"]

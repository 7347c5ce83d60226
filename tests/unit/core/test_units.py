"""Units: every symbol of OME's schema, whatever others write for it, and what one is in micrometres or seconds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ome_types.model import UnitsLength, UnitsTime

from bioimage_suite.core.units import LENGTH, TIME, micrometres, seconds

NGFF_LENGTHS = """angstrom attometer centimeter decimeter exameter femtometer foot gigameter hectometer inch kilometer
megameter meter micrometer mile millimeter nanometer parsec petameter picometer terameter yard yoctometer yottameter
zeptometer zettameter"""
NGFF_TIMES = """attosecond centisecond day decisecond exasecond femtosecond gigasecond hectosecond hour kilosecond
megasecond microsecond millisecond minute nanosecond petasecond picosecond second terasecond yoctosecond yottasecond
zeptosecond zettasecond"""


@pytest.mark.parametrize(("table", "schema"), [(LENGTH, UnitsLength), (TIME, UnitsTime)])
def test_the_table_is_that_of_the_schema(table, schema):
    assert set(table.units) == {one.value for one in schema}
    assert all(table.symbol(one.value) == one.value for one in schema)


@pytest.mark.parametrize(("table", "names"), [(LENGTH, NGFF_LENGTHS), (TIME, NGFF_TIMES)])
def test_names_of_ome_zarr(table, names):
    """OME-NGFF 0.5, axes: the whole list, and nothing beside it."""
    assert {unit.ngff for unit in table.units.values() if unit.ngff} == set(names.split())
    assert all(table.ngff(name) == name for name in names.split())


@pytest.mark.parametrize(
    ("spelling", "symbol"),
    [
        ("µm", "µm"), ("\u03bcm", "µm"), ("um", "µm"), ("micron", "µm"), ("Microns", "µm"), ("micrometers", "µm"),
        ("micrometre", "µm"), ("\\u00B5m", "µm"), (" um ", "µm"), ("UM", "µm"), ("µ", "µm"), ("Âµm", "µm"),
        ("\N{SQUARE MU M}", "µm"), ("[um]", "µm"), ("nanometers", "nm"), ("NM", "nm"), ("mm", "mm"), ("Mm", "Mm"),
        ("millimetres", "mm"), ("centimeter", "cm"), ("inch", "in"), ("inches", "in"), ("Meter", "m"),
        ("\N{ANGSTROM SIGN}", "Å"), ("angstrom", "Å"), ("A", "Å"), ("pixels", "pixel"), ("px", "pixel"),
        ("MM", None), ("", None), (None, None), ("furlong", None), ("sec", None),
        ("reference frame", "reference frame"),
    ],
)  # fmt: skip
def test_lengths_as_others_write_them(spelling, symbol):
    assert LENGTH.symbol(spelling) == symbol


@pytest.mark.parametrize(
    ("spelling", "symbol"),
    [
        ("s", "s"), ("sec", "s"), ("sec.", "s"), ("Seconds", "s"), ("msec", "ms"), ("milliseconds", "ms"), ("us", "µs"),
        ("usec", "µs"), ("\u03bcs", "µs"), ("min", "min"), ("minutes", "min"), ("hr", "h"), ("hours", "h"),
        ("day", "d"), ("frame", None), ("frames", None), ("m", None), ("", None), (None, None), ("MS", None),
        ("µm", None),
    ],
)  # fmt: skip
def test_times_as_others_write_them(spelling, symbol):
    assert TIME.symbol(spelling) == symbol


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (70, "nm", 0.07), (0.1, "µm", 0.1), (2, "Å", 0.0002), (500, "pm", 0.0005), (1, "cm", 10_000), (1, "in", 25_400),
        (1, "pt", 25_400 / 72), (3, "pixel", None), (1, "reference frame", None), (1, "furlong", None),
    ],
)  # fmt: skip
def test_micrometres(value, unit, expected):
    assert micrometres(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"), [(500, "msec", 0.5), (2, "min", 120), (0.5, "h", 1800), (1, "frame", None)]
)
def test_seconds(value, unit, expected):
    assert seconds(value, unit) == expected


@given(st.text(max_size=12))
def test_any_text_is_a_symbol_of_the_schema_or_none(text):
    assert LENGTH.symbol(text) in {None, *LENGTH.units}
    assert TIME.symbol(text) in {None, *TIME.units}
    assert LENGTH.symbol(LENGTH.symbol(text)) == LENGTH.symbol(text)


@given(st.floats(), st.sampled_from([*LENGTH.units]))
def test_any_number_is_a_finite_length_or_none(value, unit):
    found = micrometres(value, unit)
    assert found is None or math.isfinite(found)
    if math.isfinite(value) and unit == "µm":
        assert found == value

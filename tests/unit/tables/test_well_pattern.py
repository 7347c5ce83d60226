"""Patterns that choose wells."""

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.plate_layout import parse_well
from bioimage_suite.tables.well_pattern import parse_well_pattern


def held(pattern: str, wells: str) -> list[str]:
    chosen = parse_well_pattern(pattern)
    return [well for well in wells.split() if chosen.holds(*parse_well(well))]


@pytest.mark.parametrize(
    ("pattern", "wells"),
    [
        ("A*", "A1 A12"),
        ("*12", "A12 H12"),
        ("B02:D10", "B2 B10"),
        ("d10:b2", "B2 B10"),
        ("B2; h12 AF48", "B2 H12 AF48"),
        ("AA*", "AA1"),
        ("**", "A1 A12 B1 B2 B10 H12 AA1 AF48"),
        ("G*:H*", "H12"),
    ],
)
def test_wells_that_a_pattern_holds(pattern: str, wells: str):
    assert held(pattern, "A1 A12 B1 B2 B10 H12 AA1 AF48") == wells.split()


@pytest.mark.parametrize("pattern", ["", " , ", "1A", "A0", "B2:", "B2:C3:D4", "AAA1", "A-B", "A1*"])
def test_what_is_no_pattern_is_refused(pattern: str):
    with pytest.raises(UserError, match="wells"):
        parse_well_pattern(pattern)

"""Numbers of solutions are compared as the text writes them."""

import pytest

from tests.training.checks import CheckError, agrees, compute, parse_check, read_table

TABLES = [read_table("image\tarea_px\na\t10\na\t20\n"), read_table("image\tarea_px\nb\t60\n")]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("elements in `x`", 2),
        ("rows in `x`", 3),
        ("rows in `x` where `image` is `a`", 2),
        ("mean of `area_px` in `x`", 30),
        ("median of `area_px` in `x`", 20),
        ("sum of `area_px` in `x` where `image` is `a`", 30),
        ("max of `area_px` in `x`", 60),
        ("distinct of `image` in `x`", 2),
        ("value of `area_px` in `x` where `image` is `b`", 60),
        ("rows in `x` where `image` is `c`", 0),
    ],
)
def test_a_check_is_computed(text: str, number: float) -> None:
    assert compute(parse_check(text), TABLES) == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("count in `x`", "FUNCTION is one of"),
        ("mean in `x`", "needs a column"),
        ("rows of `image` in `x`", "takes no column"),
        ("mean of `area` in `x`", "has no column 'area'"),
        ("mean of `image` in `x`", "could not convert"),
        ("value of `area_px` in `x`", "3 rows with a number"),
        ("mean of `area_px` in `x` where `image` is `c`", "0 rows with a number"),
    ],
)
def test_a_check_that_cannot_be_computed_is_named(text: str, said: str) -> None:
    with pytest.raises(CheckError, match=said):
        compute(parse_check(text), TABLES)


def test_a_table_without_rows_has_none_and_still_its_columns() -> None:
    empty = [read_table("level\tfile\n")]
    assert compute(parse_check("rows in `x` where `level` is `error`"), empty) == 0
    with pytest.raises(CheckError, match="has no column 'kind'; it has: level, file"):
        compute(parse_check("rows in `x` where `kind` is `error`"), empty)


def test_numbers_agree_to_the_decimals_that_the_text_has() -> None:
    assert agrees("1,250", 1250.4)
    assert agrees("0.83", 0.8349)
    assert not agrees("0.83", 0.836)
    assert not agrees("70", 71)

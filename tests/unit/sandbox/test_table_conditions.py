"""Which conditions of table queries the OMERO sandbox passes on to PyTables."""

import omero
import omero.clients  # before sandbox modules that record the model would import it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.omero.services.files.table import LONGEST_CONDITION, check_condition


@pytest.mark.parametrize("condition", [
    "n > 3", "(n >= 10) & (area < 7.5)", " n == wanted", 's == "text"', "s == b'text'", "~(flag == True)", "-n < -2e3",
    "n ** 2 > area * 3 * 4", "(n << 2) > 5", "sqrt(area) + sin(n) > 1 + 2 - 3 / 4", "(n > 2**k) | (n % 2 == 0)",
])  # fmt: skip
def test_what_people_ask_for_passes(condition):
    check_condition(condition)


@pytest.mark.parametrize("condition", [
    "", None, " ", "n >", "n = 3", "import os", "(" * 900 + "n" + ")" * 900, "-" * 20_000 + "n > 0", "n > \0",
    "n > 9**9**9", "n > (1 << 10**9)", "s == 'a' * 10**9", "s == 1000000000 * 'a'", "s == '%1000000000d' % 1",
    "(n > 3) & ((9**9)**9 > n)", "n ** (9**9**9) > 1", "[9**9**9][0] > n", "(lambda: 9**9**9)() > n",
    "s == '%1000000000s' % n", "s == f'{n:>1000000000}'", "s == 'a'.ljust(1000000000)", "n > (9,) * 1000000000",
    "n in [1, 2]", "n > (1 if n else 2)", "n[0] > 1", "(n > 1) and (n < 3)",
    "n" * (LONGEST_CONDITION + 1),
])  # fmt: skip
def test_what_would_never_end_or_is_none_is_refused(condition):
    with pytest.raises(omero.ApiUsageException):
        check_condition(condition)


@given(st.text(max_size=200) | st.text(alphabet="n9*()<>=&|~ '+-%", max_size=200))
def test_any_text_is_passed_or_refused(condition):
    said = "passed"
    try:
        check_condition(condition)
    except omero.ApiUsageException as error:
        said = error.message
    assert said

"""Any condition of HQL chooses the rows that its meaning chooses: put together by hypothesis, worked out in Python too.

A condition is true, false or, where a null takes part, neither (None), as in SQL; a row is chosen where it is true.
"""

import fnmatch
import operator
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("omero.all")

from tests.unit.sandbox.hql_database import run

# The datasets of the fixture: id, name, description, number of images, names of projects.
DATASETS = [(1, "one", None, 3, ["beta"]), (2, "two", "x", 2, ["beta", "Alpha"]), (3, "three", "%", 1, [])]
COMPARISONS = {
    "=": operator.eq, "!=": operator.ne, "<>": operator.ne, "<": operator.lt, ">": operator.gt,
    "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
VALUES: dict[str, tuple[Callable, type]] = {
    "d.id": (lambda row: row[0], int),
    "d.name": (lambda row: row[1], str),
    "d.description": (lambda row: row[2], str),
    "coalesce(d.description, 'none')": (lambda row: row[2] or "none", str),
    "lower(d.name)": (lambda row: row[1].lower(), str),
    "length(d.name)": (lambda row: len(row[1]), int),
    "size(d.imageLinks)": (lambda row: row[3], int),
    "d.id + 2 * d.id - 1": (lambda row: 3 * row[0] - 1, int),
    "case when d.description is null then 7 else d.id end": (lambda row: 7 if row[2] is None else row[0], int),
    "(select count(l.id) from DatasetImageLink l where l.parent = d)": (lambda row: row[3], int),
}
NUMBERS, WORDS = st.integers(-1, 8), st.sampled_from(["one", "two", "three", "x", "%", "none", ""])
PATTERNS = st.sampled_from(["%", "t%", "%e", "_wo", "%x%", "", "T%", "one"])


def literal(value) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def unless_null(function):
    """A function of which the answer is None where an argument is."""
    return lambda *values: None if None in values else function(*values)


def like(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern.replace("%", "*").replace("_", "?"))


@st.composite
def simple(draw):
    """A condition without and, or, not: its text and what it says of a row."""
    expression = draw(st.sampled_from(sorted(VALUES)))
    value, kind = VALUES[expression]
    given_values = NUMBERS if kind is int else WORDS
    form = draw(st.sampled_from(["compare", "in", "between", "null", "like", "empty", "exists"]))
    no = draw(st.booleans())
    word = "not " if no else ""
    if form == "compare":
        sign, right = draw(st.sampled_from(sorted(COMPARISONS))), draw(given_values)
        compare = unless_null(COMPARISONS[sign])
        return f"{expression} {sign} {literal(right)}", lambda row: compare(value(row), right)
    if form == "in":
        members = draw(st.lists(given_values, min_size=1, max_size=3))
        inside = unless_null(lambda found: (found in members) != no)
        return f"{expression} {word}in ({', '.join(map(literal, members))})", lambda row: inside(value(row))
    if form == "between":
        low, high = draw(given_values), draw(given_values)
        within = unless_null(lambda found: (low <= found <= high) != no)
        return f"{expression} {word}between {literal(low)} and {literal(high)}", lambda row: within(value(row))
    if form == "like":
        pattern = draw(PATTERNS)
        matches = unless_null(lambda found: like(found, pattern) != no)
        field = draw(st.sampled_from(["d.name", "d.description"]))
        return f"{field} {word}like '{pattern}'", lambda row: matches(VALUES[field][0](row))
    if form == "null":
        return f"{expression} is {word}null", lambda row: (value(row) is None) != no
    if form == "empty":
        return f"d.projectLinks is {word}empty", lambda row: (not row[4]) != no
    name = draw(st.sampled_from(["beta", "Alpha", "none"]))
    query = f"select l.id from ProjectDatasetLink l where l.child = d and l.parent.name = '{name}'"
    return f"{word}exists ({query})", lambda row: (name in row[4]) != no


def negated(condition):
    text, says = condition
    return f"not ({text})", lambda row: unless_null(operator.not_)(says(row))


def joined(pair):
    (first, one), (second, other) = pair[1:]
    decisive = pair[0] == "or"  # what settles the answer, whatever the other side is

    def says(row):
        both = one(row), other(row)
        if decisive in both:
            return decisive
        return None if None in both else not decisive

    return f"({first}) {pair[0]} ({second})", says


CONDITIONS = st.recursive(
    simple(),
    lambda inner: inner.map(negated) | st.tuples(st.sampled_from(["and", "or"]), inner, inner).map(joined),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(CONDITIONS)
def test_a_condition_chooses_what_it_means(small, condition):
    text, says = condition
    found = run(small, f"select d.id from Dataset d where {text} order by d.id")
    assert found == [[row[0]] for row in DATASETS if says(row) is True]


@settings(max_examples=40, deadline=None)
@given(CONDITIONS, st.sampled_from(["d.id", "d.name desc", "d.description, d.id", "size(d.imageLinks)"]))
def test_counting_and_joining_agree_with_choosing(small, condition, order):
    text, says = condition
    chosen = [row for row in DATASETS if says(row) is True]
    assert run(small, f"select count(d.id) from Dataset d where {text}") == [[len(chosen)]]
    joined_rows = run(small, f"select l.id from Dataset d join d.imageLinks l where {text} order by {order}")
    assert len(joined_rows) == sum(row[3] for row in chosen)
    listed = run(small, f"select d.id from Dataset d where {text} order by {order}")
    assert sorted(listed) == [[row[0]] for row in chosen]

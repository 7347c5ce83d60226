"""Expressions over the columns of a table, parsed and checked before they are computed; no code is executed."""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.measurement_table import number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bioimage_suite.tables.measurement_table import MeasurementTable

MAX_LENGTH = 5000
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
FUNCTIONS = ("abs", "sqrt", "log10", "mean", "median", "min", "max")


def rows_that_match(expression: str, table: MeasurementTable) -> np.ndarray:
    """Evaluate an expression for every row.

    Args:
        expression: Comparisons of columns and numbers, joined by `and`, `or`, `not`; + - * / and FUNCTIONS are
            allowed. A column name that is not a plain word is written in backticks. A text column is compared with a
            text in quotes. An empty cell matches no comparison except `!=`.
        table: The table.

    Returns:
        (rows,) bool.

    Raises:
        UserError: The expression is empty or invalid, names a column that does not exist, or is not a condition.
    """
    tree, quoted = _parsed(expression)
    with np.errstate(all="ignore"):  # a division by zero gives an empty value, like an empty cell
        try:
            found = _Evaluation(table, quoted, expression).value(tree.body)
        except RecursionError as error:
            raise _wrong(expression, "it is nested too deeply") from error
    if np.asarray(found).dtype != bool:
        raise _wrong(expression, "it is not a condition. Compare something, as in area_px > 50")
    return np.broadcast_to(found, len(table.rows))


def _parsed(expression: str) -> tuple[ast.Expression, dict[str, str]]:
    """Parse an expression; names in backticks become `column_<i>_`, and a dictionary maps them back."""
    if not expression.strip() or len(expression) > MAX_LENGTH:
        raise UserError(f"Expression: it has {len(expression)} characters. Write a condition, as in area_px > 50.")
    quoted: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        quoted[f"column_{len(quoted)}_"] = match[1]
        return f" column_{len(quoted) - 1}_ "

    text = re.sub(r"`([^`]+)`", placeholder, " ".join(expression.split()))
    try:
        return ast.parse(text.strip(), mode="eval"), quoted
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _wrong(expression, f"it cannot be read ({error})") from error


def _wrong(expression: str, reason: str) -> UserError:
    return UserError(
        f"Expression {expression!r}: {reason}. Allowed are columns, numbers, texts in quotes, comparisons, and, or, "
        f"not, + - * / and {', '.join(FUNCTIONS)}; write a column name that is not a plain word in backticks."
    )


class _Evaluation:
    """Evaluation of the parsed expression; every node that is not listed is refused."""

    def __init__(self, table: MeasurementTable, quoted: dict[str, str], expression: str) -> None:
        self._table, self._quoted, self._expression = table, quoted, expression

    def value(self, node: ast.expr) -> Any:
        """Return the value of a node: a number, a text, or one value per row."""
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() | str() as constant):
                return constant
            case ast.Name(id=name):
                return self._column(self._quoted.get(name, name))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self._truth(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._number(operand)
            case ast.BoolOp(op=op, values=values):
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                return join.reduce(np.broadcast_arrays(*map(self._truth, values)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return ARITHMETIC[type(op)](np.asarray(self._number(left), float), self._number(right))
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in COMPARISONS for op in ops):
                return self._comparison([left, *others], ops)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return self._call(name, np.asarray(self._number(argument), float))
        raise _wrong(self._expression, f"{ast.unparse(node)!r} is not allowed")

    def _column(self, name: str) -> Any:
        texts = self._table.texts(name)
        try:
            return np.array([number_of(text) for text in texts], np.float64)
        except ValueError:
            return np.array(texts, dtype=object)

    def _comparison(self, nodes: list[ast.expr], ops: list[ast.cmpop]) -> Any:
        values = [self.value(node) for node in nodes]
        is_text = [isinstance(value, str) or np.asarray(value).dtype == object for value in values]
        equality = all(isinstance(op, (ast.Eq, ast.NotEq)) for op in ops)
        if any(is_text) and not (all(is_text) and equality):
            raise _wrong(self._expression, "a text is compared with a number, or with < or >")
        found = [COMPARISONS[type(op)](values[i], values[i + 1]) for i, op in enumerate(ops)]
        return np.logical_and.reduce(np.broadcast_arrays(*found)).astype(bool)

    def _truth(self, node: ast.expr) -> Any:
        value = np.asarray(self.value(node))
        if value.dtype != bool:
            raise _wrong(self._expression, f"{ast.unparse(node)!r} is not a condition")
        return value

    def _number(self, node: ast.expr) -> Any:
        value = self.value(node)
        if np.asarray(value).dtype.kind not in "fiu":
            raise _wrong(self._expression, f"{ast.unparse(node)!r} is no number")
        return value

    def _call(self, name: str, value: np.ndarray) -> Any:
        """Return a function of each value, or of all values of the column that are not empty."""
        if name in ("abs", "sqrt", "log10"):
            return getattr(np, name)(value)
        known = value[np.isfinite(value)] if value.ndim else value
        return getattr(np, name)(known) if known.size else np.nan

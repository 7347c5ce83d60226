"""Texts of other people in tables: none becomes a formula in a spreadsheet, and each can be had back exactly."""

import re

# The full-width signs are formulas to spreadsheets of Japanese and Chinese locales (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def spreadsheet_safe(text: str) -> str:
    """Add a leading apostrophe to text that a spreadsheet would take for a formula.

    Numbers with a sign stay as they are. Apostrophes before such text get one more, so that `plain_text` reverses this.

    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("-5.2"), spreadsheet_safe("-/-"), spreadsheet_safe("'=1")
    ("'=1+1", '-5.2', "'-/-", "''=1")
    """
    if not text.startswith(("'", *FORMULA_STARTS)) or _NUMBER.fullmatch(text):
        return text
    return "'" + text if text.lstrip("'").startswith(FORMULA_STARTS) else text


def plain_text(cell: str) -> str:
    """Remove the apostrophe that `spreadsheet_safe` adds."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS) else cell

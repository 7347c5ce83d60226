"""Short forms of values in messages and files."""

import json
from collections.abc import Sequence
from typing import Any


def json_text(document: Any) -> str:
    """Return a JSON document for people: indented, letters beyond ASCII as they are, a line break at the end."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def one_line(text: str) -> str:
    r"""Return a text without tabs and line breaks; a text that has none is unchanged.

    >>> one_line("a\n\tb"), one_line("a  b")
    ('a b', 'a  b')
    """
    return " ".join(text.split()) if any(letter in text for letter in "\r\n\t") else text


LARGEST_NUMBER = 2**63 - 1


def whole_number(text: str) -> int | None:
    """Return the number that digits are, None for any other text.

    What is more than LARGEST_NUMBER is no count, id or label: it fits no 64-bit number, and Python refuses to read
    thousands of digits.

    >>> whole_number("012"), whole_number("-1"), whole_number("1.0"), whole_number("٣"), whole_number("9" * 5000)
    (12, None, None, None, None)
    """
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(LARGEST_NUMBER)):
        return None
    number = int(text)
    return number if number <= LARGEST_NUMBER else None


def first_names(names: Sequence[str], most: int) -> str:
    """List names for a message: at most `most` of them, then the number of the others.

    >>> first_names(["a", "b", "c"], 3), first_names(["a", "b", "c"], 1)
    ('a, b, c', 'a and 2 more')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"

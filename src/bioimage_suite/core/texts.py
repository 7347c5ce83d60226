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


def first_names(names: Sequence[str], most: int) -> str:
    """List names for a message: at most `most` of them, then the number of the others.

    >>> first_names(["a", "b", "c"], 3), first_names(["a", "b", "c"], 1)
    ('a, b, c', 'a and 2 more')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"

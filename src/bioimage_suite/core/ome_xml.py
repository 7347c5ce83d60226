"""What every writer and reader of OME-XML needs: the namespace of its schema, and texts that XML can hold."""

import functools
import re

OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
"""Namespace of the current schema."""


def valid_text(text: str | None) -> str:
    r"""Return a text with the replacement character for each character that XML 1.0 cannot represent.

    >>> valid_text("bell \x07"), valid_text(None)
    ('bell �', '')
    """
    text = text or ""
    return text if text.isprintable() else _forbidden().sub("\N{REPLACEMENT CHARACTER}", text)


@functools.cache
def _forbidden() -> re.Pattern[str]:
    # Compiled at the first use: its ranges take 4 ms, and most runs of tools write no OME-XML.
    return re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

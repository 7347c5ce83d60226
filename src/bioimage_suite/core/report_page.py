"""A static HTML page with its style, tables and pictures inside: no scripts, no links, no external content."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

STYLE = """
body { font-family: system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1d2430;
  overflow-wrap: break-word; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .35em .9em; border-bottom: 1px solid #d8dde6; text-align: left; }
td:first-child { min-width: 8em; overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 0 0 2em; padding: 1em; background: #f3f5f9; border-radius: 8px; }
figure img { max-width: 100%; border-radius: 4px; }
figure img.half { max-width: 49%; background: #000; }
figcaption { padding-top: .6em; }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page: the title as heading, then parts of HTML."""
    shown = html.escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{shown}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{shown}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Return a table of plain texts; columns in `numbers` are right-aligned. It scrolls in a narrow window."""
    right = set(numbers)

    def cell(place: int, text: str) -> str:
        kind = ' class="number"' if place in right else ""
        return f"<td{kind}>{html.escape(text)}</td>"

    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "\n".join("<tr>" + "".join(cell(i, text) for i, text in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}\n</table></div>'


def figure(pictures: Iterable[tuple[str, bytes]], name: str, facts: str = "") -> str:
    """Return PNG pictures side by side with a caption; two share the width.

    Args:
        pictures: Alternative text and PNG bytes of each.
        name: First line of the caption.
        facts: Second line.
    """
    shown = list(pictures)
    half = ' class="half"' if len(shown) > 1 else ""
    images = " ".join(
        f'<img{half} alt="{html.escape(what)}" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'
        for what, png in shown
    )
    return f"<figure>{images}<figcaption><b>{html.escape(name)}</b><br>{html.escape(facts)}</figcaption></figure>"


def write_page(path: Path, title: str, parts: Iterable[str]) -> None:
    """Write a page as UTF-8: see `page`."""
    path.write_text(page(title, parts), encoding="utf-8")

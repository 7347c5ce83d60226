"""HTML pages: reports that are static and self-contained, and the frame of every other page.

Galaxy cleans the HTML of a tool (galaxy.util.sanitize_html): it drops scripts, `style` attributes and SVG, shows the
content of a `<style>` element as text, and keeps tables with `align`, `bgcolor`, `cellpadding` and the like, `<figure>`
and `<meter>`. So what a reader needs is said by elements and those attributes; `style` attributes add comfort in a
browser.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

_BODY = (
    "font-family:system-ui,'Segoe UI',sans-serif;color:#1d2733;max-width:75rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:break-word"
)
# In a narrow window a wide table scrolls by itself, and the text around it stays visible.
_WIDE = "overflow-x:auto"
_TABLE = "border-collapse:collapse;border-color:#d8dde6"
# A word as long as names of microscopes are may break anywhere.
_LONG_WORD, _BREAKS = 30, "overflow-wrap:anywhere;min-width:12em"
_FIGURE = "margin:1em 0 2em;padding:1em;background:#f3f5f9;border-radius:8px"
# From low to high, readable for people with red-green colour blindness (ColorBrewer's PuOr, softened).
_SCALE = ((0.0, "#f1a35f"), (0.34, "#f8d2a4"), (0.67, "#d5d3e8"), (1.0, "#a79fd0"))


@dataclass(frozen=True)
class Markup:
    """HTML made by this module, which is not escaped again."""

    html: str


@dataclass(frozen=True)
class Shaded:
    """A table cell with a background colour."""

    text: str
    colour: str


Cell = str | int | float | Markup | Shaded


def escaped(text: str) -> str:
    """Return a text in which no character is markup, for the content of an element or for an attribute in quotes."""
    return escape(text, quote=True)


def document(title: str, body: str, *, head: str = "", style: str = "") -> str:
    """Return a whole HTML document.

    Args:
        title: Plain text.
        body: HTML.
        head: HTML for the head.
        style: Style of the body.
    """
    shown = f' style="{style}"' if style else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title>{head}</head>\n<body{shown}>\n{body}\n</body></html>\n"
    )


def page(title: str, parts: Iterable[Markup]) -> str:
    """Return a report: the title as heading, then its parts."""
    body = "\n".join(part.html for part in parts)
    return document(title, f"<h1>{escaped(title)}</h1>\n{body}", style=_BODY)


def section(heading: str, *parts: Markup) -> Markup:
    """Return a heading followed by its parts."""
    return Markup(f"<h2>{escaped(heading)}</h2>\n" + "\n".join(part.html for part in parts))


def paragraph(text: str) -> Markup:
    """Return a paragraph of plain text."""
    return Markup(f"<p>{escaped(text)}</p>")


def bullets(items: Iterable[str]) -> Markup:
    """Return a bulleted list of plain texts."""
    return Markup("<ul>\n" + "\n".join(f"<li>{escaped(item)}</li>" for item in items) + "\n</ul>")


def meter(share: float) -> Markup:
    """Return a bar filled to `share` (0 to 1), followed by the percentage."""
    return Markup(f'<meter min="0" max="1" value="{share:.3f}">{percent(share)}</meter> {percent(share)}')


def percent(share: float) -> str:
    """Format a share as a percentage; 100 % only when nothing is missing, 0 % only when everything is."""
    if share <= 0 or share >= 1:
        return "0 %" if share <= 0 else "100 %"
    return f"{min(max(round(share * 100), 1), 99)} %"


def heat(share: float) -> Shaded:
    """Return the cell of a heat map for a share of 0 to 1."""
    colour = next(colour for limit, colour in reversed(_SCALE) if share >= limit)
    return Shaded(percent(share), colour)


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]], numbers: Container[int] = ()) -> Markup:
    """Return a table with all texts escaped; the columns in `numbers` (from 0) are right-aligned."""
    head = "".join(
        f'<th align="{_side(place, numbers)}" bgcolor="#e6eaee">{escaped(name)}</th>'
        for place, name in enumerate(header)
    )
    lines = (
        "<tr>" + "".join(_cell(cell, place in numbers) for place, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return Markup(
        f'<div style="{_WIDE}">\n<table border="0" cellpadding="5" cellspacing="0" rules="rows" style="{_TABLE}">\n'
        f'<tbody valign="top">\n<tr>{head}</tr>\n' + "\n".join(lines) + "\n</tbody></table>\n</div>"
    )


def _side(place: int, numbers: Container[int]) -> str:
    return "right" if place in numbers else "left"


def _cell(cell: Cell, number: bool) -> str:
    if isinstance(cell, Shaded):
        return f'<td bgcolor="{cell.colour}">{escaped(cell.text)}</td>'
    if isinstance(cell, Markup):
        return f"<td>{cell.html}</td>"
    text = str(cell)
    if number:
        return f'<td align="right" nowrap>{escaped(text)}</td>'
    breaks = f' style="{_BREAKS}"' if max(map(len, text.split()), default=0) > _LONG_WORD else ""
    return f"<td{breaks}>{escaped(text)}</td>"


def figure(pictures: Iterable[tuple[str, bytes]], name: str, facts: str = "") -> Markup:
    """Return PNG pictures side by side with a caption; two share the width.

    Args:
        pictures: Alternative text and PNG bytes of each.
        name: First line of the caption.
        facts: Second line.
    """
    shown = list(pictures)
    style = "max-width:49%;background:#000" if len(shown) > 1 else "max-width:100%"
    images = " ".join(f'<img alt="{escaped(what)}" style="{style}" src="{_data_address(png)}">' for what, png in shown)
    caption = f"<figcaption><b>{escaped(name)}</b><br>{escaped(facts)}</figcaption>"
    return Markup(f'<figure style="{_FIGURE}">{images}{caption}</figure>')


def _data_address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"

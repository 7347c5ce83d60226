"""Readable reports, each one static, self-contained HTML page.

Galaxy sanitises a tool's HTML: no scripts, no `<style>`, no `style` attributes, no SVG; it keeps tables, `bgcolor` and
`<meter>` (galaxy.util.sanitize_html). So colours are given twice: `bgcolor` for Galaxy, `style` for a browser.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_FONT = "font-family:system-ui,'Segoe UI',sans-serif;color:#1d2733"
_CELL = "padding:4px 10px;text-align:left;vertical-align:top"
# In a narrow window a wide table scrolls on its own, and the text around it stays visible.
_WIDE = "overflow-x:auto"
_BREAK = "overflow-wrap:break-word"
_PHONE = '<meta name="viewport" content="width=device-width, initial-scale=1">'
# From low to high, readable for people with red-green colour blindness (ColorBrewer's PuOr, softened).
_SCALE = ((0.0, "#f1a35f"), (0.34, "#f8d2a4"), (0.67, "#d5d3e8"), (1.0, "#a79fd0"))
LEVEL_COLOURS = {"error": "#f8d2a4", "warning": "#fdf1d0", "note": "#eceaf5"}


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


def page(title: str, *sections: Markup) -> str:
    """Assemble sections into a whole page."""
    body = "\n".join(section.html for section in sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{_PHONE}<title>{escape(title)}</title></head>\n'
        f'<body style="{_FONT};max-width:75rem;margin:2rem auto;padding:0 1rem;{_BREAK}">\n'
        f"<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def section(heading: str, *parts: Markup) -> Markup:
    """Return a heading followed by its parts."""
    return Markup(f"<h2>{escape(heading)}</h2>\n" + "\n".join(part.html for part in parts))


def paragraph(text: str) -> Markup:
    """Return a paragraph of plain text."""
    return Markup(f"<p>{escape(text)}</p>")


def bullets(items: Iterable[str]) -> Markup:
    """Return a bulleted list of plain texts."""
    return Markup("<ul>\n" + "\n".join(f"<li>{escape(item)}</li>" for item in items) + "\n</ul>")


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


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    """Return a table with all texts escaped."""
    head = "".join(
        f'<th align="left" bgcolor="#e6eaee" style="{_CELL};background:#e6eaee">{escape(cell)}</th>' for cell in header
    )
    lines = ["<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows]
    return Markup(
        f'<div style="{_WIDE}">\n'
        f'<table border="0" cellpadding="5" cellspacing="1" style="border-collapse:collapse">\n<tr>{head}</tr>\n'
        + "\n".join(lines)
        + "\n</table>\n</div>"
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, Shaded):
        return f'<td bgcolor="{cell.colour}" style="{_CELL};background:{cell.colour}">{escape(cell.text)}</td>'
    text = cell.html if isinstance(cell, Markup) else escape(str(cell))
    return f'<td style="{_CELL};border-bottom:1px solid #e6eaee">{text}</td>'

"""Reports, as HTML pages that are static and self-contained and as Markdown of Galaxy, and the frame of other pages.

Galaxy 26.1 shows the HTML of a tool only where an administrator allows it, else its source text (galaxy.datatypes.data,
`_yield_user_file_content`). A tool's Markdown (datatype `tool_markdown`, Galaxy 25.0 or newer) opens everywhere: each
part of a report knows how it looks in both.

Older ones clean the HTML of a tool (galaxy.util.sanitize_html): they drop scripts, `style` attributes and SVG, show the
content of a `<style>` element as text, and keep tables with `align`, `bgcolor`, `cellpadding` and the like, `<figure>`
and `<meter>`. So what a reader needs is said by elements and those attributes; `style` attributes add comfort in a
browser. They drop addresses that begin with `data:`, too: a picture stands in the page, where it is complete by itself,
and again in a file beside it, which is what the page shows after such a cleaning.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from pathlib import Path

    from bioimage_suite.core.outputs import Outputs

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


_PICTURE = re.compile(r'srcset="data:image/png;base64,([^"]+)"><img [^>]*src="(picture_[0-9a-f]{16}\.png)"')
"""A picture in a page: its content, and the name of its file beside the page."""


@dataclass(frozen=True)
class Markup:
    """A part of a report made by this module, which is not escaped again.

    Attributes:
        html: How a browser shows it.
        markdown: How Galaxy's report shows it; empty for what it cannot show.
    """

    html: str
    markdown: str = ""


@dataclass(frozen=True)
class ReportPage:
    """A title and the parts below it.

    Attributes:
        title: Plain text.
        parts: What stands below the title.
    """

    title: str
    parts: tuple[Markup, ...]

    @property
    def html(self) -> str:
        """Return the page: the title as heading, then the parts."""
        body = "\n".join(part.html for part in self.parts if part.html)
        return document(self.title, f"<h1>{escaped(self.title)}</h1>\n{body}", style=_BODY)

    @property
    def markdown(self) -> str:
        """Return the report in Markdown for Galaxy's datatype `tool_markdown`."""
        parts = [f"# {plain(self.title)}", *(part.markdown for part in self.parts if part.markdown)]
        return "\n\n".join(parts) + "\n"

    def write(self, outputs: Outputs, html: Path, markdown: Path | None, beside: Path | None = None) -> None:
        """Write the HTML page, the Markdown where it is wanted, and pictures into the folder beside the page."""
        page = self.html
        outputs.file(html).write_text(page, encoding="utf-8")
        pictures = _PICTURE.findall(page)
        if beside and pictures:
            folder = outputs.folder(beside)
            for data, name in pictures:
                (folder / name).write_bytes(base64.b64decode(data))
        if markdown:
            outputs.file(markdown).write_text(self.markdown, encoding="utf-8")


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


def plain(text: str) -> str:
    r"""Return a text in which no character is markup of Markdown, HTML or Galaxy, on one line.

    >>> plain("1. a_b | <i>\n${galaxy x}")
    '1\\. a\\_b \\| \\<i\\> \\$\\{galaxy x\\}'
    """
    inside = re.sub(r"([\\`*_{}\[\]<>#|&$~^])", r"\\\1", " ".join(text.split()))
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", inside)  # what would begin a list or a line


def section(heading: str, *parts: Markup) -> Markup:
    """Return a heading followed by its parts."""
    html = f"<h2>{escaped(heading)}</h2>\n" + "\n".join(part.html for part in parts)
    return Markup(html, "\n\n".join([f"## {plain(heading)}", *(part.markdown for part in parts if part.markdown)]))


def paragraph(text: str) -> Markup:
    """Return a paragraph of plain text."""
    return Markup(f"<p>{escaped(text)}</p>", plain(text))


def bullets(items: Iterable[str]) -> Markup:
    """Return a bulleted list of plain texts."""
    listed = list(items)
    html = "<ul>\n" + "\n".join(f"<li>{escaped(item)}</li>" for item in listed) + "\n</ul>"
    return Markup(html, "\n".join(f"- {plain(item)}" for item in listed))


def meter(share: float) -> Markup:
    """Return a bar filled to `share` (0 to 1), followed by the percentage."""
    html = f'<meter min="0" max="1" value="{share:.3f}">{percent(share)}</meter> {percent(share)}'
    return Markup(html, percent(share))


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
    listed = [list(row) for row in rows]
    lines = (
        "<tr>" + "".join(_cell(cell, place in numbers) for place, cell in enumerate(row)) + "</tr>" for row in listed
    )
    rule = ["---:" if place in numbers else ":---" for place in range(len(header))]
    written = [[plain(name) for name in header], rule, *([_written(cell) for cell in row] for row in listed)]
    return Markup(
        f'<div style="{_WIDE}">\n<table border="0" cellpadding="5" cellspacing="0" rules="rows" style="{_TABLE}">\n'
        f'<tbody valign="top">\n<tr>{head}</tr>\n' + "\n".join(lines) + "\n</tbody></table>\n</div>",
        "\n".join(f"| {' | '.join(row)} |" for row in written),
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


def _written(cell: Cell) -> str:
    """Return a cell as Markdown."""
    if isinstance(cell, Markup):
        return cell.markdown
    return plain(cell.text if isinstance(cell, Shaded) else str(cell))


def output_picture(output: str) -> Markup:
    """Return the picture that the tool writes to an output of this name, for Galaxy's report alone."""
    return Markup("", f'```galaxy\nhistory_dataset_as_image(output="{output}")\n```')


def figure(pictures: Iterable[tuple[str, bytes]], name: str, facts: str = "") -> Markup:
    """Return PNG pictures side by side with a caption; two share the width. For HTML alone, see `output_picture`.

    Args:
        pictures: Alternative text and PNG bytes of each.
        name: First line of the caption.
        facts: Second line.
    """
    shown = list(pictures)
    style = "max-width:49%;background:#000" if len(shown) > 1 else "max-width:100%"
    images = " ".join(
        f'<picture><source srcset="{_data_address(png)}">'
        f'<img alt="{escaped(what)}" style="{style}" src="{_file_name(png)}"></picture>'
        for what, png in shown
    )
    caption = f"<figcaption><b>{escaped(name)}</b><br>{escaped(facts)}</figcaption>"
    return Markup(f'<figure style="{_FIGURE}">{images}{caption}</figure>')


def _file_name(png: bytes) -> str:
    """Return the name of a picture's file beside the page."""
    return f"picture_{hashlib.sha256(png).hexdigest()[:16]}.png"


def _data_address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"

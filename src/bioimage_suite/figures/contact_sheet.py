"""A contact sheet: pictures in a grid of cards, each with its name and a line of facts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.damage import reading
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.texts import one_line
from bioimage_suite.figures.png import write_png

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image, ImageDraw

MARGIN, CAPTION = 16, 46
WIDTH = 1600
"""Of a sheet of small pictures, px: a page shows no more of it at once, and Galaxy 26.1 reads every PNG in pure Python
(galaxy.datatypes.images), 0.8 s a megapixel."""
SMALLEST = 160
"""Longest edge of a picture on a sheet of many, px."""
MOST_PICTURES, PICTURE_EDGE = 24, 1000  # pictures on the contact sheet, and their longest edge in px
BACKGROUND, CARD, TEXT, ACCENT = (18, 20, 24), (30, 33, 40), (235, 238, 242), (122, 214, 255)


def contact_sheet(pictures: list[tuple[np.ndarray, str, str]], edge: int) -> Image.Image:
    """Arrange pictures in a grid.

    Args:
        pictures: (Y, X, 3) uint8 pixels, name and line of facts of each picture.
        edge: Longest edge of the pictures, px.
    """
    from PIL import Image, ImageDraw, ImageFont

    columns = _columns(pictures)
    rows = math.ceil(len(pictures) / columns)
    step_x, step_y = edge + MARGIN, max(pixels.shape[0] for pixels, _, _ in pictures) + CAPTION + MARGIN
    sheet = Image.new("RGB", (columns * step_x + MARGIN, rows * step_y + MARGIN), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(15), ImageFont.load_default(13)
    for number, (pixels, name, facts) in enumerate(pictures):
        x, y = MARGIN + number % columns * step_x, MARGIN + number // columns * step_y
        draw.rectangle((x, y, x + edge - 1, y + step_y - MARGIN - 1), CARD)
        top = step_y - MARGIN - CAPTION
        height, width = pixels.shape[:2]
        sheet.paste(Image.fromarray(pixels), (x + (edge - width) // 2, y + (top - height) // 2))
        draw.text((x + 8, y + top + 5), _shortened(draw, name, large, edge - 16), TEXT, large)
        draw.text((x + 8, y + top + 25), _shortened(draw, facts, small, edge - 16), ACCENT, small)
    return sheet


def small_sheet(pictures: list[tuple[np.ndarray, str, str]], edge: int) -> Image.Image:
    """Arrange pictures in a grid as `contact_sheet` does, each smaller where the grid would be wider than WIDTH."""
    from PIL import Image

    edge = min(edge, max(SMALLEST, WIDTH // _columns(pictures) - MARGIN))
    cards = []
    for pixels, name, facts in pictures:
        picture = Image.fromarray(pixels)
        picture.thumbnail((edge, edge))
        cards.append((np.asarray(picture), name, facts))
    return contact_sheet(cards, edge)


def _columns(pictures: list[tuple[np.ndarray, str, str]]) -> int:
    return max(1, math.ceil(math.sqrt(len(pictures))))


def sheet_of_files(path: Path, listed: list[list[str]]) -> None:
    """Write the first MOST_PICTURES picture files as one contact sheet, each at most PICTURE_EDGE px wide and high.

    Raises:
        UserError: There is no picture, or one cannot be read.
    """
    from PIL import Image

    if not listed:
        raise UserError("There are no pictures for the sheet. Give some, or leave the sheet out.")
    cards = []
    for name, file in listed[:MOST_PICTURES]:
        with reading(f"Picture {name}: not a readable PNG", "Leave it out."), Image.open(file) as picture:
            whole = picture.convert("RGB")
        whole.thumbnail((PICTURE_EDGE, PICTURE_EDGE))
        cards.append((np.asarray(whole), name, ""))
    write_png(contact_sheet(cards, PICTURE_EDGE), path)


def _shortened(draw: ImageDraw.ImageDraw, text: str, font: Any, width: int) -> str:
    """Cut the middle out of a text that is wider than `width` pixels, because names differ at their ends."""
    text = one_line(text)
    if draw.textlength(text, font) <= width:
        return text
    keep = len(text)
    while keep > 2 and draw.textlength(f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}", font) > width:
        keep -= 1
    return f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}"

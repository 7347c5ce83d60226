#!/usr/bin/env python
"""Draws the outlines of objects on their images: a PNG contact sheet and a self-contained HTML report for a list."""

from __future__ import annotations

import base64
import html
import io
import json
import math
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_file import open_image
from label_map_writer import replaced_when_complete
from object_pictures import ObjectPicture, draw_objects
from tool_arguments import parse_arguments
from tool_errors import UserError, run_tool

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageDraw

MARGIN, CAPTION = 16, 46
BACKGROUND, CARD, TEXT, ACCENT = (18, 20, 24), (30, 33, 40), (235, 238, 242), (122, 214, 255)

STYLE = """
body { font-family: system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1d2430; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .35em .9em; border-bottom: 1px solid #d8dde6; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 0 0 2em; padding: 1em; background: #f3f5f9; border-radius: 8px; }
figure img { max-width: 49%; border-radius: 4px; background: #000; }
figcaption { padding-top: .6em; }
"""


def paired(listed: dict[str, list[list[str]]]) -> list[tuple[str, Path, Path]]:
    """Pair images and label maps by their element identifiers, in the order of the images.

    Args:
        listed: `images` and `labels`, each a list of [identifier, path].

    Raises:
        UserError: An identifier occurs twice, or has no partner.
    """
    tables = {}
    for kind in ("images", "labels"):
        names = [name for name, _ in listed[kind]]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(
                f"Name {twice[0]!r} occurs more than once among the {kind}. Give each element its own name."
            )
        tables[kind] = dict(listed[kind])
    if len(listed["images"]) == len(listed["labels"]) == 1:
        (name, image), (_, labels) = listed["images"][0], listed["labels"][0]
        return [(name, Path(image), Path(labels))]
    alone = sorted(tables["images"].keys() ^ tables["labels"].keys())
    if alone:
        side = "image but no label map" if alone[0] in tables["images"] else "label map but no image"
        raise UserError(f"Name {alone[0]!r}: there is one {side} of this name. Give two lists with the same names.")
    return [(name, Path(image), Path(tables["labels"][name])) for name, image in listed["images"]]


def contact_sheet(pictures: list[ObjectPicture], edge: int) -> Image.Image:
    """Arrange the outlined pictures in a grid of cards, each with name and number of objects."""
    from PIL import Image, ImageDraw, ImageFont

    columns = max(1, math.ceil(math.sqrt(len(pictures))))
    rows = math.ceil(len(pictures) / columns)
    step_x, step_y = edge + MARGIN, max(p.outlined.shape[0] for p in pictures) + CAPTION + MARGIN
    sheet = Image.new("RGB", (columns * step_x + MARGIN, rows * step_y + MARGIN), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(15), ImageFont.load_default(13)
    for number, picture in enumerate(pictures):
        x, y = MARGIN + number % columns * step_x, MARGIN + number // columns * step_y
        draw.rectangle((x, y, x + edge - 1, y + step_y - MARGIN - 1), CARD)
        top = step_y - MARGIN - CAPTION
        height, width = picture.outlined.shape[:2]
        sheet.paste(Image.fromarray(picture.outlined), (x + (edge - width) // 2, y + (top - height) // 2))
        draw.text((x + 8, y + top + 5), _shortened(draw, picture.name, large, edge - 16), TEXT, large)
        draw.text((x + 8, y + top + 25), _shortened(draw, _facts(picture), small, edge - 16), ACCENT, small)
    return sheet


def _facts(picture: ObjectPicture) -> str:
    count = f"{picture.objects:,} object{'' if picture.objects == 1 else 's'}"
    return ", ".join(part for part in (count, picture.channel, picture.place) if part)


def _shortened(draw: ImageDraw.ImageDraw, text: str, font: Any, width: int) -> str:
    """Cut the middle out of a text that is wider than `width` pixels: names differ at their ends."""
    if draw.textlength(text, font) <= width:
        return text
    keep = len(text)
    while keep > 2 and draw.textlength(f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}", font) > width:
        keep -= 1
    return f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}"


def report(pictures: list[ObjectPicture], shown: int, title: str) -> str:
    """Write the HTML report: a table of all images, and the first `shown` as pictures. No scripts, no links."""
    escape = html.escape
    rows = "\n".join(
        f'<tr><td>{escape(p.name)}</td><td>{escape(p.channel)}</td><td class="number">{p.objects:,}</td></tr>'
        for p in pictures
    )
    figures = "\n".join(
        f'<figure><img alt="image" src="{_data(p.grey)}"> <img alt="objects outlined" src="{_data(p.outlined)}">'
        f"<figcaption><b>{escape(p.name)}</b><br>{escape(_facts(p))}</figcaption></figure>"
        for p in pictures[:shown]
    )
    rest = len(pictures) - shown
    note = f"<p>{rest:,} further images are counted in the table but not shown.</p>" if rest > 0 else ""
    total = sum(p.objects for p in pictures)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n"
        f"<p>{total:,} objects in {len(pictures):,} image{'' if len(pictures) == 1 else 's'}. Left: the channel, grey "
        f"values from its 0.5 to its 99.8 percentile. Right: the same with the outline of each object.</p>\n"
        f"<table><tr><th>Image</th><th>Channel</th><th>Objects</th></tr>\n{rows}\n</table>\n{figures}\n{note}</body></html>\n"
    )


def _data(picture: np.ndarray) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def main(argv: list[str] | None = None) -> None:
    """Parse, pair, draw, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True, help="JSON: images and labels, lists of [name, path]")
    parser.add_argument("--channel", default="0", help="name, or index counted from 0")
    parser.add_argument("--edge", type=int, default=384, help="longest edge of a picture in pixels")
    parser.add_argument("--shown", type=int, default=48, help="at most so many images are shown")
    parser.add_argument("--title", default="Objects found")
    parser.add_argument("--output-png", type=Path, required=True)
    parser.add_argument("--output-html", type=Path, required=True)
    args = parse_arguments(parser, argv)
    if not 64 <= args.edge <= 2048 or not 1 <= args.shown <= 1000:
        raise UserError(f"Edge {args.edge} must lie between 64 and 2048, shown {args.shown} between 1 and 1000.")
    pairs = paired(json.loads(args.pairs.read_text(encoding="utf-8")))
    if not pairs:
        raise UserError("There is no image to draw. Give at least one image and its label map.")
    pictures = []
    for name, image, labels in pairs:
        picture = draw_objects(open_image(image, name), open_image(labels, name), args.channel, args.edge)
        print(f"{name}: {picture.objects} objects", flush=True)
        pictures.append(picture)
    with replaced_when_complete(args.output_png) as png, replaced_when_complete(args.output_html) as page:
        contact_sheet(pictures[: args.shown], args.edge).save(png, "PNG", optimize=True)
        page.write_text(report(pictures, args.shown, args.title), encoding="utf-8")


if __name__ == "__main__":
    run_tool(main)

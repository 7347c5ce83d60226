#!/usr/bin/env python
"""Draws objects, tracks or ROIs on their images: a PNG contact sheet and a self-contained HTML report for a list."""

from __future__ import annotations

import io
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.figures.contact_sheet import contact_sheet
from bioimage_suite.figures.object_pictures import Found, ObjectPicture, View, draw_objects
from bioimage_suite.images.image_file import open_image
from bioimage_suite.images.label_maps import replaced_when_complete
from bioimage_suite.images.series import Reading, add_reading_arguments, reading_of

if TYPE_CHECKING:
    import numpy as np

KINDS = {"labels": "label map", "tracks": "table of tracks", "rois": "file of ROIs"}


def paired(listed: dict[str, list[list[str]]]) -> list[tuple[str, dict[str, Path]]]:
    """Pair images with their label maps, tracks or ROIs by element identifier, in the order of the images.

    Args:
        listed: `images` and any of KINDS, each a list of [identifier, path].

    Returns:
        Name of each image, and its paths by kind: `image`, `labels`, `tracks`, `rois`.

    Raises:
        UserError: An identifier occurs twice, or has no partner, or there is nothing to draw.
    """
    images = listed.get("images", [])
    given = {kind: listed[kind] for kind in KINDS if listed.get(kind)}
    if not images:
        raise UserError("There is no image to draw. Give at least one image and its label map.")
    if not given:
        raise UserError("There is nothing to draw on the images. Give label maps, tables of tracks or files of ROIs.")
    for kind, elements in {"images": images, **given}.items():
        names = [name for name, _ in elements]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(
                f"Name {twice[0]!r} occurs more than once among the {kind}. Give each element its own name."
            )
    pairs = [(name, {"image": Path(path)}) for name, path in images]
    for kind, elements in given.items():
        if len(images) == len(elements) == 1:
            pairs[0][1][kind] = Path(elements[0][1])
            continue
        paths = dict(elements)
        alone = sorted({name for name, _ in images} ^ paths.keys())
        if alone:
            side = f"{KINDS[kind]} but no image" if alone[0] in paths else f"image but no {KINDS[kind]}"
            raise UserError(f"Name {alone[0]!r}: there is one {side} of this name. Give two lists with the same names.")
        for name, paths_of in pairs:
            paths_of[kind] = Path(paths[name])
    return pairs


def draw_pair(name: str, paths: dict[str, Path], view: View, reading: Reading) -> ObjectPicture:
    """Open an image and its label map, tracks or ROIs, and draw them."""
    from bioimage_suite.figures.overlay_lines import read_geojson, track_paths
    from bioimage_suite.tables.measurement_table import read_measurement_table

    found = Found(
        labels=open_image(paths["labels"], name, Reading(pages=reading.pages)) if "labels" in paths else None,
        tracks=track_paths(read_measurement_table(paths["tracks"], name)) if "tracks" in paths else None,
        rois=read_geojson(paths["rois"], name) if "rois" in paths else [],
    )
    return draw_objects(open_image(paths["image"], name, reading), found, view)


def _facts(picture: ObjectPicture) -> str:
    count = f"{picture.objects:,} {picture.kind}{'' if picture.objects == 1 else 's'}"
    return ", ".join(part for part in (count, picture.channel, picture.place) if part)


def report_parts(pictures: list[ObjectPicture], shown: int) -> Iterator[html.Markup]:
    """Yield the parts of the HTML report: a table of all images, and the first `shown` as pictures."""
    total, kind = sum(p.objects for p in pictures), pictures[0].kind
    in_colour = pictures[0].channel == "colour"
    greys = "the image in its colours" if in_colour else "the channel, grey values from its 0.5 to its 99.8 percentile"
    yield html.paragraph(
        f"{total:,} {kind}{'' if total == 1 else 's'} in {len(pictures):,} image{'' if len(pictures) == 1 else 's'}. "
        f"Left: {greys}. Right: the same with each {kind}."
    )
    header = ("Image", "Channel", f"{kind[0].upper()}{kind[1:]}s")
    yield html.table(header, ((p.name, p.channel, f"{p.objects:,}") for p in pictures), [2])
    for p in pictures[:shown]:
        both = [("image", _png(p.grey)), (f"{p.kind}s drawn", _png(p.outlined))]
        yield html.figure(both, p.name, _facts(p))
    if len(pictures) > shown:
        yield html.paragraph(f"{len(pictures) - shown:,} further images are counted in the table but not shown.")


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True, help="JSON: images, labels, tracks, rois: [name, path]s")
    add_reading_arguments(parser)
    parser.add_argument("--channel", default="0", help="name, or index counted from 0; 'colour' for the RGB colours")
    parser.add_argument("--style", choices=["outlines", "filled"], default="outlines")
    parser.add_argument("--numbers", action="store_true", help="write the label of each object")
    parser.add_argument("--time", choices=["first", "middle", "last"], default="first", help="time point to show")
    parser.add_argument("--edge", type=int, default=384, help="longest edge of a picture in pixels")
    parser.add_argument("--shown", type=int, default=48, help="largest number of images to show")
    parser.add_argument("--title", default="Objects found")
    parser.add_argument("--output-png", type=Path, required=True)
    parser.add_argument("--output-html", type=Path, required=True)
    args = parse_arguments(parser, argv)
    if not 64 <= args.edge <= 2048 or not 1 <= args.shown <= 1000:
        raise UserError(f"Edge {args.edge} must lie between 64 and 2048, shown {args.shown} between 1 and 1000.")
    return args


def main(argv: list[str] | None = None) -> None:
    """Parse, pair, draw, write."""
    args = _arguments(argv)
    view = View(args.channel, args.edge, args.style, args.numbers, args.time)
    pictures = []
    for name, paths in paired(json.loads(args.pairs.read_text(encoding="utf-8"))):
        pictures.append(draw_pair(name, paths, view, reading_of(args)))
        print(f"{name}: {_facts(pictures[-1])}", flush=True)
    with replaced_when_complete(args.output_png) as png, replaced_when_complete(args.output_html) as page:
        cards = [(p.outlined, p.name, _facts(p)) for p in pictures[: args.shown]]
        contact_sheet(cards, args.edge).save(png, "PNG", optimize=True)
        page.write_text(html.page(args.title, report_parts(pictures, args.shown)), encoding="utf-8")


if __name__ == "__main__":
    run_tool(main)

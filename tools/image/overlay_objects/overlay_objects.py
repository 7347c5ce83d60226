#!/usr/bin/env python
"""Draws objects, tracks or ROIs on their images: a PNG contact sheet and a self-contained HTML report for a list."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, json_file, run_tool, tool
from bioimage_suite.core.workers import results_in_order
from bioimage_suite.figures.contact_sheet import small_sheet
from bioimage_suite.figures.image_pairs import paired
from bioimage_suite.figures.object_pictures import Found, ObjectPicture, View, draw_objects
from bioimage_suite.figures.object_report import as_pngs, facts, report_parts
from bioimage_suite.figures.png import write_png
from bioimage_suite.images.model.series import READING, Reading, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


Drawn = tuple[ObjectPicture, list[tuple[str, bytes]]]
"""A picture, and its PNGs; none where it is not shown."""


def draw_pair(pair: tuple[str, dict[str, Path], bool], view: View, reading: Reading) -> Drawn:
    """Open an image and its label map, tracks or ROIs, count, and draw them if they are shown."""
    from bioimage_suite.figures.overlay_lines import read_geojson, track_paths
    from bioimage_suite.tables.measurement_table import read_measurement_table

    name, paths, shown = pair
    found = Found(
        labels=as_label_map(open_image(paths["labels"], name, Reading(pages=reading.pages)))
        if "labels" in paths
        else None,
        tracks=track_paths(read_measurement_table(paths["tracks"], name)) if "tracks" in paths else None,
        rois=read_geojson(paths["rois"], name) if "rois" in paths else [],
    )
    picture = draw_objects(open_image(paths["image"], name, reading), found, view, shown)
    return picture, as_pngs(picture) if shown else []


@tool(
    __doc__,
    argument("--pairs", type=json_file, required=True, help="JSON: images, labels, tracks, rois: [name, path]s"),
    *READING,
    argument("--channel", default="0", help="name, or index counted from 0; 'colour' for the RGB colours"),
    argument("--style", choices=["outlines", "filled"], default="outlines"),
    argument("--numbers", action="store_true", help="write the label of each object"),
    argument("--time", choices=["first", "middle", "last"], default="first", help="time point to show"),
    argument("--edge", type=int, default=384, help="longest edge of a picture in pixels"),
    argument("--shown", type=int, default=48, help="largest number of images to show"),
    argument("--title", default="Objects found"),
    argument("--output-png", type=Path, required=True),
    argument("--output-html", type=Path, required=True),
    argument("--report-markdown", type=Path, help="the same report in Markdown of Galaxy"),
    argument("--report-files", type=Path, help="folder for the report's pictures, beside the page"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Pair, draw, write."""
    if not 64 <= args.edge <= 2048 or not 1 <= args.shown <= 1000:
        raise UserError(f"Edge {args.edge} must lie between 64 and 2048, shown {args.shown} between 1 and 1000.")
    view = View(args.channel, args.edge, args.style, args.numbers, args.time)
    pairs = [(*pair, number < args.shown) for number, pair in enumerate(paired(args.pairs))]
    draw = partial(draw_pair, view=view, reading=reading_of(args))
    pictures, pngs = [], []
    for picture, made in results_in_order(draw, pairs, [name for name, _, _ in pairs]):
        pictures.append(picture)
        pngs += [made] if made else []
        print(f"{picture.name}: {facts(picture)}", flush=True)
    cards = [(p.outlined, p.name, facts(p)) for p in pictures[: args.shown]]
    write_png(small_sheet(cards, args.edge), outputs.file(args.output_png))
    report = html.ReportPage(args.title, tuple(report_parts(pictures, pngs)))
    report.write(outputs, args.output_html, args.report_markdown, args.report_files)


if __name__ == "__main__":
    run_tool(main)

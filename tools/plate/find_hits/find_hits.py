#!/usr/bin/env python
"""Finds the hits of a screen in profiles of wells, with the quality of the assay, pictures and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.core.form_files import listed_files
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.plates import hits as scoring
from bioimage_suite.plates.controls import Controls, find_controls
from bioimage_suite.plates.dose_response import FIT_COLUMNS, fit_curves
from bioimage_suite.plates.pictures import curve_panels, heat_maps
from bioimage_suite.plates.profiles import Profiles, read_profiles
from bioimage_suite.plates.quality import QUALITY_COLUMNS, quality_of, replicates_of
from bioimage_suite.plates.report import curve_parts, quality_parts, summary_parts
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    CONFIG,
    argument("--hits", type=Path, required=True, help="table: score of each well, and whether it is a hit"),
    argument("--notes", type=Path, required=True, help="table for omero_annotate: what OMERO should say of each well"),
    argument("--quality", type=Path, required=True, help="table: quality of the assay for each plate and feature"),
    argument("--curves", type=Path, help="table: dose-response curves"),
    argument("--curves-plot", type=Path, help="PNG: dose-response curves"),
    argument("--plates", type=Path, required=True, help="PNG: heat maps"),
    argument("--report", type=Path, required=True, help="HTML report"),
    argument("--report-markdown", type=Path, help="the same report in Markdown of Galaxy"),
    argument("--report-files", type=Path, help="folder for the report's pictures, beside the page"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, score, draw, write."""
    config = args.config
    [(path, name)] = listed_files(config["profiles"])
    profiles = read_profiles(path, name)
    controls = find_controls(profiles, config["column"].strip(), config["negative"], config.get("positive") or "")
    tag = scoring.parse_hit_tag(config.get("tag") or "")
    scores = _scores(profiles, controls, config["score"])
    qualities = list(quality_of(profiles, controls))
    replicates = None
    by = [part.strip() for part in (config.get("replicates") or "").split(",") if part.strip()]
    if by:
        replicates = replicates_of(profiles, by, controls.samples)
    panels = [(scores.name, scores.values), ("number of objects", profiles.counts.astype(float))]
    picture = heat_maps(profiles, controls, panels, scores.hits)
    outputs.file(args.plates).write_bytes(picture)
    parts = [
        *summary_parts(profiles, controls, scores),
        html.figure([("heat maps", picture)], "Plates", "- negative, + positive control; a red frame is a hit."),
        html.output_picture("plates"),
        *quality_parts(qualities, replicates),
    ]
    if args.curves:
        dose = config["dose"]
        curves = fit_curves(profiles, scores.values, dose["compound"].strip(), dose["dose"].strip(), controls.samples)
        write_rows(outputs.file(args.curves), FIT_COLUMNS, (one.row() for one in curves))
        drawn = curve_panels(curves, dose["dose"].strip(), scores.name)
        outputs.file(args.curves_plot).write_bytes(drawn)
        parts += curve_parts(curves, drawn)
    write_rows(outputs.file(args.hits), scoring.hit_columns(profiles), scoring.hit_rows(profiles, scores))
    write_rows(outputs.file(args.notes), scoring.note_columns(tag), scoring.note_rows(profiles, scores, tag))
    write_rows(outputs.file(args.quality), QUALITY_COLUMNS, (one.row() for one in qualities))
    html.ReportPage(config["title"], tuple(parts)).write(outputs, args.report, args.report_markdown, args.report_files)
    print(f"{int(scores.hits.sum())} hits among {int(controls.samples.sum())} wells that are no control")


def _scores(profiles: Profiles, controls: Controls, form: Mapping[str, Any]) -> scoring.Scores:
    """Return the scores of the wells: of one feature, or of the whole profile."""
    by_feature = form["by"] == "feature"
    return scoring.find_hits(
        profiles,
        controls,
        feature=form["feature"].strip() if by_feature else "",
        limit=float(form["limit"]),
        side=form["side"] if by_feature else "above",
        share=0.0 if by_feature else float(form["share"]),
        least_objects=int(form["least_objects"]),
    )


if __name__ == "__main__":
    run_tool(main)

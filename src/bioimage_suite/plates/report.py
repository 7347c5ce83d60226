"""The report of a screen: hits, quality of the assay and pictures, as parts of one static HTML page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.plates.dose_response import FIT_COLUMNS
from bioimage_suite.plates.quality import QUALITY_COLUMNS
from bioimage_suite.tables.measurement_table import format_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bioimage_suite.plates.controls import Controls
    from bioimage_suite.plates.dose_response import Curve
    from bioimage_suite.plates.hits import Scores
    from bioimage_suite.plates.profiles import Profiles
    from bioimage_suite.plates.quality import AssayQuality, Replicates

_MOST_ROWS = 100


def summary_parts(profiles: Profiles, controls: Controls, scores: Scores) -> Iterator[html.Markup]:
    """Yield what was found in words, then the hits, the strongest first."""
    empty = int((profiles.counts == 0).sum())
    yield html.bullets(
        [
            f"{_counted(len(profiles.plates), 'plate')}, {len(profiles.wells)} wells, "
            f"{int(profiles.counts.sum()):,} objects, "
            f"{len(profiles.features)} features",
            f"{int(controls.negative.sum())} wells with a negative control, {int(controls.positive.sum())} with a "
            f"positive one; {_counted(empty, 'well')} without objects",
            f"Score: {scores.name}; a hit is {_rule(scores)}",
            f"{int(scores.hits.sum())} hits among {int(controls.samples.sum())} wells that are no control",
        ]
    )
    header = ["rank", "plate", "well", *profiles.conditions, "objects", "score"]
    ranked = scores.ranked()
    rows: list[list[html.Cell]] = [
        [
            *(rank, profiles.wells[place].plate, profiles.wells[place].label),
            *(texts[place] for texts in profiles.conditions.values()),
            *(int(profiles.counts[place]), _shown(float(scores.values[place]))),
        ]
        for rank, place in enumerate(ranked[:_MOST_ROWS], 1)
    ]
    yield html.section("Hits", html.table(header, rows, {0, len(header) - 2, len(header) - 1}))
    if len(ranked) > _MOST_ROWS:
        yield html.paragraph(f"{len(ranked) - _MOST_ROWS:,} further hits are in the table.")


def quality_parts(qualities: Sequence[AssayQuality], replicates: Replicates | None) -> Iterator[html.Markup]:
    """Yield the quality of the assay: the features that tell the controls apart best come first."""
    best = sorted(qualities, key=lambda one: -abs(one.robust_ssmd or 0))
    rows = [[_shown(cell) for cell in one.row()] for one in best[:_MOST_ROWS]]
    parts = [html.table(QUALITY_COLUMNS, rows, range(2, len(QUALITY_COLUMNS)))]
    if replicates is not None:
        share = "undefined" if replicates.share is None else html.percent(replicates.share)
        parts.append(
            html.paragraph(
                f"Replicates: {len(replicates.groups)} conditions have several wells; {share} of them agree better "
                "than 95 % of random groups of wells of different conditions."
            )
        )
    yield html.section("Quality of the assay", *parts)


def curve_parts(curves: Sequence[Curve], picture: bytes) -> Iterator[html.Markup]:
    """Yield the dose-response curves with their parameters."""
    rows = [[_shown(cell) for cell in one.row()] for one in curves[:_MOST_ROWS]]
    table = html.table(FIT_COLUMNS, rows, range(1, len(FIT_COLUMNS) - 1))
    note = "Dots: wells, open at the left with dose 0; line: fitted curve; dashed: ec50."
    figure = html.figure([("dose-response curves", picture)], "Compounds", note)
    yield html.section("Dose-response", figure, html.output_picture("curves_plot"), table)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _rule(scores: Scores) -> str:
    side = {"both": "beyond ±", "above": "above ", "below": "below -"}[scores.side]
    return f"{side}{scores.limit:g}"


def _shown(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) and math.isfinite(cell) else format_cell(cell)

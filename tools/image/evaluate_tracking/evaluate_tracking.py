#!/usr/bin/env python
"""Compares tracks with a reference: the measures of the Cell Tracking Challenge, and every error by frame and label."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.series import READING, reading_of
from bioimage_suite.tables.measurement_table import write_rows
from bioimage_suite.tracking.comparison import ERROR_COLUMNS, compare, error_rows
from bioimage_suite.tracking.graph import measure_tracking
from bioimage_suite.tracking.inputs import open_tracking

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

PARENTS = "table with track and parent_track, for a label map"


@tool(
    __doc__,
    argument("--reference", type=Path, required=True, help="challenge zip, or label map of tracks"),
    argument("--reference-name"),
    argument("--reference-parents", type=Path, help=PARENTS),
    argument("--result", type=Path, required=True, help="challenge zip, or label map of tracks"),
    argument("--result-name"),
    argument("--result-parents", type=Path, help=PARENTS),
    *READING,
    argument("--measures", type=Path, required=True),
    argument("--errors", type=Path),
    argument("--figure", type=Path),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, compare, write."""
    reading = reading_of(args)
    with ExitStack() as stack:
        reference = open_tracking(
            args.reference, args.reference_name or args.reference.name, args.reference_parents, stack, reading
        )
        result = open_tracking(args.result, args.result_name or args.result.name, args.result_parents, stack, reading)
        if not len(reference.lineage.frame):
            raise UserError(f"Reference {reference.name}: it has no object, so nothing can be measured. Give another.")
        measures, errors = measure_tracking(reference.lineage, result.lineage, compare(reference, result))
    rows = error_rows(reference, result, errors)
    write_rows(
        outputs.file(args.measures),
        ("reference", "result", *measures),
        [(reference.name, result.name, *measures.values())],
    )
    if args.errors:
        write_rows(outputs.file(args.errors), ERROR_COLUMNS, rows)
    if args.figure:
        from bioimage_suite.tracking.error_figure import draw_errors

        title = f"{result.name} against {reference.name}"
        draw_errors(outputs.file(args.figure), title, measures, rows, reference.frames)
    print(", ".join(f"{name} {measures[name]:.4f}" for name in ("SEG", "DET", "TRA", "LNK")))


if __name__ == "__main__":
    run_tool(main)

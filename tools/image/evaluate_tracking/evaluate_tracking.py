#!/usr/bin/env python
"""Compares tracks with a reference: the measures of the Cell Tracking Challenge, and every error by frame and label."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.images.series import add_reading_arguments, reading_of
from bioimage_suite.tables.measurement_table import write_rows
from bioimage_suite.tracking.graph import MEANING, Errors, Matching, match_objects, measure_tracking
from bioimage_suite.tracking.inputs import TrackedMovie, open_tracking

if TYPE_CHECKING:
    pass


def compare(reference: TrackedMovie, result: TrackedMovie) -> Matching:
    """Match the objects of two tracked movies frame by frame.

    Raises:
        UserError: The movies differ in frames or in size.
    """
    import numpy as np

    if reference.frames != result.frames:
        raise UserError(
            f"Reference {reference.name} has {reference.frames} frames, result {result.name} has {result.frames}. "
            "Give tracks of the same movie."
        )
    pairs = [np.zeros((0, 3), np.int64)]
    starts = [np.searchsorted(movie.lineage.frame, np.arange(movie.frames + 1)) for movie in (reference, result)]
    for t in range(reference.frames):
        a, b = reference.read_frame(t), result.read_frame(t)
        if a.shape != b.shape:
            raise UserError(
                f"Frame {t}: reference {reference.name} is Z, Y, X = {a.shape}, result {result.name} is {b.shape}. "
                "Give tracks of the same movie."
            )
        both = (a > 0) & (b > 0)
        here, there = (
            movie.label_in_file[s[t] : s[t + 1]] for movie, s in zip((reference, result), starts, strict=True)
        )
        code = np.searchsorted(here, a[both]) * max(len(there), 1) + np.searchsorted(there, b[both])
        ids, shared = np.unique(code, return_counts=True)
        first, second = np.divmod(ids, max(len(there), 1))
        pairs.append(np.column_stack([first + starts[0][t], second + starts[1][t], shared]))
    return match_objects(reference.lineage, result.lineage, *np.concatenate(pairs).T)


def error_rows(reference: TrackedMovie, result: TrackedMovie, errors: Errors) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the table of errors, in the order of frames."""
    rows = []
    for kind, i, j in zip(errors.kind, errors.reference.tolist(), errors.result.tolist(), strict=True):
        frame = reference.lineage.frame[i] if i >= 0 else result.lineage.frame[j]
        rows.append((int(frame), kind, MEANING[kind], int(reference.label_in_file[i]) if i >= 0 else None,
                     int(result.label_in_file[j]) if j >= 0 else None))  # fmt: skip
    return iter(sorted(rows, key=lambda row: (row[0], row[1], row[3] or 0, row[4] or 0)))


def draw(path: Path, name: str, measures: dict[str, float], errors: list[tuple[Any, ...]], frames: int) -> None:
    """Draw a PNG figure: the main measures as bars, and the errors of each frame."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
    figure.suptitle(name)
    names = [n for n in ("SEG", "DET", "TRA", "LNK", "CT", "TF", "link_F1", "BC(0)") if np.isfinite(measures[n])]
    bars = left.barh(names, [measures[n] for n in names], color="tab:blue")
    left.bar_label(bars, fmt="%.3f", padding=3)
    left.set(xlim=(0, 1.15), title="Measures (1 is best)")
    left.invert_yaxis()
    base = np.zeros(frames)
    for kind, meaning in MEANING.items():
        count = np.bincount([row[0] for row in errors if row[1] == kind], minlength=frames)
        if count.any():
            right.bar(np.arange(frames), count, 1.0, bottom=base, label=f"{kind}: {meaning}")
            base += count
    right.set(title="Errors in each frame", xlabel="frame", ylabel="errors", xlim=(-0.5, frames - 0.5))
    if base.any():
        right.set_ylim(0, base.max() * 1.5)
        right.legend(fontsize="small", loc="upper left")
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    for side in ("reference", "result"):
        parser.add_argument(f"--{side}", type=Path, required=True, help="challenge zip, or label map of tracks")
        parser.add_argument(f"--{side}-name")
        parser.add_argument(f"--{side}-parents", type=Path, help="table with track and parent_track, for a label map")
    add_reading_arguments(parser)
    parser.add_argument("--measures", type=Path, required=True)
    parser.add_argument("--errors", type=Path)
    parser.add_argument("--figure", type=Path)
    return parse_arguments(parser, argv)


def main(argv: list[str] | None = None) -> None:
    """Parse, open, compare, write."""
    args = _arguments(argv)
    reading = reading_of(args)
    with ExitStack() as stack:
        reference = open_tracking(
            args.reference, args.reference_name or args.reference.name, args.reference_parents, stack, reading
        )
        result = open_tracking(args.result, args.result_name or args.result.name, args.result_parents, stack, reading)
        if not len(reference.lineage.frame):
            raise UserError(f"Reference {reference.name}: it has no object, so nothing can be measured. Give another.")
        matching = compare(reference, result)
        measures, errors = measure_tracking(reference.lineage, result.lineage, matching)
    rows = list(error_rows(reference, result, errors))
    write_rows(args.measures, ("reference", "result", *measures), [(reference.name, result.name, *measures.values())])
    if args.errors:
        write_rows(args.errors, ("frame", "error", "meaning", "reference_label", "result_label"), rows)
    if args.figure:
        draw(args.figure, f"{result.name} against {reference.name}", measures, rows, reference.frames)
    print(", ".join(f"{name} {measures[name]:.4f}" for name in ("SEG", "DET", "TRA", "LNK")))


if __name__ == "__main__":
    run_tool(main)

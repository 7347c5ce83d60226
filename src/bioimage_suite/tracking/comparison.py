"""Comparison of two tracked movies frame by frame: which objects match, and every error by frame and label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.tracking.graph import MEANING, Errors, Matching, match_objects

if TYPE_CHECKING:
    from bioimage_suite.tracking.inputs import TrackedMovie

ErrorRow = tuple[int, str, str, int | None, int | None]
"""A row of the table of errors: see `ERROR_COLUMNS`."""
ERROR_COLUMNS = ("frame", "error", "meaning", "reference_label", "result_label")


def compare(reference: TrackedMovie, result: TrackedMovie) -> Matching:
    """Match the objects of two tracked movies frame by frame.

    Raises:
        UserError: The movies differ in frames or in size.
    """
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


def error_rows(reference: TrackedMovie, result: TrackedMovie, errors: Errors) -> list[ErrorRow]:
    """Return the rows of the table of errors, in the order of frames."""
    rows: list[ErrorRow] = []
    for kind, i, j in zip(errors.kind, errors.reference.tolist(), errors.result.tolist(), strict=True):
        frame = reference.lineage.frame[i] if i >= 0 else result.lineage.frame[j]
        rows.append((int(frame), kind, MEANING[kind], int(reference.label_in_file[i]) if i >= 0 else None,
                     int(result.label_in_file[j]) if j >= 0 else None))  # fmt: skip
    return sorted(rows, key=lambda row: (row[0], row[1], row[3] or 0, row[4] or 0))

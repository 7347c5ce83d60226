"""Figure of a comparison of tracks: the main measures as bars, and the errors of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.tracking.graph import MEANING

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.tracking.comparison import ErrorRow

SHOWN = ("SEG", "DET", "TRA", "LNK", "CT", "TF", "link_F1", "BC(0)")


def draw_errors(path: Path, name: str, measures: dict[str, float], errors: list[ErrorRow], frames: int) -> None:
    """Write the figure as PNG.

    Args:
        path: File to write.
        name: Title of the figure.
        measures: Measures by name, those of `SHOWN` among them.
        errors: Rows of the table of errors.
        frames: Number of frames of the movie.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
    figure.suptitle(name)
    names = [n for n in SHOWN if np.isfinite(measures[n])]
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

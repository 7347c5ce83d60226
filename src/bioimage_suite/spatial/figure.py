"""Figure of a pattern: positions, density, nearest-neighbour distances, and L and g with envelopes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.spatial.statistics import Pattern, Points
    from bioimage_suite.spatial.window import Window

# More panels would be too small to read; the table has all pairs.
MOST_PAIRS = 4


@dataclass(frozen=True)
class PatternPicture:
    """Content of the figure.

    Attributes:
        title: Title above the figure.
        points: The points.
        names: Name of each class.
        cluster: (n,) cluster of each point, 0 for none; None if clusters were not searched for.
        window: Where points could have been.
        density: (Y, X) density map; None in 3D.
        pattern: Results of the statistics.
        unit: `µm` or `px`.
    """

    title: str
    points: Points
    names: list[str]
    cluster: np.ndarray | None
    window: Window
    density: np.ndarray | None
    pattern: Pattern
    unit: str


def draw_pattern(path: Path, picture: PatternPicture) -> None:
    """Write the figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A dollar sign in a name does not begin a formula.
    picture = replace(picture, names=[name.replace("$", r"\$") for name in picture.names])
    n = len(picture.names)
    pairs = [(a, a) for a in range(n)] + [(a, b) for a in range(n) for b in range(a + 1, n)]
    pairs = pairs[:MOST_PAIRS]
    figure = Figure(figsize=(4 * max(3, len(pairs)), 11), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(picture.title, parse_math=False)
    top, middle, bottom = figure.subfigures(3, 1, squeeze=False)[:, 0]
    axes = top.subplots(1, 3)
    _draw_points(axes[0], picture)
    _draw_density(axes[1], picture)
    _draw_nearest(axes[2], picture)
    curves, pattern = picture.pattern.curves, picture.pattern
    for row, observed, simulated, expected, label in (
        (middle, curves.l - curves.r, pattern.simulated_l - curves.r, 0, f"L(r) - r ({picture.unit})"),
        (bottom, curves.g, pattern.simulated_g, 1, "g(r)"),
    ):
        for axis, (a, b) in zip(row.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
            if len(simulated):
                low, high = simulated[:, a, b].min(axis=0), simulated[:, a, b].max(axis=0)
                axis.fill_between(curves.r, low, high, color="0.8", label=f"{len(simulated)} simulations")
            axis.axhline(expected, color="grey", linestyle="--", linewidth=1)
            axis.plot(curves.r, observed[a, b], color="tab:red", label="observed")
            axis.set(title=f"{picture.names[a]} - {picture.names[b]}", xlabel=f"r ({picture.unit})", ylabel=label)
            axis.legend(fontsize="small")
    figure.savefig(path, format="png", dpi=80, metadata={"Software": None})


def draw_nothing(path: Path, title: str) -> None:
    """Write a figure that only says why it is empty: a list of figures needs one for each image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2))
    FigureCanvasAgg(figure)
    figure.text(0.5, 0.5, title, ha="center", va="center", parse_math=False)
    figure.savefig(path, format="png", dpi=80, metadata={"Software": None})


def _draw_points(axis: Any, picture: PatternPicture) -> None:
    position = picture.points.position
    size = float(np.clip(4000 / max(len(position), 1), 1, 25))
    for number, name in enumerate(picture.names):
        own = picture.points.of_class == number
        axis.scatter(position[own, -1], position[own, -2], s=size, label=f"{name} ({own.sum()})")
    if picture.cluster is not None and picture.cluster.any():
        inside = picture.cluster > 0
        axis.scatter(position[inside, -1], position[inside, -2], s=4 * size, facecolors="none", edgecolors="k",
                     linewidths=0.4, label="in a cluster")  # fmt: skip
    _frame(axis, picture, "Objects")
    if len(picture.names) < 10:
        axis.legend(fontsize="small", loc="upper right")


def _draw_density(axis: Any, picture: PatternPicture) -> None:
    if picture.density is None:
        axis.set_axis_off()
        return
    lower, upper = picture.window.bounds
    image = axis.imshow(picture.density, extent=(lower[1], upper[1], upper[0], lower[0]), cmap="magma")
    axis.figure.colorbar(image, ax=axis, label=f"objects / {picture.unit}²")
    _frame(axis, picture, "Density")


def _frame(axis: Any, picture: PatternPicture, title: str) -> None:
    lower, upper = picture.window.bounds
    axis.set(title=title, aspect="equal", xlim=(lower[-1], upper[-1]), ylim=(upper[-2], lower[-2]))
    axis.set(xlabel=f"x ({picture.unit})", ylabel=f"y ({picture.unit})")


def _draw_nearest(axis: Any, picture: PatternPicture) -> None:
    for number, name in enumerate(picture.names):
        distances = picture.pattern.nearest[picture.points.of_class == number, number]
        distances = np.sort(distances[np.isfinite(distances)])
        if len(distances):
            axis.plot(distances, np.arange(1, len(distances) + 1) / len(distances), label=name)
    axis.set(title="Nearest neighbour of the same class", ylabel="fraction of objects", ylim=(0, 1.02))
    axis.set_xlabel(f"distance ({picture.unit})")
    if axis.lines:
        axis.legend(fontsize="small")

"""Plot of the distribution of features in each image: boxes and single values, side by side for groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.tables.grouped_values import Group

    pass
from bioimage_suite.figures.spread import spread

# More points than this make a dark patch; the points shown are then spread evenly over the sorted values.
MOST_POINTS = 300
MOST_NAMED_IMAGES = 24  # with more images the axis shows no names
NAME_LENGTH = 28  # longest name on the axis, characters


def draw_groups(path: Path, groups: list[Group], most_panels: int) -> None:
    """Write the figure as PNG: one panel for each feature, one place for each image, one colour for each group.

    Args:
        path: File to write.
        groups: Values by feature, image and group.
        most_panels: Largest number of features to draw.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    features = list(dict.fromkeys(one.feature for one in groups))[:most_panels]
    images = list(dict.fromkeys(one.image for one in groups))
    names = list(dict.fromkeys(one.group for one in groups))
    columns = min(len(features), 3)
    rows = -(-len(features) // columns)
    width = max(4.2, min(1.2 + 0.35 * len(images) * len(names), 9))
    figure = Figure(figsize=(width * columns, 4.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, feature in zip(axes, features, strict=False):
        _draw_feature(axis, [one for one in groups if one.feature == feature], images, names)
        # A dollar sign in a name does not begin a formula.
        axis.set_title(feature, parse_math=False)
    for axis in axes[len(features) :]:
        axis.set_axis_off()
    if len(names) > 1:
        handles = [
            axes[0].plot([], [], "s", color=f"C{k % 10}", label=" / ".join(name).replace("$", r"\$"))[0]
            for k, name in enumerate(names)
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(names), 6))
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})


def _draw_feature(axis: Any, groups: list[Group], images: list[str], names: list[tuple[str, ...]]) -> None:
    step = 0.8 / len(names)
    for one in groups:
        number = names.index(one.group)
        place = images.index(one.image) + (number - (len(names) - 1) / 2) * step
        colour = f"C{number % 10}"
        if len(one.values) == 1:
            axis.bar(place, one.values[0], width=0.85 * step, color=colour)
        elif len(one.values):
            axis.boxplot(
                one.values, positions=[place], widths=0.7 * step, showfliers=False, manage_ticks=False,
                medianprops={"color": "k", "linewidth": 1.5},
            )  # fmt: skip
            _draw_points(axis, one, place, 0.5 * step, colour)
    axis.set_xlim(-0.6, len(images) - 0.4)
    if len(images) <= MOST_NAMED_IMAGES:
        axis.set_xticks(range(len(images)), [_shortened(name) for name in images], rotation=30, ha="right",
                        parse_math=False)  # fmt: skip
    else:
        axis.set_xlabel(f"{len(images)} images, in the order of the list")


def _draw_points(axis: Any, one: Group, place: float, width: float, colour: str) -> None:
    """Draw values beside each other in a fixed pattern, so that the same data give the same picture."""
    values = np.sort(one.values)
    if len(values) > MOST_POINTS:
        values = values[np.linspace(0, len(values) - 1, MOST_POINTS).round().astype(int)]
    aside = (spread(np.arange(len(values))) - 0.5) * width
    axis.plot(place + aside, values, ".", color=colour, markersize=3, alpha=0.6)


def _shortened(name: str) -> str:
    half = NAME_LENGTH // 2
    return name if len(name) <= NAME_LENGTH else f"{name[: half - 1]}…{name[-half:]}"

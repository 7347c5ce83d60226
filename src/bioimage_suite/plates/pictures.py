"""Pictures of plates: heat maps, and dose-response curves with their fits, as PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.plates.dose_response import hill
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.plate_layout import plate_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioimage_suite.plates.controls import Controls
    from bioimage_suite.plates.dose_response import Curve
    from bioimage_suite.plates.profiles import Profiles

# Two colours from white, readable for people with red-green colour blindness (ColorBrewer's PuOr, reversed).
_COLOURS, _MISSING = "PuOr_r", "#e3e6ea"
_HIT = "hit"
MOST_CURVES = 24


def plate_array(profiles: Profiles, values: np.ndarray, plate: str) -> np.ndarray:
    """Return (rows, columns) values of a plate of the smallest usual size, NaN where it has no well."""
    own = [place for place, well in enumerate(profiles.wells) if well.plate == plate]
    grid = np.full(plate_size((profiles.wells[n].row, profiles.wells[n].column) for n in own), np.nan)
    for place in own:
        grid[profiles.wells[place].row, profiles.wells[place].column] = values[place]
    return grid


def heat_maps(
    profiles: Profiles, controls: Controls, panels: Sequence[tuple[str, np.ndarray]], hits: np.ndarray
) -> bytes:
    """Draw each quantity of each plate; controls are marked - and +, hits have a frame.

    Args:
        profiles: The wells.
        controls: The controls.
        panels: Title and (wells,) values of each quantity.
        hits: (wells,) bool.

    Returns:
        PNG: a row of panels for each plate.
    """
    plates = profiles.plates
    rows, columns = plate_size((well.row, well.column) for well in profiles.wells)
    size = (max(3.4, 0.3 * columns + 1.6), max(2.2, 0.3 * rows + 1.0))
    # A plate of 1536 wells in several panels would be too wide to look at.
    marks = [
        _HIT if hit else "-" if negative else "+" if positive else ""
        for hit, negative, positive in zip(hits, controls.negative, controls.positive, strict=True)
    ]
    scale = min(1.0, 16 / (size[0] * len(panels)), 60 / (size[1] * len(plates)))
    figure, axes = _figure((size[0] * len(panels), size[1] * len(plates)), (len(plates), len(panels)), scale)
    for line, plate in zip(axes, plates, strict=True):
        for axis, (title, values) in zip(line, panels, strict=True):
            _draw_plate(axis, plate_array(profiles, values, plate), scale)
            named = f"{plate}: {title}" if plate else title
            axis.set_title(named, fontsize=8, parse_math=False)
            _mark(axis, [place for place, well in enumerate(profiles.wells) if well.plate == plate], profiles, marks)
    return _png(figure)


def _draw_plate(axis: Any, grid: np.ndarray, scale: float) -> None:
    there = grid[~np.isnan(grid)]
    # Beyond the 98th percentile colours saturate: one extreme well would leave the others without contrast.
    reach = float(np.percentile(np.abs(there), 98)) if len(there) else 1.0
    low, colours = (-(reach or 1.0), _COLOURS) if (there < 0).any() else (0.0, "viridis")
    axis.set_facecolor(_MISSING)
    shown = axis.imshow(grid, cmap=colours, vmin=low, vmax=reach or 1.0, interpolation="nearest")
    axis.figure.colorbar(shown, ax=axis, shrink=0.8).ax.tick_params(labelsize=7)
    step = 1 if scale == 1.0 and len(grid) <= 16 else 2
    axis.set_xticks(range(0, grid.shape[1], step), [str(n + 1) for n in range(0, grid.shape[1], step)], fontsize=6)
    axis.set_yticks(range(0, grid.shape[0], step), [letters_of(n) for n in range(0, grid.shape[0], step)], fontsize=6)


def _mark(axis: Any, places: Sequence[int], profiles: Profiles, marks: Sequence[str]) -> None:
    from matplotlib.patches import Rectangle

    for place in places:
        well, mark = profiles.wells[place], marks[place]
        if mark == _HIT:
            corner = (well.column - 0.5, well.row - 0.5)
            axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="#d0021b", linewidth=1.6))
        elif mark:
            axis.text(well.column, well.row, mark, ha="center", va="center", fontsize=8)


def curve_panels(curves: Sequence[Curve], dose: str, score: str) -> bytes:
    """Draw the wells of each compound with its curve, at most `MOST_CURVES`; a dashed line is the ec50.

    Wells with dose 0 are open circles at the left.
    """
    shown = curves[:MOST_CURVES]
    columns = min(max(len(shown), 1), 4)
    rows = max(-(-len(shown) // columns), 1)
    figure, axes = _figure((3.2 * columns, 2.6 * rows), (rows, columns))
    for axis in axes.ravel()[len(shown) :]:
        axis.set_axis_off()
    for axis, curve in zip(axes.ravel(), shown, strict=False):
        axis.set_title(curve.compound, fontsize=8, parse_math=False)
        axis.set_xlabel(dose.replace("$", r"\$"), fontsize=7)
        axis.set_ylabel(score.replace("$", r"\$"), fontsize=7)
        axis.tick_params(labelsize=7)
        _draw_curve(axis, curve)
    return _png(figure)


def _draw_curve(axis: Any, curve: Curve) -> None:
    """Draw wells and the fitted line; wells with dose 0, which logarithms have no place for, stand open at the left."""
    above = curve.doses > 0
    if not above.any():
        return
    least, most = float(curve.doses[above].min()), float(curve.doses.max())
    axis.set_xscale("log")
    axis.plot(curve.doses[above], curve.values[above], "o", markersize=4, color="#7a6bb5")
    zero = curve.values[~above]
    axis.plot(np.full(len(zero), least / 2), zero, "o", markersize=4, color="#7a6bb5", fillstyle="none")
    if curve.parameters:
        bottom, top, ec50, slope = curve.parameters
        doses = np.geomspace(least, most, 200)
        axis.plot(doses, hill(doses, bottom, top, float(np.log(ec50)), slope), color="#d97c20")
        if least <= ec50 <= most:
            axis.axvline(ec50, linestyle="--", linewidth=0.8, color="#777777")


def _figure(size: tuple[float, float], panels: tuple[int, int], scale: float = 1.0) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] * scale, size[1] * scale), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(*panels, squeeze=False)


def _png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()

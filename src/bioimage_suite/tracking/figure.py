"""Figure of tracks: paths, paths from a common origin, mean speeds, and mean squared displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.tracking.measures import mean_squared_displacement
from bioimage_suite.tracking.tracked import Tracked, kept

if TYPE_CHECKING:
    from pathlib import Path

# More paths make a dark patch and take long to draw; the paths shown are then spread evenly over all.
MOST_PATHS = 2000


@dataclass(frozen=True)
class TrackPicture:
    """Content of the figure.

    Attributes:
        title: Title above the figure.
        frame: (n,) frame of each object.
        position: (n, 2) y, x of each object in `space_unit`.
        track: (n,) track of each object, 0 for none.
        mean_speed: (number of tracks,) in space_unit / time_unit.
        lags: (k,) time lags in `time_unit`.
        msd: (k,) mean squared displacement in space_unit².
        space_unit: Unit of lengths, such as `µm`.
        time_unit: Unit of times, such as `s`.
    """

    title: str
    frame: np.ndarray
    position: np.ndarray
    track: np.ndarray
    mean_speed: np.ndarray
    lags: np.ndarray
    msd: np.ndarray
    space_unit: str
    time_unit: str


def picture_of(tracked: Tracked) -> TrackPicture:
    """Return the content of the figure; the mean squared displacement goes to at most a quarter of the movie."""
    detections = tracked.detections
    frame, position, tracks = kept(detections, tracked.tracks)
    frames = int(frame.max() - frame.min() + 1) if len(frame) else 1
    # Long lags have few, dependent pairs: a quarter of the length is the usual limit (Saxton 1997, Biophys J 72, 1744).
    lags, msd, _ = mean_squared_displacement(frame, position, tracks.track, max(4, frames // 4))
    names = list(dict.fromkeys(detections.image.tolist()))
    return TrackPicture(
        title=str(names[0]) if len(names) == 1 else f"{len(names)} images", frame=frame,
        position=position[:, -2:], track=tracks.track, mean_speed=np.asarray(tracked.summary["mean_speed"]),
        lags=lags * (detections.frame_interval or 1), msd=msd,
        space_unit="µm" if detections.unit == "um" else "px", time_unit=tracked.time_unit,
    )  # fmt: skip


def draw_tracks(path: Path, picture: TrackPicture) -> None:
    """Write the figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    paths, shown, total = _paths(picture)
    some = f"{shown} of {total} tracks" if shown < total else f"{total} tracks"
    figure.suptitle(f"{picture.title}: {some}", parse_math=False)
    _draw_paths(axes[0, 0], paths, picture)
    _draw_from_origin(axes[0, 1], paths, picture)
    _draw_speeds(axes[1, 0], picture)
    _draw_msd(axes[1, 1], picture)
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})


def _paths(picture: TrackPicture) -> tuple[list[np.ndarray], int, int]:
    """Return (k, 3) frame, x, y of the tracks to draw, how many these are, and the number of all tracks."""
    order = np.lexsort((picture.frame, picture.track))
    order = order[picture.track[order] > 0]
    points = np.column_stack([picture.frame, picture.position[:, 1], picture.position[:, 0]])[order]
    begins = np.flatnonzero(np.diff(picture.track[order], prepend=0))
    paths = np.split(points, begins[1:]) if len(begins) else []
    total = len(paths)
    stride = max(1, -(-total // MOST_PATHS))
    return paths[::stride], len(paths[::stride]), total


def _draw_paths(axis: Any, paths: list[np.ndarray], picture: TrackPicture) -> None:
    """Draw each step in the colour of its time."""
    from matplotlib.collections import LineCollection

    steps = [np.stack([path[:-1, 1:], path[1:, 1:]], axis=1) for path in paths if len(path) > 1]
    if steps:
        times = np.concatenate([path[1:, 0] for path in paths if len(path) > 1])
        lines = LineCollection(list(np.concatenate(steps)), array=times, cmap="viridis", linewidths=1)
        axis.add_collection(lines)
        axis.figure.colorbar(lines, ax=axis, label="frame")
    if paths:
        starts = np.array([path[0, 1:] for path in paths])
        axis.plot(starts[:, 0], starts[:, 1], "k.", markersize=2)
    axis.autoscale()
    axis.invert_yaxis()
    axis.set(title="Tracks (dots: where each begins)", aspect="equal")
    axis.set(xlabel=f"x ({picture.space_unit})", ylabel=f"y ({picture.space_unit})")


def _draw_from_origin(axis: Any, paths: list[np.ndarray], picture: TrackPicture) -> None:
    from matplotlib.collections import LineCollection

    lines = [path[:, 1:] - path[0, 1:] for path in paths if len(path) > 1]
    axis.add_collection(LineCollection(lines, colors="tab:blue", linewidths=0.6, alpha=0.5))
    reach = max((float(abs(line).max()) for line in lines), default=0.0) * 1.05 or 1.0
    axis.axhline(0, color="grey", linewidth=0.5)
    axis.axvline(0, color="grey", linewidth=0.5)
    axis.set(title="Tracks from a common origin", aspect="equal", xlim=(-reach, reach), ylim=(reach, -reach))
    axis.set(xlabel=f"Δx ({picture.space_unit})", ylabel=f"Δy ({picture.space_unit})")


def _draw_speeds(axis: Any, picture: TrackPicture) -> None:
    speeds = picture.mean_speed[np.isfinite(picture.mean_speed)]
    if len(speeds):
        axis.hist(speeds, bins=min(50, max(10, int(len(speeds) ** 0.5))), color="tab:blue")
        middle = float(np.median(speeds))
        axis.axvline(middle, color="k", linestyle="--", label=f"median {middle:.3g}")
        axis.legend()
    axis.set(title="Mean speed of each track", ylabel="tracks")
    axis.set_xlabel(f"speed ({picture.space_unit}/{picture.time_unit})")


def _draw_msd(axis: Any, picture: TrackPicture) -> None:
    some = np.isfinite(picture.msd) & (picture.msd > 0)
    if some.any():
        axis.loglog(picture.lags[some], picture.msd[some], "o-", markersize=4)
        diffusion = picture.msd[some][0] * picture.lags[some] / picture.lags[some][0]
        axis.loglog(picture.lags[some], diffusion, "--", color="grey", label="slope 1: random walk")
        axis.legend()
    axis.set(title="Mean squared displacement", xlabel=f"lag ({picture.time_unit})")
    axis.set_ylabel(f"MSD ({picture.space_unit}²)")

"""Tracks of the objects of one movie or of several, and the rows of their tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.tracking.linking import LinkOptions, Objects, Tracks, link_objects
from bioimage_suite.tracking.measures import SUMMARY_MEASURES, summarize_tracks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.tracking.detections import Detections

LENGTHS = ("path_length", "displacement", "max_distance_from_start")
SPEEDS = ("mean_speed", "median_speed", "max_speed")


@dataclass(frozen=True)
class Tracked:
    """Objects with their tracks.

    Attributes:
        detections: The objects.
        tracks: Their tracks; objects of tracks that were left out have track 0.
        summary: Each of SUMMARY_MEASURES as a (number of tracks,) array.
    """

    detections: Detections
    tracks: Tracks
    summary: dict[str, np.ndarray]

    @property
    def time_unit(self) -> str:
        """Return the unit of times: `s`, or `frame` where the time between frames is unknown."""
        return "s" if self.detections.frame_interval else "frame"

    @property
    def image_of(self) -> np.ndarray:
        """Return the image of each track, (number of tracks,)."""
        image_of = np.empty(len(self.tracks.parent), dtype=object)
        image_of[self.tracks.track] = self.detections.image
        return image_of[1:]

    @property
    def divisions(self) -> int:
        """Return the number of tracks that divide."""
        return int((self.summary["daughters"] > 0).sum())


def tracked_objects(detections: Detections, options: LinkOptions, min_objects: int = 1) -> Tracked:
    """Link objects to tracks and measure these.

    Args:
        detections: The objects.
        options: Limits of links.
        min_objects: Least number of objects of a track; shorter tracks are left out unless a division connects them.
    """
    tracks = track(detections, options, min_objects)
    return Tracked(detections, tracks, summarize_tracks(*kept(detections, tracks), detections.frame_interval or 1.0))


def track(detections: Detections, options: LinkOptions, min_objects: int = 1) -> Tracks:
    """Link the objects of each image separately; track numbers continue from image to image.

    Args:
        detections: The objects.
        options: Limits of links.
        min_objects: Least number of objects of a track; shorter tracks are left out unless a division connects them.

    Returns:
        The tracks; objects of tracks that were left out have track 0.
    """
    whole = detections.objects
    number = np.zeros(len(whole.frame), np.int64)
    parents = [np.zeros(1, np.int64)]
    for name in dict.fromkeys(detections.image.tolist()):
        here = np.flatnonzero(detections.image == name)
        # Overlaps have indices of the whole movie: only a label map has them, and it is one image.
        part = Objects(whole.frame[here], whole.position[here], whole.area[here] if whole.area is not None else None,
                       whole.overlaps)  # fmt: skip
        tracks = link_objects(part, options)
        so_far = sum(len(p) for p in parents) - 1
        number[here] = tracks.track + so_far
        parents.append(np.where(tracks.parent[1:] > 0, tracks.parent[1:] + so_far, 0))
    return _without_short(Tracks(number, np.concatenate(parents)), min_objects)


def _without_short(tracks: Tracks, min_objects: int) -> Tracks:
    keep = np.bincount(tracks.track, minlength=len(tracks.parent)) >= min_objects
    keep |= (tracks.parent > 0) | (np.bincount(tracks.parent, minlength=len(keep)) > 0)
    keep[0] = False
    new = np.cumsum(keep) * keep
    parent = np.concatenate([[0], new[tracks.parent[keep]]])
    return Tracks(new[tracks.track], parent)


def kept(detections: Detections, tracks: Tracks) -> tuple[np.ndarray, np.ndarray, Tracks]:
    """Return the frames and positions of the objects that have a track, and their tracks."""
    some = tracks.track > 0
    return detections.objects.frame[some], detections.objects.position[some], Tracks(tracks.track[some], tracks.parent)


def measure_name(measure: str, unit: str, time_unit: str) -> str:
    """Return the name of a measure of SUMMARY_MEASURES with its unit."""
    if measure == "duration":
        return f"duration_{'s' if time_unit == 's' else 'frames'}"
    if measure in LENGTHS:
        return f"{measure}_{unit}"
    return f"{measure}_{unit}_per_{time_unit}" if measure in SPEEDS else measure


def object_columns(tracked: Tracked) -> tuple[str, ...]:
    """Return the header of the table of objects."""
    return (*tracked.detections.columns, "track", "parent_track")


def object_rows(tracked: Tracked) -> Iterator[tuple[Any, ...]]:
    """Yield one row for each object: its own columns, its track and the parent of the track."""
    parent = tracked.tracks.parent.tolist()
    for row, number in zip(tracked.detections.rows, tracked.tracks.track.tolist(), strict=True):
        yield (*row, number or None, parent[number] or None)


def track_columns(tracked: Tracked) -> tuple[str, ...]:
    """Return the header of the table of tracks."""
    measures = (measure_name(measure, tracked.detections.unit, tracked.time_unit) for measure in SUMMARY_MEASURES)
    return ("image", "track", "parent_track", *measures)


def track_rows(tracked: Tracked) -> Iterator[tuple[Any, ...]]:
    """Yield one row for each track."""
    parent = (number or None for number in tracked.tracks.parent[1:].tolist())
    values = (tracked.summary[measure].tolist() for measure in SUMMARY_MEASURES)
    image_of = tracked.image_of.tolist()
    return zip(image_of, range(1, len(image_of) + 1), parent, *values, strict=True)


def image_columns(tracked: Tracked) -> tuple[str, ...]:
    """Return the header of the table of images."""
    measures = (*LENGTHS, *SPEEDS[:1])
    names = (measure_name(measure, tracked.detections.unit, tracked.time_unit) for measure in measures)
    return ("image", "frames", "objects", "tracks", "divisions", "objects_without_track", "median_objects_per_track",
            *(f"median_{name}" for name in names), "median_straightness")  # fmt: skip


def image_rows(tracked: Tracked) -> Iterator[tuple[Any, ...]]:
    """Yield one row for each image; medians are over its tracks of two or more objects."""
    detections, summary, image_of = tracked.detections, tracked.summary, tracked.image_of
    for name in dict.fromkeys(detections.image.tolist()):
        of_object, of_track = detections.image == name, image_of == name
        moving = of_track & (summary["objects"] > 1)
        medians = (
            float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else None
            for values in (summary[measure][moving] for measure in (*LENGTHS, "mean_speed", "straightness"))
        )
        frames = detections.objects.frame[of_object]
        lengths = summary["objects"][of_track]
        yield (name, len(np.unique(frames)), int(of_object.sum()), int(of_track.sum()),
               int((summary["daughters"][of_track] > 0).sum()), int((tracked.tracks.track[of_object] == 0).sum()),
               float(np.median(lengths)) if len(lengths) else None, *medians)  # fmt: skip

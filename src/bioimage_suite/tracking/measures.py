"""Measures of tracks: steps, speed, displacement, straightness, turning, mean squared displacement.

Definitions are those of TrackMate (Tinevez J-Y et al. 2017, doi:10.1016/j.ymeth.2016.09.016; its documentation, "Track
analyzers"), if it has the measure. A step connects two successive appearances of an object; a step across a gap takes
as many frames as it spans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bioimage_suite.tracking.linking import Tracks


@dataclass(frozen=True)
class Steps:
    """The steps of all tracks, in the order of track and frame.

    Attributes:
        first: (k,) index of the object where a step begins.
        last: (k,) index of the object where it ends.
        length: (k,) distance between both.
        frames: (k,) number of frames it takes.
    """

    first: np.ndarray
    last: np.ndarray
    length: np.ndarray
    frames: np.ndarray


SUMMARY_MEASURES = (
    "objects", "first_frame", "last_frame", "missing_frames", "daughters", "generation", "duration", "path_length",
    "displacement", "max_distance_from_start", "straightness", "mean_speed", "median_speed", "max_speed",
    "mean_turning_angle_deg",
)  # fmt: skip


def steps_of(frame: np.ndarray, position: np.ndarray, track: np.ndarray) -> Steps:
    """Find the steps of all tracks; objects with track 0 have none."""
    order = np.lexsort((frame, track))
    order = order[track[order] > 0]
    same = track[order][1:] == track[order][:-1]
    first, last = order[:-1][same], order[1:][same]
    length = np.sqrt(((position[last] - position[first]) ** 2).sum(axis=1))
    return Steps(first, last, length, frame[last] - frame[first])


def summarize_tracks(
    frame: np.ndarray, position: np.ndarray, tracks: Tracks, frame_interval: float = 1.0
) -> dict[str, np.ndarray]:
    """Measure every track.

    Args:
        frame: (n,) frame of each object.
        position: (n, 2) or (n, 3) position of each object.
        tracks: Tracks of the objects.
        frame_interval: Time from one frame to the next.

    Returns:
        Each of SUMMARY_MEASURES as a (number of tracks,) array; row i is track i + 1. Lengths are in the unit of
        `position`, times in that of `frame_interval`. Measures that a track of one object cannot have are NaN:
        - duration: time from the first to the last object
        - path_length: sum of the steps; displacement: distance between the first and the last object
        - max_distance_from_start: largest distance of any object from the first
        - straightness: displacement / path_length, NaN where the path is 0
        - mean_speed: path_length / duration; median_speed and max_speed: over steps, each length / time
        - mean_turning_angle_deg: mean angle between successive steps, 0 straight on, 180 straight back
        - missing_frames: number of frames between first and last without the object
        - generation: number of divisions before the track
    """
    track, n = tracks.track, len(tracks.parent) - 1
    index = track - 1
    objects = np.bincount(index, minlength=n)
    order = np.lexsort((frame, track))
    begin = np.searchsorted(track[order], np.arange(1, n + 1))
    first, last = order[begin], order[begin + objects - 1]
    steps = steps_of(frame, position, track)
    of_step = index[steps.first]
    path = np.bincount(of_step, steps.length, n)
    displacement = _norm(position[last] - position[first])
    from_start = np.zeros(n)
    np.maximum.at(from_start, index, _norm(position - position[first[index]]))
    duration = (frame[last] - frame[first]) * frame_interval
    median_speed, max_speed = _per_track(of_step, steps.length / (steps.frames * frame_interval), n)
    with np.errstate(invalid="ignore", divide="ignore"):
        straightness, mean_speed = displacement / path, path / duration
    return {
        "objects": objects,
        "first_frame": frame[first],
        "last_frame": frame[last],
        "missing_frames": frame[last] - frame[first] + 1 - objects,
        "daughters": np.bincount(tracks.parent[1:], minlength=n + 1)[1:],
        "generation": _generations(tracks.parent),
        "duration": duration,
        "path_length": path,
        "displacement": displacement,
        "max_distance_from_start": from_start,
        "straightness": straightness,
        "mean_speed": mean_speed,
        "median_speed": median_speed,
        "max_speed": max_speed,
        "mean_turning_angle_deg": _turning(position, steps, of_step, n),
    }


def _norm(vectors: np.ndarray) -> np.ndarray:
    array: np.ndarray = np.sqrt((vectors**2).sum(axis=1))
    return array


def _per_track(index: np.ndarray, values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the median and the maximum of the values of each track; NaN without values."""
    order = np.lexsort((values, index))
    count = np.bincount(index, minlength=n)
    begin = np.concatenate([[0], np.cumsum(count)[:-1]])
    median, largest = np.full(n, np.nan), np.full(n, np.nan)
    some = count > 0
    ranked, at, k = values[order], begin[some], count[some]
    median[some] = (ranked[at + (k - 1) // 2] + ranked[at + k // 2]) / 2
    largest[some] = ranked[at + k - 1]
    return median, largest


def _generations(parent: np.ndarray) -> np.ndarray:
    """Return the number of ancestors of each track; a parent always has the smaller number."""
    generation = np.zeros(len(parent), np.int64)
    for child in np.flatnonzero(parent).tolist():
        generation[child] = generation[parent[child]] + 1
    return generation[1:]


def _turning(position: np.ndarray, steps: Steps, of_step: np.ndarray, n: int) -> np.ndarray:
    """Return the mean angle between successive steps of each track in degrees; steps of length 0 are ignored."""
    vector = position[steps.last] - position[steps.first]
    follows = (of_step[1:] == of_step[:-1]) & (steps.length[1:] > 0) & (steps.length[:-1] > 0)
    a, b = vector[:-1][follows], vector[1:][follows]
    cosine = (a * b).sum(axis=1) / (_norm(a) * _norm(b))
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    track = of_step[1:][follows]
    with np.errstate(invalid="ignore"):
        return np.bincount(track, angle, n) / np.bincount(track, minlength=n)


def mean_squared_displacement(
    frame: np.ndarray, position: np.ndarray, track: np.ndarray, max_lag: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean squared displacement over all pairs of objects in a track that are `lag` frames apart.

    Every pair counts once (average over time and ensemble, overlapping intervals): Qian H et al. (1991) Biophys J 60,
    910-921, doi:10.1016/S0006-3495(91)82125-7.

    Returns:
        Lags in frames from 1, the mean squared displacement at each (NaN without pairs), and the number of pairs; each
        (max_lag,).
    """
    order = np.lexsort((frame, track))
    order = order[track[order] > 0]
    f, p, k = frame[order], position[order], track[order]
    lags = np.arange(1, max_lag + 1)
    total, count = np.zeros(max_lag), np.zeros(max_lag, np.int64)
    # Rows of a track are consecutive: the object `lag` frames later is `lag` rows later without gaps, never more.
    for offset in range(1, max_lag + 1):
        if offset >= len(f):
            break
        lag = f[offset:] - f[:-offset]
        use = (k[offset:] == k[:-offset]) & (lag <= max_lag)
        squared = ((p[offset:][use] - p[:-offset][use]) ** 2).sum(axis=1)
        total += np.bincount(lag[use] - 1, squared, max_lag)
        count += np.bincount(lag[use] - 1, minlength=max_lag)
    with np.errstate(invalid="ignore"):
        return lags, total / count, count

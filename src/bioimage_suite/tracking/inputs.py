"""Lineages from files: a Cell Tracking Challenge zip, or a label map of tracks with an optional table of parents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.texts import whole_number
from bioimage_suite.images.model.series import ONLY_ONE, Reading
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map
from bioimage_suite.tables.measurement_table import read_measurement_table
from bioimage_suite.tracking.challenge_layout import challenge_tracks
from bioimage_suite.tracking.graph import Lineage
from bioimage_suite.tracking.linking import Tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import ExitStack

    from bioimage_suite.images.model.image_file import ImageFile

TRACK_FILES = ("man_track.txt", "res_track.txt")


@dataclass(frozen=True)
class TrackedMovie:
    """Frames of labels and the lineage of their objects.

    Attributes:
        name: Name of the movie in messages.
        frames: Number of frames.
        read_frame: Function of a frame number that returns (Z, Y, X) labels.
        label_in_file: (n,) label of each object in its frame, ascending within a frame.
        lineage: The objects in the same order; the parts of a track with gaps are separate tracks.
    """

    name: str
    frames: int
    read_frame: Callable[[int], np.ndarray]
    label_in_file: np.ndarray
    lineage: Lineage


def _list_objects(
    name: str, frames: int, read_frame: Callable[[int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frame, label and pixels of every object, each (n,) int64."""
    found = [np.zeros((0, 3), np.int64)]
    for t in range(frames):
        ids, pixels = np.unique(read_frame(t), return_counts=True)
        if len(ids) and ids[0] < 0:
            raise UserError(f"Tracking {name}: frame {t} has the label {ids[0]}. Labels are 0 or more.")
        found.append(np.column_stack([np.full(len(ids), t), ids, pixels])[ids > 0])
    frame, label, pixels = np.concatenate(found).T
    return frame, label, pixels


def _movie_of_labels(
    name: str, frames: int, read_frame: Callable[[int], np.ndarray], parent_of: dict[int, int]
) -> TrackedMovie:
    """Use labels as tracks; a label with missing frames becomes several tracks.

    Raises:
        UserError: A label is negative, or a parent is not there before its child.
    """
    frame, label, pixels = _list_objects(name, frames, read_frame)
    ids, index = np.unique(label, return_inverse=True)
    begin, end = np.full(len(ids), frames), np.full(len(ids), -1)
    np.minimum.at(begin, index, frame)
    np.maximum.at(end, index, frame)
    spans = zip(ids.tolist(), begin.tolist(), end.tolist(), strict=True)
    _check_parents(name, [(one, first, last, parent_of.get(one, 0)) for one, first, last in spans])
    number = {int(k): i for i, k in enumerate(ids, 1)}
    parents = [0, *(number.get(parent_of.get(int(k), 0), 0) for k in ids)]
    parts, tracks = challenge_tracks(frame, Tracks(index + 1, np.array(parents)))
    return TrackedMovie(name, frames, read_frame, label, Lineage(frame, parts, pixels, tracks))


def open_tracking(
    path: Path, name: str, parents: Path | None, stack: ExitStack, reading: Reading = ONLY_ONE
) -> TrackedMovie:
    """Open a zip in the challenge's layout, or a label map whose labels are the tracks.

    Args:
        path: Zip file or image.
        name: Name of the movie in messages.
        parents: For a label map: table with the columns track and parent_track, as `track_objects` writes it, or a
            text with four numbers per line like the challenge's res_track.txt.
        stack: Exit stack that deletes temporary files after the frames have been read.
        reading: Which image of a file, and what its pages are.

    Raises:
        UserError: The file is neither, or tracks and masks contradict each other.
    """
    if path.is_file():
        with path.open("rb") as stream:
            is_zip = stream.read(4) == b"PK\x03\x04"
        if is_zip:
            return _open_challenge(path, name, stack.enter_context(scratch_folder()))
    image = as_label_map(open_image(path, name, reading))
    check_label_map(image)
    if image.size_t == 1 and image.size_z > 1:
        raise UserError(
            f"Label map {name}: it has one time point and {image.size_z} z-planes. Save it with a time axis, "
            "for instance by the tool that tracks objects."
        )
    parent_of = _read_parents(parents, name) if parents else {}
    return _movie_of_labels(name, image.size_t, lambda t: _volume(image, t), parent_of)


def _volume(image: ImageFile, t: int) -> np.ndarray:
    return np.stack([image.read_plane(t, 0, z) for z in range(image.size_z)]).astype(np.int64)


def _read_parents(path: Path, name: str) -> dict[int, int]:
    """Return the parent of each track that has one."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if all(cell.isdecimal() for cell in text.split()):
        return _one_parent(((track, parent) for track, _, _, parent in _four_numbers(text, name)), name)
    table = read_measurement_table(path, f"of tracks of {name}")
    parents = table.texts("parent_track")
    kept = type(table)(table.name, table.columns, tuple(r for r, p in zip(table.rows, parents, strict=True) if p))
    tracks, of = kept.whole_numbers("track").tolist(), kept.whole_numbers("parent_track").tolist()
    return _one_parent(zip(tracks, of, strict=True), name)


def _one_parent(rows: Iterable[tuple[int, int]], name: str) -> dict[int, int]:
    """Return the parent of each track that has one, from pairs of track and parent or 0.

    Raises:
        UserError: A track has two parents.
    """
    found: dict[int, int] = {}
    for track, parent in rows:
        if parent and found.setdefault(track, parent) != parent:
            raise UserError(
                f"Tracking {name}: the parent of track {track} is {found[track]}, but also {parent}. Keep one."
            )
    return found


def _four_numbers(text: str, name: str) -> list[tuple[int, int, int, int]]:
    """Return the rows of the challenge's track file: label, first frame, last frame, parent."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.split()
        if not cells:
            continue
        found = [whole for cell in cells if (whole := whole_number(cell)) is not None]
        if len(cells) != 4 or len(found) != 4:
            raise UserError(
                f"Tracking {name}, line {number} of its track file: {line[:80]!r} is not four whole numbers. Correct "
                "the line."
            )
        rows.append((found[0], found[1], found[2], found[3]))
    return rows


def _open_challenge(path: Path, name: str, folder: Path) -> TrackedMovie:
    """Unpack masks and track file, and check that they agree."""
    from bioimage_suite.core.untrusted_files import open_zip, read_member

    with open_zip(path, name) as archive:
        members = archive.namelist()
        texts = [m for m in members if Path(m).name in TRACK_FILES]
        if len(texts) != 1:
            raise UserError(
                f"Zip {name}: it holds {len(texts)} track files ({' or '.join(TRACK_FILES)}). Put one movie in a zip."
            )
        beside = str(Path(texts[0]).parent)
        masks = sorted(m for m in members if str(Path(m).parent) == beside and m.lower().endswith((".tif", ".tiff")))
        if not masks:
            raise UserError(f"Zip {name}: there are no masks (*.tif) beside {texts[0]}. Pack them together.")
        rows = _four_numbers(read_member(archive, texts[0], name).decode("utf-8", "replace"), name)
        for t, member in enumerate(masks):
            (folder / f"{t}.tif").write_bytes(read_member(archive, member, name))

    def read_frame(t: int) -> np.ndarray:
        image = open_image(folder / f"{t}.tif", f"{name}: {masks[t]}", Reading(pages="z"))
        check_label_map(image)
        return _volume(image, 0)

    frame, label, pixels = _list_objects(name, len(masks), read_frame)
    lineage = Lineage(frame, label, pixels, np.array(rows, np.int64).reshape(-1, 4))
    _check_challenge(name, lineage, len(masks))
    return TrackedMovie(name, len(masks), read_frame, label, lineage)


def _check_challenge(name: str, lineage: Lineage, frames: int) -> None:
    """Reject tracks that contradict the masks; a wrong number here would silently change every measure."""
    tracks = lineage.tracks.tolist()
    known = {label: (begin, end) for label, begin, end, _ in tracks}
    if len(known) < len(tracks):
        raise UserError(f"Tracking {name}: a label occurs twice in its track file. Give each track its own.")
    for label, begin, end, _ in tracks:
        if not begin <= end < frames:
            raise UserError(
                f"Tracking {name}: its track file says label {label} is in frames {begin} to {end}, but there are "
                f"{frames} frames. Correct the track file."
            )
    said = {(t, label) for label, (begin, end) in known.items() for t in range(begin, end + 1)}
    seen = set(zip(lineage.frame.tolist(), lineage.label.tolist(), strict=True))
    for t, label in sorted(seen - said)[:1]:
        raise UserError(f"Tracking {name}: label {label} is in frame {t}, but not in its track file. Add it there.")
    for t, label in sorted(said - seen)[:1]:
        raise UserError(
            f"Tracking {name}: its track file says label {label} is in frame {t}, but it is not. "
            "Give a track with gaps as several, each the parent of the next."
        )
    _check_parents(name, tracks)


def _check_parents(name: str, tracks: Sequence[Sequence[int]]) -> None:
    """Reject a parent that is not there before its child; tracks are rows of label, first frame, last frame, parent."""
    known = {label: end for label, _, end, _ in tracks}
    for label, begin, _, parent in tracks:
        if parent and known.get(parent, begin) >= begin:
            raise UserError(
                f"Tracking {name}: track {label} begins in frame {begin}, its parent {parent} does not end before. "
                "Correct the parents."
            )

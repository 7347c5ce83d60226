"""Tracks in the layout of the Cell Tracking Challenge: a zip file of masks and a table.

Source: "Naming and file content conventions", https://celltrackingchallenge.net/datasets/
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.tracking.linking import Tracks
from bioimage_suite.tracking.movie import relabelled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.images.model.label_objects import MovieObjects


def challenge_tracks(frame: np.ndarray, tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
    """Convert tracks to those of the Cell Tracking Challenge, which have no gaps.

    A track with missing frames becomes several; each but the first has the one before as its only parent.

    Args:
        frame: (n,) frame of each object.
        tracks: Tracks of the objects.

    Returns:
        (n,) int64 label of each object, and a (k, 4) table: label, first frame, last frame, label of the parent or 0.
    """
    order = np.lexsort((frame, tracks.track))
    f, k = frame[order], tracks.track[order]
    new_track = np.diff(k, prepend=0) != 0
    begins = new_track | (np.diff(f, prepend=-1) > 1)
    label = np.zeros(len(frame), np.int64)
    label[order] = np.cumsum(begins)
    at = np.flatnonzero(begins)
    ends = np.append(at, len(f))[1:] - 1
    last_part = np.zeros(len(tracks.parent), np.int64)
    parts = np.arange(1, len(at) + 1)
    last_part[k[at]] = parts  # the last of several parts of a track remains
    parent = np.where(new_track[at], last_part[tracks.parent[k[at]]], parts - 1)
    return label, np.column_stack([parts, f[at], f[ends], parent])


def write_challenge_zip(path: Path, movie: ImageFile, objects: MovieObjects, tracks: Tracks) -> None:
    """Write `01_RES/mask000.tif` ... and `01_RES/res_track.txt` into a zip file.

    Args:
        path: The zip file.
        movie: The label map of the objects.
        objects: All its objects.
        tracks: Tracks of the objects; objects with track 0 are left out.

    Raises:
        UserError: There are more tracks than 16-bit masks can number.
    """
    import tifffile

    kept = tracks.track > 0
    label = np.zeros(len(kept), np.int64)
    label[kept], table = challenge_tracks(objects.frame[kept], Tracks(tracks.track[kept], tracks.parent))
    if len(table) > 65_535:
        raise UserError(
            f"Label map {movie.name}: {len(table)} tracks without gaps, but the masks of the Cell Tracking Challenge "
            "are 16-bit and hold 65,535. Leave this output out, or ask for longer tracks."
        )
    digits = max(3, len(str(movie.size_t - 1)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for t, volume in enumerate(_frames(movie, relabelled(movie, objects, label))):
            stream = io.BytesIO()
            tifffile.imwrite(
                stream, volume if movie.size_z > 1 else volume[0], photometric="minisblack", compression="zlib"
            )
            _add(archive, f"01_RES/mask{t:0{digits}d}.tif", stream.getvalue())
        text = "".join(f"{a} {b} {c} {d}\n" for a, b, c, d in table.tolist())
        _add(archive, "01_RES/res_track.txt", text.encode())


def _frames(movie: ImageFile, bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield (Z, Y, X) uint16 frames joined from bands of rows."""
    for _ in range(movie.size_t):
        volume = np.empty((movie.size_z * movie.size_y, movie.size_x), np.uint16)
        row = 0
        while row < len(volume):
            band = next(bands)
            volume[row : row + len(band)] = band
            row += len(band)
        yield volume.reshape(movie.size_z, movie.size_y, movie.size_x)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a member with a fixed date, so that the same tracks give the same file."""
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 1)

"""Tracks in the formats of other programs: the Cell Tracking Challenge's layout, TrackMate's XML and CSV.

Sources: "Naming and file content conventions", https://celltrackingchallenge.net/datasets/ ; TrackMate 7 file format,
https://imagej.net/plugins/trackmate/ (fiji.plugin.trackmate.io.TmXmlReader).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.image_file import ImageFile
from bioimage_suite.tracking.linking import Tracks
from bioimage_suite.tracking.movie import MovieObjects, relabelled

if TYPE_CHECKING:
    import numpy as np


def challenge_tracks(frame: np.ndarray, tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
    """Convert tracks to those of the Cell Tracking Challenge, which have no gaps.

    A track with missing frames becomes several; each but the first has the one before as its only parent.

    Args:
        frame: (n,) frame of each object.
        tracks: Tracks of the objects.

    Returns:
        (n,) int64 label of each object, and a (k, 4) table: label, first frame, last frame, label of the parent or 0.
    """
    import numpy as np

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
    import numpy as np
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
    import numpy as np

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


@dataclass(frozen=True)
class Spots:
    """Objects in the form of TrackMate.

    Attributes:
        frame: (n,) frame.
        xyz: (n, 3) position x, y, z in `space_unit`.
        radius: (n,) radius of the disk or ball of the same size, in `space_unit`.
        space_unit: `micron` or `pixel`.
        frame_interval: Time between two frames in `time_unit`.
        time_unit: `sec` or `frame`.
    """

    frame: np.ndarray
    xyz: np.ndarray
    radius: np.ndarray
    space_unit: str
    frame_interval: float
    time_unit: str


SPOT_FEATURES = {
    "QUALITY": ("Quality", "Quality", "QUALITY"), "POSITION_X": ("X", "X", "POSITION"),
    "POSITION_Y": ("Y", "Y", "POSITION"), "POSITION_Z": ("Z", "Z", "POSITION"), "POSITION_T": ("T", "T", "TIME"),
    "FRAME": ("Frame", "Frame", "NONE"), "RADIUS": ("Radius", "R", "LENGTH"),
    "VISIBILITY": ("Visibility", "Visibility", "NONE"),
}  # fmt: skip
EDGE_FEATURES = {
    "SPOT_SOURCE_ID": ("Source spot ID", "Source ID", "NONE"),
    "SPOT_TARGET_ID": ("Target spot ID", "Target ID", "NONE"),
}  # fmt: skip
TRACK_FEATURES = {
    "TRACK_INDEX": ("Track index", "Index", "NONE"), "TRACK_ID": ("Track ID", "ID", "NONE"),
    "NUMBER_SPOTS": ("Number of spots in track", "N spots", "NONE"),
}  # fmt: skip
WHOLE_NUMBERS = {"FRAME", "VISIBILITY", *EDGE_FEATURES, *TRACK_FEATURES}
CSV_COLUMNS = ("LABEL", "ID", "TRACK_ID", *SPOT_FEATURES)


def write_trackmate_csv(path: Path, spots: Spots, tracks: Tracks) -> None:
    """Write TrackMate's spot table with one header line; TRACK_ID is the lineage, as in TrackMate, empty for none."""
    lineage = _lineages(tracks)[tracks.track]
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(CSV_COLUMNS) + "\n")
        for i, root in enumerate(lineage.tolist()):
            features = _spot_features(spots, i)
            track = str(root - 1) if root else ""
            stream.write(",".join([f"ID{i}", str(i), track, *features.values()]) + "\n")


def write_trackmate_xml(path: Path, spots: Spots, tracks: Tracks, image: dict[str, str]) -> None:
    """Write a TrackMate 7 file for "Load a TrackMate file".

    A TrackMate track is a whole lineage: all tracks that divisions connect. The settings are those of a manual
    annotation, whose detector and tracker change nothing; TrackMate and other readers need some settings.

    Args:
        path: File to write.
        spots: All objects.
        tracks: Tracks of the objects.
        image: `filename` of the movie; if known, `width`, `height`, `nslices`, `nframes`, `pixelwidth`, ...
    """
    root = ET.Element("TrackMate", version="7.11.1")
    model = ET.SubElement(root, "Model", spatialunits=spots.space_unit, timeunits=spots.time_unit)
    declared = ET.SubElement(model, "FeatureDeclarations")
    for kind, features in (("Spot", SPOT_FEATURES), ("Edge", EDGE_FEATURES), ("Track", TRACK_FEATURES)):
        group = ET.SubElement(declared, f"{kind}Features")
        for feature, (name, short, dimension) in features.items():
            whole = str(feature in WHOLE_NUMBERS).lower()
            ET.SubElement(
                group, "Feature", feature=feature, name=name, shortname=short, dimension=dimension, isint=whole
            )
    _add_spots(model, spots)
    _add_tracks(model, spots, tracks)
    settings = ET.SubElement(root, "Settings")
    ET.SubElement(settings, "ImageData", {**image, "folder": "", "timeinterval": repr(spots.frame_interval)})
    ET.SubElement(settings, "DetectorSettings", DETECTOR_NAME="MANUAL_DETECTOR", RADIUS="1.0")
    ET.SubElement(settings, "InitialSpotFilter", feature="QUALITY", value="0.0", isabove="true")
    ET.SubElement(settings, "SpotFilterCollection")
    ET.SubElement(settings, "TrackerSettings", TRACKER_NAME="MANUAL_TRACKER")
    ET.SubElement(settings, "TrackFilterCollection")
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


def _spot_features(spots: Spots, i: int) -> dict[str, str]:
    x, y, z = (repr(float(value)) for value in spots.xyz[i])
    values = ("1.0", x, y, z, repr(float(spots.frame[i] * spots.frame_interval)), str(int(spots.frame[i])),
              repr(float(spots.radius[i])), "1")  # fmt: skip
    return dict(zip(SPOT_FEATURES, values, strict=True))


def _add_spots(model: ET.Element, spots: Spots) -> None:
    import numpy as np

    everything = ET.SubElement(model, "AllSpots", nspots=str(len(spots.frame)))
    for frame in np.unique(spots.frame).tolist():
        within = ET.SubElement(everything, "SpotsInFrame", frame=str(frame))
        for i in np.flatnonzero(spots.frame == frame).tolist():
            ET.SubElement(within, "Spot", ID=str(i), name=f"ID{i}").attrib.update(_spot_features(spots, i))


def _add_tracks(model: ET.Element, spots: Spots, tracks: Tracks) -> None:
    """Add each lineage that has an edge; a single spot is not a track in TrackMate."""
    import numpy as np

    source, target = edges_of(spots.frame, tracks)
    lineage = _lineages(tracks)[tracks.track[target]]
    everything, kept = ET.SubElement(model, "AllTracks"), ET.SubElement(model, "FilteredTracks")
    order = np.argsort(lineage, kind="stable")
    begins = np.flatnonzero(np.diff(lineage[order], prepend=0))
    for index, members in enumerate(np.split(order, begins[1:]) if len(begins) else []):
        number = str(int(lineage[members[0]]) - 1)
        # In a lineage every spot but the first is the target of one edge.
        track = ET.SubElement(everything, "Track", name=f"Track_{number}", TRACK_INDEX=str(index), TRACK_ID=number,
                              NUMBER_SPOTS=str(len(members) + 1))  # fmt: skip
        for edge in members.tolist():
            ET.SubElement(track, "Edge", SPOT_SOURCE_ID=str(source[edge]), SPOT_TARGET_ID=str(target[edge]))
        ET.SubElement(kept, "TrackID", TRACK_ID=number)


def edges_of(frame: np.ndarray, tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
    """Return all links between successive objects of a track, and from a parent's last object to daughters.

    Returns:
        Indices of the earlier and the later object of each link.
    """
    import numpy as np

    order = np.lexsort((frame, tracks.track))
    order = order[tracks.track[order] > 0]
    k = tracks.track[order]
    same = k[1:] == k[:-1]
    present = np.unique(k)
    first, last = np.full(len(tracks.parent), -1), np.full(len(tracks.parent), -1)
    first[k[::-1]], last[k] = order[::-1], order
    born = present[tracks.parent[present] > 0]
    born = born[last[tracks.parent[born]] >= 0]
    return (
        np.concatenate([order[:-1][same], last[tracks.parent[born]]]),
        np.concatenate([order[1:][same], first[born]]),
    )


def _lineages(tracks: Tracks) -> np.ndarray:
    """Return the oldest ancestor of each track; index 0 is 0. A parent always has the smaller number."""
    import numpy as np

    root = np.arange(len(tracks.parent))
    for child in np.flatnonzero(tracks.parent).tolist():
        root[child] = root[tracks.parent[child]]
    return root

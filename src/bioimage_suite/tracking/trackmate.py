"""Tracks as files of TrackMate: XML to open, and the CSV of its spots.

Source: TrackMate 7 file format, https://imagej.net/plugins/trackmate/ (fiji.plugin.trackmate.io.TmXmlReader).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.tracking.detections import Detections, Scale
    from bioimage_suite.tracking.linking import Tracks

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


def spots_of(detections: Detections) -> Spots:
    """Return the objects of one image as spots.

    Raises:
        UserError: The table holds more than one image.
    """
    names = set(detections.image.tolist())
    if len(names) > 1:
        raise UserError(
            f"Table with {len(names)} images: a TrackMate file holds one image. Split the table by image, "
            "or leave this output out."
        )
    position, area = detections.objects.position, detections.objects.area
    n, dimensions = position.shape
    xyz = np.column_stack([position[:, -1], position[:, -2], position[:, 0] if dimensions == 3 else np.zeros(n)])
    size = np.full(n, np.pi) if area is None else area
    radius = (size / np.pi) ** 0.5 if dimensions == 2 else (0.75 * size / np.pi) ** (1 / 3)
    known = detections.frame_interval is not None
    return Spots(detections.objects.frame, xyz, radius, "micron" if detections.unit == "um" else "pixel",
                 detections.frame_interval or 1.0, "sec" if known else "frame")  # fmt: skip


def image_data(detections: Detections, movie: ImageFile | None, scale: Scale) -> dict[str, str]:
    """Return TrackMate's description of the image: its name, and of a label map the size of the movie and of a pixel.

    Args:
        detections: Its objects.
        movie: The label map; None for a table.
        scale: Unit of the positions, and sizes that replace those of the file.
    """
    name = {"filename": next(iter(detections.image.tolist()), "empty")}
    if movie is None:
        return name
    x, y, z = scale.extent(movie, "x"), scale.extent(movie, "y"), scale.extent(movie, "z")
    width, height, depth = (x, y, z) if scale.unit == "um" else (1.0, 1.0, z / x if z and x else None)
    facts = {"width": movie.size_x, "height": movie.size_y, "nslices": movie.size_z, "nframes": movie.size_t,
             "pixelwidth": width, "pixelheight": height, "voxeldepth": depth or 1.0}  # fmt: skip
    return name | {key: str(fact) for key, fact in facts.items()}


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
    everything = ET.SubElement(model, "AllSpots", nspots=str(len(spots.frame)))
    for frame in np.unique(spots.frame).tolist():
        within = ET.SubElement(everything, "SpotsInFrame", frame=str(frame))
        for i in np.flatnonzero(spots.frame == frame).tolist():
            ET.SubElement(within, "Spot", ID=str(i), name=f"ID{i}").attrib.update(_spot_features(spots, i))


def _add_tracks(model: ET.Element, spots: Spots, tracks: Tracks) -> None:
    """Add each lineage that has an edge; a single spot is not a track in TrackMate."""
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
    root = np.arange(len(tracks.parent))
    for child in np.flatnonzero(tracks.parent).tolist():
        root[child] = root[tracks.parent[child]]
    return root

"""Source files of regions of interest: label maps, GeoJSON, and tables of shapes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import parse_json
from bioimage_suite.omero.named_files import NamedFile
from bioimage_suite.omero.objects import ImageRecord
from bioimage_suite.omero.rois.documents import from_geojson
from bioimage_suite.omero.rois.geometry import as_masks, as_polygons
from bioimage_suite.omero.rois.label_map_file import LabelMapFile, check_sizes, describe_label_map, read_planes
from bioimage_suite.omero.rois.label_shapes import Polygon, plane_shapes
from bioimage_suite.omero.rois.shapes import RoiShape, roi_labels
from bioimage_suite.omero.rois.tables import read_shape_table

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # Both byte orders, classic and BigTIFF.
LARGEST_GEOJSON = 2**28  # Bytes: about 300,000 cells of 50 corners.
MOST_LISTS = 10_000_000  # Lists and objects in a GeoJSON file: 600 MB in memory.


@dataclass(frozen=True)
class DrawnShapes:
    """Shapes of one image from a document or table; `identifier` names the image."""

    identifier: str
    shapes: tuple[RoiShape, ...]


RoiSource: TypeAlias = LabelMapFile | DrawnShapes


def open_source(file: NamedFile) -> list[RoiSource]:
    """Recognise a file by its content and read it for the checks; a table may have shapes of several images.

    Raises:
        UserError: The file is of none of these kinds, or damaged.
    """
    with file.path.open("rb") as stream:
        start = stream.read(64)
    if start.startswith(TIFF_STARTS):
        return [describe_label_map(file.identifier, file.path)]
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        with file.path.open("rb") as stream:
            data = stream.read(LARGEST_GEOJSON + 1)
        # QuPath writes measurements that it could not take as NaN.
        document = parse_json(
            data, file.identifier, max_bytes=LARGEST_GEOJSON, max_containers=MOST_LISTS, constants=True
        )
        return [DrawnShapes(file.identifier, tuple(from_geojson(document, file.identifier)))]
    if b"\0" in start:
        raise UserError(f"file {file.identifier}: not a label map in TIFF, GeoJSON or a table. Convert it first.")
    return [DrawnShapes(image, tuple(shapes)) for image, shapes in read_shape_table(file).items()]


def check_source(source: RoiSource, image: ImageRecord) -> None:
    """Check that a source fits its image; a label map is read to its end.

    Raises:
        UserError: The sizes differ, the file is damaged, or the image lacks a plane, time point or channel.
    """
    if isinstance(source, LabelMapFile):
        check_sizes(source, image)
        for _ in read_planes(source):
            pass
        return
    for shape in source.shapes:
        for axis, place, size in (
            ("z", shape.z, image.size_z),
            ("t", shape.t, image.size_t),
            ("c", shape.c, image.size_c),
        ):
            if place is not None and place >= size:
                raise UserError(
                    f"{source.identifier}, {shape.kind} {shape.text or ''!r}: {axis} is {place}, but image "
                    f"{image.image_id} {image.image_name!r} has only {size} (counted from 0). Mend the file."
                )


def source_rois(source: RoiSource, image: ImageRecord, kind: str) -> Iterator[tuple[int, list[RoiShape]]]:
    """Yield (label, shapes) of each ROI.

    A label map of one plane for an image of several gives shapes without z (or t), which apply to all planes. Segmented
    objects of a label map of one plane are traced lazily.

    Args:
        source: A checked source.
        image: Its image.
        kind: "auto", "polygon" or "mask": for label maps see `label_shapes.plane_shapes`; for other shapes, "auto"
            keeps each as it is, "polygon" converts masks to polygons, "mask" converts all areas to masks.
    """
    if isinstance(source, LabelMapFile):
        shapes = _label_shapes(source, image, kind)
        one_plane = source.size_z * source.size_t == 1
        runs = groupby(shapes, key=_label) if one_plane else groupby(sorted(shapes, key=_label), key=_label)
        for label, run in runs:
            yield label, [shape for _, shape in run]
        return
    found: dict[int, list[RoiShape]] = {}
    labels = roi_labels(source.shapes)
    convert: dict[str, Callable[[RoiShape], Iterator[RoiShape]]] = {
        "auto": lambda shape: iter((shape,)),
        "polygon": as_polygons,
        "mask": lambda shape: as_masks(shape, image.size_y, image.size_x),
    }
    for shape in source.shapes:
        made = list(convert[kind](shape))
        if not made:
            raise UserError(
                f"{source.identifier}, {shape.kind} {shape.text or ''!r}: it covers no pixel of the image, so it "
                "cannot be a mask. Leave it out, or choose to keep shapes as they are."
            )
        found.setdefault(labels[shape.roi_id], []).extend(made)
    yield from found.items()


def _label(labelled: tuple[int, RoiShape]) -> int:
    return labelled[0]


def _label_shapes(file: LabelMapFile, image: ImageRecord, kind: str) -> Iterator[tuple[int, RoiShape]]:
    for z, t, labels in read_planes(file):
        place = (z if file.size_z == image.size_z else None, t if file.size_t == image.size_t else None, None)
        for one in plane_shapes(labels, kind):
            basis = RoiShape(*(0, one.label, None, 0), "polygon", *place, str(one.label))
            if isinstance(one.shape, Polygon):
                yield one.label, replace(basis, points=one.shape.points)
            else:
                mask = one.shape
                numbers = (float(mask.x), float(mask.y), float(mask.width), float(mask.height))
                yield one.label, replace(basis, kind="mask", numbers=numbers, bits=mask.bits)

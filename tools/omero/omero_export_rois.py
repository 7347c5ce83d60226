"""Export regions of interest from OMERO as label maps, GeoJSON or OME-XML, with a table of all shapes."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_names import image_identifier
from object_table import write_table
from omero_image_details import ImageDetails, load_image_details
from omero_objects import find_nonempty_images, read_target
from omero_roi_shapes import RoiShape, load_shapes
from omero_session import open_session
from roi_documents import to_geojson, to_ome_xml
from roi_geometry import AREAS, shape_pixels
from tool_errors import UserError, run_tool

if TYPE_CHECKING:
    import numpy as np

SHAPE_COLUMNS = (
    "image_id", "image", "roi_id", "roi_name", "shape_id", "shape", "label", "text", "z", "t", "c",
    "numbers", "points", "transform",
)  # fmt: skip
IMAGE_COLUMNS = ("image_id", "image_name", "image", "roi_count", "shape_count", "not_drawn", "overlap_px", "status")
LARGEST_UINT16 = 65535


def roi_labels(shapes: Sequence[RoiShape]) -> dict[int, int]:
    """The label of each ROI: what its shapes say, if that is a whole number from 1 that no other ROI has, for all ROIs.

    Otherwise they are numbered from 1 in the order of their ids.
    """
    texts: dict[int, set[str | None]] = {}
    for shape in shapes:
        texts.setdefault(shape.roi_id, set()).add(shape.text)
    labels = {
        roi_id: int(text)
        for roi_id, found in texts.items()
        if len(found) == 1 and (text := next(iter(found))) and text.isascii() and text.isdecimal()
    }
    good = len(labels) == len(texts) == len(set(labels.values())) and all(0 < n < 2**31 for n in labels.values())
    return labels if good else {roi_id: number for number, roi_id in enumerate(sorted(texts), 1)}


class LabelMap:
    """Draws shapes plane by plane and counts what could not be kept.

    `overlap` says who keeps a pixel that two ROIs cover: "first" (the lower id), "last", or "error".
    """

    def __init__(self, image: ImageDetails, shapes: Sequence[RoiShape], overlap: str) -> None:
        self.image, self.overlap = image, overlap
        self.labels = roi_labels(shapes)
        self.shapes = [shape for shape in shapes if shape.kind in AREAS]
        self.not_drawn = len(shapes) - len(self.shapes)
        self.overlap_px = 0

    def planes(self) -> Iterator["np.ndarray"]:
        """Yield the planes (rows, columns) in the order T, Z; uint16, or int32 where a label needs it.

        Raises:
            UserError: Two ROIs share a pixel and `overlap` is "error".
        """
        for t in range(self.image.size_t):
            for z in range(self.image.size_z):
                yield self._plane(z, t)

    def _plane(self, z: int, t: int) -> "np.ndarray":
        import numpy as np

        image = self.image
        large = max(self.labels.values(), default=0) > LARGEST_UINT16
        plane = np.zeros((image.size_y, image.size_x), np.int32 if large else np.uint16)
        for shape in self.shapes:
            if shape.z not in (None, z) or shape.t not in (None, t):
                continue
            label = self.labels[shape.roi_id]
            x, y, pixels = shape_pixels(shape, image.size_y, image.size_x)
            area = plane[y : y + pixels.shape[0], x : x + pixels.shape[1]]
            shared = pixels & (area != 0) & (area != label)
            count = int(shared.sum())
            if count and self.overlap == "error":
                others = sorted({int(number) for number in area[shared]})
                raise UserError(
                    f"image {image.image_id} {image.name!r}: ROI {shape.roi_id} (label {label}) shares {count} pixels "
                    f"with label {others[0]} in plane z {z}, t {t}. Choose who keeps them."
                )
            self.overlap_px += count
            area[pixels & ~shared if self.overlap == "first" else pixels] = label
        return plane


def write_label_map(path: Path, label_map: LabelMap) -> None:
    """Write a label map as OME-TIFF, axes TZYX, with the image's physical sizes."""
    import tifffile

    image = label_map.image
    metadata: dict[str, Any] = {"axes": "TZYX", "Name": image.name}
    for axis, length in (("X", image.physical_x), ("Y", image.physical_y), ("Z", image.physical_z)):
        if length is not None:
            metadata |= {f"PhysicalSize{axis}": length.value, f"PhysicalSize{axis}Unit": length.symbol}
    planes = label_map.planes()
    first = next(planes)
    with tifffile.TiffWriter(
        path, ome=True, bigtiff=first.nbytes * image.size_z * image.size_t > 2**32 - 2**25
    ) as file:
        file.write(
            _chain(first, planes),
            shape=(image.size_t, image.size_z, image.size_y, image.size_x),
            dtype=first.dtype,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            metadata=metadata,
        )


def export_rois(
    images: Sequence[ImageDetails], shapes: dict[int, list[RoiShape]], form: str, overlap: str, folder: Path
) -> list[tuple[Any, ...]]:
    """Write one file an image to `folder`; on failure remove what was written.

    Args:
        images: The images.
        shapes: The shapes of each image.
        form: "label_map", "geojson", "ome_xml" or "table" (no file).
        overlap: See `LabelMap`.
        folder: Where to write `Image_<id>_<name>` with the form's ending.

    Returns:
        Rows of the object table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    rows = []
    try:
        for image in images:
            found = shapes[image.image_id]
            identifier = image_identifier(image.image_id, image.name)
            not_drawn, overlap_px = 0, 0
            if form == "label_map":
                made.append(folder / f"{identifier}.ome.tiff")
                label_map = LabelMap(image, found, overlap)
                write_label_map(made[-1], label_map)
                not_drawn, overlap_px = label_map.not_drawn, label_map.overlap_px
            elif form == "geojson":
                made.append(folder / f"{identifier}.geojson")
                made[-1].write_text(json.dumps(to_geojson(found)), encoding="utf-8")
            elif form == "ome_xml":
                made.append(folder / f"{identifier}.xml")
                made[-1].write_text(to_ome_xml(found), encoding="utf-8")
            count = len({shape.roi_id for shape in found})
            status = "not all drawn" if not_drawn or overlap_px else "exported"
            rows.append((image.image_id, image.name, identifier, count, len(found), not_drawn, overlap_px, status))
            print(f"{identifier}: {count} ROIs, {not_drawn} shapes not drawn, {overlap_px} pixels shared", flush=True)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    return rows


def shape_rows(images: Sequence[ImageDetails], shapes: dict[int, list[RoiShape]]) -> Iterator[tuple[Any, ...]]:
    """Rows of the table of shapes: `numbers`, `points` and `transform` are lists separated by blanks."""
    for image in images:
        labels = roi_labels(shapes[image.image_id])
        identifier = image_identifier(image.image_id, image.name)
        for one in shapes[image.image_id]:
            yield (
                *(one.image_id, identifier, one.roi_id, one.roi_name, one.shape_id, one.kind, labels[one.roi_id]),
                *(one.text, one.z, one.t, one.c),
                " ".join(f"{number:.15g}" for number in one.numbers),
                " ".join(f"{x:.15g},{y:.15g}" for x, y in one.points),
                " ".join(f"{number:.15g}" for number in one.transform or ()),
            )


def main() -> None:
    """Parse the command line, export, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, roi_name, form, overlap")
    parser.add_argument("--folder", type=Path, required=True, help="folder for one file an image")
    parser.add_argument("--shapes", type=Path, required=True, help="table of all shapes to write")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        records = find_nonempty_images(session, read_target(config["target"]))
        ids = [record.image_id for record in records]
        images = load_image_details(session, ids)
        shapes = load_shapes(session, ids, (config.get("roi_name") or "").strip())
    form = config["form"]
    rows = export_rois(images, shapes, form["form"], form.get("overlap", "first"), args.folder)
    write_table(args.output, IMAGE_COLUMNS, rows)
    write_table(args.shapes, SHAPE_COLUMNS, shape_rows(images, shapes))


def _chain(first: "np.ndarray", rest: Iterator["np.ndarray"]) -> Iterator["np.ndarray"]:
    yield first
    yield from rest


if __name__ == "__main__":
    run_tool(main)

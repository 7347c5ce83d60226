"""Export regions of interest from OMERO as label maps, GeoJSON or OME-XML, with a table of all shapes."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_names import image_identifier
from object_report import AT_WORK, Row, object_report
from object_table import write_table
from omero_image_details import ImageDetails, load_image_details
from omero_objects import find_nonempty_images, read_target
from omero_roi_shapes import RoiShape, load_shapes, roi_labels
from omero_session import open_session
from roi_documents import to_geojson, to_ome_xml
from roi_geometry import AREAS, shape_pixels
from roi_tables import SHAPE_COLUMNS, shape_rows
from tool_errors import UserError, run_tool

if TYPE_CHECKING:
    import numpy as np

IMAGE_COLUMNS = ("image_id", "image_name", "image", "roi_count", "shape_count", "not_drawn", "overlap_px", "status")
LARGEST_UINT16 = 65535


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
    images: Sequence[ImageDetails],
    shapes: dict[int, list[RoiShape]],
    report: list[Row],
    *,
    form: str,
    overlap: str,
    folder: Path,
) -> None:
    """Write one file an image to `folder`; on failure remove what was written.

    Args:
        images: The images.
        shapes: The shapes of each image.
        report: Gets one row an image, see `object_report`.
        form: "label_map", "geojson", "ome_xml" or "table" (no file).
        overlap: See `LabelMap`.
        folder: Where to write `Image_<id>_<name>` with the form's ending.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    for image in images:
        identifier = image_identifier(image.image_id, image.name)
        report.append({"image_id": image.image_id, "image_name": image.name, "image": identifier})
    try:
        for image, row in zip(images, report, strict=True):
            row["status"] = AT_WORK
            found, identifier = shapes[image.image_id], row["image"]
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
            row |= {"roi_count": count, "shape_count": len(found), "not_drawn": not_drawn, "overlap_px": overlap_px}
            row["status"] = "not all drawn" if not_drawn or overlap_px else "exported"
            print(f"{identifier}: {count} ROIs, {not_drawn} shapes not drawn, {overlap_px} pixels shared", flush=True)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


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
    with object_report(args.output, IMAGE_COLUMNS) as report:
        overlap = form.get("overlap", "first")
        export_rois(images, shapes, report, form=form["form"], overlap=overlap, folder=args.folder)
    named = {image.image_id: image_identifier(image.image_id, image.name) for image in images}
    write_table(args.shapes, SHAPE_COLUMNS, shape_rows(named, shapes))


def _chain(first: "np.ndarray", rest: Iterator["np.ndarray"]) -> Iterator["np.ndarray"]:
    yield first
    yield from rest


if __name__ == "__main__":
    run_tool(main)

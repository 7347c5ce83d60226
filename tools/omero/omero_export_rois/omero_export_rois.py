"""Export regions of interest from OMERO as label maps, GeoJSON or OME-XML, with a table of all shapes."""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.core.made_files import all_or_nothing
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.images.details import ImageDetails, load_image_details
from bioimage_suite.omero.images.ome_tiff import CLASSIC_TIFF_LIMIT, padded, tile_side
from bioimage_suite.omero.object_report import AT_WORK, Row, do_each, object_report
from bioimage_suite.omero.objects import find_nonempty_images, read_target
from bioimage_suite.omero.rois.documents import to_geojson, to_ome_xml
from bioimage_suite.omero.rois.geometry import AREAS, row_span, shape_pixels
from bioimage_suite.omero.rois.shapes import KINDS, RoiShape, load_shapes, roi_labels
from bioimage_suite.omero.rois.tables import SHAPE_COLUMNS, shape_rows
from bioimage_suite.omero.session import open_session
from bioimage_suite.tables.object_table import write_table

if TYPE_CHECKING:
    import numpy as np

IMAGE_COLUMNS = ("image_id", "image_name", "image", "roi_count", "shape_count", "not_drawn", "overlap_px", "status")
ENDINGS = {"label_map": ".ome.tiff", "geojson": ".geojson", "ome_xml": ".xml"}
LARGEST_UINT16 = 65535
BAND = 1024  # Rows drawn at once, and side of the file's tiles: memory never holds a whole plane of a slide.


class LabelMap:
    """A label map drawn from shapes, one band of rows at a time, with counts of what could not be drawn.

    `overlap` says which ROI keeps a pixel that two ROIs cover: "first" (the lower id), "last", or "error".
    """

    def __init__(self, image: ImageDetails, shapes: Sequence[RoiShape], overlap: str) -> None:
        self.image, self.overlap = image, overlap
        self.labels = roi_labels(shapes)
        self.side = tile_side(image, BAND)
        self.overlap_px = 0
        self._areas = [(shape, *row_span(shape)) for shape in shapes if shape.kind in AREAS]
        self._missing = {shape.shape_id for shape in shapes}

    @property
    def not_drawn(self) -> int:
        """Return the number of shapes without a pixel: lines, labels, or outside the image or between pixel centres."""
        return len(self._missing)

    @property
    def dtype(self) -> "np.dtype":
        """Return uint16, or int32 if a label needs it."""
        import numpy as np

        return np.dtype(np.int32 if max(self.labels.values(), default=0) > LARGEST_UINT16 else np.uint16)

    def tiles(self) -> Iterator["np.ndarray"]:
        """Yield tiles (rows, columns) of at most `side` x `side` pixels in the order T, Z, Y, X.

        Raises:
            UserError: Two ROIs share a pixel and `overlap` is "error".
        """
        image = self.image
        for t, z, top in product(range(image.size_t), range(image.size_z), range(0, image.size_y, self.side)):
            band = self._band(z, t, top)
            for left in range(0, image.size_x, self.side):
                yield band[:, left : left + self.side]

    def _band(self, z: int, t: int, top: int) -> "np.ndarray":
        import numpy as np

        image = self.image
        band = np.zeros((min(self.side, image.size_y - top), image.size_x), self.dtype)
        for shape, first, last in self._areas:
            if shape.z not in (None, z) or shape.t not in (None, t) or last <= top or first >= top + len(band):
                continue
            label = self.labels[shape.roi_id]
            x, y, pixels = shape_pixels(shape, *band.shape, top)
            if pixels.any():
                self._missing.discard(shape.shape_id)
            area = band[y : y + pixels.shape[0], x : x + pixels.shape[1]]
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
        return band


def write_label_map(path: Path, label_map: LabelMap) -> None:
    """Write a label map as OME-TIFF, axes TZYX, with the image's physical sizes; memory holds one band of rows."""
    import tifffile

    image, side, dtype = label_map.image, label_map.side, label_map.dtype
    metadata: dict[str, Any] = {"axes": "TZYX", "Name": image.name}
    for axis, length in (("X", image.physical_x), ("Y", image.physical_y), ("Z", image.physical_z)):
        if length is not None:
            metadata |= {f"PhysicalSize{axis}": length.value, f"PhysicalSize{axis}Unit": length.symbol}
    shape = (image.size_t, image.size_z, image.size_y, image.size_x)
    with tifffile.TiffWriter(path, ome=True, bigtiff=math.prod(shape) * dtype.itemsize > CLASSIC_TIFF_LIMIT) as file:
        file.write(
            padded(label_map.tiles(), side),
            shape=shape,
            dtype=dtype,
            tile=(side, side),
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            maxworkers=1,
            metadata=metadata,
        )


def export_rois(
    images: Sequence[ImageDetails],
    shapes: dict[int, list[RoiShape]],
    report: Sequence[Row],
    *,
    form: str,
    overlap: str,
    folder: Path,
    made: list[Path],
) -> None:
    """Write one file per image to `folder`.

    Args:
        images: The images.
        shapes: The shapes of each image, by image id.
        report: One row per image, see `object_report`.
        form: "label_map", "geojson", "ome_xml" or "table" (no file).
        overlap: See `LabelMap`.
        folder: Folder for `Image_<id>_<name>` with the suffix of the form.
        made: Collects the paths of the files, so that the caller can remove them if anything fails.

    Raises:
        UserError: A mask cannot be drawn, or ROIs overlap and `overlap` is "error".
    """
    folder.mkdir(parents=True, exist_ok=True)

    def write(image: ImageDetails, row: Row) -> None:
        found = shapes[image.image_id]
        # OMERO has kinds of shapes that no client draws any more (Path); a table names them, a document cannot.
        known = [shape for shape in found if shape.kind in KINDS]
        not_drawn, overlap_px = len(found) - len(known), 0
        if form != "table":
            made.append(folder / f"{row['image']}{ENDINGS[form]}")
        if form == "label_map":
            label_map = LabelMap(image, found, overlap)
            write_label_map(made[-1], label_map)
            not_drawn, overlap_px = label_map.not_drawn, label_map.overlap_px
        elif form == "geojson":
            made[-1].write_text(json.dumps(to_geojson(known)), encoding="utf-8")
        elif form == "ome_xml":
            made[-1].write_text(to_ome_xml(known), encoding="utf-8")
        count = len({shape.roi_id for shape in found})
        row |= {"roi_count": count, "shape_count": len(found), "not_drawn": not_drawn, "overlap_px": overlap_px}
        row["status"] = "not all drawn" if not_drawn or overlap_px else "exported"
        print(f"{row['image']}: {count} ROIs, {not_drawn} shapes not drawn, {overlap_px} pixels shared", flush=True)

    do_each(report, images, write)


def main() -> None:
    """Parse the command line, export the ROIs, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, roi_name, form, overlap")
    parser.add_argument("--folder", type=Path, required=True, help="folder for one file per image")
    parser.add_argument("--shapes", type=Path, required=True, help="table of all shapes to write")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    form = config["form"]
    with all_or_nothing() as made, object_report(args.output, IMAGE_COLUMNS) as report:
        with open_session(config["omero_host"], config.get("omero_group") or "") as session:
            records = find_nonempty_images(session, read_target(config["target"]))
            named = {one.image_id: image_identifier(one.image_id, one.image_name) for one in records}
            for one in records:
                row = {"image_id": one.image_id, "image_name": one.image_name, "image": named[one.image_id]}
                report.append(row | {"status": AT_WORK})
            images = load_image_details(session, list(named))
            shapes = load_shapes(session, list(named), (config.get("roi_name") or "").strip())
        for row in report:
            row["status"] = None
        overlap = form.get("overlap", "first")
        export_rois(images, shapes, report, form=form["form"], overlap=overlap, folder=args.folder, made=made)
        write_table(args.shapes, SHAPE_COLUMNS, shape_rows(named, shapes))


if __name__ == "__main__":
    run_tool(main)

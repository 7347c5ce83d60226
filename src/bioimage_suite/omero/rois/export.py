"""Export of regions of interest: one file per image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bioimage_suite.omero.rois.documents import to_geojson, to_ome_xml
from bioimage_suite.omero.rois.drawn_labels import LabelMap, write_label_map
from bioimage_suite.omero.rois.shapes import KINDS, RoiShape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.omero.images.details import ImageDetails
    from bioimage_suite.tables.report import Report, Row


def export_rois(
    images: Sequence[ImageDetails],
    shapes: Mapping[int, Sequence[RoiShape]],
    *,
    form: str,
    overlap: str,
    folder: Path,
    report: Report,
    outputs: Outputs,
) -> None:
    """Write one file per image to `folder`.

    Args:
        images: The images.
        shapes: The shapes of each image, by image id.
        form: "label_map", "geojson", "ome_xml" or "table" (no file).
        overlap: See `LabelMap`.
        folder: Folder for `Image_<id>_<name>` with the suffix of the form.
        report: One row per image.
        outputs: The outputs of the run.

    Raises:
        UserError: A mask cannot be drawn, or ROIs overlap and `overlap` is "error".
    """
    outputs.make(folder)  # Also without files: Galaxy looks into it.

    def write(image: ImageDetails, row: Row) -> None:
        found, name = shapes[image.image_id], row.cells["image"]
        # OMERO has kinds of shapes that no client draws any more (Path); a table names them, a document cannot.
        known = [shape for shape in found if shape.kind in KINDS]
        not_drawn, overlap_px = len(found) - len(known), 0
        if form == "label_map":
            label_map = LabelMap(image, found, overlap)
            write_label_map(outputs.file(folder / f"{name}.ome.tiff"), label_map)
            not_drawn, overlap_px = label_map.not_drawn, label_map.overlap_px
        elif form == "geojson":
            outputs.file(folder / f"{name}.geojson").write_text(json.dumps(to_geojson(known)), encoding="utf-8")
        elif form == "ome_xml":
            outputs.file(folder / f"{name}.xml").write_text(to_ome_xml(known), encoding="utf-8")
        count = len({shape.roi_id for shape in found})
        status = "not all drawn" if not_drawn or overlap_px else "exported"
        counts = {"roi_count": count, "shape_count": len(found), "not_drawn": not_drawn, "overlap_px": overlap_px}
        row.done(status, **counts)
        print(f"{name}: {count} ROIs, {not_drawn} shapes not drawn, {overlap_px} pixels shared", flush=True)

    report.for_each(images, write)

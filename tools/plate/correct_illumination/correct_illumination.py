#!/usr/bin/env python
"""Corrects uneven illumination of the images of a plate, found in these images themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.form_files import check_image_names
from bioimage_suite.core.tool import argument, file_list, run_tool, tool
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.ome_tiff import write_ome_tiff
from bioimage_suite.plates.illumination import FEW_IMAGES, FlatField, check_alike, corrected, estimate
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.model.image_file import ImageFile


@tool(
    __doc__,
    argument("--images", type=file_list, required=True, help="JSON: path and name of each image"),
    argument("--channels", default="", help="names, or indices counted from 0, separated by commas; default: all"),
    argument("--offset", type=float, default=0.0, help="grey level of a pixel without light"),
    argument("--smoothing", type=float, default=0.05, help="width of the Gaussian, by the longer side"),
    argument("--folder", type=Path, required=True, help="folder for the corrected images, OME-TIFF"),
    argument("--flat-fields", type=Path, required=True, help="flat field of each channel, OME-TIFF"),
    argument("--table", type=Path, required=True, help="table of the channels"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, estimate, correct, write."""
    check_image_names([name for _, name in args.images])
    images = [open_image(path, name) for path, name in args.images]
    check_alike(images)
    wanted = [part.strip() for part in args.channels.split(",") if part.strip()]
    chosen = [images[0].resolve_channel(text) for text in wanted] or range(images[0].size_c)
    fields: list[FlatField | None] = [None] * images[0].size_c
    for channel in chosen:
        fields[channel] = estimate(images, channel, args.offset, args.smoothing)
    if len(images) < FEW_IMAGES:
        print(f"NOTE: {len(images)} images; below {FEW_IMAGES} the content of images may remain in the flat field.")
    for image in images:
        write_ome_tiff(outputs.file(args.folder / f"{image.name}.ome.tiff"), corrected(image, fields))
        print(image.name, flush=True)
    write_ome_tiff(outputs.file(args.flat_fields), flat_image(images[0], fields))
    rows = [(images[0].channel_label(c), one.planes, one.spread) for c, one in enumerate(fields) if one]
    write_rows(outputs.file(args.table), ("channel", "planes", "brightest_by_darkest"), rows)


def flat_image(image: ImageFile, fields: Sequence[FlatField | None]) -> ImageFile:
    """Return the flat fields as an image of one plane a channel, float32; 1 for a channel that is not corrected."""

    def read_region(_t: int, c: int, _z: int, rows: slice, columns: slice) -> np.ndarray:
        field = fields[c]
        if field is None:
            return np.ones((rows.stop - rows.start, columns.stop - columns.start), np.float32)
        return field.region(rows, columns).astype(np.float32)

    flat = replace(image, name="flat fields", size_t=1, size_z=1, dtype=np.dtype(np.float32), details={})
    return replace(flat, read_region=read_region, read_interleaved=None)


if __name__ == "__main__":
    run_tool(main)

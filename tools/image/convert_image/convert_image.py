#!/usr/bin/env python
"""Converts an image to a pyramidal OME-TIFF, an OME-Zarr or a single-file .ozx; or a table of wells to a plate."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.series import ONLY_ONE, READING, Reading, beside, reading_of
from bioimage_suite.images.readers.opening import open_image, open_images
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map, takes_nearest
from bioimage_suite.images.writers.ome_tiff import write_ome_tiff

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.model.image_file import ImageFile


def open_labels(path: Path, name: str, image: ImageFile, reading: Reading = ONLY_ONE) -> ImageFile:
    """Open the label map of an image.

    Raises:
        UserError: The file is not a label map, or its size differs from that of the image.
    """
    labels = as_label_map(open_image(path, name, reading), carried=True)
    check_label_map(labels)
    for axis in ("size_t", "size_z", "size_y", "size_x"):
        ours, theirs = getattr(labels, axis), getattr(image, axis)
        if ours != theirs:
            raise UserError(
                f"Label map {name}: its {axis} is {ours}, that of image {image.name} is {theirs}. "
                "Give the label map that was made from this image."
            )
    return labels


def open_all_labels(args: Namespace, image: ImageFile) -> dict[str, ImageFile]:
    """Open the label maps of an image.

    Returns:
        Label maps by their names in the OME-Zarr.

    Raises:
        UserError: A name cannot be that of a folder or occurs twice, or a label map does not fit the image.
    """
    if args.labels and args.format == "ome-tiff":
        raise UserError("Label maps: an OME-TIFF holds the image alone. Choose OME-Zarr, or convert them alone.")
    names = args.label_name or [f"labels_{number}" if number else "labels" for number in range(len(args.labels))]
    files = args.labels_file_name or [path.name for path in args.labels]
    found: dict[str, ImageFile] = {}
    for path, file, name in zip(args.labels, files, names, strict=True):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,99}", name):
            raise UserError(
                f"Name of the labels {name!r}: it becomes a folder. Use letters, digits, underscores or hyphens."
            )
        if name in found:
            raise UserError(f"Name of the labels {name!r}: two label maps have it. Give each a name of its own.")
        found[name] = replace(open_labels(path, file, image, beside(args)), name=name)
    return found


def write_ome_zarr(path: Path, image: ImageFile, labels: dict[str, ImageFile], form: str, nearest: bool) -> None:
    """Write an image with its label maps as OME-Zarr, as a folder or one file.

    Args:
        path: Folder, or for `ozx` the file to write.
        image: The source.
        labels: Its label maps by name.
        form: A key of `ome_zarr_output.VERSIONS`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.
    """
    from bioimage_suite.images.ome_zarr.folder import register_labels
    from bioimage_suite.images.writers.ome_zarr import write_zarr_image
    from bioimage_suite.images.writers.ome_zarr_output import folder_of

    with folder_of(path, form) as (folder, version):
        write_zarr_image(folder, image, version, nearest=nearest)
        if labels:
            register_labels(folder, list(labels), version)
        for name, one in labels.items():
            write_zarr_image(folder / "labels" / name, one, version, is_labels=True)


def write_plate(path: Path, args: Namespace) -> None:
    """Write the images of a table of wells as a plate.

    Raises:
        UserError: The format cannot hold a plate, or the table does not fit the images.
    """
    if args.format == "ome-tiff":
        raise UserError("Plate: OME-TIFF cannot hold one. Choose OME-Zarr or .ozx.")
    from bioimage_suite.images.writers.plates import write_plate_of

    write_plate_of(
        args.images, args.layout, path,
        plate_name=args.plate_name, form=args.format, nearest=args.smaller == "nearest", reading=reading_of(args),
    )  # fmt: skip


def write_image(path: Path, args: Namespace, image: ImageFile) -> None:
    """Convert one image, with its label maps."""
    labels = open_all_labels(args, image)
    nearest = takes_nearest(image, args.smaller == "nearest")
    if args.format == "ome-tiff":
        write_ome_tiff(path, image, args.compression, nearest=nearest)
    else:
        write_ome_zarr(path, image, labels, args.format, nearest)
    print(f"{image.name}: {args.format}, {image.size_x} x {image.size_y} px, {image.size_z} z-planes, "
          f"{image.size_c} channels, {image.size_t} time points")  # fmt: skip


def write_all_images(folder: Path, args: Namespace) -> list[Path]:
    """Convert every image of a file, each to a file that is called as the image.

    Raises:
        UserError: The format has no single files.
    """
    if args.format not in SUFFIXES:
        raise UserError("All images of a file: each becomes one file. Choose OME-TIFF or .ozx.")
    images = open_images(args.image, args.image_name, reading_of(args))
    stem = args.image_name or args.image.name
    written = []
    for number, (name, image) in enumerate(zip(images[0].details["series"], images, strict=True)):
        # What Galaxy takes for the name of the element; a slash would be a folder.
        called = re.sub(r"[^\w .()+=-]", "_", f"{stem} {number} {name}".strip())[:200]
        written.append(folder / f"{called}{SUFFIXES[args.format]}")
        write_image(written[-1], args, image)
    return written


def open_set(args: Namespace, outputs: Outputs) -> None:
    """Let files that form one image lie beside each other until the run ends, and make them the image."""
    from bioimage_suite.images.readers.file_sets import joined

    listed = json.loads(args.files.read_text(encoding="utf-8"))
    files = {name: Path(path) for name, path in listed}
    if len(files) < len(listed):
        raise UserError("Files: two have the same name. Give each file of the set once, with a name of its own.")
    args.image = outputs.enter(joined(files))
    args.image_name = args.image_name or next(iter(files))


# Formats of one file each, and how their names end for Galaxy.
SUFFIXES = {"ome-tiff": ".ome.tiff", "ozx": ".ome_zarr.zip"}


@tool(
    __doc__,
    argument("--image", type=Path, help="the image"),
    *READING,
    argument("--image-name", help="name of the image in messages; default: the file's name"),
    argument(
        "--labels", type=Path, nargs="*", action="extend", default=[], help="label maps to write into the OME-Zarr"
    ),
    argument("--labels-file-name", action="append", help="name of each label map in messages"),
    argument("--label-name", action="append", help="name of each in the OME-Zarr; default: labels"),
    argument("--files", type=Path, help="JSON list of name and path of the files that form one image"),
    argument("--all-images", action="store_true", help="every image of the file; the output is a folder"),
    argument("--images", type=Path, help="for a plate: JSON list of name and path of each image"),
    argument("--layout", type=Path, help="for a plate: table of wells"),
    argument("--plate-name", default="", help="for a plate whose table does not name it"),
    argument("--format", choices=["ome-tiff", "ome-zarr-0.4", "ome-zarr-0.5", "ozx"], required=True),
    argument("--compression", choices=["zlib", "none"], default="zlib", help="compression of an OME-TIFF"),
    argument("--smaller", choices=["mean", "nearest"], default="mean", help="pixels of the smaller levels"),
    argument("--check", action="store_true", help="check the result with ome-types or ome-zarr-models"),
    argument("--output", type=Path, required=True, help="file, or folder of an OME-Zarr"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, write, check."""
    if args.files:
        open_set(args, outputs)
    is_folder = args.format.startswith("ome-zarr") or args.all_images
    path = outputs.folder(args.output) if is_folder else outputs.file(args.output)
    written = [path]
    if args.all_images:
        written = write_all_images(path, args)
    elif args.layout:
        write_plate(path, args)
    else:
        write_image(path, args, open_image(args.image, args.image_name, reading_of(args)))
    if args.check:
        from bioimage_suite.images.writers.check_written import check_written

        for one in written:
            check_written(one, args.format)


if __name__ == "__main__":
    run_tool(main)

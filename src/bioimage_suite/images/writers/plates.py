"""Writing of the images of a table of wells as one OME-Zarr plate (high-content screening)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import parse_image_identifier
from bioimage_suite.images.model.series import ONLY_ONE, Reading
from bioimage_suite.images.ome_zarr.archive import ArchiveWriter
from bioimage_suite.images.ome_zarr.folder import write_plate
from bioimage_suite.images.ome_zarr.metadata import Plate
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import takes_nearest
from bioimage_suite.images.writers.ome_zarr import add_zarr_image, write_zarr_image
from bioimage_suite.images.writers.ome_zarr_output import VERSIONS
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.plate_layout import Position, plate_size, read_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.image_file import ImageFile


def plate_of(positions: list[Position]) -> Plate:
    """Return the smallest usual plate that has all the wells.

    Args:
        positions: Rows of the table, all of one plate.

    Raises:
        UserError: No usual plate has a well of the table.
    """
    size = plate_size((one.row, one.column) for one in positions)
    fields: dict[tuple[str, str], int] = {}
    for one in positions:
        well = (letters_of(one.row), str(one.column + 1))
        fields[well] = fields.get(well, 0) + 1
    names = tuple(letters_of(index) for index in range(size[0]))
    return Plate(positions[0].plate, names, tuple(str(n + 1) for n in range(size[1])), fields)


def match_images(by: str, positions: list[Position], images: dict[str, Path]) -> list[str]:
    """Return the name of the image for each row of the table; OMERO ids match `Image_<id>_<name>`.

    Raises:
        UserError: An image is missing, or a given image has no row in the table.
    """
    found = []
    for one in positions:
        fits = [
            name
            for name in images
            if name == one.image or (by == "image_id" and str(parse_image_identifier(name)) == one.image)
        ]
        if len(fits) != 1:
            listed = ", ".join(list(images)[:10])
            raise UserError(
                f"layout, line {one.line}: image {one.image!r} is {'given twice' if fits else 'not among the images'} "
                f"({listed}). Give it, or correct the table."
            )
        found.append(fits[0])
    missing = [name for name in images if name not in found]
    if missing:
        raise UserError(f"layout: image {missing[0]!r} has no row. Add its well, or leave the image out.")
    return found


def write_plate_of(
    listing: Path,
    layout: Path,
    output: Path,
    *,
    plate_name: str,
    form: str,
    nearest: bool = False,
    reading: Reading = ONLY_ONE,
) -> None:
    """Write a plate from a list of images and a table of wells.

    Args:
        listing: JSON list of name and path of each image.
        layout: Table of wells: see `plate_layout`.
        output: An empty folder, or for `ozx` the file to write.
        plate_name: Name of the plate for rows that do not name one.
        form: `ome-zarr-0.4`, `ome-zarr-0.5` or `ozx`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.
        reading: Which image of each file, and what its pages are.

    Raises:
        UserError: The table does not fit the images, or an image cannot be read.
    """
    images, wells = _read_wells(listing, layout, plate_name)
    plate = plate_of([position for position, _ in wells])
    version = VERSIONS[form]
    fields = _fields(wells, images, reading)
    if form == "ozx":  # Straight into the file: thousands of small files take long to make.
        with ArchiveWriter(output, version) as archive:
            write_plate(archive.root, plate, version)
            for place, image in fields:
                add_zarr_image(archive, place, image, version, nearest=takes_nearest(image, nearest))
    else:
        write_plate(output, plate, version)
        for place, image in fields:
            write_zarr_image(output / place, image, version, nearest=takes_nearest(image, nearest))
    print(f"{plate.name}: {len(wells)} images in {len(plate.fields)} wells")


def _read_wells(listing: Path, layout: Path, plate_name: str) -> tuple[dict[str, Path], list[tuple[Position, str]]]:
    """Read the list of images and the table of wells; return the images by name, and the name of each position."""
    listed = json.loads(listing.read_text(encoding="utf-8"))
    images = {name: Path(path) for name, path in listed}
    if len(images) < len(listed):
        twice = next(name for name, _ in listed if sum(name == other for other, _ in listed) > 1)
        raise UserError(f"Images: two are called {twice!r}. Give each a name of its own.")
    by, positions = read_layout(layout, plate_name or "Plate")
    plates = list(dict.fromkeys(one.plate for one in positions))
    if len(plates) > 1:
        raise UserError(f"layout: it has the plates {', '.join(plates)}. Convert one plate at a time.")
    names = match_images(by, positions, images)
    return images, list(zip(positions, names, strict=True))


def _fields(
    wells: list[tuple[Position, str]], images: dict[str, Path], reading: Reading
) -> Iterator[tuple[str, ImageFile]]:
    """Yield the place of each field in the plate, such as `A/1/0`, with its image."""
    counts: dict[tuple[int, int], int] = {}
    for position, name in wells:
        well = (position.row, position.column)
        number = counts.get(well, 0)
        counts[well] = number + 1
        image = open_image(images[name], name, reading)
        yield f"{letters_of(position.row)}/{position.column + 1}/{number}", image
        print(f"{letters_of(position.row)}{position.column + 1} field {number + 1}: {name}", flush=True)

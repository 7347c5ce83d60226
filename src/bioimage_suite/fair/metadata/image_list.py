"""The input images, from files and from the table of an export from OMERO, and their values of REMBI's fields."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, file_list
from bioimage_suite.core.units import DEFAULT_LENGTH, DEFAULT_TIME
from bioimage_suite.fair.metadata.image_facts import ImageFacts, Occurrences, occurrences, read_images
from bioimage_suite.tables.delimited import column_names, tsv_rows
from bioimage_suite.tables.formulas import plain_text

IMAGE_ARGUMENTS = (
    argument("--images", type=file_list, default=[], help='JSON list of {"path", "name"} of images'),
    argument("--image-table", type=Path, help="tabular file of images (image_id or image_name)"),
)
"""Arguments of a tool that takes images, a table of images, or both: see `load_images`."""
# Columns of the table of omero_export_images and their fields in OME's names.
_TABLE_FIELDS = {
    "size_x": "Pixels.SizeX",
    "size_y": "Pixels.SizeY",
    "size_z": "Pixels.SizeZ",
    "size_c": "Pixels.SizeC",
    "size_t": "Pixels.SizeT",
    "pixel_type": "Pixels.Type",
    "physical_size_x_um": "Pixels.PhysicalSizeX",
    "physical_size_y_um": "Pixels.PhysicalSizeY",
    "physical_size_z_um": "Pixels.PhysicalSizeZ",
    "acquisition_date": "Image.AcquisitionDate",
}
_TABLE_OTHERS = {"image_id", "image_name", "image", "channel_names"}


def read_image_table(path: Path, name: str) -> list[ImageFacts]:
    """Read images from a tabular file with a column `image_id` or `image_name`, and optional sizes and channel names.

    Any other column is a key of the images' key-value pairs.

    Args:
        path: Tab-separated, UTF-8.
        name: Display name of the table.

    Raises:
        UserError: The column is missing, a column occurs twice, or the file is not UTF-8.
    """
    rows = [tuple(map(plain_text, row.cells)) for row in tsv_rows(path, f"image table {name}") if any(row.cells)]
    header = column_names(rows[0], f"image table {name}") if rows else ()
    if not {"image_id", "image_name", "image"} & set(header):
        raise UserError(f"image table {name}: no column image_id, image_name or image. Give a table with a header.")
    return [_table_facts(dict(zip(header, row, strict=False))) for row in rows[1:]]


def _table_facts(row: dict[str, str]) -> ImageFacts:
    fields = {ome: occurrences(ome, [row[column]]) for column, ome in _TABLE_FIELDS.items() if column in row}
    for axis in "XYZ":
        if fields.get(f"Pixels.PhysicalSize{axis}", Occurrences(0, 0, ())).filled:
            fields[f"Pixels.PhysicalSize{axis}Unit"] = Occurrences(1, 1, (DEFAULT_LENGTH,))
    if row.get("channel_names"):
        fields["Channel.Name"] = occurrences("Channel.Name", [part.strip() for part in row["channel_names"].split(";")])
    pairs = tuple(
        (key, value) for key, value in row.items() if value and key not in _TABLE_FIELDS.keys() | _TABLE_OTHERS
    )
    names = [row[column] for column in ("image", "image_name", "image_id") if row.get(column)]
    return ImageFacts(names[0] if names else "", row.get("image_id", ""), 0, fields, pairs, tuple(names[1:2]))


def merge_images(files: Iterable[ImageFacts], table: Iterable[ImageFacts]) -> list[ImageFacts]:
    """Merge the images of files and table; an image that only one of them has is kept.

    Raises:
        UserError: Two images have the same name, so a row could not tell them apart.
    """
    rows = list(table)
    place = {known: index for index, row in enumerate(rows) for known in row.names()}
    used: set[int] = set()
    merged: list[ImageFacts] = []
    for image in files:
        index = next((place[known] for known in image.names() if known in place), None)
        if index is not None:
            used.add(index)
            image = _merge(image, rows[index])  # noqa: PLW2901  (the image with what the table adds)
        merged.append(image)
    merged += [row for index, row in enumerate(rows) if index not in used]
    counts = Counter(image.name for image in merged)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        raise UserError(
            f"image {twice}: {counts[twice]} images have this name. Rename them, so that a row can say which it means."
        )
    return merged


def _merge(image: ImageFacts, row: ImageFacts) -> ImageFacts:
    """Merge the facts of an image with its row in the table; those of the file win."""
    return replace(
        image,
        image_id=image.image_id or row.image_id,
        fields={**row.fields, **image.fields},
        key_values=tuple(dict.fromkeys((*image.key_values, *row.key_values))),
        aliases=tuple(dict.fromkeys((*image.aliases, row.name, *row.aliases))),
    )


def known_values(image: ImageFacts) -> dict[str, str]:
    """Return the values of REMBI's fields that are known from an image, by machine name."""
    sizes = {axis: image.first(f"Pixels.Size{axis}") for axis in "XYZCT"}
    known = {
        "image.dimensions": " ".join(f"{axis}={size}" for axis, size in sizes.items() if size),
        "image.pixel_size_x": _with_unit(image, "Pixels.PhysicalSizeX", DEFAULT_LENGTH),
        "image.pixel_size_y": _with_unit(image, "Pixels.PhysicalSizeY", DEFAULT_LENGTH),
        "image.pixel_size_z": _with_unit(image, "Pixels.PhysicalSizeZ", DEFAULT_LENGTH) if sizes["Z"] != "1" else "",
        "image.time_increment": _with_unit(image, "Pixels.TimeIncrement", DEFAULT_TIME) if sizes["T"] != "1" else "",
        "image.channels": "; ".join(_values(image, "Channel.Name")),
        "image.format": _format(image),
        "acquisition.date": image.first("Image.AcquisitionDate")[:10],
        "acquisition.imaging_instrument": "; ".join(
            text for name in ("Instrument.Microscope", "Instrument.Detector") for text in _values(image, name)
        ),
        "acquisition.temperature": _with_unit(image, "ImagingEnvironment.Temperature", "°C"),
        "specimen.channel_content": "; ".join(_values(image, "Channel.Fluor")),
    }
    return {key: value for key, value in known.items() if value}


def _format(image: ImageFacts) -> str:
    if "Zarr.Version" in image.fields:
        return "OME-Zarr"
    return "OME-TIFF" if "Pixels.DimensionOrder" in image.fields else ""


def _values(image: ImageFacts, name: str) -> tuple[str, ...]:
    found = image.fields.get(name)
    return found.values if found else ()


def _with_unit(image: ImageFacts, name: str, default: str) -> str:
    """Return a number with its unit; without one, OME's default unit (OME schema 2016-06)."""
    number = image.first(name)
    return f"{number} {image.first(name + 'Unit') or default}" if number else ""


def load_images(
    files: Sequence[tuple[Path, str]], table: Path | None, table_name: str = "image table"
) -> list[ImageFacts]:
    """Read the input images of a tool.

    Args:
        files: Path and display name of each image.
        table: Tabular file of images, or None.
        table_name: Display name of the table.

    Raises:
        UserError: An image or the table cannot be read, or two images have the same name.
    """
    return merge_images(read_images(files), read_image_table(table, table_name) if table else [])


def refuse_no_images(
    images: Sequence[object], remedy: str = "Give images, a table of images, or metadata that names images."
) -> None:
    """Check that there is an image.

    Raises:
        UserError: There is none; the message ends with the remedy.
    """
    if not images:
        raise UserError(f"images: there are none. {remedy}")

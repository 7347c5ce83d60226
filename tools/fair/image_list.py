"""The images at hand, from files and from the table that an export from OMERO writes, and what they say of REMBI."""

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from image_facts import ImageFacts, Occurrences, occurrences, read_images
from tool_errors import UserError


def read_file_list(path: Path) -> list[tuple[Path, str]]:
    """Read the tool's list of image files: JSON `[{"path": ..., "name": ...}, ...]`, written by the Galaxy wrapper."""
    return [(Path(entry["path"]), str(entry["name"])) for entry in json.loads(path.read_text(encoding="utf-8"))]


# The columns of the table that omero_export_images writes, and what they say in OME's words.
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
    """Read images from a tabular file with a header: `image_id` or `image_name`; sizes and channel names may follow.

    Columns beyond the known ones are the images' key-values.

    Args:
        path: Tab-separated, UTF-8.
        name: What the user calls the table.

    Raises:
        UserError: No such column, or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream, delimiter="\t") if any(row)]
    except UnicodeDecodeError as error:
        raise UserError(f"image table {name}: byte {error.start} is not UTF-8. Save it as UTF-8.") from error
    header = [cell.strip().removeprefix("#") for cell in rows[0]] if rows else []
    if not {"image_id", "image_name", "image"} & set(header):
        raise UserError(f"image table {name}: no column image_id, image_name or image. Give a table with a header.")
    return [_table_facts(dict(zip(header, row, strict=False))) for row in rows[1:]]


def _table_facts(row: dict[str, str]) -> ImageFacts:
    fields = {ome: occurrences(ome, [row[column]]) for column, ome in _TABLE_FIELDS.items() if column in row}
    for axis in "XYZ":
        if fields.get(f"Pixels.PhysicalSize{axis}", Occurrences(0, 0, ())).filled:
            fields[f"Pixels.PhysicalSize{axis}Unit"] = Occurrences(1, 1, ("µm",))
    if row.get("channel_names"):
        fields["Channel.Name"] = occurrences("Channel.Name", [part.strip() for part in row["channel_names"].split(";")])
    pairs = tuple(
        (key, value) for key, value in row.items() if value and key not in _TABLE_FIELDS.keys() | _TABLE_OTHERS
    )
    names = [row[column] for column in ("image", "image_name", "image_id") if row.get(column)]
    return ImageFacts(names[0] if names else "", row.get("image_id", ""), 0, fields, pairs, tuple(names[1:2]))


def merge_images(files: Iterable[ImageFacts], table: Iterable[ImageFacts]) -> list[ImageFacts]:
    """Put together what files and table say of the same images; an image that only one of them has is kept.

    Raises:
        UserError: Two images of one name, so that no row could say which it means.
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
    """The file's own facts win over the table's."""
    return replace(
        image,
        image_id=image.image_id or row.image_id,
        fields={**row.fields, **image.fields},
        key_values=tuple(dict.fromkeys((*image.key_values, *row.key_values))),
        aliases=tuple(dict.fromkeys((*image.aliases, row.name, *row.aliases))),
    )


def known_values(image: ImageFacts) -> dict[str, str]:
    """What an image says about REMBI's fields, by their machine names; only what it does say."""
    sizes = {axis: image.first(f"Pixels.Size{axis}") for axis in "XYZCT"}
    known = {
        "image.dimensions": " ".join(f"{axis}={size}" for axis, size in sizes.items() if size),
        "image.pixel_size_x": _with_unit(image, "Pixels.PhysicalSizeX", "µm"),
        "image.pixel_size_y": _with_unit(image, "Pixels.PhysicalSizeY", "µm"),
        "image.pixel_size_z": _with_unit(image, "Pixels.PhysicalSizeZ", "µm") if sizes["Z"] != "1" else "",
        "image.time_increment": _with_unit(image, "Pixels.TimeIncrement", "s") if sizes["T"] != "1" else "",
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
    """A number with its unit; OME's default unit where none is written (OME schema 2016-06)."""
    number = image.first(name)
    return f"{number} {image.first(name + 'Unit') or default}" if number else ""


def load_images(file_list: Path | None, table: Path | None, table_name: str = "image table") -> list[ImageFacts]:
    """Read the images that a tool was given.

    Args:
        file_list: JSON `[{"path": ..., "name": ...}, ...]` of OME-TIFF files, written by the Galaxy wrapper, or None.
        table: Tabular file of images, or None.
        table_name: What the user calls the table.

    Raises:
        UserError: See `read_images`, `read_image_table`, `merge_images`.
    """
    files = read_file_list(file_list) if file_list else []
    return merge_images(read_images(files), read_image_table(table, table_name) if table else [])

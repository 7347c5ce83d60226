"""The normalised metadata table: one value a row, whatever dialect it came from; every later tool reads it."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from image_facts import ImageFacts
from key_value_dialects import ALL_IMAGES
from table_reader import plain_text, spreadsheet_safe
from tool_errors import UserError

# A long description is no reason to refuse a table; Python's csv stops at 131,072 characters a cell by default.
_LONGEST_CELL = 10_000_000


@dataclass(frozen=True)
class MetadataValue:
    """One value.

    Attributes:
        object_type: `image`, `dataset`, ...
        object_id: OMERO's id, or empty.
        object_name: The object's name; `*` means all images.
        field: The field's machine name, as `biosample.organism`; empty when the key belongs to no standard.
        key: The column's name as it was found.
        value: The value in its normal form: a term's label, an ISO date, a number with a decimal point and unit.
        term_id: The term's id, as `NCBITaxon:9606`, or empty.
        unit_id: The unit's id, as `UO:0000017`, or empty.
        found: The value as it was found.
        namespace: OMERO's namespace of the pair.
        source: The file, and where in it.
        line: Line of the file.
        column: Column's letter.
    """

    object_type: str
    object_id: str
    object_name: str
    field: str
    key: str
    value: str
    term_id: str
    unit_id: str
    found: str
    namespace: str
    source: str
    line: int
    column: str


COLUMNS = tuple(column.name for column in fields(MetadataValue))


def write_metadata_table(path: Path, values: Iterable[MetadataValue]) -> None:
    """Write the table, tab-separated with a header; no cell is one that a spreadsheet would take for a formula."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([spreadsheet_safe(str(cell)) for cell in astuple(value)] for value in values)


def is_metadata_table(path: Path) -> bool:
    """Tell whether a file is a normalised metadata table, by its header."""
    with path.open("rb") as stream:
        return stream.readline(4096).decode("utf-8-sig", errors="replace").rstrip("\r\n").split("\t") == list(COLUMNS)


def read_metadata_table(path: Path, name: str) -> list[MetadataValue]:
    """Read a table that `write_metadata_table` wrote.

    Args:
        path: The file.
        name: What the user calls the file.

    Raises:
        UserError: Another header, or a damaged row.
    """
    if not is_metadata_table(path):
        raise UserError(
            f"metadata table {name}: is not a table that validate_metadata wrote. Run validate_metadata on it first."
        )
    csv.field_size_limit(_LONGEST_CELL)
    values: list[MetadataValue] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter="\t")
        next(reader)
        for row in reader:
            if len(row) != len(COLUMNS) or not row[11].isdecimal():
                raise UserError(
                    f"metadata table {name}, line {reader.line_num}: is damaged. Run validate_metadata again."
                )
            cells = [plain_text(cell) for cell in row]
            named: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
            values.append(MetadataValue(**{**named, "line": int(row[11])}))
    return values


@dataclass(frozen=True)
class ObjectValues:
    """Values by object.

    Attributes:
        shared: Values that hold for every image: of the row `*`, or of the dataset.
        own: An image's name or id to the values of its own rows. `id:12` stands for OMERO's id 12.
    """

    shared: Mapping[str, tuple[MetadataValue, ...]]
    own: Mapping[str, Mapping[str, tuple[MetadataValue, ...]]]

    def of_image(self, image: ImageFacts) -> dict[str, tuple[MetadataValue, ...]]:
        """Field to values for one image; a value of its own wins over a shared one."""
        return {**self.shared, **self.own_values(image)}

    def own_values(self, image: ImageFacts) -> Mapping[str, tuple[MetadataValue, ...]]:
        """Field to values of the image's own rows, found by OMERO's id, else by name."""
        keys = ([f"id:{image.image_id}"] if image.image_id else []) + list(image.names())
        return next((self.own[key] for key in keys if key in self.own), {})


def by_object(values: Iterable[MetadataValue]) -> ObjectValues:
    """Sort values by object. Values that belong to no field stand under their key with a `?` before it."""
    shared: dict[str, list[MetadataValue]] = {}
    own: dict[str, dict[str, list[MetadataValue]]] = {}
    for value in values:
        field = value.field or f"?{value.key}"
        if is_shared(value.object_type, value.object_name):
            shared.setdefault(field, []).append(value)
            continue
        for key in {f"id:{value.object_id}" if value.object_id else "", value.object_name} - {""}:
            own.setdefault(key, {}).setdefault(field, []).append(value)
    frozen = {name: {field: tuple(found) for field, found in by_field.items()} for name, by_field in own.items()}
    return ObjectValues({field: tuple(found) for field, found in shared.items()}, frozen)


def is_shared(object_type: str, object_name: str) -> bool:
    """Tell whether an object's values hold for all images: it is `*`, or a container such as a dataset or plate."""
    return object_name == ALL_IMAGES or object_type not in {"image", "well", "roi", ""}


def images_of(values: Iterable[MetadataValue]) -> list[ImageFacts]:
    """The images that a table names, when no image is at hand."""
    found: dict[tuple[str, str], ImageFacts] = {}
    for value in values:
        if value.object_type == "image" and value.object_name != ALL_IMAGES:
            name = value.object_name or f"Image {value.object_id}"
            found.setdefault((value.object_id, value.object_name), ImageFacts(name, value.object_id))
    return list(found.values())


def first_row(values: Iterable[MetadataValue], field: str) -> list[MetadataValue]:
    """The values of a field as the first row that has it gives them, in order.

    Lists that run parallel (authors, their ORCIDs) may hold an entry twice, so they are never made unique.
    """
    found: list[MetadataValue] = []
    for value in values:
        if value.field == field and (not found or (value.source, value.line) == (found[0].source, found[0].line)):
            found.append(value)
    return found

"""The normalised metadata table: one value per row, from any dialect; all later tools read it."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.tables.delimited import tsv_rows
from bioimage_suite.tables.formulas import plain_text
from bioimage_suite.tables.key_value_dialects import ALL_IMAGES
from bioimage_suite.tables.writer import write_tsv


@dataclass(frozen=True)
class MetadataValue:
    """One value.

    Attributes:
        object_type: `image`, `dataset`, ...
        object_id: OMERO's id, or empty.
        object_name: The object's name; `*` means all images.
        field: The field's machine name, such as `biosample.organism`; empty when the key belongs to no standard.
        key: The column's name as found.
        value: The value in its normal form: a term's label, an ISO date, a number with a decimal point and unit.
        term_id: The term's id, such as `NCBITaxon:9606`, or empty.
        unit_id: The unit's id, such as `UO:0000017`, or empty.
        found: The value as found.
        namespace: OMERO's namespace of the pair.
        source: The file, and the sheet or part of it.
        line: Line of the file.
        column: Letter of the column.
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


METADATA_COLUMNS = tuple(column.name for column in fields(MetadataValue))


def write_metadata_table(path: Path, values: Iterable[MetadataValue]) -> None:
    """Write the table, tab-separated with a header; no spreadsheet will take a cell for a formula.

    Line breaks in cells become blanks: the tools that read tables of Galaxy take each line for a row.
    """
    write_tsv(path, METADATA_COLUMNS, map(astuple, values))


def is_metadata_table(path: Path) -> bool:
    """Return whether a file is a normalised metadata table, judging by its header."""
    with path.open("rb") as stream:
        return stream.readline(4096).decode("utf-8-sig", errors="replace").rstrip("\r\n").split("\t") == list(
            METADATA_COLUMNS
        )


def read_metadata_table(path: Path, name: str) -> list[MetadataValue]:
    """Read a table written by `write_metadata_table`.

    Args:
        path: The file.
        name: Display name of the file.

    Raises:
        UserError: The header differs, or a row is damaged.
    """
    if not is_metadata_table(path):
        raise UserError(
            f"metadata table {name}: is not a table that validate_metadata wrote. Run validate_metadata on it first."
        )
    values: list[MetadataValue] = []
    for row in islice(tsv_rows(path, f"metadata table {name}", quoted=True), 1, None):
        if len(row.cells) != len(METADATA_COLUMNS) or not row.cells[11].isdecimal():
            raise UserError(f"metadata table {name}, line {row.line}: is damaged. Run validate_metadata again.")
        named: dict[str, Any] = dict(zip(METADATA_COLUMNS, map(plain_text, row.cells), strict=True))
        values.append(MetadataValue(**{**named, "line": int(row.cells[11])}))
    return values


@dataclass(frozen=True)
class ObjectValues:
    """Values by object.

    Attributes:
        shared: Values for all images, from the row `*` or the dataset's row.
        own: Values of an image's own rows by its name, or by its OMERO id as `id:12`.
    """

    shared: Mapping[str, tuple[MetadataValue, ...]]
    own: Mapping[str, Mapping[str, tuple[MetadataValue, ...]]]

    def of_image(self, image: ImageFacts) -> dict[str, tuple[MetadataValue, ...]]:
        """Return the values of one image by field; its own values win over shared ones."""
        return {**self.shared, **self.own_values(image)}

    def own_values(self, image: ImageFacts) -> Mapping[str, tuple[MetadataValue, ...]]:
        """Return the values of the image's own rows by field; rows match by OMERO's id, otherwise by name."""
        keys = ([f"id:{image.image_id}"] if image.image_id else []) + list(image.names())
        return next((self.own[key] for key in keys if key in self.own), {})


def by_object(values: Iterable[MetadataValue]) -> ObjectValues:
    """Group values by object. Values without a field get their key with the prefix `?` as field."""
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
    """Return whether an object's values hold for all images: it is `*`, or a container such as a dataset or plate."""
    return object_name == ALL_IMAGES or object_type not in {"image", "well", "roi", ""}


def images_of(values: Iterable[MetadataValue]) -> list[ImageFacts]:
    """Return the images that a table names, for a tool that got no images."""
    found: dict[tuple[str, str], ImageFacts] = {}
    for value in values:
        if value.object_type == "image" and value.object_name != ALL_IMAGES:
            name = value.object_name or f"Image {value.object_id}"
            found.setdefault((value.object_id, value.object_name), ImageFacts(name, value.object_id))
    return list(found.values())


def first_row(values: Iterable[MetadataValue], field: str) -> list[MetadataValue]:
    """Return the values of a field from the first row that has it, in order.

    Parallel lists (authors, their ORCIDs) may repeat an entry, so duplicates are kept.
    """
    found: list[MetadataValue] = []
    for value in values:
        if value.field == field and (not found or (value.source, value.line) == (found[0].source, found[0].line)):
            found.append(value)
    return found

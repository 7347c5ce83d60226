"""The normalised metadata table: one value per row, from any dialect; all later tools read it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.texts import whole_number
from bioimage_suite.fair.metadata.containers import (
    CONTAINER_KINDS,
    Container,
    Containers,
    Parents,
    collect_containers,
    parents_of,
)
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
        if len(row.cells) != len(METADATA_COLUMNS) or whole_number(row.cells[11]) is None:
            raise UserError(f"metadata table {name}, line {row.line}: is damaged. Run validate_metadata again.")
        named: dict[str, Any] = dict(zip(METADATA_COLUMNS, map(plain_text, row.cells), strict=True))
        values.append(MetadataValue(**{**named, "line": int(row.cells[11])}))
    return values


_ByField = Mapping[str, tuple[MetadataValue, ...]]


@dataclass(frozen=True)
class ObjectValues:
    """Values by object.

    Attributes:
        shared: Values for all images, from the row `*`.
        held: Values of containers, such as a dataset, plate or well, which hold for their images.
        containers: The index of those containers.
        own: Values of an image's own rows by its name, or by its OMERO id as `id:12`.
    """

    shared: _ByField
    held: Mapping[Container, _ByField]
    containers: Containers
    own: Mapping[str, _ByField]

    def of_image(self, image: ImageFacts) -> dict[str, tuple[MetadataValue, ...]]:
        """Return the values of one image by field; its own win over its well's, and so on to those for all images."""
        found = dict(self.shared)
        for container in self.containers.of_image(self.parents(image)):
            found.update(self.held[container])
        return found | dict(self.own_values(image))

    def parents(self, image: ImageFacts) -> Parents:
        """Return what an image's pairs and rows say of its containers."""
        if not self.held:
            return {}
        own = self.own_values(image)
        return parents_of(image, ((value.key, value.value) for key in own if key.startswith("?") for value in own[key]))

    def own_values(self, image: ImageFacts) -> _ByField:
        """Return the values of the image's own rows by field; rows match by OMERO's id, otherwise by name."""
        keys = ([f"id:{image.image_id}"] if image.image_id else []) + list(image.names())
        return next((self.own[key] for key in keys if key in self.own), {})

    def of_all(self) -> bool:
        """Return whether there are values that need images to hold for."""
        return bool(self.shared or self.held)


def by_object(values: Iterable[MetadataValue]) -> ObjectValues:
    """Group values by object. Values without a field get their key with the prefix `?` as field."""
    shared: dict[str, list[MetadataValue]] = {}
    held: dict[Container, dict[str, list[MetadataValue]]] = {}
    own: dict[str, dict[str, list[MetadataValue]]] = {}
    for value in values:
        field = value.field or f"?{value.key}"
        if is_shared(value.object_type, value.object_name):
            shared.setdefault(field, []).append(value)
        elif value.object_type in CONTAINER_KINDS:
            container = (value.object_type, value.object_id, value.object_name)
            held.setdefault(container, {}).setdefault(field, []).append(value)
        else:
            # Ids of OMERO are unique among objects of one type only: a region's rows are not those of image 12.
            of_image = value.object_type in {"image", ""}
            for key in {f"id:{value.object_id}" if value.object_id and of_image else "", value.object_name} - {""}:
                own.setdefault(key, {}).setdefault(field, []).append(value)
    return ObjectValues(
        _frozen(shared),
        {container: _frozen(found) for container, found in held.items()},
        collect_containers(held),
        {name: _frozen(found) for name, found in own.items()},
    )


def _frozen(by_field: Mapping[str, Sequence[MetadataValue]]) -> _ByField:
    return {field: tuple(found) for field, found in by_field.items()}


def is_shared(object_type: str, object_name: str) -> bool:
    """Return whether an object's values hold for all images: it is `*`, or of a type that no image names."""
    return object_name == ALL_IMAGES or object_type not in {"image", "roi", "", *CONTAINER_KINDS}


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

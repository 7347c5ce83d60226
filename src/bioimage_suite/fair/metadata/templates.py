"""Metadata templates as XLSX with drop-downs, as CSV, and as JSON Schema."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core.image_names import name_in_identifier
from bioimage_suite.core.texts import json_text
from bioimage_suite.fair.metadata.fields import MetadataField, find_field
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import known_values, refuse_no_images
from bioimage_suite.fair.terms.ontology_terms import VOCABULARY_NAMES, choices
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.formulas import spreadsheet_safe
from bioimage_suite.tables.key_value_dialects import ALL_IMAGES

# Fill colours of the header by level of the field.
_FILLS = {"required": "F8D2A4", "conditional": "FDF1D0", "recommended": "FDF1D0", "optional": "ECEFF2"}
_EXCEL_ROWS = 1_048_576
# XML 1.0 has no place for these characters, nor UTF-8 for halves of surrogate pairs.
_WITHOUT_PLACE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TIME = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


@dataclass(frozen=True)
class Template:
    """Contents of a template.

    Attributes:
        identity: Names of the columns that identify a row's image.
        fields: Fields of the other columns.
        rows: Cells of each row: those of `identity`, then the known value (or empty) of each of `fields`.
    """

    identity: tuple[str, ...]
    fields: tuple[MetadataField, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def header(self) -> tuple[str, ...]:
        """The names of all columns."""
        return (*self.identity, *(field.header for field in self.fields))


def known_of(image: ImageFacts) -> dict[str, str]:
    """Return the known values of an image by field: from its key-value pairs, else from its OME-XML."""
    values: dict[str, list[str]] = {}
    for key, value in image.key_values:
        field = find_field(key)
        if field and value not in values.setdefault(field.key, []):
            values[field.key].append(value)
    return known_values(image) | {key: "; ".join(found) for key, found in values.items()}


def make_template(images: Sequence[ImageFacts], fields: Sequence[MetadataField], omero: bool = False) -> Template:
    """Make the template.

    Args:
        images: Images, one row each, in this order.
        fields: Fields, one column each.
        omero: Whether to use the format that omero-scripts from 5.9 imports as key-value pairs: columns OBJECT_ID and
            OBJECT_NAME, and no row for all images, because OMERO would look for an image of that name.

    Raises:
        UserError: There are no images.
    """
    refuse_no_images(images, "Give at least one image or a table of images.")
    known = [known_of(image) for image in images]
    if omero:
        identities: list[Sequence[str]] = [(image.image_id, _omero_name(image)) for image in images]
        return Template(("OBJECT_ID", "OBJECT_NAME"), tuple(fields), make_rows(identities, known, fields))
    identity = ("image", "image_id") if any(image.image_id for image in images) else ("image",)
    identities = [(image.name, image.image_id)[: len(identity)] for image in images]
    everything = (ALL_IMAGES, "")[: len(identity)]
    shared, own = _shared(known)
    return Template(identity, tuple(fields), make_rows([everything, *identities], [shared, *own], fields))


def _omero_name(image: ImageFacts) -> str:
    """Return OMERO's own name of an image, not the name of the exported dataset in Galaxy."""
    if image.aliases:
        return image.aliases[0]
    name = name_in_identifier(image.name)
    return name.removesuffix(".ome.tiff") or image.name


def _shared(known: Sequence[dict[str, str]]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Split off the values of the study's fields, which are the same for all images, for the row `*`."""
    shared: dict[str, str] = {}
    for values in known:
        for key, value in values.items():
            if key.startswith("study."):
                shared.setdefault(key, value)
    return shared, [{key: value for key, value in values.items() if shared.get(key) != value} for values in known]


def make_rows(
    identities: Iterable[Sequence[str]], known: Iterable[dict[str, str]], fields: Sequence[MetadataField]
) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a template: the identity of each row's object, then the known value of each field."""
    return tuple(
        (*identity, *(values.get(field.key, "") for field in fields))
        for identity, values in zip(identities, known, strict=True)
    )


def write_csv(path: Path, template: Template) -> None:
    """Write a template as CSV (UTF-8, comma, quoted where needed); no cell is a formula to a spreadsheet."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(template.header)
        writer.writerows([spreadsheet_safe(cell) for cell in row] for row in template.rows)


def write_xlsx(path: Path, template: Template) -> None:
    """Write a template as XLSX: sheets `metadata`, `help` and `terms`; term columns have drop-downs.

    Every cell is text, so Excel does not turn a gene's name into a date.
    """
    import openpyxl
    from openpyxl.styles import NamedStyle

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "metadata"
    # "@" is Excel's number format Text. A named style is stored once for any number of cells.
    text = NamedStyle("metadata text", number_format="@")
    book.add_named_style(text)
    _write_header(sheet, template)
    for number, row in enumerate(template.rows, 2):
        for column, value in enumerate(row, 1):
            if value:
                cell = sheet.cell(number, column)
                cell.value = spreadsheet_safe(_WITHOUT_PLACE.sub("\N{REPLACEMENT CHARACTER}", value))
                cell.data_type = "s"
                cell.style = "metadata text"
    _write_help(book.create_sheet("help"), template)
    _write_terms(book.create_sheet("terms"), sheet, template)
    _save(book, path)


def _save(book: Any, path: Path) -> None:
    """Save a workbook so that the same content gives the same bytes: openpyxl puts the time of the clock into it."""
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _TIME.sub(rb"\g<1>1980-01-01T00:00:00Z", data)
            # A ZipInfo without a date has the first one that zip knows, 1980-01-01.
            target.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def _write_header(sheet: Any, template: Template) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill

    levels = ["optional"] * len(template.identity) + [field.level for field in template.fields]
    for column, (name, level) in enumerate(zip(template.header, levels, strict=True), 1):
        cell = sheet.cell(1, column, name)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", start_color=_FILLS[level])
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        dimension = sheet.column_dimensions[letters_of(column - 1)]
        dimension.width = 24
        dimension.number_format = "@"
        if column > len(template.identity):
            field = template.fields[column - len(template.identity) - 1]
            cell.comment = Comment(f"{level}: {field.question}", "metadata_template")
    sheet.freeze_panes = sheet.cell(2, len(template.identity) + 1)


def _write_help(sheet: Any, template: Template) -> None:
    from openpyxl.styles import Font

    sheet.append(["column", "level", "several values (;)", "form", "question"])
    for field in template.fields:
        form = VOCABULARY_NAMES.get(field.vocabulary, "") if field.kind == "term" else field.kind
        sheet.append([field.header, field.level, "yes" if field.many else "no", form, field.question])
    sheet.append([])
    sheet.append([f"In column 'image', the row '{ALL_IMAGES}' holds for every image; an image's own row wins."])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in (("A", 40), ("B", 14), ("C", 18), ("D", 32), ("E", 80)):
        sheet.column_dimensions[letter].width = width


def _write_terms(terms: Any, sheet: Any, template: Template) -> None:
    """Write one column per vocabulary for the drop-downs, which allow other text: a cell may hold several terms."""
    from openpyxl.worksheet.datavalidation import DataValidation

    vocabularies = list(dict.fromkeys(field.vocabulary for field in template.fields if field.kind == "term"))
    for column, vocabulary in enumerate(vocabularies):
        labels = choices(vocabulary)
        for row, label in enumerate((VOCABULARY_NAMES[vocabulary], *labels), 1):
            terms.cell(row, column + 1, label).data_type = "s"
        letter = letters_of(column)
        terms.column_dimensions[letter].width = 40
        choice = DataValidation("list", f"terms!${letter}$2:${letter}${len(labels) + 1}", showErrorMessage=False)
        for index, field in enumerate(template.fields, len(template.identity)):
            if field.kind == "term" and field.vocabulary == vocabulary:
                choice.add(f"{letters_of(index)}2:{letters_of(index)}{_EXCEL_ROWS}")
        sheet.add_data_validation(choice)


def json_schema(template: Template) -> dict[str, Any]:
    """Return a JSON Schema (draft 4, as omero-forms reads it) of a list of rows; `default` holds the known rows.

    `definitions.row` alone is a form for one object.
    """
    properties: dict[str, Any] = {name: {"type": "string"} for name in template.identity}
    properties |= {field.header: _property(field) for field in template.fields}
    row = {
        "type": "object",
        "properties": properties,
        "required": [template.identity[0]],
        "x-required-metadata": [field.header for field in template.fields if field.level == "required"],
    }
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "Metadata of images",
        "description": f"One object an image; what the image '{ALL_IMAGES}' says holds for all.",
        "definitions": {"row": row},
        "type": "array",
        "items": {"$ref": "#/definitions/row"},
        "default": [
            {name: value for name, value in zip(template.header, cells, strict=True) if value}
            for cells in template.rows
        ],
    }


def _property(field: MetadataField) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "title": field.label, "description": field.question}
    if field.min_length:
        schema["minLength"] = field.min_length
    if field.kind == "date":
        schema["format"] = "date"
        schema["pattern"] = r"^\d{4}-\d{2}-\d{2}$"
    if field.kind == "term" and not field.many and len(choices(field.vocabulary)) <= 12:
        schema["enum"] = choices(field.vocabulary)
    return schema


def write_json_schema(path: Path, template: Template) -> None:
    """Write `json_schema` as UTF-8 text."""
    path.write_text(json_text(json_schema(template)), encoding="utf-8")

"""The BioImage Archive's file list: a table in the crate, described by its metadata.

The rules are those of bia-ro-crate-validator 0.3.1. Paths that leave the crate are refused too, which it lets pass.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from bioimage_suite.core.untrusted_files import safe_relative_path
from bioimage_suite.fair.crates.bia_rules import entity_class
from bioimage_suite.fair.crates.terms import offline_context
from bioimage_suite.fair.terms.json_ld import Entity, by_id, ids
from bioimage_suite.tables.delimited import delimited_rows
from bioimage_suite.tables.sheets import Finding

_BIA = "http://bia/"
_PATH, _DATASET, _NAME = f"{_BIA}filePath", "http://schema.org/isPartOf", "http://schema.org/name"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_SOURCE, _IMAGE = f"{_BIA}associatedSourceImage", f"{_BIA}Image"
# Meanings of columns that name entities of the crate, and the class of these.
_CLASSES = {
    f"{_BIA}associatedBiologicalEntity": f"{_BIA}BioSample",
    f"{_BIA}associatedImagingPreparationProtocol": f"{_BIA}SpecimenImagingPreparationProtocol",
    f"{_BIA}associatedImageAcquisitionProtocol": f"{_BIA}ImageAcquisitionProtocol",
    f"{_BIA}associatedAnnotationMethod": f"{_BIA}AnnotationMethod",
    f"{_BIA}associatedProtocol": f"{_BIA}Protocol",
    f"{_BIA}associatedSubject": f"{_BIA}Specimen",
    _DATASET: f"{_BIA}Dataset",
}
# Columns whose cells may list several: "a, b" or "['a', 'b']".
_LISTS = {*_CLASSES, _SOURCE} - {f"{_BIA}associatedSubject", _DATASET}
Error = Callable[[int, str, str, str], Finding]


@dataclass(frozen=True)
class _Table:
    """A file list: the column of each meaning, and its rows as line and cells by column."""

    columns: Mapping[str, str]
    rows: tuple[tuple[int, Mapping[str, str]], ...]

    def cells(self, meaning: str) -> Iterator[tuple[int, str, list[str]]]:
        """Yield line, column and values of each cell of the column with a meaning, if there is one."""
        column = self.columns.get(meaning)
        if column is None:
            return
        for line, row in self.rows:
            text = row.get(column, "")
            parts = text.strip("[] ").split(",") if meaning in _LISTS else [text]
            yield line, column, [part for part in (part.strip().strip("\"'") for part in parts) if part]


def file_list_ids(document: dict[str, Any]) -> list[str]:
    """Return the ids of the entities that are file lists of the BioImage Archive."""
    terms, _ = offline_context(document.get("@context"))
    entities = by_id(document.get("@graph"))
    return [name for name, entity in entities.items() if entity_class(entity, terms) == f"{_BIA}FileList"]


def check_file_list(document: dict[str, Any], texts: Mapping[str, bytes], name: str) -> list[Finding]:
    """Check that a crate has one file list, with the columns, paths and references that the archive asks for.

    Args:
        document: JSON-LD of the crate.
        texts: Content of the crate's file lists by their paths.
        name: Display name of the crate.
    """
    lists = file_list_ids(document)
    if len(lists) != 1:
        return [Finding("error", name, 0, "bia:FileList", f"{len(lists)} file lists", "exactly one file list")]
    path = unquote(lists[0].removeprefix("./"))
    file = f"{name}/{path}"

    def error(line: int, column: str, found: str, expected: str) -> Finding:
        return Finding("error", file, line, column, found, expected)

    if path not in texts:
        return [error(0, "", "missing", "the file list")]
    entities = by_id(document.get("@graph"))
    schema = _described_columns(entities, lists[0])
    meanings = {meaning: column for column, meaning in schema.items() if meaning}
    absent = [meaning for meaning in (_PATH, _DATASET) if meaning not in meanings]
    if absent:
        return [error(0, "tableSchema", "missing", f"a column with the propertyUrl {meaning}") for meaning in absent]
    listed = list(delimited_rows(io.StringIO(texts[path].decode("utf-8-sig", errors="replace")), file))
    header = listed[0].cells if listed else ()
    findings = [
        error(1, column, "no csvw:Column describes it", "a described column")
        for column in header
        if column not in schema
    ]
    of_sources = (_SOURCE, _TYPE, _NAME) if _SOURCE in meanings else ()
    used = [meaning for meaning in (_PATH, *_CLASSES, *of_sources) if meanings.get(meaning, "") not in {"", *header}]
    findings += [error(1, meanings[meaning], "missing", "each described column") for meaning in used]
    if findings:
        return findings
    table = _Table(meanings, tuple((row.line, dict(zip(header, row.cells, strict=False))) for row in listed[1:]))
    terms, _ = offline_context(document.get("@context"))
    classes = {identifier: entity_class(entity, terms) for identifier, entity in entities.items()}
    return [*_check_paths(table, error), *_check_references(table, classes, error), *_check_sources(table, error)]


def _described_columns(entities: Mapping[str, Entity], file_list: str) -> dict[str, str]:
    """Return the meaning of each column by its name, as the file list's schema describes them."""
    schemas = ids(entities[file_list].get("tableSchema"))
    columns = ids(entities.get(schemas[0], {}).get("column")) if schemas else []
    described = [entities[column] for column in columns if column in entities]
    return {str(column.get("columnName")): str(column.get("propertyUrl") or "") for column in described}


def _check_paths(table: _Table, error: Error) -> list[Finding]:
    seen: set[str] = set()
    findings = []
    column = table.columns[_PATH]
    for line, row in table.rows:
        path = row.get(column, "")
        if safe_relative_path(path) is None:
            findings.append(error(line, column, path, "a path inside the package, without '..'"))
        if path in seen:
            findings.append(error(line, column, path, "each path once"))
        seen.add(path)
    return findings


def _check_references(table: _Table, classes: Mapping[str, str], error: Error) -> list[Finding]:
    return [
        error(line, column, value, f"the @id of a {expected.replace(_BIA, 'bia:')} of the crate")
        for meaning, expected in _CLASSES.items()
        for line, column, values in table.cells(meaning)
        for value in values
        if classes.get(value) != expected
    ]


def _check_sources(table: _Table, error: Error) -> list[Finding]:
    """Check that source images are rows of the list, by label or path, whose type is the image's address in full."""
    if _SOURCE not in table.columns:
        return []
    if _TYPE not in table.columns:
        return [error(0, table.columns[_SOURCE], "no column of types", f"a column with the propertyUrl {_TYPE}")]
    kinds: dict[str, str] = {}
    for meaning in (_PATH, _NAME):
        if meaning in table.columns:
            kinds |= {row.get(table.columns[meaning], ""): row.get(table.columns[_TYPE], "") for _, row in table.rows}
    return [
        error(line, column, value, f"the label or path of a row whose type is {_IMAGE}")
        for line, column, values in table.cells(_SOURCE)
        for value in values
        if kinds.get(value) != _IMAGE
    ]

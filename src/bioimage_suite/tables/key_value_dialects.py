"""Reader of key-value pairs in the spreadsheets that people keep beside OMERO.

Dialects, each recognised by its header:
    template: a REMBI or MIFA template of this suite; column `image`, headers `Module: Field`.
    tidy: one pair in each row, `object_type, object_id, namespace, key, value`, as fetched from OMERO.
    omero-scripts-new: omero-scripts 5.9 (Import_from_csv, Export_to_csv); `OBJECT_ID` or `OBJECT_NAME`, after an
        optional row of namespaces.
    omero-scripts-old: up to 5.8 (KeyVal_from_csv, KeyVal_to_csv); `image`, `filename`, `well` or `plate`; values are
        split at `;`.
    omero-metadata: `# header s,d,l,image` first, or columns as `Image Name` and `Plate`.
    dresden: TU Dresden's template; A1 is `dataset`, A2 the dataset's name, keys in row 1.
    json: a list of objects, one for each image.

Sources: omero-scripts PR 216, omero-metadata 0.14 `populate`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bioimage_suite.core.untrusted_files import MAX_JSON_BYTES, parse_json
from bioimage_suite.tables.column_letters import index_of, letters_of
from bioimage_suite.tables.delimited import TextRow
from bioimage_suite.tables.formulas import plain_text
from bioimage_suite.tables.layout import TIDY, Known, Table, find_tables, place_in_sheet
from bioimage_suite.tables.reader import read_sheets
from bioimage_suite.tables.sheets import Finding, Sheet

CLIENT_NAMESPACE = "openmicroscopy.org/omero/client/mapAnnotation"
"""The only namespace whose pairs a person can edit in OMERO.web (Constants.ice, NSCLIENTMAPANNOTATION)."""
TAG_NAMESPACE = "TAG"
"""Marks the pairs that come from a TAG column: they are tags, not key-values."""
ALL_IMAGES = "*"
"""Value of a template's `image` column for a row that applies to every image."""

# omero-scripts leaves these columns out by default: they name parents and do not describe the object.
_PARENT_COLUMNS = {"PROJECT", "DATASET", "SCREEN", "PLATE", "RUN", "WELL"}
_OLD_TARGETS = {
    "image": "image",
    "filename": "image",
    "file name": "image",
    "image name": "image",
    "well": "well",
    "plate": "plate",
}
_OLD_ORDER = ("image", "well", "plate")
_FETCHED_ONLY = {"attachment", "table", "boolean", "long", "double", "timestamp", "term", "xml"}
"""Kinds of annotations that a table fetched from OMERO lists, and that cannot be written from it."""
_METADATA_HEADER = re.compile(r"#\s*header\b\s*", re.IGNORECASE)
# omero-metadata's names of the columns that identify the object of a row: (type, content of the cell).
_METADATA_COLUMNS = {
    "image": ("image", "name"),
    "imagename": ("image", "name"),
    "imageid": ("image", "id"),
    "dataset": ("dataset", "name"),
    "datasetname": ("dataset", "name"),
    "datasetid": ("dataset", "id"),
    "plate": ("plate", "name"),
    "platename": ("plate", "name"),
    "plateid": ("plate", "id"),
    "well": ("well", "name"),
    "wellname": ("well", "name"),
    "wellid": ("well", "id"),
    "roi": ("roi", "id"),
    "roiname": ("roi", "name"),
    "roiid": ("roi", "id"),
}
# A column of a template, as `Biosample: Organism`.
_TEMPLATE_HEADER = re.compile(r"\w[\w /]*: \w")
_IMAGE_COLUMNS = {
    "image",
    "image name",
    "imagename",
    "image id",
    "imageid",
    "filename",
    "file name",
    "object_id",
    "object_name",
}
_METADATA_ORDER = ("roi", "image", "well", "plate", "dataset")


@dataclass(frozen=True)
class TargetObject:
    """The object that a row describes. `kind` is image, dataset, plate, ...; `id` or `name` may be empty.

    `dataset` is the name of an image's dataset, or `#<id>`, where the row gives it: image names are unique only within
    a dataset. `parents` are the containers that an image's row names, as (key, name); they do not tell images apart.
    """

    kind: str
    id: str
    name: str
    dataset: str = ""
    parents: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class KeyValue:
    """One key-value pair with its place in the file.

    `column` is the spreadsheet's letter; `link` the address that the cell's text leads to; `sheet` the name of the
    sheet where a file has several tables.
    """

    target: TargetObject
    namespace: str
    key: str
    value: str
    line: int
    column: str
    from_excel_date: bool = False
    link: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class KeyValueFile:
    """The content of a file.

    Attributes:
        file: What the user calls the file.
        dialect: One of the names in the module's docstring.
        form: Encoding and delimiter, `xlsx` or `json`, and where in the file the table was found.
        targets: (object, line) of every row, including rows without a value, in the order of the file.
        pairs: Every pair with a value, in the order of the file.
        findings: Problems, each with its place.
    """

    file: str
    dialect: str
    form: str
    targets: tuple[tuple[TargetObject, int], ...]
    pairs: tuple[KeyValue, ...]
    findings: tuple[Finding, ...]


def _nothing_known(_: str) -> bool:
    return False


def read_key_values(
    path: Path, name: str, split: str = "", *, sheet: str = "", known: Known = _nothing_known
) -> KeyValueFile:
    """Read a file of any dialect. The sheet and the header are found, see `layout.find_tables`.

    Args:
        path: The file: CSV, TSV, XLSX or JSON.
        name: What the user calls the file.
        split: Text at which a value is split into several pairs of one key; empty keeps values whole. The dialect
            omero-scripts-old always splits at `;`, as those scripts do.
        sheet: Name or number of the only sheet to read of a workbook; empty to find it.
        known: Whether a name is one that a column may have; by it titles above a header, turned tables and sheets
            of one module each are found.

    Returns:
        Pairs and findings.

    Raises:
        UserError: The file is not a table, or is harmful (see `read_sheets` and `parse_json`), or its sheets fit
            equally well.
    """
    with path.open("rb") as stream:
        start = stream.read(64)
    # JSON saved by Windows' editor may be UTF-16: its brackets have a zero byte beside them; parse_json reports it.
    if start.lstrip(b"\xef\xbb\xbf\xff\xfe\0\r\n\t ")[:1] in {b"[", b"{"}:
        with path.open("rb") as stream:
            data = stream.read(MAX_JSON_BYTES + 1)
        return read_json_rows(parse_json(data, name), name)
    sheets = read_sheets(path, name)
    tables, unread = find_tables(sheets, known, sheet if sheets[0].title else "")
    readings = _linked(tables, [_read_found(table, split, len(tables) > 1) for table in tables])
    first = readings[0]
    return replace(
        first,
        form=", ".join([first.form, *(table.text.rstrip(", ") for table in tables if table.text)]),
        targets=_targets(readings),
        pairs=tuple(pair for reading in readings for pair in reading.pairs),
        findings=(*(finding for reading in readings for finding in reading.findings), *unread),
    )


def _targets(readings: Iterable[KeyValueFile]) -> tuple[tuple[TargetObject, int], ...]:
    """Return the targets of the tables of one file; several tables may describe one object."""
    found: list[tuple[TargetObject, int]] = []
    for reading in readings:
        known = {target for target, _ in found}
        found += [(target, line) for target, line in reading.targets if target not in known]
    return tuple(found)


@dataclass(frozen=True)
class _ModuleRows:
    """The rows of a sheet about one module, by the titles by which other sheets refer to them."""

    file: str
    sheet: str
    module: str
    title_key: str
    rows: dict[str, list[KeyValue]]

    def refers(self, key: str) -> bool:
        """Return whether a column has titles of this sheet: it is named `Biosample` or `Biosample: Title`."""
        return key.casefold() in {self.sheet.casefold(), self.module.casefold(), self.title_key.casefold()}


def _linked(tables: list[Table], readings: list[KeyValueFile]) -> list[KeyValueFile]:
    """Put the rows of a module's sheet in the place of the titles by which rows of other sheets refer to them.

    That is for sheets of several rows with a column of titles; a single row is about all images.
    """
    found = [_module_rows(table, reading) for table, reading in zip(tables, readings, strict=True)]
    keys = [{pair.key for pair in reading.pairs} for reading in readings]
    modules = {
        place: module
        for place, module in enumerate(found)
        if module and any(module.refers(key) for other, names in enumerate(keys) if other != place for key in names)
    }
    if not modules:
        return readings
    used: dict[str, set[str]] = {module.sheet: set() for module in modules.values()}
    linked: list[KeyValueFile] = []
    for place, reading in enumerate(readings):
        if place in modules:
            linked.append(replace(reading, targets=(), pairs=()))
            continue
        findings = list(reading.findings)
        pairs = [one for pair in reading.pairs for one in _expanded(pair, list(modules.values()), used, findings)]
        linked.append(replace(reading, pairs=tuple(dict.fromkeys(pairs)), findings=tuple(dict.fromkeys(findings))))
    for place, module in modules.items():
        unused = [
            Finding(
                "warning",
                f"{module.file}, sheet {module.sheet}",
                rows[0].line,
                "",
                f"{module.sheet} {title}",
                "a row that refers to it",
            )
            for title, rows in module.rows.items()
            if title not in used[module.sheet]
        ]
        linked[place] = replace(linked[place], findings=(*linked[place].findings, *unused))
    return linked


def _module_rows(table: Table, reading: KeyValueFile) -> _ModuleRows | None:
    """Return the rows of a sheet without a column of objects, if there are several and each has a title of its own."""
    sheet = table.sheet.title.strip()
    names = {f"{table.module}: {name}".casefold() for name in ("title", "name")}
    by_row: dict[int | str, list[KeyValue]] = {}
    for pair in reading.pairs:
        # In a turned table a row stands in a column.
        by_row.setdefault(pair.column if table.lines else pair.line, []).append(pair)
    titles = [next((pair for pair in row if pair.key.casefold() in names), None) for row in by_row.values()]
    given = [title for title in titles if title]
    if not table.everything or len(by_row) < 2 or len({title.value for title in given}) < len(titles):
        return None
    rows = {title.value: row for title, row in zip(given, by_row.values(), strict=True)}
    return _ModuleRows(reading.file, sheet, table.module, given[0].key, rows)


def _expanded(
    pair: KeyValue, modules: list[_ModuleRows], used: dict[str, set[str]], findings: list[Finding]
) -> Iterator[KeyValue]:
    """Yield the pairs of the rows that a pair refers to, which may refer on; any other pair as it is."""
    module = next((module for module in modules if module.refers(pair.key)), None)
    if module is None:
        yield pair
        return
    others = [other for other in modules if other is not module]
    for title in filter(None, map(str.strip, pair.value.split(";"))):
        used[module.sheet].add(title)
        if title not in module.rows:
            # The pair may stand in another module's sheet than the row that refers to it.
            file, place = f"{module.file}, sheet {pair.sheet}", f"{pair.column} ({pair.key})"
            expected, known = f"a title in the sheet {module.sheet}", " or ".join(list(module.rows)[:5])
            findings.append(Finding("error", file, pair.line, place, title, expected, known))
        for one in module.rows.get(title, ()):
            yield from _expanded(replace(one, target=pair.target), others, used, findings)


def _read_found(table: Table, split: str, several: bool) -> KeyValueFile:
    """Read a table that was found in a sheet, with the places that its pairs and findings have in the sheet."""
    of_sheet = table.sheet.findings
    reading = read_dialect(replace(table.sheet, findings=()), split, everything=table.everything)
    title = table.sheet.title if several else ""
    file = f"{reading.file}, sheet {title}" if title else reading.file

    def finding(one: Finding) -> Finding:
        line, column = place_in_sheet(table, one.line, one.column)
        return replace(one, file=file, line=line, column=column)

    def pair(one: KeyValue) -> KeyValue:
        line, column = place_in_sheet(table, one.line, one.column)
        return replace(one, line=line, column=column, sheet=title)

    return replace(
        reading,
        targets=tuple((target, table.lines[0] if table.lines else line) for target, line in reading.targets),
        pairs=tuple(map(pair, reading.pairs)) if table.lines or title else reading.pairs,
        findings=(*(replace(one, file=file) for one in of_sheet), *map(finding, reading.findings)),
    )


def read_dialect(table: Sheet, split: str = "", *, everything: bool = False) -> KeyValueFile:
    """Recognise the dialect of a table and read it: see `read_key_values`.

    Args:
        table: The table, its header first.
        split: Text at which a value is split.
        everything: Whether no column names an object, and the first row is about all images.
    """
    dialect = "template" if everything else recognise(table.rows)
    reader = (
        _read_for_all
        if everything
        else {
            "tidy": _read_tidy,
            "dresden": _read_dresden,
            "omero-metadata": _read_omero_metadata,
            "omero-scripts-new": _read_new_scripts,
            "omero-scripts-old": _read_old_scripts,
            "template": _read_template,
        }[dialect]
    )
    findings = list(table.findings)
    targets: list[tuple[TargetObject, int]] = []
    pairs: list[KeyValue] = []
    for target, row_pairs, line in reader(table, findings):
        targets.append((target, line))
        pairs.extend(_split(row_pairs, ";" if dialect == "omero-scripts-old" else split))
    if not targets:
        findings.append(Finding("error", table.file, 0, "", "no row under the header", "one row an object"))
    if table.date_cells or table.links:
        pairs = [_with_cell(pair, table) for pair in pairs]
    return KeyValueFile(table.file, dialect, table.form, tuple(targets), tuple(pairs), tuple(findings))


def _with_cell(pair: KeyValue, table: Sheet) -> KeyValue:
    """Return a pair with what is known of its cell beside its text."""
    place = pair.line, index_of(pair.column)
    return replace(pair, from_excel_date=place in table.date_cells, link=table.links.get(place, ""))


def recognise(rows: tuple[TextRow, ...]) -> str:
    """Name the dialect of a table from its first rows."""
    if not rows:
        return "omero-scripts-old"
    first = rows[0].cells
    header = rows[1].cells if first[0].casefold() == "namespace" and len(rows) > 1 else first
    folded = {cell.casefold() for cell in header}
    if folded >= TIDY:
        return "tidy"
    # The first column of a table of images may name their datasets.
    of_datasets = first[0].casefold() in {"dataset", "dataset name"}
    if of_datasets and not folded & _IMAGE_COLUMNS:
        return "dresden"
    if _METADATA_HEADER.match(first[0]):
        return "omero-metadata"
    if folded & {"object_id", "object_name"}:
        return "omero-scripts-new"
    # A template whose column `image` was deleted also counts: its first column is then a field, not an image's name.
    if "image" in folded and any(_TEMPLATE_HEADER.match(cell) for cell in header):
        return "template"
    if _TEMPLATE_HEADER.match(header[0]) and not folded & set(_OLD_TARGETS):
        return "template"
    if (
        {"plate", "well"} <= folded
        or (of_datasets and "image" in folded)
        or (
            folded & {"image name", "image id", "imageid", "imagename", "dataset name", "plate name", "well name"}
            and "filename" not in folded
        )
    ):
        return "omero-metadata"
    return "omero-scripts-old"


_Rows = Iterator[tuple[TargetObject, list[KeyValue], int]]


def _split(pairs: Iterable[KeyValue], separator: str) -> Iterator[KeyValue]:
    for pair in pairs:
        if separator and separator in pair.value and pair.namespace != TAG_NAMESPACE:
            yield from (replace(pair, value=part.strip()) for part in pair.value.split(separator) if part.strip())
        else:
            yield pair


def _body(table: Sheet, header: TextRow, rows: Iterable[TextRow], findings: list[Finding]) -> Iterator[TextRow]:
    """Yield rows as long as the header; report a ragged row of a text table with its line and column."""
    width = len(header.cells)
    for row in rows:
        remedy = ""
        if any(row.cells[width:]):
            remedy = "quote values that hold the delimiter"
        elif len(row.cells) < width and table.form != "xlsx":
            remedy = "add the missing delimiters"
        if remedy:
            place = letters_of(min(width, len(row.cells)))
            expected = f"{width} cells, as the header has"
            findings.append(Finding("error", table.file, row.line, place, f"{len(row.cells)} cells", expected, remedy))
        yield TextRow(row.line, (row.cells + ("",) * width)[:width])


def _header(table: Sheet, index: int, findings: list[Finding]) -> TextRow:
    """Return the header without trailing empty cells; report an unnamed column with values as an error."""
    row = table.rows[index]
    cells = list(row.cells)
    while cells and not cells[-1]:
        cells.pop()
    body = table.rows[index + 1 :]
    findings.extend(
        Finding("error", table.file, row.line, letters_of(column), "a column without a name", "a name in the header")
        for column, cell in enumerate(cells)
        if not cell and any(one.cells[column : column + 1] > ("",) for one in body)
    )
    return TextRow(row.line, tuple(cells))


def _row_pairs(
    target: TargetObject, header: TextRow, row: TextRow, skip: set[int], namespaces: tuple[str, ...] = ()
) -> list[KeyValue]:
    return [
        KeyValue(
            target,
            namespaces[index] if namespaces else CLIENT_NAMESPACE,
            key,
            row.cells[index],
            row.line,
            letters_of(index),
        )
        for index, key in enumerate(header.cells)
        if index not in skip and key and row.cells[index]
    ]


def _find(header: TextRow, *names: str) -> int | None:
    folded = [cell.casefold() for cell in header.cells]
    return next((folded.index(name) for name in names if name in folded), None)


def _cell(row: TextRow, index: int | None) -> str:
    return "" if index is None else row.cells[index]


def _read_template(table: Sheet, findings: list[Finding]) -> _Rows:
    header = _header(table, 0, findings)
    name, identifier = _find(header, "image"), _find(header, "image_id")
    if name is None and identifier is None:
        found = f"no column 'image' (first column: {header.cells[0]})"
        findings.append(Finding("error", table.file, header.line, "A", found, "a column 'image': which image a row is"))
    for row in _body(table, header, table.rows[1:], findings):
        target = TargetObject("image", _cell(row, identifier), _cell(row, name))
        yield target, _row_pairs(target, header, row, {i for i in (name, identifier) if i is not None}), row.line


def _read_for_all(table: Sheet, findings: list[Finding]) -> _Rows:
    """Read the first row as one about all images; what stands beside it are remarks of people, or rows without name."""
    header = _header(table, 0, [])
    rows = table.rows[1:]
    filled = [sum(1 for key, cell in zip(header.cells, row.cells, strict=False) if key and cell) for row in rows]
    for row, values in zip(rows, filled, strict=True):
        cells = (row.cells + ("",) * len(header.cells))[: len(header.cells)]
        if row is rows[0]:
            target = TargetObject("image", "", ALL_IMAGES)
        elif 2 * values < filled[0]:
            findings.append(Finding("note", table.file, row.line, "", f"{values} remarks", "was not read: no values"))
            continue
        else:
            target = TargetObject("image", "", "")
        yield target, _row_pairs(target, header, TextRow(row.line, cells), set()), row.line


def _read_tidy(table: Sheet, findings: list[Finding]) -> _Rows:
    header = _header(table, 0, findings)
    kind, identifier, name = (_find(header, column) for column in ("object_type", "object_id", "object_name"))
    namespace, key, value = (_find(header, column) for column in ("namespace", "key", "value"))
    annotation_type = _find(header, "annotation_type")
    for row in _body(table, header, table.rows[1:], findings):
        target = TargetObject(_cell(row, kind).casefold(), _cell(row, identifier), _cell(row, name))
        what = _cell(row, annotation_type).casefold()
        if what in _FETCHED_ONLY:
            found, expected = f"{what} {_cell(row, value)!r}", "key-value pairs, tags, comments and ratings"
            findings.append(Finding("note", table.file, row.line, letters_of(value or 0), found, expected))
            yield target, [], row.line
            continue
        pair = KeyValue(
            target,
            TAG_NAMESPACE if what == "tag" else _cell(row, namespace) or CLIENT_NAMESPACE,
            _cell(row, key) or {"tag": "TAG", "comment": "COMMENT", "rating": "RATING"}.get(what, ""),
            _cell(row, value),
            row.line,
            letters_of(value or 0),
        )
        yield target, [pair] if pair.key and pair.value else [], row.line


def _read_dresden(table: Sheet, findings: list[Finding]) -> _Rows:
    header = _header(table, 0, findings)
    for row in _body(table, header, table.rows[1:], findings):
        target = TargetObject("dataset", "", row.cells[0])
        yield target, _row_pairs(target, header, row, {0}), row.line


def _parents(kind: str, cells: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the containers that a row about an image names, by keys as `Plate` and `dataset_id`."""
    named = {key: cell for key, cell in cells.items() if cell and not key.startswith(("image", "roi"))}
    keys = {key: key if key.endswith("_id") else key.capitalize() for key in named}
    return tuple((keys[key], cell) for key, cell in named.items()) if kind == "image" else ()


def _read_old_scripts(table: Sheet, findings: list[Finding]) -> _Rows:
    """Read rows of images, wells and plates: a row is about the smallest object that it names."""
    if not table.rows:
        return
    header = _header(table, 0, findings)
    folded = [cell.casefold() for cell in header.cells]
    places = {kind: folded.index(name) for name, kind in reversed(_OLD_TARGETS.items()) if name in folded} or {
        "image": 0
    }
    for row in _body(table, header, table.rows[1:], findings):
        kind = next((kind for kind in _OLD_ORDER if kind in places and row.cells[places[kind]]), next(iter(places)))
        name = row.cells[places[kind]]
        plate = _cell(row, places.get("plate")) if kind == "well" else ""
        parents = _parents(kind, {place: _cell(row, index) for place, index in places.items()})
        target = TargetObject(kind, "", f"{plate}/{name}" if plate and name else name, parents=parents)
        yield target, _row_pairs(target, header, row, set(places.values())), row.line


def _read_new_scripts(table: Sheet, findings: list[Finding]) -> _Rows:
    first = table.rows[0].cells
    named = first[0].casefold() == "namespace"
    header = _header(table, int(named), findings)
    width = len(header.cells)
    given = (first + ("",) * width)[:width] if named else ("",) * width
    tags = {index for index, key in enumerate(header.cells) if key.casefold() == "tag"}
    namespaces = tuple(
        TAG_NAMESPACE if index in tags else space or CLIENT_NAMESPACE for index, space in enumerate(given)
    )
    identifier, name = _find(header, "object_id"), _find(header, "object_name")
    kind_column = _find(header, "object_type")
    skip = {index for index, key in enumerate(header.cells) if key in _PARENT_COLUMNS}
    skip |= {index for index in (identifier, name, kind_column) if index is not None}
    columns = {key.casefold(): index for index, key in enumerate(header.cells) if key in _PARENT_COLUMNS}
    for row in _body(table, header, table.rows[1 + int(named) :], findings):
        kind = _cell(row, kind_column).casefold() or "image"
        parents = _parents(kind, {place: _cell(row, index) for place, index in columns.items()})
        target = TargetObject(kind, _cell(row, identifier), _cell(row, name), parents=parents)
        yield target, _row_pairs(target, header, row, skip, namespaces), row.line


def _read_omero_metadata(table: Sheet, findings: list[Finding]) -> _Rows:
    rows = table.rows
    match = _METADATA_HEADER.match(rows[0].cells[0])
    kinds: list[str] = []
    if match:
        kinds = [rows[0].cells[0][match.end() :].strip().casefold(), *(cell.casefold() for cell in rows[0].cells[1:])]
        rows = rows[1:]
    if not rows:
        return
    header = _header(table, 1 if match else 0, findings)
    places: dict[tuple[str, str], int] = {}
    for index, key in enumerate(header.cells):
        place = _METADATA_COLUMNS.get(re.sub(r"[ _]", "", key.casefold()))
        if place:
            declared = kinds[index] if index < len(kinds) else ""
            # A column that the header line declares as an object type holds ids (omero-metadata), whatever its name is.
            places[
                (place[0], "id" if declared == place[0] and place[0] in {"image", "dataset", "roi"} else place[1])
            ] = index
    kinds_here = [kind for kind in _METADATA_ORDER if any(place[0] == kind for place in places)] or ["image"]
    for row in _body(table, header, rows[1:], findings):
        # A row is about the smallest object that it names.
        kind = next(
            (kind for kind in kinds_here if any(_cell(row, places.get((kind, what))) for what in ("id", "name"))),
            kinds_here[0],
        )
        name = _cell(row, places.get((kind, "name")))
        plate = _cell(row, places.get(("plate", "name"))) if kind == "well" else ""
        dataset = number = ""
        if kind == "image":
            dataset, number = (_cell(row, places.get(("dataset", what))) for what in ("name", "id"))
        target = TargetObject(
            kind,
            _cell(row, places.get((kind, "id"))),
            f"{plate}/{name}" if plate else name,
            f"#{number}" if number else dataset,
            _parents(kind, {f"{of}_id" if what == "id" else of: _cell(row, at) for (of, what), at in places.items()}),
        )
        yield target, _row_pairs(target, header, row, set(places.values())), row.line


def read_json_rows(document: Any, name: str) -> KeyValueFile:
    """Read a list of objects, one for each image: `[{"image": "a.tif", "Biosample: Organism": "Homo sapiens"}, ...]`.

    A list becomes several pairs of one key; deeper nesting is reported as an error.
    """
    rows = document.get("images") if isinstance(document, dict) else document
    findings: list[Finding] = []
    targets: list[tuple[TargetObject, int]] = []
    pairs: list[KeyValue] = []
    if not isinstance(rows, list):
        findings.append(Finding("error", name, 0, "", type(document).__name__, "a JSON list of objects, one an image"))
        rows = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            findings.append(Finding("error", name, number, "", str(row)[:80], "an object with the key 'image'"))
            continue
        target = TargetObject("image", _scalar(row.get("image_id")) or "", _scalar(row.get("image")) or "")
        targets.append((target, number))
        for key, value in row.items():
            if key in {"image", "image_id"}:
                continue
            texts = [_scalar(part) for part in (value if isinstance(value, list) else [value])]
            if None in texts:
                findings.append(
                    Finding("error", name, number, key, str(value)[:80], "text, a number, or a list of them")
                )
            pairs.extend(
                KeyValue(target, CLIENT_NAMESPACE, key, plain_text(text), number, key) for text in texts if text
            )
    return KeyValueFile(name, "json", "json", tuple(targets), tuple(pairs), tuple(findings))


def _scalar(value: Any) -> str | None:
    """Return the text of a JSON scalar, empty for null; None when it is not a scalar."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, (str, int, float)) else None

"""Finder of the table in a spreadsheet: which sheet, which row is its header, and whether columns stand as rows."""

import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.column_letters import index_of, letters_of
from bioimage_suite.tables.delimited import TextRow
from bioimage_suite.tables.mihcsme import MIHCSME_SHEETS, mihcsme_sheets
from bioimage_suite.tables.sheets import Finding, Sheet

Known = Callable[[str], bool]
"""Whether a name is one that a column may have, such as the name of a field."""
OBJECT_COLUMNS = {
    *("image", "image name", "imagename", "image id", "image_id", "imageid", "filename", "file name"),
    *("object_id", "object_name", "object_type", "dataset", "dataset name", "plate", "plate name", "well", "well name"),
}
"""Names of the columns that say which object a row is about."""
TIDY = {"object_type", "object_id", "namespace", "key", "value"}
"""Columns of a list of pairs, one a row."""
# Headers of a form, which has a name and a value in each row: of the names, of the values, and of their units.
_FORM_NAMES = {"name", "key", "field", "attribute", "property", "parameter", "label", "item", "metadata field"}
_FORM_VALUES = {"value", "values", "your value", "entry", "answer", "content"}
_FORM_UNITS = {"unit", "units"}
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)?|[.,]\d+)")
# How far down and to the right a header is looked for: titles and notes above a table are short.
_ROWS, _COLUMNS = 40, 3
# A turned table has a row for each field.
_TURNED_ROWS = 1000
# Sheets of this suite's own templates that explain the sheet `metadata`.
_EXPLANATIONS = {"help", "terms"}


@dataclass(frozen=True)
class Table:
    """A table within a sheet, its header first.

    Attributes:
        sheet: The sheet; its rows are those of the table, its places those within the table.
        text: For people: sheet, row of the header, and whether it is turned.
        score: How many of the header's names are known.
        lines: For a turned table, the sheet's row of each of its columns; else empty.
        module: For a sheet that is named after a module, the module's name; else empty.
        everything: Whether the first row below the header is about all images, since no column names an object.
    """

    sheet: Sheet
    text: str
    score: int
    lines: tuple[int, ...] = ()
    everything: bool = False
    module: str = ""


def _score(names: Iterable[str], known: Known) -> tuple[int, float]:
    """Return how well names fit a header: columns that name objects count twice; and which part of them fits."""
    distinct = {name.casefold(): name for name in names if name}
    objects = sum(name in OBJECT_COLUMNS for name in distinct)
    fields = sum(known(name) for folded, name in distinct.items() if folded not in OBJECT_COLUMNS)
    return 2 * objects + fields, (objects + fields) / max(len(distinct), 1)


def _is_header(names: Iterable[str], known: Known) -> bool:
    """Return whether names are a header for sure: a row of a turned table has names of objects, but no field beside."""
    objects = {name for name in names if name.casefold() in OBJECT_COLUMNS}
    return bool(objects) and any(known(name) for name in names if name and name not in objects)


def _combined(above: Sequence[str], cells: Sequence[str], known: Known) -> tuple[str, ...]:
    """Return a header's names, with the module above each where only both together are a known name.

    A module stands over its first column only, and may have an explanation in brackets.
    """
    module = ""
    names = []
    for index, cell in enumerate(cells):
        module = (above[index] if index < len(above) else "") or module
        full = f"{module.partition('(')[0].strip()}: {cell}"
        alone = known(cell) or not any(letter.isalpha() for letter in cell)
        names.append(full if module and not alone and known(full) else cell)
    return tuple(names)


def _turned(sheet: Sheet) -> tuple[Sheet, tuple[int, ...]]:
    """Return a sheet with rows and columns exchanged, and the row of the sheet that each column was."""
    lines = tuple(row.line for row in sheet.rows)
    place = {line: index for index, line in enumerate(lines)}
    width = max((len(row.cells) for row in sheet.rows), default=0)
    rows = [
        TextRow(index + 1, tuple(row.cells[index] if index < len(row.cells) else "" for row in sheet.rows))
        for index in range(width)
    ]
    return (
        replace(
            sheet,
            rows=tuple(row for row in rows if any(row.cells)),
            date_cells=frozenset((index + 1, place[line]) for line, index in sheet.date_cells),
            links={(index + 1, place[line]): target for (line, index), target in sheet.links.items()},
        ),
        lines,
    )


def _best(sheet: Sheet, known: Known, rows: int) -> tuple[int, float, int, tuple[str, ...]]:
    """Return score, fitting part, place and names of the row that is most likely a header."""
    best: tuple[int, float, int, tuple[str, ...]] = (0, 0.0, 0, sheet.rows[0].cells if sheet.rows else ())
    widest = 0
    for place, row in enumerate(sheet.rows[:rows]):
        distinct = len({cell for cell in row.cells if cell})
        above = sheet.rows[place - 1].cells if place else ()
        names = _combined(above, row.cells, known)
        score, part = _score(names, known)
        # What stands above a header is a title, much narrower than the header, or a block of names and values.
        if score > best[0] and (not place or 2 * widest <= distinct or names != row.cells or _is_header(names, known)):
            best = (score, part, place, names)
        widest = max(widest, distinct)
    return best


def find_in_sheet(sheet: Sheet, known: Known) -> Table:
    """Return the table of a sheet: its header is the row, or in a turned table the column, that fits best."""
    if sheet.rows and (sheet.rows[0].cells[0].casefold() == "namespace" or sheet.rows[0].cells[0].startswith("# ")):
        return Table(sheet, _place(sheet), _ROWS)
    form = _form(sheet, known) if _may_be_turned(sheet) else None
    if form:
        return form
    score, part, place, names = _best(sheet, known, _ROWS)
    turned, lines = _turned(replace(sheet, rows=sheet.rows[:_TURNED_ROWS])) if _may_be_turned(sheet) else (sheet, ())
    other = _best(turned, known, _COLUMNS) if lines else (0, 0.0, 0, ())
    if not _is_header(names, known) and other[0] > max(score, 1) and (other[1] > part or other[0] >= 3 * score):
        table = replace(turned, rows=_from(turned, other[2], other[3]))
        text = f"{_place(sheet)}header in column {letters_of(turned.rows[other[2]].line - 1)}, columns stand as rows"
        return Table(table, text, other[0], lines, _nameless(other[3]))
    if not place:
        return Table(replace(sheet, rows=_from(sheet, 0, names)), _place(sheet), score)
    text = f"{_place(sheet)}header in row {sheet.rows[place].line}"
    return Table(replace(sheet, rows=_from(sheet, place, names)), text, score)


def _above(sheet: Sheet, table: Table, known: Known) -> list[Table]:
    """Return the block of names and values above the header of a table, which is about all images, if there is one.

    A title is no such block: it has no value beside it. A row of modules directly above the header has more cells.
    """
    first = table.sheet.rows[0].line if table.sheet.rows and not table.lines else 0
    pairs = [(row, _pair(row)) for row in sheet.rows if row.line < first]
    block = [(row, pair) for row, pair in pairs if pair and not (row.line == first - 1 and len(set(row.cells)) > 3)]
    named = [pair for _, pair in block if known(pair[1])]
    if not named or len({pair[0] for pair in named}) > 1:
        return []
    rows = tuple(row for row, pair in block if pair[0] == named[0][0])
    turned, lines = _turned(replace(sheet, rows=rows, findings=()))
    turned = replace(turned, rows=turned.rows[:2])
    text = f"{_place(sheet)}names and values in rows {rows[0].line} to {rows[-1].line}"
    return [Table(turned, text, len(named), lines, everything=True)]


def _pair(row: TextRow) -> tuple[int, str] | None:
    """Return the place and the name of a row that has a name and, directly beside it, a value (maybe a merged one)."""
    filled = [index for index, cell in enumerate(row.cells) if cell]
    if len(filled) < 2 or filled[1] != filled[0] + 1 or len({row.cells[index] for index in filled[1:]}) > 1:
        return None
    return filled[0], row.cells[filled[0]]


def _form(sheet: Sheet, known: Known) -> Table | None:
    """Return a sheet that is a form, without its header, remarks and duties, each value with its unit; else None.

    Left as they are would be read: `Name` as the field of that name, and each further column as an object.
    """
    for place, row in enumerate(sheet.rows[:_ROWS]):
        folded = [cell.casefold().strip(" *:") for cell in row.cells]
        name = next((index for index, cell in enumerate(folded) if cell in _FORM_NAMES), -1)
        value = next((index for index, cell in enumerate(folded) if cell in _FORM_VALUES and index > name), -1)
        filled = [one for one in sheet.rows[place + 1 :] if len(one.cells) > name and one.cells[name]]
        if -1 in (name, value) or not filled or OBJECT_COLUMNS & set(folded):
            continue
        labels = _labels([one.cells for one in filled], name)
        score = sum(known(label) or known(one.cells[name]) for label, one in zip(labels, filled, strict=True))
        if 2 * score < len(filled):
            continue
        unit = next((index for index, cell in enumerate(folded) if cell in _FORM_UNITS), -1)
        rows = tuple(replace(one, cells=_filled_in(one.cells, name, value, unit)) for one in filled)
        turned, lines = _turned(replace(sheet, rows=rows))
        names = _combined(turned.rows[name - 1].cells if name else (), turned.rows[name].cells, known)
        columns = f"names in column {letters_of(name)} and values in column {letters_of(value)}"
        text = f"{_place(sheet)}form with {columns} below row {row.line}; others are not read"
        values = tuple(one for one in turned.rows if one.line == value + 1)
        table = replace(turned, rows=(TextRow(name + 1, names), *values))
        return Table(table, text, score, lines, _nameless(names))
    return None


def _labels(rows: Iterable[Sequence[str]], name: int) -> list[str]:
    """Return the names of a form's rows, with the module to the left of each where it has one."""
    labels, module = [], ""
    for cells in rows:
        module = (cells[name - 1] if name else "") or module
        labels.append(f"{module}: {cells[name]}" if module else cells[name])
    return labels


def _filled_in(cells: tuple[str, ...], name: int, value: int, unit: int) -> tuple[str, ...]:
    """Return the cells of a form's row up to its value, which gets the unit beside it."""
    given = cells[value] if len(cells) > value else ""
    beside = cells[unit] if 0 <= unit < len(cells) else ""
    whole = f"{given} {beside}" if beside and _PLAIN_NUMBER.fullmatch(given) else given
    between = ("",) * max(value - name - 1, 0)
    return (*cells[: name + 1], *between, whole)


def _may_be_turned(sheet: Sheet) -> bool:
    """Return whether a sheet is small enough, and no list of pairs, whose column of keys looks like a header."""
    pairs = any({cell.casefold() for cell in row.cells} >= TIDY for row in sheet.rows[:_ROWS])
    return 1 < len(sheet.rows) <= _TURNED_ROWS and not pairs


def _place(sheet: Sheet) -> str:
    return f"sheet {sheet.title}, " if sheet.title else ""


def _from(sheet: Sheet, place: int, names: tuple[str, ...]) -> tuple[TextRow, ...]:
    return (TextRow(sheet.rows[place].line, names), *sheet.rows[place + 1 :]) if sheet.rows else ()


def _nameless(names: Iterable[str]) -> bool:
    return not {name.casefold() for name in names} & OBJECT_COLUMNS


def find_tables(sheets: Sequence[Sheet], known: Known, wanted: str = "") -> tuple[list[Table], list[Finding]]:
    """Return the tables of a file: one, or one for each sheet that is named after a module, or those of MIHCSME.

    Args:
        sheets: The sheets of the file.
        known: Whether a name is one that a column may have.
        wanted: Name or number of the only sheet to read; empty to find it.

    Returns:
        The tables, and remarks on sheets that were not read.

    Raises:
        UserError: There is no such sheet, or two sheets fit equally well.
    """
    if wanted:
        table = find_in_sheet(_named(sheets, wanted), known)
        return [*_above(_named(sheets, wanted), table, known), table], []
    visible = [sheet for sheet in sheets if not sheet.hidden] or list(sheets)
    screen = [Table(sheet, _place(sheet), _ROWS) for sheet in mihcsme_sheets(visible)]
    if screen:
        return screen, _unread([sheet for sheet in visible if sheet.title not in MIHCSME_SHEETS], screen)
    found = [find_in_sheet(sheet, known) for sheet in visible]
    blocks = {id(table): _above(sheet, table, known) for sheet, table in zip(visible, found, strict=True)}
    titles = {module_of(table.sheet, known).casefold() for table in found}
    modules = [_module(table, known, titles) for table in found]
    parts = [table for table in modules if table]
    best = max(found, key=_rank)
    named = any(part.sheet.rows != table.sheet.rows for part, table in zip(modules, found, strict=True) if part)
    if named and sum(table.score for table in parts) > best.score:
        return parts, _unread(visible, parts)
    if not best.score:
        return [_first(found)], []
    equal = [table.sheet.title for table in found if _rank(table) == _rank(best)]
    if len(equal) > 1:
        names = " and ".join(equal[:5])
        raise UserError(
            f"file {best.sheet.file}: the sheets {names} fit equally well. Say which to read by its name or number."
        )
    return [*blocks[id(best)], best], _unread([table.sheet for table in found if table.score], [best])


def _rank(table: Table) -> tuple[int, bool]:
    """Rank tables by score, which counts half without rows; this suite's own sheet `metadata` wins over its equals."""
    score = 2 * table.score if len(table.sheet.rows) > 1 else table.score
    return score, table.sheet.title.casefold() == "metadata"


def _first(found: Sequence[Table]) -> Table:
    return next((table for table in found if table.sheet.title.casefold() == "metadata"), found[0])


def _named(sheets: Sequence[Sheet], wanted: str) -> Sheet:
    wanted = wanted.strip()
    by_name = [sheet for sheet in sheets if sheet.title.casefold() == wanted.casefold()]
    if by_name:
        return by_name[0]
    if wanted.isascii() and wanted.isdecimal() and 0 < int(wanted) <= len(sheets):
        return sheets[int(wanted) - 1]
    titles = ", ".join(sheet.title for sheet in sheets if sheet.title) or "none: it is a text table"
    raise UserError(f"file {sheets[0].file}: has no sheet {wanted}. Its sheets are {titles}.")


def module_of(sheet: Sheet, known: Known) -> str:
    """Return the module that a sheet is named after: `Biosample` of `Biosamples`, if its columns are of that module."""
    title = sheet.title.strip()
    one = title.removesuffix("s")
    cells = sheet.rows[0].cells if sheet.rows else ()
    named = [any(known(f"{name}: {cell}") for cell in cells if cell) for name in (title, one)]
    return one if named == [False, True] else title


def _module(table: Table, known: Known, titles: Container[str]) -> Table | None:
    """Return the table of a sheet that is named after a module, its columns by their full names; else None.

    A column may have the name of another sheet (`titles`): it says which row of that sheet is meant.
    """
    title = module_of(table.sheet, known)
    if not table.sheet.rows or not title:
        return None
    header = table.sheet.rows[0]
    full = [f"{title}: {cell}" for cell in header.cells]
    names = tuple(name if cell and known(name) else cell for name, cell in zip(full, header.cells, strict=True))
    score, part = _score(names, lambda name: known(name) or name.casefold() in titles)
    if names == header.cells and not {name.casefold() for name in names} & {"image", "image_id"}:
        return None
    if part < 0.5:
        return None
    rows = (TextRow(header.line, names), *table.sheet.rows[1:])
    return replace(table, sheet=replace(table.sheet, rows=rows), score=score, everything=_nameless(names), module=title)


def _unread(sheets: Iterable[Sheet], read: Iterable[Table]) -> list[Finding]:
    titles = {table.sheet.title for table in read}
    skip = _EXPLANATIONS if "metadata" in titles else set()
    return [
        Finding("note", sheet.file, 0, "", f"sheet {sheet.title}", "was not read; another sheet fits better")
        for sheet in sheets
        if sheet.title not in titles and sheet.title.casefold() not in skip
    ]


def place_in_sheet(table: Table, line: int, column: str) -> tuple[int, str]:
    """Return the place in the sheet, as row and column letters, of a place in a table."""
    if not table.lines:
        return line, column
    index = index_of(column) if column.isalpha() and column.isupper() else -1
    row = table.lines[index] if 0 <= index < len(table.lines) else 0
    return row, letters_of(line - 1) if line else column

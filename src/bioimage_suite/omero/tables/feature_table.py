"""Measurement tables of many images, read as one table: columns, their types, and rows one at a time.

Columns are separated by tabs, commas or semicolons. As in omero-metadata, a first line `# header s,d,l,b,image,...` may
give the type of each column.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier, parse_image_identifier
from bioimage_suite.omero.named_files import NamedFile
from bioimage_suite.tables.delimited import TextRow, delimited_rows, rows_as_written

NOT_FEATURES = ("image", "image_id")  # Columns that name the image of a row.
EXACT_IN_DOUBLE = 2**53
LARGEST_LONG = 2**63 - 1
OBJECTS = ("image", "roi", "well", "plate", "dataset")
"""Kinds of columns that hold ids of OMERO objects. Such a column is called `<kind>_id`."""
NAMED = ("well", "plate", "dataset")
"""Columns with these names hold names of such objects, which can be looked up."""
_DECLARED = {"s": "string", "d": "double", "l": "long", "b": "bool"}
_DECLARATION = re.compile(r"#\s*header\b\s*", re.IGNORECASE)

_WHOLE = re.compile(r"[+-]?(0|[1-9]\d*)")  # 007 is text, not a number.
_REAL = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Feature:
    """A column: `kind` is "long", "double", "bool", "string" or one of `OBJECTS`.

    `size` counts the bytes of the longest text in UTF-8; `description` is stored with the column in OMERO.
    """

    name: str
    kind: str
    size: int
    description: str = ""


@dataclass(frozen=True)
class Survey:
    """The result of a first pass over the tables: all columns in order of appearance, and the images of the rows.

    `places` holds each distinct combination of values in the columns (plate, well, dataset). `counts` holds the number
    of rows by identifier of the file and image, in the order of the files.
    """

    features: tuple[Feature, ...]
    images: tuple[str, ...]
    places: tuple[tuple[str, str, str], ...] = ()
    counts: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True)
class _Layout:
    """The layout of a file: delimiter, columns, their declared types (may be empty) and number of header lines."""

    delimiter: str
    columns: tuple[str, ...]
    declared: tuple[str, ...]
    lines: int

    def place(self, name: str) -> int | None:
        return self.columns.index(name) if name in self.columns else None


@dataclass
class _Values:
    """The kinds of values seen in a column so far."""

    blank: bool = False
    whole: bool = False
    large: bool = False
    real: bool = False
    truth: bool = False
    text: bool = False
    size: int = 1
    declared: set[str] = field(default_factory=set)

    def see(self, value: str) -> None:
        if not value:
            self.blank = True
        elif _WHOLE.fullmatch(value) and abs(int(value)) <= LARGEST_LONG:
            self.whole = True
            self.large = self.large or abs(int(value)) > EXACT_IN_DOUBLE
        elif _WHOLE.fullmatch(value):
            self.text = True
        elif _REAL.fullmatch(value):
            self.real = True
        elif value in ("True", "False", "true", "false"):
            self.truth = True
        else:
            self.text = True
        self.size = max(self.size, len(value.encode()))

    def kind(self) -> str:
        """Return the declared type, or the narrowest one that keeps every value; blanks become NaN or empty text."""
        if self.declared:
            return next(iter(self.declared))
        number = self.whole or self.real
        if self.text or (self.truth and (number or self.blank)):
            return "string"
        if self.truth:
            return "bool"
        if self.large and (self.real or self.blank):
            return "string"
        return "long" if self.whole and not self.real and not self.blank else "double"


def survey_tables(files: Sequence[NamedFile], rows_have_images: bool = True) -> Survey:
    """Read all tables once to find their columns, types and images; memory holds one row at a time.

    A table without rows belongs to the image that it is named after, unless it has a column `image` or `image_id` and
    a name without an id: then it is a merged table that belongs to no image.

    Args:
        files: The tables.
        rows_have_images: Whether a table without a column `image` or `image_id` belongs to the image that it is named
            after, rather than to no image.

    Raises:
        UserError: A table has no header, a ragged row, or a value that is not of its declared type.
    """
    seen: dict[str, _Values] = {}
    images: dict[str, None] = {}
    places: dict[tuple[str, str, str], None] = {}
    filled: list[_Layout] = []
    counts: dict[tuple[str, str], int] = {}
    for file in files:
        layout = _layout(file)
        columns = [seen.setdefault(name, _Values()) for name in layout.columns]
        _declare(file, layout, columns)
        of_places = [layout.place(name) for name in ("plate", "well", "dataset")]
        count = 0
        for line, image, row in _rows(file, layout):
            count += 1
            images[image] = None
            counts[file.identifier, image] = counts.get((file.identifier, image), 0) + 1
            for name, values, text in zip(layout.columns, columns, row, strict=True):
                values.see(text.strip())
                _check(file, line, name, values, text.strip())
            places[tuple("" if place is None else row[place].strip() for place in of_places)] = None  # type: ignore[index]
        if count:
            filled.append(layout)
        elif parse_image_identifier(file.identifier) is not None or not set(layout.columns) & set(NOT_FEATURES):
            images[file.identifier] = None
        if not count:
            counts[file.identifier, file.identifier] = 0
        if not rows_have_images and not set(layout.columns) & set(NOT_FEATURES):
            images.pop(file.identifier, None)
    for name, values in seen.items():
        # A column that one table lacks is blank in that table's rows.
        values.blank = values.blank or any(name not in layout.columns for layout in filled)
    features = [_feature(name, values) for name, values in seen.items() if name not in NOT_FEATURES]
    return Survey(tuple(features), tuple(images), tuple(places), tuple((*key, count) for key, count in counts.items()))


def read_measurements(files: Sequence[NamedFile], features: Sequence[Feature]) -> Iterator[tuple[str, list[str]]]:
    """Yield (image, one text per feature) of each row of all tables; empty text where a table lacks the feature."""
    for file in files:
        layout = _layout(file)
        places = [layout.place(feature.name) for feature in features]
        for _, image, row in _rows(file, layout):
            yield image, ["" if place is None else row[place].strip() for place in places]


def convert(kind: str, text: str) -> int | float | bool | str:
    """Convert a cell to its column's type; an empty "double" becomes NaN, an empty id -1 (no object)."""
    if kind == "long":
        return int(text)
    if kind in OBJECTS:
        return int(text or -1)
    if kind == "double":
        return float(text or "nan")
    return text.lower() in ("true", "1") if kind == "bool" else text


def _feature(name: str, values: _Values) -> Feature:
    kind = name.removesuffix("_id")
    if name.endswith("_id") and kind in OBJECTS and not (values.real or values.truth or values.text):
        return Feature(name, kind, 0)
    # A column without any value has no known type; a label is a whole number by definition.
    unknown = name == "label" and not (values.whole or values.real or values.truth or values.text or values.blank)
    return Feature(name, "long" if unknown and not values.declared else values.kind(), values.size)


def _declare(file: NamedFile, layout: _Layout, columns: Sequence[_Values]) -> None:
    for name, values, kind in zip(layout.columns, columns, layout.declared, strict=False):
        values.declared.add(kind)
        if len(values.declared) > 1:
            raise UserError(
                f"table {file.identifier}: column {name!r} is declared as {kind}, but as another type elsewhere. "
                "Give it one type."
            )


def _check(file: NamedFile, line: int, name: str, values: _Values, text: str) -> None:
    """Raise a UserError for a value that is not of its column's declared type."""
    if not values.declared:
        return
    kind = next(iter(values.declared))
    fits = {
        "string": True,
        "double": not text or bool(_REAL.fullmatch(text)),
        "bool": text.lower() in ("true", "false", "1", "0"),
    }.get(kind, bool(_WHOLE.fullmatch(text)) or (not text and kind in OBJECTS))
    if not fits:
        raise UserError(
            f"table {file.identifier}, line {line}: {name} is {text!r}, which is no {kind}; the first line declares "
            "this type. Correct the cell or the declaration."
        )


def _layout(file: NamedFile) -> _Layout:
    try:
        with file.path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [stream.readline(), stream.readline()]
    except UnicodeDecodeError as error:
        raise UserError(f"table {file.identifier}: byte {error.start} is not UTF-8. Save the file in UTF-8.") from None
    declaration = _DECLARATION.match(lines[0])
    head = lines[1] if declaration else lines[0]
    delimiter = "\t" if "\t" in head else max(",;\t", key=head.count)
    header = next(_split([head], file, delimiter), None)
    columns = tuple(name.strip() for name in header.cells) if header else ()
    if not any(columns):
        raise UserError(f"table {file.identifier}: empty. It needs a header line that names its columns.")
    if all(_REAL.fullmatch(name) for name in columns):
        raise UserError(
            f"table {file.identifier}: no header, the first line holds values ({', '.join(columns[:5])}). "
            "Put a line with the names of the columns on top."
        )
    if len(set(columns)) < len(columns) or "" in columns:
        raise UserError(f"table {file.identifier}: columns need names that differ; found: {', '.join(columns)}.")
    if not declaration:
        return _Layout(delimiter, columns, (), 1)
    declared = _declared(file, lines[0][declaration.end() :], delimiter, len(columns))
    # In omero-metadata, columns of images, datasets and ROIs hold ids; columns of plates and wells hold names.
    names = [
        kind if kind in ("plate", "well") else f"{kind}_id" if kind in OBJECTS else name
        for name, kind in zip(columns, declared, strict=True)
    ]
    kinds = ["string" if kind in ("plate", "well") else kind for kind in declared]
    return _Layout(delimiter, tuple(names), tuple(kinds), 2)


def _declared(file: NamedFile, text: str, delimiter: str, count: int) -> tuple[str, ...]:
    kinds = [part.strip().lower() for part in text.strip().split(delimiter if delimiter in text else ",")]
    found = tuple(_DECLARED.get(kind, kind) for kind in kinds)
    unknown = [kind for kind in found if kind not in (*_DECLARED.values(), *OBJECTS)]
    if unknown or len(found) != count:
        raise UserError(
            f"table {file.identifier}, line 1: it must declare a type of s, d, l, b, {', '.join(OBJECTS)} for each of "
            f"the {count} columns; found: {', '.join(kinds)}."
        )
    return found


def _split(lines: Iterable[str], file: NamedFile, delimiter: str) -> Iterator[TextRow]:
    if delimiter == "\t":
        return rows_as_written(lines)
    return delimited_rows(lines, f"table {file.identifier}", delimiter)


def _rows(file: NamedFile, layout: _Layout) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield (line, name of the image, cells) of each row."""
    key = "image_id" if "image_id" in layout.columns else "image"
    place = layout.place(key)
    with file.path.open(encoding="utf-8-sig", newline="") as lines:
        for row in islice(_split(lines, file, layout.delimiter), layout.lines, None):
            if len(row.cells) != len(layout.columns):
                raise UserError(
                    f"table {file.identifier}, line {row.line}: {len(row.cells)} columns, but the header has "
                    f"{len(layout.columns)}. Mend the row."
                )
            if place is None:
                yield row.line, file.identifier, row.cells
            elif key == "image":
                yield row.line, row.cells[place].strip(), row.cells
            else:
                yield row.line, image_identifier(row.cells[place].strip()), row.cells

"""Measurement tables of many images read as one: their columns, the type of each, and their rows one by one."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from named_files import NamedFile
from tool_errors import UserError

NOT_FEATURES = ("image", "image_id")  # Say which image a row belongs to.
EXACT_IN_DOUBLE = 2**53
LARGEST_LONG = 2**63 - 1

_WHOLE = re.compile(r"[+-]?(0|[1-9]\d*)")  # 007 is a name.
_REAL = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Feature:
    """A column: `kind` is "long", "double", "bool" or "string"; `size` the bytes of the longest text in UTF-8."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True)
class Survey:
    """What a first pass over the tables found: all columns in order of appearance, and the images they speak of."""

    features: tuple[Feature, ...]
    images: tuple[str, ...]


@dataclass
class _Values:
    """What has been seen of a column so far."""

    blank: bool = False
    whole: bool = False
    large: bool = False
    real: bool = False
    truth: bool = False
    text: bool = False
    size: int = 1

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
        """The narrowest type that keeps every value exactly; blanks are kept as NaN or as empty text."""
        number = self.whole or self.real
        if self.text or (self.truth and (number or self.blank)):
            return "string"
        if self.truth:
            return "bool"
        if self.large and (self.real or self.blank):
            return "string"
        return "long" if self.whole and not self.real and not self.blank else "double"


def survey_tables(files: Sequence[NamedFile]) -> Survey:
    """Read all tables once to learn their columns, types and images; one row is in memory at a time.

    A table without rows speaks of the image that its own name leads to, unless it has a column `image` or `image_id`
    and a name without an id: then it is a merged table of no image.

    Raises:
        UserError: A table without a header, or with a ragged row.
    """
    seen: dict[str, _Values] = {}
    images: dict[str, None] = {}
    filled: list[list[str]] = []
    for file in files:
        header = _header(file)
        columns = [seen.setdefault(name, _Values()) for name in header]
        count = 0
        for image, row in _rows(file, header):
            count += 1
            images[image] = None
            for values, text in zip(columns, row, strict=True):
                values.see(text.strip())
        if count:
            filled.append(header)
        elif file.identifier.startswith("Image_") or not set(header) & set(NOT_FEATURES):
            images[file.identifier] = None
    for name, values in seen.items():
        # What one table lacks is blank in its rows.
        values.blank = values.blank or any(name not in header for header in filled)
    features = [
        # Without any value nothing is known of a type; a label is a whole number by definition.
        Feature(name, "long" if name == "label" and values == _Values() else values.kind(), values.size)
        for name, values in seen.items()
        if name not in NOT_FEATURES
    ]
    return Survey(tuple(features), tuple(images))


def read_measurements(files: Sequence[NamedFile], features: Sequence[Feature]) -> Iterator[tuple[str, list[str]]]:
    """Yield (image, one text a feature) of each row of all tables; what a table does not have is empty."""
    for file in files:
        header = _header(file)
        places = [header.index(feature.name) if feature.name in header else None for feature in features]
        for image, row in _rows(file, header):
            yield image, ["" if place is None else row[place].strip() for place in places]


def convert(kind: str, text: str) -> int | float | bool | str:
    """A cell's value in its column's type; an empty cell of a "double" is NaN."""
    if kind == "long":
        return int(text)
    if kind == "double":
        return float(text or "nan")
    return text.lower() == "true" if kind == "bool" else text


def _header(file: NamedFile) -> list[str]:
    try:
        with file.path.open(encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines, delimiter="\t"), [])
    except UnicodeDecodeError as error:
        raise UserError(f"table {file.identifier}: byte {error.start} is not UTF-8. Save the file in UTF-8.") from None
    header = [name.strip() for name in header]
    if not any(header):
        raise UserError(f"table {file.identifier}: empty. It needs a header line that names its columns.")
    if all(_REAL.fullmatch(name) for name in header):
        raise UserError(
            f"table {file.identifier}: no header, the first line holds values ({', '.join(header[:5])}). "
            "Put a line with the names of the columns on top."
        )
    if len(set(header)) < len(header) or "" in header:
        raise UserError(f"table {file.identifier}: columns need names that differ; found: {', '.join(header)}.")
    return header


def _rows(file: NamedFile, header: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield (name of the image, cells) of each row."""
    key = "image_id" if "image_id" in header else "image"
    place = header.index(key) if key in header else None
    with file.path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t")
        next(reader)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise UserError(
                    f"table {file.identifier}, line {reader.line_num}: {len(row)} columns, but the header has "
                    f"{len(header)}. Mend the row."
                )
            if place is None:
                yield file.identifier, row
            elif key == "image":
                yield row[place].strip(), row
            else:
                yield f"Image_{row[place].strip()}", row

"""Measurement tables of any size, read in blocks of rows: which well each object is in, and its features.

Text goes through pyarrow, which reads numbers exactly and about ten times as fast as Python; Parquet, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.damage import pass_fault_of_machine
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.tables.delimited import column_names
from bioimage_suite.tables.plate_layout import parse_well

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bioimage_suite.plates.wells import Well, Wells

# Names that tell objects and places apart; they measure nothing.
NOT_FEATURES = (
    *("image", "image_id", "image_name", "plate", "plate_*", "well", "well_*", "field", "label", "parent", "parent_*"),
    *("t", "z", "frame", "track", "track_*", "roi", "roi_*", "centroid_*", "x", "y", "x_*", "y_*", "z_*", "bbox_*"),
    *("object_count", "*_label"),
)
BLOCK_BYTES = 16 * 2**20
BLOCK_ROWS = 65_536
BUFFER_BYTES = 2**20
_EMPTY = ["", "nan", "NaN", "NA", "N/A", "null", "None"]


@dataclass(frozen=True)
class CellFile:
    """A measurement table: `name` is that of its image where no column names one."""

    path: Path
    name: str
    columns: tuple[str, ...]
    numeric: frozenset[str]
    blocks: Callable[[Sequence[str], Sequence[str]], Iterator[Any]]

    def first_of(self, *names: str) -> str | None:
        """Return the first of several names that is a column."""
        return next((name for name in names if name in self.columns), None)


def open_cells(path: Path, name: str) -> CellFile:
    """Open a table: tab-separated, CSV or Parquet, recognised by its content.

    Raises:
        UserError: The file is empty or none of these.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        raise UserError(f"table {name}: is empty. It needs a header line that names its columns.")
    if start == b"PAR1":
        return _open_parquet(path, name)
    if start[:2] == b"PK":
        raise UserError(f"table {name}: a workbook. Save it as tabular text, CSV or Parquet.")
    return _open_text(path, name)


def _open_parquet(path: Path, name: str) -> CellFile:
    from pyarrow import ArrowException, types
    from pyarrow.parquet import ParquetFile

    try:
        # Without a buffer of its own size each column chunk would be read whole.
        file = ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_BYTES)
    except (ArrowException, OSError) as error:
        pass_fault_of_machine(error)
        raise UserError(f"table {name}: not a readable Parquet file ({error}). Write it again.") from None
    numeric = frozenset(
        one.name for one in file.schema_arrow if types.is_integer(one.type) or types.is_floating(one.type)
    )

    def blocks(texts: Sequence[str], numbers: Sequence[str]) -> Iterator[Any]:
        try:
            for group in range(file.num_row_groups):
                # One group after the other: iter_batches reads ahead as far as it can.
                yield from file.iter_batches(BLOCK_ROWS, row_groups=[group], columns=[*texts, *numbers])
        except (ArrowException, OSError) as error:
            pass_fault_of_machine(error)
            raise UserError(f"table {name}: cannot be read ({error}). Write it again.") from None

    return CellFile(path, name, tuple(file.schema_arrow.names), numeric, blocks)


def _open_text(path: Path, name: str) -> CellFile:
    import pyarrow as pa
    from pyarrow import csv

    with path.open("rb") as stream:
        line = stream.readline(10**7).removeprefix(b"\xef\xbb\xbf")
    try:
        header = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UserError(f"table {name}: its header is not UTF-8. Save it as UTF-8.") from None
    delimiter = next((mark for mark in "\t,;" if mark in header), "\t")
    columns = column_names([cell.strip().strip('"') for cell in header.split(delimiter)], f"table {name}")
    reading = csv.ReadOptions(column_names=list(columns), skip_rows=1, block_size=BLOCK_BYTES)
    # As in Galaxy, a quote within tab-separated text is a letter.
    parsing = csv.ParseOptions(delimiter=delimiter, quote_char=False if delimiter == "\t" else '"')

    def blocks(texts: Sequence[str], numbers: Sequence[str]) -> Iterator[Any]:
        types = dict.fromkeys(texts, pa.string()) | dict.fromkeys(numbers, pa.float64())
        asked = csv.ConvertOptions(column_types=types, include_columns=[*texts, *numbers], null_values=_EMPTY)
        try:
            yield from csv.open_csv(path, reading, parsing, asked)
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return
            raise UserError(f"table {name}: {error}. Correct the row, or leave the feature out.") from None

    return CellFile(path, name, columns, _numeric_columns(path, columns, reading, parsing), blocks)


def _numeric_columns(path: Path, columns: Sequence[str], reading: Any, parsing: Any) -> frozenset[str]:
    """Return the columns whose cells of the first block are numbers or empty."""
    import pyarrow as pa
    from pyarrow import csv

    try:
        with csv.open_csv(path, reading, parsing, csv.ConvertOptions(null_values=_EMPTY)) as stream:
            kinds = {one.name: one.type for one in stream.schema}
    except pa.ArrowInvalid:  # no row, or one that the reading names
        return frozenset(columns)
    is_number = (pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
    return frozenset(name for name, kind in kinds.items() if any(test(kind) for test in is_number))


def choose_features(files: Sequence[CellFile], patterns: str) -> tuple[list[str], list[str]]:
    """Return the features that patterns name, in the order of the tables, and the columns left out as texts.

    Args:
        files: The tables.
        patterns: Names separated by commas; `*` stands for any text, `?` for one character. A pattern that is not the
            whole name never takes a column that tells objects or places apart (`NOT_FEATURES`).

    Raises:
        UserError: A pattern fits no column, or a column that is named as such holds texts.
    """
    columns = list(dict.fromkeys(column for file in files for column in file.columns))
    texts = {column for file in files for column in file.columns if column not in file.numeric}
    found: dict[str, None] = {}
    for pattern in filter(None, map(str.strip, patterns.split(","))):
        fitting = [column for column in columns if column == pattern]
        if pattern in texts:
            raise UserError(f"feature {pattern!r}: it holds texts. Choose a column of numbers.")
        fitting = fitting or [
            column
            for column in columns
            if fnmatchcase(column, pattern) and not any(fnmatchcase(column.casefold(), one) for one in NOT_FEATURES)
        ]
        if not fitting:
            raise UserError(f"feature {pattern!r}: no table has such a column. Choose among: {', '.join(columns)}.")
        found |= dict.fromkeys(fitting)
    if not found:
        raise UserError("features: none is named. Write names such as area_um2, mean_*, or * for all.")
    chosen = [column for column in columns if column in found]
    return [column for column in chosen if column not in texts], [column for column in chosen if column in texts]


def read_blocks(file: CellFile, wells: Wells, features: Sequence[str]) -> Iterator[tuple[Well, np.ndarray]]:
    """Yield (n, features) float64 of objects of one well, block by block; NaN where a table has no finite value.

    The well of an object is that of the image that its row names, else the column `well` (and `plate`), else that of
    the image that the table is named after.

    Raises:
        UserError: A cell of a feature is no number, or no table says the well of an image.
    """
    own = [name for name in features if name in file.columns]
    keys = _key_columns(file, wells)
    place_of = [features.index(name) for name in own]
    known: dict[tuple[str, ...], Well] = {}
    if not keys:
        known[()] = wells.of_image(file.name)
    for block in file.blocks(keys, own):
        values = np.full((block.num_rows, len(features)), np.nan)
        for place, name in zip(place_of, own, strict=True):
            values[:, place] = block.column(name).to_numpy(zero_copy_only=False)
        values[np.isinf(values)] = np.nan
        for key, rows in _runs(block, keys):
            if key not in known:
                known[key] = _well_of(file, keys, key, wells)
            yield known[key], values[rows]


def _key_columns(file: CellFile, wells: Wells) -> list[str]:
    image = file.first_of("image", "image_id")
    if image and wells.images:
        return [image]
    if "well" in file.columns:
        return [name for name in ("plate", "well") if name in file.columns]
    return [image] if image else []


def _well_of(file: CellFile, keys: Sequence[str], key: Sequence[str], wells: Wells) -> Well:
    """Return the well that the cells of one object name."""
    named = dict(zip(keys, key, strict=True))
    if "well" not in named:
        text = key[0] or file.name
        return wells.of_image(image_identifier(text) if keys == ["image_id"] else text)
    try:
        row, column = parse_well(named["well"])
    except UserError as error:
        raise UserError(f"table {file.name}: {error}") from None
    fits = [well for well in wells.conditions if (well.row, well.column) == (row, column)]
    fits = [well for well in fits if named.get("plate", "") in ("", well.plate)]
    if len(fits) != 1:
        raise UserError(
            f"table {file.name}: well {named['well']!r} of plate {named.get('plate', '')!r} is "
            f"{'on several plates' if fits else 'in no layout table'}. Add its row, or a column plate."
        )
    return fits[0]


def _runs(block: Any, keys: Sequence[str]) -> Iterator[tuple[tuple[str, ...], slice]]:
    """Yield the runs of rows of a block that have the same key, each with its rows."""
    if not block.num_rows:
        return
    encoded = [block.column(name).cast("string").dictionary_encode() for name in keys]
    codes = np.zeros((len(keys), block.num_rows), np.int64)
    for at, column in enumerate(encoded):
        codes[at] = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.r_[True, (codes[:, 1:] != codes[:, :-1]).any(axis=0)])
    texts = [column.dictionary.to_pylist() for column in encoded]
    for start, stop in zip(starts, [*starts[1:], block.num_rows], strict=True):
        key = tuple("" if codes[at, start] < 0 else texts[at][codes[at, start]] for at in range(len(keys)))
        yield key, slice(start, stop)

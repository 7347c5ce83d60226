"""Measurement tables of other programs as those of the suite: `image`, `label`, then features named with their units.

- CellProfiler: CSV of objects (`ImageNumber`, `ObjectNumber`), with its table of images for their names.
- QuPath: tables of measurements (text), and GeoJSON with classes and measurements.
- SpatialData (zip), AnnData (.h5ad), Parquet.

A name of another program is replaced where the definition is the same and the name says no unit; others are kept, as
intensities of CellProfiler, which are shares of the largest grey value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core import damage
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.own_hdf5 import refuse_other_files
from bioimage_suite.core.repeats import repeated
from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.untrusted_files import open_zip, safe_relative_path, unpack_member
from bioimage_suite.exchange.qupath_objects import REMEDY, is_geojson, objects_table, qupath_feature, read_objects
from bioimage_suite.tables.measurement_table import MeasurementTable, format_cell, table_of_rows
from bioimage_suite.tables.reader import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX_CELLS = 50_000_000
"""Each takes some sixty bytes as a text of a table; compressed files of a few kilobytes can declare any number."""
MAX_TEXT = 1 << 30
"""Characters of all cells."""
# CellProfiler measures in pixels, and the centre of the first pixel is 0, as here.
_CELLPROFILER = {
    "ObjectNumber": "label",
    "AreaShape_Area": "area_px",
    "AreaShape_Volume": "volume_px",
    "AreaShape_Center_X": "centroid_x_px",
    "AreaShape_Center_Y": "centroid_y_px",
    "AreaShape_Center_Z": "centroid_z_px",
    "AreaShape_EquivalentDiameter": "equivalent_diameter_px",
    "AreaShape_Eccentricity": "eccentricity",
    "AreaShape_Solidity": "solidity",
}
_QUPATH = {"Image": "image", "Classification": "class", "Class": "class", "Object ID": "object_id"}


def read_foreign(files: Sequence[tuple[Path, str]]) -> list[tuple[str, MeasurementTable]]:
    """Read tables of any of these programs; return the program and the table of each.

    Args:
        files: Path and name of each file; a table of images of CellProfiler may stand among them.

    Raises:
        UserError: A file is of none of these programs, or damaged.
    """
    found = [_read(path, name) for path, name in files]
    names = _image_names([table for program, table in found if program == "CellProfiler images"])
    return [
        (program, _distinct(_with_image_names(table, names) if program == "CellProfiler" else table))
        for program, table in found
        if program != "CellProfiler images"
    ]


def _distinct(table: MeasurementTable) -> MeasurementTable:
    """Return a table that has each column once.

    Raises:
        UserError: It has not: the values of one would be lost.
    """
    twice = repeated(table.columns)
    if twice:
        raise UserError(f"table {table.name}: two of its columns would be called {twice[0]!r}. Leave one out.")
    return table


def _read(path: Path, name: str) -> tuple[str, MeasurementTable]:
    with path.open("rb") as stream:
        start = stream.read(64)
    if start.startswith(b"PAR1"):
        return "Parquet", _parquet(path, name)
    if start.startswith(b"\x89HDF"):
        return "AnnData", _h5ad(path, name)
    if start.startswith(b"PK") and not _is_workbook(path, name):
        return "SpatialData", _spatial_data(path, name)
    if is_geojson(start):
        return "QuPath", objects_table(read_objects(path, name), name)
    sheet = read_table(path, name)
    if not sheet.rows:
        raise UserError(f"table {name}: is empty. It needs a header line that names its columns.")
    table = table_of_rows(sheet.rows, name, f"table {name}")
    columns = table.columns
    if "ImageNumber" in columns:
        return ("CellProfiler", table) if "ObjectNumber" in columns else ("CellProfiler images", table)
    if "Image" in columns and any("entroid X" in column for column in columns):
        return "QuPath", _qupath(table)
    raise UserError(
        f"table {name}: of no program that is known; its columns are {', '.join(columns[:8])}. CellProfiler's have "
        "ImageNumber and ObjectNumber, QuPath's Image and Centroid X."
    )


def _is_workbook(path: Path, name: str) -> bool:
    with open_zip(path, name) as archive:
        return "[Content_Types].xml" in archive.namelist()


def _image_names(images: Sequence[MeasurementTable]) -> dict[str, str]:
    """Return the name of each image by its number, from CellProfiler's tables of images.

    Raises:
        UserError: Two images have one number, as in two runs of CellProfiler.
    """
    names: dict[str, str] = {}
    for one in images:
        column = next((column for column in one.columns if column.startswith("FileName_")), None)
        for number, name in zip(one.texts("ImageNumber"), one.texts(column), strict=True) if column else ():
            if names.setdefault(number, name) != name:
                raise UserError(
                    f"table {one.name}: ImageNumber {number} is {name}, but also {names[number]}. Import the tables of "
                    "each run of CellProfiler alone."
                )
    return names


def _with_image_names(table: MeasurementTable, names: Mapping[str, str]) -> MeasurementTable:
    """Return an objects' table of CellProfiler with `image`, `label` and names with units."""
    own = next((column for column in table.columns if column.startswith(("FileName_", "Image_FileName_"))), None)
    given = table.texts(own) if own else [names.get(number, "") for number in table.texts("ImageNumber")]
    if not all(given):
        raise UserError(
            f"table {table.name}: it has no names of images. Give CellProfiler's table of images, with a "
            "column FileName_..., beside it."
        )
    kept = [column for column in table.columns if column != "ImageNumber"]
    own_columns = [(_CELLPROFILER.get(column, column), table.texts(column)) for column in kept]
    return _table(table.name, [("image", given), *own_columns])


def _qupath(table: MeasurementTable) -> MeasurementTable:
    """Return a table of QuPath with `image`, `label` (the number of the row in its image) and names with units."""
    columns = [_QUPATH.get(column) or qupath_feature(column) for column in table.columns]
    return _numbered(table.name, columns, table.rows, table.texts("Image"))


def _numbered(
    name: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]], images: Sequence[str]
) -> MeasurementTable:
    if "label" in columns:
        return MeasurementTable(name, tuple(columns), tuple(rows))
    counts: dict[str, int] = {}
    labels = []
    for image in images:
        counts[image] = counts.get(image, 0) + 1
        labels.append(str(counts[image]))
    at = list(columns).index("image")
    order = [at, *(place for place in range(len(columns)) if place != at)]
    found = tuple(
        (row[at], label, *(row[place] for place in order[1:])) for row, label in zip(rows, labels, strict=True)
    )
    return MeasurementTable(name, ("image", "label", *(columns[place] for place in order[1:])), found)


def _table(name: str, columns: Sequence[tuple[str, list[str]]]) -> MeasurementTable:
    """Return columns as a table.

    Raises:
        UserError: Their cells are too long: a compressed file says a long text once and repeats it in each row.
    """
    length = sum(sum(map(len, cells)) for _, cells in columns)
    if length > MAX_TEXT:
        raise UserError(f"table {name}: {length:,} characters as a text, at most {MAX_TEXT:,} are read. Split it.")
    rows = zip(*(cells for _, cells in columns), strict=True)
    return MeasurementTable(name, tuple(column for column, _ in columns), tuple(rows))


def _parquet(path: Path, name: str) -> MeasurementTable:
    import pyarrow as pa
    from pyarrow import parquet

    with damage.reading(f"table {name}", REMEDY):
        declared = parquet.read_metadata(path)
        _check_cells(declared.num_rows * declared.num_columns, name)
        schema = parquet.read_schema(path)
        odd = [one.name for one in schema if pa.types.is_nested(one.type) or _is_binary(one.type)]
        if odd:
            print(f"NOTE: table {name}: its columns {', '.join(odd)} hold no texts or numbers and are left out.")
        texts = [one.name for one in schema if one.name not in odd and not pa.types.is_primitive(one.type)]
        kept = [one for one in schema.names if one not in odd]
        table = parquet.read_table(path, columns=kept, read_dictionary=texts)
        columns = [
            (column, [cell for chunk in table.column(place).chunks for cell in _cells(chunk)])
            for place, column in enumerate(table.column_names)
        ]
    return _table(name, columns)


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return any(one(kind) for one in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary))


def _cells(chunk: Any) -> list[str]:
    """Return the cells of a column; of texts, each that occurs is kept once."""
    if not hasattr(chunk, "dictionary"):
        return [format_cell(value) for value in chunk.to_pylist()]
    known = [format_cell(value) for value in chunk.dictionary.to_pylist()]
    return ["" if place is None else known[place] for place in chunk.indices.to_pylist()]


def _h5ad(path: Path, name: str) -> MeasurementTable:
    with damage.reading(f"table {name}", REMEDY):
        import anndata
        import h5py

        with h5py.File(path) as file:
            refuse_other_files(file, f"table {name}")
            file.visititems(lambda _, part: _check_part(part, name))
        return _annotated(anndata.read_h5ad(path), name)


def _spatial_data(path: Path, name: str) -> MeasurementTable:
    """Return the table of a zipped SpatialData; if there are several, the one that is called `table`."""
    from bioimage_suite.images.ome_zarr.checked_codecs import use_checked_codecs

    with damage.reading(f"file {name}", REMEDY), scratch_folder() as folder:
        with open_zip(path, name) as archive:
            for member in archive.infolist():
                place = safe_relative_path(member.filename)
                if place is not None and not member.is_dir() and "tables" in place.parts:
                    target = folder.joinpath(*place.parts)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    unpack_member(archive, member, target, name)
        use_checked_codecs()
        tables = sorted(one for one in folder.rglob("tables/*") if (one / "obs").is_dir())
        if not tables:
            raise UserError(f"file {name}: no table in it. Give a SpatialData with a table of cells.")
        chosen = next((one for one in tables if one.name == "table"), tables[0])
        if len(tables) > 1:
            print(f"NOTE: file {name}: of its tables {', '.join(one.name for one in tables)}, {chosen.name} is read.")
        import anndata
        import zarr

        for _, part in zarr.open_group(chosen, mode="r").members(max_depth=None):
            _check_part(part, name)
        return _annotated(anndata.read_zarr(chosen), name)


def _check_cells(count: int, name: str) -> None:
    if count > MAX_CELLS:
        raise UserError(f"table {name}: {count:,} cells, at most {MAX_CELLS:,} are read. Split it.")


def _check_part(part: Any, name: str) -> None:
    """Refuse an array with too many cells, or whose chunks have: one is unpacked whole for a single cell."""
    _check_cells(max(getattr(part, "size", 0) or 0, math.prod(getattr(part, "chunks", None) or ())), name)


def _annotated(data: Any, name: str) -> MeasurementTable:
    """Return AnnData as a table: observations first, then features under the names that `var["name"]` has for them.

    Two features with one name there have those of their index.
    """
    keys = data.uns.get("spatialdata_attrs", {})
    label, region = str(keys.get("instance_key", "label")), str(keys.get("region_key", "region"))
    obs = data.obs
    images = "image" if "image" in obs else region if region in obs else None
    columns = [
        ("image", _column_cells(obs[images]) if images else [name] * data.n_obs),
        ("label", _column_cells(obs[label]) if label in obs else [str(number) for number in range(1, data.n_obs + 1)]),
        *((str(one), _column_cells(obs[one])) for one in obs.columns if one not in (label, region, "image")),
    ]
    given = data.var.get("name")
    names = data.var_names if given is None or not given.is_unique or given.isna().any() else given
    _check_cells(data.n_obs * data.n_vars, name)  # Of which a sparse table may hold few.
    values = data.X.toarray() if hasattr(data.X, "toarray") else np.asarray(data.X)
    if values.dtype.kind not in "iu":  # Whole numbers of any size keep all digits.
        values = values.astype(np.float64, casting="same_kind")
    columns += [(str(one), [format_cell(v) for v in values[:, at].tolist()]) for at, one in enumerate(names)]
    return _table(name, columns)


def _column_cells(values: Any) -> list[str]:
    """Return the texts of a column of pandas; what is missing, of any type, is empty."""
    return [
        "" if missing else format_cell(value)
        for value, missing in zip(values.astype(object), values.isna(), strict=True)
    ]

"""Measurement tables as AnnData, the table of single-cell analysis in Python: one row a cell, one column a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.exchange.typed_columns import labels_of, plain_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bioimage_suite.exchange.typed_columns import Typed

REGION, LABEL = "region", "label"


def to_anndata(tables: Sequence[tuple[str, str, Typed]]) -> Any:
    """Join tables of images to one AnnData.

    `X` holds the features, float64 with NaN for empty cells; `var["name"]` has their names as in the tables, `obs` the
    region, label and image of each object and columns of texts, `obsm["spatial"]` centroids, if all tables have them.

    Args:
        tables: Region (name of the label map), name of the image, and the table.

    Raises:
        UserError: No table has a feature, or an object has several rows.
    """
    import anndata
    import pandas as pd

    features = list(dict.fromkeys(name for _, _, one in tables for name in one.numeric()))
    if not features:
        raise UserError("tables: no column has numbers that measure something. Give tables of 'Measure objects'.")
    texts = [name for name in dict.fromkeys(n for _, _, one in tables for n in one.texts()) if name not in features]
    plain = plain_names(features)
    obs: dict[str, list[Any]] = {name: [] for name in (REGION, LABEL, "image", *texts)}
    values = [np.full((one.rows, len(features)), np.nan) for _, _, one in tables]
    for block, (region, image, one) in zip(values, tables, strict=True):
        obs[REGION] += [region] * one.rows
        obs[LABEL] += labels_of(one, image).tolist()
        obs["image"] += [image] * one.rows
        for name in texts:
            obs[name] += one.columns[name] if isinstance(one.columns.get(name), list) else [""] * one.rows
        for place, feature in enumerate(features):
            if feature in one.numeric():
                block[:, place] = one.columns[feature]
    names = plain_names([REGION, LABEL, "image", *texts])
    frame = {names[name]: _series(name, cells) for name, cells in obs.items()}
    index = [f"{region}_{label}" for region, label in zip(obs[REGION], obs[LABEL], strict=True)]
    var = pd.DataFrame({"name": features}, index=[plain[name] for name in features])
    found = anndata.AnnData(np.concatenate(values), obs=pd.DataFrame(frame, index=index), var=var)
    positions = [one.positions(image) for _, image, one in tables]
    if all(one is not None for one in positions):
        found.obsm["spatial"] = np.concatenate([one for one in positions if one is not None])
    return found


def _series(name: str, cells: list[Any]) -> Any:
    import pandas as pd

    # Texts as categories: AnnData refuses plain texts that pandas takes for missing values.
    return np.array(cells, dtype=np.int64) if name == LABEL else pd.Categorical(cells)


def write_h5ad(path: Path, data: Any) -> None:
    """Write AnnData as `.h5ad`."""
    data.write_h5ad(path, compression="gzip")


def write_parquet(path: Path, tables: Sequence[tuple[str, str, Typed]]) -> None:
    """Write tables as one Parquet file: the column `image`, then all columns with their own names and types."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = list(dict.fromkeys(["image", *(name for _, _, one in tables for name in one.columns)]))
    arrays = {name: [_arrow(one, name, image) for _, image, one in tables] for name in columns}
    for name, parts in arrays.items():
        kinds = {part.type for part in parts if part.type != pa.null()}
        wanted = pa.float64() if kinds <= {pa.int64(), pa.float64()} and len(kinds) > 1 else pa.string()
        arrays[name] = [part.cast(next(iter(kinds)) if len(kinds) == 1 else wanted) for part in parts]
    parquet.write_table(pa.table({name: pa.chunked_array(parts) for name, parts in arrays.items()}), path)


def _arrow(table: Typed, name: str, image: str) -> Any:
    import pyarrow as pa

    values = table.columns.get(name)
    if values is None or (name == "image" and isinstance(values, list) and not any(values)):
        return pa.array([image] * table.rows, pa.string()) if name == "image" else pa.nulls(table.rows)
    if isinstance(values, list):
        return pa.array([text or None for text in values], pa.string())
    return pa.array(values, from_pandas=True)

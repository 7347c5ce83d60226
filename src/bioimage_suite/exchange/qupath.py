"""Objects for QuPath: outlines as GeoJSON with their classes and measurements (QuPath 0.4 and newer)."""

from __future__ import annotations

import json
import math
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.exchange.typed_columns import labels_of
from bioimage_suite.images.model.label_outlines import label_outlines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bioimage_suite.exchange.typed_columns import Typed
    from bioimage_suite.images.model.image_file import ImageFile

CLASS = "class"
# Of the object's image and label: the same object has the same id in every run.
_NAMESPACE = uuid.UUID("5b0c7d8e-9a1e-4f5c-8d57-2f5a3b1c9e10")


def features(labels: ImageFile, image: str, table: Typed | None, kind: str = "detection") -> Iterator[dict[str, Any]]:
    """Yield a GeoJSON feature for each segmented object, in pixels of the image, its upper left corner is 0, 0.

    Args:
        labels: Label map of one plane.
        image: Name of the image.
        table: Measurements; the column `class` becomes the class, each number a measurement.
        kind: `detection` (many, fast) or `annotation` (can be edited).

    Raises:
        UserError: The label map has several planes, or the table has a label that it has not.
    """
    if labels.size_z * labels.size_t > 1:
        raise UserError(
            f"label map {labels.name}: {labels.size_z} z-planes and {labels.size_t} time points. Cut one plane out: "
            "an object of QuPath lies on one."
        )
    said = _said(table, image)
    for outline in label_outlines(labels.read_plane()):
        closed = [[[[x, y] for x, y in (*ring, ring[0])] for ring in part] for part in outline.parts]
        single = len(closed) == 1
        geometry = {"type": "Polygon" if single else "MultiPolygon", "coordinates": closed[0] if single else closed}
        properties: dict[str, Any] = {"objectType": kind, "name": str(outline.label), "image": image}
        # QuPath drops what it does not know, and keeps `metadata`.
        properties |= {"label": outline.label, "metadata": {"image": image, "label": str(outline.label)}}
        properties |= said.pop(outline.label, {})
        number = str(uuid.uuid5(_NAMESPACE, f"{image}/{outline.label}"))
        yield {"type": "Feature", "id": number, "geometry": geometry, "properties": properties}
    if said:
        raise UserError(
            f"label map {labels.name}: it has no label {min(said)}, which its table has. Give the table that was "
            "measured on it."
        )


def _said(table: Typed | None, image: str) -> dict[int, dict[str, Any]]:
    """Return class and measurements of each label."""
    if table is None or not table.rows:
        return {}
    numbers = {name: table.columns[name] for name in table.numeric()}
    classes = table.columns.get(CLASS)
    found = {}
    for place, label in enumerate(labels_of(table, image).tolist()):
        one: dict[str, Any] = {
            # JSON has no NaN: what was not measured is left out.
            "measurements": {n: v[place].item() for n, v in numbers.items() if math.isfinite(v[place])}
        }
        if isinstance(classes, list) and classes[place]:
            one["classification"] = _classification(classes[place])
        found[label] = one
    return found


def _classification(name: str) -> dict[str, Any]:
    """Return a class as QuPath 0.4 and newer has it: `name`, or `names` of the parts of, say, "Tumor: Positive"."""
    parts = [part.strip() for part in name.split(":")]
    said: dict[str, Any] = {"names": parts} if len(parts) > 1 and all(parts) else {"name": name}
    return {**said, "color": _colour(name)}


def _colour(name: str) -> list[int]:
    """Return a colour for a class that is the same in every run."""
    return [int(value) for value in np.frombuffer(uuid.uuid5(_NAMESPACE, name).bytes[:3], np.uint8)]


def write_geojson(path: Path, found: Iterator[dict[str, Any]]) -> int:
    """Write features as a FeatureCollection, one after the other; return how many."""
    count = 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write('{"type": "FeatureCollection", "features": [\n')
        for feature in found:
            stream.write(f"{',' if count else ''}{json.dumps(feature)}\n")
            count += 1
        stream.write("]}\n")
    return count

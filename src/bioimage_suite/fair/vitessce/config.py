"""The Vitessce configuration: image, label map and measurements, linked by object label.

It uses version 1.0.16 of the configuration's schema, like omero-vitessce 1.2; newer viewers read it too.
"""

import base64
import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated
from bioimage_suite.core.texts import whole_number
from bioimage_suite.tables.measurement_table import MeasurementTable, number_of

SCHEMA_VERSION = "1.0.16"
OBJECT, FEATURE, VALUE = "object", "feature", "value"
OBJECT_COLOUR = (255, 170, 0)
_POSITIONS = ("centroid_", "bbox_")
# Columns that identify the object of a row and are not features.
_KEYS = {"image", "label", "image_id", "object_id", "roi_id", "track_id"}


@dataclass(frozen=True)
class ImageMeasurements:
    """Measurements of the objects of one image.

    Attributes:
        labels: The objects' labels in the label map.
        features: Names of the columns that hold only numbers.
        values: One row per object, one number per feature; NaN where missing.
    """

    labels: tuple[int, ...]
    features: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class DataAddresses:
    """Addresses of the data that the viewer shows; empty for missing data.

    Attributes:
        image: Address of the image as OME-Zarr.
        labels: Address of the label map as OME-Zarr.
        table: Address of a CSV with `label` and the features.
        points: Address of a CSV with `label`, `x` and `y` for the scatter plot; if empty, it shows features of `table`.
    """

    image: str = ""
    labels: str = ""
    table: str = ""
    points: str = ""


@dataclass(frozen=True)
class ChannelStyle:
    """Display settings of a channel: red, green, blue (0 to 255), and the range of values (None: set by the viewer)."""

    colour: tuple[int, int, int] = (255, 255, 255)
    window: tuple[float, float] | None = None


def measurements_of(table: MeasurementTable, image: str) -> ImageMeasurements:
    """Return the measurements of the objects of one image.

    Args:
        table: Table with the column `label`, optionally `image`, then features.
        image: Name of the image, which selects the rows of a table of several images.

    Raises:
        UserError: Column `label` is missing, a label is invalid or occurs twice, the image has no rows, or the table
            has no features.
    """
    if "label" not in table.columns:
        raise UserError(f"table {table.name}: needs a header with a column label. Give a measurement table.")
    rows = _rows_of(table, image)
    labels = [_label(row[table.columns.index("label")], table.name) for row in rows]
    twice = repeated(labels)
    if twice:
        raise UserError(f"table {table.name}: label {twice[0]} stands twice. Give a table with one row an object.")
    columns = {
        name: [_number(row[place]) for row in rows] for place, name in enumerate(table.columns) if name not in _KEYS
    }
    features = {name: numbers for name, numbers in columns.items() if _numeric(numbers)}
    if not features:
        raise UserError(f"table {table.name}: no column of numbers beside the labels. Give a measurement table.")
    return ImageMeasurements(tuple(labels), tuple(features), tuple(zip(*features.values(), strict=True)))


def _rows_of(table: MeasurementTable, image: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of an image: all of a table of one image, whatever name it has there."""
    named = table.texts("image") if "image" in table.columns else [""] * len(table.rows)
    images = set(named)
    rows = table.rows
    if len(images) > 1:
        rows = tuple(row for row, name in zip(rows, named, strict=True) if name == image)
    if not rows:
        some = ", ".join(sorted(images)[:3])
        raise UserError(
            f"table {table.name}: has no row of image {image!r}. Its images are for instance: {some or 'none'}."
        )
    return rows


def _label(text: str, name: str) -> int:
    label = whole_number(text)
    if not label:
        raise UserError(f"table {name}: label {text!r} is not the number of an object. Labels count from 1.")
    return label


def _number(text: str) -> float:
    try:
        return number_of(text)
    except ValueError:
        return math.inf


def _numeric(numbers: Sequence[float]) -> bool:
    """Return whether a column has at least one number and no other text; empty and nan are missing values."""
    return not any(math.isinf(number) for number in numbers) and any(not math.isnan(number) for number in numbers)


def choose_axes(measurements: ImageMeasurements, x: str, y: str) -> tuple[str, str]:
    """Choose the two features of the scatter plot: the given ones, else the first two that are no positions.

    Raises:
        UserError: A given feature is not a column of numbers.
    """
    for feature in (x, y):
        if feature and feature not in measurements.features:
            known = ", ".join(measurements.features)
            raise UserError(f"feature {feature!r}: no column of numbers. There are: {known}.")
    ordered = sorted(measurements.features, key=lambda feature: feature.startswith(_POSITIONS))
    free = [feature for feature in ordered if feature not in {x, y}] or ordered
    first = x or free.pop(0)
    return first, y or (free or ordered)[0]


def measurements_csv(measurements: ImageMeasurements) -> str:
    """Format measurements as the CSV that Vitessce reads: the label first, then numbers; a missing one is 0.

    Vitessce's matrices have no missing values and show an unknown value as 0.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["label", *measurements.features])
    for label, values in zip(measurements.labels, measurements.values, strict=True):
        writer.writerow([label, *("0" if math.isnan(value) else f"{value:.9g}" for value in values)])
    return stream.getvalue()


def data_url(text: str) -> str:
    """Return a text as a data URL."""
    return "data:text/csv;base64," + base64.b64encode(text.encode()).decode()


def points_csv(measurements: ImageMeasurements, axes: tuple[str, str]) -> str:
    """Format the points of the scatter plot as CSV, each feature scaled to 0..100 by its smallest and largest value.

    The viewer draws both axes with the same scale; unscaled, areas of 1000 over means of 0.1 would form a line.
    Objects without one of the two features are left out.
    """
    columns = [measurements.features.index(axis) for axis in axes]
    points = [
        (label, *(values[column] for column in columns))
        for label, values in zip(measurements.labels, measurements.values, strict=True)
        if not any(math.isnan(values[column]) for column in columns)
    ]
    ranges = [(min(point[place] for point in points), max(point[place] for point in points)) for place in (1, 2)]
    lines = ["label,x,y"]
    for label, *values in points:
        scaled = [100 * (value - low) / (high - low or 1) for value, (low, high) in zip(values, ranges, strict=True)]
        lines.append(f"{label},{scaled[0]:.6g},{scaled[1]:.6g}")
    return "\n".join(lines) + "\n"


def build_config(
    name: str,
    description: str,
    sources: DataAddresses,
    axes: tuple[str, str] | None = None,
    channels: Sequence[ChannelStyle] = (ChannelStyle(),),
) -> dict[str, Any]:
    """Build a configuration of the available image, label map and table.

    Args:
        name: Name of the view.
        description: Description that the view shows.
        sources: Addresses of the data.
        axes: Features of the scatter plot; required for a table.
        channels: Display settings of the image's channels.

    Raises:
        UserError: There is nothing to show.
    """
    files = _files(sources, axes)
    if not files:
        raise UserError("view: nothing to show. Give an image, a label map or a table, or their addresses.")
    space, layers = _coordination(sources, axes, channels)
    views = (_spatial_views() if layers else []) + (_feature_views(sources) if axes and sources.table else [])
    return _config(name, description, files, space, _layout(views))


def text_config(name: str, text: str) -> dict[str, Any]:
    """Build a configuration that shows a text alone."""
    whole = {"component": "description", "props": {"description": text}, "x": 0, "y": 0, "w": 12, "h": 12}
    return _config(name, text, [], {"dataset": {"A": "A"}}, [whole | {"coordinationScopes": {"dataset": "A"}}])


def _config(
    name: str, description: str, files: list[dict[str, Any]], space: dict[str, Any], layout: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "version": SCHEMA_VERSION,
        "name": name,
        "description": description,
        "datasets": [{"uid": "A", "name": name, "files": files}],
        "initStrategy": "auto",
        "coordinationSpace": space,
        "layout": layout,
    }


def _spatial_views() -> list[tuple[str, dict[str, Any]]]:
    spatial = {"dataset": "A", "obsType": "A", "metaCoordinationScopes": ["A"], "metaCoordinationScopesBy": ["A"]}
    return [("spatialBeta", spatial), ("layerControllerBeta", spatial)]


def _feature_views(sources: DataAddresses) -> list[tuple[str, dict[str, Any]]]:
    linked = dict.fromkeys(("dataset", "obsType", "featureType", "featureValueType", *_LINKED), "A")
    points = {"embeddingType": "A", "embeddingObsRadius": "A", "embeddingObsRadiusMode": "A"}
    if sources.points:
        points |= dict.fromkeys(("embeddingZoom", "embeddingTargetX", "embeddingTargetY"), "A")
    return [("scatterplot", linked | points), ("featureList", linked), ("obsSets", linked)]


# Settings that image and scatter plot share: a selection in one applies to the other.
_LINKED = (
    "obsHighlight",
    "obsSetSelection",
    "obsSetColor",
    "obsColorEncoding",
    "additionalObsSets",
    "featureSelection",
    "featureValueColormap",
    "featureValueColormapRange",
)


def _coordination(
    sources: DataAddresses, axes: tuple[str, str] | None, channels: Sequence[ChannelStyle]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the coordination space, and the layers of the spatial view (empty without image and labels)."""
    space: dict[str, Any] = {
        "dataset": {"A": "A"},
        "obsType": {"A": OBJECT},
        "featureType": {"A": FEATURE},
        "featureValueType": {"A": VALUE},
        **{kind: {"A": None} for kind in _LINKED},
        # Without features to colour objects by, all have the colour of their layer.
        "obsColorEncoding": {"A": "geneSelection" if axes else "spatialChannelColor"},
        "featureSelection": {"A": [axes[0]] if axes else None},
        "featureValueColormap": {"A": "plasma"},
        "featureValueColormapRange": {"A": [0, 1]},
    }
    if axes:
        space["embeddingType"] = {"A": _embedding(axes)}
        space |= {"embeddingObsRadius": {"A": 4}, "embeddingObsRadiusMode": {"A": "manual"}}
        if sources.points:
            # Centre of 0..100 on both axes; the viewer's y axis points up, that of its target down.
            space |= {"embeddingZoom": {"A": 1.5}, "embeddingTargetX": {"A": 50}, "embeddingTargetY": {"A": -50}}
    layers: dict[str, Any] = {}
    by: dict[str, Any] = {}
    if sources.image:
        layers["imageLayer"] = ["image"]
        by |= _image_layer(space, channels)
    if sources.labels:
        layers["segmentationLayer"] = ["labels"]
        by |= _label_layer(space)
    if layers:
        space["metaCoordinationScopes"] = {"A": layers}
        space["metaCoordinationScopesBy"] = {"A": by}
    return space, layers


def _image_layer(space: dict[str, Any], channels: Sequence[ChannelStyle]) -> dict[str, Any]:
    scopes = [f"channel{number}" for number in range(len(channels))]
    space["imageLayer"] = {"image": "__dummy__"}
    space["imageChannel"] = dict.fromkeys(scopes, "__dummy__")
    space.setdefault("fileUid", {})["image"] = "image"
    space["photometricInterpretation"] = {"image": "BlackIsZero"}
    space["spatialTargetC"] = {scope: number for number, scope in enumerate(scopes)}
    space["spatialChannelColor"] = {
        scope: list(channel.colour) for scope, channel in zip(scopes, channels, strict=True)
    }
    space["spatialChannelWindow"] = {
        scope: list(channel.window) if channel.window else None for scope, channel in zip(scopes, channels, strict=True)
    }
    of_channel = ("spatialTargetC", "spatialChannelColor", "spatialChannelWindow")
    return {
        "imageLayer": {
            "fileUid": {"image": "image"},
            "photometricInterpretation": {"image": "image"},
            "imageChannel": {"image": scopes},
        },
        "imageChannel": {kind: {scope: scope for scope in scopes} for kind in of_channel},
    }


def _label_layer(space: dict[str, Any]) -> dict[str, Any]:
    space["segmentationLayer"] = {"labels": "__dummy__"}
    space["segmentationChannel"] = {"labels": "__dummy__"}
    space.setdefault("fileUid", {})["labels"] = "labels"
    space.setdefault("spatialTargetC", {})["labels"] = 0
    space["spatialChannelOpacity"] = {"labels": 0.5}
    space["spatialSegmentationFilled"] = {"labels": True}
    space.setdefault("spatialChannelColor", {})["labels"] = list(OBJECT_COLOUR)
    own = ("spatialTargetC", "spatialChannelColor", "spatialChannelOpacity", "spatialSegmentationFilled")
    shared = ("obsType", "featureType", "featureValueType", *_LINKED)
    return {
        "segmentationLayer": {"fileUid": {"labels": "labels"}, "segmentationChannel": {"labels": ["labels"]}},
        "segmentationChannel": {kind: {"labels": "labels"} for kind in own}
        | {kind: {"labels": "A"} for kind in shared},
    }


def _embedding(axes: tuple[str, str]) -> str:
    return f"{axes[0]} and {axes[1]}"


def _files(sources: DataAddresses, axes: tuple[str, str] | None) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = []
    if sources.image:
        files.append({"fileType": "image.ome-zarr", "url": sources.image, "coordinationValues": {"fileUid": "image"}})
    if sources.labels:
        values = {"fileUid": "labels", "obsType": OBJECT}
        files.append({"fileType": "obsSegmentations.ome-zarr", "url": sources.labels, "coordinationValues": values})
    if sources.table and axes:
        embedding = {"obsType": OBJECT, "embeddingType": _embedding(axes)}
        matrix = {"obsType": OBJECT, "featureType": FEATURE, "featureValueType": VALUE}
        options = {"obsIndex": "label", "obsEmbedding": ["x", "y"] if sources.points else list(axes)}
        points = sources.points or sources.table
        files += [
            {"fileType": "obsEmbedding.csv", "url": points, "options": options, "coordinationValues": embedding},
            {"fileType": "obsFeatureMatrix.csv", "url": sources.table, "coordinationValues": matrix},
        ]
    return files


# Position of each view on Vitessce's grid of 12 columns: x, y, width, height.
_PLACES = {
    "spatialBeta": (0, 0, 6, 8),
    "scatterplot": (6, 0, 6, 8),
    "layerControllerBeta": (0, 8, 4, 4),
    "featureList": (4, 8, 4, 4),
    "obsSets": (8, 8, 4, 4),
}
_PLACES_OF_PIXELS = {"spatialBeta": (0, 0, 9, 12), "layerControllerBeta": (9, 0, 3, 12)}
_PLACES_OF_FEATURES = {"scatterplot": (0, 0, 8, 12), "featureList": (8, 0, 4, 7), "obsSets": (8, 7, 4, 5)}


def _layout(views: Sequence[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Place the views on a grid of 12 x 12, all of it: Galaxy's preview is half as wide as a window."""
    shown = {view for view, _ in views}
    places = next(one for one in (_PLACES_OF_PIXELS, _PLACES_OF_FEATURES, _PLACES) if shown <= one.keys())
    return [
        {"component": view, "coordinationScopes": scopes, **dict(zip("xywh", places[view], strict=True))}
        for view, scopes in views
    ]

"""An interactive view of an image with its label map and measurements: for Vitessce, and as a page to download."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.units import MEGABYTE
from bioimage_suite.fair.archives.http import base_address
from bioimage_suite.fair.vitessce.config import (
    ChannelStyle,
    DataAddresses,
    ImageMeasurements,
    build_config,
    choose_axes,
    data_url,
    measurements_csv,
    measurements_of,
    points_csv,
    text_config,
)
from bioimage_suite.fair.vitessce.image import load_own_labels, load_picture, shown_channels, zarr_files
from bioimage_suite.fair.vitessce.page import INLINE, VIEWER_ADDRESS, build_page, check_viewer
from bioimage_suite.tables.measurement_table import read_measurement_table

NO_ADDRESS = "No image here has an address that a browser could fetch it from. The page beside this shows all of it."
"""What a configuration says that has no data: those of a page are in the page."""


@dataclass(frozen=True)
class Inputs:
    """Input files, each None if not given, and the name of the image."""

    name: str
    image: Path | None = None
    labels: Path | None = None
    table: Path | None = None
    viewer: Path | None = None


@dataclass(frozen=True)
class Carried:
    """Contents of the page: files by path, their addresses within it, the channels, and a note on downsampling."""

    files: dict[str, bytes]
    image: str
    labels: str
    channels: tuple[ChannelStyle, ...]
    note: str


def carry(inputs: Inputs, max_bytes: int) -> Carried:
    """Convert image and label map to files to embed in a page.

    Args:
        inputs: Input files; without a label map, that of an image that brings one along is taken.
        max_bytes: Largest size of the image's pixels before compression, and of the label map's.

    Raises:
        UserError: A file cannot be read, as in `load_picture`, or the sizes of image and label map
            differ.
    """
    image = load_picture(inputs.image, inputs.name, max_bytes) if inputs.image else None
    step = image.shrunk if image else 0
    labels = None
    if inputs.labels:
        labels = load_picture(inputs.labels, f"{inputs.name} (labels)", max_bytes, labels=True, shrunk=step)
    elif inputs.image:
        labels = load_own_labels(inputs.image, inputs.name, max_bytes, step)
    if image and labels and image.pixels.shape[-2:] != labels.pixels.shape[-2:]:
        sizes = " and ".join(f"{shape[-1]} x {shape[-2]}" for shape in (image.pixels.shape, labels.pixels.shape))
        raise UserError(
            f"label map of {inputs.name}: image and label map have {sizes} pixels. Give those of one image."
        )
    pictures = {"image": image, "labels": labels}
    files = {
        f"{kind}.zarr/{path}": data
        for kind, picture in pictures.items()
        if picture
        for path, data in zarr_files(picture, labels=kind == "labels").items()
    }
    places = {kind: f"{INLINE}/{kind}.zarr" if picture else "" for kind, picture in pictures.items()}
    shrunk = max((picture.shrunk for picture in pictures.values() if picture), default=1)
    note = f"Each pixel shown stands for {shrunk} x {shrunk} pixels of the image." if shrunk > 1 else ""
    return Carried(
        files, places["image"], places["labels"], shown_channels(image) if image else (ChannelStyle(),), note
    )


def read_measurements(path: Path, image: str) -> ImageMeasurements:
    """Read the measurements of an image: see `read_measurement_table` and `measurements_of`."""
    return measurements_of(read_measurement_table(path, f"of {image}"), image)


def make_view(config: Mapping[str, Any], inputs: Inputs) -> tuple[dict[str, Any], str]:
    """Make the configuration and the page.

    Args:
        config: `image_address`, `labels_address`, `table_address` (on a server), `feature_x`, `feature_y`,
            `max_megabytes`, `viewer_address`; all are optional.
        inputs: Input files.

    Returns:
        The configuration for Vitessce on a server, with the table and the data that have an address; and the HTML of
        the page.

    Raises:
        UserError: There is nothing to show, or a file cannot be read.
    """
    address = {
        kind: base_address(str(config[f"{kind}_address"]), f"the {kind}") if config.get(f"{kind}_address") else ""
        for kind in ("image", "labels", "table", "viewer")
    }
    measured = read_measurements(inputs.table, inputs.name) if inputs.table else None
    axes = (
        choose_axes(measured, str(config.get("feature_x") or ""), str(config.get("feature_y") or ""))
        if measured
        else None
    )
    table = data_url(measurements_csv(measured)) if measured else ""
    points = data_url(points_csv(measured, axes)) if measured and axes else ""
    carried = carry(inputs, int(float(config.get("max_megabytes") or 20) * MEGABYTE))
    about = f"Points: {axes[0]} (x) and {axes[1]} (y), each scaled to its range." if axes else ""
    description = " ".join(part for part in (about, carried.note) if part)
    served = DataAddresses(address["image"], address["labels"], address["table"] or table, points)
    shown = DataAddresses(carried.image or served.image, carried.labels or served.labels, table, points)
    viewer = check_viewer(inputs.viewer.read_bytes(), inputs.viewer.name) if inputs.viewer else b""
    page = build_page(
        build_config(inputs.name, description, shown, axes, carried.channels),
        carried.files,
        viewer=viewer,
        viewer_address=address["viewer"] or VIEWER_ADDRESS,
    )
    if not (served.image or served.labels or served.table):
        return text_config(inputs.name, NO_ADDRESS), page
    return build_config(inputs.name, about, served, axes, carried.channels), page

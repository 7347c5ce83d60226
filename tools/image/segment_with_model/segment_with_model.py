#!/usr/bin/env python
"""Segments an image with a network from the BioImage Model Zoo (ONNX weights), tile by tile, without network access."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.image_file import with_numbers_only
from bioimage_suite.images.model.series import READING, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import write_label_map
from bioimage_suite.segmentation.model_files import unpack
from bioimage_suite.segmentation.model_objects import MEANINGS, ObjectOptions
from bioimage_suite.segmentation.model_package import Network, load_network, quiet_library
from bioimage_suite.segmentation.model_prediction import (
    Tiling,
    check_count,
    choose_channels,
    label_bands_of,
    predict_image,
    write_prediction,
)

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

OBJECTS, TILING = ObjectOptions(), Tiling()


def options_of(args: Namespace, network: Network) -> ObjectOptions:
    """Return how objects are found; thresholds that are not given are the package's own, if it has any."""
    own = network.thresholds if args.meaning == "star_polygons" else {}
    usual = 0.0 if args.meaning == "flows" else OBJECTS.threshold
    threshold = args.threshold if args.threshold is not None else own.get("prob", usual)
    overlap = args.largest_overlap if args.largest_overlap is not None else own.get("nms", OBJECTS.overlap)
    if not 0 <= overlap <= 1:
        raise UserError(f"Largest overlap {overlap:g}: must lie between 0 and 1.")
    if args.flow_error < 0:
        raise UserError(f"Flow error {args.flow_error:g}: must be 0 or more.")
    return ObjectOptions(args.meaning, args.foreground, args.boundary, threshold, args.seeds,
                         args.seed_distance, args.min_size, overlap, network.anisotropy, args.flow_error,
                         rescale_of(args, network))  # fmt: skip


def rescale_of(args: Namespace, network: Network) -> float:
    """Return the factor by which planes are resized so that cells have the model's diameter."""
    if args.diameter is None:
        return 1.0
    for what, value in (("Diameter", args.diameter), ("Diameter of the model", args.model_diameter)):
        if not 1 <= value < float("inf"):
            raise UserError(f"{what} {value:g} px: it must be at least 1. Give the mean diameter of cells.")
    if args.meaning != "flows" or "z" in network.space:
        raise UserError("Diameter: planes are resized for flows of a network of planes alone. Leave it out.")
    return float(args.model_diameter / args.diameter)


def package_of(args: Namespace) -> Path:
    """Return the package to use: that of the history or that of the store."""
    if (args.model is None) == (args.stored_model is None):
        found = "two are given" if args.model else "none is given"
        raise UserError(f"Model: {found}. Give a package of the history, or choose a model of this Galaxy's store.")
    package: Path = args.model or args.stored_model
    if not package.is_file():
        name = args.model_name or package.name
        raise UserError(f"Model {name}: its package is missing. Choose another, or ask who runs this Galaxy.")
    return package


@cache
def network_of(package: Path, name: str, run_test: bool, output: str | None) -> Network:
    """Load a model and check it; where the job is a list, each process does so once."""
    with scratch_folder() as scratch:
        folder = scratch / "model"
        folder.mkdir()
        quiet_library(scratch)
        return load_network(unpack(package, name, folder), name, run_test, output)


@tool(
    __doc__,
    argument("--image", type=Path, required=True),
    *READING,
    argument("--image-name"),
    argument("--channel", action="append", default=[], help="name, index or -, in order; else all"),
    argument("--model", type=Path, help="package (zip)"),
    argument("--stored-model", type=Path, help="package of this Galaxy's store, in place of --model"),
    argument("--model-name"),
    argument("--scale", action="store_true", help="scale each channel first, as Cellpose does"),
    argument("--model-output", help="name of the model's output; default: the first"),
    argument("--skip-test", action="store_true", help="do not check the model against its test data"),
    argument("--meaning", choices=MEANINGS, required=True),
    argument("--foreground", type=int, default=OBJECTS.foreground),
    argument("--boundary", type=int, default=OBJECTS.boundary),
    argument("--threshold", type=float, help="default: the package's own, else 0.5; for flows 0"),
    argument("--flow-error", type=float, default=OBJECTS.flow_error, help="of flows; worse objects are dropped"),
    argument("--diameter", type=float, help="of the cells, px; for flows, the image is resized to the model's"),
    argument("--model-diameter", type=float, default=30.0, help="of the cells that the model was trained on, px"),
    argument("--largest-overlap", type=float, help="of two polygons; default: the package's own, else 0.4"),
    argument("--seeds", choices=["distance", "none"], default=OBJECTS.seeds),
    argument("--seed-distance", type=int, default=OBJECTS.seed_distance),
    argument("--min-size", type=int, default=OBJECTS.min_size),
    argument("--tile", type=int, default=TILING.tile),
    argument("--overlap", type=int, default=TILING.overlap),
    argument("--labels", type=Path, required=True),
    argument("--prediction", type=Path),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, check, predict, write."""
    Tiling(args.tile, args.overlap).check()
    package = package_of(args)
    image = with_numbers_only(open_image(args.image, args.image_name, reading_of(args)))
    channels = choose_channels(image, args.channel)
    name = args.model_name or package.name
    network = network_of(package, name, not args.skip_test, args.model_output)
    check_count(image, channels, network)
    options = options_of(args, network)
    tiling = Tiling(args.tile, args.overlap, args.scale, options.rescale)
    predictions = predict_image(image, network, channels, options, tiling)
    if args.prediction:
        kept = list(predictions)
        write_prediction(outputs.file(args.prediction), kept, image)
        predictions = iter(kept)
    count = write_label_map(outputs.file(args.labels), label_bands_of(predictions, options), image)
    print(f"{image.name}: {count} objects by {network.name}")


if __name__ == "__main__":
    run_tool(main)

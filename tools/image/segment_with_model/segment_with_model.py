#!/usr/bin/env python
"""Segments an image with a network from the BioImage Model Zoo (ONNX weights), tile by tile, without network access."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.images.image_file import ImageFile, open_image, with_numbers_only
from bioimage_suite.images.label_maps import ome_sizes, replaced_when_complete, write_label_map
from bioimage_suite.images.series import add_reading_arguments, reading_of
from bioimage_suite.segmentation.model_objects import MEANINGS, ObjectOptions, find_objects
from bioimage_suite.segmentation.model_package import Network, load_network, predict, quiet_library, unpack

if TYPE_CHECKING:
    import numpy as np


NO_CHANNEL = "-"
# Percentiles that become 0 and 1 when the tool scales, as in Cellpose.
SCALED = (1, 99)


def choose_channels(image: ImageFile, wanted: list[str]) -> list[int | None]:
    """Return the image's channels to predict on, in order, after reading the first plane of each.

    Loading the model's libraries takes seconds, so a damaged image fails before that.

    Args:
        image: The opened image.
        wanted: Names or indices; `-` for a channel that the image lacks (None); empty for all channels.

    Raises:
        UserError: A channel does not exist, or its first plane cannot be read.
    """
    channels = [None if one.strip() == NO_CHANNEL else image.resolve_channel(one) for one in wanted]
    channels = channels or list(range(image.size_c))
    for channel in channels:
        if channel is not None:
            image.read_plane(0, channel, 0)
    return channels


def check_count(image: ImageFile, channels: list[int | None], network: Network) -> None:
    """Reject a number of channels other than the network's.

    Raises:
        UserError: The numbers differ.
    """
    if len(channels) != network.channels:
        raise UserError(
            f"Model {network.name} takes {network.channels} channels, {len(channels)} are given of image {image.name} "
            f"({', '.join(image.channel_labels())}). Name as many as the model takes, in its order; "
            f"{NO_CHANNEL} stands for an empty one."
        )


def predict_image(
    image: ImageFile, network: Network, channels: list[int | None], args: Namespace
) -> Iterator[np.ndarray]:
    """Predict plane by plane, or volume by volume if the network takes volumes.

    Yields:
        (C, Y, X) or (C, Z, Y, X) float32, z running faster than t.
    """
    import numpy as np

    for t in range(image.size_t):
        planes = [range(image.size_z)] if "z" in network.space else [[z] for z in range(image.size_z)]
        for some in planes:
            volume = np.zeros((len(channels), len(some), image.size_y, image.size_x), np.float32)
            for place, c in enumerate(channels):
                for number, z in enumerate(some if c is not None else []):
                    volume[place, number] = image.read_plane(t, c or 0, z)
            volume = scaled(volume) if args.scale else volume
            found = predict(network, volume if "z" in network.space else volume[:, 0], args.tile, args.overlap)
            print(f"t={t} z={some[0]}: predicted", flush=True)
            yield found


def scaled(volume: np.ndarray) -> np.ndarray:
    """Scale each channel of a (C, Z, Y, X) volume from its percentiles `SCALED` to 0 and 1; constant channels to 0."""
    import numpy as np

    low, high = np.percentile(volume, SCALED, axis=(1, 2, 3), keepdims=True).astype(np.float32)
    return np.divide(volume - low, high - low, out=np.zeros_like(volume), where=high > low)


def label_bands_of(predictions: Iterator[np.ndarray], options: ObjectOptions, model: str) -> Iterator[np.ndarray]:
    """Yield label planes of predictions; labels continue from plane to plane."""
    largest = 0
    for prediction in predictions:
        options.check(len(prediction), model, volume=prediction.ndim == 4)
        labels = find_objects(prediction, options, largest + 1)
        if options.meaning != "classes":
            largest = max(largest, int(labels.max(initial=0)))
        yield from labels if labels.ndim == 3 else [labels]


def kept(predictions: Iterator[np.ndarray], store: list[np.ndarray] | None) -> Iterator[np.ndarray]:
    """Yield predictions unchanged; append them to a list if one is given."""
    for prediction in predictions:
        if store is not None:
            store.append(prediction)
        yield prediction


def write_prediction(path: Path, predictions: list[np.ndarray], image: ImageFile) -> None:
    """Write the predictions as float32 OME-TIFF with the axes T, C, Z, Y, X."""
    import uuid
    import zlib

    import numpy as np
    import tifffile

    volumes = [one if one.ndim == 4 else one[:, None] for one in predictions]
    per_time, channels = len(volumes) // image.size_t, len(volumes[0])

    def planes() -> Iterator[np.ndarray]:
        for t in range(image.size_t):
            some = volumes[t * per_time : (t + 1) * per_time]
            yield from (np.ascontiguousarray(plane) for c in range(channels) for volume in some for plane in volume[c])

    checksum = 0
    for plane in planes():
        checksum = zlib.crc32(plane.data, checksum)
    shape = (image.size_t, channels, image.size_z, image.size_y, image.size_x)
    names = [f"prediction_{channel}" for channel in range(channels)]
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{image.name} {shape} {checksum}"))
    metadata = {"axes": "TCZYX", "UUID": identity, "Channel": {"Name": names}, **ome_sizes(image)}
    with replaced_when_complete(path) as part:
        tifffile.imwrite(part, planes(), shape=shape, dtype=np.float32, ome=True, photometric="minisblack",
                         compression="zlib", compressionargs={"level": 1}, metadata=metadata)  # fmt: skip


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    default = ObjectOptions()
    parser.add_argument("--image", type=Path, required=True)
    add_reading_arguments(parser)
    parser.add_argument("--image-name")
    parser.add_argument("--channel", action="append", default=[], help="name, index or -, in order; else all")
    parser.add_argument("--model", type=Path, required=True, help="package (zip)")
    parser.add_argument("--model-name")
    parser.add_argument("--scale", action="store_true", help="scale each channel first, as Cellpose does")
    parser.add_argument("--model-output", help="name of the model's output; default: the first")
    parser.add_argument("--skip-test", action="store_true", help="do not check the model against its test data")
    parser.add_argument("--meaning", choices=MEANINGS, required=True)
    parser.add_argument("--foreground", type=int, default=default.foreground)
    parser.add_argument("--boundary", type=int, default=default.boundary)
    parser.add_argument("--threshold", type=float, help="default: the package's own, else 0.5; for flows 0")
    parser.add_argument("--largest-overlap", type=float, help="of two polygons; default: the package's own, else 0.4")
    parser.add_argument("--seeds", choices=["distance", "none"], default=default.seeds)
    parser.add_argument("--seed-distance", type=int, default=default.seed_distance)
    parser.add_argument("--min-size", type=int, default=default.min_size)
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--overlap", type=int, default=32)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--prediction", type=Path)
    return parse_arguments(parser, argv)


def _options(args: Namespace, network: Network) -> ObjectOptions:
    """Return how objects are found; thresholds that are not given are the package's own, if it has any."""
    own = network.thresholds if args.meaning == "star_polygons" else {}
    usual = 0.0 if args.meaning == "flows" else ObjectOptions().threshold
    threshold = args.threshold if args.threshold is not None else own.get("prob", usual)
    overlap = args.largest_overlap if args.largest_overlap is not None else own.get("nms", ObjectOptions().overlap)
    if not 0 <= overlap <= 1:
        raise UserError(f"Largest overlap {overlap:g}: must lie between 0 and 1.")
    return ObjectOptions(args.meaning, args.foreground, args.boundary, threshold, args.seeds,
                         args.seed_distance, args.min_size, overlap)  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    """Parse, open, check, predict, write."""
    args = _arguments(argv)
    if args.tile < 16 or args.overlap < 0:
        raise UserError(f"Tile {args.tile} with overlap {args.overlap}: give at least 16, and an overlap of 0 or more.")
    image = with_numbers_only(open_image(args.image, args.image_name, reading_of(args)))
    channels = choose_channels(image, args.channel)
    name = args.model_name or args.model.name
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        folder.mkdir()
        quiet_library(Path(scratch))
        description = unpack(args.model, name, folder)
        network = load_network(description, name, not args.skip_test, args.model_output)
        check_count(image, channels, network)
        options = _options(args, network)
        store: list[np.ndarray] | None = [] if args.prediction else None
        predictions = kept(predict_image(image, network, channels, args), store)
        count = write_label_map(args.labels, label_bands_of(predictions, options, network.name), image)
        if args.prediction and store:
            write_prediction(args.prediction, store, image)
    print(f"{image.name}: {count} objects by {network.name}")


if __name__ == "__main__":
    run_tool(main)

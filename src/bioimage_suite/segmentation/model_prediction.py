"""Prediction of a whole image by a network: its channels, planes or volumes, their labels, and the file of them all."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.writers.label_maps import ome_sizes
from bioimage_suite.images.writers.tiff_output import resolution_tags, uuid_of
from bioimage_suite.segmentation.model_objects import ObjectOptions, find_objects
from bioimage_suite.segmentation.model_package import Network, predict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

NO_CHANNEL = "-"
# Percentiles that become 0 and 1 when the tool scales, as in Cellpose.
SCALED = (1, 99)


@dataclass(frozen=True)
class Tiling:
    """How the network is fed.

    Attributes:
        tile: Approximate longest side of a tile, px.
        overlap: Pixels at each side of a tile to discard.
        scale: Whether each channel is scaled first: see `scaled`.
        rescale: Factor by which planes are resized for a network of planes, and its predictions back: the size of the
            model's cells by that of the image's cells.
    """

    tile: int = 512
    overlap: int = 32
    scale: bool = False
    rescale: float = 1.0

    def check(self) -> None:
        """Reject values out of range.

        Raises:
            UserError: A value is out of range.
        """
        if self.tile < 16 or self.overlap < 0:
            raise UserError(
                f"Tile {self.tile} with overlap {self.overlap}: give at least 16, and an overlap of 0 or more."
            )


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
    image: ImageFile, network: Network, channels: list[int | None], options: ObjectOptions, tiling: Tiling
) -> Iterator[np.ndarray]:
    """Predict plane by plane, or volume by volume if the network takes volumes.

    Args:
        image: The opened image.
        network: The model.
        channels: Channels of the image in the order of the network's; None for an empty one.
        options: How predictions become objects; each prediction must fit their meaning.
        tiling: How the network is fed.

    Yields:
        (C, Y, X) or (C, Z, Y, X) float32, z running faster than t.

    Raises:
        UserError: A prediction cannot have the meaning.
    """
    for t in range(image.size_t):
        planes = [range(image.size_z)] if "z" in network.space else [[z] for z in range(image.size_z)]
        for some in planes:
            volume = np.zeros((len(channels), len(some), image.size_y, image.size_x), np.float32)
            for place, c in enumerate(channels):
                for number, z in enumerate(some if c is not None else []):
                    volume[place, number] = image.read_plane(t, c or 0, z)
            volume = scaled(volume) if tiling.scale else volume
            if "z" in network.space:
                found = predict(network, volume, tiling.tile, tiling.overlap)
            else:
                plane = resized(volume[:, 0], tuple(int(size * tiling.rescale) for size in volume.shape[2:]))
                found = resized(predict(network, plane, tiling.tile, tiling.overlap), volume.shape[2:])
            print(f"t={t} z={some[0]}: predicted", flush=True)
            options.check(len(found), network.name, volume=found.ndim == 4)
            yield found


def scaled(volume: np.ndarray) -> np.ndarray:
    """Scale each channel of a (C, Z, Y, X) volume from its percentiles `SCALED` to 0 and 1; constant channels to 0."""
    low, high = np.percentile(volume, SCALED, axis=(1, 2, 3), keepdims=True).astype(np.float32)
    array: np.ndarray = np.divide(volume - low, high - low, out=np.zeros_like(volume), where=high > low)
    return array


def resized(plane: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a (C, Y, X) float32 plane with another number of pixels, interpolated linearly as Cellpose does."""
    import cv2

    if plane.shape[1:] == shape:
        return plane
    height, width = (max(1, size) for size in shape)
    return np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in plane])


def label_bands_of(predictions: Iterable[np.ndarray], options: ObjectOptions) -> Iterator[np.ndarray]:
    """Yield label planes of predictions; labels continue from plane to plane."""
    largest = 0
    for prediction in predictions:
        labels = find_objects(prediction, options, largest + 1)
        if options.meaning != "classes":
            largest = max(largest, int(labels.max(initial=0)))
        yield from labels if labels.ndim == 3 else [labels]


def write_prediction(path: Path, predictions: list[np.ndarray], image: ImageFile) -> None:
    """Write the predictions as float32 OME-TIFF with the axes T, C, Z, Y, X."""
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
    identity = uuid_of(f"{image.name} {shape} {checksum}")
    metadata = {"axes": "TCZYX", "UUID": identity, "Channel": {"Name": names}, **ome_sizes(image)}
    tifffile.imwrite(path, planes(), shape=shape, dtype=np.float32, ome=True, photometric="minisblack",
                     compression="zlib", compressionargs={"level": 1}, metadata=metadata,
                     **resolution_tags(image.micrometres("x"), image.micrometres("y")))  # fmt: skip

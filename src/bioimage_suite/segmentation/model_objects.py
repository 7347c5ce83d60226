"""Objects from the output of a network: probabilities, classes, labels, StarDist's polygons and polyhedra, or flows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.segmentation.split_objects import SplitOptions, label_bands

MEANINGS = ("foreground", "foreground_boundary", "classes", "labels", "star_polygons", "flows")


@dataclass(frozen=True)
class ObjectOptions:
    """How a prediction becomes objects.

    Attributes:
        meaning: `foreground`, `foreground_boundary`, `classes`, `labels`, `star_polygons` or `flows`.
        foreground: Channel of the probability of objects (or of the labels).
        boundary: Channel of the probability of boundaries.
        threshold: For `foreground`, the least probability of foreground. For `foreground_boundary`, also the least
            difference of both probabilities in a core. For `star_polygons`, the probability above which a pixel
            proposes a polygon. For `flows`, the logit above which a pixel belongs to a cell.
        seeds: How touching objects of `foreground` are split: `distance` or `none`.
        seed_distance: Least distance between two seeds of a component, px.
        min_size: Size in pixels or voxels below which objects are removed.
        overlap: Shared part of the smaller polygon's area above which the less probable of two polygons is dropped.
        anisotropy: Of the rays of polyhedra: size of a voxel along z, y, x relative to each other.
        flow_error: Of an object's flows, above which it is dropped; 0 keeps all.
        rescale: Size of the model's cells by that of the image's cells; more steps are taken along flows where it is
            below 1.
    """

    meaning: str = "foreground"
    foreground: int = 0
    boundary: int = 1
    threshold: float = 0.5
    seeds: str = "none"
    seed_distance: int = 7
    min_size: int = 20
    overlap: float = 0.4
    anisotropy: tuple[float, ...] = (1.0, 1.0, 1.0)
    flow_error: float = 0.4
    rescale: float = 1.0

    def check(self, channels: int, model: str, volume: bool = False) -> None:
        """Reject channels that the output does not have, and outputs that cannot have this meaning.

        Raises:
            UserError: A channel is missing, or the output has another form; the message gives the number of channels.
        """
        if self.meaning == "star_polygons" and channels < (5 if volume else 4):
            kind, least, of = ("polyhedra", 4, "voxel") if volume else ("polygons", 3, "pixel of a plane")
            raise UserError(
                f"Model {model}: its output has {channels} channels{' of volumes' if volume else ''}. Star-convex "
                f"{kind} are a probability and at least {least} distances of each {of}."
            )
        if self.meaning == "flows" and channels != 3:
            raise UserError(
                f"Model {model}: its output has {channels} channels. Flows have 3: along y, along x, and the logit of "
                "the probability."
            )
        used = [self.foreground] + ([self.boundary] if self.meaning == "foreground_boundary" else [])
        for channel in used if self.meaning in ("foreground", "foreground_boundary", "labels") else []:
            if not 0 <= channel < channels:
                raise UserError(
                    f"Channel {channel} of the prediction: the output of model {model} has {channels} channels, "
                    "counted from 0. Choose one of them."
                )


def find_objects(prediction: np.ndarray, options: ObjectOptions, first_label: int = 1) -> np.ndarray:
    """Number the objects of a plane or a volume.

    Args:
        prediction: (C, Y, X) or (C, Z, Y, X) float32 output of the network.
        options: How a prediction becomes objects.
        first_label: Label of the first object; classes keep their numbers (channel 0 is background).

    Returns:
        (Y, X) or (Z, Y, X) int32 label map.
    """
    if options.meaning == "classes":
        array: np.ndarray = prediction.argmax(axis=0).astype(np.int32)
        return array
    if options.meaning == "star_polygons":
        return _renumbered(_labelled_stars(prediction, options), options.min_size, first_label)
    if options.meaning == "flows":
        return _labelled_flows(prediction, options, first_label)
    one = prediction[options.foreground]
    if options.meaning == "labels":
        return _renumbered(np.rint(one).astype(np.int64), options.min_size, first_label)
    mask = one >= options.threshold
    if options.meaning == "foreground_boundary":
        return _grown_cores(mask, one, prediction[options.boundary], options, first_label)
    if mask.ndim == 3:
        return _label_volume(mask, options, first_label)
    split = SplitOptions(options.seeds, options.seed_distance, 1.0, options.min_size)
    split.check()
    return np.concatenate(list(label_bands(mask, split, first_label)))


def _labelled_stars(prediction: np.ndarray, options: ObjectOptions) -> np.ndarray:
    """Return the polygons of a plane, or the polyhedra of a volume."""
    if prediction.ndim == 4:
        from bioimage_suite.segmentation.star_polyhedra import label_polyhedra

        return label_polyhedra(prediction, options.threshold, options.overlap, options.anisotropy)
    from bioimage_suite.segmentation.star_polygons import label_stars

    return label_stars(prediction, options.threshold, options.overlap)


def _labelled_flows(prediction: np.ndarray, options: ObjectOptions, first_label: int) -> np.ndarray:
    """Return the objects of a plane, or of each plane of a volume, because Cellpose's networks predict planes."""
    from bioimage_suite.segmentation.flow_objects import STEPS, label_flows

    planes = prediction[:, None] if prediction.ndim == 3 else prediction
    found = []
    for z in range(planes.shape[1]):
        steps = max(1, int(STEPS / options.rescale))
        labels = label_flows(planes[:, z], options.threshold, options.flow_error, steps)
        found.append(_renumbered(labels, options.min_size, first_label))
        first_label = max(first_label, int(found[-1].max(initial=0)) + 1)
    return np.stack(found) if prediction.ndim == 4 else found[0]


def _grown_cores(
    mask: np.ndarray, foreground: np.ndarray, boundary: np.ndarray, options: ObjectOptions, first_label: int
) -> np.ndarray:
    """Return cores, where foreground outweighs boundary by the threshold, grown over the foreground."""
    from scipy import ndimage
    from skimage.segmentation import watershed

    cores = ndimage.label(foreground - boundary >= options.threshold)[0]
    return _renumbered(watershed(boundary, cores, mask=mask | (cores > 0)), options.min_size, first_label)


def _renumbered(labels: np.ndarray, min_size: int, first_label: int) -> np.ndarray:
    """Number labels without gaps in ascending order; drop those that are too small."""
    ids, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    keep = (ids > 0) & (counts >= min_size)
    new = np.where(keep, np.cumsum(keep) + first_label - 1, 0)
    return new[index].reshape(labels.shape).astype(np.int32)


def _label_volume(mask: np.ndarray, options: ObjectOptions, first_label: int) -> np.ndarray:
    """Label the components of a volume (by faces), split at the maxima of the distance to the background."""
    from scipy import ndimage

    components = ndimage.label(mask)[0]
    if options.seeds == "none":
        return _renumbered(components, options.min_size, first_label)
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    heights = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 1.0)
    peaks = peak_local_max(heights, min_distance=options.seed_distance, labels=components, exclude_border=False)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return _renumbered(watershed(-heights, markers, mask=mask), options.min_size, first_label)

"""What networks of StarDist's and Cellpose's kind give for drawn objects."""

import numpy as np
from scipy import ndimage

from bioimage_suite.segmentation.star_polyhedra import golden_spiral

RAYS = 32
SHAPE = (26, 40, 50)
SOLIDS = (((12, 14, 14), (6, 9, 8)), ((13, 24, 32), (8, 9, 9)), ((12, 12, 38), (5, 7, 7)))  # centres and half axes


def ellipses(shape: tuple[int, int], *which: tuple[int, int, int, int]) -> np.ndarray:
    """Labels of ellipses of the given centre and half axes, along y and x; later ones lie on top."""
    y, x = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for number, (row, column, tall, wide) in enumerate(which, 1):
        labels[((y - row) / tall) ** 2 + ((x - column) / wide) ** 2 <= 1] = number
    return labels


def stars_of(labels: np.ndarray) -> np.ndarray:
    """What StarDist learns: the distance to the background over its largest one, and to the outline along each ray."""
    out = np.zeros((1 + RAYS, *labels.shape), np.float32)
    for number in range(1, labels.max() + 1):
        distance = ndimage.distance_transform_edt(labels == number)
        out[0] += distance / distance.max()
    for point in np.argwhere(labels):
        for ray, angle in enumerate(np.linspace(0, 2 * np.pi, RAYS, endpoint=False)):
            way = np.arange(0, 100, 0.25)
            y = np.rint(point[0] + way * np.sin(angle)).astype(int)
            x = np.rint(point[1] + way * np.cos(angle)).astype(int)
            inside = (y >= 0) & (x >= 0) & (y < labels.shape[0]) & (x < labels.shape[1])
            same = labels[np.where(inside, y, 0), np.where(inside, x, 0)] == labels[tuple(point)]
            out[1 + ray, *point] = way[np.argmin(inside & same)]
    return out


def ellipsoids() -> np.ndarray:
    """Labels of three ellipsoids."""
    places = np.moveaxis(np.indices(SHAPE), 0, -1)
    labels = np.zeros(SHAPE, np.int32)
    for number, (centre, axes) in enumerate(SOLIDS, 1):
        labels[(((places - centre) / axes) ** 2).sum(axis=-1) <= 1] = number
    return labels


def polyhedra_of(anisotropy: tuple[float, ...], count: int = 64) -> np.ndarray:
    """What StarDist learns: a probability that is greatest at the centre, and the distance to the surface."""
    ends = golden_spiral(count, anisotropy).ends
    places = np.moveaxis(np.indices(SHAPE), 0, -1).astype(float)
    out = np.zeros((1 + count, *SHAPE), np.float32)
    noise = np.random.default_rng(0).random(SHAPE) * 1e-3  # no two voxels are equally probable
    labels = ellipsoids()
    for number, (centre, axes) in enumerate(SOLIDS, 1):
        inside = labels == number
        scaled = (places[inside] - centre) / axes
        rest = 1 - (scaled**2).sum(axis=1)
        out[0, inside] = rest + noise[inside]
        way = ends / axes  # |scaled + t way| = 1
        b, a = scaled @ way.T, (way**2).sum(axis=1)
        out[1:, inside] = ((-b + np.sqrt(b**2 + a * rest[:, None])) / a).T
    return out


def flows_of(labels: np.ndarray) -> np.ndarray:
    """What Cellpose learns, for convex objects: five times the direction to the centre, and a logit."""
    out = np.zeros((3, *labels.shape), np.float32)
    out[2] = np.where(labels > 0, 6, -6)
    y, x = np.indices(labels.shape)
    for number in range(1, labels.max() + 1):
        inside = labels == number
        to = np.stack([y[inside].mean() - y[inside], x[inside].mean() - x[inside]])
        out[:2, inside] = 5 * to / np.maximum(np.hypot(*to), 1)
    return out


TWO_TOUCH = ((20, 20, 9, 12), (20, 43, 9, 11), (45, 30, 7, 7))


def matched(found: np.ndarray, labels: np.ndarray) -> list[float]:
    """The best intersection over union of each object."""
    numbers = [range(1, one.max() + 1) for one in (labels, found)]
    pairs = [[(labels == one, found == other) for other in numbers[1]] for one in numbers[0]]
    return [max((a & b).sum() / (a | b).sum() for a, b in of_one) for of_one in pairs]

"""Haralick features by the sums of the paper, pairs of pixels by plain counting."""

import numpy as np
import pytest

from bioimage_suite.measurement import object_texture
from bioimage_suite.measurement.object_texture import TextureOptions
from tests.unit.tools.image.measuring import random_labels


def plain_features(p: np.ndarray) -> dict[str, float]:
    """The paper's sums, written out."""
    size = len(p)
    cells = [(i, j, p[i, j]) for i in range(size) for j in range(size)]
    margin = p.sum(axis=1)

    def entropy(values):
        return -sum(v * np.log2(v) for v in values if v > 0)

    plus = [sum(v for i, j, v in cells if i + j == k) for k in range(2 * size - 1)]
    minus = [sum(v for i, j, v in cells if abs(i - j) == k) for k in range(size)]
    plus_mean, minus_mean = (sum(k * v for k, v in enumerate(one)) for one in (plus, minus))
    h, hx = entropy(p.ravel()), entropy(margin)
    h1 = -sum(v * np.log2(margin[i] * margin[j]) for i, j, v in cells if v > 0)
    h2 = entropy(np.outer(margin, margin).ravel())
    return {
        "sum_average": plus_mean,
        "sum_variance": sum((k - plus_mean) ** 2 * v for k, v in enumerate(plus)),
        "sum_entropy": entropy(plus),
        "difference_variance": sum((k - minus_mean) ** 2 * v for k, v in enumerate(minus)),
        "difference_entropy": entropy(minus),
        "information_1": (h - h1) / hx,
        "information_2": np.sqrt(1 - np.exp(-2 * (h2 - h))),
    }


def test_haralick_features_are_the_papers_sums():
    rng = np.random.default_rng(0)
    p = rng.random((5, 5)) * (rng.random((5, 5)) < 0.7)
    p = (p + p.T) / (p + p.T).sum()
    found = object_texture.haralick_features(p[None])
    for name, value in plain_features(p).items():
        assert found[name][0] == pytest.approx(value), name
    assert len(found) == 13


@pytest.mark.parametrize("shape", [(1, 12, 9), (4, 9, 8)])
@pytest.mark.parametrize("distance", [1, 2])
def test_pairs_of_pixels_are_those_of_one_object(shape, distance):
    labels = random_labels(3, shape)
    grey = np.random.default_rng(4).integers(0, 6, shape).astype(np.uint8)
    label = int(labels.max())
    box = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(labels == label))
    options = TextureOptions(distance, 6)
    contrasts = []
    for step in object_texture.directions(shape[0] > 1):
        pairs = []
        for at in zip(*np.nonzero(labels == label), strict=True):
            to = tuple(np.add(at, np.multiply(step, distance)))
            if all(0 <= a < size for a, size in zip(to, shape, strict=True)) and labels[to] == label:
                pairs.append((int(grey[at]) - int(grey[to])) ** 2)
        if pairs:
            contrasts.append(np.mean(pairs))
    found = object_texture.textures(labels, grey, [(label, box)], options)
    assert found["contrast"][0] == pytest.approx(np.mean(contrasts))

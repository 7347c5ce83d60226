"""Stain vectors: estimated, given, refused."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.staining.quantities import densities
from bioimage_suite.staining.vectors import (
    estimate_vectors,
    make_stains,
    parse_vectors,
)
from tests.unit.staining.stained import stained


def test_vectors_are_estimated():
    rng = np.random.default_rng(3)
    true = make_stains({"a": (0.6, 0.72, 0.34), "b": (0.2, 0.9, 0.38)})
    amounts = np.zeros((20_000, 3))
    amounts[:, 0] = rng.gamma(2, 0.3, 20_000) * (rng.random(20_000) < 0.7)
    amounts[:, 1] = rng.gamma(2, 0.3, 20_000) * (rng.random(20_000) < 0.7)
    colours, counts = np.unique(stained(amounts, true.vectors), axis=0, return_counts=True)
    found = make_stains(estimate_vectors(densities(colours, np.full(3, 255.0)), counts, ("a", "b"), "x"))
    assert found.vectors[:2] == pytest.approx(true.vectors[:2], abs=0.05)
    with pytest.raises(UserError, match="too few"):
        estimate_vectors(np.zeros((5, 3)), np.ones(5, int), ("a", "b"), "x")
    one_colour = np.linspace(0.2, 2, 400)[:, None] * true.vectors[0]
    with pytest.raises(UserError, match="one colour"):
        estimate_vectors(one_colour, np.ones(400, int), ("a", "b"), "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [("H: 1, 2", "write each once"), ("H: 1, 2, 3\nH: 1, 2, 3", "write each once"), ("nothing", "write each once"),
     ("a: 1 0 0\nb: 1 0 0", "nearly alike"), ("a: 0 0 0\nb: 1 0 0", "not all 0"), ("a: -1 0 0\nb: 1 0 0", "from 0"),
     ("a: 1 2 3", "1 given"), ("a: nan 0 1\nb: 1 0 0", "from 0")],
)  # fmt: skip
def test_vectors_that_are_none(text, message):
    with pytest.raises(UserError, match=message):
        make_stains(parse_vectors(text))

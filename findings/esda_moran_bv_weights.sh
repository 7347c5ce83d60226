#!/usr/bin/env bash
# esda 2.9.0: bivariate Moran's I, with weights that are not standardized by row ("b" and "o" of its transformation).
#
# Expected: the bivariate Moran's I of a variable with itself is its Moran's I, whatever the weights: both are divided by
#           the sum of the weights, as esda.Moran does, so that neighbours with the same values give a value near 1.
# Seen:     Moran_BV is not divided by it. With row-standardized weights (the default) the two agree; with binary ones
#           Moran_BV is larger by the mean number of neighbours, here 6: 5.3 where Moran's I is 0.89. With weights in
#           1/µm or 1/mm the same cells give values a thousandfold apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  esda==2.9.0 libpysal==4.14.1 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import esda
import numpy as np
from libpysal.weights import KNN, W

random = np.random.default_rng(0)
cells = random.uniform(0, 1000, (300, 2))  # µm
marker = cells[:, 0] / 100 + random.normal(size=300)
knn = KNN.from_array(cells, k=6)


def by_definition(weights):
    z, matrix = marker - marker.mean(), weights.full()[0]
    return len(z) / matrix.sum() * (z @ matrix @ z) / (z @ z)


def inverse_distance(unit):
    found = {one: [unit / np.hypot(*(cells[one] - cells[other])) for other in knn.neighbors[one]] for one in knn.neighbors}
    return W(knn.neighbors, found, silence_warnings=True)


def both(weights, how):
    one = esda.Moran(marker, weights, transformation=how, permutations=0)
    assert np.isclose(one.I, by_definition(weights)), "Moran itself is something else"
    return one.I, esda.Moran_BV(marker, marker, weights, transformation=how, permutations=0).I


seen = {"by row": both(knn, "r"), "binary": both(knn, "b"),
        "1/µm": both(inverse_distance(1), "o"), "1/mm": both(inverse_distance(1000), "o")}
for name, (one, two) in seen.items():
    print(f"weights {name}: Moran {one:.3f}, Moran_BV of the same variable {two:.3f}")
assert np.isclose(*seen["by row"]) and np.isclose(seen["binary"][1], 6 * seen["binary"][0]), "the behaviour changed"
assert np.isclose(seen["1/µm"][0], seen["1/mm"][0]) and np.isclose(seen["1/mm"][1], 1000 * seen["1/µm"][1])
PYTHON
echo "as described: Moran_BV grows with the sum of the weights"

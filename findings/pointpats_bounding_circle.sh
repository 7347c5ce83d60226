#!/usr/bin/env bash
# pointpats 2.5.5: minimum_bounding_circle of points (here in general position, without repeats).
#
# Expected: the smallest circle that holds all points, as its documentation and its source, Skyum's algorithm, have it.
# Seen:     of nearly every third set of 30 points it leaves points outside, by up to a fifth of the radius. The circle of the
#           four points (3, 7), (7, 2), (2, 1), (5, 0) is 6.85 across, though two of them are 7.28 apart. Skyum takes off the
#           point of the largest circle, and of the largest angle among equals; here the angle comes first, and corners are lost.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  geopandas==1.2.0 libpysal==4.14.1 numpy==2.4.6 pandas==3.1.1 pointpats==2.5.5 scipy==1.17.1 shapely==2.2.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import shapely
from pointpats.centrography import minimum_bounding_circle
from scipy.spatial.distance import pdist


def both(points):
    """Radius by pointpats, the share of it by which the furthest point lies outside, radius by shapely."""
    centre, radius = minimum_bounding_circle(points)
    outside = np.hypot(*(points - np.array(centre)).T).max() / radius - 1
    return radius, outside, shapely.minimum_bounding_radius(shapely.MultiPoint(points))


four = np.array([(3, 7), (7, 2), (2, 1), (5, 0)], float)
radius, outside, smallest = both(four)
print(f"{four.tolist()}: diameter {2 * radius:.2f}, by shapely {2 * smallest:.2f}; furthest apart {pdist(four).max():.2f}")
assert 2 * radius < 6.9 and np.isclose(2 * smallest, pdist(four).max()), "the behaviour changed"
triangle = np.array([(0, 0), (8, 0), (3, 7)], float)
radius, outside, smallest = both(triangle)
assert np.isclose(radius, smallest) and abs(outside) < 1e-9, "of three points it is not right either"

random = np.random.default_rng(1)
out = []
while len(out) < 300:
    points = random.uniform(0, 100, (30, 2))
    try:
        out.append(both(points)[1])
    except ZeroDivisionError:  # of some sets it says so
        continue
lost = np.array(out) > 0.001
print(f"of 300 sets of 30 points, {lost.sum()} have a point outside, the furthest by {max(out):.0%} of the radius")
assert 60 < lost.sum() < 120 and max(out) > 0.15, "the behaviour changed"
PYTHON
echo "as described: circles that do not hold their points"

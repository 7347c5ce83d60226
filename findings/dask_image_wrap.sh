#!/usr/bin/env bash
# dask-image 2026.5.0: filters with mode="wrap" (an axis that closes on itself: angles of a polar image, periodic textures).
#
# Expected: the pixels do not depend on the chunks; "wrap" continues the image from its opposite edge (the documentation is
#           that of scipy.ndimage, and convolve and correlate do so).
# Seen:     in more than one chunk, each chunk is wrapped onto itself: the edge of the image takes its neighbours from inside
#           it. Of a line of 16 pixels in two chunks, light in the last pixel does not reach the first, and light in pixel 8
#           does. Of 15 filters tried, only convolve and correlate give the numbers of scipy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  dask==2026.8.0 dask-image==2026.5.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import dask.array as da
import numpy as np
import scipy.ndimage
from dask_image import ndfilters

for lit in (15, 8):
    line = np.zeros(16)
    line[lit] = 3
    whole = scipy.ndimage.uniform_filter(line, 3, mode="wrap")
    one, two = (np.asarray(ndfilters.uniform_filter(da.from_array(line, chunks=size), 3, mode="wrap")) for size in (16, 8))
    assert np.allclose(one, whole), "one chunk is not right either"
    print(f"light in pixel {lit}: lit after a filter of 3 pixels: {np.flatnonzero(whole)}, in two chunks {np.flatnonzero(two)}")
    assert list(np.flatnonzero(two)) == {15: [14, 15], 8: [0, 7, 8, 9]}[lit], "the behaviour changed"

image = np.random.default_rng(0).random((48, 48))
weights = np.arange(9.0).reshape(3, 3)
filters = {
    "convolve": {"weights": weights}, "correlate": {"weights": weights}, "gaussian_filter": {"sigma": 2},
    "gaussian_gradient_magnitude": {"sigma": 2}, "gaussian_laplace": {"sigma": 2}, "laplace": {}, "prewitt": {}, "sobel": {},
    "generic_filter": {"function": np.ptp, "size": 3}, "maximum_filter": {"size": 3}, "median_filter": {"size": 3},
    "minimum_filter": {"size": 3}, "percentile_filter": {"percentile": 30, "size": 3},
    "rank_filter": {"rank": 2, "size": 3}, "uniform_filter": {"size": 3}}
wrong = []
for name, how in filters.items():
    wanted = getattr(scipy.ndimage, name)(image, mode="wrap", **how)
    apart = {}
    for size in (48, 16):
        seen = getattr(ndfilters, name)(da.from_array(image, chunks=size), mode="wrap", **how)
        apart[size] = np.abs(np.asarray(seen) - wanted).max()
    print(f"{name}: furthest from scipy {apart[48]:.3f} in one chunk, {apart[16]:.3f} in nine")
    assert apart[48] < 1e-9
    if apart[16] > 1e-9:
        wrong.append(name)
assert sorted(set(filters) - set(wrong)) == ["convolve", "correlate"], "the behaviour changed"
PYTHON
echo "as described: in chunks, filters wrap each chunk instead of the image"

#!/usr/bin/env bash
# mahotas 1.4.19: labeled_max of an image of floats in which all pixels of an object are negative (background taken off,
# Laplacian, z score, log ratio).
#
# Expected: the documentation says that maxs[i] is equal to np.max(array[labeled == i]); so it is for whole numbers.
# Seen:     the maximum of an object whose pixels are all negative is 2.2e-308 (float32: 1.2e-38), the smallest positive
#           number, where it is -1: the search begins there, not at the lowest one. labeled_min is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mahotas==1.4.19 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import mahotas.labeled
import numpy as np
import scipy.ndimage

labels = np.array([[0, 0, 1, 1, 2, 2]])
pixels = np.array([[5, 3, -2, -1, -4, 2]])
for kind in (np.int16, np.float32, np.float64):
    image = pixels.astype(kind)
    wanted = scipy.ndimage.maximum(image, labels, [0, 1, 2])
    seen = mahotas.labeled.labeled_max(image, labels)
    print(f"{image.dtype}: labeled_max {seen}, by numpy {np.array(wanted)}")
    assert (mahotas.labeled.labeled_min(image, labels) == [3, -2, -4]).all() and list(wanted) == [5, -1, 2]
    first = np.finfo(kind).tiny if issubclass(kind, np.floating) else -1
    assert (seen == np.array([5, first, 2], kind)).all(), "the behaviour changed"
PYTHON
echo "as described: of negative floats the maximum is the smallest positive number"

#!/usr/bin/env bash
# mahotas 1.4.19: the Euler number (objects less holes) of a mask that touches the border of the image.
#
# Expected: an object without holes has 1 wherever it lies, and every Euler number is whole; scikit-image 0.26.0 gives 1.
# Seen:     a square at the upper or left border has 1, the same at the lower or right one 0.5, in the lower right corner 0.25;
#           an image that is filled but for one hole has -0.75 for 0. Blocks of 2 x 2 pixels are counted, but not those
#           that reach over the lower and right borders. A frame of zeros around the mask (numpy.pad) gives the right number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mahotas==1.4.19 numpy==2.4.6 scikit-image==0.26.0 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import mahotas
import numpy as np
from skimage.measure import euler_number


def square(top, left):
    mask = np.zeros((12, 12), bool)
    mask[top : top + 3, left : left + 3] = True
    return mask


hole = np.ones((12, 12), bool)
hole[5, 5] = False
for name, mask, seen in (
    ("square inside", square(4, 4), 1), ("square at the upper border", square(0, 4), 1),
    ("square at the left border", square(4, 0), 1), ("square at the lower border", square(9, 4), 0.5),
    ("square at the right border", square(4, 9), 0.5), ("square in the lower right corner", square(9, 9), 0.25),
    ("filled image with a hole", hole, -0.75),
):
    found = mahotas.euler(mask)
    right = euler_number(mask, connectivity=2)
    print(f"{name}: {found:g} (scikit-image {right})")
    assert mahotas.euler(np.pad(mask, 1)) == right == (0 if mask is hole else 1)
    assert found == seen, "the behaviour changed"
PYTHON
echo "as described: at the lower and right borders Euler numbers are fractions"

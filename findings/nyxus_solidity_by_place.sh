#!/usr/bin/env bash
# nyxus 0.11.0: CONVEX_HULL_AREA and SOLIDITY of one rectangle at different places of an image.
#
# Expected: a filled rectangle is its own convex hull wherever it lies: hull of 500 px², solidity 1 (the documentation
#           names the shoelace formula over all corners, and area by hull area).
# Seen:     the further down the rectangle lies, the larger its hull: 490 px² at the top, 10241 px² two hundred rows
#           further down, many times the box around it, so that solidity falls from 1.02 to 0.05.
#           DIAMETER_EQUAL_AREA, 25.2 px for a disk of 500 px², is 636.6: the root is not taken.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nyxus==0.11.0 numpy==2.4.6 pandas==2.3.3
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

import numpy as np
import nyxus

image = np.tile(np.arange(100, 400, dtype=np.uint32), (300, 1))
measure = nyxus.Nyxus(["AREA_PIXELS_COUNT", "CONVEX_HULL_AREA", "SOLIDITY", "DIAMETER_EQUAL_AREA"])
seen = []
for top in (1, 20, 100, 200):
    labels = np.zeros(image.shape, np.uint32)
    labels[top : top + 10, 50:100] = 1
    row = measure.featurize(image, labels).iloc[0]
    assert row.AREA_PIXELS_COUNT == 500
    seen.append(row)
    print(f"rectangle of 10 x 50 px from row {top}: hull {row.CONVEX_HULL_AREA:g} px², solidity {row.SOLIDITY:.3f},"
          f" diameter of the disk of its area {row.DIAMETER_EQUAL_AREA:.1f} px")
hulls = [row.CONVEX_HULL_AREA for row in seen]
assert hulls == [490, 1421, 5341, 10241], "the hull changed"
assert all(math.isclose(row.DIAMETER_EQUAL_AREA, 4 * 500 / math.pi, rel_tol=1e-4) for row in seen), "the diameter changed"
PYTHON
echo "as described: the convex hull grows with the distance from the top of the image"

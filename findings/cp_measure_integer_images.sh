#!/usr/bin/env bash
# cp-measure 0.3.0: radial distribution of an image of whole numbers (uint16, as cameras write it).
#
# Expected: the share of the intensity in each ring is the same for the same grey values as whole numbers and as floats, or whole
#           numbers are refused. Of an even square, rings further out have more pixels and so a larger share.
# Seen:     sums of rings are kept in the type of the image, modulo 65536, without a word: the shares are others, and the
#           outermost ring can have the smallest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cp-measure==0.3.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from cp_measure.bulk import get_core_measurements

pixels = np.random.default_rng(0).integers(20000, 40000, (64, 64)).astype(np.uint16)
labels = np.zeros((64, 64), np.int32)
labels[8:56, 8:56] = 1
measure = get_core_measurements()["radial_distribution"]


def shares(image):
    found = measure(labels, image)
    return [round(float(np.ravel(found[f"RadialDistribution_FracAtD_{ring}of4"])[0]), 3) for ring in range(1, 5)]


whole, real = shares(pixels), shares(pixels.astype(float))
print(f"share of each ring: uint16 {whole}, the same as float {real}")
if np.allclose(whole, real, atol=0.01) or real != sorted(real):
    raise SystemExit("the behaviour changed")
print("as described: sums of an image of whole numbers overflow")
PYTHON

#!/usr/bin/env bash
# imagecodecs 2026.3.6 (OpenJPEG 2.5.4, LERC 4.0.0), used by tifffile 2026.3.3: two codecs that are asked for no loss.
#
# Expected: JPEG 2000 with reversible=True gives back the integers it took, and LERC with an error of at most 0 the floats,
#           or they refuse the image.
# Seen:     uint32 is right up to 24 bits; of numbers below 2**25 an eighth comes back as others, below 2**28 all, without
#           a word (labels made of two numbers, hashes, times). LERC gives 0 for not-a-number, with imagecodecs and so in a
#           TIFF of tifffile: LERC keeps such pixels in a mask, which is not put back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  imagecodecs==2026.3.6 numpy==2.4.6 tifffile==2026.3.3
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import imagecodecs
import numpy as np
import tifffile

random = np.random.default_rng(0)
shares = []
for bits in (16, 24, 25, 28, 32):
    image = random.integers(0, 2**bits, (64, 64), np.uint64).astype(np.uint32)
    back = imagecodecs.jpeg2k_decode(imagecodecs.jpeg2k_encode(image, reversible=True))
    assert back.dtype == image.dtype and back.shape == image.shape
    shares.append(float((back != image).mean()))
    print(f"JPEG 2000, reversible, uint32 below 2**{bits}: {shares[-1]:.0%} of the pixels are others")
assert shares[:2] == [0, 0] and shares[2] > 0.1 and min(shares[3:]) > 0.9, "the behaviour of JPEG 2000 changed"

image = np.full((16, 16), 1.5, np.float32)
image[3, 4] = np.nan
back = imagecodecs.lerc_decode(imagecodecs.lerc_encode(image, level=0))
tifffile.imwrite(f"{sys.argv[1]}/lerc.tif", image, compression="lerc", photometric="minisblack")
of_tiff = tifffile.imread(f"{sys.argv[1]}/lerc.tif")
print(f"LERC: not-a-number comes back as {back[3, 4]}, in a TIFF as {of_tiff[3, 4]}")
assert back[3, 4] == of_tiff[3, 4] == 0 and (back == image).sum() == (of_tiff == image).sum() == 255, "the behaviour changed"
PYTHON
echo "as described: codecs without loss give other numbers"

#!/usr/bin/env bash
# galaxy-data 26.1.2: what Galaxy reads of each image that a tool has made (galaxy.datatypes.images), with tifffile 2026.3.3.
#
# Expected: the metadata of a TIFF cost the same however its plane is cut, and a PNG costs as little as its decoding.
# Seen:     Galaxy counts the distinct values of the pixels. A plane of one strip or tile is mapped into memory and
#           taken pixel by pixel in Python, one of two strips is not: the same 2048 x 2048 pixels take more than twice
#           the processor time. A PNG is decoded in pure Python (PyPNG): a contact sheet of 2 megapixels takes more than
#           ten times what Pillow needs for it. Of a list made in one job, the server's own process pays this.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  galaxy-data==26.1.2 tifffile==2026.3.3 numpy==2.3.5 pillow==12.0.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import time
from types import SimpleNamespace

import numpy as np
import tifffile
from galaxy.datatypes.images import Png, Tiff
from PIL import Image


def seconds(work):
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def values(path):
    with tifffile.TiffFile(path) as tiff:
        return Tiff._get_num_unique_values(tiff.series[0])


plane = np.arange(2048 * 2048, dtype=np.uint32).reshape(2048, 2048) % 250
tifffile.imwrite("one.tif", plane.astype(np.uint16), rowsperstrip=2048)
tifffile.imwrite("two.tif", plane.astype(np.uint16), rowsperstrip=1024)
one, counted = seconds(lambda: values("one.tif"))
two, also = seconds(lambda: values("two.tif"))
print(f"TIFF: one strip {one:.2f} s, two strips {two:.2f} s, {counted} and {also} values")

y, x = np.mgrid[:1024, :2048]
Image.fromarray(np.stack([x, y, x + y], axis=-1).astype(np.uint8)).save("sheet.png")
dataset = SimpleNamespace(get_file_name=lambda: "sheet.png", metadata=SimpleNamespace())
galaxy, _ = seconds(lambda: Png().set_meta(dataset))
pillow, _ = seconds(lambda: np.asarray(Image.open("sheet.png")))
print(f"PNG: Galaxy {galaxy:.2f} s, Pillow {pillow:.2f} s, {dataset.metadata.num_unique_values} values")
assert (counted, also, dataset.metadata.num_unique_values) == (250, 250, 256), "the counts changed"
assert one > 2 * two and galaxy > 10 * pillow, "the behaviour changed"
PYTHON
echo "as described: Galaxy's metadata of images cost what their cutting and PyPNG cost"

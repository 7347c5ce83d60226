#!/usr/bin/env bash
# bioio-ome-zarr 3.8.1: an image written tile by tile with write_region, and its pyramid.
#
# Expected: tiles that together cover an image cover each level of the pyramid too ("written to the proportional region
#           of each lower level"): no pixel is left out.
# Seen:     start and size of a tile in the level are rounded down, each by itself. Of an image of 401 x 401 px in
#           tiles of 100, the level of half the size keeps three black rows and columns, between tiles and at the end.
#           With odd tiles it also happens where the size of the image is even. The same pixels in one go have none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  bioio-ome-zarr==3.8.1 bioio-base==3.5.0 zarr==3.1.6 numpy==2.4.6 dask==2026.8.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import zarr
from bioio_ome_zarr.writers import OMEZarrWriter

whole = slice(0, 1)


def black(size, tile):
    """Columns of the second level without a single pixel of an image that is 1000 everywhere."""
    image = np.full((1, 1, 1, size, size), 1000, np.uint16)
    path = f"{size}_{tile}.zarr"
    writer = OMEZarrWriter(path, level_shapes=[image.shape, (1, 1, 1, size // 2, size // 2)], dtype=image.dtype, zarr_format=2)
    if tile:
        for top in range(0, size, tile):
            for left in range(0, size, tile):
                rows, columns = slice(top, min(top + tile, size)), slice(left, min(left + tile, size))
                writer.write_region(image[..., rows, columns], (whole, whole, whole, rows, columns))
    else:
        writer.write_full_volume(image)
    levels = zarr.open_group(path, mode="r")
    assert (levels["0"][:] == 1000).all()
    level = levels["1"][0, 0, 0]
    return np.flatnonzero(~level.any(axis=0)).tolist(), int((level == 0).sum())


for size, tile in ((401, 0), (400, 100), (401, 100), (400, 25)):
    columns, pixels = black(size, tile)
    print(f"{size} px, {f'tiles of {tile}' if tile else 'in one go'}: {pixels} pixels black, columns {columns}")
assert black(401, 0) == black(400, 100) == ([], 0), "other images have black lines as well"
assert black(401, 100)[0] == [98, 148, 198], "the behaviour changed"
assert len(black(400, 25)[0]) == 8, "the behaviour with odd tiles changed"
PYTHON
echo "as described: tiles leave black lines in the pyramid"

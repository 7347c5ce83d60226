#!/usr/bin/env bash
# ngff-zarr 0.50.0 and multiscale-spatial-image 2.1.0: pyramids of an OME-Zarr made with their dask-image methods.
#
# Expected: a level says by its scale and translation where its pixels lie (OME-Zarr: in physical space). In an image whose
#           values are the positions of its pixels, the pixels of each level hold their own positions, as they do with
#           ngff-zarr's DASK_BIN_SHRINK.
# Seen:     the first pixel of each block (smoothed or not) is taken, and said to lie in the block's middle: with
#           DASK_IMAGE_GAUSSIAN and DASK_IMAGE_NEAREST, levels of 1, 2 and 4 µm over pixels of 0.5 µm lie 0.25, 0.75 and
#           1.75 µm aside, near half a pixel. DASK_IMAGE_MODE of multiscale-spatial-image, meant for labels, is
#           three times as far: 5.25 µm, more than a pixel of the level.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for number in 1 2; do python3 -m venv "$folder/venv$number"; done  # the two ask for different releases of dask
"$folder/venv1/bin/pip" install --quiet --disable-pip-version-check \
  dask==2026.8.0 dask-image==2026.5.0 ngff-zarr==0.50.0 numpy==2.4.6
"$folder/venv2/bin/pip" install --quiet --disable-pip-version-check \
  dask==2025.12.0 dask-image==2026.5.0 multiscale-spatial-image==2.1.0 numpy==2.4.6 spatial-image==1.2.3
cat >"$folder/apart.py" <<'PYTHON'
import sys

import numpy as np

PLACE = {"dims": ("y", "x"), "scale": {"y": 0.5, "x": 0.5}, "translation": {"y": 7.0, "x": 7.0}}
FACTORS = [2, 4, 8]
IMAGE = np.tile(np.arange(256) * 0.5 + 7, (256, 1))  # each pixel holds its own x in µm


def of_ngff_zarr(method):
    """Pixels of each level, and the x in µm at which it says that they lie."""
    import ngff_zarr

    image = ngff_zarr.to_ngff_image(IMAGE, **PLACE)
    for one in ngff_zarr.to_multiscales(image, scale_factors=FACTORS, method=ngff_zarr.Methods[method]).images:
        yield one.data, np.arange(one.data.shape[1]) * one.scale["x"] + one.translation["x"]


def of_spatial_image(method):
    """The same of multiscale-spatial-image."""
    from multiscale_spatial_image import Methods, to_multiscale
    from spatial_image import to_spatial_image

    tree = to_multiscale(to_spatial_image(IMAGE, **PLACE), FACTORS, method=Methods[method])
    for number in range(4):
        one = next(iter(tree[f"scale{number}"].data_vars.values()))
        yield one.data, one.x.values


for method in sys.argv[2:]:
    seen = []
    for pixels, x in {"ngff-zarr": of_ngff_zarr, "multiscale-spatial-image": of_spatial_image}[sys.argv[1]](method):
        far = np.unique((x - np.asarray(pixels)[len(pixels) // 2])[6:-6].round(4))  # away from the border
        assert len(far) == 1
        seen.append(float(far[0]))
    print(sys.argv[1], method, *(f"{one:.2f}" for one in seen))
PYTHON
seen=$("$folder/venv1/bin/python" -W ignore "$folder/apart.py" ngff-zarr DASK_BIN_SHRINK DASK_IMAGE_GAUSSIAN DASK_IMAGE_NEAREST)
seen+=$'\n'$("$folder/venv2/bin/python" -W ignore "$folder/apart.py" \
  multiscale-spatial-image DASK_IMAGE_GAUSSIAN DASK_IMAGE_NEAREST DASK_IMAGE_MODE)
printf 'how far in µm the levels of 0.5, 1, 2 and 4 µm say that they lie from where they are from:\n%s\n' "$seen"
wanted='ngff-zarr DASK_BIN_SHRINK 0.00 0.00 0.00 0.00
ngff-zarr DASK_IMAGE_GAUSSIAN 0.00 0.25 0.75 1.75
ngff-zarr DASK_IMAGE_NEAREST 0.00 0.25 0.75 1.75
multiscale-spatial-image DASK_IMAGE_GAUSSIAN 0.00 0.25 0.75 1.75
multiscale-spatial-image DASK_IMAGE_NEAREST 0.00 0.25 0.75 1.75
multiscale-spatial-image DASK_IMAGE_MODE 0.00 0.75 2.25 5.25'
[ "$seen" = "$wanted" ] || { echo "the behaviour changed" >&2; exit 1; }
echo "as described: the levels lie beside the image they are made of"

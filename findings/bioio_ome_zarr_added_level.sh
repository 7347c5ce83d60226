#!/usr/bin/env bash
# bioio-ome-zarr 3.8.1: a resolution level added to an OME-Zarr with add_zarr_level.
#
# Expected: a level of half the height and width covers the same field with pixels twice as large (OME-Zarr 0.4: the
#           scale of a level is its pixel size; levels go from fine to coarse), as where the writer makes it itself.
# Seen:     the scale is multiplied by the factor of the shape instead of divided: the level of half the size says pixels
#           of half the size, so a quarter of the width of the field. bioio's reader gives it out; ngff-zarr refuses the image.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  bioio-ome-zarr==3.8.1 bioio-base==3.5.0 zarr==3.1.6 numpy==2.4.6 dask==2026.8.0 ngff-zarr==0.50.0 jsonschema==4.26.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import ngff_zarr
import numpy as np
from bioio_ome_zarr import Reader
from bioio_ome_zarr.writers import OMEZarrWriter, add_zarr_level

image = np.arange(4 * 64 * 96, dtype=np.uint16).reshape(1, 1, 4, 64, 96)
half = (1, 1, 4, 32, 48)


def write(path, shapes):
    writer = OMEZarrWriter(path, level_shapes=shapes, dtype=image.dtype, zarr_format=2, axes_names=list("tczyx"),
                           physical_pixel_size=[1, 1, 2, 0.5, 0.5])
    writer.write_full_volume(image)


def widths(path):
    reader, found = Reader(path), []
    for level in reader.resolution_levels:
        reader.set_resolution_level(level)
        found.append((reader.dims.X, reader.physical_pixel_sizes.X))
    return found


write("at_once.zarr", [image.shape, half])
write("added.zarr", [image.shape])
add_zarr_level("added.zarr", (1, 1, 1, 0.5, 0.5))
for path in ("at_once.zarr", "added.zarr"):
    print(path, ", ".join(f"{pixels} px of {size:g} µm: {pixels * size:g} µm wide" for pixels, size in widths(path)))
assert widths("at_once.zarr") == [(96, 0.5), (48, 1.0)]
assert widths("added.zarr") == [(96, 0.5), (48, 0.25)], "the behaviour changed"
ngff_zarr.from_ngff_zarr("at_once.zarr", validate=True)
try:
    ngff_zarr.from_ngff_zarr("added.zarr", validate=True)
except Exception as error:
    print(f"ngff-zarr: {error}")
else:
    raise SystemExit("ngff-zarr takes it now")
PYTHON
echo "as described: the added level says pixels of half the size instead of twice"

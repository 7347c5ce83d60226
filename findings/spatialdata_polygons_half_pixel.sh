#!/usr/bin/env bash
# spatialdata 0.7.3: where an object of a label map lies, by its centroid, by its circle and by its polygon.
#
# Expected: get_centroids, to_circles and to_polygons of one label map speak of the same place, the polygon covers the
#           pixels of the object, and rasterize makes the same label map of it again: pixels are squares of side 1, and
#           the centre of the first is at 0.5 (what get_extent and get_centroids say).
# Seen:     the polygons lie half a pixel further up and left than centroids and circles, and lack their corners: of a
#           square of 4 x 4 pixels, 15.5 px². Made into labels again, objects lose pixels at their lower and right
#           border, and an object of one pixel is gone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  spatialdata==0.7.3 numpy==2.4.6 scikit-image==0.26.0 shapely==2.2.0 geopandas==1.2.0 dask==2026.1.1 \
  xarray==2026.9.0 anndata==0.12.19 pandas==2.3.3 zarr==3.1.6 ome-zarr==0.15.0 datashader==0.19.1 dask-image==2026.5.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import spatialdata
from spatialdata.models import Labels2DModel

labels = np.zeros((12, 14), np.int32)
labels[2:6, 3:7] = 1  # a square
labels[8:10, 3:6] = 2
labels[8, 10] = 3  # one pixel
image = Labels2DModel.parse(labels, dims=("y", "x"))
centroids = spatialdata.get_centroids(image).compute()[["x", "y"]].to_numpy()
circles = np.array([(point.x, point.y) for point in spatialdata.to_circles(image).geometry])
polygons = spatialdata.to_polygons(image)
extent = spatialdata.get_extent(image)
assert (extent["x"], extent["y"]) == ((0, 14), (0, 12))
assert centroids.tolist() == circles.tolist() == [[5, 4], [4.5, 9], [10.5, 8.5]]
for number, shape in zip(polygons.label if "label" in polygons else polygons.index, polygons.geometry, strict=True):
    print(f"object {number}: centroid {centroids[number - 1]}, polygon around {shape.centroid.x:g} {shape.centroid.y:g},"
          f" {shape.area:g} of {np.count_nonzero(labels == number)} px²")
square = polygons.geometry.iloc[0]
assert (square.bounds, square.area) == ((2.5, 1.5, 6.5, 5.5), 15.5), "the polygons changed"
again = spatialdata.rasterize(polygons, ["x", "y"], min_coordinate=[0, 0], max_coordinate=[14, 12],
                              target_coordinate_system="global", target_unit_to_pixels=1,
                              return_regions_as_labels=True)
back = np.asarray(again.data).squeeze()
counts = {number: (int((labels == number).sum()), int((back == number).sum())) for number in (1, 2, 3)}
print("pixels of each object, before and after:", counts)
assert counts[1][1] < 16 and counts[2][1] < 6 and counts[3][1] == 0, "the round trip changed"
PYTHON
echo "as described: polygons of labels lie half a pixel beside their centroids, and lose pixels on the way back"

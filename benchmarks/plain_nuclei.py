"""Segment, measure and bring back the nuclei of a dataset in OMERO with nothing of ours, one process a core.

What a person without the suite would write: `python -m benchmarks.plain_nuclei HOST:PORT DATASET FOLDER`, with a login
in OMERO_USER and OMERO_PASSWORD. It does the steps of the workflow omero-nuclei-measurement: pixels from OMERO, white
top-hat, smoothing, Otsu, holes, watershed, a label map a file, shape and grey values, outlines as ROIs, one table and
a picture. `bench_galaxy_lists` compares the two.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import omero.clients
import tifffile
from omero.rtypes import rint, rstring
from PIL import Image
from scipy.ndimage import binary_fill_holes, distance_transform_edt, white_tophat
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import find_contours, regionprops_table
from skimage.morphology import remove_small_objects
from skimage.segmentation import mark_boundaries, watershed

SIDE, SHOWN = 512, 24
NAMES = (
    *("label", "area", "bbox", "centroid", "perimeter", "axis_major_length", "axis_minor_length", "solidity"),
    *("eccentricity", "intensity_mean", "intensity_min", "intensity_max", "intensity_std"),
)


@functools.cache
def connected(address: str) -> Any:
    """Return this process's client."""
    host, _, port = address.rpartition(":")
    client = omero.clients.BaseClient(host=host, port=int(port))
    client.createSession(os.environ["OMERO_USER"], os.environ["OMERO_PASSWORD"])
    return client


def ids(client: Any, hql: str) -> list[int]:
    """Return the first column of a query."""
    return [row[0].val for row in client.sf.getQueryService().projection(hql, None)]


def segmented(plane: np.ndarray) -> np.ndarray:
    """Return the labels of the nuclei of a plane."""
    grey = np.rint(gaussian(white_tophat(plane, size=51), 1.0, preserve_range=True)).astype(plane.dtype)
    mask = binary_fill_holes(grey > threshold_otsu(grey))
    height = gaussian(distance_transform_edt(mask), 1.0)
    peaks = peak_local_max(height, min_distance=7, exclude_border=False, labels=mask.astype(np.uint8))
    markers = np.zeros(plane.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels: np.ndarray = remove_small_objects(watershed(-height, markers, mask=mask), max_size=19).astype(np.uint16)
    return labels


def measured(task: tuple[str, str, int]) -> tuple[list[list[float]], np.ndarray]:
    """Work on one image: return a row a nucleus, and a picture."""
    address, folder, image = task
    client = connected(address)
    store = client.sf.createRawPixelsStore()
    store.setPixelsId(ids(client, f"select p.id from Pixels p where p.image.id = {image}")[0], True)
    plane = np.frombuffer(store.getPlane(0, 0, 0), ">u2").reshape(SIDE, SIDE).astype(np.uint16)
    store.close()
    labels = segmented(plane)
    tifffile.imwrite(Path(folder) / f"{image}.ome.tiff", labels, compression="zlib")
    table = regionprops_table(labels, plane, properties=NAMES)
    client.sf.getUpdateService().saveAndReturnIds([roi(labels == label, image) for label in table["label"]])
    rows = np.column_stack([np.full(len(table["label"]), image), *table.values()]).tolist()
    return rows, (mark_boundaries(plane / plane.max(), labels) * 255).astype(np.uint8)


def roi(inside: np.ndarray, image: int) -> Any:
    """Return the outline of a nucleus as a ROI."""
    made, shape = omero.model.RoiI(), omero.model.PolygonI()
    points = max(find_contours(np.pad(inside, 1), 0.5), key=len) - 1
    shape.points = rstring(" ".join(f"{x:g},{y:g}" for y, x in points))
    shape.theZ, shape.theT = rint(0), rint(0)
    made.addShape(shape)
    made.setImage(omero.model.ImageI(image, False))
    return made


def save_table(client: Any, dataset: int, rows: list[list[float]]) -> None:
    """Attach all rows to the dataset as one table."""
    table = client.sf.sharedResources().newTable(1, "measurements")
    columns = [omero.grid.DoubleColumn(f"column {number}", "", []) for number in range(len(rows[0]))]
    table.initialize(columns)
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        column.values = list(values)
    table.addData(columns)
    link = omero.model.DatasetAnnotationLinkI()
    link.parent, link.child = omero.model.DatasetI(dataset, False), omero.model.FileAnnotationI()
    link.child.setFile(omero.model.OriginalFileI(table.getOriginalFile().id.val, False))
    client.sf.getUpdateService().saveObject(link)
    table.close()


def main(address: str, name: str, folder: str) -> None:
    """Work on a dataset; write the number of nuclei to the file `objects`."""
    client = connected(address)
    [dataset] = ids(client, f"select d.id from Dataset d where d.name = '{name}'")
    images = ids(client, f"select l.child.id from DatasetImageLink l where l.parent.id = {dataset} order by l.child.id")
    with multiprocessing.get_context("spawn").Pool() as pool:
        found = pool.map(measured, [(address, folder, image) for image in images])
    rows = [row for one, _ in found for row in one]
    Image.fromarray(np.concatenate([picture for _, picture in found[:SHOWN]])).save(Path(folder) / "overview.png")
    save_table(client, dataset, rows)
    client.closeSession()
    (Path(folder) / "objects").write_text(str(len(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])

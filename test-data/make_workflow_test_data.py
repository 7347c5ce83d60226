"""Make the test files of the workflows and the overlay: `python test-data/make_workflow_test_data.py <folder>`.

Get the folder by `pip download spotiflow==0.6.5 --no-deps && unzip spotiflow-*.whl -d spotiflow-wheel`.
Every run gives identical files. README.md in this folder lists real and synthetic files.
"""

import json
import sys
import uuid
from pathlib import Path

import skimage.data
import tifffile
from skimage.io import imsave

HERE = Path(__file__).parent


def main(wheel: Path) -> None:
    """Write every file."""
    telomeres(wheel / "spotiflow/sample_data/images/timelapse_telomeres_2d.tif")
    imsave(HERE / "ihc_lower_right.png", skimage.data.immunohistochemistry()[256:, 256:], check_contrast=False)
    rois()


def telomeres(source: Path) -> None:
    """Write `telomeres_early` and `telomeres_late`: every tenth frame of the first and second hundred, unchanged."""
    movie = tifffile.imread(source)
    for name, first in (("telomeres_early.ome.tiff", 0), ("telomeres_late.ome.tiff", 100)):
        metadata = {
            "axes": "TYX", "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "Channel": {"Name": ["Telomeres"]},
            # The file states 9.090909 pixels per micrometre and a frame interval of 0.05 s.
            "PhysicalSizeX": 0.11, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.11, "PhysicalSizeYUnit": "µm",
            "TimeIncrement": 0.5, "TimeIncrementUnit": "s",
        }  # fmt: skip
        frames = movie[first : first + 100 : 10]
        tifffile.imwrite(
            HERE / name, frames, ome=True, photometric="minisblack", compression="zlib", predictor=True,
            metadata=metadata,
        )  # fmt: skip


def rois() -> None:
    """Write `two_rois.geojson`: a polygon with a hole, and a line."""
    outer = [[20, 20], [120, 20], [120, 100], [20, 100], [20, 20]]
    hole = [[50, 40], [50, 60], [80, 60], [80, 40], [50, 40]]
    shapes = [("crypt", "Polygon", [outer, hole]), ("scale", "LineString", [[150, 230], [240, 230]])]
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": kind, "coordinates": coordinates}}
        for name, kind, coordinates in shapes
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, indent=1)
    (HERE / "two_rois.geojson").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

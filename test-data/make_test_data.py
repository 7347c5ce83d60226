"""Make the images of this folder: `python test-data/make_test_data.py <folder of the unpacked stardist wheel>`.

Get the folder by `pip download stardist==0.9.2 --no-deps && unzip stardist-*.whl -d stardist-wheel`.
README.md in this folder lists real and synthetic images.
"""

import struct
import sys
import uuid
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

HERE = Path(__file__).parent
QUADRANTS = {"upper_left": (0, 0), "upper_right": (0, 256), "lower_left": (256, 0), "lower_right": (256, 256)}


def main(wheel: Path) -> None:
    """Write all images."""
    image = tifffile.imread(wheel / "stardist/data/images/img2d.tif")
    truth = tifffile.imread(wheel / "stardist/data/images/mask2d.tif")
    save("nuclei.ome.tiff", image, "YX", ["Nuclei"])
    save("nuclei_truth.ome.tiff", truth, "YX", ["Labels"])
    for name, (y, x) in QUADRANTS.items():
        save(f"nuclei_{name}.ome.tiff", image[y : y + 256, x : x + 256], "YX", ["Nuclei"])
    synthetic()
    volumes()
    broken(image)


def save(name: str, pixels: np.ndarray, axes: str, channels: list[str], **sizes: Any) -> None:
    """Write an OME-TIFF without timestamp or random id, so that the same pixels give the same file."""
    metadata: dict[str, Any] = {"axes": axes, "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, name)), **sizes}
    metadata["Channel"] = {"Name": channels}
    tifffile.imwrite(
        HERE / name, pixels, ome=True, photometric="minisblack", compression="zlib", predictor=True, metadata=metadata
    )


def disks(shape: tuple[int, int], centres: list[tuple[float, float]], radius: float) -> np.ndarray:
    """Return a mask of disks."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    array: np.ndarray = np.any([(y - cy) ** 2 + (x - cx) ** 2 <= radius**2 for cy, cx in centres], axis=0)
    return array


def synthetic() -> None:
    """Write small images whose correct results are known by construction."""
    rng = np.random.default_rng(2)
    pixels = rng.integers(90, 110, (2, 2, 3, 64, 80), dtype=np.uint16)
    for t in range(2):
        for z in range(3):
            pixels[t, 0, z][disks((64, 80), [(20 + 3 * t, 20), (44, 56 - 2 * t)], 9)] += 1000
            pixels[t, 1, z][disks((64, 80), [(20 + 3 * t, 20)], 5)] += 400 * (z + 1)
    save(
        "synthetic_tczyx.ome.tiff", pixels, "TCZYX", ["DAPI", "GFP & <friends>"],
        PhysicalSizeX=0.5, PhysicalSizeXUnit="µm", PhysicalSizeY=0.5, PhysicalSizeYUnit="µm",
        PhysicalSizeZ=2.0, PhysicalSizeZUnit="µm", TimeIncrement=30.0, TimeIncrementUnit="s",
    )  # fmt: skip
    save("synthetic_zero.ome.tiff", np.zeros((64, 80), np.uint16), "YX", ["DAPI"])
    labels = np.zeros((64, 80), np.uint16)
    labels[disks((64, 80), [(20, 20)], 9)] = 1
    labels[disks((64, 80), [(44, 56)], 9)] = 2
    labels[0:4, 70:80] = 7
    save("synthetic_labels.ome.tiff", labels, "YX", ["Labels"], PhysicalSizeX=500.0, PhysicalSizeXUnit="nm",
         PhysicalSizeY=0.5, PhysicalSizeYUnit="µm")  # fmt: skip
    # The expected result of segment_objects: the same objects, numbered by their first pixel.
    numbered = np.select([labels == 7, labels == 1, labels == 2], [1, 2, 3]).astype(np.uint16)
    save("segment_objects_labels.ome.tiff", numbered, "YX", ["Labels"])
    tifffile.imwrite(
        HERE / "synthetic_imagej.tiff", pixels[0].swapaxes(0, 1), imagej=True, resolution=(2.0, 2.0),
        metadata={"axes": "ZCYX", "spacing": 2.0, "unit": "um"},
    )  # fmt: skip
    # Two images in one file, for the tests of image_info alone.
    file = HERE / "two_series.ome.tiff"
    with tifffile.TiffWriter(file, ome=True) as tiff:
        for name, value in (("left", 1), ("right", 2)):
            tiff.write(
                np.full((8, 8 * value), value, np.uint8),
                metadata={"axes": "YX", "Name": name, "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, file.name))},
            )
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[disks((48, 64), [(16, 16), (30, 46)], 8)] = (40, 200, 120)
    (HERE / "synthetic_rgb.png").write_bytes(png(rgb))


def volumes() -> None:
    """Write three cells in 3D that partly touch, and five spots: two in the first, one in each other, one outside."""
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm",
             "PhysicalSizeZ": 1.0, "PhysicalSizeZUnit": "µm"}  # fmt: skip
    z, y, x = np.indices((10, 40, 60))
    cells = np.zeros((10, 40, 60), np.uint16)
    for label, (cy, cx) in enumerate([(20, 12), (20, 28), (12, 48)], 1):
        ball = ((z - 5) * 2) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= 8**2
        cells[ball & (cells == 0)] = label
    spots = np.zeros_like(cells)
    for label, (cz, cy, cx) in enumerate([(4, 18, 10), (5, 22, 14), (5, 20, 28), (5, 12, 48), (0, 2, 2)], 1):
        spots[cz : cz + 2, cy : cy + 2, cx : cx + 2] = label
    save("volume_cells.ome.tiff", cells, "ZYX", ["Labels"], **sizes)
    save("volume_spots.ome.tiff", spots, "ZYX", ["Labels"], **sizes)


def png(rgb: np.ndarray) -> bytes:
    """Return a (Y, X, 3) uint8 array as a PNG file (PNG specification, third edition, section 5)."""
    height, width = rgb.shape[:2]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def broken(image: np.ndarray) -> None:
    """Write files that every tool must refuse."""
    whole = HERE / "truncated.tiff"
    tifffile.imwrite(whole, image[:128, :128], photometric="minisblack")
    whole.write_bytes(whole.read_bytes()[:9000])
    (HERE / "not_an_image.tiff").write_text("This is a text, whatever its name says.\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

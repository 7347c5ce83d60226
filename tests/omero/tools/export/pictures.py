"""Images to export, and how to read what comes."""

import zipfile
from pathlib import Path

import numpy as np
import tifffile

from sandbox.omero.client_import import ImportOptions, import_with_options
from tests.omero.tool_support import Lab, typed

NAMES = ("a", "b")


def noise(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    generator = np.random.default_rng(7)
    if dtype.startswith("float"):
        return generator.normal(0, 1e4, shape).astype(dtype)
    info = np.iinfo(dtype)
    return generator.integers(info.min, info.max, shape, dtype, endpoint=True)


def five_d(lab: Lab, pixels: np.ndarray, name: str = "five d", dataset: int | None = None) -> int:
    """An image from pixels (t, c, z, y, x)."""
    planes = {(z, c, t): pixels[t, c, z] for t, c, z in np.ndindex(pixels.shape[:3])}
    return lab.image(name, planes, dataset, NAMES[: pixels.shape[1]])


def by_id(image: int) -> dict:
    return typed("image", image, by="id")


def read(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        assert series.get_axes(squeeze=False) == "TCZYXS"
        return series.asarray(squeeze=False)[..., 0]


def unpacked(path: Path, folder: Path) -> Path:
    target = folder / f"{path.name}.unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target


def import_series(lab: Lab, folder: Path, algorithm: str = "SHA1-160") -> tuple[list[int], dict[str, bytes]]:
    """Import an OME-TIFF with a companion in a folder below; returns images and the files by their place."""
    (folder / "set" / "notes").mkdir(parents=True)
    pixels = noise((2, 30, 40))
    with tifffile.TiffWriter(folder / "set" / "im.ome.tiff", ome=True) as writer:
        for plane in pixels:
            writer.write(plane, metadata={"axes": "YX"})
    (folder / "set" / "notes" / "readme.txt").write_bytes(b"kept")
    paths = [folder / "set" / "im.ome.tiff", folder / "set" / "notes" / "readme.txt"]
    made = import_with_options(lab.client, paths, ImportOptions(algorithm=algorithm))
    return list(made.image_ids), {str(path.relative_to(folder / "set")): path.read_bytes() for path in paths}

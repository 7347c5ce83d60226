"""Label maps to measure, and how to run measure_objects on them."""

import csv
from pathlib import Path

import measure_objects
import numpy as np
import tifffile

DATA = Path(__file__).parents[4] / "test-data"


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def measure(tmp_path: Path, labels: Path, image: Path | None = None, *more: str) -> list[dict[str, str]]:
    words = ["--labels", str(labels), "--output", str(tmp_path / "table.tsv"), *more]
    measure_objects.main(words + (["--image", str(image)] if image else []))
    return read_table(tmp_path / "table.tsv")


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name] or "nan") for row in rows])


def write(path: Path, pixels: np.ndarray, axes: str, **metadata: object) -> Path:
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": axes, **metadata})
    return path


def random_labels(seed: int, shape: tuple[int, ...], count: int = 6) -> np.ndarray:
    """Blocks of labels that touch, with speckle, gaps and single pixels."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, count + 1, tuple(size // 4 + 1 for size in shape))
    labels = np.kron(coarse, np.ones((4,) * len(shape), int))[tuple(slice(0, size) for size in shape)]
    speckle = rng.random(shape) < 0.05
    labels[speckle] = rng.integers(0, count + 1, int(speckle.sum()))
    return (labels * 11).astype(np.uint16)

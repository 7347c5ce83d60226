"""Profiles and tables of cells for tests."""

from pathlib import Path

import numpy as np

from bioimage_suite.plates.profiles import Profiles
from bioimage_suite.plates.wells import Well
from bioimage_suite.tables.plate_layout import parse_well


def profiles_of(wells: str, values: np.ndarray, counts: list[int] | None = None, **conditions: str) -> Profiles:
    """Profiles of wells such as "A1 A2", with conditions such as `control="negative -"`."""
    places = tuple(Well("P", *parse_well(well)) for well in wells.split())
    number = len(places)
    texts = {name: tuple(text.split()) for name, text in conditions.items()}
    features = tuple(f"f{place}" for place in range(values.shape[1]))
    return Profiles(places, texts, np.array(counts or [5] * number), features, np.asarray(values, float))


def write_cells(path: Path, columns: str, rows: list[tuple]) -> tuple[Path, str]:
    lines = [columns.split(), *rows]
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
    return path, path.stem

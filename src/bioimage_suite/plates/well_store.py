"""Objects of many wells on their way: in memory up to a limit, beyond it in one temporary file for each well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.plates.wells import Well

LIMIT = 256 * 2**20


class WellStore:
    """Collects rows of features by well; rows of a well may come in any order and from several tables."""

    def __init__(self, folder: Path, features: int, limit: int = LIMIT) -> None:
        """Keep `features` numbers of each object; temporary files go to `folder`; `limit` counts bytes in memory."""
        self._folder, self._features, self._limit = folder, features, limit
        self._held: dict[Well, list[np.ndarray]] = {}
        self._files: dict[Well, Path] = {}
        self._bytes = 0

    def add(self, well: Well, values: np.ndarray) -> None:
        """Add (n, features) float64 of a well."""
        self._held.setdefault(well, []).append(values.copy())
        self._bytes += values.nbytes
        if self._bytes > self._limit:
            self._spill()

    def values(self, well: Well) -> np.ndarray:
        """Return all (n, features) float64 of a well in the order in which they came; n may be 0."""
        found = [np.empty((0, self._features)), *self._held.get(well, ())]
        if well in self._files:
            found.insert(1, np.fromfile(self._files[well]).reshape(-1, self._features))
        return np.concatenate(found)

    def _spill(self) -> None:
        for well, parts in self._held.items():
            file = self._files.setdefault(well, self._folder / str(len(self._files)))
            with file.open("ab") as stream:
                for part in parts:
                    stream.write(part.tobytes())
        self._held, self._bytes = {}, 0

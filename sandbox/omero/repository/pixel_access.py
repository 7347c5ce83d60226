"""Open the pixels of a Pixels row: those that a client has written, or an imported file."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.omero.image_files import ImageFile, SeriesReader, open_image_file
from sandbox.omero.image_files.ome_zarr import is_zarr
from sandbox.omero.image_files.opening import COMPANION_SUFFIX
from sandbox.omero.repository.pixel_store import PixelSource, PixelsShape, StoredPixels
from sandbox.omero.repository.stored_files import original_file_path, pixels_path, repository_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np

    from sandbox.omero.database.transactions import Transaction

IDLE_FILES = 16  # opened files kept for the next caller


class SeriesPixels:
    """An image of an opened file, as a source of pixels."""

    def __init__(self, reader: SeriesReader, close: Callable[[], None] = lambda: None) -> None:
        d = reader.description
        self.reader = reader
        self.shape = PixelsShape(d.size_x, d.size_y, d.size_z, d.size_c, d.size_t, d.pixel_type)
        self.level_sizes = d.level_sizes
        self.tile_size = d.tile_size
        self.close = close

    def read_tile(self, level: int, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> np.ndarray:
        """Return one region of one plane, shape (h, w)."""
        return self.reader.read_tile(level, z, c, t, x, y, w, h)


def _open(path: Path) -> ImageFile:
    """Open a file for its pixels, without its OME-XML, which may be large and was read at the import."""
    opened = open_image_file(path)
    for reader in opened.series:
        reader.description = dataclasses.replace(reader.description, ome=None)
    return opened


@dataclass(eq=False)
class _Opened:
    file: ImageFile
    users: int = 0


class OpenedFiles:
    """Open image files, shared by all handles. Of those that nobody uses, the longest unused are closed first.

    The key is the path, as the folder of an import is never used twice.
    """

    def __init__(self) -> None:
        self._opened: dict[Path, _Opened] = {}
        self._lock = threading.Lock()

    def series(self, path: Path, number: int) -> SeriesPixels:
        """Open one image of a file; its `close` gives it back.

        Raises:
            ImageFileError: The file cannot be read (any more).
        """
        with self._lock:
            opened = self._opened.pop(path, None) or _Opened(_open(path))
            self._opened[path] = opened  # now the last, which is the most recently used
            opened.users += 1
        return SeriesPixels(opened.file.series[number], lambda: self._give_back(opened))

    def _give_back(self, opened: _Opened) -> None:
        with self._lock:
            opened.users -= 1
            if opened.users == 0 and opened not in self._opened.values():  # forgotten meanwhile
                opened.file.close()
            idle = [path for path, one in self._opened.items() if one.users == 0]
            for path in idle[: max(0, len(idle) - IDLE_FILES)]:
                self._opened.pop(path).file.close()

    def forget(self, folder: Path) -> None:
        """Close the files below a folder that is about to be removed."""
        with self._lock:
            for path in [p for p in self._opened if p.is_relative_to(folder)]:
                opened = self._opened.pop(path)
                if opened.users == 0:
                    opened.file.close()


OPENED_FILES = OpenedFiles()


def shape_of(tx: Transaction, pixels: Mapping[str, Any]) -> PixelsShape:
    """Return size and type of a Pixels row."""
    pixel_type = tx.get("PixelsType", pixels["pixelsType"])
    assert pixel_type is not None
    x, y, z, c, t = (pixels[f"size{axis}"] for axis in "XYZCT")
    return PixelsShape(x, y, z, c, t, pixel_type["value"])


def target_file(paths: list[Path], root: Path) -> Path:
    """Return the file or folder of a fileset that is opened: its zarr folder, its companion file, or the first file.

    Args:
        paths: The fileset's files.
        root: Folder of all these files; a zarr folder is not searched for above it.
    """
    found = [folder for folder in paths[0].parents if folder.is_relative_to(root) and is_zarr(folder)]
    if found:
        return found[-1]  # the outermost
    return next((path for path in paths if path.name.endswith(COMPANION_SUFFIX)), paths[0])


def fileset_paths(tx: Transaction, files: Path, fileset_id: int) -> list[Path]:
    """Return the files of a fileset in their order."""
    entries = tx.find("FilesetEntry", fileset=fileset_id)
    rows = {row["id"]: row for row in tx.find("OriginalFile", id=[e["originalFile"] for e in entries])}
    return [original_file_path(files, rows[entry["originalFile"]]) for entry in entries]


def open_pixels(tx: Transaction, files: Path, pixels: Mapping[str, Any]) -> PixelSource:
    """Open the pixels of a row.

    Raises:
        ImageFileError: The imported file cannot be read (any more).
    """
    image = tx.get("Image", pixels["image"])
    if image is None or image["fileset"] is None or pixels_path(files, pixels["id"]).exists():
        return StoredPixels(pixels_path(files, pixels["id"]), shape_of(tx, pixels))
    target = target_file(fileset_paths(tx, files, image["fileset"]), repository_folder(files))
    return OPENED_FILES.series(target, image["series"] or 0)

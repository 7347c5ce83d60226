"""Open an image file of any supported kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.omero.image_files.description import ImageFileError, PlateDescription
from sandbox.omero.image_files.fake import FAKE_SUFFIX, fake_files, open_fake
from sandbox.omero.image_files.ome_xml import read_ome_xml
from sandbox.omero.image_files.ome_zarr import is_zarr, open_ome_zarr
from sandbox.omero.image_files.picture import PICTURE_SUFFIXES, open_picture
from sandbox.omero.image_files.tiff import TIFF_SUFFIXES, open_tiff

if TYPE_CHECKING:
    from sandbox.omero.image_files.series_reader import SeriesReader

COMPANION_SUFFIX = ".companion.ome"


@dataclass
class ImageFile:
    """An opened image file.

    Attributes:
        series: Its images.
        files: All files that belong to it; the one that was opened comes first.
        kind: Name of the format as OMERO calls it (`OMETiff`, `TIFF`, `PNG`, `JPEG`, `ZarrReader`, `Fake`).
        plates: The plates that the images were taken of: those of the first come first.
    """

    series: list[SeriesReader]
    files: list[Path]
    kind: str
    plates: tuple[PlateDescription, ...] = ()

    def close(self) -> None:
        """Release the files."""
        for reader in self.series:
            reader.close()


def open_image_file(path: Path | str) -> ImageFile:
    """Open a TIFF, OME-TIFF, ImageJ TIFF, PNG or JPEG file, or an OME-Zarr folder.

    Args:
        path: The file; for OME-Zarr its folder or the metadata file (`.zattrs`, `zarr.json`) in it;
            for a multi-file OME-TIFF any of its files or its `.companion.ome`.

    Raises:
        ImageFileError: The file is missing, broken, truncated, or of another kind.
    """
    path = Path(path)
    if not path.exists():
        raise ImageFileError(f"{path.name}: no such file")
    if path.is_file() and is_zarr(path.parent) and (path.name.startswith(".z") or path.name == "zarr.json"):
        path = path.parent
    if path.is_dir():
        if not is_zarr(path):
            raise ImageFileError(f"{path.name}: the folder is not an OME-Zarr image")
        files = sorted(file for file in path.rglob("*") if file.is_file())
        readers, plate = open_ome_zarr(path)
        return ImageFile(readers, files, "ZarrReader", () if plate is None else (plate,))
    if path.name.lower().endswith(FAKE_SUFFIX):
        series, plates = open_fake(path)
        return ImageFile(series, fake_files(path), "Fake", plates)
    if path.stat().st_size == 0:
        raise ImageFileError(f"{path.name}: the file is empty")
    name = path.name.lower()
    if name.endswith(COMPANION_SUFFIX):
        return _open_companion(path)
    if name.endswith(PICTURE_SUFFIXES):
        return ImageFile([open_picture(path)], [path], "PNG" if name.endswith(".png") else "JPEG")
    if name.endswith(TIFF_SUFFIXES):
        readers, files = open_tiff(path)
        return ImageFile(readers, files, "OMETiff" if ".ome." in name else "TIFF")
    raise ImageFileError(
        f"{path.name}: unknown file format; TIFF, OME-TIFF, ImageJ TIFF, PNG, JPEG and OME-Zarr are read"
    )


def _open_companion(path: Path) -> ImageFile:
    text = path.read_text("utf-8")
    names = read_ome_xml(text).file_names
    if not names:
        raise ImageFileError(f"{path.name}: names no file with pixels")
    first = path.with_name(Path(names[0]).name)
    if not first.is_file():
        raise ImageFileError(f"{path.name}: its file {first.name} is missing")
    readers, files = open_tiff(first, text)
    return ImageFile(readers, [path, *(file for file in files if file != path)], "Companion/OMETiff")

"""Files that form one OME-TIFF: the names by which they know each other, which an upload may have changed.

Each file of a set has a UUID, by which the document of the set calls it; files without one must have kept their names.
https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html#multi-file-ome-tiff-filesets
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import TIFF_STARTS

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def joined(files: dict[str, Path]) -> Iterator[Path]:
    """Yield the path by which a set is opened, in a folder where its files lie beside each other under their names.

    Args:
        files: Path of each file by its name: TIFF files, and perhaps one with their OME-XML (`.companion.ome`).

    Raises:
        UserError: A file is neither, or there are two with OME-XML alone.
    """
    kinds = {name: _kind(path, name) for name, path in files.items()}
    companions = [name for name, kind in kinds.items() if kind == "xml"]
    if len(companions) > 1:
        raise UserError(f"Files {', '.join(companions)}: each is the OME-XML of a set. Give the files of one set.")
    if len(companions) == len(files):
        raise UserError(f"File {companions[0]}: there are no TIFF files beside it. Give all files of the set.")
    documents = {name: _document(path, kinds[name], name) for name, path in files.items()}
    known = {uuid: called for root in documents.values() if root is not None for uuid, called in _names(root)}
    with TemporaryDirectory(prefix="set_") as folder:
        for name, path in files.items():
            _link(Path(folder), name, path)
            root = documents[name]
            uuid = root.get("UUID") if root is not None else None
            if uuid in known:
                _link(Path(folder), known[uuid], path)
            pointer = root.find("{*}BinaryOnly") if root is not None else None
            if pointer is not None and companions:
                _link(Path(folder), pointer.get("MetadataFile", ""), files[companions[0]])
        first = companions[0] if companions else next(iter(files))
        yield Path(folder) / _plain(first)


def _kind(path: Path, name: str) -> str:
    with path.open("rb") as stream:
        start = stream.read(512)
    if start[:4] in TIFF_STARTS:
        return "tiff"
    if b"<OME" in start:
        return "xml"
    raise UserError(f"File {name}: neither a TIFF nor the OME-XML of a set. Give the files of one OME-TIFF.")


def _document(path: Path, kind: str, name: str) -> ET.Element | None:
    """Return the OME-XML of a file, None where it has none."""
    from tifffile import TiffFile, TiffFileError

    try:
        if kind == "xml":
            # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
            return ET.fromstring(path.read_bytes())  # noqa: S314
        with TiffFile(path) as tiff:
            said = tiff.pages.first.description
        return ET.fromstring(said) if "<OME" in said[:1000] else None  # noqa: S314
    except (ET.ParseError, TiffFileError, ValueError) as error:
        raise UserError(f"File {name}: damaged or cut short ({error}). Upload it again.") from error


def _names(root: ET.Element) -> Iterator[tuple[str, str]]:
    """Yield UUID and name of each file that a document names."""
    for uuid in root.iterfind(".//{*}TiffData/{*}UUID"):
        if uuid.text and uuid.get("FileName"):
            yield uuid.text.strip(), uuid.get("FileName", "")


def _plain(name: str) -> str:
    """Return the last part of a name, which cannot lead out of a folder."""
    return PurePosixPath(name.replace("\\", "/")).name


def _link(folder: Path, name: str, path: Path) -> None:
    """Give a file a name in the folder: as a hard link, because tifffile follows a symbolic one to the other folder."""
    link = folder / (_plain(name) or "file")
    if link.exists():
        return
    try:
        os.link(path.resolve(), link)
    except OSError:  # the folder is on another disk
        shutil.copy(path, link)

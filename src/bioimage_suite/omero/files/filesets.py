"""Files of a Galaxy list or a zip, sorted into filesets: files that are imported together."""

import hashlib
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated
from bioimage_suite.core.untrusted_files import open_zip, unpack_member
from bioimage_suite.omero.files.original_files import file_sha1

MAX_UNPACKED_BYTES = 200 * 1024**3
"""Our own limit: a zip of images may be as large as a disk, but must not unpack without end."""
# Galaxy's formats for files of unknown content; as a suffix they would mislead OMERO.
_NO_SUFFIX = {"", "data", "binary", "auto", "txt", "zip"}
# Files that OMERO opens first, before the files they refer to.
_FIRST = (".companion.ome", "zarr.json", ".zattrs", ".zgroup")
_SAME_SUFFIX = {".tif": ".tiff", ".jpeg": ".jpg", ".ome.tif": ".ome.tiff"}


@dataclass(frozen=True)
class SourceFile:
    """A file to upload: `name` is its path within the fileset (with "/"), `path` the file on disk, `sha1` in hex.

    Without a SHA-1 the file is known by its size in bytes and its name.
    """

    name: str
    path: Path
    sha1: str | None

    @property
    def identity(self) -> str:
        """Return what tells the file's content from others."""
        return self.sha1 or size_identity(self.path.stat().st_size, PurePosixPath(self.name).name)

    @property
    def checksum(self) -> str:
        """Return what OMERO compares after the upload: the SHA-1, or OMERO's File-Size-64."""
        # The lowest byte comes first (omero-common: FileSizeChecksumProviderImplTest.java).
        return self.sha1 or self.path.stat().st_size.to_bytes(8, "little").hex()


@dataclass(frozen=True)
class ImageFileset:
    """Files that make up one or more images; OMERO opens the first. `label` is its name in tables and messages."""

    label: str
    files: tuple[SourceFile, ...]

    @property
    def content(self) -> tuple[str, ...]:
        """Return the fileset's identity: the SHA-1 of its files, sorted; names do not count unless there is none."""
        return tuple(sorted(file.identity for file in self.files))

    @property
    def has_sha1(self) -> bool:
        """Return whether the files are known by their SHA-1."""
        return all(file.sha1 is not None for file in self.files)


def size_identity(size: int, name: str) -> str:
    """Return what a file is known by whose content is not read: its size in bytes and its name without folders."""
    return f"{size} bytes {name}"


def read_filesets(
    entries: Sequence[Mapping[str, Any]], zip_holds: str, folder: Path, *, hashed: bool = True
) -> list[ImageFileset]:
    """Group the files of a Galaxy list into filesets.

    Args:
        entries: Galaxy's description of the files (`data_style="staging_path_and_source_path"`).
        zip_holds: "images": each file of a zip is a fileset, and so is each folder `*.zarr`. "fileset": all files of
            a zip are one fileset.
        folder: Empty folder for unpacked files; may be deleted after the import.
        hashed: Read all bytes for a SHA-1.

    Returns:
        Filesets in the order of the list; within a zip ordered by name.

    Raises:
        UserError: There is no file, an empty or harmful zip, an invalid file name, or two files with the same name.
    """
    if not entries:
        raise UserError("input list: it holds no file. Check the step that made it.")
    filesets: list[ImageFileset] = []
    for number, entry in enumerate(entries):
        identifier, path = str(entry["element_identifier"]), Path(entry["source_path"])
        if _is_zip(entry):
            found = _unpack(path, identifier, folder / str(number))
            filesets += _zip_filesets(found, identifier, zip_holds)
        else:
            name = file_name(identifier, str(entry.get("ext") or ""))
            filesets.append(ImageFileset(identifier, (SourceFile(name, path, None),)))
    if hashed:
        filesets = [replace(one, files=tuple(map(_hashed, one.files))) for one in filesets]
    twice = repeated(one.label for one in filesets)
    if twice:
        raise UserError(f"file {twice[0]!r}: two files have this name. Rename one.")
    return filesets


def content_sha1(fileset: ImageFileset) -> str:
    """Return one checksum for all files of a fileset, in hex."""
    return hashlib.sha1(" ".join(fileset.content).encode(), usedforsecurity=False).hexdigest()


def single_file(label: str, name: str, path: Path) -> ImageFileset:
    """Return a fileset of one file; `name` is its file name in OMERO."""
    return ImageFileset(label, (_hashed(SourceFile(name, path, None)),))


def file_name(identifier: str, extension: str) -> str:
    """Return the file name for OMERO: the name in the list, with the suffix of the file's format.

    >>> file_name("cell_1", "ome.tiff"), file_name("cell_1.tif", "tiff"), file_name("a/b.czi", "data")
    ('cell_1.ome.tiff', 'cell_1.tif', 'a_b.czi')

    Galaxy's list builder takes the last part of a suffix off a name; it comes back.

    >>> file_name("cell_1.ome", "ome.tiff")
    'cell_1.ome.tiff'

    Raises:
        UserError: The name cannot be a file name.
    """
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "_", identifier).strip()
    if not name.strip("._ "):
        raise UserError(f"file {identifier!r}: this is no file name. Rename it.")
    suffix = "" if extension.lower() in _NO_SUFFIX else f".{extension.lower()}"
    lower = name.lower()
    for short, long in _SAME_SUFFIX.items():
        lower = f"{lower[: -len(short)]}{long}" if lower.endswith(short) else lower
    # "x.ome.tiff" in a list of format tiff keeps its name.
    if lower.endswith(_SAME_SUFFIX.get(suffix, suffix)):
        return name
    begun = suffix.rpartition(".")[0]
    return name + suffix.removeprefix(begun) if begun and lower.endswith(begun) else name + suffix


def _is_zip(entry: Mapping[str, Any]) -> bool:
    named = str(entry["element_identifier"]).lower().endswith(".zip") or str(entry.get("ext") or "").endswith("zip")
    return named and zipfile.is_zipfile(entry["source_path"])


def _unpack(path: Path, name: str, folder: Path) -> dict[PurePosixPath, Path]:
    """Unpack a zip without the files that operating systems add (`__MACOSX`, `.DS_Store`); return files by member."""
    found: dict[PurePosixPath, Path] = {}
    with open_zip(path, name, MAX_UNPACKED_BYTES) as archive:
        for member in archive.infolist():
            place = PurePosixPath(member.filename)
            if member.is_dir() or place.parts[0] == "__MACOSX" or place.name in (".DS_Store", "Thumbs.db"):
                continue
            if place in found:
                raise UserError(f"file {name}: member {member.filename!r} occurs twice. Pack it again.")
            target = folder.joinpath(*place.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            unpack_member(archive, member, target, name)
            found[place] = target
    if not found:
        raise UserError(f"file {name}: the zip holds no file. Pack it again.")
    return found


def _zip_filesets(found: Mapping[PurePosixPath, Path], identifier: str, zip_holds: str) -> list[ImageFileset]:
    groups: dict[str, list[PurePosixPath]] = {}
    stem = file_name(identifier.removesuffix(".zip"), "")
    is_zarr = any(str(place) in ("zarr.json", ".zgroup", ".zattrs") for place in found)
    for place in sorted(found):
        if is_zarr or zip_holds == "fileset":
            label = identifier
        else:
            depth = next((n for n, step in enumerate(place.parts, 1) if step.lower().endswith(".zarr")), None)
            label = "/".join(place.parts[:depth])
        groups.setdefault(label, []).append(place)
    filesets = []
    for label, places in groups.items():
        # A zarr that was packed without its folder gets one: OMERO recognises it by the folder's name.
        top = (stem if stem.lower().endswith(".zarr") else f"{stem}.zarr",) if is_zarr else ()
        files = [SourceFile("/".join((*top, *place.parts)), found[place], None) for place in _opened_first(places)]
        filesets.append(ImageFileset(label, tuple(files)))
    return filesets


def _opened_first(places: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Put the file that OMERO must open first to the front: the one that describes the others, else the topmost."""

    def rank(place: PurePosixPath) -> tuple[int, int, str]:
        described = next((n for n, end in enumerate(_FIRST) if place.name.lower().endswith(end)), len(_FIRST))
        return (len(place.parts), described, str(place))

    return sorted(places, key=rank)


def _hashed(file: SourceFile) -> SourceFile:
    return replace(file, sha1=file_sha1(file.path))  # OMERO's default for imported files.

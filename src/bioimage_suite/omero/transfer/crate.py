"""The folder of a transfer (the crate): its layout, manifest and checksums.

ro-crate-metadata.json    RO-Crate 1.2, for people and harvesters
transfer.json             `Manifest`: which file belongs to which images
metadata.ome.xml          containers, images, annotations and ROIs as OME-XML
filesets/<id>/...         original files as they were imported, with their folders
images/<id>/<name>        OME-TIFF of an image that has no original file
attachments/<id>/<name>   attached files and OMERO.tables
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from bioimage_suite.core.damage import reading
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import (
    open_zip,
    parse_json,
    read_member,
    safe_relative_path,
    unpack_member,
)

METADATA, MANIFEST, DOCUMENT = "ro-crate-metadata.json", "transfer.json", "metadata.ome.xml"
FORMAT, VERSION = "bioimage-suite-galaxy/transfer", 1
MAX_UNPACKED_BYTES = 20 * 1024**4
"""Our own limit: a crate may hold whole screens; at most one fileset of it is unpacked at once."""
BLOCK = 1 << 20
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # The same content gives the same zip.


@dataclass(frozen=True)
class CrateFile:
    """A file of the crate: its path there, its name in OMERO (with folders), its size in bytes and SHA-1 in hex."""

    path: str
    name: str
    size: int
    sha1: str


@dataclass(frozen=True)
class CrateFileset:
    """Files that make up images. `images` maps the series number in the files to the image id on the source server.

    `key` is `Fileset:<id>`, or `Image:<id>` if the image has no original file.
    """

    key: str
    files: tuple[CrateFile, ...]
    images: Mapping[int, int]


@dataclass(frozen=True)
class RoiSet:
    """The ROIs of an image: their number, and the SHA-1 of their elements."""

    count: int
    sha1: str


@dataclass(frozen=True)
class Manifest:
    """The contents of a crate: `attachments` by annotation id, `rois` by image id, both ids of the source server.

    `server` is the address of that server; "" unless it was asked for.
    """

    server: str
    database: str
    roots: tuple[str, ...]
    filesets: tuple[CrateFileset, ...]
    attachments: Mapping[int, CrateFile] = field(default_factory=dict)
    rois: Mapping[int, RoiSet] = field(default_factory=dict)

    def lsid(self, key: str) -> str:
        """Return the globally unique name (LSID) of an object `<Class>:<id>`, in the form of OMERO's own exports."""
        kind, _, number = key.partition(":")
        return f"urn:lsid:export.openmicroscopy.org:{kind}:{self.database}_{number}"

    def files(self) -> Iterator[CrateFile]:
        """Yield every file with content from OMERO."""
        for one in self.filesets:
            yield from one.files
        yield from self.attachments.values()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `transfer.json`."""
    document = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    (folder / MANIFEST).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_manifest(data: bytes) -> Manifest:
    """Read `transfer.json`.

    Raises:
        UserError: Not a manifest, another version of the format, or a path that leaves the crate.
    """
    document = parse_json(data, MANIFEST)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UserError(f"{MANIFEST}: not written by this tool. Give a crate that omero_transfer packed.")
    if document.get("version") != VERSION:
        raise UserError(f"{MANIFEST}: version {document.get('version')!r} is unknown here. Use that version's tool.")
    try:
        manifest = Manifest(
            server=str(document["server"]),
            database=str(document["database"]),
            roots=tuple(map(str, document["roots"])),
            filesets=tuple(
                CrateFileset(
                    str(one["key"]),
                    tuple(_file(file) for file in one["files"]),
                    {int(series): int(image) for series, image in one["images"].items()},
                )
                for one in document["filesets"]
            ),
            attachments={int(number): _file(file) for number, file in document["attachments"].items()},
            rois={int(number): RoiSet(int(one["count"]), str(one["sha1"])) for number, one in document["rois"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(f"{MANIFEST}: damaged ({type(error).__name__}: {error}). Pack the crate again.") from None
    for file in manifest.files():
        if safe_relative_path(file.path) is None or safe_relative_path(file.name) is None:
            raise UserError(f"{MANIFEST}: {file.path!r} would leave the crate. Do not trust it.")
    return manifest


def zip_folder(folder: Path, path: Path) -> None:
    """Write a folder to a zip without compression; the same files give the same zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _ZIP_EPOCH)
            info.external_attr = 0o644 << 16
            with file.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, BLOCK)


@dataclass(frozen=True)
class TransferCrate:
    """A crate to read: a folder or a zip. Files are copied to `scratch` while they are used."""

    path: Path
    archive: zipfile.ZipFile | None
    scratch: Path
    manifest: Manifest

    @contextmanager
    def fetched(self, files: Sequence[CrateFile]) -> Iterator[list[Path]]:
        """Copy files to disk, check their SHA-1, and yield their paths; delete the copies afterwards.

        Raises:
            UserError: A file is damaged.
        """
        paths = [self.scratch / str(number) for number in range(len(files))]
        try:
            for file, path in zip(files, paths, strict=True):
                digest = hashlib.sha1(usedforsecurity=False)
                with (
                    reading(f"crate, file {file.path!r}", "Get the crate again."),
                    self._open(file.path) as source,
                    path.open("wb") as target,
                ):
                    while block := source.read(BLOCK):
                        digest.update(block)
                        target.write(block)
                if digest.hexdigest() != file.sha1:
                    raise UserError(
                        f"crate, file {file.path!r}: damaged, its checksum is another. Get the crate again."
                    )
            yield paths
        finally:
            for path in paths:
                path.unlink(missing_ok=True)

    def _open(self, name: str) -> BinaryIO:
        return (self.path / name).open("rb") if self.archive is None else self.archive.open(name)  # type: ignore[return-value]


@contextmanager
def open_crate(path: Path, scratch: Path) -> Iterator[tuple[TransferCrate, Path]]:
    """Open a crate, check that all its files are there, and yield it with the path of its OME-XML.

    Args:
        path: A folder or a zip.
        scratch: Empty folder for unpacked files.

    Raises:
        UserError: Not a crate of this tool, a harmful zip, or a file that is missing or has another size.
    """
    if path.is_dir():
        # A link may lead out of the crate, to private files of this machine.
        home = path.resolve()
        files = [one for one in path.rglob("*") if one.is_file() and one.resolve().is_relative_to(home)]
        sizes = {one.relative_to(path).as_posix(): one.stat().st_size for one in files}
        _require(sizes, (MANIFEST, DOCUMENT))
        crate = TransferCrate(path, None, scratch, read_manifest((path / MANIFEST).read_bytes()))
        _check_files(sizes, crate.manifest)
        yield crate, path / DOCUMENT
        return
    with open_zip(path, path.name, MAX_UNPACKED_BYTES) as archive:
        sizes = {one.filename: one.file_size for one in archive.infolist()}
        _require(sizes, (MANIFEST, DOCUMENT))
        crate = TransferCrate(path, archive, scratch, read_manifest(read_member(archive, MANIFEST, path.name)))
        document = scratch / DOCUMENT
        unpack_member(archive, DOCUMENT, document, path.name)
        _check_files(sizes, crate.manifest)
        yield crate, document


def _require(sizes: Mapping[str, int], names: Sequence[str]) -> None:
    missing = [name for name in names if name not in sizes]
    if missing:
        raise UserError(
            f"crate: it holds no {missing[0]}. Give a crate that omero_transfer packed, and the whole of it."
        )


def _check_files(sizes: Mapping[str, int], manifest: Manifest) -> None:
    for file in manifest.files():
        if sizes.get(file.path) != file.size:
            found = "missing" if file.path not in sizes else f"{sizes[file.path]} bytes long, not {file.size}"
            raise UserError(f"crate, file {file.path!r}: {found}. Get the crate again.")


def _file(value: Mapping[str, Any]) -> CrateFile:
    return CrateFile(str(value["path"]), str(value["name"]), int(value["size"]), str(value["sha1"]))

"""The places of an object's bytes in the server's files folder.

OriginalFile/<id>              files that clients upload by RawFileStore, and tables
Pixels/<id>                    pixels that clients write
ManagedRepository/<path>/...   imported files, under the path and name that their OriginalFile has
"""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANAGED_REPOSITORY = "ManagedRepository"
MAX_NAME_BYTES = 255  # of a file name on every file system in use


class UnsafePathError(ValueError):
    """A path that leads out of its repository, or that is too long for a file."""


def repository_folder(files: Path) -> Path:
    """Return the folder of imported files."""
    return files / MANAGED_REPOSITORY


def repository_uuid(server: Any) -> str:
    """Return the uuid of the managed repository, which OriginalFile.repo has for imported files."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{server.uuid}/ManagedRepository"))


def pixels_path(files: Path, pixels_id: int) -> Path:
    """Return the file of pixels that clients write."""
    return files / "Pixels" / str(pixels_id)


def original_file_path(files: Path, row: Mapping[str, Any]) -> Path:
    """Return the file that an OriginalFile row stands for.

    Raises:
        UnsafePathError: Its path leads out of the repository.
    """
    if row["repo"]:
        return repository_path(files, f"{row['path'] or ''}/{row['name']}")
    return files / "OriginalFile" / str(row["id"])


def repository_path(files: Path, name: str) -> Path:
    """Return the path of a name (parts separated by slashes) in the managed repository.

    Raises:
        UnsafePathError: The name leads out of the repository.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise UnsafePathError(f"{name}: leads out of the repository")
    return repository_folder(files).joinpath(*parts)


def safe_parts(client_path: str) -> list[str]:
    """Return the parts of a client's path, in the form in which a file may be named here.

    Raises:
        UnsafePathError: A part is longer than a file name may be.
    """
    parts = [part for part in client_path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    for part in parts:
        if len(part.encode()) > MAX_NAME_BYTES:
            raise UnsafePathError(f"{part[:40]}...: longer than {MAX_NAME_BYTES} bytes")
    return [part.replace(":", "_").replace("\0", "_") for part in parts] or ["unnamed"]


def repository_names(client_paths: list[str]) -> list[list[str]]:
    """Return the parts of the names of a fileset's files below the fileset's own folder.

    A single file keeps its name. Several files keep their relative paths and the name of their common folder, which is
    the name of the image for OME-Zarr.
    """
    split = [safe_parts(path) for path in client_paths]
    if len(split) == 1:
        return [split[0][-1:]]
    common = 0
    shortest = min(len(parts) for parts in split)
    while common < shortest - 1 and len({parts[common] for parts in split}) == 1:
        common += 1
    return [parts[max(0, common - 1) :] for parts in split]


def remove_repository_folder(files: Path, prefix: str) -> None:
    """Remove a fileset's folder with all files, and the folders above it that are empty then."""
    root = repository_folder(files)
    folder = repository_path(files, prefix)
    shutil.rmtree(folder, ignore_errors=True)
    remove_empty_parents(folder.parent, root)


def remove_empty_parents(folder: Path, root: Path) -> None:
    """Remove a folder and the folders above it, up to the root, as long as they are empty."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent

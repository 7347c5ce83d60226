"""Remove files whose rows are gone: after a delete, and after a crash."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandbox.omero.repository.pixel_access import OPENED_FILES
from sandbox.omero.repository.stored_files import (
    UnsafePathError,
    original_file_path,
    pixels_path,
    remove_empty_parents,
    repository_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sandbox.omero.database.transactions import Database, Transaction


def files_of(tx: Transaction, files: Path, deleted: Mapping[str, Iterable[int]]) -> list[Path]:
    """Return the files of objects that are about to be deleted. Call it while their rows still exist.

    Args:
        tx: The deleting transaction.
        files: The server's files folder.
        deleted: Ids by entity; those of OriginalFile and Pixels count.
    """
    found = [pixels_path(files, pixels_id) for pixels_id in deleted.get("Pixels", ())]
    for row in tx.find("OriginalFile", id=list(deleted.get("OriginalFile", ()))):
        with contextlib.suppress(UnsafePathError):
            found.append(original_file_path(files, row))
    return found


def remove_files(files: Path, paths: Iterable[Path]) -> None:
    """Remove files, and folders of the repository that are empty then. Call it after the commit."""
    root = repository_folder(files)
    for path in paths:
        OPENED_FILES.forget(path)
        if path.is_dir():
            remove_empty_parents(path, root)
            continue
        path.unlink(missing_ok=True)
        if path.is_relative_to(root):
            remove_empty_parents(path.parent, root)


def clear_leftovers(database: Database, files: Path) -> None:
    """Remove files of deleted rows that a crash left. Call it before the server takes calls."""
    for entity in ("OriginalFile", "Pixels"):
        folder = files / entity
        if not folder.is_dir():
            continue
        with database.read() as tx:
            known = {str(row[0]) for row in tx.rows(f'SELECT id FROM "{entity}"', {})}
        for path in folder.iterdir():
            if path.name not in known:
                path.unlink()

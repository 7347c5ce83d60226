"""The plan of an import, the folder for its uploads, and the check of what has arrived."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.omero.database.transactions import now
from sandbox.omero.repository.checksums import CHECKSUMS, checksum
from sandbox.omero.repository.stored_files import remove_repository_folder, repository_folder, repository_path

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.omero.database.transactions import Database

STAGING = "Uploads"


@dataclass(frozen=True)
class ImportPlan:
    """What an import reads and where it goes.

    Attributes:
        client_paths: Paths of the files as the client gave them.
        names: Paths of the same files inside the fileset's folder, parts joined by slashes.
        staging: Folder for the uploads.
        algorithm: Name of the checksum algorithm.
        name: Name for the images, where the user gave one.
        description: Description for the images, where the user gave one.
        target: Kind and id of what the images (a Dataset) or plates (a Screen) are put in.
        annotation_ids: Annotations to link to the images.
        version_info: What the client says about itself.
        without_stats: Whether minima and maxima are not to be stored.
        started: When the import began, in milliseconds since 1970.
    """

    client_paths: tuple[str, ...]
    names: tuple[str, ...]
    staging: Path
    algorithm: str = "SHA1-160"
    name: str | None = None
    description: str | None = None
    target: tuple[str, int] | None = None
    annotation_ids: tuple[int, ...] = ()
    version_info: tuple[tuple[str, str], ...] = ()
    without_stats: bool = False
    started: int = field(default_factory=now)

    def staged(self) -> list[Path]:
        """Return the uploaded files, in order."""
        return [self.staging.joinpath(*name.split("/")) for name in self.names]


def new_staging_folder(files: Path) -> Path:
    """Make a folder for the uploads of one import."""
    folder = files / STAGING / str(uuid.uuid4())
    folder.mkdir(parents=True)
    return folder


def failing_checksums(plan: ImportPlan, expected: list[str]) -> dict[int, str]:
    """Compare what arrived with what the client sent.

    Returns:
        The checksum that was found, by the number of each file that differs; an empty text for a missing file.
    """
    failing = {}
    for number, (path, given) in enumerate(zip(plan.staged(), expected, strict=True)):
        found = checksum(path, plan.algorithm) if path.is_file() else ""
        if found.lower() != (given or "").lower():
            failing[number] = found
    return failing


def clear_staging(database: Database, files: Path) -> None:
    """Remove what interrupted imports left. Call it before the server takes calls."""
    staging = files / STAGING
    if not staging.is_dir():
        return
    for note in staging.glob("*.moving"):
        prefix = note.read_text()
        with database.read() as tx:
            known = tx.find("Fileset", templatePrefix=prefix)
        if prefix and not known and repository_path(files, prefix) != repository_folder(files):
            remove_repository_folder(files, prefix)
    shutil.rmtree(staging)


def supported_algorithm(name: str | None) -> str:
    """Return the checksum algorithm with this name; SHA1-160 for None.

    Raises:
        KeyError: There is no such algorithm.
    """
    if name is None:
        return next(iter(CHECKSUMS))
    CHECKSUMS[name]
    return name

"""Import image files into an OMERO without Java: `import_files(client, paths, dataset_id)`.

The client's side of an import as omero.testlib does it: announce the fileset, upload each file, send the
checksums, wait. It knows the kinds of file that `image_files` reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sandbox.omero.image_files import ImageFileError, open_image_file

BLOCK = 4 << 20
POLL_SECONDS = 0.05
DEFAULT_TIMEOUT = 600.0


class ImportFailed(RuntimeError):  # noqa: N818 - it reads as what happened
    """The server could not import a fileset; the message says why."""


def import_files(
    client: Any, paths: Iterable[Path | str], dataset_id: int | None = None, *, timeout: float = DEFAULT_TIMEOUT
) -> list[int]:
    """Import image files, each with the files that belong to it.

    Args:
        client: A connected omero.client.
        paths: TIFF, OME-TIFF, PNG and JPEG files and OME-Zarr folders.
        dataset_id: Dataset to put the images in; none leaves them as orphans.
        timeout: Seconds to wait for each import.

    Returns:
        Ids of the images, in the order of the paths and of the images in each file.

    Raises:
        ImportFailed: The server could not import a file; those before it are imported.
    """
    done: set[Path] = set()
    images: list[int] = []
    for path in map(Path, paths):
        if path.resolve() in done:  # part of a fileset that is imported already
            continue
        files = fileset_files(path)
        done.update(file.resolve() for file in [path, *files])
        images += import_fileset(client, files, dataset_id, timeout=timeout)
    return images


def fileset_files(path: Path) -> list[Path]:
    """Return the files to upload for an image file or folder; of one that cannot be read, the file itself."""
    try:
        image = open_image_file(path)
    except ImageFileError:
        return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    image.close()
    return image.files


def import_fileset(
    client: Any, files: Sequence[Path], dataset_id: int | None = None, *, timeout: float = DEFAULT_TIMEOUT
) -> list[int]:
    """Import files that make up one fileset, the one to be opened first.

    Raises:
        ImportFailed: The server could not read them, or found other checksums than were sent.
    """
    import omero

    repository = managed_repository(client)
    process = repository.importFileset(_fileset(files), _settings(dataset_id))
    try:
        checksums = [_upload(process, number, file) for number, file in enumerate(files)]
        try:
            handle = process.verifyUpload(checksums)
        except omero.ChecksumValidationException as error:
            raise ImportFailed(f"{files[0]}: {error.message}") from error
        response = _wait(handle, timeout)
    finally:
        process.close()
    if isinstance(response, omero.cmd.ERR):
        reason = (response.parameters or {}).get("message") or response.name
        raise ImportFailed(f"{files[0]}: {reason}")
    return [image.id.val for image in response.objects]


def managed_repository(client: Any) -> Any:
    """Return the proxy of the repository that takes imports."""
    import omero

    for proxy in client.sf.sharedResources().repositories().proxies:
        if proxy is not None:
            managed = omero.grid.ManagedRepositoryPrx.checkedCast(proxy)
            if managed is not None:
                return managed
    raise ImportFailed("The server has no managed repository")


def _fileset(files: Sequence[Path]) -> Any:
    import omero
    from omero.rtypes import rstring

    fileset = omero.model.FilesetI()
    for file in files:
        entry = omero.model.FilesetEntryI()
        entry.clientPath = rstring(str(file.resolve()))
        fileset.addFilesetEntry(entry)
    upload = omero.model.UploadJobI()
    upload.versionInfo = [omero.model.NamedValue("client", "sandbox.omero.client_import")]
    fileset.linkJob(upload)
    return fileset


def _settings(dataset_id: int | None) -> Any:
    import omero
    from omero.rtypes import rbool, rstring

    settings = omero.grid.ImportSettings()
    settings.doThumbnails, settings.noStatsInfo = rbool(True), rbool(False)
    settings.checksumAlgorithm = omero.model.ChecksumAlgorithmI()
    settings.checksumAlgorithm.value = rstring("SHA1-160")
    if dataset_id is not None:
        settings.userSpecifiedTarget = omero.model.DatasetI(dataset_id, False)
    return settings


def _upload(process: Any, number: int, file: Path) -> str:
    """Upload one file; its SHA-1."""
    digest, position = hashlib.sha1(usedforsecurity=False), 0
    uploader = process.getUploader(number)
    try:
        uploader.write(b"", 0, 0)  # an empty file is a file too
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                uploader.write(block, position, len(block))
                digest.update(block)
                position += len(block)
    finally:
        uploader.close()
    return digest.hexdigest()


def _wait(handle: Any, timeout: float) -> Any:
    """Ask for the response until it is there. A callback would wait on when the server has gone."""
    deadline = time.monotonic() + timeout
    try:
        while (response := handle.getResponse()) is None:
            if time.monotonic() > deadline:
                raise ImportFailed(f"The import is not done after {timeout:.0f} s")
            time.sleep(POLL_SECONDS)
        return response
    finally:
        with contextlib.suppress(Exception):  # a lost connection has been told already
            handle.close()

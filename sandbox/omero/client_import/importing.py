"""Import image files into an OMERO without Java: `import_files(client, paths, dataset_id)`.

The client's side of an import, in the steps of omero.testlib: announce the fileset, upload each file, send the
checksums, wait. It works for the kinds of file that `image_files` reads.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.omero.image_files import ImageFileError, open_image_file
from sandbox.omero.repository.checksums import CHECKSUMS, checksum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLOCK = 4 << 20
POLL_SECONDS = 0.05
DEFAULT_TIMEOUT = 600.0


class ImportFailed(RuntimeError):  # noqa: N818 - it reads as what happened
    """The server could not import a fileset; the message says why."""


@dataclass(frozen=True)
class ImportOptions:
    """The user's choices for an import.

    Attributes:
        target: Kind and id of the Dataset for the images, or Screen for the plates; with None they stay orphans.
        name: Name of the images, in place of the name of their file.
        description: Description of the images.
        annotation_ids: Annotations to link to the images.
        algorithm: Name of the checksum algorithm, see repository.checksums.
        timeout: Seconds to wait for the server.
        without_stats: Whether minima and maxima are not to be stored.
    """

    target: tuple[str, int] | None = None
    name: str | None = None
    description: str | None = None
    annotation_ids: tuple[int, ...] = ()
    algorithm: str = "SHA1-160"
    timeout: float = DEFAULT_TIMEOUT
    without_stats: bool = False


@dataclass(frozen=True)
class Imported:
    """The result of importing one fileset.

    Attributes:
        fileset_id: The Fileset.
        image_ids: Its images, in the order of the file.
        plate_ids: Its plates; the images are then in their wells.
        pixels_ids: The Pixels of the images.
    """

    fileset_id: int
    image_ids: tuple[int, ...]
    plate_ids: tuple[int, ...]
    pixels_ids: tuple[int, ...] = ()


def import_files(
    client: Any, paths: Iterable[Path | str], dataset_id: int | None = None, *, timeout: float = DEFAULT_TIMEOUT
) -> list[int]:
    """Import image files, each with the files that belong to it.

    Args:
        client: A connected omero.client.
        paths: TIFF, OME-TIFF, PNG and JPEG files and OME-Zarr folders.
        dataset_id: Dataset to put the images in; with None they stay orphans.
        timeout: Seconds to wait for each import.

    Returns:
        Ids of the images, in the order of the paths and of the images in each file.

    Raises:
        ImportFailed: The server could not import a file; the files before it are imported.
    """
    return [
        image for _, files in filesets(paths) for image in import_fileset(client, files, dataset_id, timeout=timeout)
    ]


def filesets(paths: Iterable[Path | str]) -> Iterator[tuple[str, list[Path]]]:
    """Yield each fileset of the paths once: the path as given, and the files, the one to be opened first."""
    done: set[Path] = set()
    for given in paths:
        path = Path(given)
        if path.resolve() in done:
            continue
        files = fileset_files(path)
        done.update(file.resolve() for file in [path, *files])
        yield str(given), files


def fileset_files(path: Path) -> list[Path]:
    """Return the files to upload for an image file or folder; for one that cannot be read, the file itself."""
    try:
        image = open_image_file(path)
    except ImageFileError:
        return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    image.close()
    return image.files


def import_fileset(
    client: Any, files: Sequence[Path], dataset_id: int | None = None, *, timeout: float = DEFAULT_TIMEOUT
) -> list[int]:
    """Import files that make up one fileset, the one to be opened first; return the ids of the images.

    Raises:
        ImportFailed: The server could not read the files, or found other checksums than the client sent.
    """
    target = ("Dataset", dataset_id) if dataset_id is not None else None
    return list(import_with_options(client, files, ImportOptions(target, timeout=timeout)).image_ids)


def import_with_options(client: Any, files: Sequence[Path], options: ImportOptions, given: str = "") -> Imported:
    """Import files that make up one fileset, the one to be opened first.

    Args:
        client: A connected omero.client.
        files: The files.
        options: The user's choices.
        given: The image's path as the user wrote it; OMERO remembers it (`FilesetEntry.clientPath`).

    Raises:
        ImportFailed: The server could not read the files, or found other checksums than the client sent.
    """
    import omero

    repository = managed_repository(client)
    process = repository.importFileset(new_fileset(files, given), new_settings(options))
    try:
        checksums = [_upload(process, number, file, options.algorithm) for number, file in enumerate(files)]
        try:
            handle = process.verifyUpload(checksums)
        except omero.ChecksumValidationException as error:
            raise ImportFailed(f"{files[0]}: {error.message}") from error
        response = _wait(handle, options.timeout)
    finally:
        process.close()
    if isinstance(response, omero.cmd.ERR):
        reason = (response.parameters or {}).get("message") or response.name
        raise ImportFailed(f"{files[0]}: {reason}")
    images = dict.fromkeys(pixels.image.id.val for pixels in response.pixels)
    plates = [made.id.val for made in response.objects if isinstance(made, omero.model.Plate)]
    fileset = client.sf.getQueryService().get("Image", next(iter(images)), {"omero.group": "-1"}).fileset
    pixels_ids = tuple(pixels.id.val for pixels in response.pixels)
    return Imported(fileset.id.val, tuple(images), tuple(plates), pixels_ids)


def same_content(client: Any, file: Path) -> list[int]:
    """Return the ids of imported images that have a file with the same SHA-1, as far as the user may see them."""
    import omero.sys

    parameters = omero.sys.ParametersI()
    parameters.addString("sha1", checksum(file))
    text = (
        "select distinct i.id from Image i join i.fileset f join f.usedFiles u join u.originalFile o "
        "where o.hash = :sha1 and o.hasher.value = 'SHA1-160' order by i.id"
    )
    found = client.sf.getQueryService().projection(text, parameters, {"omero.group": "-1"})
    return [row[0].val for row in found]


def managed_repository(client: Any) -> Any:
    """Return the proxy of the repository that takes imports."""
    import omero

    for proxy in client.sf.sharedResources().repositories().proxies:
        if proxy is not None:
            managed = omero.grid.ManagedRepositoryPrx.checkedCast(proxy)
            if managed is not None:
                return managed
    raise ImportFailed("The server has no managed repository")


def client_paths(files: Sequence[Path], given: str = "") -> list[str]:
    """Return the files' paths as the Java importer writes them: absolute, but otherwise as the user wrote them.

    The Java importer leaves out the first slash, and it keeps a `/./`, which omero-cli-transfer searches for.
    """
    folder = Path(given).absolute().parent
    spelled = f"{Path.cwd().as_posix()}/{given}" if not given.startswith("/") else given
    written = []
    for file in (file.absolute() for file in files):
        inside = given and file.is_relative_to(folder)
        path = f"{spelled.rstrip('/').rpartition('/')[0]}/{file.relative_to(folder)}" if inside else file.as_posix()
        written.append(path.lstrip("/"))
    return written


def new_fileset(files: Sequence[Path], given: str = "") -> Any:
    """Return a Fileset for an import, with the files and where they come from."""
    import omero
    from omero.rtypes import rstring

    fileset = omero.model.FilesetI()
    for path in client_paths(files, given):
        entry = omero.model.FilesetEntryI()
        entry.clientPath = rstring(path)
        fileset.addFilesetEntry(entry)
    upload = omero.model.UploadJobI()
    upload.versionInfo = [omero.model.NamedValue("client", "sandbox.omero.client_import")]
    fileset.linkJob(upload)
    return fileset


def new_settings(options: ImportOptions | None = None) -> Any:
    """Return omero.grid.ImportSettings for what the user wants."""
    import omero
    from omero.rtypes import rbool, rstring

    options = options or ImportOptions()
    settings = omero.grid.ImportSettings()
    settings.doThumbnails, settings.noStatsInfo = rbool(True), rbool(options.without_stats)
    settings.checksumAlgorithm = omero.model.ChecksumAlgorithmI()
    settings.checksumAlgorithm.value = rstring(options.algorithm)
    if options.name:
        settings.userSpecifiedName = rstring(options.name)
    if options.description:
        settings.userSpecifiedDescription = rstring(options.description)
    if options.target is not None:
        kind, target_id = options.target
        settings.userSpecifiedTarget = getattr(omero.model, f"{kind}I")(target_id, False)
    if options.annotation_ids:
        settings.userSpecifiedAnnotationList = [
            omero.model.CommentAnnotationI(annotation, False) for annotation in options.annotation_ids
        ]
    return settings


def _upload(process: Any, number: int, file: Path, algorithm: str) -> str:
    """Upload one file; return its checksum."""
    digest, position = CHECKSUMS[algorithm](), 0
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
    """Ask for the response until it is there; a callback would go on waiting when the server is gone."""
    deadline = time.monotonic() + timeout
    try:
        while (response := handle.getResponse()) is None:
            if time.monotonic() > deadline:
                raise ImportFailed(f"The import is not done after {timeout:.0f} s")
            time.sleep(POLL_SECONDS)
        return response
    finally:
        with contextlib.suppress(Exception):  # a lost connection has been reported already
            handle.close()

"""Import of files through OMERO's ManagedRepository, as OMERO's own clients do it, without Java.

The calls are those of omero-py's `omero.testlib` (`ITest.import_fileset`): announce the files, upload each file, send
the checksums, wait for the server to read the images.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.stopping import holding
from bioimage_suite.omero.files.filesets import ImageFileset, size_identity
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session, wait_for

BLOCK = 4 << 20  # Bytes per message, far below Ice's limit of 256 MB.
SKIPPED = ("checksum", "minmax", "thumbnails")
"""Steps that the server can leave out, as `omero import --skip` names them.

Without "checksum" files have OMERO's File-Size-64 instead of a SHA-1 (omero-py, plugins/import.py).
"""
CANCEL_SECONDS = 10.0  # Galaxy kills a cancelled job after some time.
OLD_SECONDS = 24 * 3600.0
"""An import without any image after that time has no end any more."""
PROCESS = f"{SUITE_NAMESPACE}/{uuid.uuid4()}"
"""Of all runs of this process: one that has to begin anew is another run."""


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class ImportRun:
    """The imports of one run of a tool.

    Every file's client path begins with `mark`: with it all filesets of the run can be found, including those whose
    import failed, of which a server may keep the files.

    Attributes:
        stay_alone: Is called before each call that makes something, see `undo.MadeObjects.stay_alone`.
        mark: See above.
    """

    stay_alone: Callable[[], None] = _nothing
    mark: str = field(default_factory=lambda: f"{PROCESS}/{uuid.uuid4()}")

    def filesets(self, session: Session) -> list[int]:
        """Return the ids of all filesets that the run has made so far."""
        return _marked(session, self.mark)

    def earlier(self, session: Session) -> set[int]:
        """Return the ids of the filesets that this process made before it had to begin anew."""
        return set(_marked(session, PROCESS)) - set(self.filesets(session))


def _marked(session: Session, mark: str) -> list[int]:
    hql = "select distinct f.id from Fileset f join f.usedFiles e where e.clientPath like :mark"
    return [row[0] for row in session.rows(hql, mark=f"{mark}/%")]


def find_unfinished(session: Session) -> dict[str, list[int]]:
    """Find this user's imports that have had no image for a day: their run was killed while it sent its files."""
    now = session.server_time()
    rows = session.rows(
        "select distinct f.id, c.time from Fileset f join f.usedFiles e join f.details.creationEvent c "
        "where e.clientPath like :mark and f.details.owner.id = :me "
        "and not exists (select i.id from Image i where i.fileset.id = f.id)",
        mark=f"{SUITE_NAMESPACE}/%",
        me=session.user_id,
    )
    return {"Fileset": [row[0] for row in rows if now - row[1] > 1000 * OLD_SECONDS]}


def import_fileset(
    session: Session,
    run: ImportRun,
    fileset: ImageFileset,
    dataset_id: int | None,
    *,
    screen_id: int | None = None,
    name: str = "",
    description: str = "",
    mark_id: int | None = None,
    skip: Collection[str] = (),
) -> list[int]:
    """Import one fileset and return the ids of its images, in the order of the file.

    Args:
        session: An open session.
        run: The run that the import belongs to.
        fileset: The fileset to import.
        dataset_id: The dataset for the images; None for no dataset.
        screen_id: The screen for the plates of a format that holds plates.
        name: Name of the images; empty means the server's choice, the file name.
        description: Description of the images; empty keeps the file's own.
        skip: What the server leaves out, of `SKIPPED`.
        mark_id: A MapAnnotation that the images get in the import itself, so that they are never without it.

    Raises:
        UserError: The server does not know the format, the file is damaged, or the upload is damaged.
    """
    import omero

    settings = _settings(dataset_id, screen_id, name, description, skip)
    settings.checksumAlgorithm = omero.model.ChecksumAlgorithmI()
    settings.checksumAlgorithm.value = omero.rtypes.rstring("SHA1-160" if fileset.has_sha1 else "File-Size-64")
    if mark_id is not None:
        settings.userSpecifiedAnnotationList = [omero.model.MapAnnotationI(mark_id, False)]
    repository = _managed_repository(session)
    run.stay_alone()
    try:
        process = repository.importFileset(_announced(run, fileset), settings)
    except (omero.ApiUsageException, omero.ValidationException) as error:
        refuse_deleted_place(session, dataset_id, screen_id)
        raise UserError(f"file {fileset.label!r}: OMERO refuses it ({error.message}). Choose another place.") from error
    try:
        for number, file in enumerate(fileset.files):
            _upload(process, number, file.path)
        handle: Any = None
        try:
            run.stay_alone()
            with holding():  # Without the handle nobody could wait for the server, which goes on alone.
                handle = process.verifyUpload([file.checksum for file in fileset.files])
            response = wait_for(handle)
        except BaseException:
            # The server continues without us: wait until it has made everything, so that the run can be undone.
            with suppress(Exception):
                handle.cancel()
                wait_for(handle, CANCEL_SECONDS)
            raise
        finally:
            with suppress(Exception):
                handle.close()
    except omero.ChecksumValidationException:
        raise UserError(f"file {fileset.label!r}: it arrived damaged at OMERO. Run the tool again.") from None
    except (omero.ResourceError, omero.InternalException) as error:
        raise UserError(
            f"file {fileset.label!r}: OMERO cannot store it ({error.message}). Ask its administrator whether its disk "
            "is full, and run the tool again."
        ) from error
    finally:
        with suppress(Exception):
            process.close()
    if isinstance(response, omero.cmd.ERR):
        refuse_deleted_place(session, dataset_id, screen_id)
        reason = response.parameters.get("message") or response.name
        raise UserError(
            f"file {fileset.label!r}: OMERO cannot import it ({reason}). Check that it is an image in a format that "
            "OMERO reads, and that its name has the suffix of the format."
        )
    return sorted(pixels.image.id.val for pixels in response.pixels)


def refuse_deleted_place(session: Session, dataset_id: int | None, screen_id: int | None) -> None:
    """Refuse a place that is there no more: OMERO speaks of the file or of its database instead.

    Raises:
        UserError: Somebody has deleted the dataset or the screen, or moved it to another group.
    """
    for kind, number in (("Dataset", dataset_id), ("Screen", screen_id)):
        if number is not None and not session.among({kind: [number]}):
            raise UserError(
                f"{kind.lower()} {number}: somebody has deleted it meanwhile, or moved it out of group "
                f"{session.group_name!r}. Run the tool again."
            )


_IMAGES_OF = {
    "dataset": "DatasetImageLink l join l.child i join i.fileset f join f.usedFiles e join e.originalFile o "
    "where l.parent.id = :container",
    "screen": "ScreenPlateLink l join l.child p join p.wells w join w.wellSamples s join s.image i "
    "join i.fileset f join f.usedFiles e join e.originalFile o where l.parent.id = :container",
}


def find_imported(
    session: Session, container_id: int, filesets: Sequence[ImageFileset], kind: str = "dataset"
) -> dict[tuple[str, ...], list[int]]:
    """Find the contents that a dataset or screen has already, by the SHA-1 of all original files, or by size and name.

    Args:
        session: An open session.
        container_id: The dataset or screen.
        filesets: The filesets to look for.
        kind: "dataset" or "screen".

    Returns:
        Ids of the existing images by `ImageFileset.content`.
    """
    found: dict[tuple[str, ...], list[int]] = {}
    for content, images in _held(session, container_id, filesets, kind).values():
        found.setdefault(content, images)
    return found


def find_surplus(
    session: Session, run: ImportRun, container_id: int, filesets: Sequence[ImageFileset], kind: str = "dataset"
) -> dict[str, list[int]]:
    """Find what this process imported before it had to begin anew, and another job imported too, as ids by class."""
    earlier = run.earlier(session)
    held = _held(session, container_id, filesets, kind) if earlier else {}
    of_others = {content for number, (content, _) in held.items() if number not in earlier}
    return _with_plates(session, [one for one, (content, _) in held.items() if one in earlier and content in of_others])


def _held(
    session: Session, container_id: int, filesets: Sequence[ImageFileset], kind: str
) -> dict[int, tuple[tuple[str, ...], list[int]]]:
    """Return content and images of each fileset of a dataset or screen that has the content of one of the given."""
    wanted = {one.content for one in filesets}
    hashed = all(one.has_sha1 for one in filesets)
    firsts: set[Any] = {one.files[0].sha1 if hashed else one.files[0].path.stat().st_size for one in filesets}
    candidates: dict[int, set[int]] = {}
    for page in batches(sorted(firsts)):
        for fileset_id, image_id in session.rows(
            f"select f.id, i.id from {_IMAGES_OF[kind]} and o.{'hash' if hashed else 'size'} in (:firsts)",  # noqa: S608 (our own text)
            container=container_id,
            firsts=page,
        ):
            candidates.setdefault(fileset_id, set()).add(image_id)
    contents: dict[int, list[str]] = {}
    ids = sorted(candidates)
    for some in batches(ids):
        for fileset_id, sha1, size, name in session.rows(
            "select f.id, o.hash, o.size, o.name from Fileset f join f.usedFiles e join e.originalFile o "
            "where f.id in (:ids)",
            ids=some,
        ):
            contents.setdefault(fileset_id, []).append((sha1 or "") if hashed else size_identity(size or 0, name))
    found: dict[int, tuple[tuple[str, ...], list[int]]] = {}
    for fileset_id in ids:
        content = tuple(sorted(contents[fileset_id]))
        if content in wanted:
            found[fileset_id] = content, sorted(candidates[fileset_id])
    return found


def imported_by(session: Session, run: ImportRun) -> dict[str, list[int]]:
    """Find all filesets of a run, and the plates that came with them, as ids by class."""
    return _with_plates(session, run.filesets(session))


def _with_plates(session: Session, filesets: Sequence[int]) -> dict[str, list[int]]:
    plates: list[int] = []
    for page in batches(filesets):
        hql = "select distinct w.plate.id from WellSample s join s.well w join s.image i where i.fileset.id in (:ids)"
        plates += [row[0] for row in session.rows(hql, ids=page)]
    return {"Fileset": list(filesets), "Plate": sorted(set(plates))}


def _managed_repository(session: Session) -> Any:
    import omero

    for proxy in session.client.getSession().sharedResources().repositories().proxies:
        managed = proxy and omero.grid.ManagedRepositoryPrx.checkedCast(proxy)
        if managed:
            return managed
    raise UserError(
        f"OMERO server {session.address}: it has no managed repository, so it takes no imports. Ask its administrator."
    )


def _announced(run: ImportRun, fileset: ImageFileset) -> Any:
    from omero.model import FilesetEntryI, FilesetI, NamedValue, UploadJobI
    from omero.rtypes import rstring

    announced = FilesetI()
    for file in fileset.files:
        entry = FilesetEntryI()
        entry.clientPath = rstring(f"{run.mark}/{file.name}")
        announced.addFilesetEntry(entry)
    job = UploadJobI()
    job.versionInfo = [NamedValue("client", SUITE_NAMESPACE)]
    announced.linkJob(job)
    return announced


def _settings(dataset_id: int | None, screen_id: int | None, name: str, description: str, skip: Collection[str]) -> Any:
    import omero
    from omero.rtypes import rbool, rstring

    settings = omero.grid.ImportSettings()
    settings.doThumbnails, settings.noStatsInfo = rbool("thumbnails" not in skip), rbool("minmax" in skip)
    if screen_id is not None:
        settings.userSpecifiedTarget = omero.model.ScreenI(screen_id, False)
    elif dataset_id is not None:
        settings.userSpecifiedTarget = omero.model.DatasetI(dataset_id, False)
    if name:
        settings.userSpecifiedName = rstring(name)
    if description:
        settings.userSpecifiedDescription = rstring(description)
    return settings


def _upload(process: Any, number: int, path: Path) -> None:
    uploader, position = process.getUploader(number), 0
    try:
        uploader.write(b"", 0, 0)  # An empty file is a file too.
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                uploader.write(block, position, len(block))
                position += len(block)
    finally:
        uploader.close()

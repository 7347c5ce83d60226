"""An import from upload to rows: the files are staged, checked, read, and in the last step moved and recorded at once.

Until that step nothing of an import is in the database or the managed repository. Whatever breaks it (a bad checksum,
a broken image, a client that leaves, a killed server) leaves only staged files, which the next start removes.
"""

from __future__ import annotations

import contextlib
import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.omero.database.transactions import now
from sandbox.omero.image_files import ImageFile, ImageFileError, PlateDescription, open_image_file
from sandbox.omero.imports.images import PreparedImage, prepare_images, write_image
from sandbox.omero.imports.ome_xml import OmeRows
from sandbox.omero.imports.plates import write_plate
from sandbox.omero.objects.access import require_link
from sandbox.omero.rendering.settings import create_rendering, default_rendering
from sandbox.omero.repository.checksums import CHECKSUMS, checksum
from sandbox.omero.repository.pixel_access import OPENED_FILES, target_file
from sandbox.omero.repository.stored_files import original_file_path, remove_repository_folder, repository_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.omero.database.transactions import Database, Transaction
    from sandbox.omero.imports.plan import ImportPlan

LOG_MIMETYPE = "application/omero-log-file"
LOGGED_STEPS = ("metadata", "pixel data", "thumbnails")
"""Steps after which OMERO writes the import's log; here they are one, so `omero fs importtime` shows them as 0 ms."""


@dataclass(frozen=True)
class Written:
    """The result of an import: ids of (Image, Pixels) of every image, and ids of the plates."""

    images: list[tuple[int, int]]
    plates: list[int]


def run_import(
    database: Database, files: Path, repository: str, context: Any, plan: ImportPlan, step: Callable[[], None]
) -> Written:
    """Read the staged files and write the images to the database.

    Args:
        database: The database.
        files: The server's files folder.
        repository: The managed repository's uuid.
        context: Who imports.
        plan: What is imported.
        step: Called after the files are read, and again before the rows are written.

    Raises:
        ImageFileError: The file is broken or of an unknown kind; nothing is written.
        omero.ServerError: The target is gone, or the caller may put nothing into it; see `require_link`.
    """
    uploaded = now()
    opened = _open_staged(plan)
    try:
        file_name = _target_name(plan)
        kind, described = opened.kind, opened.plates
        _check_target(plan, file_name, has_plates=bool(described))
        prepared = prepare_images(
            opened, file_name if described else plan.name or file_name, without_stats=plan.without_stats
        )
    finally:
        opened.close()
    step()
    checksums = [(path.stat().st_size, checksum(path, plan.algorithm)) for path in plan.staged()]
    step()
    with _moved(files, plan, context, database) as prefix, database.write(context) as tx:
        if plan.target is not None:  # It may have gone, or to another group, since the import began.
            require_link(tx, context, *plan.target)
        fileset_id = _write_fileset(tx, plan, prefix, repository, checksums)
        upload = _write_jobs(tx, plan, fileset_id, kind, uploaded)
        ome = OmeRows(tx)
        ids = [_write_one(tx, plan, image, number, fileset_id, kind, ome) for number, image in enumerate(prepared)]
        plates = _write_plates(tx, plan, described, file_name, [image for image, _ in ids])
        _write_log_file(tx, files, plan, prefix, upload, uploaded)
        return Written(ids, plates)


def _check_target(plan: ImportPlan, file_name: str, *, has_plates: bool) -> None:
    wanted, found = ("Screen", "a plate") if has_plates else ("Dataset", "no plate")
    if plan.target is not None and plan.target[0] != wanted:
        raise ImageFileError(f"{file_name} is {found}: it can go into a {wanted}, and not into a {plan.target[0]}")


def _write_plates(
    tx: Transaction, plan: ImportPlan, plates: Sequence[PlateDescription], file_name: str, images: list[int]
) -> list[int]:
    """Write the plates, and the screens that the file names; return the ids of the plates.

    With a screen as target, the file's last screen is not made (OMEROMetadataStoreClient.setUserSpecifiedTarget).
    """
    left, made = list(images), []
    screens: dict[str, int] = {}
    for plate in plates:
        own, left = left[: len(plate.fields)], left[len(plate.fields) :]
        made.append(_write_plate(tx, plan, plate, file_name, own))
        if plate.screen and not (plan.target is not None and plate.screen == plates[-1].screen):
            if plate.screen not in screens:
                screens[plate.screen] = tx.create("Screen", name=plate.screen)
            tx.create("ScreenPlateLink", parent=screens[plate.screen], child=made[-1])
    return made


def _write_plate(tx: Transaction, plan: ImportPlan, plate: PlateDescription, file_name: str, images: list[int]) -> int:
    """Write the plate with its images, and link it to its screen and annotations; return its id."""
    plate_id = write_plate(tx, plate, plan.name or plate.name or file_name, images, plan.description)
    if plan.target is not None:
        tx.create("ScreenPlateLink", parent=plan.target[1], child=plate_id)
    for annotation in plan.annotation_ids:
        tx.create("PlateAnnotationLink", parent=plate_id, child=annotation)
    return plate_id


def _open_staged(plan: ImportPlan) -> ImageFile:
    return open_image_file(target_file(plan.staged(), plan.staging))


def _target_name(plan: ImportPlan) -> str:
    target = target_file(plan.staged(), plan.staging)
    return target.name if target != plan.staging else Path(plan.client_paths[0]).name


@contextlib.contextmanager
def _moved(files: Path, plan: ImportPlan, context: Any, database: Database) -> Iterator[str]:
    """Move the staged files into the repository; remove them from there when the block fails.

    A note beside the staging folder records where they went, for `clear_staging` after a crash.
    """
    with database.read() as tx:
        user = tx.get("Experimenter", context.user_id)
    assert user is not None
    prefix = _free_prefix(files, f"{user['omeName']}_{context.user_id}")
    folder = repository_path(files, prefix)
    note = plan.staging.with_suffix(".moving")
    note.write_text(prefix)
    try:
        plan.staging.rename(folder)  # in place of the empty one
        yield prefix
    except BaseException:
        OPENED_FILES.forget(folder)
        remove_repository_folder(files, prefix)
        raise
    finally:
        note.unlink(missing_ok=True)


def _free_prefix(files: Path, owner: str) -> str:
    """Make a folder by OMERO's template %user%_%userId%/%year%-%month%/%day%/%time%; no other import gets the same."""
    moment = datetime.datetime.now(datetime.UTC)
    while True:
        prefix = f"{owner}/{moment:%Y-%m/%d/%H-%M-%S}.{moment.microsecond // 1000:03d}/"
        try:
            repository_path(files, prefix).mkdir(parents=True)
        except FileExistsError:
            moment += datetime.timedelta(milliseconds=1)
        else:
            return prefix


def _write_fileset(
    tx: Transaction,
    plan: ImportPlan,
    prefix: str,
    repository: str,
    checksums: list[tuple[int, str]],
) -> int:
    fileset = tx.create("Fileset", templatePrefix=prefix)
    hasher = tx.ensure_enum("ChecksumAlgorithm", plan.algorithm)
    files = zip(plan.names, plan.client_paths, checksums, strict=True)
    for name, client_path, (size, digest) in files:
        folder, _, file_name = name.rpartition("/")
        original = tx.create(
            "OriginalFile",
            name=file_name,
            path=prefix + (folder + "/" if folder else ""),
            repo=repository,
            size=size,
            hash=digest,
            hasher=hasher,
            mimetype="application/octet-stream",
        )
        tx.create("FilesetEntry", fileset=fileset, originalFile=original, clientPath=client_path)
    return fileset


def _write_jobs(tx: Transaction, plan: ImportPlan, fileset: int, kind: str, uploaded: int) -> int:
    """Write the jobs of the import, the upload with the times of its start and end; return the id of the UploadJob."""
    finished = {"status": tx.ensure_enum("JobStatus", "Finished"), "message": "Finished", "type": "Import"}
    began, ended = tx.event_at(plan.started), tx.event_at(uploaded)
    events = {"creation_id": began, "update_id": ended}
    upload = tx.create("UploadJob", **finished, **events, versionInfo=list(plan.version_info))
    tx.log("UPDATE", "UploadJob", [upload], ended)
    read = tx.create("MetadataImportJob", **finished, versionInfo=[("bioformats.reader", kind)])
    for job in (upload, read, tx.create("ThumbnailGenerationJob", **finished)):
        tx.create("FilesetJobLink", parent=fileset, child=job)
    return upload


def _write_log_file(tx: Transaction, files: Path, plan: ImportPlan, prefix: str, upload: int, uploaded: int) -> None:
    """Write the import's log, as OMERO keeps one with every fileset."""
    moments = ((plan.started, "upload began"), (uploaded, "upload verified"), (now(), "images written"))
    lines = [f"{datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC).isoformat()} {what}" for ms, what in moments]
    text = "\n".join([*lines, *plan.client_paths, ""]).encode()
    folder, _, name = prefix.strip("/").rpartition("/")
    log = tx.create(
        "OriginalFile",
        name=f"{name}.log",
        path=f"{folder}/",
        mimetype=LOG_MIMETYPE,
        size=len(text),
        **_digest(tx, text),
    )
    place = original_file_path(files, {"id": log, "repo": None})
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text)
    tx.create("JobOriginalFileLink", parent=upload, child=log)
    for _ in LOGGED_STEPS:
        tx.log("UPDATE", "OriginalFile", [log])


def _digest(tx: Transaction, data: bytes) -> dict[str, Any]:
    digest = CHECKSUMS["SHA1-160"]()
    digest.update(data)
    return {"hasher": tx.ensure_enum("ChecksumAlgorithm", "SHA1-160"), "hash": digest.hexdigest()}


def _write_one(
    tx: Transaction,
    plan: ImportPlan,
    image: PreparedImage,
    series: int,
    fileset_id: int,
    kind: str,
    ome: OmeRows,
) -> tuple[int, int]:
    links = {"fileset": fileset_id} | ({"description": plan.description} if plan.description else {})
    image_id, pixels_id = write_image(tx, image, series, kind, ome, **links)
    if plan.target is not None and plan.target[0] == "Dataset":
        tx.create("DatasetImageLink", parent=plan.target[1], child=image_id)
    for annotation in plan.annotation_ids:
        tx.create("ImageAnnotationLink", parent=image_id, child=annotation)
    pixels = tx.get("Pixels", pixels_id)
    assert pixels is not None
    create_rendering(tx, pixels_id, default_rendering(tx, pixels, lambda index: image.minmax[index]))
    return image_id, pixels_id

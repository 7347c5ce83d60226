"""Requests about the files of images: which files they are, their metadata, their size on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.image_files import ImageFileError
from sandbox.omero.objects.access import readable_row
from sandbox.omero.repository.pixel_access import OPENED_FILES, fileset_paths, target_file
from sandbox.omero.repository.stored_files import pixels_path, repository_folder

if TYPE_CHECKING:
    from sandbox.omero.commands.run import Run
    from sandbox.omero.database.transactions import Transaction


def run_used_files(run: Run, tx: Transaction, request: Any) -> Any:
    """Return the files of an image's fileset, without telling which series uses which."""
    import omero.cmd

    image = readable_row(tx, run.context, "Image", request.imageId)
    if image["fileset"] is None:
        return omero.cmd.UsedFilesResponsePreFs([], [], [])
    entries = tx.find("FilesetEntry", fileset=image["fileset"])
    return omero.cmd.UsedFilesResponse([entry["originalFile"] for entry in entries], [], [], [])


def run_original_metadata(run: Run, tx: Transaction, request: Any) -> Any:
    """Return the key-value pairs of an imported image's own file."""
    import omero.cmd
    from omero.rtypes import rlong, rstring

    image = readable_row(tx, run.context, "Image", request.imageId)
    response = omero.cmd.OriginalMetadataResponse(globalMetadata={}, seriesMetadata={})
    if image["fileset"] is None:
        return response
    response.filesetId = rlong(image["fileset"])
    files = run.server.files
    target = target_file(fileset_paths(tx, files, image["fileset"]), repository_folder(files))
    try:
        series = OPENED_FILES.series(target, image["series"] or 0)
    except (ImageFileError, OSError) as error:
        raise errors.resource(f"Image {image['id']}: {error}") from error
    response.globalMetadata = {k: rstring(v) for k, v in series.reader.description.global_metadata}
    response.seriesMetadata = {k: rstring(v) for k, v in series.reader.description.original_metadata}
    series.close()
    return response


def run_find_pyramids(run: Run, _tx: Transaction, _request: Any) -> Any:
    """Return no file: resolution levels are read from the imported file, not from separate pyramid files."""
    import omero.cmd

    if not run.context.is_admin:
        raise errors.security("Only administrators may look for pyramid files")
    return omero.cmd.FindPyramidsResponse([])


def run_image_binaries(run: Run, tx: Transaction, request: Any) -> Any:
    """Return what an image takes on disk. Deleting any of it is not supported."""
    import omero.cmd
    from omero.rtypes import rlong

    if request.togglePixels or request.deletePyramid or request.deleteThumbnails:
        raise errors.unsupported("ManageImageBinaries with anything to delete")
    image = readable_row(tx, run.context, "Image", request.imageId)
    paths = [pixels_path(run.server.files, row["id"]) for row in tx.find("Pixels", image=image["id"])]
    stored = [path.stat().st_size for path in paths if path.is_file()]
    response = omero.cmd.ManageImageBinariesResponse(archivedFiles=[], pixelsPresent=bool(stored))
    response.pixelSize = sum(stored)
    if image["fileset"] is not None:
        response.filesetId = rlong(image["fileset"])
    return response

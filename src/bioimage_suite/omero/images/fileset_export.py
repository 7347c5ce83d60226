"""Export of original files to a folder: one file per fileset, a zip where a fileset has several files.

Where the server does not allow the download of original files, the pixels are exported instead.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier, safe_name
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.omero.files.restrictions import NO_ORIGINALS, find_restricted_filesets
from bioimage_suite.omero.images.details import ImageDetails
from bioimage_suite.omero.images.fileset_files import Fileset, download, load_filesets
from bioimage_suite.omero.images.whole_images import export_image
from bioimage_suite.omero.reconnect import Connection
from bioimage_suite.omero.session import Session
from bioimage_suite.tables.report import Report, Row

# Galaxy's name of a format by the suffix of the file name; all others are "data" and keep their suffix in the name.
_FORMATS = {
    **{".ome.tiff": "ome.tiff", ".ome.tif": "ome.tiff", ".tiff": "tiff", ".tif": "tiff", ".png": "png"},
    **{".jpg": "jpg", ".jpeg": "jpg", ".bmp": "bmp", ".gif": "gif", ".zip": "zip"},
}


def export_filesets(
    session: Session, images: Sequence[ImageDetails], folder: Path, *, report: Report, outputs: Outputs
) -> None:
    """Download the files that images were imported from as `<name>__<Galaxy's format>`.

    A fileset is written once, even if several of its images were chosen; several files go to one zip, with their
    folders. An image whose original files may not be downloaded is written as OME-TIFF.

    Args:
        session: An open session.
        images: The images.
        folder: Where to write.
        report: One row per image; receives the name of its fileset in the list and how the files were checked.
        outputs: The outputs of the run.

    Raises:
        UserError: An image was not imported from files, or OMERO cannot deliver a file as it was imported.
    """
    report.for_each(images, lambda image, _: _check_imported(image))
    restricted = find_restricted_filesets(session, {image.fileset_id or 0 for image in images})
    rows: dict[int, list[Row]] = {}
    for image, row in zip(images, report.rows, strict=True):
        if image.fileset_id in restricted:
            _export_pixels(session, image, folder, row=row, outputs=outputs)
        else:
            rows.setdefault(image.fileset_id or 0, []).append(row)
    filesets = load_filesets(session, list(rows))
    names = {image.image_id: image.name for image in images}
    connection = Connection(session)
    try:
        for number, fileset in enumerate(filesets, 1):
            for row in rows[fileset.fileset_id]:
                row.begin()
            name = _name(fileset, names)
            checked = _write(connection, fileset, outputs.file(folder / f"{name}__{_format(fileset)}"))
            for row in rows[fileset.fileset_id]:
                row.done("exported", image=name, checked=checked)
            print(f"{number}/{len(filesets)} {name}: {len(fileset.files)} files", flush=True)
    finally:
        connection.close()


def _check_imported(image: ImageDetails) -> None:
    if image.fileset_id is None:
        raise UserError(
            f"image {image.image_id} {image.name!r}: it was not imported from files, so OMERO has no original of "
            "it. Export it as OME-TIFF or OME-Zarr."
        )


def _export_pixels(session: Session, image: ImageDetails, folder: Path, *, row: Row, outputs: Outputs) -> None:
    name = image_identifier(image.image_id, image.name)
    row.begin()
    export_image(session, image, outputs.file(folder / f"{name}__ome.tiff"))
    row.done(f"exported {NO_ORIGINALS}", image=name)
    print(f"{name}: {NO_ORIGINALS}", flush=True)


def _write(connection: Connection, fileset: Fileset, path: Path) -> str:
    if len(fileset.files) == 1:
        with path.open("wb") as target:
            return f"{download(connection, fileset.files[0], target)} of 1 file"
    checks: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for file in fileset.files:
            # A fixed date, so that the same fileset gives the same file.
            entry = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr, entry.file_size = 0o644 << 16, file.size
            with archive.open(entry, "w") as target:
                how = download(connection, file, target)
            checks[how] = checks.get(how, 0) + 1
    return ", ".join(f"{how} of {count} files" for how, count in sorted(checks.items()))


def _name(fileset: Fileset, names: dict[int, str]) -> str:
    """Return the name of the output: as other exports name the image, or after the first file of several images."""
    if not fileset.files:
        raise UserError(f"fileset {fileset.fileset_id}: OMERO lists no file of it. Ask the server's administrator.")
    if len(fileset.images) == 1:
        return image_identifier(fileset.images[0], names[fileset.images[0]])
    return f"Fileset_{fileset.fileset_id}_{safe_name(PurePosixPath(fileset.files[0].name).name)}"


def _format(fileset: Fileset) -> str:
    if len(fileset.files) > 1:
        return "zip"
    lower = fileset.files[0].name.lower()
    return next((known for ending, known in _FORMATS.items() if lower.endswith(ending)), "data")

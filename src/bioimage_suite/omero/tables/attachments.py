"""Download of the files that are attached to objects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.image_names import object_identifier, safe_name
from bioimage_suite.omero.annotations.annotations import (
    ALL,
    AttachedFile,
    Chosen,
    Linked,
    linked_files,
)
from bioimage_suite.omero.files.original_files import TABLE_MIMETYPE, download_file
from bioimage_suite.omero.tables.reading import AttachedTable, export_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Report, Row

FILE_COLUMNS = ("object_id", "object_type", "object_name", "file_id", "file_name", "file", "size_bytes", "status")


LONGEST_STEM = 80


# Galaxy's name of a file format by suffix; all other files are "data".
FORMS = {form: form for form in ("csv", "gif", "html", "json", "pdf", "png", "txt", "xlsx", "xml", "zip")}
FORMS |= {"jpeg": "jpg", "jpg": "jpg", "log": "txt", "tif": "tiff", "tiff": "tiff", "tsv": "tabular"}


def download_files(
    session: Session,
    kind: str,
    names: Mapping[int, str],
    folder: Path,
    *,
    report: Report,
    outputs: Outputs,
    chosen: Chosen = ALL,
    exact: bool = False,
) -> None:
    """Download each file that is attached to objects, byte for byte; an OMERO.table becomes a tabular file.

    Files are named `Image_<id>_<name>__<file name>`, so that the name identifies the object.

    Args:
        session: An open session.
        kind: Kind of the objects.
        names: Their names by id.
        folder: Folder to write to, in its subfolders `files` and `tables`.
        report: Receives one row per file.
        outputs: The outputs of the run.
        chosen: Which annotations to take.
        exact: As for `write_table`.

    Raises:
        UserError: OMERO cannot deliver a file, or it is damaged.
    """
    found = [one for one in linked_files(session, kind, list(names)) if one in chosen]
    places = _places(kind, names, found)
    for one in found:
        known = {"object_type": kind, "object_id": one.object_id, f"{kind}_id": one.object_id}
        known |= {"object_name": names[one.object_id], "file_id": one.value.file_id, "file_name": one.value.name}
        report.add(**known, file=places[one].stem)

    def fetch(one: Linked, row: Row) -> None:
        identifier = places[one].stem
        path = outputs.file(folder / places[one])
        file: AttachedFile = one.value
        table = AttachedTable(kind, one.object_id, names[one.object_id], file.file_id, file.name, identifier)
        _download(session, table, file, path, exact=exact)
        size = path.stat().st_size
        row.done("downloaded", size_bytes=size)
        print(f"{identifier}: {size:,} bytes", flush=True)

    report.for_each(found, fetch)


def _places(kind: str, names: Mapping[int, str], found: Sequence[Linked]) -> dict[Linked, Path]:
    """Return the path of each file below the folder; the suffix is Galaxy's name of its format.

    If an object has two files with the same name, the file id is added.
    """
    places: dict[Linked, Path] = {}
    taken: set[Path] = set()
    for one in found:
        name = Path(one.value.name)
        table = one.value.mimetype == TABLE_MIMETYPE
        form = "tabular" if table else FORMS.get(name.suffix.lower().lstrip("."), "data")
        stem = safe_name(name.stem)[:LONGEST_STEM] + (safe_name(name.suffix) if form == "data" else "")
        base = f"{object_identifier(kind, one.object_id, names[one.object_id])}__{stem or 'file'}"
        place = Path("tables" if table else "files", f"{base}.{form}")
        if place in taken:
            place = place.with_name(f"{base}_{one.value.file_id}.{form}")
        taken.add(place)
        places[one] = place
    return places


def _download(session: Session, table: AttachedTable, file: AttachedFile, path: Path, *, exact: bool) -> None:
    """Download a file; `table` describes it as an OMERO.table, which it may be."""
    if file.mimetype == TABLE_MIMETYPE:
        export_table(session, table, "", path, exact=exact)
        return
    shown = f"file {file.file_id} {file.name!r} of {table.kind} {table.object_id}"
    download_file(session, file.file_id, path, size=file.size, sha1=file.sha1, shown=shown)

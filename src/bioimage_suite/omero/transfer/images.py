"""Import of a crate's images: imported once, found again by their marks, named as on the source server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.files.filesets import ImageFileset, SourceFile
from bioimage_suite.omero.files.imports import ImportRun, import_fileset
from bioimage_suite.omero.paging import paged_rows
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.transfer.crate import CrateFileset, TransferCrate
from bioimage_suite.omero.transfer.document import fill_object, read_field, typed_value
from bioimage_suite.omero.transfer.marks import COMPLETE, UNFINISHED, Mark, find_marks, new_mark, save_mark
from bioimage_suite.omero.undo import MadeObjects
from bioimage_suite.tables.report import Row

Key = tuple[str, int]
"""Class and id on the source server, such as ("Image", 51)."""


@dataclass
class Copies:
    """Map source objects to their copies in OMERO: ids by key, and the keys of copies that this run made."""

    ids: dict[Key, int] = field(default_factory=dict)
    fresh: set[Key] = field(default_factory=set)


def find_filesets(session: Session, crate: TransferCrate) -> dict[str, tuple[Mark, list[int]]]:
    """Find the filesets that an earlier run imported: their mark and image ids, by `CrateFileset.key`.

    A fileset counts only if all its images still exist. OMERO puts the mark of an import on the images or, if the files
    hold a plate, on the plate.
    """
    names = {crate.manifest.lsid(one.key): one for one in crate.manifest.filesets}
    found: dict[str, tuple[Mark, list[int]]] = {}
    for source, mark in find_marks(session, names, kinds=("Image", "Plate")).items():
        hql = "select distinct s.image.id from WellSample s join s.well w where w.plate.id in (:ids)"
        on_plates = paged_rows(session, hql, mark.objects.get("Plate", []))
        images = mark.objects.get("Image") or [row[0] for row in on_plates]
        if len(images) == len(names[source].images):
            found[names[source].key] = (mark, images)
    return found


def import_images(
    session: Session,
    crate: TransferCrate,
    images: Mapping[int, Element],
    rows: Sequence[Row],
    *,
    run: ImportRun,
    made: MadeObjects,
) -> Copies:
    """Import missing filesets, and set name, description, channels and physical sizes of new images.

    Args:
        session: An open session.
        crate: The crate to import.
        images: The document's elements by id on the source server; other images of a fileset keep their names.
        rows: The row of each image in the report.
        run: The run that the imports belong to.
        made: Collects the ids of all other new objects.

    Raises:
        UserError: OMERO cannot read a file, or reads other images from it than the source server did.
    """
    there, copies, total = find_filesets(session, crate), Copies(), len(crate.manifest.filesets)
    rows_of: dict[str, list[Row]] = {}
    for row in rows:
        rows_of.setdefault(row.cells["files"], []).append(row)
    for number, one in enumerate(crate.manifest.filesets, 1):
        mark, found = there.get(one.key, (None, []))
        status = "made" if mark is None or mark.state != COMPLETE else "unchanged"
        mark_id = mark.annotation_id if mark else 0
        for row in rows_of[one.key]:
            row.begin()
        if not found:
            mark_id, found = _import(session, crate, one, run, made)
        copied = _by_series(session, one, found, images)
        copies.ids |= {("Image", source): image for source, image in copied.items()}
        if status == "made":
            _complete(session, {copied[source]: images.get(source) for source in copied}, mark_id)
        for row in rows_of[one.key]:
            source = row.cells["source_image_id"]
            row.done(status if source in images else "beside", image_id=copied[source])
        print(f"{number}/{total} {one.key}: {status}", flush=True)
    return copies


def _import(
    session: Session, crate: TransferCrate, one: CrateFileset, run: ImportRun, made: MadeObjects
) -> tuple[int, list[int]]:
    """Import a fileset; return the ids of its mark and its images."""
    with crate.fetched(one.files) as paths:
        files = [SourceFile(file.name, path, file.sha1) for file, path in zip(one.files, paths, strict=True)]
        mark_id = save_mark(new_mark(crate.manifest.lsid(one.key), UNFINISHED), made)
        fileset = ImageFileset(f"{one.key} of the crate", tuple(files))
        return mark_id, import_fileset(session, run, fileset, None, mark_id=mark_id)


def _by_series(session: Session, one: CrateFileset, found: list[int], images: Mapping[int, Element]) -> dict[int, int]:
    """Match copies to source images by series number; raise a UserError if sizes or pixel type differ."""
    hql = (
        "select i.series, i.id, p.sizeX, p.sizeY, p.sizeZ, p.sizeC, p.sizeT, t.value from Image i join i.pixels p "
        "join p.pixelsType t where i.id in (:ids)"
    )
    rows = {row[0] or 0: row for row in paged_rows(session, hql, found)}
    if set(rows) != set(one.images):
        raise UserError(
            f"{one.key} of the crate: this server finds {len(rows)} images in its files, the source server found "
            f"{len(one.images)}. Ask the administrator whether both servers read this format in the same way."
        )
    for series, source in one.images.items():
        element = images.get(source)
        pixels = None if element is None else element.find("Pixels")
        if pixels is None:
            continue
        wanted = [*(int(pixels.get(f"Size{axis}", 0)) for axis in "XYZCT"), pixels.get("Type")]
        if rows[series][2:] != wanted:
            raise UserError(
                f"image {source} of the crate: this server reads it as {rows[series][2:]} (X, Y, Z, C, T, type), the "
                f"source server as {wanted}. Ask the administrator whether both read this format in the same way."
            )
    return {source: rows[series][1] for series, source in one.images.items()}


def _complete(session: Session, elements: Mapping[int, Element | None], mark_id: int) -> None:
    """Set the metadata of images from the source and mark them as complete, in one transaction."""
    from omero.model import NamedValue

    [mark] = session.objects("select m from MapAnnotation m where m.id = :id", id=mark_id)
    mark.mapValue = [NamedValue(pair.name, COMPLETE if pair.name == "state" else pair.value) for pair in mark.mapValue]
    changed = [mark]
    for pixels in session.objects(
        "select p from Pixels p join fetch p.image join fetch p.pixelsType left outer join fetch p.channels c "
        "left outer join fetch c.logicalChannel where p.image.id in (:ids)",
        ids=list(elements),
    ):
        element = elements[pixels.image.id.val]
        if element is not None:
            _describe(pixels, element)
            changed.append(pixels)
    session.update.saveArray(changed)


def _describe(pixels: Any, element: Element) -> None:
    from omero.rtypes import rint, rstring

    image = fill_object(pixels.image, element, "Image")
    said, moment = element.find("Pixels"), element.findtext("AcquisitionDate")
    if element.find("Description") is None:
        image.description = None
    if moment:
        image.acquisitionDate = typed_value(image, "acquisitionDate", moment, element)
    if said is None:
        return
    for axis in "XYZ":
        read_field(pixels, f"physicalSize{axis}", said, f"PhysicalSize{axis}")
    for channel, one in zip(pixels.copyChannels(), said.iterfind("Channel"), strict=False):
        if one.get("Name") is not None:
            channel.logicalChannel.name = rstring(one.get("Name"))
        if one.get("Color") is not None:
            parts = int(one.get("Color", "0")).to_bytes(4, "big", signed=True)
            channel.red, channel.green, channel.blue, channel.alpha = map(rint, parts)

"""Unpacking of a crate into OMERO: images, containers, annotations and ROIs, each made once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.changes import ANNOTATE_LEASE
from bioimage_suite.omero.files.imports import ImportRun, find_unfinished, imported_by
from bioimage_suite.omero.files.original_files import find_free_files
from bioimage_suite.omero.paging import paged_rows
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.transfer.annotations import annotate, attach_tables, plan_annotations
from bioimage_suite.omero.transfer.checks import check_document
from bioimage_suite.omero.transfer.contents import TRANSFER_NAMESPACE, grouped
from bioimage_suite.omero.transfer.crate import TransferCrate
from bioimage_suite.omero.transfer.document import fill_object, read_head, refs_of
from bioimage_suite.omero.transfer.images import Copies, Key, find_filesets, import_images
from bioimage_suite.omero.transfer.marks import (
    COMPLETE,
    Mark,
    find_dead_runs,
    find_free_marks,
    find_marks,
    find_surplus,
    new_mark,
    new_run,
)
from bioimage_suite.omero.transfer.rois import import_rois
from bioimage_suite.omero.undo import MadeObjects, save_links, writing
from bioimage_suite.tables.report import Report, Row

CONTAINERS = ("Project", "Dataset", "Screen")
LINKS = (("Project", "Dataset"), ("Dataset", "Image"), ("Screen", "Plate"))


def unpack(
    session: Session, crate: TransferCrate, document: Path, *, images: Report, containers: Report, dry_run: bool
) -> None:
    """Make the objects of a crate that OMERO does not have yet.

    Args:
        session: An open session.
        crate: The crate.
        document: Its OME-XML.
        images: Receives one row per image.
        containers: Receives one row per project, dataset, screen or plate.
        dry_run: Check the crate and compare it with OMERO, but change nothing.

    Raises:
        UserError: The crate is damaged or OMERO refused something; everything that this run made is deleted.
    """
    head = read_head(document)
    elements = {
        key: one for one in head.iter() if (key := _key(one.get("ID"))) and one.tag in (*CONTAINERS, "Plate", "Image")
    }
    pictures = {number: one for (kind, number), one in elements.items() if kind == "Image"}
    _check(crate, pictures)
    check_document(head, document, crate.manifest)
    _add_rows(crate, pictures, images)
    for (kind, number), one in elements.items():
        if kind != "Image":
            containers.add(object_type=kind, object_name=one.get("Name"), source_id=number)
    if dry_run:
        _plan(session, crate, images.rows, containers.rows)
        return
    manifest = crate.manifest
    keys = [*(one.key for one in manifest.filesets), *(f"Image:{number}" for number in manifest.rois)]
    sources = [manifest.lsid(key) for key in keys]
    with writing(session, ["transfer"]) as made:
        run = ImportRun(made.stay_alone)
        # Under this lease all that hangs on nothing was left by a run that is gone.
        for find in (find_dead_runs, lambda again: find_free_marks(again, sources), _free_files, find_unfinished):
            made.clear(find)
        made.rest.append(lambda again: imported_by(again, run))
        session.delete(find_surplus(session, sources, run.earlier(session)))
        copies = import_images(session, crate, pictures, images.rows, run=run, made=made)
        _make_containers(session, crate, elements, copies, made)
        _make_plates(session, crate, elements, copies, made)
        _link(session, elements, copies, made)
        made.lease([ANNOTATE_LEASE])
        run_id = new_run(made)
        notes = plan_annotations(session, head, copies, run_id)
        counts = annotate(session, crate, notes, made)
        drawn, old = import_rois(session, crate, document, images=pictures, copies=copies, notes=notes, made=made)
        attach_tables(session, crate, notes, copies, made)
        made.finish({"Roi": old, "MapAnnotation": [run_id]})
    for row in images.rows:
        number = row.cells["source_image_id"]
        roi_count, annotation_count = drawn.get(number, 0), counts.get(("Image", number), 0)
        row.fill(roi_count=roi_count, annotation_count=annotation_count)
        if row.status == "unchanged" and (roi_count or annotation_count):
            row.done("completed")
    for row in containers.rows:
        key = (row.cells["object_type"], row.cells["source_id"])
        row.done("made" if key in copies.fresh else "unchanged", object_id=copies.ids[key])


def _free_files(session: Session) -> dict[str, list[int]]:
    return {"OriginalFile": find_free_files(session, TRANSFER_NAMESPACE)}


def _add_rows(crate: TransferCrate, pictures: Mapping[int, Element], report: Report) -> None:
    """Add one row per image of every fileset; images that were not chosen have no name."""
    for one in crate.manifest.filesets:
        for number in one.images.values():
            name = pictures[number].get("Name") if number in pictures else None
            report.add(image_name=name, source_image_id=number, files=one.key)


def _check(crate: TransferCrate, images: Mapping[int, Element]) -> None:
    """Check that the two documents of the crate describe the same images."""
    held = [number for one in crate.manifest.filesets for number in one.images.values()]
    if len(held) != len(set(held)) or set(images) - set(held):
        raise UserError("crate: transfer.json and metadata.ome.xml do not fit together. Pack the crate again.")


def _plan(session: Session, crate: TransferCrate, images: Sequence[Row], containers: Sequence[Row]) -> None:
    """Set the status of each row to what unpacking would do."""
    there = find_filesets(session, crate)
    for row in images:
        mark, _ = there.get(row.cells["files"], (None, []))
        rois = crate.manifest.rois.get(row.cells["source_image_id"])
        status = "would make" if mark is None else "unchanged" if mark.state == COMPLETE else "would complete"
        row.done(status, roi_count=rois.count if rois else 0)
    names = [crate.manifest.lsid(f"{row.cells['object_type']}:{row.cells['source_id']}") for row in containers]
    marks = find_marks(session, names)
    for name, row in zip(names, containers, strict=True):
        if name in marks:
            row.done("unchanged", object_id=marks[name].objects[row.cells["object_type"]][0])
        else:
            row.done("would make")


def _make_containers(
    session: Session, crate: TransferCrate, elements: Mapping[Key, Element], copies: Copies, made: MadeObjects
) -> None:
    """Make missing projects, datasets and screens, each with its mark in the same transaction."""
    import omero.model

    marks = _container_marks(session, crate, elements)
    for kind in CONTAINERS:
        copies.ids |= {key: mark.objects[kind][0] for key, mark in marks.items() if key[0] == kind}
        fresh = [key for key in elements if key[0] == kind and key not in marks]
        things = []
        for key in fresh:
            thing = fill_object(getattr(omero.model, f"{kind}I")(), elements[key], kind)
            thing.linkAnnotation(new_mark(crate.manifest.lsid(f"{kind}:{key[1]}"), COMPLETE))
            things.append(thing)
        if things:
            ids = made.save(kind, things)
            copies.ids |= dict(zip(fresh, ids, strict=True))
            copies.fresh |= set(fresh)


def _make_plates(
    session: Session, crate: TransferCrate, elements: Mapping[Key, Element], copies: Copies, made: MadeObjects
) -> None:
    """Make missing plates with their wells, or use those that the import of a plate format made."""
    marks = _container_marks(session, crate, elements)
    for key, element in elements.items():
        if key[0] != "Plate":
            continue
        if key in marks:
            copies.ids[key] = marks[key].objects["Plate"][0]
        else:
            imported = _imported_plate(session, element, copies)
            plate = _new_plate(element, copies) if imported is None else fill_object(imported, element, "Plate")
            plate.linkAnnotation(new_mark(crate.manifest.lsid(f"Plate:{key[1]}"), COMPLETE))
            [copies.ids[key]] = made.save("Plate", [plate])
            copies.fresh.add(key)
        _find_wells(session, element, copies.ids[key], copies)


def _container_marks(session: Session, crate: TransferCrate, elements: Mapping[Key, Element]) -> dict[Key, Mark]:
    names = {crate.manifest.lsid(f"{kind}:{number}"): (kind, number) for kind, number in elements if kind != "Image"}
    return {names[source]: mark for source, mark in find_marks(session, names).items()}


def _imported_plate(session: Session, element: Element, copies: Copies) -> Any | None:
    """Return the plate that the server made from the imported files, if they hold one."""
    images = {copies.ids[key] for one in element.iterfind("Well/WellSample/ImageRef") if (key := _key(one.get("ID")))}
    rows = paged_rows(session, "select w.plate.id from WellSample s join s.well w where s.image.id in (:ids)", images)
    plates = {row[0] for row in rows}
    if not plates:
        return None
    if len(plates) > 1 or len(rows) != len(images):
        raise UserError(
            f"plate {element.get('Name')!r}: some of its images stand in other plates here ({sorted(plates)[:5]}). "
            "Take them out, or unpack into another group."
        )
    # With annotations loaded, so that the mark joins them.
    [plate] = session.objects(
        "select distinct p from Plate p left outer join fetch p.annotationLinks where p.id = :id", id=plates.pop()
    )
    return plate


def _new_plate(element: Element, copies: Copies) -> Any:
    from omero.model import ImageI, PlateAcquisitionI, PlateI, WellI, WellSampleI

    plate = fill_object(PlateI(), element, "Plate")
    runs: dict[str, Any] = {}
    for one in element.iterfind("PlateAcquisition"):
        run = fill_object(PlateAcquisitionI(), one, "PlateAcquisition")
        plate.addPlateAcquisition(run)
        runs |= dict.fromkeys(refs_of(one, "WellSampleRef"), run)
    for place in element.iterfind("Well"):
        well = fill_object(WellI(), place, "Well")
        plate.addWell(well)
        for one in place.iterfind("WellSample"):
            sample = fill_object(WellSampleI(), one, "WellSample")
            reference = one.find("ImageRef")
            key = None if reference is None else _key(reference.get("ID"))
            if key is not None:
                sample.image = ImageI(copies.ids[key], False)
            sample.plateAcquisition = runs.get(str(one.get("ID")))
            well.addWellSample(sample)
    return plate


def _find_wells(session: Session, element: Element, plate_id: int, copies: Copies) -> None:
    """Add the ids of a plate's wells (by row and column) and acquisitions (by order) to `copies`."""
    wells = {
        (row, column): number
        for row, column, number in session.rows(
            "select w.row, w.column, w.id from Well w where w.plate.id = :id", id=plate_id
        )
    }
    for place in element.iterfind("Well"):
        key, where = _key(place.get("ID")), (int(place.get("Row", 0)), int(place.get("Column", 0)))
        if key and where in wells:
            copies.ids[key] = wells[where]
    runs = session.rows("select r.id from PlateAcquisition r where r.plate.id = :id order by r.id", id=plate_id)
    for one, row in zip(element.iterfind("PlateAcquisition"), runs, strict=False):
        if key := _key(one.get("ID")):
            copies.ids[key] = row[0]


def _link(session: Session, elements: Mapping[Key, Element], copies: Copies, made: MadeObjects) -> None:
    """Link datasets to projects, images to datasets and plates to screens, where the link is missing."""
    import omero.model

    for parent, child in LINKS:
        wanted = [
            (copies.ids[key], copies.ids[part])
            for key, element in elements.items()
            if key[0] == parent
            for reference in refs_of(element, f"{child}Ref")
            if (part := _key(reference)) in copies.ids and part is not None
        ]
        model = f"{parent}{child}Link"
        hql = f"select l.parent.id, l.child.id from {model} l where l.parent.id in (:ids)"  # noqa: S608
        there = grouped(paged_rows(session, hql, {one for one, _ in wanted}))
        links = []
        for holder, held in wanted:
            if held not in there.get(holder, ()):
                link = getattr(omero.model, f"{model}I")()
                link.parent = getattr(omero.model, f"{parent}I")(holder, False)
                link.child = getattr(omero.model, f"{child}I")(held, False)
                links.append(link)
        save_links(session, model, links, made)


def _key(text: str | None) -> Key | None:
    """Parse an ID such as "Image:51" to class and id."""
    kind, _, number = (text or "").partition(":")
    return (kind, int(number)) if number.isdecimal() else None

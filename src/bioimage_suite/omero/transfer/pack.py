"""Packing of projects, datasets, screens, plates or images, with annotations and ROIs, into a folder."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from bioimage_suite.core.image_names import safe_name
from bioimage_suite.core.untrusted_files import safe_relative_path
from bioimage_suite.omero.files.original_files import SHA1, download_file, file_sha1
from bioimage_suite.omero.files.restrictions import NO_ORIGINALS, find_restricted_filesets
from bioimage_suite.omero.images.details import Channel, ImageDetails, load_image_details
from bioimage_suite.omero.images.instruments import Length
from bioimage_suite.omero.images.whole_images import export_images
from bioimage_suite.omero.objects import Target
from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.transfer.contents import (
    Contents,
    find_contents,
    plate_runs,
    plate_wells,
    shape_annotation_links,
)
from bioimage_suite.omero.transfer.crate import (
    DOCUMENT,
    METADATA,
    CrateFile,
    CrateFileset,
    Manifest,
    RoiSet,
    write_manifest,
)
from bioimage_suite.omero.transfer.document import (
    add_refs,
    annotation_element,
    element_bytes,
    new_document,
    object_element,
    roi_element,
)
from bioimage_suite.omero.transfer.rocrate import crate_metadata
from bioimage_suite.tables.report import Report

LONGEST_ATTACHMENT = 150  # Characters of an attachment's name in the crate; the XML keeps the full name for OMERO.web.


def pack(
    session: Session, target: Target, folder: Path, report: Report, *, licence: str = "", internal: bool = False
) -> None:
    """Write all files, OME-XML, manifest and RO-Crate to a folder.

    Args:
        session: An open session.
        target: The objects to pack, with everything below them.
        folder: Empty folder to write to.
        report: Receives one row per image.
        licence: URL of the licence of the images; "" if none is stated.
        internal: Whether the crate names what only its lab should know: the server's address and login names.

    Raises:
        UserError: An object does not exist or cannot be transferred, or OMERO cannot deliver a file.
    """
    database = session.client.getSession().getConfigService().getDatabaseUuid()
    contents = find_contents(session, target)
    images = load_image_details(session, contents.ids("Image"))
    for one in images:
        roi_count = len(contents.children["Image"].get(one.image_id, ()))
        annotation_count = len(contents.refs("Image", one.image_id))
        report.add(image_id=one.image_id, image_name=one.name, roi_count=roi_count, annotation_count=annotation_count)
    filesets = _download_filesets(session, images, folder, report)
    attachments = _download_attachments(session, contents, folder)
    if not internal:
        people = {number: ("", *names[1:]) for number, names in contents.people.items()}
        contents = replace(contents, people=people)
    head = _head(contents, images, attachments)
    with new_document(folder / DOCUMENT, head) as write_roi:
        rois = _write_rois(session, contents, write_roi)
    server = str(session.address) if internal else ""
    manifest = Manifest(server, database, contents.roots, tuple(filesets), attachments, rois)
    write_manifest(folder, manifest)
    changed = _last_change(session, contents)
    metadata = crate_metadata(head, manifest, folder, licence=licence, changed=changed)
    (folder / METADATA).write_text(json.dumps(metadata, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _last_change(session: Session, contents: Contents) -> datetime:
    moments = [0]
    for kind, things in contents.objects.items():
        ids = {one.id.val for one in things}
        hql = f"select e.time from {kind} o join o.details.updateEvent e where o.id in (:ids)"  # noqa: S608
        moments += [row[0] for row in paged_rows(session, hql, ids)]
    return datetime.fromtimestamp(max(moments) / 1000, UTC)


def _download_filesets(
    session: Session, images: Sequence[ImageDetails], folder: Path, report: Report
) -> list[CrateFileset]:
    ids = {one.image_id for one in images}
    own = {row[0] for row in paged_rows(session, "select f.id from Image i join i.fileset f where i.id in (:ids)", ids)}
    restricted = find_restricted_filesets(session, own)
    own -= restricted
    # A fileset cannot be split: its other images are packed too.
    members: dict[int, dict[int, int]] = {}
    hql = "select f.id, i.id, i.series from Image i join i.fileset f where f.id in (:ids) order by i.series"
    for fileset, image, series in paged_rows(session, hql, own):
        members.setdefault(fileset, {})[series or 0] = image
    files: dict[int, list[Sequence[Any]]] = {}
    hql = (
        "select f.id, o.id, o.path, o.name, o.size, o.hash, h.value, f.templatePrefix from Fileset f "
        "join f.usedFiles e join e.originalFile o left outer join o.hasher h where f.id in (:ids) order by e.id"
    )
    for found_file in paged_rows(session, hql, own):
        files.setdefault(found_file[0], []).append(found_file)
    bare = [one for one in images if not any(one.image_id in found.values() for found in members.values())]
    total, found = len(own) + len(bare), []
    rows = {row.cells["image_id"]: row for row in report.rows}
    for fileset in sorted(own):
        own_rows = [rows[image] for image in members[fileset].values() if image in rows]
        for row in own_rows:
            row.begin()
            row.fill(files=f"Fileset:{fileset}")
        originals = tuple(_download_original(session, one, folder) for one in files[fileset])
        found.append(CrateFileset(f"Fileset:{fileset}", originals, members[fileset]))
        for row in own_rows:
            row.done("packed")
        print(f"{len(found)}/{total} fileset {fileset}: {len(originals)} files", flush=True)
    for image in bare:
        rows[image.image_id].begin()
        rows[image.image_id].fill(files=f"Image:{image.image_id}")
        found.append(_export_pixels(session, image, folder))
        how = NO_ORIGINALS if image.fileset_id in restricted else "as OME-TIFF: it has no original files"
        rows[image.image_id].done(f"packed {how}" if image.fileset_id in restricted else "packed")
        print(f"{len(found)}/{total} image {image.image_id}: {how}", flush=True)
    return found


def _download_original(session: Session, row: Sequence[Any], folder: Path) -> CrateFile:
    fileset, file_id, path, name, size, checksum, hasher, prefix = row
    inner = f"{path or ''}{name}".removeprefix(prefix or "")
    if safe_relative_path(inner) is None:
        inner = safe_name(name) or "file"
    place = f"filesets/{fileset}/{inner}"
    known = checksum if hasher == SHA1 else None
    shown = f"fileset {fileset}, file {inner!r}"
    return CrateFile(
        place, inner, size or 0, _download(session, file_id, folder / place, size=size or 0, sha1=known, shown=shown)
    )


def _download(session: Session, file_id: int, path: Path, *, size: int, sha1: str | None, shown: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    download_file(session, file_id, path, size=size, sha1=sha1, shown=shown)
    return sha1 or file_sha1(path)


def _export_pixels(session: Session, image: ImageDetails, folder: Path) -> CrateFileset:
    """Export the pixels of an image without original files, or without those that may be downloaded, as OME-TIFF."""
    place = folder / "images" / str(image.image_id)
    # Annotations are in the OME-XML of the crate; an import would make those in the file a second time.
    export_images(session, [replace(image, key_values=(), tags=())], place)
    [path] = place.iterdir()
    one = CrateFile(path.relative_to(folder).as_posix(), path.name, path.stat().st_size, file_sha1(path))
    return CrateFileset(f"Image:{image.image_id}", (one,), {0: image.image_id})


def _download_attachments(session: Session, contents: Contents, folder: Path) -> dict[int, CrateFile]:
    found: dict[int, CrateFile] = {}
    for number, one in sorted(contents.annotations.items()):
        file = getattr(one, "file", None)
        if file is None:
            continue
        name = file.name.val
        place = f"attachments/{number}/{safe_name(name)[-LONGEST_ATTACHMENT:] or 'file'}"
        size = file.size.val if file.size is not None else 0
        hasher = file.hasher.value.val if file.hasher is not None and file.hash is not None else ""
        known = file.hash.val if hasher == SHA1 else None
        sha1 = _download(
            session, file.id.val, folder / place, size=size, sha1=known, shown=f"attachment {number} {name!r}"
        )
        found[number] = CrateFile(place, safe_name(name) or "file", size, sha1)
    return found


def _head(contents: Contents, images: Sequence[ImageDetails], attachments: Mapping[int, CrateFile]) -> list[Element]:
    """Return all elements of the document except ROIs, in the order of the OME-XML schema."""
    parts = [_container(contents, one, "Project", "Dataset") for one in contents.objects["Project"]]
    parts += [_container(contents, one, "Dataset", "Image") for one in contents.objects["Dataset"]]
    parts += [_plate(contents, one) for one in contents.objects["Plate"]]
    parts += [_container(contents, one, "Screen", "Plate") for one in contents.objects["Screen"]]
    for number, names in sorted(contents.people.items()):
        person = dict(zip(("UserName", "FirstName", "LastName"), names, strict=True))
        named = {name: value for name, value in person.items() if value}
        parts.append(Element("Experimenter", {"ID": f"Experimenter:{number}", **named}))
    details = {one.image_id: one for one in images}
    parts += [_image(contents, one, details[one.id.val]) for one in contents.objects["Image"]]
    annotations = Element("StructuredAnnotations")
    for number, one in sorted(contents.annotations.items()):
        annotations.append(_annotation(contents, one, attachments.get(number)))
    return [*parts, annotations]


def _container(contents: Contents, thing: Any, kind: str, child: str) -> Element:
    element = object_element(thing, kind)
    if kind != "Screen":  # OME-XML has no owner for a screen or plate.
        add_refs(element, "ExperimenterRef", "Experimenter", [thing.details.owner.id.val])
    add_refs(element, f"{child}Ref", child, contents.children[kind].get(thing.id.val, ()))
    add_refs(element, "AnnotationRef", "Annotation", contents.refs(kind, thing.id.val))
    return element


def _plate(contents: Contents, plate: Any) -> Element:
    element, index = object_element(plate, "Plate"), 0
    runs: dict[int, list[int]] = {}
    for well in plate_wells(plate):
        place = SubElement(element, "Well")
        place.attrib |= object_element(well, "Well").attrib
        for sample in well.copyWellSamples():
            if sample is None:
                continue
            made = object_element(sample, "WellSample")
            made.set("Index", str(index))
            index += 1
            if sample.image is not None:
                add_refs(made, "ImageRef", "Image", [sample.image.id.val])
            if sample.plateAcquisition is not None:
                runs.setdefault(sample.plateAcquisition.id.val, []).append(sample.id.val)
            place.append(made)
        add_refs(place, "AnnotationRef", "Annotation", contents.refs("Well", well.id.val))
    add_refs(element, "AnnotationRef", "Annotation", contents.refs("Plate", plate.id.val))
    for run in plate_runs(plate):
        made = object_element(run, "PlateAcquisition")
        add_refs(made, "WellSampleRef", "WellSample", runs.get(run.id.val, ()))
        add_refs(made, "AnnotationRef", "Annotation", contents.refs("PlateAcquisition", run.id.val))
        element.append(made)
    return element


def _image(contents: Contents, image: Any, details: ImageDetails) -> Element:
    whole = object_element(image, "Image")
    element = Element("Image", whole.attrib)
    if details.acquired is not None:
        moment = details.acquired.replace(tzinfo=None)
        SubElement(element, "AcquisitionDate").text = moment.isoformat(timespec="milliseconds")
    add_refs(element, "ExperimenterRef", "Experimenter", [image.details.owner.id.val])
    element.extend(whole)  # the description
    _add_pixels(element, details)
    add_refs(element, "ROIRef", "ROI", contents.children["Image"].get(details.image_id, ()))
    add_refs(element, "AnnotationRef", "Annotation", contents.refs("Image", details.image_id))
    return element


def _add_pixels(element: Element, image: ImageDetails) -> None:
    sizes = {f"Size{axis}": str(getattr(image, f"size_{axis.lower()}")) for axis in "XYZCT"}
    named = {"ID": f"Pixels:{image.pixels_id}", "DimensionOrder": "XYZCT", "Type": image.pixel_type}
    pixels = SubElement(element, "Pixels", {**named, **sizes})
    for axis in "XYZ":
        _set_length(pixels, f"PhysicalSize{axis}", getattr(image, f"physical_{axis.lower()}"))
    for number, channel in enumerate(image.channels):
        _add_channel(pixels, f"Channel:{image.pixels_id}:{number}", channel)
    SubElement(pixels, "MetadataOnly")


def _add_channel(pixels: Element, identifier: str, channel: Channel) -> None:
    made = SubElement(pixels, "Channel", ID=identifier)
    if channel.name is not None:
        made.set("Name", channel.name)
    if channel.color is not None:
        made.set("Color", str(channel.color))
    _set_length(made, "EmissionWavelength", channel.emission)
    _set_length(made, "ExcitationWavelength", channel.excitation)


def _set_length(element: Element, name: str, length: Length | None) -> None:
    if length is not None:
        element.set(name, repr(length.value).removesuffix(".0"))
        element.set(f"{name}Unit", length.symbol)


def _annotation(contents: Contents, annotation: Any, file: CrateFile | None) -> Element:
    element = annotation_element(annotation)
    value = element.find("Value")
    refs = contents.refs("Annotation", annotation.id.val)
    if value is not None:
        element.remove(value)  # OME-XML requires it after the references.
    add_refs(element, "AnnotationRef", "Annotation", refs)
    if value is not None:
        element.append(value)
    if file is not None:
        original = annotation.file
        said = {"FileName": original.name.val, "Size": str(file.size)}
        if original.mimetype is not None and original.mimetype.val:
            said["MIMEType"] = original.mimetype.val
        SubElement(SubElement(element, "BinaryFile", said), "External", href=file.path, SHA1=file.sha1)
    return element


def _write_rois(session: Session, contents: Contents, write: Callable[[bytes], object]) -> dict[int, RoiSet]:
    """Write the ROIs of all images as XML, loaded in pages; return their count and SHA-1 by image id."""
    written: dict[int, RoiSet] = {}
    hql = (
        "select distinct r from Roi r left outer join fetch r.shapes s left outer join fetch s.transform "
        "where r.id in (:ids)"
    )
    for image, ids in contents.children["Image"].items():
        digest = hashlib.sha1(usedforsecurity=False)
        for page in batches(ids):
            drawn = shape_annotation_links(session, page)
            for roi in sorted(session.objects(hql, ids=page), key=lambda one: one.id.val):
                part = element_bytes(roi_element(roi, contents.refs("Roi", roi.id.val), drawn))
                digest.update(part)
                write(part)
        written[image] = RoiSet(len(ids), digest.hexdigest())
    return written

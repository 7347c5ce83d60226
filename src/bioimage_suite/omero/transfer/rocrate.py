"""RO-Crate 1.2 metadata of a transfer, for harvesters and other labs."""

import mimetypes
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

from bioimage_suite.omero.transfer.crate import DOCUMENT, MANIFEST, METADATA, CrateFile, Manifest
from bioimage_suite.omero.transfer.document import refs_of

CONTEXT = "https://w3id.org/ro/crate/1.2/context"
PROFILE = "https://w3id.org/ro/crate/1.2"
SHA1_TERM = "http://id.loc.gov/vocabulary/preservation/cryptographicHashFunctions/sha1"
NO_LICENCE = "#no-licence-stated"
MAX_PAIRS = 200  # Key-value pairs per object in the RO-Crate; the OME-XML has all of them.
Entity = dict[str, Any]
DESCRIPTOR = {
    "@id": METADATA,
    "@type": "CreativeWork",
    "conformsTo": {"@id": PROFILE},
    "about": {"@id": "./"},
}


def crate_metadata(
    head: Sequence[Element], manifest: Manifest, folder: Path, *, licence: str, changed: datetime
) -> Entity:
    """Describe a packed folder as RO-Crate.

    Args:
        head: The document's elements without ROIs.
        manifest: The manifest of the crate.
        folder: The folder, for the sizes of the documents.
        licence: URL of the licence; "" if none is stated, which means that all rights are reserved.
        changed: Time of the last change to the objects. RO-Crate requires a date; with today's date, packing the same
            objects twice would give different crates.

    Returns:
        The content of `ro-crate-metadata.json`; the same for the same input.
    """
    elements = {str(one.get("ID")): one for one in head if one.get("ID")}
    annotations = {str(one.get("ID")): one for part in head if part.tag == "StructuredAnnotations" for one in part}
    people = [_person(one, manifest) for one in head if one.tag == "Experimenter"]
    holders = {image: one.key for one in manifest.filesets for image in one.images.values()}
    described: list[Entity] = []
    for one in head:
        if one.tag in ("Project", "Dataset", "Screen", "Plate", "Image"):
            described += _described(one, manifest, annotations, holders)
    files = [*map(_file, manifest.files()), *_documents(folder)]
    folders = [
        {
            **{"@id": f"{_folder(one.key)}", "@type": "Dataset", "name": f"files of {one.key}"},
            "hasPart": _refs(_path(file.path) for file in one.files),
        }
        for one in manifest.filesets
    ]
    server = f"the OMERO server {manifest.server}" if manifest.server else "an OMERO server"
    names = [_name(elements[key]) for key in manifest.roots if key in elements]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "; ".join(names)[:500] or "Images from OMERO",
        "description": f"{', '.join(manifest.roots)} of {server}, with original files, "
        "annotations and regions of interest.",
        "datePublished": changed.date().isoformat(),
        "license": {"@id": licence or NO_LICENCE},
        "author": _refs(one["@id"] for one in people),
        "hasPart": _refs(one["@id"] for one in (*folders, *files)),
        "mentions": _refs(one["@id"] for one in described if one["@type"] != "PropertyValue"),
        "identifier": [manifest.lsid(key) for key in manifest.roots],
    }
    graph = [DESCRIPTOR, root, _licence(licence), *people, *folders, *files, *described]
    return {"@context": [CONTEXT, {"sha1": SHA1_TERM}], "@graph": graph}


def _documents(folder: Path) -> list[Entity]:
    texts = {
        DOCUMENT: "containers, images, annotations and ROIs as OME-XML",
        MANIFEST: "which file belongs to which images, with checksums",
    }
    return [_file(CrateFile(name, name, (folder / name).stat().st_size, ""), about) for name, about in texts.items()]


def _licence(licence: str) -> Entity:
    if licence:
        return {"@id": licence, "@type": "CreativeWork", "name": licence}
    return {
        "@id": NO_LICENCE,
        "@type": "CreativeWork",
        "name": "No licence stated",
        "description": "All rights are reserved; ask the authors before you use or pass on these images.",
    }


def _described(
    element: Element, manifest: Manifest, annotations: dict[str, Element], holders: dict[int, str]
) -> list[Entity]:
    key = str(element.get("ID"))
    entity: Entity = {"@id": f"#{key}", "@type": "ImageObject" if element.tag == "Image" else "Collection"}
    entity |= {"name": _name(element), "identifier": manifest.lsid(key), "additionalType": element.tag}
    if element.findtext("Description"):
        entity["description"] = element.findtext("Description")
    parts = [*refs_of(element, "DatasetRef"), *refs_of(element, "ImageRef"), *refs_of(element, "PlateRef")]
    parts += [str(one.get("ID")) for one in element.iterfind("Well/WellSample/ImageRef")]
    if parts:
        entity["hasPart"] = _refs(f"#{part}" for part in dict.fromkeys(parts))
    if element.tag == "Image":
        entity["isBasedOn"] = {"@id": _folder(holders[int(key.partition(":")[2])])}
    owner = element.find("ExperimenterRef")
    if owner is not None:
        entity["creator"] = {"@id": f"#{owner.get('ID')}"}
    notes = [annotations[one] for one in refs_of(element, "AnnotationRef") if one in annotations]
    tags = [one.findtext("Value") or "" for one in notes if one.tag == "TagAnnotation"]
    if tags:
        entity["keywords"] = tags
    pairs = [(m.get("K", ""), m.text or "") for one in notes for m in one.iterfind("Value/M")][:MAX_PAIRS]
    values = [
        {"@id": f"#{key}/pair/{number}", "@type": "PropertyValue", "name": name, "value": value}
        for number, (name, value) in enumerate(pairs)
    ]
    if values:
        entity["additionalProperty"] = _refs(str(one["@id"]) for one in values)
    return [entity, *values]


def _person(element: Element, manifest: Manifest) -> Entity:
    name = " ".join(filter(None, (element.get("FirstName"), element.get("LastName"))))
    name = name or element.get("UserName") or _name(element)
    entity = {"@id": f"#{element.get('ID')}", "@type": "Person", "name": name}
    return entity | {"identifier": manifest.lsid(str(element.get("ID")))}


def _file(file: CrateFile, description: str = "") -> Entity:
    kind = mimetypes.guess_type(file.path)[0] or "application/octet-stream"
    entity: Entity = {"@id": _path(file.path), "@type": "File", "name": file.name, "contentSize": str(file.size)}
    entity["encodingFormat"] = "image/tiff" if file.path.endswith((".tif", ".tiff")) else kind
    if file.sha1:
        entity["sha1"] = file.sha1
    return entity | ({"description": description} if description else {})


def _name(element: Element) -> str:
    return element.get("Name") or str(element.get("ID"))


def _folder(key: str) -> str:
    kind, _, number = key.partition(":")
    return f"{'filesets' if kind == 'Fileset' else 'images'}/{number}/"


def _path(path: str) -> str:
    return quote(path)


def _refs(ids: Iterable[str]) -> list[Entity]:
    return [{"@id": one} for one in ids]

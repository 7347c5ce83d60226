"""Every kind of annotation on every kind of object, and every kind of shape in a ROI."""

import numpy as np
import omero.gateway
import omero.model
import pytest
from omero.rtypes import rdouble, rint, rstring, unwrap

KINDS = ["Boolean", "Comment", "Double", "File", "List", "Long", "Map", "Tag", "Term", "Timestamp", "Xml"]
SHAPES = ["Rectangle", "Ellipse", "Polygon", "Polyline", "Line", "Point", "Label", "Mask", "Path"]
TARGETS = [
    "Project", "Dataset", "Image", "Screen", "Plate", "PlateAcquisition", "Well", "Fileset", "OriginalFile", "Roi",
    "Shape", "Channel", "Instrument", "Objective", "Experimenter", "ExperimenterGroup",
]  # fmt: skip


def new(kind: str, **values):
    made = getattr(omero.model, f"{kind}I")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def save(gateway, made):
    return gateway.getUpdateService().saveAndReturnObject(made, gateway.SERVICE_OPTS)


def make(gateway, kind: str):
    """An object of this kind, saved."""
    if kind in ("Project", "Dataset", "Image", "Screen", "Plate", "OriginalFile"):
        more = {"path": rstring("/")} if kind == "OriginalFile" else {}
        return save(gateway, new(kind, name=rstring("it"), **more))
    if kind in ("PlateAcquisition", "Well"):
        more = {"row": rint(0), "column": rint(0)} if kind == "Well" else {}
        return save(gateway, new(kind, plate=make(gateway, "Plate").proxy(), **more))
    if kind == "Shape":
        return save(gateway, new("Point", x=rdouble(1), y=rdouble(2), roi=make(gateway, "Roi").proxy()))
    if kind == "Objective":
        types = gateway.getTypesService()
        values = {name: types.getEnumeration(name.title(), "Unknown") for name in ("immersion", "correction")}
        return save(gateway, new("Objective", instrument=make(gateway, "Instrument").proxy(), **values))
    if kind == "Channel":
        image = gateway.createImageFromNumpySeq(iter([np.ones((2, 2), np.uint8)]), "image")
        return image.getChannels(noRE=True)[0]._obj
    if kind == "Fileset":
        return save(gateway, new("Fileset", templatePrefix=rstring("x")))
    return {"Experimenter": gateway.getUser, "ExperimenterGroup": gateway.getGroupFromContext}.get(
        kind, lambda: omero.gateway.BlitzObjectWrapper(gateway, save(gateway, new(kind)))
    )()._obj


@pytest.mark.parametrize("target", TARGETS)
def test_every_annotation_on_every_object(gateway, target):
    thing = make(gateway, target)
    file = make(gateway, "OriginalFile").proxy()
    links = []
    for kind in KINDS:
        annotation = new(f"{kind}Annotation", ns=rstring(kind))
        if kind == "File":
            annotation.file = file
        links.append(new(f"{target}AnnotationLink", parent=thing.proxy(), child=annotation))
    gateway.getUpdateService().saveArray(links)
    query = f"select a.ns, a.class from {target}AnnotationLink l join l.child a where l.parent.id = {thing.id.val}"
    found = unwrap(gateway.getQueryService().projection(f"{query} order by a.ns", None))
    assert found == [[kind, f"ome.model.annotations.{kind}Annotation"] for kind in KINDS]
    load = gateway.getMetadataService().loadAnnotations
    listed = load(thing.ice_id().rpartition("::")[2], [thing.id.val], None, None, None)[thing.id.val]
    assert sorted(type(a).__name__ for a in listed) == [f"{kind}AnnotationI" for kind in KINDS]


def test_every_shape(gateway):
    roi = omero.model.RoiI()
    for kind in SHAPES:
        roi.addShape(new(kind, textValue=rstring(kind)))
    saved = save(gateway, roi)
    (found,) = gateway.getRoiService().findByRoi(saved.id.val, None).rois
    assert [(type(s).__name__, s.textValue.val) for s in found.copyShapes()] == [(f"{k}I", k) for k in SHAPES]

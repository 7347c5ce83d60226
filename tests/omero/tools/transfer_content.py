"""What a transfer takes along: containers, images, all kinds of annotations and shapes, and how to compare them."""

from pathlib import Path
from typing import Any

import numpy as np
import omero
import tifffile
from omero.rtypes import rbool, rdouble, rint, rlong, rstring, rtime

from tests.galaxy.seed_omero import link
from tests.omero.tool_support import Lab, pixels_of

TEXT = 'µ \r\n\ttabs <and> & "quotes"'  # what XML and Windows make of text


def annotation(kind: str, namespace: str = "", **fields: Any) -> Any:
    made = getattr(omero.model, f"{kind}AnnotationI")()
    if namespace:
        made.ns = rstring(namespace)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def every_annotation() -> list[Any]:
    pair = omero.model.NamedValue
    return [
        annotation("Map", "some/ns", mapValue=[pair("b", "2"), pair("a", TEXT), pair("b", "")]),
        annotation("Map", "some/ns", mapValue=[pair("b", "2"), pair("a", TEXT), pair("b", "")]),  # twice on purpose
        annotation("Comment", textValue=rstring(TEXT), description=rstring("said")),
        annotation("Long", "openmicroscopy.org/omero/insight/rating", longValue=rlong(4)),
        annotation("Double", doubleValue=rdouble(0.1 + 0.2)),
        annotation("Boolean", boolValue=rbool(False)),
        annotation("Timestamp", timeValue=rtime(1_600_000_000_123)),
        annotation("Term", termValue=rstring("GO:0005634")),
        annotation("Xml", textValue=rstring("<a  b='1'/>")),
        annotation("Tag", textValue=rstring("good")),
    ]


def every_shape() -> list[Any]:
    numbers = {
        "Rectangle": {"x": 1.5, "y": 2, "width": 3, "height": 4},
        "Ellipse": {"x": 5, "y": 5, "radiusX": 2.25, "radiusY": 1},
        "Point": {"x": 1, "y": 1},
        "Label": {"x": 2, "y": 2},
        "Line": {"x1": 0, "y1": 0, "x2": 4, "y2": 1 / 3},
        "Mask": {"x": 1, "y": 1, "width": 4, "height": 4},
        "Polygon": {},
        "Polyline": {},
    }
    shapes = []
    for kind, values in numbers.items():
        shape = getattr(omero.model, f"{kind}I")()
        for name, value in values.items():
            setattr(shape, name, rdouble(value))
        if kind.startswith("Poly"):
            shape.points = rstring("1,1 2.5,1 2,3")
        if kind == "Mask":
            shape.bytes = bytes([0b10110001, 0b11111111])
        shape.textValue, shape.theZ, shape.locked = rstring(f"{kind} {TEXT}"), rint(0), rbool(True)
        shape.strokeColor, shape.fillColor = rint(-65281), rint(0x11223344)
        shape.strokeWidth = omero.model.LengthI(1.5, omero.model.enums.UnitsLength.PIXEL)
        shape.transform = omero.model.AffineTransformI()
        for name, value in zip(("a00", "a10", "a01", "a11", "a02", "a12"), (1, 0.5, 0, 1, 2, 3), strict=True):
            setattr(shape.transform, name, rdouble(value))
        shapes.append(shape)
    return shapes


def draw(lab: Lab, image: int, shapes: list[Any], *notes: Any) -> int:
    roi = omero.model.RoiI()
    roi.image, roi.name, roi.description = omero.model.ImageI(image, False), rstring("cell"), rstring(TEXT)
    for shape in shapes:
        roi.addShape(shape)
    for note in notes:
        roi.linkAnnotation(note)
    return lab.save(roi)


def _plain(thing: Any) -> dict[str, Any]:
    """Return the values of an object by field."""
    found = {}
    for name in sorted(thing._field_info._fields):
        value = getattr(thing, name, None)
        if hasattr(value, "getSymbol"):
            found[name] = (value.getValue(), value.getSymbol())
        elif hasattr(value, "val"):
            found[name] = value.val
        elif name == "bytes" and value is not None:
            found[name] = bytes(one & 255 for one in value)
        elif name == "mapValue" and value is not None:
            found[name] = [(one.name, one.value) for one in value]
        elif name == "transform" and value is not None:
            found[name] = [getattr(value, field).val for field in ("a00", "a10", "a01", "a11", "a02", "a12")]
    return found


def _notes(lab: Lab, kind: str, number: int) -> list[Any]:
    """Return the annotations of an object, those that mark a transfer left out."""
    query = lab.session.getQueryService()
    hql = f"select a from {kind}AnnotationLink l join l.child a where l.parent.id = {number} order by l.id"
    texts = []
    for one in query.findAllByQuery(hql, None):
        if one.ns is not None and one.ns.val.startswith("github.com/bioimage-suite-galaxy/transfer"):
            continue
        said = {name: value for name, value in _plain(one).items() if name != "file"}
        if type(one).__name__ == "FileAnnotationI":
            file = query.get("OriginalFile", one.file.id.val)
            said |= {"file": (file.name.val, file.size.val, file.mimetype.val)}
            store = lab.session.createRawFileStore()
            store.setFileId(file.id.val)
            said["content"] = store.read(0, file.size.val) if file.size.val else b""
            store.close()
        texts.append((type(one).__name__, said))
    return texts


def _rois(lab: Lab, image: int) -> list[Any]:
    rois = []
    hql = "select distinct r from Roi r left outer join fetch r.shapes s left outer join fetch s.transform "
    for roi in lab.session.getQueryService().findAllByQuery(f"{hql} where r.image.id = {image} order by r.id", None):
        shapes = sorted(roi.copyShapes(), key=lambda one: one.id.val)
        drawn = [(type(one).__name__, _plain(one), _notes(lab, "Shape", one.id.val)) for one in shapes]
        rois.append((_plain(roi), _notes(lab, "Roi", roi.id.val), drawn))
    return rois


def _image(lab: Lab, pixels: Any) -> dict[str, Any]:
    image = pixels.image
    channels = [(one.logicalChannel.name, one.red, one.green, one.blue) for one in pixels.copyChannels()]
    said = {name: value for name, value in _plain(pixels).items() if name.startswith(("size", "physical"))}
    return {
        "image": {name: value for name, value in _plain(image).items() if name in ("name", "description")},
        "date": image.acquisitionDate and image.acquisitionDate.val,
        "pixels": said | {"type": pixels.pixelsType.value.val, "data": pixels_of(lab, image.id.val).tobytes()},
        "channels": [[part and part.val for part in channel] for channel in channels],
        "notes": _notes(lab, "Image", image.id.val),
        "rois": _rois(lab, image.id.val),
    }


def _tree(lab: Lab) -> list[Any]:
    """Return the containers with what is in them."""
    query = lab.session.getQueryService()
    tree = []
    for kind, child in (("Project", "Dataset"), ("Dataset", "Image"), ("Screen", "Plate")):
        for thing in query.findAllByQuery(f"select o from {kind} o order by o.id", None):
            hql = f"select c.name from {kind}{child}Link l join l.child c where l.parent.id = {thing.id.val}"
            hql += " order by c.id"
            names = [row[0] for row in lab.rows(hql)]
            tree.append((kind, _plain(thing), _notes(lab, kind, thing.id.val), names))
    for plate in query.findAllByQuery("select o from Plate o order by o.id", None):
        wells = lab.rows(
            "select w.row, w.column, w.type, i.name, r.name from WellSample s join s.well w join s.image i "
            f"left outer join s.plateAcquisition r where w.plate.id = {plate.id.val} order by w.row, w.column, s.id"
        )
        ids = lab.rows(f"select w.id from Well w where w.plate.id = {plate.id.val} order by w.row, w.column")
        notes = [_notes(lab, "Well", row[0]) for row in ids]
        tree.append(("Plate", _plain(plate), _notes(lab, "Plate", plate.id.val), wells, notes))
    return tree


def described(lab: Lab) -> dict[str, Any]:
    """All that a user of a group can tell of its content, without ids: to compare two servers."""
    hql = "select p from Pixels p join fetch p.image join fetch p.pixelsType left outer join fetch p.channels c "
    found = lab.session.getQueryService().findAllByQuery(hql + "left outer join fetch c.logicalChannel", None)
    images = {pixels.image.id.val: _image(lab, pixels) for pixels in found}
    sets = lab.rows("select s.textValue, t.textValue from AnnotationAnnotationLink l, TagAnnotation s, TagAnnotation t "
                    "where l.parent.id = s.id and l.child.id = t.id")  # fmt: skip
    return {"images": [images[number] for number in sorted(images)], "tree": _tree(lab), "sets": sorted(sets)}


def import_image(lab: Lab, folder: Path, dataset: int) -> int:
    """Import an OME-TIFF of two channels, then give it a name and a description."""
    from bioimage_suite.omero.files.filesets import single_file
    from bioimage_suite.omero.files.imports import ImportRun, import_fileset
    from bioimage_suite.omero.session import open_session

    path = folder / "source.ome.tiff"
    pixels = np.arange(2 * 3 * 20 * 30, dtype=np.uint16).reshape(2, 3, 20, 30)
    tifffile.imwrite(path, pixels, metadata={"axes": "CZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}, ome=True)
    with open_session(lab.address) as session:
        [image] = import_fileset(session, ImportRun(), single_file("a", "a.ome.tiff", path), dataset)
    found = lab.session.getQueryService().get("Image", image)
    found.name, found.description = rstring("renamed"), rstring(TEXT)
    lab.save(found)
    return image


def annotate(lab: Lab, project: int, image: int, bare: int) -> int:
    """Give an image every annotation, share one with another image and their project; returns a tag within a set."""
    for one in every_annotation():
        lab.annotate(image, one)
    shared = lab.annotate(image, annotation("Comment", "shared", textValue=rstring("on both")))
    child = omero.model.CommentAnnotationI(shared, False)
    link(lab.session, "ImageAnnotationLinkI", omero.model.ImageI(bare, False), child)
    link(lab.session, "ProjectAnnotationLinkI", omero.model.ProjectI(project, False), child)
    tag_set = annotation("Tag", "openmicroscopy.org/omero/insight/tagset", textValue=rstring("quality"))
    [[tag]] = lab.rows("select t.id from TagAnnotation t where t.textValue = 'good'")
    members = omero.model.AnnotationAnnotationLinkI()
    members.parent, members.child = tag_set, omero.model.TagAnnotationI(tag, False)
    lab.save(members)
    return tag


def fill(lab: Lab, tmp_path: Path) -> None:
    """A project of two datasets: an imported image, one without original file, one in both; all annotations, ROIs."""
    lab.sign_in()
    project, first, second = (
        lab.container("Project", "p"),
        lab.container("Dataset", "d1"),
        lab.container("Dataset", "d2"),
    )
    for dataset in (first, second):
        link(
            lab.session,
            "ProjectDatasetLinkI",
            omero.model.ProjectI(project, False),
            omero.model.DatasetI(dataset, False),
        )
    image = import_image(lab, tmp_path, first)
    bare = lab.image("bare", np.arange(35, dtype=np.uint8).reshape(5, 7), first)
    link(lab.session, "DatasetImageLinkI", omero.model.DatasetI(second, False), omero.model.ImageI(image, False))
    tag = annotate(lab, project, image, bare)
    attach(lab, bare, "notes ü.txt", b"some\x00bytes")
    draw(lab, image, every_shape(), annotation("Map", "roi/ns", mapValue=[omero.model.NamedValue("class", "A")]))
    shape = omero.model.PointI()
    shape.x, shape.y = rdouble(1), rdouble(2)
    shape.linkAnnotation(annotation("Comment", textValue=rstring("on a shape")))
    draw(lab, image, [shape], omero.model.TagAnnotationI(tag, False))
    draw(lab, bare, every_shape()[:1])


def attach(lab: Lab, image: int, name: str, content: bytes) -> None:
    file = omero.model.OriginalFileI()
    file.name, file.path, file.mimetype = rstring(name), rstring(""), rstring("text/plain")
    file.size = rlong(len(content))
    number = lab.save(file)
    store = lab.session.createRawFileStore()
    store.setFileId(number)
    store.write(content, 0, len(content))
    store.save()
    store.close()
    lab.annotate(image, annotation("File", "files", file=omero.model.OriginalFileI(number, False)))


def make_plate(lab: Lab, name: str, images: dict[tuple[int, int], list[int]], screen: int | None = None) -> int:
    plate = omero.model.PlateI()
    plate.name, plate.columns, plate.rows = rstring(name), rint(12), rint(8)
    plate.rowNamingConvention, plate.columnNamingConvention = rstring("letter"), rstring("number")
    plate.wellOriginX = omero.model.LengthI(1.5, omero.model.enums.UnitsLength.REFERENCEFRAME)
    run = omero.model.PlateAcquisitionI()
    run.name, run.startTime, run.maximumFieldCount = rstring("run 1"), rtime(1_500_000_000_000), rint(2)
    plate.addPlateAcquisition(run)
    for (row, column), fields in images.items():
        well = omero.model.WellI()
        well.row, well.column, well.type = rint(row), rint(column), rstring("control")
        well.linkAnnotation(annotation("Map", "w", mapValue=[omero.model.NamedValue("gene", f"{row}-{column}")]))
        for number, image in enumerate(fields):
            sample = omero.model.WellSampleI()
            sample.image, sample.plateAcquisition = omero.model.ImageI(image, False), run
            sample.posX = omero.model.LengthI(number / 3, omero.model.enums.UnitsLength.MICROMETER)
            well.addWellSample(sample)
        plate.addWell(well)
    if screen is not None:
        plate.linkScreen(omero.model.ScreenI(screen, False))
    return lab.save(plate)

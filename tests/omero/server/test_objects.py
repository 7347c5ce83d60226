"""Objects over the wire, with BlitzGateway and the services below it."""

import omero
import omero.gateway as gw
import pytest
from omero.rtypes import rdouble, rint, rlong, rstring, unwrap


def project(gateway, name="project", datasets=()):
    made = omero.model.ProjectI()
    made.name = rstring(name)
    for dataset in datasets:
        child = omero.model.DatasetI()
        child.name = rstring(dataset)
        made.linkDataset(child)
    made = gateway.getUpdateService().saveAndReturnObject(made, gateway.SERVICE_OPTS)
    return gateway.getObject("Project", made.id.val)


def test_saved_graph_is_found_again(gateway):
    made = project(gateway, "tree", ["a", "b"])
    assert made.getName() == "tree"
    assert [d.getName() for d in made.listChildren()] == ["a", "b"]
    assert made.getOwner().getId() == gateway.getUserId()
    assert [p.getId() for p in gateway.listProjects()] == [made.getId()]
    assert [d.getParent().getId() for d in gateway.getObjects("Dataset")] == [made.getId()] * 2


def test_objects_by_attribute_and_parent(gateway):
    made = project(gateway, "p1", ["x", "y", "z"])
    project(gateway, "p2", ["x"])
    assert len(list(gateway.getObjects("Dataset", attributes={"name": "x"}))) == 2
    inside = gateway.getObjects("Dataset", opts={"project": made.getId(), "order_by": "obj.name desc"})
    assert [d.getName() for d in inside] == ["z", "y", "x"]
    page = gateway.getObjects("Dataset", opts={"limit": 2, "offset": 1, "order_by": "obj.id"})
    assert [d.getName() for d in page] == ["y", "z"]
    assert gateway.getObject("Dataset", 10**9) is None


@pytest.mark.parametrize(
    ("wrapper", "value"),
    [
        (gw.TagAnnotationWrapper, "a tag"),
        (gw.CommentAnnotationWrapper, "ünïcode ✓"),
        (gw.LongAnnotationWrapper, 2**40),
        (gw.DoubleAnnotationWrapper, 0.1),
        (gw.BooleanAnnotationWrapper, True),
        (gw.TermAnnotationWrapper, "GO:0005634"),
        (gw.XmlAnnotationWrapper, "<a/>"),
        (gw.MapAnnotationWrapper, [("b", "2"), ("a", "1"), ("b", "2"), ("", "")]),
    ],
)
def test_annotation_comes_back_as_it_went(gateway, wrapper, value):
    target = project(gateway)
    annotation = wrapper(gateway)
    annotation.setNs("test.ns")
    annotation.setValue([list(pair) for pair in value] if isinstance(value, list) else value)
    annotation.save()
    target.linkAnnotation(annotation)
    (found,) = gateway.getObject("Project", target.getId()).listAnnotations()
    assert type(found) is wrapper
    assert found.getValue() == value
    assert found.getNs() == "test.ns"
    assert [a.getId() for a in target.listAnnotations(ns="other")] == []
    assert target.getAnnotation("test.ns").getId() == found.getId()
    target.unlinkAnnotations("test.ns")
    assert list(gateway.getObject("Project", target.getId()).listAnnotations()) == []
    assert gateway.getObject("Annotation", found.getId()) is not None or wrapper is not gw.TagAnnotationWrapper


def test_map_annotation_is_replaced_on_save(gateway):
    annotation = gw.MapAnnotationWrapper(gateway)
    annotation.setValue([["a", "1"]])
    annotation.save()
    annotation.setValue([["a", "2"], ["c", "3"]])
    annotation.save()
    assert gateway.getObject("Annotation", annotation.getId()).getValue() == [("a", "2"), ("c", "3")]


def test_tag_set(gateway):
    parent = omero.model.TagAnnotationI()
    parent.ns, parent.textValue = rstring(omero.constants.metadata.NSINSIGHTTAGSET), rstring("set")
    child = omero.model.TagAnnotationI()
    child.textValue = rstring("tag")
    parent.linkAnnotation(child)
    gateway.getUpdateService().saveObject(parent)
    (found,) = gateway.getMetadataService().loadTagSets(None, gateway.SERVICE_OPTS)
    assert [t.textValue.val for t in found.linkedAnnotationList()] == ["tag"]


def shapes():
    mask = omero.model.MaskI()
    mask.x, mask.y, mask.width, mask.height = (rdouble(v) for v in (1, 2, 4, 2))
    mask.bytes = bytes([0b10100000])
    polygon = omero.model.PolygonI()
    polygon.points = rstring("0,0 10,0 10,10.5")
    point = omero.model.PointI()
    point.x, point.y, point.theZ, point.theT = rdouble(3.25), rdouble(4), rint(1), rint(2)
    rectangle = omero.model.RectangleI()
    rectangle.x, rectangle.y, rectangle.width, rectangle.height = (rdouble(v) for v in (0, 0, 5, 6))
    rectangle.strokeWidth = omero.model.LengthI(2.5, omero.model.enums.UnitsLength.PIXEL)
    ellipse = omero.model.EllipseI()
    ellipse.x, ellipse.y, ellipse.radiusX, ellipse.radiusY = (rdouble(v) for v in (5, 5, 2, 1))
    ellipse.textValue = rstring("label 7")
    ellipse.strokeColor = rint(-16776961)
    return [mask, polygon, point, rectangle, ellipse]


def image(gateway, name="image"):
    made = omero.model.ImageI()
    made.name = rstring(name)
    return gateway.getUpdateService().saveAndReturnObject(made, gateway.SERVICE_OPTS)


def test_shapes_keep_their_order_and_values(gateway):
    target = image(gateway)
    roi = omero.model.RoiI()
    roi.image = omero.model.ImageI(target.id, False)
    for shape in shapes():
        roi.addShape(shape)
    saved = gateway.getUpdateService().saveAndReturnObject(roi)
    (found,) = gateway.getRoiService().findByImage(target.id.val, None).rois
    assert found.id.val == saved.id.val
    kinds = [type(s).__name__ for s in found.copyShapes()]
    assert kinds == ["MaskI", "PolygonI", "PointI", "RectangleI", "EllipseI"]
    mask, polygon, point, rectangle, ellipse = found.copyShapes()
    assert bytes(mask.bytes) == bytes([0b10100000])
    assert polygon.points.val == "0,0 10,0 10,10.5"
    assert (point.x.val, point.theZ.val, point.theT.val) == (3.25, 1, 2)
    assert (rectangle.strokeWidth.getValue(), str(rectangle.strokeWidth.getUnit())) == (2.5, "PIXEL")
    assert (ellipse.textValue.val, ellipse.strokeColor.val, ellipse.theZ) == ("label 7", -16776961, None)
    assert unwrap(gateway.getObject("Image", target.id.val).getROICount()) == 1


def test_removed_shape_is_deleted(gateway):
    roi = omero.model.RoiI()
    for shape in shapes():
        roi.addShape(shape)
    roi = gateway.getUpdateService().saveAndReturnObject(roi)
    roi.removeShape(roi.getShape(1))
    gateway.getUpdateService().saveObject(roi)
    (found,) = gateway.getRoiService().findByRoi(roi.id.val, None).rois
    assert [type(s).__name__ for s in found.copyShapes()] == ["MaskI", "PointI", "RectangleI", "EllipseI"]


def test_rois_go_with_their_image(gateway):
    target = image(gateway)
    roi = omero.model.RoiI()
    roi.image = omero.model.ImageI(target.id, False)
    roi.addShape(shapes()[0])
    roi = gateway.getUpdateService().saveAndReturnObject(roi)
    gateway.deleteObjects("Image", [target.id.val], wait=True)
    assert gateway.getObject("Roi", roi.id.val) is None
    assert gateway.getObject("Image", target.id.val) is None


def test_plate_with_wells(gateway):
    plate = omero.model.PlateI()
    plate.name = rstring("plate")
    for row, column in ((0, 0), (0, 1), (1, 1)):
        well = omero.model.WellI()
        well.row, well.column = rint(row), rint(column)
        sample = omero.model.WellSampleI()
        sample.image = image(gateway, f"{row}-{column}").proxy()
        well.addWellSample(sample)
        plate.addWell(well)
    plate = gateway.getUpdateService().saveAndReturnObject(plate, gateway.SERVICE_OPTS)
    found = gateway.getObject("Plate", plate.id.val)
    assert (found.getGridSize()["rows"], found.getGridSize()["columns"]) == (2, 2)
    names = {(w.row, w.column): w.getImage().getName() for w in found.listChildren()}
    assert names == {(0, 0): "0-0", (0, 1): "0-1", (1, 1): "1-1"}


def test_old_version_is_refused(gateway):
    made = omero.model.DatasetI()
    made.name = rstring("first")
    made = gateway.getUpdateService().saveAndReturnObject(made)
    stale = gateway.getQueryService().get("Dataset", made.id.val)
    made.name = rstring("second")
    gateway.getUpdateService().saveObject(made)
    stale.name = rstring("third")
    with pytest.raises(omero.OptimisticLockException):
        gateway.getUpdateService().saveObject(stale)
    assert gateway.getObject("Dataset", made.id.val).getName() == "second"


def test_what_is_missing_is_named(gateway):
    with pytest.raises(omero.ValidationException, match=r"Dataset\.name"):
        gateway.getUpdateService().saveObject(omero.model.DatasetI())
    link = omero.model.DatasetImageLinkI()
    link.parent, link.child = omero.model.DatasetI(10**9, False), omero.model.ImageI(10**9, False)
    with pytest.raises(omero.ValidationException, match="Dataset:1000000000"):
        gateway.getUpdateService().saveObject(link)


def test_array_is_saved_whole_or_not_at_all(gateway):
    good = omero.model.DatasetI()
    good.name = rstring("good")
    with pytest.raises(omero.ValidationException):
        gateway.getUpdateService().saveAndReturnArray([good, omero.model.DatasetI()])
    assert list(gateway.getObjects("Dataset")) == []


def test_images_survive_in_another_dataset(gateway):
    first, second = (project(gateway, n, [n]).listChildren().__next__() for n in ("one", "two"))
    shared, alone = image(gateway, "shared"), image(gateway, "alone")
    links = []
    for dataset, child in ((first, shared), (first, alone), (second, shared)):
        link = omero.model.DatasetImageLinkI()
        link.parent, link.child = omero.model.DatasetI(dataset.getId(), False), child.proxy()
        links.append(link)
    gateway.getUpdateService().saveArray(links)
    gateway.deleteObjects("Dataset", [first.getId()], deleteChildren=True, wait=True)
    assert gateway.getObject("Image", shared.id.val) is not None
    assert gateway.getObject("Image", alone.id.val) is None


def test_projection_types(gateway):
    made = project(gateway, "types", ["a", "b", "c"])
    text = "select p.id, p.name, size(p.datasetLinks), p.details.owner.omeName, p from Project p where p.id = :id"
    parameters = omero.sys.ParametersI().addId(made.getId())
    ((row_id, name, size, owner, thing),) = gateway.getQueryService().projection(text, parameters)
    assert isinstance(row_id, omero.RLong)
    assert (row_id.val, name.val, size.val) == (made.getId(), "types", 3)
    assert owner.val == gateway.getUser().getName()
    assert thing.val.name.val == "types"
    (row,) = gateway.getQueryService().projection(
        "select new map(p.id as id, p.details.permissions as perms) from Project p where p.id = :id", parameters
    )
    assert unwrap(row[0])["id"] == made.getId()
    assert unwrap(row[0])["perms"]["canEdit"] is True


def test_parameters_of_thousands_of_ids(gateway):
    made = project(gateway)
    parameters = omero.sys.ParametersI()
    parameters.addIds([rlong(i) for i in range(40_000)] + [rlong(made.getId())])
    found = gateway.getQueryService().findAllByQuery("from Project p where p.id in (:ids)", parameters)
    assert [p.id.val for p in found] == [made.getId()]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("select x from Nothing x", "Nothing"),
        ("select p.nothing from Project p", "nothing"),
        ("select p from Project p where", "end"),
        ("select p from Project p where p.id = :missing", "missing"),
        ("select frobnicate(p.name) from Project p", "frobnicate"),
        ("drop table Project", "drop"),
        ("", "empty"),
    ],
)
def test_query_error_names_the_part(gateway, text, named):
    with pytest.raises(omero.QueryException, match=named):
        gateway.getQueryService().projection(text, None)

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import omero
import omero_transfer
import pytest
import tifffile
from lxml import etree
from omero.rtypes import rbool, rdouble, rint, rlong, rstring, rtime

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.crates.roc_validator import roc_findings
from sandbox.omero.launch import running_server
from tests.galaxy.seed_omero import link
from tests.omero.tool_fixtures import Lab, lab, make_lab, read_rows, typed
from tests.omero.tools.test_import_images import all_counts, count, picture, pixels_of, plate_members

__all__ = ("lab",)
XSD = Path(etree.__file__).parents[1] / "ome_types" / "ome-2016-06.xsd"
TEXT = 'µ \r\n\ttabs <and> & "quotes"'  # what XML and Windows make of text


@pytest.fixture
def pack(tmp_path: Path):
    def start(lab: Lab, kind: str, objects: Any, name: str = "crate.zip", by: str = "name", **config: Any) -> Path:
        lab.sign_in()
        do = {"mode": "pack", "target": typed(kind, objects, by), **config}
        return lab.run(omero_transfer, tmp_path, {"crate": name, "output": "packed.tsv"}, do=do)["crate"]

    return start


@pytest.fixture
def unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def start(lab: Lab, crate: Path, **config: Any) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        lab.sign_in()
        address = {name: config.pop(name) for name in ("omero_host", "omero_group") if name in config}
        do = {"mode": "unpack", "crate": {"element_identifier": "crate", "source_path": str(crate)}, **config}
        outputs = {"output": "images.tsv", "containers": "containers.tsv"}
        paths = lab.run(omero_transfer, tmp_path, outputs, do=do, **address)
        return read_rows(paths["output"]), read_rows(paths["containers"])

    return start


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


def described(lab: Lab) -> dict[str, Any]:
    """All that a user of a group can tell of its content, without ids: to compare two servers."""
    query = lab.session.getQueryService()

    def plain(thing: Any) -> dict[str, Any]:
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

    def notes(kind: str, number: int) -> list[Any]:
        hql = f"select a from {kind}AnnotationLink l join l.child a where l.parent.id = {number} order by l.id"
        texts = []
        for one in query.findAllByQuery(hql, None):
            if one.ns is not None and one.ns.val.startswith("github.com/bioimage-suite-galaxy/transfer"):
                continue
            said = {name: value for name, value in plain(one).items() if name != "file"}
            if type(one).__name__ == "FileAnnotationI":
                file = query.get("OriginalFile", one.file.id.val)
                said |= {"file": (file.name.val, file.size.val, file.mimetype.val)}
                store = lab.session.createRawFileStore()
                store.setFileId(file.id.val)
                said["content"] = store.read(0, file.size.val) if file.size.val else b""
                store.close()
            texts.append((type(one).__name__, said))
        return texts

    images = {}
    hql = "select p from Pixels p join fetch p.image join fetch p.pixelsType left outer join fetch p.channels c "
    for pixels in query.findAllByQuery(hql + "left outer join fetch c.logicalChannel", None):
        image = pixels.image
        channels = [(one.logicalChannel.name, one.red, one.green, one.blue) for one in pixels.copyChannels()]
        said = {name: value for name, value in plain(pixels).items() if name.startswith(("size", "physical"))}
        rois = []
        hql = "select distinct r from Roi r left outer join fetch r.shapes s left outer join fetch s.transform "
        for roi in query.findAllByQuery(f"{hql} where r.image.id = {image.id.val} order by r.id", None):
            shapes = sorted(roi.copyShapes(), key=lambda one: one.id.val)
            drawn = [(type(one).__name__, plain(one), notes("Shape", one.id.val)) for one in shapes]
            rois.append((plain(roi), notes("Roi", roi.id.val), drawn))
        images[image.id.val] = {
            "image": {name: value for name, value in plain(image).items() if name in ("name", "description")},
            "date": image.acquisitionDate and image.acquisitionDate.val,
            "pixels": said | {"type": pixels.pixelsType.value.val, "data": pixels_of(lab, image.id.val).tobytes()},
            "channels": [[part and part.val for part in channel] for channel in channels],
            "notes": notes("Image", image.id.val),
            "rois": rois,
        }
    tree = []
    for kind, child in (("Project", "Dataset"), ("Dataset", "Image"), ("Screen", "Plate")):
        for thing in query.findAllByQuery(f"select o from {kind} o order by o.id", None):
            hql = f"select c.name from {kind}{child}Link l join l.child c where l.parent.id = {thing.id.val}"
            hql += " order by c.id"
            names = [row[0] for row in lab.rows(hql)]
            tree.append((kind, plain(thing), notes(kind, thing.id.val), names))
    for plate in query.findAllByQuery("select o from Plate o order by o.id", None):
        wells = lab.rows(
            "select w.row, w.column, w.type, i.name, r.name from WellSample s join s.well w join s.image i "
            f"left outer join s.plateAcquisition r where w.plate.id = {plate.id.val} order by w.row, w.column, s.id"
        )
        ids = lab.rows(f"select w.id from Well w where w.plate.id = {plate.id.val} order by w.row, w.column")
        tree.append(("Plate", plain(plate), notes("Plate", plate.id.val), wells, [notes("Well", w[0]) for w in ids]))
    sets = lab.rows("select s.textValue, t.textValue from AnnotationAnnotationLink l, TagAnnotation s, TagAnnotation t "
                    "where l.parent.id = s.id and l.child.id = t.id")  # fmt: skip
    return {"images": [images[number] for number in sorted(images)], "tree": tree, "sets": sorted(sets)}


def fill(lab: Lab, tmp_path: Path) -> None:
    """A project of two datasets: an imported image, one without original file, one in both; all annotations, ROIs."""
    from bioimage_suite.omero.files.filesets import single_file
    from bioimage_suite.omero.files.imports import ImportRun, import_fileset
    from bioimage_suite.omero.session import open_session

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
    path = tmp_path / "source.ome.tiff"
    pixels = np.arange(2 * 3 * 20 * 30, dtype=np.uint16).reshape(2, 3, 20, 30)
    tifffile.imwrite(path, pixels, metadata={"axes": "CZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}, ome=True)
    with open_session(lab.address) as session:
        [image] = import_fileset(session, ImportRun(), single_file("a", "a.ome.tiff", path), first)
    found = lab.session.getQueryService().get("Image", image)
    found.name, found.description = rstring("renamed"), rstring(TEXT)
    lab.save(found)
    bare = lab.image("bare", np.arange(35, dtype=np.uint8).reshape(5, 7), first)
    link(lab.session, "DatasetImageLinkI", omero.model.DatasetI(second, False), omero.model.ImageI(image, False))
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


def test_a_project_arrives_whole_and_a_second_time_nothing_is_made(lab: Lab, pack, unpack, tmp_path: Path):
    fill(lab, tmp_path)
    source = described(lab)
    assert [(len(one["notes"]), len(one["rois"])) for one in source["images"]] == [(11, 2), (2, 1)]
    crate = pack(lab, "project", "p")
    other = lab.stranger()
    images, containers = unpack(other, crate)
    assert described(other) == source
    assert [(row["image_name"], row["roi_count"], row["status"]) for row in images] == [
        ("renamed", "2", "made"),
        ("bare", "1", "made"),
    ]
    assert [(row["object_type"], row["object_name"], row["status"]) for row in containers] == [
        ("Project", "p", "made"),
        ("Dataset", "d1", "made"),
        ("Dataset", "d2", "made"),
    ]
    before = all_counts(other)
    again, containers = unpack(other, crate)
    assert all_counts(other) == before
    assert described(other) == source
    assert {row["status"] for row in (*again, *containers)} == {"unchanged"}
    assert [row["image_id"] for row in again] == [row["image_id"] for row in images]


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


def test_a_screen_with_plates_wells_fields_and_acquisitions(lab: Lab, pack, unpack):
    images = [lab.image(f"field {number}", np.full((3, 4), number, np.uint8)) for number in range(4)]
    screen = lab.container("Screen", "s")
    make_plate(lab, "one", {(0, 0): images[:2], (27, 11): images[2:3]}, screen)
    plate = make_plate(lab, "two", {(1, 1): images[3:]}, screen)
    note = omero.model.CommentAnnotationI(lab.save(annotation("Comment", textValue=rstring("on a plate"))), False)
    link(lab.session, "PlateAnnotationLinkI", omero.model.PlateI(plate, False), note)
    source = described(lab)
    crate = pack(lab, "screen", "s")
    other = lab.stranger()
    images, containers = unpack(other, crate)
    assert described(other) == source
    assert sorted((row["object_type"], row["object_name"]) for row in containers) == [
        ("Plate", "one"),
        ("Plate", "two"),
        ("Screen", "s"),
    ]
    positions = "select s.posX.value, r.name, r.startTime from WellSample s left outer join s.plateAcquisition r"
    assert other.rows(f"{positions} order by s.id") == lab.rows(f"{positions} order by s.id")
    before = all_counts(other)
    again, containers = unpack(other, crate)
    assert {row["status"] for row in (*again, *containers)} == {"unchanged"}
    assert all_counts(other) == before


def test_a_plate_that_was_imported_as_one_arrives_as_one(lab: Lab, pack, unpack, tmp_path: Path):
    """The server makes the plate of the files; the transfer takes it over, with name and annotations of the source."""
    from bioimage_suite.omero.files.filesets import ImageFileset, SourceFile
    from bioimage_suite.omero.files.imports import ImportRun, import_fileset
    from bioimage_suite.omero.files.original_files import file_sha1
    from bioimage_suite.omero.session import open_session

    members = plate_members({"A/1": [picture(1), picture(2)], "B/2": [picture(3)]}, tmp_path)
    paths = [tmp_path / "p.zarr" / name.partition("/")[2] for name in members]
    order = sorted(zip(members, paths, strict=True), key=lambda one: one[0].count("/"))
    files = tuple(SourceFile(name, path, file_sha1(path)) for name, path in order)
    screen = lab.container("Screen", "s")
    with open_session(lab.address) as session:
        import_fileset(session, ImportRun(), ImageFileset("p", files), None, screen_id=screen)
    plate = lab.session.getQueryService().findByQuery("select p from Plate p", None)
    plate.name, plate.description = rstring("renamed"), rstring(TEXT)
    lab.save(plate)
    [[well]] = lab.rows("select w.id from Well w where w.row = 1")
    note = omero.model.CommentAnnotationI(lab.save(annotation("Comment", textValue=rstring("a well"))), False)
    link(lab.session, "WellAnnotationLinkI", omero.model.WellI(well, False), note)
    source = described(lab)
    crate = pack(lab, "screen", "s")
    other = lab.stranger()
    unpack(other, crate)
    assert described(other) == source
    before = all_counts(other)
    images, containers = unpack(other, crate)
    assert {row["status"] for row in (*images, *containers)} == {"unchanged"}
    assert all_counts(other) == before


def test_one_image_of_a_file_brings_the_others_along(lab: Lab, pack, unpack, tmp_path: Path):
    from bioimage_suite.omero.files.filesets import single_file
    from bioimage_suite.omero.files.imports import ImportRun, import_fileset
    from bioimage_suite.omero.session import open_session

    path = tmp_path / "two.ome.tiff"
    with tifffile.TiffWriter(path, ome=True) as file:
        for number in range(2):
            file.write(np.full((4, 5), number, np.uint8), metadata={"Name": f"series {number}"})
    with open_session(lab.address) as session:
        _, second = import_fileset(session, ImportRun(), single_file("two", "two.ome.tiff", path), None)
    crate = pack(lab, "image", second, "folder", by="id")
    other = lab.stranger()
    rows, _ = unpack(other, crate)
    assert [row["status"] for row in rows] == ["beside", "made"]
    assert rows[1]["source_image_id"] == str(second)
    np.testing.assert_array_equal(pixels_of(other, rows[1]["image_id"])[0, 0, 0], np.ones((4, 5), np.uint8))


def test_ids_in_tables_and_label_images_lead_to_the_copies(lab: Lab, pack, unpack):
    from bioimage_suite.omero.rois.labels import SOURCE_KEY, labels_namespace

    dataset = lab.container("Dataset", "d")
    image, labels = (lab.image(name, np.ones((3, 4), np.uint8), dataset) for name in ("a", "labels"))
    roi = draw(lab, image, every_shape()[:1])
    pair = omero.model.NamedValue(SOURCE_KEY, str(image))
    lab.annotate(labels, annotation("Map", labels_namespace("cells"), mapValue=[pair]))
    table = lab.session.sharedResources().newTable(1, "measured")
    columns = [
        omero.grid.ImageColumn("Image", "", [image, labels, 987654]),
        omero.grid.RoiColumn("Roi", "", [roi, -1, -1]),
        omero.grid.DoubleColumn("area", "", [1.5, float("nan"), 0.1]),
        omero.grid.StringColumn("text", "", 4, ["a", "b", "c"]),
    ]
    table.initialize(columns)
    table.addData(columns)
    file = omero.model.OriginalFileI(table.getOriginalFile().id.val, False)
    table.close()
    lab.annotate(image, annotation("File", file=file))
    crate = pack(lab, "dataset", "d")
    other = lab.stranger()
    rows, _ = unpack(other, crate)
    ids = {row["image_name"]: int(row["image_id"]) for row in rows}
    [[file_id]] = other.rows("select f.id from FileAnnotation a join a.file f")
    opened = other.session.sharedResources().openTable(omero.model.OriginalFileI(file_id, False))
    found = [column.values for column in opened.read([0, 1, 2, 3], 0, 3).columns]
    opened.close()
    [[roi_id]] = other.rows("select r.id from Roi r")
    assert found[:2] == [[ids["a"], ids["labels"], -1], [roi_id, -1, -1]]
    assert (found[2][0], found[2][2], found[3]) == (1.5, 0.1, ["a", "b", "c"])
    value = "select v.value from MapAnnotation m join m.mapValue v where v.name = 'source image id'"
    assert other.rows(value) == [[str(ids["a"])]]
    before = all_counts(other)
    unpack(other, crate)
    assert all_counts(other) == before


@pytest.fixture(scope="module")
def other_server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("other")) as server:
        yield server


def test_to_another_server_and_on_to_a_third_group(lab: Lab, other_server, pack, unpack, tmp_path, monkeypatch):
    fill(lab, tmp_path)
    source = described(lab)
    crate = pack(lab, "project", "p")
    with make_lab(other_server, monkeypatch) as away:
        lab.image("so that ids differ", np.ones((2, 2), np.uint8))
        unpack(away, crate)
        assert described(away) == source
        onward = away.stranger()
        unpack(onward, pack(away, "project", "p", "onward.zip"))
        assert described(onward) == source


def test_a_crate_is_the_same_each_time_valid_ome_xml_and_a_described_ro_crate(lab: Lab, pack, tmp_path: Path):
    fill(lab, tmp_path)
    image = lab.rows("select i.id from Image i where i.name = 'bare'")[0][0]
    make_plate(lab, "plate", {(0, 0): [image]}, lab.container("Screen", "s"))
    first, second = (pack(lab, "project", "p", name) for name in ("1.zip", "2.zip"))
    assert first.read_bytes() == second.read_bytes()
    schema = etree.XMLSchema(etree.parse(XSD))
    for crate in (first, pack(lab, "screen", "s", "3.zip")):
        with zipfile.ZipFile(crate) as archive:
            schema.assertValid(etree.fromstring(archive.read("metadata.ome.xml")))
            names = set(archive.namelist())
            metadata = json.loads(archive.read("ro-crate-metadata.json"))
        graph = {one["@id"]: one for one in metadata["@graph"]}
        if crate == first:
            assert roc_findings(metadata, "./", "crate") == []
        files = {one for one, entity in graph.items() if entity["@type"] == "File"}
        assert {part.replace("%C3%BC", "ü") for part in files} == names - {"ro-crate-metadata.json"}
        references = json.dumps([{**one, "@id": ""} for one in graph.values()])
        for part in (one["@id"] for one in _objects(json.loads(references)) if set(one) == {"@id"}):
            assert part in graph or part.startswith("https://w3id.org/"), part
    assert not list(tmp_path.glob("crate-*"))


def _objects(value: Any) -> list[dict]:
    if isinstance(value, list):
        return [found for one in value for found in _objects(one)]
    if isinstance(value, dict):
        return [value, *(found for one in value.values() for found in _objects(one))]
    return []


def test_a_dry_run_makes_nothing_and_tells_what_is_missing(lab: Lab, pack, unpack, tmp_path: Path):
    fill(lab, tmp_path)
    crate = pack(lab, "project", "p")
    other = lab.stranger()
    before = all_counts(other)
    images, containers = unpack(other, crate, dry_run=True)
    assert {row["status"] for row in (*images, *containers)} == {"would make"}
    assert all_counts(other) == before
    unpack(other, crate)
    images, containers = unpack(other, crate, dry_run=True)
    assert {row["status"] for row in (*images, *containers)} == {"unchanged"}


def test_what_was_added_at_the_source_comes_with_the_next_crate(lab: Lab, pack, unpack, tmp_path: Path):
    fill(lab, tmp_path)
    other = lab.stranger()
    unpack(other, pack(lab, "project", "p"))
    [[image]] = lab.rows("select i.id from Image i where i.name = 'bare'")
    draw(lab, image, every_shape()[1:3])
    lab.annotate(image, annotation("Comment", textValue=rstring("new")))
    rows, _ = unpack(other, pack(lab, "project", "p", "later.zip"))
    assert [row["status"] for row in rows] == ["unchanged", "completed"]
    assert described(other) == described(lab)


def changed(crate: Path, folder: Path, name: str, change: Any) -> Path:
    """A copy of a crate in which one file is another, or missing where `change` gives None."""
    made = folder / "changed.zip"
    with zipfile.ZipFile(crate) as source, zipfile.ZipFile(made, "w") as target:
        for member in source.namelist():
            data = source.read(member)
            data = change(data) if member == name else data
            if data is not None:
                target.writestr(member, data)
    return made


def test_a_damaged_or_harmful_crate_is_refused_and_nothing_is_made(lab: Lab, unpack, tmp_path: Path):
    crate = Path(omero_transfer.__file__).with_name("test-data") / "transfer_crate.zip"
    before = all_counts(lab)
    text, document = "transfer.json", "metadata.ome.xml"

    def said(key: str, value: Any) -> Any:
        return lambda data: json.dumps({**json.loads(data), key: value}).encode()

    cases = [
        (text, lambda _: None, "it holds no transfer.json"),
        (document, lambda _: None, "it holds no metadata.ome.xml"),
        (text, lambda _: b"{", "not JSON"),
        (text, said("version", 99), "version 99 is unknown here"),
        (text, said("format", "other"), "not written by this tool"),
        (text, said("filesets", [{}]), "damaged"),
        (text, said("filesets", []), "do not fit together"),
        (text, lambda data: data.replace(b'"filesets/1/a', b'"../filesets/1/a'), "would leave the crate"),
        (text, lambda data: data.replace(b'"name": "a.ome.tiff"', b'"name": "../a"'), "would leave the crate"),
        ("filesets/1/a.ome.tiff", lambda _: None, "file 'filesets/1/a.ome.tiff': missing"),
        ("filesets/1/a.ome.tiff", lambda data: data + b"x", r"'filesets/1/a.ome.tiff': \d+ bytes long, not"),
        ("filesets/1/a.ome.tiff", lambda data: bytes([data[0] ^ 1]) + data[1:], "damaged, its checksum is another"),
        ("images/2/Image_2_transferred_2.ome.tiff", lambda data: data[:-1] + b"?", "its checksum is another"),
        (document, lambda data: data[:-9], "not XML"),
        (document, lambda data: data.replace(b"<OME", b'<!DOCTYPE OME [<!ENTITY a "b">]><OME', 1), "document type"),
        (document, lambda data: data.replace(b"<Ellipse", b"<Blob").replace(b"</Ellipse", b"</Blob"), "is no shape"),
        (document, lambda data: data.replace(b'RadiusX="2"', b'RadiusX="two"'), "'two' is no value of radiusX"),
        (document, lambda data: data.replace(b'SizeX="32"', b'SizeX="31"'), "this server reads it as"),
        (document, lambda data: data.replace(b"CommentAnnotation", b"SecretAnnotation"), "is no annotation"),
    ]
    for name, change, message in cases:
        with pytest.raises(UserError, match=message):
            unpack(lab, changed(crate, tmp_path, name, change))
        assert all_counts(lab) == before, message
    images, _ = unpack(lab, crate)
    assert [row["status"] for row in images] == ["made", "made"]


def test_a_crate_may_be_a_folder_and_nothing_outside_it_is_sent(lab: Lab, unpack, tmp_path: Path):
    packed = Path(omero_transfer.__file__).with_name("test-data") / "transfer_crate.zip"
    folder = tmp_path / "folder"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    image = next(path for path in sorted((folder / "filesets").rglob("*")) if path.is_file())
    content, outside = image.read_bytes(), tmp_path / "outside"
    outside.write_bytes(content)
    image.write_bytes(bytes(len(content)))
    with pytest.raises(UserError, match="damaged, its checksum is another"):
        unpack(lab, folder)
    image.unlink()
    image.symlink_to(outside)
    with pytest.raises(UserError, match="crate"):
        unpack(lab, folder)
    assert count(lab, "Image") == count(lab, "Dataset") == 0
    image.unlink()
    image.write_bytes(content)
    from_folder, _ = unpack(lab, folder)
    from_zip, _ = unpack(lab, packed)
    assert {row["status"] for row in from_folder} == {"made"}
    assert [row["image_id"] for row in from_zip] == [row["image_id"] for row in from_folder]
    assert count(lab, "Image") == len(from_folder) == 2


def test_it_works_in_the_group_that_was_chosen(lab: Lab, pack, unpack, tmp_path: Path):
    """What stands in one group is neither packed from another nor taken for a copy there."""
    crate = Path(omero_transfer.__file__).with_name("test-data") / "transfer_crate.zip"
    other = lab.stranger()
    lab.join(other.group)
    first, _ = unpack(lab, crate, omero_group=other.group)
    assert count(other, "Image") == 2
    assert count(lab, "Image") == 0
    second, _ = unpack(lab, crate)
    assert {row["status"] for row in second} == {"made"}
    assert {row["image_id"] for row in first}.isdisjoint(row["image_id"] for row in second)


def test_what_cannot_travel_is_named_before_a_crate_is_made(lab: Lab, pack, tmp_path: Path):
    dataset = lab.container("Dataset", "d")
    image = lab.image("a", np.ones((3, 4), np.uint8), dataset)
    path = omero.model.PathI()
    path.d = rstring("M 0 0")
    roi = draw(lab, image, [path])
    with pytest.raises(UserError, match=f"ROI {roi}: its shape .* is a Path, which cannot travel"):
        pack(lab, "dataset", "d")
    with pytest.raises(UserError, match="dataset 'none': there is none"):
        pack(lab, "dataset", "none")
    assert not list(tmp_path.glob("crate*"))


def test_what_was_deleted_is_made_again_and_what_was_renamed_stays(lab: Lab, unpack):
    from bioimage_suite.omero.session import open_session

    crate = Path(omero_transfer.__file__).with_name("test-data") / "transfer_crate.zip"
    images, containers = unpack(lab, crate)
    whole = described(lab)
    with open_session(lab.address) as session:
        session.delete({"Image": [int(images[1]["image_id"])]})
    again, _ = unpack(lab, crate)
    assert [row["status"] for row in again] == ["unchanged", "made"]
    assert described(lab) == whole
    project = lab.session.getQueryService().get("Project", int(containers[0]["object_id"]))
    project.name = rstring("mine now")
    lab.save(project)
    _, containers = unpack(lab, crate)
    assert [row["status"] for row in containers] == ["unchanged", "unchanged"]
    assert lab.rows("select p.name from Project p") == [["mine now"]]

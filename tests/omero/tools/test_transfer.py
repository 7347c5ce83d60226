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
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.crates.roc_validator import roc_findings
from sandbox.omero.launch import running_server
from tests.galaxy.seed_omero import link
from tests.omero.tool_support import (
    Lab,
    all_counts,
    count,
    make_lab,
    picture,
    pixels_of,
    plate_members,
    read_rows,
    typed,
)
from tests.omero.tools.transfer_content import TEXT, annotation, described, draw, every_shape, fill, make_plate

XSD = Path(etree.__file__).parents[1] / "ome_types" / "ome-2016-06.xsd"


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
            assert roc_findings(metadata, "./", "crate") == ([], frozenset())
        files = {one for one, entity in graph.items() if entity["@type"] == "File"}
        assert {part.replace("%C3%BC", "ü") for part in files} == names - {"ro-crate-metadata.json"}
        references = json.dumps([{**one, "@id": ""} for one in graph.values()])
        for part in (one["@id"] for one in _objects(json.loads(references)) if set(one) == {"@id"}):
            assert part in graph or part.startswith("https://w3id.org/"), part
    assert not list(tmp_path.glob("bioimage-suite-*"))


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
        (document, lambda data: data.replace(b"<Ellipse", b"<Blob").replace(b"</Ellipse", b"</Blob"), "is not a shape"),
        (document, lambda data: data.replace(b'RadiusX="2"', b'RadiusX="two"'), "'two' is no value of radiusX"),
        (document, lambda data: data.replace(b'SizeX="32"', b'SizeX="31"'), "this server reads it as"),
        (document, lambda data: data.replace(b"CommentAnnotation", b"SecretAnnotation"), "is not an annotation"),
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


def test_it_works_in_the_group_that_was_chosen(lab: Lab, unpack):
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


@pytest.mark.parametrize("internal", [False, True])
def test_a_crate_names_the_server_and_logins_only_if_asked(lab: Lab, pack, internal: bool):
    """The crate's members are stored as they are, so its bytes are their bytes."""
    dataset = lab.container("Dataset", "d")
    lab.image("a", np.zeros((3, 4), np.uint8), dataset)
    person = lab.root.getSession().getAdminService().lookupExperimenter(lab.user)
    person.firstName, person.lastName = rstring("Rosa"), rstring("Lind")
    lab.root.getSession().getAdminService().updateExperimenter(person)
    data = pack(lab, "dataset", "d", internal_names=internal).read_bytes()
    assert b"Rosa" in data
    assert (lab.user.encode() in data) == internal
    assert (lab.address.encode() in data) == internal

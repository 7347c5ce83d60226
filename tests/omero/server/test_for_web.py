"""What OMERO.web and its apps ask of the server beyond other clients: keys, permissions in maps, shapes' statistics."""

import io

import numpy as np
import omero
import pytest
from omero.rtypes import rdouble, rint, rstring, unwrap

from sandbox.omero.client_import import import_files
from tests.omero.lab import connect

MAP = "select new map({what} as id, {obj} as x_details_permissions) from {source}"


def new(kind: str, **values):
    made = getattr(omero.model, f"{kind}I")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def image_id(gateway) -> int:
    """An image of 16 bits, 30 x 20 pixels, two channels: x + 100 y, and 5 x."""
    y, x = np.mgrid[0:20, 0:30]
    planes = iter([(x + 100 * y).astype(np.uint16), (5 * x).astype(np.uint16)])
    return gateway.createImageFromNumpySeq(planes, "measured", 1, 2, 1).getId()


@pytest.fixture
def shape_of(gateway, image_id):
    def make(kind: str, **values) -> int:
        roi = new("Roi", image=omero.model.ImageI(image_id, False))
        roi.addShape(new(kind, **values))
        return gateway.getUpdateService().saveAndReturnObject(roi).copyShapes()[0].id.val

    return make


def test_public_keys_are_those_of_omero_common(gateway):
    """ome/config.xml of omero-common: what is not listed there with visibility "all" is for administrators."""
    config = gateway.getConfigService()
    assert config.getConfigValue("omero.client.ui.tree.orphans.name") == "Orphaned Images"
    assert config.getConfigValue("omero.upgrades.url") == ""
    assert config.getConfigValue("omero.sessions.timeout") == "600000"
    for key in ("omero.policy.binary_access", "omero.ldap.config", "omero.data.dir", "omero.client.unheard.of"):
        with pytest.raises(omero.SecurityViolation, match="Cannot read configuration"):
            config.getConfigValue(key)
    assert all(key.startswith("omero.client.") for key in config.getClientConfigValues())
    # A match anywhere in the key counts (ConfigImpl.getConfigValues).
    assert set(config.getConfigValues("tile_(width|height)$")) == {
        "omero.pixeldata.tile_width",
        "omero.pixeldata.tile_height",
    }


def test_nobody_reads_how_the_database_is_reached(root_gateway):
    with pytest.raises(omero.SecurityViolation):
        root_gateway.getConfigService().getConfigValue("omero.db.pass")


def test_an_object_in_a_map_stands_for_its_permissions_where_the_name_says_so(lab):
    group = lab.group("rwra--")
    owner, colleague = (lab.connect(lab.user(group)) for _ in range(2))
    project = owner.getUpdateService().saveAndReturnObject(new("Project", name=rstring("p"))).id.val
    text = MAP.format(what="p.id", obj="p", source=f"Project p where p.id = {project}")
    rights = {}
    for name, asking in (("owner", owner), ("colleague", colleague)):
        ((row,),) = asking.getQueryService().projection(text, None, {"omero.group": "-1"})
        found = unwrap(row)["x_details_permissions"]
        rights[name] = [found[right] for right in ("canEdit", "canAnnotate", "canLink", "canDelete", "canChgrp")]
        assert found["perm"] == "rwra--"
    assert rights == {"owner": [True] * 5, "colleague": [False, True, False, False, False]}


def test_details_can_be_joined_and_groups_come_loaded(gateway):
    file_id = gateway.createOriginalFileFromFileObj(io.BytesIO(b"x"), "/", "f", 1).getId()
    query = gateway.getQueryService()
    text = f"select p.owner.omeName from OriginalFile f join f.details as p where f.id = {file_id}"
    assert unwrap(query.projection(text, None)) == [[gateway.getUser().getName()]]
    found = query.get("OriginalFile", file_id)
    assert found.details.group.name.val == gateway.getGroupFromContext().getName()


def test_statistics_of_a_rectangle(gateway, shape_of):
    rectangle = shape_of("Rectangle", x=rdouble(2), y=rdouble(3), width=rdouble(4), height=rdouble(5))
    (found,) = gateway.getRoiService().getShapeStatsRestricted([rectangle], 0, 0, [1, 0])
    values = np.add.outer(100 * np.arange(3, 8), np.arange(2, 6)).astype(float)
    assert (found.channelIds, found.pointsCount) == ([0, 1], [20, 20])
    assert (found.min[0], found.max[0], found.sum[0]) == (values.min(), values.max(), values.sum())
    assert found.mean[0] == values.mean()
    assert found.stdDev[0] == pytest.approx(values.std(ddof=1))
    assert (found.min[1], found.max[1]) == (10, 25)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("Point", {"x": 2.9, "y": 3.9}, {(2, 3)}),
        ("Polygon", {"points": "1,1 4,1 4,4"}, {(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (3, 3)}),
        ("Ellipse", {"x": 5.0, "y": 5.0, "radiusX": 1.0, "radiusY": 1.0}, {(4, 5), (5, 4), (5, 5)}),
        ("Line", {"x1": 0.0, "y1": 0.0, "x2": 3.0, "y2": 0.0}, {(0, 0), (1, 0), (2, 0), (3, 0)}),
        ("Rectangle", {"x": 0.0, "y": 0.0, "width": 2.0, "height": 1.0}, {(0, 0), (1, 0)}),
    ],
)
def test_pixels_of_a_shape(gateway, shape_of, kind, values, expected):
    wrapped = {name: rstring(value) if isinstance(value, str) else rdouble(value) for name, value in values.items()}
    found = gateway.getRoiService().getPoints(shape_of(kind, **wrapped))
    assert set(zip(found.x, found.y, strict=True)) == expected


@pytest.mark.parametrize(
    ("shapes", "place", "channels", "message"),
    [([], (0, 0), [0], "non empty"), (None, (0, 0), [2], "out of bounds"), (None, (1, 0), [0], "out of bounds")],
)
def test_statistics_of_what_is_not_there(gateway, shape_of, shapes, place, channels, message):
    known = shape_of("Point", x=rdouble(1), y=rdouble(1))
    with pytest.raises(omero.ApiUsageException, match=message):
        gateway.getRoiService().getShapeStatsRestricted([known] if shapes is None else shapes, *place, channels)


def test_a_command_is_found_by_another_client_after_its_own_has_left(lab, gateway):
    project = gateway.getUpdateService().saveAndReturnObject(new("Project", name=rstring("going"))).id.val
    gateway.c.sf.detachOnDestroy()
    with_key = gateway.getEventContext().sessionUuid
    other = connect(lab.server, with_key, with_key)
    third = omero.client(host=lab.server.host, port=lab.server.port)
    third.joinSession(with_key).detachOnDestroy()
    handle = str(third.sf.submit(omero.cmd.Delete2(targetObjects={"Project": [project]})))
    third.closeSession()
    found = omero.cmd.HandlePrx.checkedCast(other.c.ic.stringToProxy(handle))
    callback = omero.callbacks.CmdCallbackI(other.c, found)
    callback.loop(60, 500)
    assert isinstance(callback.getResponse(), omero.cmd.OK)
    callback.close(True)
    other.close()


def test_a_list_is_ordered_by_its_index(gateway):
    update = gateway.getUpdateService()
    plate = update.saveAndReturnObject(new("Plate", name=rstring("p")))
    well = new("Well", plate=omero.model.PlateI(plate.id.val, False), row=rint(0), column=rint(0))
    for name in ("second by name", "a first by name"):
        image = gateway.createImageFromNumpySeq(iter([np.zeros((2, 2), np.uint8)]), name)
        well.addWellSample(new("WellSample", image=omero.model.ImageI(image.getId(), False)))
    well_id = update.saveAndReturnObject(well).id.val
    text = f"select ws.image from WellSample ws where ws.well.id = {well_id} order by well_index"
    names = [image.name.val for image in gateway.getQueryService().findAllByQuery(text, None)]
    assert names == ["second by name", "a first by name"]


def test_hierarchies_of_images_go_up_to_projects_and_name_what_is_in_none(gateway):
    update, container = gateway.getUpdateService(), gateway.getContainerService()
    project, dataset, alone = (
        update.saveAndReturnObject(new(kind, name=rstring("x"))) for kind in ("Project", "Dataset", "Dataset")
    )
    images = [update.saveAndReturnObject(new("Image", name=rstring(f"i{n}"))).id.val for n in range(4)]
    project_link = new("ProjectDatasetLink", parent=project.proxy(), child=dataset.proxy())
    links = [
        new("DatasetImageLink", parent=parent.proxy(), child=omero.model.ImageI(image, False))
        for parent, image in ((dataset, images[0]), (dataset, images[1]), (alone, images[2]))
    ]
    update.saveArray([project_link, *links])
    found = container.findContainerHierarchies("Project", [images[0], images[2], images[3]], None)
    assert [(type(one).__name__, one.id.val) for one in found] == [
        ("ProjectI", project.id.val),
        ("DatasetI", alone.id.val),
        ("ImageI", images[3]),
    ]
    (inside,) = found[0].linkedDatasetList()
    assert [image.id.val for image in inside.linkedImageList()] == [images[0]]
    with pytest.raises(omero.ApiUsageException, match="Project"):
        container.findContainerHierarchies("Dataset", images, None)


def test_what_exists_but_may_not_be_read_is_a_violation(lab):
    """ACLEventListener.onPostLoad of omero-server; HQL just does not find it."""
    owner, stranger = (lab.connect(lab.user(lab.group("rw----"))) for _ in range(2))
    project = owner.getUpdateService().saveAndReturnObject(new("Project", name=rstring("p"))).id.val
    query = stranger.getQueryService()
    for call in (query.get, query.find):
        with pytest.raises(omero.SecurityViolation, match=f"Cannot read ome.model.containers.Project:Id_{project}"):
            call("Project", project, {"omero.group": "-1"})
    assert query.findByQuery(f"select p from Project p where p.id = {project}", None, {"omero.group": "-1"}) is None
    with pytest.raises(omero.ValidationException, match="is not available"):
        query.get("Project", 10**9)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [("Project", "a\0b", "0x00"), ("Dataset", "x" * 256, "255"), ("Image", "x" * 256, "255")],
)
def test_names_that_postgresql_refuses_are_refused(gateway, kind, text, message):
    with pytest.raises(omero.ValidationException, match=message):
        gateway.getUpdateService().saveAndReturnObject(new(kind, name=rstring(text)))


@pytest.mark.parametrize(
    ("key", "value", "message"), [("k" * 256, "x", "255"), ("k", "a\0b", "0x00"), ("a\0b", "v", "0x00")]
)
def test_pairs_that_postgresql_refuses_are_refused(gateway, key, value, message):
    with pytest.raises(omero.ValidationException, match=message):
        gateway.getUpdateService().saveObject(new("MapAnnotation", mapValue=[omero.model.NamedValue(key, value)]))


def test_a_dataset_with_part_of_a_fileset_can_go_and_its_image_stays(gateway, tmp_path):
    path = tmp_path / "two&series=2&sizeX=8&sizeY=8.fake"
    path.touch()
    images = import_files(gateway.c, [path])
    dataset = gateway.getUpdateService().saveAndReturnObject(new("Dataset", name=rstring("d")))
    ends = {"parent": dataset.proxy(), "child": omero.model.ImageI(images[0], False)}
    gateway.getUpdateService().saveObject(new("DatasetImageLink", **ends))
    gateway.deleteObjects("Dataset", [dataset.id.val], wait=True)
    assert gateway.getObject("Dataset", dataset.id.val) is None
    assert [gateway.getObject("Image", image) is not None for image in images] == [True, True]


def test_the_group_changes_while_a_table_and_a_command_are_open_but_not_while_a_store_is(lab):
    first, second = lab.group("rw----"), lab.group("rw----")
    gateway = lab.connect(lab.user(first, second))
    other = omero.model.ExperimenterGroupI(gateway.getAdminService().lookupGroup(second).id.val, False)
    table = gateway.c.sf.sharedResources().newTable(1, "t.h5")
    table.initialize([omero.grid.LongColumn("a", "", [])])
    handle = gateway.c.sf.submit(omero.cmd.Timing(steps=1, millisPerStep=1))
    before = gateway.c.sf.setSecurityContext(other)
    table.addData([omero.grid.LongColumn("a", "", [7])])
    assert list(table.readCoordinates([0]).columns[0].values) == [7]
    store = gateway.c.sf.createRawFileStore()
    with pytest.raises(omero.SecurityViolation):
        gateway.c.sf.setSecurityContext(before)
    store.close()
    handle.close()
    table.close()


def test_questions_about_nothing_are_answered(gateway):
    """OMERO.web asks them before an empty dataset moves; only queries of clients may not have empty lists."""
    container, metadata = gateway.getContainerService(), gateway.getMetadataService()
    dataset = gateway.getUpdateService().saveAndReturnObject(new("Dataset", name=rstring("empty"))).id.val
    for included in ({}, {"Image": []}, {"Dataset": []}, {"Dataset": [dataset]}):
        assert container.getImagesBySplitFilesets(included, None) == {}
    assert container.getImages("Dataset", [dataset], None) == []
    assert container.getCollectionCount("Dataset", "imageLinks", [dataset], None) == {dataset: 0}
    assert container.getCollectionCount("Dataset", "imageLinks", [], None) == {}
    assert metadata.loadAnnotations("Dataset", [], [], [], None) == metadata.getTaggedObjectsCount([], None) == {}

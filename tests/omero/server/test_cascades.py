"""What goes with an object that is deleted or moved, and what stays: shared images, annotations, filesets."""

import numpy as np
import omero
import omero.cmd.graphs
import pytest
import tifffile
from omero.rtypes import rstring, unwrap

from sandbox.omero.client_import import import_files


def new(gateway, kind, **values):
    made = getattr(omero.model, f"{kind}I")()
    for name, value in values.items():
        setattr(made, name, rstring(value))
    return gateway.getUpdateService().saveAndReturnObject(made)


def join(gateway, kind, parent, child):
    made = getattr(omero.model, f"{kind}LinkI")()
    made.parent, made.child = parent.proxy(), child.proxy()
    gateway.getUpdateService().saveObject(made)


def submit(gateway, request):
    callback = gateway.c.submit(request, failonerror=False)
    response = callback.getResponse()
    callback.close(True)
    return response


def there(gateway, *things, group="-1"):
    """Of these objects, the names of the classes of those that are still there."""
    query, ctx = gateway.getQueryService(), {"omero.group": str(group)}
    kinds = [(thing, thing.ice_id().rpartition("::")[2]) for thing in things]
    text = "select x from {} x where x.id = {}"
    return [kind for thing, kind in kinds if query.findByQuery(text.format(kind, thing.id.val), None, ctx) is not None]


@pytest.fixture
def pair(gateway):
    """Two datasets with an image in each, one in both, and a project with the first dataset."""
    first, second = new(gateway, "Dataset", name="first"), new(gateway, "Dataset", name="second")
    images = [new(gateway, "Image", name=name) for name in ("own", "both", "other")]
    for dataset, image in ((first, 0), (first, 1), (second, 1), (second, 2)):
        join(gateway, "DatasetImage", dataset, images[image])
    project = new(gateway, "Project", name="p")
    join(gateway, "ProjectDataset", project, first)
    return project, first, second, images


def test_a_project_takes_along_what_is_nowhere_else(gateway, pair):
    project, first, second, images = pair
    response = submit(gateway, omero.cmd.Delete2(targetObjects={"Project": [project.id.val]}))
    assert isinstance(response, omero.cmd.Delete2Response)
    assert response.deletedObjects["ome.model.core.Image"] == [images[0].id.val]
    assert there(gateway, project, first, second, *images) == ["Dataset", "Image", "Image"]


@pytest.mark.parametrize("kind", ["Dataset", "Image"])
def test_an_option_keeps_what_would_go(gateway, pair, kind):
    project, first, second, images = pair
    kept = omero.cmd.graphs.ChildOption(excludeType=[kind])
    submit(gateway, omero.cmd.Delete2(targetObjects={"Project": [project.id.val]}, childOptions=[kept]))
    left = ["Dataset", "Dataset"] if kind == "Dataset" else ["Dataset"]
    assert there(gateway, project, first, second, *images) == [*left, "Image", "Image", "Image"]


def test_annotations_go_by_their_kind_and_use(gateway, pair):
    _, first, second, _ = pair
    kinds = {"CommentAnnotation": "textValue", "TagAnnotation": "textValue", "MapAnnotation": "ns"}
    own = {kind: new(gateway, kind, **{name: kind}) for kind, name in kinds.items()}
    shared = new(gateway, "CommentAnnotation", textValue="shared")
    for annotation in (*own.values(), shared):
        join(gateway, "DatasetAnnotation", first, annotation)
    join(gateway, "DatasetAnnotation", second, shared)
    include = omero.cmd.graphs.ChildOption(includeType=["TagAnnotation"])
    submit(gateway, omero.cmd.Delete2(targetObjects={"Dataset": [first.id.val]}, dryRun=True, childOptions=[include]))
    assert len(there(gateway, *own.values(), shared)) == 4
    submit(gateway, omero.cmd.Delete2(targetObjects={"Dataset": [first.id.val]}))
    assert there(gateway, *own.values(), shared) == ["TagAnnotation", "CommentAnnotation"]
    join(gateway, "DatasetAnnotation", second, own["TagAnnotation"])
    submit(gateway, omero.cmd.Delete2(targetObjects={"Dataset": [second.id.val]}, childOptions=[include]))
    assert there(gateway, *own.values(), shared) == []


def test_what_is_shared_stays_in_its_group(lab):
    group, other = lab.group("rwra--"), lab.group("rwra--")
    gateway = lab.connect(lab.user(group, other))
    moving, staying = new(gateway, "Dataset", name="moving"), new(gateway, "Dataset", name="staying")
    images = [new(gateway, "Image", name=name) for name in ("own", "both")]
    tag = new(gateway, "TagAnnotation", textValue="shared")
    for dataset, image in ((moving, images[0]), (moving, images[1]), (staying, images[1])):
        join(gateway, "DatasetImage", dataset, image)
    for dataset in (moving, staying):
        join(gateway, "DatasetAnnotation", dataset, tag)
    target = lab.root.getAdminService().lookupGroup(other).id.val
    response = submit(gateway, omero.cmd.Chgrp2(targetObjects={"Dataset": [moving.id.val]}, groupId=target))
    assert isinstance(response, omero.cmd.Chgrp2Response), response
    assert there(gateway, moving, staying, *images, tag, group=target) == ["Dataset", "Image"]
    assert there(gateway, moving, staying, *images, tag, group=gateway.getEventContext().groupId) == [
        "Dataset", "Image", "TagAnnotation",
    ]  # fmt: skip
    links = "select l.parent.id, l.child.id from {} l order by l.id"
    rows = gateway.getQueryService().projection(links.format("DatasetImageLink"), None, {"omero.group": "-1"})
    pairs = [[moving, images[0]], [staying, images[1]]]
    assert unwrap(rows) == [[thing.id.val for thing in pair] for pair in pairs]


def test_the_images_of_a_fileset_go_together_or_not_at_all(lab, tmp_path):
    gateway = lab.connect(lab.user(lab.group("rwra--"), lab.group("rwra--")))
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as writer:
        for number in range(2):
            writer.write(np.full((10, 12), number, np.uint8), metadata={"axes": "YX"})
    images = import_files(gateway.c, [tmp_path / "two.ome.tif"])
    fileset = gateway.getObject("Image", images[0]).getFileset().getId()
    groups = gateway.getAdminService().containedGroups(gateway.getUserId())
    own = gateway.getEventContext().groupId
    other = next(group.id.val for group in groups if group.id.val not in (1, own))
    for request in (
        omero.cmd.Delete2(targetObjects={"Image": images[:1]}),
        omero.cmd.Chgrp2(targetObjects={"Image": images[1:]}, groupId=other),
    ):
        response = submit(gateway, request)
        assert isinstance(response, omero.cmd.ERR)
        assert f"Fileset[{fileset}]" in response.parameters["message"]
    assert [gateway.getObject("Image", number).getId() for number in images] == images
    response = submit(gateway, omero.cmd.Chgrp2(targetObjects={"Image": images}, groupId=other))
    assert response.includedObjects["ome.model.fs.Fileset"] == [fileset]
    gateway.SERVICE_OPTS.setOmeroGroup(other)
    assert (gateway.getObject("Image", images[1]).getPrimaryPixels().getPlane() == 1).all()
    submit(gateway, omero.cmd.Delete2(targetObjects={"Fileset": [fileset]}))
    assert [gateway.getObject("Image", number) for number in images] == [None, None]

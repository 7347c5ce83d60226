"""What OMERO.web's own integration suite expects of saving (ome/openmicroscopy, components/tools/OmeroWeb/test)."""

import omero
import pytest
from omero.rtypes import rlong, rstring, rtime


def saved(gateway, kind: str, name: str):
    thing = getattr(omero.model, f"{kind}I")()
    thing.name = rstring(name)
    return gateway.getUpdateService().saveAndReturnObject(thing)


def test_what_cannot_be_read_in_the_group_of_the_call_cannot_be_saved(lab):
    # test_api_errors.py, test_security_violation
    first, second = lab.group("rwra--"), lab.group("rwra--")
    gateway = lab.connect(lab.user(first, second))
    project = saved(gateway, "Project", "p")
    group = gateway.getAdminService().lookupGroup(second).id.val
    with pytest.raises(omero.SecurityViolation, match=rf"Cannot read ome.model.containers.Project:Id_{project.id.val}"):
        gateway.getUpdateService().saveObject(project, {"omero.group": str(group)})
    gateway.getUpdateService().saveObject(project, {"omero.group": "-1"})


def test_children_of_saved_links_come_back_loaded(gateway):
    # test_api_images.py, test_dataset_images
    images = [saved(gateway, "Image", name) for name in ("a", "b")]
    dataset = omero.model.DatasetI()
    dataset.name = rstring("d")
    for image in images:
        dataset.linkImage(omero.model.ImageI(image.id.val, False))
    found = gateway.getUpdateService().saveAndReturnObject(dataset).linkedImageList()
    assert [(image.id.val, image.name.val) for image in found] == [(one.id.val, one.name.val) for one in images]


def test_both_ends_of_a_saved_link_come_back_loaded(gateway):
    # test_tree_annotations.py, annotate_project
    project, tag, link = (
        saved(gateway, "Project", "p"),
        omero.model.TagAnnotationI(),
        omero.model.ProjectAnnotationLinkI(),
    )
    tag.textValue = rstring("t")
    tag = gateway.getUpdateService().saveAndReturnObject(tag)
    link.parent, link.child = omero.model.ProjectI(project.id.val, False), omero.model.TagAnnotationI(tag.id.val, False)
    link = gateway.getUpdateService().saveAndReturnObject(link)
    assert (link.parent.name.val, link.child.textValue.val) == ("p", "t")


def test_owner_and_times_of_a_saved_object_come_back(gateway):
    # test_tree_annotations.py, expected_experimenter; test_plategrid.py, plate_wells_with_no_acq_date
    details = saved(gateway, "Image", "a").details
    assert details.owner.omeName.val == gateway.getUser().getName()
    stored = gateway.getObject("Image", saved(gateway, "Image", "b").id.val).getDetails()
    for event in (details.creationEvent, details.updateEvent):
        assert 0 <= stored.creationEvent.time.val - event.time.val < 60_000


def test_the_timeline_shows_ones_own_objects_unless_asked(lab):
    # TimelineI.java, applyDefaults; test_history.py, test_calendar_default
    group = lab.group("rwr---")
    mine, theirs = (lab.connect(lab.user(group)) for _ in range(2))
    saved(mine, "Project", "mine")
    saved(theirs, "Project", "theirs")
    timeline, ever = mine.getTimelineService(), (rtime(0), rtime(2**42))

    def names(**options) -> list[str]:
        parameters = omero.sys.ParametersI()
        parameters.theFilter = omero.sys.Filter(**{name: rlong(value) for name, value in options.items()})
        assert timeline.countByPeriod(["Project"], *ever, parameters)["Project"] == len(
            timeline.getByPeriod(["Project"], *ever, parameters, False)["Project"]
        )
        return sorted(one.name.val for one in timeline.getMostRecentObjects(["Project"], parameters, False)["Project"])

    assert names() == ["mine"]
    assert names(ownerId=theirs.getUserId()) == ["theirs"]
    assert names(ownerId=-1) == ["mine", "theirs"]
    assert names(groupId=mine.getEventContext().groupId) == ["mine", "theirs"]


def test_a_move_ends_in_a_container_of_the_new_group(lab):
    # test_chgrp.py, test_chgrp_old_container: webclient/views.py submits a move with the link in one request
    first, second = lab.group("rwra--"), lab.group("rwra--")
    gateway = lab.connect(lab.user(first, second))
    group = gateway.getAdminService().lookupGroup(second).id.val
    dataset, project = saved(gateway, "Dataset", "d"), omero.model.ProjectI()
    project.name = rstring("p")
    context = {"omero.group": str(group)}
    project = gateway.getUpdateService().saveAndReturnObject(project, context)
    link = omero.model.ProjectDatasetLinkI()
    link.parent, link.child = omero.model.ProjectI(project.id.val, False), omero.model.DatasetI(dataset.id.val, False)
    move = omero.cmd.Chgrp2(targetObjects={"Dataset": [dataset.id.val]}, groupId=group)
    save = omero.api.Save()
    save.obj = link
    handle = gateway.c.sf.submit(omero.cmd.DoAll([move, save]), context)
    callback = omero.callbacks.CmdCallbackI(gateway.c, handle)
    callback.loop(200, 100)
    answers = callback.getResponse().responses
    callback.close(True)
    assert isinstance(answers[1], omero.api.SaveRsp)
    query, hql = gateway.getQueryService(), "select l.parent.id, l.child.id from ProjectDatasetLink l"
    rows = [[value.val for value in row] for row in query.projection(hql, None, context)]
    assert rows == [[project.id.val, dataset.id.val]]


def held(gateway, dataset: int) -> list[int]:
    hql = "select l.child.id from DatasetImageLink l where l.parent.id = :id order by l.id"
    rows = gateway.getQueryService().projection(hql, omero.sys.ParametersI().addId(dataset))
    return [row[0].val for row in rows]


def test_links_that_a_loaded_list_leaves_out_go_with_the_save(gateway):
    # openmicroscopy, pull request 4930; omero-model, templates/object.vm: DELETE_ORPHAN
    update = gateway.getUpdateService()
    dataset = saved(gateway, "Dataset", "d")
    first, second, third = (omero.model.ImageI(saved(gateway, "Image", name).id.val, False) for name in "abc")
    dataset.linkImage(first)
    dataset.linkImage(second)
    dataset = update.saveAndReturnObject(dataset)
    assert held(gateway, dataset.id.val) == [first.id.val, second.id.val]
    # A list that is not loaded stays; a new link that is only in itself is no orphan.
    plain = gateway.getQueryService().get("Dataset", dataset.id.val)
    plain.name = rstring("renamed")
    update.saveObject(plain)
    link = omero.model.DatasetImageLinkI()
    link.parent, link.child = gateway.getQueryService().get("Dataset", dataset.id.val), third
    update.saveObject(link)
    assert held(gateway, dataset.id.val) == [one.id.val for one in (first, second, third)]
    emptied = omero.model.DatasetI(dataset.id.val)
    emptied.name = rstring("emptied")
    update.saveObject(emptied)
    assert held(gateway, dataset.id.val) == []
    link = omero.model.DatasetImageLinkI()
    link.parent, link.child = update.saveAndReturnObject(emptied), third
    update.saveObject(link)
    assert held(gateway, dataset.id.val) == [third.id.val]


def test_a_link_of_another_user_is_left_out_only_where_it_may_be_deleted(lab):
    # test_tree.py, test_marshal_datasets_project_crosslink
    for permissions, may in (("rwrw--", True), ("rwra--", False)):
        group = lab.group(permissions)
        leader, member = lab.connect(lab.user(group, leads=True)), lab.connect(lab.user(group))
        dataset = saved(member, "Dataset", "d")
        link = omero.model.DatasetImageLinkI()
        link.parent = omero.model.DatasetI(dataset.id.val, False)
        link.child = omero.model.ImageI(saved(leader, "Image", "i").id.val, False)
        leader.getUpdateService().saveObject(link)
        if may:
            member.getUpdateService().saveObject(dataset)
        else:
            with pytest.raises(omero.SecurityViolation, match="Deleting DatasetImageLink"):
                member.getUpdateService().saveObject(dataset)
        assert len(held(member, dataset.id.val)) == (0 if may else 1)


def test_an_owner_or_group_without_a_name_cannot_be_saved_with_an_object(gateway):
    # test_api_errors.py, test_project_validation; omero-model, templates/object.vm: Details.getOwner is merged
    project = saved(gateway, "Project", "p")
    for name, made in (("owner", omero.model.ExperimenterI), ("group", omero.model.ExperimenterGroupI)):
        given = saved(gateway, "Project", "q")
        setattr(given.details, name, made(getattr(project.details, name).id.val))
        with pytest.raises(omero.ValidationException, match="not-null property references a null"):
            gateway.getUpdateService().saveObject(given)
        given.unloadDetails()
        gateway.getUpdateService().saveObject(given)

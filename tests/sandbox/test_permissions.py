"""Four kinds of group, and who may do what in them."""

import omero
import pytest
from omero.rtypes import rlong, rstring, unwrap

ALL = {"omero.group": "-1"}


def dataset(gateway, name="d"):
    made = omero.model.DatasetI()
    made.name = rstring(name)
    return gateway.getUpdateService().saveAndReturnObject(made).id.val


def tag(gateway, target):
    link = omero.model.DatasetAnnotationLinkI()
    link.parent = omero.model.DatasetI(target, False)
    annotation = omero.model.TagAnnotationI()
    annotation.textValue = rstring("t")
    link.child = annotation
    gateway.getUpdateService().saveObject(link)


def rename(gateway, target):
    found = gateway.getQueryService().get("Dataset", target)
    found.name = rstring("renamed")
    gateway.getUpdateService().saveObject(found)


def contain(gateway, target):
    link = omero.model.ProjectDatasetLinkI()
    project = omero.model.ProjectI()
    project.name = rstring("p")
    link.parent, link.child = project, omero.model.DatasetI(target, False)
    gateway.getUpdateService().saveObject(link)


def delete(gateway, target):
    handle = gateway.c.sf.submit(omero.cmd.Delete2(targetObjects={"Dataset": [target]}))
    callback = gateway._waitOnCmd(handle, failonerror=False)
    response = callback.getResponse()
    callback.close(True)
    if isinstance(response, omero.cmd.ERR):
        raise omero.SecurityViolation("", "", response.parameters["message"])


def allowed(action, *arguments) -> bool:
    try:
        action(*arguments)
    except (omero.SecurityViolation, omero.ValidationException):
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "role", "sees", "annotates", "edits", "deletes"),
    [
        ("rw----", "member", False, False, False, False),
        ("rwr---", "member", True, False, False, False),
        ("rwra--", "member", True, True, False, False),
        ("rwrw--", "member", True, True, True, True),
        ("rw----", "leader", True, False, True, True),
        ("rwr---", "leader", True, True, True, True),
        ("rwra--", "leader", True, True, True, True),
    ],
)
def test_what_others_may(lab, kind, role, sees, annotates, edits, deletes):
    group = lab.group(kind)
    owner = lab.connect(lab.user(group))
    other = lab.connect(lab.user(group, leads=role == "leader"))
    target = dataset(owner)
    found = other.getObject("Dataset", target)
    assert (found is not None) is sees
    if found is not None:
        assert (found.canAnnotate(), found.canEdit(), found.canDelete()) == (annotates, edits, deletes)
    assert allowed(tag, other, target) is annotates
    assert allowed(contain, other, target) is (edits and annotates)
    assert allowed(rename, other, target) is edits
    assert allowed(delete, other, target) is deletes
    assert (owner.getObject("Dataset", target) is None) is deletes


def test_owner_may_everything(lab):
    for kind in ("rw----", "rwr---", "rwra--", "rwrw--"):
        owner = lab.connect(lab.user(lab.group(kind)))
        target = dataset(owner)
        assert all(allowed(action, owner, target) for action in (tag, rename, contain, delete))


def test_groups_are_apart_unless_asked_for_together(lab):
    first, second = lab.group("rwra--"), lab.group("rwra--")
    gateway = lab.connect(lab.user(first, second))
    here = dataset(gateway, "here")
    gateway.setGroupForSession(gateway.getAdminService().lookupGroup(second).id.val)
    there = dataset(gateway, "there")
    query = gateway.getQueryService()

    def visible(ctx=None):
        rows = query.projection("select d.id from Dataset d order by d.id", None, ctx or {})
        return {row[0] for row in unwrap(rows)}

    assert visible() == {there}
    assert visible(ALL) == {here, there}
    stranger = lab.connect(lab.user(lab.group()))
    found = stranger.getQueryService().projection("select d.id from Dataset d", None, ALL)
    assert {here, there}.isdisjoint(row[0] for row in unwrap(found))
    link = omero.model.ProjectDatasetLinkI()
    link.parent = omero.model.ProjectI()
    link.parent.name = rstring("p")
    link.child = omero.model.DatasetI(here, False)
    with pytest.raises(omero.SecurityViolation):
        gateway.getUpdateService().saveObject(link)


def test_stranger_may_not_look_into_a_group(lab):
    group = lab.root.getAdminService().lookupGroup(lab.group("rwrw--")).id.val
    stranger = lab.connect(lab.user(lab.group()))
    with pytest.raises(omero.SecurityViolation):
        stranger.getQueryService().findAllByQuery("from Dataset", None, {"omero.group": str(group)})


def test_only_administrators_administer(lab, gateway):
    admin = gateway.getAdminService()
    user = omero.model.ExperimenterI()
    user.omeName, user.firstName, user.lastName = (rstring(n) for n in ("x-y-z", "x", "y"))
    group = omero.model.ExperimenterGroupI()
    group.name = rstring("x-y-z")
    for attempt in (
        lambda: admin.createGroup(group),
        lambda: admin.createExperimenter(user, omero.model.ExperimenterGroupI(1, False), []),
        lambda: admin.changeUserPassword("root", rstring("x")),
        lambda: gateway.getUpdateService().saveObject(user),
        lambda: gateway.getUpdateService().saveObject(group),
        lambda: admin.setAdminPrivileges(omero.model.ExperimenterI(0, False), []),
    ):
        with pytest.raises(omero.SecurityViolation):
            attempt()


def test_restricted_administrator(lab):
    admin = lab.root.getAdminService()
    user = omero.model.ExperimenterI()
    name = f"light-{lab.group()}"
    user.omeName, user.firstName, user.lastName = (rstring(n) for n in (name, "x", "y"))
    privilege = omero.model.AdminPrivilegeI()
    privilege.value = rstring("ModifyUser")
    admin.createRestrictedSystemUserWithPassword(user, [privilege], rstring(lab.password))
    light = lab.connect(name)
    assert light.getEventContext().adminPrivileges == ["ModifyUser"]
    owner = lab.connect(lab.user(lab.group()))
    target = dataset(owner)
    ctx = {"omero.group": str(owner.getEventContext().groupId)}
    found = light.getQueryService().get("Dataset", target, ctx)
    found.name = rstring("renamed")
    with pytest.raises(omero.SecurityViolation):
        light.getUpdateService().saveObject(found, ctx)
    with pytest.raises(omero.SecurityViolation):
        light.getAdminService().createGroup(omero.model.ExperimenterGroupI())


def test_chgrp_takes_what_belongs_along(lab):
    first, second = lab.group("rwra--"), lab.group("rwra--")
    gateway = lab.connect(lab.user(first, second))
    target = dataset(gateway)
    tag(gateway, target)
    contain(gateway, target)
    group = gateway.getAdminService().lookupGroup(second).id.val
    handle = gateway.chgrpObjects("Dataset", [target], group)
    gateway._waitOnCmd(handle)
    query = gateway.getQueryService()
    assert query.find("Dataset", target) is None
    assert query.get("Dataset", target, {"omero.group": str(group)}).details.group.id.val == group
    links = query.projection("select count(l) from ProjectDatasetLink l where l.child.id = :id",
                             omero.sys.ParametersI().addId(target), ALL)  # fmt: skip
    assert unwrap(links) == [[0]]


def test_chown(lab):
    group = lab.group("rwra--")
    owner, heir = lab.connect(lab.user(group)), lab.connect(lab.user(group))
    target = dataset(owner)
    heir_id = heir.getUserId()
    request = omero.cmd.Chown2(targetObjects={"Dataset": [target]}, userId=heir_id)
    lab.root._waitOnCmd(lab.root.c.sf.submit(request, ALL))
    assert heir.getObject("Dataset", target).getOwner().getId() == heir_id


def test_duplicate(gateway):
    target = dataset(gateway, "original")
    tag(gateway, target)
    request = omero.cmd.Duplicate(targetObjects={"Dataset": [target]})
    callback = gateway._waitOnCmd(gateway.c.sf.submit(request))
    (copy,) = callback.getResponse().duplicates["ome.model.containers.Dataset"]
    assert copy != target
    assert gateway.getObject("Dataset", copy).getName() == "original"
    assert unwrap(gateway.getQueryService().projection("select count(*) from DatasetAnnotationLink", None)) >= [[1]]


def test_do_all_is_all_or_nothing(gateway):
    target = dataset(gateway)
    good = omero.cmd.Delete2(targetObjects={"Dataset": [target]})
    bad = omero.cmd.Delete2(targetObjects={"Dataset": [10**9]})
    callback = gateway._waitOnCmd(gateway.c.sf.submit(omero.cmd.DoAll([good, bad])), failonerror=False)
    assert isinstance(callback.getResponse(), omero.cmd.ERR)
    assert gateway.getObject("Dataset", target) is not None
    callback = gateway._waitOnCmd(gateway.c.sf.submit(omero.cmd.DoAll([good])))
    assert isinstance(callback.getResponse(), omero.cmd.DoAllRsp)
    assert gateway.getObject("Dataset", target) is None


def test_shared_annotation_survives(gateway):
    first, second = dataset(gateway), dataset(gateway)
    annotation = omero.model.CommentAnnotationI()
    annotation.textValue = rstring("both")
    annotation = gateway.getUpdateService().saveAndReturnObject(annotation)
    for target in (first, second):
        link = omero.model.DatasetAnnotationLinkI()
        link.parent, link.child = omero.model.DatasetI(target, False), annotation.proxy()
        gateway.getUpdateService().saveObject(link)
    delete(gateway, first)
    assert gateway.getObject("Annotation", annotation.id.val) is not None
    delete(gateway, second)
    parameters = omero.sys.ParametersI().add("id", rlong(annotation.id.val))
    assert gateway.getQueryService().findByQuery("from Annotation a where a.id = :id", parameters) is None

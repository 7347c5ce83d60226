"""Four kinds of group, and who may do what in them."""

import uuid

import omero
import omero.cmd.graphs
import pytest
from omero.rtypes import rbool, rlong, rstring, unwrap

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
        ("rw----", "stranger", False, False, False, False),
        ("rwrw--", "stranger", False, False, False, False),
        ("rw----", "leader", True, False, True, True),
        ("rwr---", "leader", True, True, True, True),
        ("rwra--", "leader", True, True, True, True),
        ("rwrw--", "leader", True, True, True, True),
        ("rw----", "administrator", True, False, True, True),
        ("rwr---", "administrator", True, True, True, True),
        ("rwra--", "administrator", True, True, True, True),
        ("rwrw--", "administrator", True, True, True, True),
    ],
)
def test_what_others_may(lab, kind, role, sees, annotates, edits, deletes):
    group = lab.group(kind)
    owner = lab.connect(lab.user(group))
    if role == "administrator":  # of all, and member of none
        other = administrator(lab)
        assert other.setGroupForSession(owner.getEventContext().groupId)
    else:
        other = lab.connect(lab.user(lab.group() if role == "stranger" else group, leads=role == "leader"))
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


def test_only_administrators_administer(gateway):
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


def new_user():
    user = omero.model.ExperimenterI()
    user.omeName, user.firstName, user.lastName = (rstring(text) for text in (f"u-{uuid.uuid4()}", "x", "y"))
    return user


def privileges(*names):
    made = [omero.model.AdminPrivilegeI() for _ in names]
    for privilege, name in zip(made, names, strict=True):
        privilege.value = rstring(name)
    return made


def restricted(lab, *names):
    """A new administrator with these privileges only."""
    user = new_user()
    admin = lab.root.getAdminService()
    admin.createRestrictedSystemUserWithPassword(user, privileges(*names), rstring(lab.password))
    return lab.connect(user.omeName.val)


def administrator(lab):
    """A new administrator with all privileges."""
    user = new_user()
    user_id = lab.root.getAdminService().createSystemUser(user)
    lab.root.c.sf.setSecurityPassword(lab.server.root_password)
    lab.root.getAdminService().changeUserPassword(user.omeName.val, rstring(lab.password))
    assert user_id
    return lab.connect(user.omeName.val)


def new_group(gateway):
    group = omero.model.ExperimenterGroupI()
    group.name = rstring(f"g-{uuid.uuid4()}")
    gateway.getAdminService().createGroup(group)


def command(gateway, request):
    gateway.SERVICE_OPTS.setOmeroGroup(-1)
    response = gateway._waitOnCmd(gateway.c.sf.submit(request, ALL), failonerror=False).getResponse()
    if isinstance(response, omero.cmd.ERR):
        raise getattr(omero, response.parameters["type"])("", "", response.parameters["message"])


@pytest.mark.parametrize("privilege", [
    "", "WriteOwned", "DeleteOwned", "Chgrp", "Chown", "Sudo", "ModifyUser", "ModifyGroup", "ModifyGroupMembership",
])  # fmt: skip
def test_restricted_administrators_may_what_they_may_and_see_everything(lab, privilege):
    light = restricted(lab, *([privilege] if privilege else []))
    assert light.getEventContext().adminPrivileges == ([privilege] if privilege else [])
    group, other = lab.group("rwr---"), lab.group("rwr---")
    owner, heir = lab.connect(lab.user(group, other)), lab.connect(lab.user(group))
    ids = {name: lab.root.getAdminService().lookupGroup(name).id.val for name in (group, other)}
    ctx = {"omero.group": str(ids[group])}
    targets = [dataset(owner) for _ in range(3)]

    def edit():
        found = light.getQueryService().get("Dataset", targets[0], ctx)
        found.name = rstring("renamed")
        light.getUpdateService().saveObject(found, ctx)

    objects = [{"Dataset": [target]} for target in targets]
    attempts = {
        "WriteOwned": edit,
        "DeleteOwned": lambda: command(light, omero.cmd.Delete2(targetObjects=objects[0])),
        "Chgrp": lambda: command(light, omero.cmd.Chgrp2(targetObjects=objects[1], groupId=ids[other])),
        "Chown": lambda: command(light, omero.cmd.Chown2(targetObjects=objects[2], userId=heir.getUserId())),
        "ModifyUser": lambda: light.getAdminService().createUser(new_user(), group),
        "ModifyGroup": lambda: new_group(light),
        "ModifyGroupMembership": lambda: light.getAdminService().addGroups(
            omero.model.ExperimenterI(light.getUserId(), False), [omero.model.ExperimenterGroupI(ids[group], False)]
        ),
        "Sudo": lambda: light.c.sf.getSessionService().createSessionWithTimeouts(
            omero.sys.Principal(owner.getUser().getName(), group, "User", None), 0, 1000
        ),
    }
    assert light.getQueryService().get("Dataset", targets[0], ctx).name.val == "d"
    for name, attempt in attempts.items():
        if name == privilege:
            attempt()
        else:
            with pytest.raises(omero.SecurityViolation):
                attempt()


def test_nobody_gains_privileges_that_they_lack(lab):
    light = restricted(lab, "ModifyUser", "ModifyGroupMembership", "Sudo")
    own = sorted(light.getEventContext().adminPrivileges)
    admin, update, query = light.getAdminService(), light.getUpdateService(), light.getQueryService()
    system = omero.model.ExperimenterGroupI(0, False)
    made = admin.createSystemUser(new_user())
    joined = admin.createUser(new_user(), lab.group())
    admin.addGroups(omero.model.ExperimenterI(joined, False), [system])
    asked = admin.createRestrictedSystemUser(new_user(), privileges("Chown", "Sudo"))
    for user_id, expected in ((made, own), (joined, own), (asked, ["Sudo"])):
        found = admin.getAdminPrivileges(omero.model.ExperimenterI(user_id, False))
        assert sorted(privilege.value.val for privilege in found) == expected
    plain = lab.connect(lab.user(lab.group()))
    link = omero.model.GroupExperimenterMapI()
    link.parent, link.child = system, omero.model.ExperimenterI(plain.getUserId(), False)
    link.owner = rbool(False)
    me = query.get("Experimenter", light.getUserId())
    me.config = [omero.model.NamedValue("AdminPrivilege:Chown", "true")]
    root = omero.model.ExperimenterI(0, False)
    for attempt in (
        lambda: admin.changeUserPassword("root", rstring("taken over")),
        lambda: admin.setAdminPrivileges(omero.model.ExperimenterI(made, False), privileges("Chown")),
        lambda: admin.setAdminPrivileges(root, []),
        lambda: update.saveObject(link),
        lambda: update.saveObject(me),
        lambda: plain.getQueryService().get("Dataset", 1, {"omero.user": "0"}),
    ):
        with pytest.raises(omero.SecurityViolation):
            attempt()
    acting = light.suConn("root")
    assert sorted(acting.getEventContext().adminPrivileges) == own


def test_acting_for_a_user_who_is_not_there(lab):
    with pytest.raises(omero.ApiUsageException, match="No such user"):
        lab.root.getAdminService().getEventContext({"omero.user": str(10**9)})


def test_leaders_act_for_members_of_their_group_only(lab):
    group, other = lab.group("rwr---"), lab.group("rwr---")
    leader, member, both = lab.connect(lab.user(group, leads=True)), lab.user(group), lab.user(group, other)
    service = leader.c.sf.getSessionService()

    def act(name, where):
        return service.createSessionWithTimeouts(omero.sys.Principal(name, where, "User", None), 0, 1000)

    assert act(member, group).owner.omeName.val == member
    for name, where in ((both, other), (member, other), ("root", group), ("root", "system"), (lab.user(other), other)):
        with pytest.raises(omero.SecurityViolation):
            act(name, where)


def test_the_exceptions_have_the_types_that_omero_raises(lab):
    group, elsewhere = lab.group("rwr---"), lab.group("rwra--")
    owner, member = lab.connect(lab.user(group, elsewhere)), lab.connect(lab.user(group))
    target = dataset(owner)
    update, query = member.getUpdateService(), member.getQueryService()
    there = lab.root.getAdminService().lookupGroup(elsewhere).id.val
    project = omero.model.ProjectI()
    project.name = rstring("p")
    project = owner.getUpdateService().saveAndReturnObject(project, {"omero.group": str(there)})
    apart = omero.model.ProjectDatasetLinkI()
    apart.parent, apart.child = project.proxy(), omero.model.DatasetI(target, False)
    own = owner.getQueryService().get("Dataset", target)
    changed = owner.getUpdateService().saveAndReturnObject(own)
    changed.name = rstring("once")
    owner.getUpdateService().saveObject(changed)
    changed.name = rstring("again")
    found = query.get("Dataset", target)
    found.name = rstring("renamed")
    for kind, attempt in (
        (omero.SecurityViolation, lambda: update.saveObject(found)),
        (omero.SecurityViolation, lambda: tag(member, target)),
        (omero.GroupSecurityViolation, lambda: owner.getUpdateService().saveObject(apart, ALL)),
        (omero.SecurityViolation, lambda: query.get("Dataset", target, {"omero.group": str(there)})),
        (omero.ValidationException, lambda: query.get("Dataset", 10**9)),
        (omero.ValidationException, lambda: update.saveObject(omero.model.DatasetI())),
        (omero.OptimisticLockException, lambda: owner.getUpdateService().saveObject(changed)),
        (omero.ApiUsageException, lambda: query.find("Nothing", 1)),
        (omero.ApiUsageException, lambda: update.saveObject(None)),
        (omero.QueryException, lambda: query.findAllByQuery("select d from Dataset d where", None)),
    ):
        with pytest.raises(kind) as raised:
            attempt()
        assert type(raised.value) is kind


def by_command(lab, group):
    request = omero.cmd.Chmod2(targetObjects={"ExperimenterGroup": [group]}, permissions="rw----")
    command(lab.root, request)


def test_a_group_that_becomes_private_shows_nobody_what_others_own(lab):
    name = lab.group("rwra--")
    owner, member = lab.connect(lab.user(name)), lab.connect(lab.user(name))
    target = dataset(owner)
    tag(owner, target)
    tag(member, target)
    text = "select l.child.id from DatasetAnnotationLink l where l.parent.id = :id"
    parameters = omero.sys.ParametersI().addId(target)
    assert len(owner.getQueryService().projection(text, parameters)) == 2
    by_command(lab, owner.getEventContext().groupId)
    left = owner.getQueryService().projection(text, parameters)
    assert len(left) == 1
    (kept,) = owner.getQueryService().findAllByQuery("from TagAnnotation", None)
    assert kept.id.val == left[0][0].val
    assert member.getQueryService().findAllByQuery("from Dataset", None) == []
    assert member.getQueryService().findAllByQuery("from DatasetAnnotationLink", None) == []
    assert len(member.getQueryService().findAllByQuery("from TagAnnotation", None)) == 1


def test_an_image_goes_with_its_links_and_leaves_what_others_own(lab):
    """Read-annotate: a member's tag and comment on somebody else's dataset stay when that is deleted."""
    name = lab.group("rwra--")
    owner, member = lab.connect(lab.user(name)), lab.connect(lab.user(name))
    target = dataset(owner)
    tag(member, target)
    link = omero.model.DatasetAnnotationLinkI()
    link.parent, link.child = omero.model.DatasetI(target, False), omero.model.CommentAnnotationI()
    link.child.textValue = rstring("mine")
    link = member.getUpdateService().saveAndReturnObject(link)
    with pytest.raises(omero.SecurityViolation):
        command(owner, omero.cmd.Delete2(targetObjects={"CommentAnnotation": [link.child.id.val]}))
    delete(owner, target)
    query = member.getQueryService()
    assert query.findAllByQuery("from DatasetAnnotationLink", None) == []
    assert len(query.findAllByQuery("from Annotation", None)) == 2


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
    with pytest.raises(omero.SecurityViolation, match="Cannot read"):
        query.find("Dataset", target)
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


def test_nothing_is_moved_or_given_where_it_may_not_be(lab):
    group, other = lab.group("rwrw--"), lab.group("rwrw--")
    owner, member, stranger = (lab.connect(lab.user(name)) for name in (group, group, other))
    leader = lab.connect(lab.user(group, leads=True))
    there, target = stranger.getEventContext().groupId, dataset(owner)
    objects = {"Dataset": [target]}
    for gateway, request in (
        (owner, omero.cmd.Chgrp2(targetObjects=objects, groupId=there)),  # no member there
        (member, omero.cmd.Chgrp2(targetObjects=objects, groupId=1)),  # may write, but does not own
        (owner, omero.cmd.Chown2(targetObjects=objects, userId=member.getUserId())),  # leads nothing
        (leader, omero.cmd.Chown2(targetObjects=objects, userId=stranger.getUserId())),  # could not see it then
    ):
        with pytest.raises(omero.SecurityViolation):
            command(gateway, request)
    with pytest.raises(omero.ApiUsageException):
        command(stranger, omero.cmd.Delete2(targetObjects=objects))
    found = owner.getQueryService().get("Dataset", target)
    assert (found.details.owner.id.val, found.details.group.id.val) == (
        owner.getUserId(),
        owner.getEventContext().groupId,
    )


def test_an_administrator_gives_to_whom_they_like_and_a_third_users_things_stay_theirs(lab):
    group, other = lab.group("rwrw--"), lab.group("rwrw--")
    owner, third, stranger = (lab.connect(lab.user(name)) for name in (group, group, other))
    target, apart = dataset(owner), dataset(third)
    tag(owner, target)
    tag(third, target)
    objects = {"Dataset": [target]}
    request = omero.cmd.Chown2(targetObjects=objects, userId=stranger.getUserId(), childOptions=[
        omero.cmd.graphs.ChildOption(includeType=["TagAnnotation"]),
    ])  # fmt: skip
    command(lab.root, request)
    query = lab.root.getQueryService()
    text = "select {0}.details.owner.id from {0} {0} where {0}.details.group.id = :id order by {0}.id"
    parameters = omero.sys.ParametersI().addId(owner.getEventContext().groupId)
    for kind in ("DatasetAnnotationLink", "TagAnnotation"):
        owners = unwrap(query.projection(text.format(kind), parameters, ALL))
        assert owners == [[stranger.getUserId()], [third.getUserId()]]
    assert query.get("Dataset", target, ALL).details.owner.id.val == stranger.getUserId()
    assert query.get("Dataset", apart, ALL).details.owner.id.val == third.getUserId()


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

"""Answers that OMERO's own client tests expect (openmicroscopy, components/tools/OmeroPy/test/integration)."""

import uuid

import numpy as np
import omero
import omero.cmd
import pytest
from omero.rtypes import rbool, rlong, rstring, unwrap

ALL = {"omero.group": "-1"}


def external(kind):
    made = omero.model.ExternalInfoI()
    made.entityType, made.entityId = rstring(kind), rlong(1)
    return made


def new_dataset(info=None):
    made = omero.model.DatasetI()
    made.name = rstring("d")
    made.details.externalInfo = info
    return made


def test_external_information_is_kept_changed_and_removed(gateway):
    """test_iupdate.py; omero-server, OmeroInterceptor.java: details are the client's own, ExternalInfo is immutable."""
    update = gateway.getUpdateService()
    hql = "select d from Dataset d left outer join fetch d.details.externalInfo where d.id = :id"

    def kinds(thing):
        again = gateway.getQueryService().findByQuery(hql, omero.sys.ParametersI().addId(thing.id.val))
        return [
            None if one is None else one.entityType.val
            for one in (thing.details.externalInfo, again.details.externalInfo)
        ]

    made = update.saveAndReturnObject(new_dataset(external("first")))
    assert kinds(made) == ["first", "first"]
    made.name = rstring("renamed")
    made = update.saveAndReturnObject(made)
    assert kinds(made) == ["first", "first"]
    made.details.externalInfo.entityType = rstring("changed in place")
    assert kinds(update.saveAndReturnObject(made))[1] == "first"
    made = gateway.getQueryService().get("Dataset", made.id.val)
    made.details.externalInfo = external("second")
    made = update.saveAndReturnObject(made)
    assert kinds(made) == ["second", "second"]
    made.unloadDetails()
    made.name = rstring("without details")
    update.saveAndReturnObject(made)
    made = gateway.getQueryService().findByQuery(hql, omero.sys.ParametersI().addId(made.id.val))
    assert kinds(made) == ["second", "second"]
    made.details.externalInfo = None
    assert kinds(update.saveAndReturnObject(made)) == [None, None]


def test_rois_by_id_are_those_of_the_user_asked_for(lab):
    """test_rois.py, test8990; omero-server, RoiImpl.java."""
    gateway = lab.connect(lab.user(lab.group("rwrw--")))
    image = gateway.createImageFromNumpySeq(iter([np.zeros((2, 2), np.uint8)]), "i", 1, 1, 1)
    roi = omero.model.RoiI()
    roi.image = omero.model.ImageI(image.getId(), False)
    roi.addShape(omero.model.PointI())
    number = gateway.getUpdateService().saveAndReturnObject(roi).id.val
    for user, found in ((gateway.getUserId(), 1), (0, 0)):
        options = omero.api.RoiOptions()
        options.userId = rlong(user)
        assert len(gateway.getRoiService().findByRoi(number, options).rois) == found


def test_settings_chosen_by_their_id_are_what_is_saved_over(lab):
    """test_thumbnailPerms.py, test12145ShareSettingsRnd; omero-server, RenderingBean.java."""
    name = lab.group("rwrw--")
    owner, other = lab.connect(lab.user(name)), lab.connect(lab.user(name))
    image = owner.createImageFromNumpySeq(iter([np.zeros((2, 2), np.uint8)]), "i", 1, 1, 1)
    pixels = image.getPrimaryPixels().getId()
    for gateway in (owner, other):
        engine = gateway.createRenderingEngine()
        engine.lookupPixels(pixels)
        if gateway is owner:
            engine.resetDefaultSettings(True)
        assert engine.lookupRenderingDef(pixels)
        known = engine.getRenderingDefId()
        engine.loadRenderingDef(known)
        engine.saveCurrentSettings()
        assert engine.getRenderingDefId() == known
        engine.close()
    settings = other.getPixelsService().retrieveRndSettingsFor
    assert settings(pixels, other.getUserId()) is None
    assert settings(pixels, owner.getUserId()).id.val == known


def test_the_last_client_decides_whether_a_session_ends(lab):
    """test_isession.py, test1018CreationDestructionClosing; omero-blitz, ServiceFactoryI.java."""
    user, server = lab.user(lab.group()), lab.server
    first, second, third, fourth = (omero.client(server.host, server.port) for _ in range(4))
    factory = first.createSession(user, lab.password)
    factory.detachOnDestroy()
    key = first.getSessionId()
    second.joinSession(key).closeOnDestroy()
    second.closeSession()
    factory.getAdminService().getEventContext()
    first.closeSession()
    third.joinSession(key).closeOnDestroy()
    third.closeSession()
    with pytest.raises(Exception, match=r"PermissionDenied|CannotCreateSession"):
        fourth.joinSession(key)
    for one in (first, second, third, fourth):
        one.__del__()


def test_a_session_knows_the_address_that_the_client_gives(lab):
    """test_isession.py, testSessionWithIP."""
    client = omero.client(lab.server.host, lab.server.port)
    client.setIP("2400:cb00:2048:1::6814:55")
    key = client.createSession(lab.user(lab.group()), lab.password).getAdminService().getEventContext().sessionUuid
    found = client.sf.getQueryService().findByQuery(f"from Session where uuid = '{key}'", None)
    assert unwrap(found.userIP) == "2400:cb00:2048:1::6814:55"
    assert [type(one).__name__ for one in client.getStatefulServices()] == []
    client.sf.createSearchService()
    [service] = client.getStatefulServices()
    service.close()
    client.closeSession()


def test_nobody_opens_sessions_from_one_that_an_administrator_opened(lab):
    """test_isession.py, testCreateUserSessionFromSudo."""
    name = lab.group()
    principal = omero.sys.Principal(name=lab.user(name), group=name, eventType="Test")
    made = lab.root.c.sf.getSessionService().createSessionWithTimeout(principal, 10_000)
    client = omero.client(lab.server.host, lab.server.port)
    client.joinSession(made.uuid.val)
    with pytest.raises(omero.SecurityViolation):
        client.sf.getSessionService().createUserSession(10_000, 10_000, name)
    client.killSession()


def test_only_administrators_let_sessions_live_longer(lab):
    """test_isession.py, testUpdateSessions: the error's name."""
    gateway = lab.connect(lab.user(lab.group()))
    request = omero.cmd.UpdateSessionTimeoutRequest()
    request.session = gateway.c.getSessionId()
    request.timeToIdle = rlong(10**9)
    callback = gateway._waitOnCmd(gateway.c.sf.submit(request), failonerror=False)
    assert callback.getResponse().name == "non-admin-increase"


def test_a_search_looks_where_its_results_are_asked_for(lab):
    """test_search.py, test8692 and testMaxSize; omero-server, SearchBean.java and FullTextBridge.java."""
    gateway = lab.connect(lab.user(lab.group("rw----")))
    word = uuid.uuid4().hex
    made = omero.model.TagAnnotationI()
    made.ns = rstring(word)
    gateway.getUpdateService().saveObject(made)
    service = lab.root.c.sf.createSearchService()
    service.onlyType("TagAnnotation")
    for text in (word, f"{word}^10"):
        service.byFullText(text)
        assert not service.hasNext()
        assert service.hasNext(ALL)
        assert [one.ns.val for one in service.results(ALL)] == [word]
    service.byLuceneQueryBuilder("", "", "", "", "%")
    assert not service.hasNext()
    service.close()


def test_channels_of_a_new_image_have_no_colour(gateway):
    """As omero-server, PixelsImpl.createChannels; shown in red, as ColorsFactory.java (omero-renderer) has it."""
    kind = gateway.getQueryService().findByString("PixelsType", "value", "uint8")
    image = gateway.getPixelsService().createImage(2, 2, 1, 1, [0], kind, "i", "").val
    hql = f"select c.red, s.id from Channel c left outer join c.statsInfo s where c.pixels.image.id = {image}"
    assert unwrap(gateway.getQueryService().projection(hql, None)) == [[None, None]]
    pixels = gateway.getObject("Image", image).getPrimaryPixels().getId()
    store = gateway.c.sf.createRawPixelsStore()
    store.setPixelsId(pixels, False)
    store.setPlane(bytes(4), 0, 0, 0)
    store.save()
    store.close()
    engine = gateway.createRenderingEngine()
    engine.lookupPixels(pixels)
    engine.resetDefaultSettings(True)
    assert engine.getRGBA(0) == [255, 0, 0, 255]
    engine.close()


def by_admin(admin, group):
    admin.changePermissions(omero.model.ExperimenterGroupI(group, False), omero.model.PermissionsI("rw----"))


def by_update(admin, group):
    found = admin.getGroup(group)
    found.details.permissions = omero.model.PermissionsI("rw----")
    admin.updateGroup(found)


@pytest.mark.parametrize("change", [by_admin, by_update])
def test_links_between_users_keep_a_group_from_becoming_private(lab, change):
    """test_annotationPermissions.py, testAddTagMakePrivate; omero-server, AdminImpl.changePermissions."""
    name = lab.group("rwra--")
    owner, member = lab.connect(lab.user(name)), lab.connect(lab.user(name))
    link = omero.model.DatasetAnnotationLinkI()
    made = owner.getUpdateService().saveAndReturnObject(new_dataset())
    link.parent, link.child = omero.model.DatasetI(made.id.val, False), omero.model.TagAnnotationI()
    member.getUpdateService().saveObject(link)
    group = owner.getEventContext().groupId
    with pytest.raises(omero.SecurityViolation, match="links between users"):
        change(lab.root.getAdminService(), group)
    assert str(owner.getAdminService().getGroup(group).details.permissions) == "rwra--"
    assert len(member.getQueryService().findAllByQuery("from DatasetAnnotationLink", None)) == 1


def test_names_of_users_may_be_empty_but_not_missing(lab):
    """gatewaytest, dbhelpers.UserEntry.create; omero-server, SimpleRoleProvider.copyUser; omero-model, meta.ome.xml."""
    admin, group = lab.root.getAdminService(), lab.group()
    user = omero.model.ExperimenterI()
    user.omeName, user.ldap = rstring(f"user-{uuid.uuid4()}"), rbool(False)
    user.firstName = rstring("")
    with pytest.raises(omero.ValidationException, match=r"Experimenter\.lastName may not be null"):
        admin.createUser(user, group)
    user.lastName = rstring("")
    admin.createUser(user, group)
    assert admin.lookupExperimenter(user.omeName.val).lastName.val == ""

"""Shares, as omero-server's ShareBean.java keeps them and OMERO.web's pages and `marshal_shares` ask for them."""

import time

import omero
import pytest
from omero.rtypes import rlong, rtime, unwrap

from sandbox.omero.launch import running_server
from tests.omero.lab import Lab, connect

LISTED = """select distinct m.parent.id, m.parent.active,
    extract(epoch from m.parent.started) + (m.parent.timeToLive / 1000), m.parent.owner.id, m.parent.itemCount
    from ShareMember m where m.child.id = :id order by m.parent.id"""


@pytest.fixture
def two(lab):
    """Two users of one group, the images of the first, and what a share of theirs needs."""
    group = lab.group("rwr---")
    return tuple(lab.connect(lab.user(group)) for _ in range(2))


def users(*gateways):
    return [omero.model.ExperimenterI(g.getUserId(), False) for g in gateways]


def images(*ids):
    return [omero.model.ImageI(i, False) for i in ids]


def make(owner, member, *ids, expires=None):
    return owner.getShareService().createShare("look", expires, images(*ids), users(member), ["a@b.org"], True)


def test_a_share_has_its_owner_members_guests_and_objects(two):
    owner, member = two
    shares = owner.getShareService()
    number = make(owner, member, 7, 8, 7)
    found = shares.getShare(number)
    assert (found.owner.id.val, found.owner.omeName.val) == (owner.getUserId(), owner.getUser().getName())
    assert (found.message.val, found.active.val, found.itemCount.val) == ("look", True, 2)
    assert found.group.id.val == owner.getEventContext().groupId
    assert [(type(x).__name__, x.id.val, x.isLoaded()) for x in shares.getContents(number)] == [
        ("ImageI", 7, False),
        ("ImageI", 8, False),
    ]
    assert shares.getContentMap(number) == {"ome.model.core.Image": [7, 8]}
    assert [x.id.val for x in shares.getContentSubList(number, 1, 2)] == [8]
    with pytest.raises(omero.ApiUsageException, match="Invalid range: 1 to 3"):
        shares.getContentSubList(number, 1, 3)
    assert [x.id.val for x in shares.getAllMembers(number)] == [member.getUserId()]
    assert shares.getAllGuests(number) == ["a@b.org"]
    assert shares.getAllUsers(number) == sorted([member.getUser().getName(), "a@b.org"])
    assert shares.getMemberCount([number]) == {number: 2}


def test_members_and_objects_come_and_go(two):
    owner, member = two
    shares = owner.getShareService()
    number = make(owner, member, 7)
    shares.addObjects(number, images(9, 7))
    shares.removeObject(number, images(7)[0])
    assert [x.id.val for x in shares.getContents(number)] == [9]
    assert shares.getContentSize(number) == 1
    shares.removeUsers(number, users(member))
    shares.removeGuest(number, "a@b.org")
    assert (shares.getAllMembers(number), shares.getAllGuests(number)) == ([], [])
    assert member.getShareService().getShare(number) is None
    shares.addUser(number, users(member)[0])
    assert member.getShareService().getShare(number).itemCount.val == 1
    with pytest.raises(omero.ValidationException, match="null id"):
        shares.addObject(number, omero.model.ImageI())


def test_shares_are_listed_for_owner_and_members(two):
    owner, member = two
    number = make(owner, member, 7, expires=rtime((time.time() + 1000) * 1000))
    closed = make(owner, member)
    owner.getShareService().setActive(closed, False)
    for gateway, own in ((owner, True), (member, False)):
        shares = gateway.getShareService()
        listed = {a: [s.id.val for s in (shares.getOwnShares if own else shares.getMemberShares)(a)] for a in (0, 1)}
        assert listed == {False: [number, closed], True: [number]}
        rows = gateway.getQueryService().projection(LISTED, omero.sys.ParametersI().addId(gateway.getUserId()))
        first, second = (unwrap(row) for row in rows)
        assert (first[0], first[1], first[3], first[4]) == (number, True, owner.getUserId(), 1)
        assert abs(first[2] - time.time() - 1000) < 60
        assert second[1] is False
        assert second[2] > 9e15


def test_a_share_is_nobody_elses(two, lab):
    owner, member = two
    stranger = lab.connect(lab.user(lab.group("rwr---"))).getShareService()
    number = make(owner, member, 7)
    assert stranger.getShare(number) is None
    assert stranger.getComments(number) == []
    for ask in (
        lambda: stranger.getContents(number),
        lambda: stranger.setDescription(number, "mine"),
        lambda: stranger.addUser(number, users(owner)[0]),
        lambda: stranger.addComment(number, "me too"),
        lambda: stranger.closeShare(number),
        lambda: stranger.getMemberCount([number]),
    ):
        with pytest.raises(omero.ValidationException, match=r"Share not found|Missing or protected"):
            ask()
    assert owner.getShareService().getShare(number).message.val == "look"


def test_comments_are_counted_and_told_to_the_others(two):
    owner, member = two
    number = make(owner, member, 7)
    made = member.getShareService().addComment(number, "nice")
    assert made.textValue.val == "nice"
    assert made.details.owner.id.val == member.getUserId()
    shares = owner.getShareService()
    (found,) = shares.getComments(number)
    assert found.id.val == made.id.val
    assert found.details.owner.omeName.val == member.getUser().getName()
    assert shares.getCommentCount([number]) == {number: 1}
    (link,) = owner.getTimelineService().getMostRecentShareCommentLinks(None)
    assert (link.parent.id.val, link.child.textValue.val) == (number, "nice")
    assert member.getTimelineService().getMostRecentShareCommentLinks(None) == []
    member.getShareService().deleteComment(made)
    assert shares.getComments(number) == []
    assert shares.getCommentCount([number]) == {number: 0}


def test_an_expiration_lies_in_the_future(two):
    owner, member = two
    with pytest.raises(omero.ApiUsageException, match="must be in the future"):
        make(owner, member, expires=rtime(1))
    number = make(owner, member)
    with pytest.raises(omero.ApiUsageException, match="must be in the future"):
        owner.getShareService().setExpiration(number, rtime(1))
    owner.getShareService().setExpiration(number, rtime(2**53))
    share = owner.getShareService().getShare(number)
    assert share.started.val + share.timeToLive.val == 2**53


def test_a_restart_ends_sessions_but_no_share(tmp_path):
    with running_server(tmp_path) as server:
        root = connect(server, "root", server.root_password)
        lab = Lab(server, root)
        owner = lab.connect(lab.user(lab.group()))
        number = make(owner, root, 7)
        lab.stack.close()
        root.close()
    with running_server(tmp_path) as server:
        root = connect(server, "root", server.root_password)
        share = root.getShareService().getShare(number)
        assert share.closed is None
        assert share.itemCount.val == 1
        hql = "select s.closed from Session s where s.class = Session and s.id < :id"
        rows = root.getQueryService().projection(hql, omero.sys.ParametersI().add("id", rlong(number)))
        assert rows
        assert all(unwrap(row)[0] for row in rows)
        root.close()

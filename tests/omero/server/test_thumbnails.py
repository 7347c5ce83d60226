"""What OMERO notes of thumbnails, and what happens to it and to settings of colleagues when an image moves.

As in omero-server: ome/services/ThumbnailBean.java, ThumbnailCtx.java and, for moves, omero-blitz'
blitz-chgrp-rules.xml. OmeroPy's test_thumbnailPerms.py expects the same.
"""

import io

import numpy as np
import omero.all
import pytest
from omero.rtypes import rint, rstring, unwrap
from PIL import Image

from sandbox.omero.client_import.importing import ImportOptions, import_with_options

ALL = {"omero.group": "-1"}


def make_image(gateway, width=20, height=10):
    made = gateway.createImageFromNumpySeq(iter([np.zeros((height, width), np.uint8)]), "t", 1, 1, 1)
    return gateway.getObject("Image", made.getId())


def noted(gateway, pixels):
    """Owner, width, height and version of each thumbnail."""
    hql = f"select t.details.owner.id, t.sizeX, t.sizeY, t.version from Thumbnail t where t.pixels.id = {pixels}"
    return sorted(unwrap(gateway.getQueryService().projection(hql + " order by t.id", None, ALL)))


def opened(gateway, pixels):
    store = gateway.createThumbnailStore()
    store.setPixelsId(pixels)
    return store


def save_settings(gateway, pixels):
    engine = gateway.createRenderingEngine()
    engine.lookupPixels(pixels)
    if not engine.lookupRenderingDef(pixels):
        engine.resetDefaultSettings(True)
    engine.load()
    engine.saveCurrentSettings()
    definition = engine.getRenderingDefId()
    engine.close()
    return definition


@pytest.fixture
def group(lab):
    """A function that makes a group, an image of its first member with settings, and a second member's connection."""

    def make(permissions, leads=False):
        name = lab.group(permissions)
        owner, other = lab.connect(lab.user(name)), lab.connect(lab.user(name, leads=leads))
        pixels = make_image(owner).getPrimaryPixels().getId()
        save_settings(owner, pixels)
        return owner, other, pixels

    return make


def test_a_thumbnail_has_the_size_that_is_asked_for(gateway):
    """Not the proportions of the image: ThumbnailBean.createScaledImage scales both sides by their own factor."""
    pixels = make_image(gateway).getPrimaryPixels().getId()
    save_settings(gateway, pixels)
    store = opened(gateway, pixels)
    pictures = [
        store.getThumbnail(rint(30), rint(40)),
        store.getThumbnailDirect(rint(1), rint(5)),
        store.getThumbnailByLongestSide(rint(64)),
        store.getThumbnailByLongestSideDirect(rint(5)),
    ]
    assert [Image.open(io.BytesIO(one)).size for one in pictures] == [(30, 40), (3, 5), (64, 32), (5, 3)]
    assert [row[1:] for row in noted(gateway, pixels)] == [[30, 40, 0], [64, 32, 0]]  # direct ones are not noted


def test_the_version_counts_changes_of_the_settings(group):
    owner, _, pixels = group("rwra--")
    store = opened(owner, pixels)
    assert not store.thumbnailExists(rint(16), rint(16))
    for _ in range(2):
        store.getThumbnail(rint(16), rint(16))
    assert store.thumbnailExists(rint(16), rint(16))
    assert noted(owner, pixels) == [[owner.getUserId(), 16, 16, 0]]
    save_settings(owner, pixels)
    assert not opened(owner, pixels).thumbnailExists(rint(16), rint(16))
    opened(owner, pixels).getThumbnail(rint(16), rint(16))
    assert noted(owner, pixels) == [[owner.getUserId(), 16, 16, 1]]
    assert unwrap(owner.getObject("Image", image_of(owner, pixels)).getThumbVersion()) in (None, 1)


def image_of(gateway, pixels):
    hql = f"select p.image.id from Pixels p where p.id = {pixels}"
    return unwrap(gateway.getQueryService().projection(hql, None, ALL))[0][0]


@pytest.mark.parametrize(("permissions", "own"), [("rwr---", False), ("rwra--", True), ("rwrw--", True)])
def test_a_colleague_has_a_thumbnail_where_the_group_lets_them_annotate(group, permissions, own):
    owner, other, pixels = group(permissions)
    assert opened(other, pixels).getThumbnail(rint(16), rint(16))
    assert noted(other, pixels) == ([[other.getUserId(), 16, 16, 0]] if own else [])
    opened(owner, pixels).getThumbnail(rint(16), rint(16))
    expected = [[owner.getUserId(), 16, 16, 0]] + ([[other.getUserId(), 16, 16, 0]] if own else [])
    assert noted(owner, pixels) == sorted(expected)
    opened(other, pixels).getThumbnail(rint(16), rint(16))
    assert noted(owner, pixels) == sorted(expected)


def test_a_thumbnail_by_the_owners_settings_is_the_owners(group):
    owner, other, pixels = group("rwrw--")
    opened(owner, pixels).getThumbnail(rint(16), rint(16))
    definition = save_settings(owner, pixels)
    store = opened(other, pixels)
    store.setRenderingDefId(definition)
    store.getThumbnail(rint(16), rint(16))
    assert noted(owner, pixels) == [[owner.getUserId(), 16, 16, 1]]


@pytest.mark.parametrize("private", [False, True])
def test_settings_thumbnails_and_rois_of_colleagues_do_not_hinder_a_move(lab, private):
    name, there = lab.group("rwra--"), lab.group("rw----" if private else "rwra--")
    owner, other = lab.connect(lab.user(name, there)), lab.connect(lab.user(name))
    image = make_image(owner)
    pixels = image.getPrimaryPixels().getId()
    for gateway in (owner, other):
        save_settings(gateway, pixels)
        opened(gateway, pixels).getThumbnail(rint(16), rint(16))
    roi = omero.model.RoiI()
    roi.name, roi.image = rstring("colleague"), omero.model.ImageI(image.getId(), False)
    roi.addShape(omero.model.PointI())
    other.getUpdateService().saveObject(roi)
    target = owner.getAdminService().lookupGroup(there).id.val
    request = omero.cmd.Chgrp2(targetObjects={"Image": [image.getId()]}, groupId=target)
    callback = owner._waitOnCmd(owner.c.sf.submit(request), failonerror=False)
    assert isinstance(callback.getResponse(), omero.cmd.Chgrp2Response), callback.getResponse()
    owners = {owner.getUserId()} if private else {owner.getUserId(), other.getUserId()}
    for kind in ("Thumbnail", "RenderingDef", "QuantumDef", "ChannelBinding"):
        hql = f"select o.details.owner.id, o.details.group.id from {kind} o where o.details.owner.id in (:ids)"
        ids = omero.sys.ParametersI().addIds([owner.getUserId(), other.getUserId()])
        found = unwrap(lab.root.getQueryService().projection(hql, ids, ALL))
        assert {tuple(row) for row in found} == {(number, target) for number in owners}, kind
    rois = unwrap(
        lab.root.getQueryService().projection(
            f"select r.details.group.id from Roi r where r.image.id = {image.getId()}", None, ALL
        )
    )
    assert rois == ([] if private else [[target]])


def test_an_import_without_minima_and_maxima_shows_the_middle_plane(gateway, tmp_path):
    """As omero-server, RenderingSettingsImpl.computeLocationStats with RawPixelsBean.findMinMax; grey as omero-blitz,
    ChannelProcessor.setSingleChannel. OMERO.web's test_marshal.py, test_image_detail, expects the same numbers.
    """
    path = tmp_path / "x&pixelType=int16&sizeX=20&sizeY=20&sizeZ=5&sizeT=6.fake"
    path.touch()
    found = {}
    for without in (True, False):
        options = ImportOptions(without_stats=without)
        [number] = import_with_options(gateway.c, [path], options).image_ids
        [channel] = gateway.getObject("Image", number).getChannels()
        stats = channel.getStatsInfo() if hasattr(channel, "getStatsInfo") else channel._obj.statsInfo
        found[without] = (stats is None, channel.getWindowStart(), channel.getWindowEnd(), channel.getColor().getHtml())
    assert found == {True: (True, -32768, 12, "808080"), False: (False, -32768, 29, "808080")}

"""Original files that may not be downloaded, as OMERO's BinaryAccessPolicy has it.

Source: omero-server, src/main/java/ome/security/policy/BinaryAccessPolicy.java (what is restricted),
src/main/resources/omero-server.properties (the default has no `+plate`), src/main/java/ome/services/RawFileBean.java
(`read` checks, nothing else does) and src/main/resources/ome/services/sec-primitives.xml (objects that tell it).
"""

import contextlib

import omero
import pytest
from omero.rtypes import rint, unwrap

from sandbox.omero.client_import import import_files
from tests.omero.server.tiff_files import write_tiff

KEY = "omero.policy.binary_access"


def put_into_plate(gateway, image_id: int) -> int:
    plate, well, sample = omero.model.PlateI(), omero.model.WellI(), omero.model.WellSampleI()
    plate.name = omero.rtypes.rstring("plate")
    well.row, well.column = rint(0), rint(0)
    sample.image = omero.model.ImageI(image_id, False)
    well.addWellSample(sample)
    plate.addWell(well)
    return gateway.getUpdateService().saveAndReturnObject(plate).id.val


def file_of(gateway, image_id: int) -> int:
    hql = "select e.originalFile.id from FilesetEntry e join e.fileset f join f.images i where i.id = :id"
    parameters = omero.sys.ParametersI().addId(image_id)
    return unwrap(gateway.getQueryService().projection(hql, parameters))[0][0]


def read(gateway, file_id: int) -> bytes:
    store = gateway.c.sf.createRawFileStore()
    with contextlib.closing(store):
        store.setFileId(file_id)
        assert store.size() > 4
        return store.read(0, 4)


def allow(lab, gateway, *values: str) -> None:
    """Set what the user's group allows."""
    group = lab.root.getQueryService().get("ExperimenterGroup", gateway.getEventContext().groupId)
    group.config = [omero.model.NamedValue(KEY, value) for value in values]
    lab.root.getUpdateService().saveObject(group)


@pytest.fixture
def image_id(gateway, tmp_path):
    path = write_tiff(tmp_path)
    return import_files(gateway.c, [path])[0]


def test_files_of_images_in_plates_stay_on_the_server_unless_the_setting_allows(lab, gateway, image_id):
    file_id = file_of(gateway, image_id)
    assert gateway.getObject("Image", image_id).canDownload()
    assert read(gateway, file_id)
    plate_id = put_into_plate(gateway, image_id)
    with pytest.raises(omero.SecurityViolation, match=f"Download is restricted for .*OriginalFile:Id_{file_id}"):
        read(gateway, file_id)
    for kind, found in (("Image", image_id), ("Plate", plate_id), ("OriginalFile", file_id)):
        assert not gateway.getObject(kind, found).canDownload()
    assert gateway.getObject("Image", image_id).getPrimaryPixels().getPlane().any()  # pixels are not files
    allow(lab, gateway, "+plate")
    assert read(gateway, file_id)
    assert gateway.getObject("Plate", plate_id).canDownload()


@pytest.mark.parametrize(
    ("values", "owner_may", "member_may"),
    [
        (["-read"], True, False),
        (["-write"], False, False),
        (["-image"], False, False),
        (["-read", "+plate"], True, False),
        (["+read,+write"], True, True),
    ],
)
def test_words_of_a_group_narrow_what_its_members_may(lab, tmp_path, values, owner_may, member_may):
    group = lab.group("rwra--")
    owner, member = lab.connect(lab.user(group)), lab.connect(lab.user(group))
    path = write_tiff(tmp_path)
    image_id = import_files(owner.c, [path])[0]
    allow(lab, owner, *values)
    for reader, may in ((owner, owner_may), (member, member_may)):
        assert reader.getObject("Image", image_id).canDownload() is may
        if may:
            assert read(reader, file_of(reader, image_id))
        else:
            with pytest.raises(omero.SecurityViolation):
                read(reader, file_of(reader, image_id))


def test_setting_of_the_server(lab, gateway, image_id):
    put_into_plate(gateway, image_id)
    config = lab.root.getConfigService()
    assert config.getConfigValue(KEY) == "+read,+write,+image"
    config.setConfigValue(KEY, "+read,+write,+image,+plate")
    try:
        assert read(gateway, file_of(gateway, image_id))
        allow(lab, gateway, "-plate")  # a group may forbid what the server allows, not the other way round
        with pytest.raises(omero.SecurityViolation):
            read(gateway, file_of(gateway, image_id))
    finally:
        config.setConfigValue(KEY, "")


def test_text_files_and_attachments_may_always_be_downloaded(gateway, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    attached = gateway.createFileAnnfromLocalFile(str(path), mimetype="text/plain")
    assert attached.canDownload()
    assert read(gateway, attached.getFile().getId()) == b"hell"

"""Who may do what with pixels and files; what a restart keeps, and a crash."""

import os
import signal
import threading

import numpy as np
import pytest
import tifffile

pytest.importorskip("omero.clients")
import Ice
import omero.all

from sandbox.omero.client_import import import_files, managed_repository, new_fileset, new_settings
from sandbox.omero.launch import running_server

ARRAY = np.random.default_rng(0).integers(0, 65535, (2, 20, 30), dtype=np.uint16)


def create(gateway, array=ARRAY):
    return gateway.createImageFromNumpySeq(iter(array), "life", 1, len(array), 1).getId()


def write_tiff(folder, name="a.ome.tif"):
    tifffile.imwrite(folder / name, ARRAY, metadata={"axes": "CYX"}, photometric="minisblack")
    return folder / name


def plane(gateway, image_id, channel=1):
    return gateway.getObject("Image", image_id).getPrimaryPixels().getPlane(0, channel, 0)


def raw_store(gateway, image_id):
    # By the id alone, as somebody would who cannot see the image.
    store = gateway.c.sf.createRawPixelsStore()
    store.setPixelsId(image_id, True)
    return store


@pytest.fixture
def pair(lab):
    """Two users in a group of the given permissions."""

    def make(permissions):
        group = lab.group(permissions)
        return lab.connect(lab.user(group)), lab.connect(lab.user(group))

    return make


def pixels_and_file(owner, tmp_path):
    image = owner.getObject("Image", create(owner))
    path = tmp_path / "note.txt"
    path.write_text("note")
    annotation = owner.createFileAnnfromLocalFile(str(path), mimetype="text/plain")
    return image.getPrimaryPixels().getId(), annotation.getFile().getId()


def test_private_group_hides_pixels_and_files(pair, tmp_path):
    owner, other = pair("rw----")
    pixels, file = pixels_and_file(owner, tmp_path)
    with pytest.raises(omero.ValidationException):
        raw_store(other, pixels)
    store = other.c.sf.createRawFileStore()
    with pytest.raises(omero.ValidationException):
        store.setFileId(file)
    for service in (other.c.sf.createRenderingEngine().lookupPixels, other.c.sf.createThumbnailStore().setPixelsId):
        with pytest.raises(omero.ValidationException):
            service(pixels)


@pytest.mark.parametrize("permissions", ["rwr---", "rwra--"])
def test_readable_group_shows_but_does_not_let_write(pair, tmp_path, permissions):
    owner, other = pair(permissions)
    pixels, file = pixels_and_file(owner, tmp_path)
    store = raw_store(other, pixels)
    assert store.getPlane(0, 1, 0) == ARRAY[1].astype(">u2").tobytes()
    with pytest.raises(omero.SecurityViolation):
        store.setPlane(ARRAY[0].astype(">u2").tobytes(), 0, 1, 0)
    files = other.c.sf.createRawFileStore()
    files.setFileId(file)
    assert files.read(0, 10) == b"note"
    with pytest.raises(omero.SecurityViolation):
        files.write(b"mine", 0, 4)
    with pytest.raises(omero.SecurityViolation):
        other.getPixelsService().setChannelGlobalMinMax(pixels, 0, 0.0, 1.0)
    assert raw_store(owner, pixels).getPlane(0, 1, 0) == ARRAY[1].astype(">u2").tobytes()


def test_read_write_group_lets_write(pair, tmp_path):
    owner, other = pair("rwrw--")
    pixels, _ = pixels_and_file(owner, tmp_path)
    store = raw_store(other, pixels)
    store.setPlane(ARRAY[0].astype(">u2").tobytes(), 0, 1, 0)
    store.close()
    assert raw_store(owner, pixels).getPlane(0, 1, 0) == ARRAY[0].astype(">u2").tobytes()


def test_rendering_settings_of_others(pair):
    owner, other = pair("rwra--")
    image_id = create(owner)
    mine = owner.getObject("Image", image_id)
    mine.set_active_channels([1], [[3, 33]], ["00FF00"])
    mine.saveDefaults()
    theirs = other.getObject("Image", image_id)
    assert [c.isActive() for c in theirs.getChannels()] == [True, False]
    theirs.set_active_channels([2], [[4, 44]], ["FF0000"])
    theirs.saveDefaults()
    assert [c.isActive() for c in owner.getObject("Image", image_id).getChannels()] == [True, False]
    assert [c.isActive() for c in other.getObject("Image", image_id).getChannels()] == [False, True]
    assert len(owner.getObject("Image", image_id).getAllRenderingDefs()) == 2


def test_image_of_a_read_only_group_is_rendered_for_others(pair):
    owner, other = pair("rwr---")
    image = other.getObject("Image", create(owner))
    assert image.getThumbnail()
    assert image.renderImage(0, 0).size == (30, 20)
    assert not image.getAllRenderingDefs()


def test_import_goes_into_the_chosen_group(lab, tmp_path):
    first, second = lab.group(), lab.group()
    gateway = lab.connect(lab.user(first, second))
    group = gateway.getAdminService().lookupGroup(second).id.val
    gateway.c.sf.setSecurityContext(omero.model.ExperimenterGroupI(group, False))
    [image_id] = import_files(gateway.c, [write_tiff(tmp_path)])
    gateway.SERVICE_OPTS.setOmeroGroup(group)
    assert gateway.getObject("Image", image_id).getDetails().getGroup().getId() == group


def log_in(server):
    client = omero.client(server.host, server.port)
    client.createSession("root", server.root_password)
    from omero.gateway import BlitzGateway

    return BlitzGateway(client_obj=client)


def test_restart_keeps_everything(tmp_path):
    with running_server(tmp_path / "data") as server:
        gateway = log_in(server)
        made, [imported] = create(gateway), import_files(gateway.c, [write_tiff(tmp_path)])
        table = gateway.c.sf.sharedResources().newTable(0, "t.h5")
        table.initialize([omero.grid.LongColumn("a", "", [])])
        table.addData([omero.grid.LongColumn("a", "", [1, 2, 3])])
        file = table.getOriginalFile()
        table.close()
        image = gateway.getObject("Image", made)
        image.set_active_channels([2], [[5, 50]], ["00FFFF"])
        image.saveDefaults()
        gateway.close()
    with running_server(tmp_path / "data") as server:
        gateway = log_in(server)
        np.testing.assert_array_equal(plane(gateway, made), ARRAY[1])
        np.testing.assert_array_equal(plane(gateway, imported), ARRAY[1])
        assert gateway.c.sf.sharedResources().openTable(file).read([0], 0, 0).columns[0].values == [1, 2, 3]
        channels = gateway.getObject("Image", made).getChannels()
        assert [c.getWindowEnd() for c in channels if c.isActive()] == [50]
        gateway.close()


def kill_while_writing(server, gateway, folder):
    """Write, and kill the server in the middle of it.

    Returns:
        Id of the pixels, the planes that the server confirmed, and the ids of the images imported.
    """
    image = gateway.getObject("Image", create(gateway, np.zeros((40, 64, 64), np.uint16)))
    store = raw_store(gateway, image.getPrimaryPixels().getId())
    half = managed_repository(gateway.c).importFileset(new_fileset([folder / "half.tif"]), new_settings(None))
    half.getUploader(0).write(b"half of a file", 0, 14)
    killer = threading.Timer(0.15, os.kill, (server.pid, signal.SIGKILL))
    killer.start()
    confirmed, imported = [], []
    try:
        for number in range(100000):
            channel = number % 40
            store.setPlane(np.full((64, 64), number // 40 + channel + 1, ">u2").tobytes(), 0, channel, 0)
            confirmed.append((channel, number // 40 + channel + 1))
            if number % 10 == 0:
                imported += import_files(gateway.c, [folder / "a.ome.tif"])
    except (Ice.Exception, omero.ClientError, RuntimeError, OSError):
        pass
    killer.join()
    return image.getId(), confirmed, imported


def test_crash_loses_nothing_that_was_confirmed_and_leaves_nothing_half_made(tmp_path):
    write_tiff(tmp_path)
    with running_server(tmp_path / "data") as server:
        image, confirmed, imported = kill_while_writing(server, log_in(server), tmp_path)
    with running_server(tmp_path / "data") as server:
        gateway = log_in(server)
        last = dict(confirmed)
        for channel, value in last.items():
            found = plane(gateway, image, channel)
            assert (found == found[0, 0]).all()  # a plane is written whole
            assert found[0, 0] >= value
        query = gateway.getQueryService()
        filesets = query.findAllByQuery("select f from Fileset f join fetch f.usedFiles join fetch f.images", None)
        images = {i.id.val for f in filesets for i in f.copyImages()}
        assert set(imported) <= images
        for image_id in images:
            np.testing.assert_array_equal(plane(gateway, image_id), ARRAY[1])
        folders = list((tmp_path / "data" / "files" / "ManagedRepository").glob("*/*/*/*"))
        assert len(folders) == len({f.templatePrefix.val for f in filesets})
        assert not list((tmp_path / "data" / "files").glob("Uploads/*"))
        gateway.close()


def open_files(pid):
    return len(list(os.scandir(f"/proc/{pid}/fd")))


def test_many_rounds_leave_no_open_file(lab, omero_server, tmp_path):
    user = lab.user(lab.group())
    write_tiff(tmp_path)

    def one_round():
        gateway = lab.connect(user)
        [image_id] = import_files(gateway.c, [tmp_path / "a.ome.tif"])
        plane(gateway, image_id)
        store = gateway.c.sf.createRawPixelsStore()  # left open: the end of the session closes it
        store.setPixelsId(gateway.getObject("Image", image_id).getPixelsId(), True)
        gateway.c.sf.sharedResources().newTable(0, "t.h5").initialize([omero.grid.LongColumn("a", "", [])])
        gateway.deleteObjects("Image", [image_id], wait=True)
        gateway.close()

    for _ in range(3):
        one_round()
    before = open_files(omero_server.pid)
    for _ in range(8):
        one_round()
    assert open_files(omero_server.pid) <= before + 3


def test_many_clients_write_and_read_one_image(lab):
    user = lab.user(lab.group())
    gateways = [lab.connect(user) for _ in range(8)]
    pixels = gateways[0].getObject("Image", create(gateways[0], np.zeros((8, 64, 64), np.uint16)))
    pixels_id, failures = pixels.getPrimaryPixels().getId(), []

    def work(number):
        store = raw_store(gateways[number], pixels_id)
        try:
            for value in range(20):
                data = np.full((64, 64), value + 1, ">u2").tobytes()
                store.setPlane(data, 0, number, 0)
                if store.getPlane(0, number, 0) != data:
                    failures.append((number, value))
        finally:
            store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_file_annotation_by_the_command_line(command, gateway, tmp_path):
    path = tmp_path / "up.txt"
    path.write_text("by the command line")
    command("upload", str(path))
    [found] = [f for f in gateway.getObjects("OriginalFile") if f.getName().endswith("up.txt")]
    command("download", f"OriginalFile:{found.getId()}", str(tmp_path / "down.txt"))
    assert (tmp_path / "down.txt").read_text() == "by the command line"


def test_imported_files_by_the_command_line(command, gateway, tmp_path):
    path = write_tiff(tmp_path)
    [image_id] = import_files(gateway.c, [path])
    (tmp_path / "down").mkdir()
    command("download", f"Image:{image_id}", str(tmp_path / "down"))
    assert (tmp_path / "down" / "a.ome.tif").read_bytes() == path.read_bytes()
    assert "ManagedRepository" in command("fs", "repos")
    assert f"{image_id}" in command("fs", "images", "--style", "plain")
    fileset = gateway.getObject("Image", image_id).getFileset().getId()
    assert f"{fileset}" in command("fs", "sets", "--style", "plain")
    assert "a.ome.tif" in command("fs", "ls", f"Fileset:{fileset}")
    report = command("fs", "usage", f"Image:{image_id}", "--report", "--style", "csv")
    parts = {line.split(",")[2]: line.split(",")[3:] for line in report.splitlines() if line.count(",") == 4}
    assert parts["FilesetEntry"] == [str(path.stat().st_size), "1"]
    assert parts["Job"][1] == "1"  # the import's log


def test_names_that_are_not_ascii(gateway, tmp_path):
    """Names that are not ASCII survive upload and listing."""
    path = write_tiff(tmp_path, "Ζώνη μ.ome.tif")
    [image_id] = import_files(gateway.c, [path])
    assert gateway.getObject("Image", image_id).getName() == "Ζώνη μ.ome.tif"
    np.testing.assert_array_equal(plane(gateway, image_id), ARRAY[1])

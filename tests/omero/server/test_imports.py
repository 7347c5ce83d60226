"""Imports without Java: pixels bit-identical, original files kept, metadata in the model, nothing half-made."""

import io
import time

import numpy as np
import pytest
import tifffile

pytest.importorskip("omero.clients")
import omero.all
from omero.rtypes import rlong, rstring, rtime

from sandbox.omero.client_import import (
    ImportFailed,
    ImportOptions,
    import_files,
    import_fileset,
    managed_repository,
    new_fileset,
    new_settings,
)
from sandbox.omero.imports.run import _free_prefix
from tests.omero.server.tiff_files import ARRAY, write_tiff


def all_planes(gateway, image_id):
    pixels = gateway.getObject("Image", image_id).getPrimaryPixels()
    sizes = (pixels.getSizeT(), pixels.getSizeC(), pixels.getSizeZ())
    order = [(z, c, t) for t, c, z in np.ndindex(sizes)]
    planes = list(pixels.getPlanes(order))
    return np.array(planes).reshape(*sizes, *planes[0].shape)


def test_ome_tiff(gateway, tmp_path):
    path = write_tiff(tmp_path)
    dataset = omero.model.DatasetI()
    dataset.name = rstring("imports")
    dataset = gateway.getUpdateService().saveAndReturnObject(dataset)
    [image_id] = import_files(gateway.c, [path], dataset.id.val)
    np.testing.assert_array_equal(all_planes(gateway, image_id), ARRAY)
    image = gateway.getObject("Image", image_id)
    assert image.getName() == "stack.ome.tif"
    assert image.getParent().getId() == dataset.id.val
    assert image.getPixelSizeX(units=True).getValue() == 65.0
    assert image.getPixelSizeX(units=True).getSymbol() == "nm"
    assert image.getPixelSizeZ() == 0.5
    channels = image.getChannels()
    assert [c.getLabel() for c in channels] == ["DAPI", "GFP", "RFP"]
    assert [c.getEmissionWave() for c in channels] == [461.0, 509.0, 600.0]
    assert [c.getColor().getHtml() for c in channels] == ["0000FF", "00FF00", "FF0000"]
    assert channels[1].getWindowMax() == ARRAY[:, 1].max()
    assert image.getPrimaryPixels().getSha1()


def test_original_file_can_be_downloaded(gateway, tmp_path):
    path = write_tiff(tmp_path)
    [image_id] = import_files(gateway.c, [path])
    image = gateway.getObject("Image", image_id)
    [file] = image.getImportedImageFiles()
    assert b"".join(file.getFileInChunks()) == path.read_bytes()
    assert file.getName() == "stack.ome.tif"
    info = image.getImportedFilesInfo()
    assert info["count"] == 1
    assert info["size"] == path.stat().st_size
    assert image.getFileset().listFiles
    target = io.BytesIO()
    gateway.c.download(file._obj, filehandle=target)
    assert target.getvalue() == path.read_bytes()
    store = gateway.c.sf.createRawFileStore()
    store.setFileId(file.getId())
    with pytest.raises(omero.SecurityViolation):
        store.write(b"no", 0, 2)
    store.close()


def write_picture(path):
    from PIL import Image

    rgb = np.random.default_rng(1).integers(0, 255, (25, 35, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(path, quality=95)
    return np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)[None, :, None]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_pictures(gateway, tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    expected = write_picture(path)
    [image_id] = import_files(gateway.c, [path])
    np.testing.assert_array_equal(all_planes(gateway, image_id), expected)
    colors = [c.getColor().getHtml() for c in gateway.getObject("Image", image_id).getChannels()]
    assert colors == ["FF0000", "00FF00", "0000FF"]


def test_several_series(gateway, tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", ome=True) as writer:
        for number in range(3):
            writer.write(np.full((10 + number, 12), number, np.uint8), metadata={"axes": "YX", "Name": f"f{number}"})
    ids = import_files(gateway.c, [tmp_path / "s.ome.tif"])
    images = [gateway.getObject("Image", i) for i in ids]
    assert [image.getName() for image in images] == [f"s.ome.tif [f{n}]" for n in range(3)]
    assert [image.getSizeY() for image in images] == [10, 11, 12]
    assert len({image.getFileset().getId() for image in images}) == 1
    for number, image_id in enumerate(ids):
        assert (all_planes(gateway, image_id) == number).all()


def test_pyramid(gateway, tmp_path):
    base = np.random.default_rng(2).integers(0, 255, (512, 640), dtype=np.uint8)
    options = {"tile": (128, 128), "photometric": "minisblack"}
    with tifffile.TiffWriter(tmp_path / "p.ome.tif") as writer:
        writer.write(base, subifds=2, metadata={"axes": "YX"}, **options)
        writer.write(base[::2, ::2], subfiletype=1, **options)
        writer.write(base[::4, ::4], subfiletype=1, **options)
    [image_id] = import_files(gateway.c, [tmp_path / "p.ome.tif"])
    store = gateway.c.sf.createRawPixelsStore()
    store.setPixelsId(gateway.getObject("Image", image_id).getPixelsId(), True)
    assert store.getResolutionLevels() == 3
    assert [(d.sizeX, d.sizeY) for d in store.getResolutionDescriptions()] == [(640, 512), (320, 256), (160, 128)]
    assert store.getResolutionLevel() == 2
    assert store.getTileSize() == [128, 128]
    assert store.getTile(0, 0, 0, 100, 200, 64, 32) == base[200:232, 100:164].tobytes()
    store.setResolutionLevel(0)
    assert store.getPlane(0, 0, 0) == base[::4, ::4].tobytes()
    assert store.getTile(0, 0, 0, 10, 20, 64, 32) == base[::4, ::4][20:52, 10:74].tobytes()
    with pytest.raises(omero.ApiUsageException):
        store.setPlane(base.tobytes(), 0, 0, 0)
    store.close()
    image = gateway.getObject("Image", image_id)
    assert image.getZoomLevelScaling() == {0: 1.0, 1: 0.5, 2: 0.25}
    assert image.renderBirdsEyeView(64)


def write_zarr(folder, version):
    import zarr

    group = zarr.open_group(folder, mode="w", zarr_format=2 if version == "0.4" else 3)
    for level, step in enumerate((1, 2)):
        group.create_array(str(level), data=np.ascontiguousarray(ARRAY[..., ::step, ::step]), chunks=(1, 1, 1, 8, 8))
    axes = [{"name": n, "type": "space" if n in "zyx" else {"t": "time", "c": "channel"}[n]} for n in "tczyx"]
    scales = [[1, 1, 1, s, s] for s in (1, 2)]
    datasets = [
        {"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": s}]} for i, s in enumerate(scales)
    ]
    multiscales = {"multiscales": [{"axes": axes, "datasets": datasets, "version": version}]}
    group.attrs.update(multiscales if version == "0.4" else {"ome": {**multiscales, "version": version}})


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(gateway, tmp_path, version):
    write_zarr(tmp_path / "image.zarr", version)
    [image_id] = import_files(gateway.c, [tmp_path / "image.zarr"])
    np.testing.assert_array_equal(all_planes(gateway, image_id), ARRAY)
    image = gateway.getObject("Image", image_id)
    assert image.getName() == "image.zarr"
    count = sum(path.is_file() for path in (tmp_path / "image.zarr").rglob("*"))
    assert image.countImportedImageFiles() == count


def test_companion_file_with_two_tiffs(gateway, tmp_path):
    entries = ""
    for c in range(2):
        tifffile.imwrite(tmp_path / f"c{c}.tif", ARRAY[0, c, 0], metadata=None)
        entries += f'<TiffData FirstC="{c}" IFD="0"><UUID FileName="c{c}.tif">urn:uuid:{c}</UUID></TiffData>'
    (tmp_path / "a.companion.ome").write_text(
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="pair"><Pixels '
        'ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="30" SizeY="20" SizeZ="1" SizeC="2" SizeT="1">'
        f'<Channel ID="Channel:0:0"/><Channel ID="Channel:0:1"/>{entries}</Pixels></Image></OME>'
    )
    [image_id] = import_files(gateway.c, [tmp_path / "a.companion.ome", tmp_path / "c0.tif", tmp_path / "c1.tif"])
    np.testing.assert_array_equal(all_planes(gateway, image_id), ARRAY[:1, :2, :1])
    assert gateway.getObject("Image", image_id).countImportedImageFiles() == 3


def test_user_given_name_description_and_annotations(gateway, tmp_path):
    path = write_tiff(tmp_path)
    tag = omero.model.TagAnnotationI()
    tag.textValue = rstring("a tag")
    tag = gateway.getUpdateService().saveAndReturnObject(tag)
    settings = new_settings()
    settings.userSpecifiedName, settings.userSpecifiedDescription = rstring("my name"), rstring("my text")
    settings.userSpecifiedAnnotationList = [tag]
    response = run(gateway, [path], settings)
    image = gateway.getObject("Image", response.objects[0].id.val)
    assert (image.getName(), image.getDescription()) == ("my name", "my text")
    assert image.getAnnotation().getId() == tag.id.val


def upload(process, paths):
    import hashlib

    for number, path in enumerate(paths):
        uploader = process.getUploader(number)
        data = path.read_bytes()
        uploader.write(data, 0, len(data))
        uploader.close()
    return [hashlib.sha1(path.read_bytes()).hexdigest() for path in paths]


def run(gateway, paths, settings):
    process = managed_repository(gateway.c).importFileset(new_fileset(paths), settings)
    response = finished(gateway, process.verifyUpload(upload(process, paths)))
    process.close()
    return response


def finished(gateway, handle):
    callback = omero.callbacks.CmdCallbackI(gateway.c, handle)
    callback.loop(40, 250)
    response = callback.getResponse()
    callback.close(True)
    return response


def counts(gateway):
    query = gateway.getQueryService()
    parameters = omero.sys.ParametersI()
    found = {}
    for entity in ("Image", "Pixels", "Fileset", "OriginalFile", "Channel", "LogicalChannel"):
        [[count]] = query.projection(f"select count(x.id) from {entity} x", parameters, {"omero.group": "-1"})
        found[entity] = count.val
    return found


def repository_files(omero_server):
    folder = omero_server.data / "files"
    return sorted(path for name in ("ManagedRepository", "Uploads") for path in (folder / name).rglob("*"))


@pytest.fixture
def unchanged(gateway, omero_server):
    """Whatever the test does leaves rows and files as they were."""
    before = counts(gateway), repository_files(omero_server)
    yield
    assert (counts(gateway), repository_files(omero_server)) == before


@pytest.mark.usefixtures("unchanged")
def test_wrong_checksum(gateway, tmp_path):
    path = write_tiff(tmp_path)
    process = managed_repository(gateway.c).importFileset(new_fileset([path]), new_settings())
    [right] = upload(process, [path])
    with pytest.raises(omero.ChecksumValidationException) as caught:
        process.verifyUpload(["0" * 40])
    assert caught.value.failingChecksums == {0: right}
    process.close()


def break_file(path):
    path.write_bytes(path.read_bytes()[:3000])


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("kind", ["truncated", "text", "empty", "unknown"])
def test_broken_file(gateway, tmp_path, kind):
    path = write_tiff(tmp_path)
    if kind == "truncated":
        break_file(path)
    elif kind == "text":
        path.write_text("this is no image")
    elif kind == "empty":
        path.write_bytes(b"")
    else:
        path = path.rename(tmp_path / "thing.xyz")
    with pytest.raises(ImportFailed, match=path.name):
        import_fileset(gateway.c, [path])


@pytest.mark.usefixtures("unchanged")
def test_import_that_is_given_up(gateway, tmp_path):
    path = write_tiff(tmp_path)
    process = managed_repository(gateway.c).importFileset(new_fileset([path]), new_settings())
    upload(process, [path])
    assert process.getUploadOffset(0) == path.stat().st_size
    process.close()


@pytest.mark.usefixtures("unchanged")
def test_bad_import_calls(gateway, tmp_path):
    repository = managed_repository(gateway.c)
    with pytest.raises(omero.ApiUsageException):
        repository.importFileset(omero.model.FilesetI(), new_settings())
    with pytest.raises(omero.ApiUsageException):
        repository.importFileset(None, None)
    path = write_tiff(tmp_path)
    with pytest.raises(omero.ValidationException):
        repository.importFileset(new_fileset([path]), new_settings(ImportOptions(("Dataset", 10**9))))
    settings = new_settings()
    settings.checksumAlgorithm.value = rstring("ROT-13")
    with pytest.raises(omero.ApiUsageException):
        repository.importFileset(new_fileset([path]), settings)
    process = repository.importFileset(new_fileset([path]), new_settings())
    for call in (lambda: process.getUploader(1), lambda: process.verifyUpload([])):
        with pytest.raises(omero.ApiUsageException):
            call()
    process.close()


def test_same_file_twice_is_two_images(gateway, tmp_path):
    path = write_tiff(tmp_path)
    ids = import_files(gateway.c, [path]) + import_files(gateway.c, [path])
    assert len(set(ids)) == 2


def test_checksum_algorithms(gateway):
    repository = managed_repository(gateway.c)
    names = [a.value.val for a in repository.listChecksumAlgorithms()]
    assert names[0] == "SHA1-160"
    offered = []
    for name in ("Adler-32", "MD5-128", "Murmur3-128", "ROT-13"):
        offered.append(omero.model.ChecksumAlgorithmI())
        offered[-1].value = rstring(name)
    assert repository.suggestChecksumAlgorithm(offered).value.val == "MD5-128"  # the server's preference counts
    assert repository.suggestChecksumAlgorithm([]) is None


def test_browsing_the_repository(gateway, tmp_path):
    [image_id] = import_files(gateway.c, [write_tiff(tmp_path)])
    [file] = gateway.getObject("Image", image_id).getImportedImageFiles()
    repository = managed_repository(gateway.c)
    folder, name = file.getPath(), file.getName()
    assert repository.list(folder) == [folder + name]
    assert folder.split("/")[0] in repository.list("")
    assert [f.id.val for f in repository.listFiles(folder)] == [file.getId()]
    assert repository.fileExists(folder + name)
    assert not repository.fileExists(folder + "other")
    assert repository.root().mimetype.val == "Repository"
    opened = repository.fileById(file.getId())
    assert opened.size() == file.getSize()
    opened.close()
    assert repository.verifyChecksums([file.getId()]) == []
    with pytest.raises(omero.ValidationException):
        repository.file("../../../etc/passwd", "r")


def test_folders_of_the_repository(gateway):
    import uuid

    repository, name = managed_repository(gateway.c), f"folder-{uuid.uuid4()}"
    repository.makeDir(f"{name}/a/b", True)
    assert repository.list(f"{name}/a") == [f"{name}/a/b"]
    with pytest.raises(omero.ResourceError):
        repository.makeDir(name, False)
    with pytest.raises(omero.ResourceError):
        repository.makeDir(f"{name}/x/y", False)
    store = repository.file(f"{name}/a/f.txt", "rw")
    store.write(b"text", 0, 4)
    store.close()
    store = repository.file(f"{name}/a/f.txt", "r")
    assert store.read(0, 10) == b"text"
    with pytest.raises(omero.SecurityViolation):
        store.write(b"no", 0, 2)
    store.close()


def test_paths_are_registered_and_deleted(gateway, omero_server, tmp_path):
    import uuid

    repository, name = managed_repository(gateway.c), f"folder-{uuid.uuid4()}"
    repository.makeDir(f"{name}/a", True)
    store = repository.file(f"{name}/a/f.txt", "rw")
    store.write(b"text", 0, 4)
    store.close()
    known = repository.register(f"{name}/a/f.txt", rstring("text/plain"))
    assert known.id.val == repository.listFiles(f"{name}/a")[0].id.val
    on_disk = omero_server.data / "files" / "ManagedRepository" / name / "a"
    (on_disk / "new.txt").write_text("words")
    assert not repository.fileExists(f"{name}/a/new.txt")
    made = repository.register(f"{name}/a/new.txt", rstring("text/plain"))
    assert (made.size.val, made.mimetype.val) == (5, "text/plain")
    with pytest.raises(omero.ValidationException):
        repository.register(f"{name}/a/missing.txt", None)
    with pytest.raises(omero.ApiUsageException):
        repository.deletePaths([f"{name}/a"], False, False)
    with pytest.raises(omero.ValidationException):
        repository.deletePaths([f"{name}/none"], False, False)
    response = finished(gateway, repository.deletePaths([f"{name}/a/new.txt"], False, False))
    assert isinstance(response, omero.cmd.Delete2Response)
    assert [path.name for path in on_disk.iterdir()] == ["f.txt"]
    finished(gateway, repository.deletePaths([name], True, False))
    assert not repository.fileExists(name)
    assert not on_disk.exists()
    [image_id] = import_files(gateway.c, [write_tiff(tmp_path)])
    [file] = gateway.getObject("Image", image_id).getImportedImageFiles()
    response = finished(gateway, repository.deletePaths([file.getPath() + file.getName()], False, False))
    assert isinstance(response, omero.cmd.ERR)  # a fileset needs it
    assert gateway.getObject("OriginalFile", file.getId()) is not None


def test_nothing_of_an_import_stays_when_its_image_is_deleted(gateway, omero_server, tmp_path):
    before = (
        counts(gateway),
        repository_files(omero_server),
        sorted((omero_server.data / "files").glob("OriginalFile/*")),
    )
    [image_id] = import_files(gateway.c, [write_tiff(tmp_path)])
    gateway.deleteObjects("Image", [image_id], wait=True)
    after = (
        counts(gateway),
        repository_files(omero_server),
        sorted((omero_server.data / "files").glob("OriginalFile/*")),
    )
    assert after == before


def test_event_logs_say_what_was_made_changed_and_deleted(gateway):
    started = rtime(int(time.time() * 1000) - 1)
    dataset = omero.model.DatasetI()
    dataset.name = rstring("logged")
    dataset = gateway.getUpdateService().saveAndReturnObject(dataset)
    dataset.name = rstring("changed")
    gateway.getUpdateService().saveObject(dataset)
    gateway.deleteObjects("Dataset", [dataset.id.val], wait=True)
    ended = rtime(int(time.time() * 1000) + 1000)
    logs = gateway.getTimelineService().getEventLogsByPeriod(started, ended, omero.sys.ParametersI())
    mine = [log for log in logs if log.entityType.val == "ome.model.containers.Dataset"]
    actions = [log.action.val for log in mine if log.entityId.val == dataset.id.val]
    assert actions == ["DELETE", "UPDATE", "INSERT"]
    assert all(log.event.experimenter.id.val == gateway.getUserId() for log in mine if log.entityId == dataset.id)
    log = omero.model.EventLogI()
    log.entityId, log.entityType, log.action = dataset.id, rstring("x"), rstring("INSERT")
    log.event = mine[0].event
    with pytest.raises(omero.SecurityViolation):
        gateway.getUpdateService().saveObject(log)


def test_files_go_with_their_image(gateway, omero_server, tmp_path):
    [image_id] = import_files(gateway.c, [write_tiff(tmp_path)])
    [file] = gateway.getObject("Image", image_id).getImportedImageFiles()
    place = omero_server.data / "files" / "ManagedRepository" / file.getPath()
    assert (place / file.getName()).is_file()
    gateway.deleteObjects("Image", [image_id], wait=True)
    assert not place.exists()


def test_rows_of_another_file_cannot_be_reached_by_a_made_up_path(gateway, tmp_path):
    """An OriginalFile that a client makes cannot point into the repository."""
    file = omero.model.OriginalFileI()
    file.name, file.path, file.mimetype = rstring("passwd"), rstring("../../../../../etc/"), rstring("text/plain")
    file.repo, file.size = rstring(managed_repository(gateway.c).root().hash.val), rlong(1)
    update = gateway.getUpdateService()
    with pytest.raises(omero.SecurityViolation):
        update.saveAndReturnObject(file)
    file.repo = None
    saved = update.saveAndReturnObject(file)
    saved.repo = rstring(managed_repository(gateway.c).root().hash.val)
    with pytest.raises(omero.SecurityViolation):
        update.saveObject(saved)
    [image_id] = import_files(gateway.c, [write_tiff(tmp_path)])
    [imported] = gateway.getObject("Image", image_id).getImportedImageFiles()
    imported._obj.name = rstring("other")
    with pytest.raises(omero.SecurityViolation):
        update.saveObject(imported._obj)


def test_imports_of_one_moment_get_folders_of_their_own(tmp_path):
    assert len({_free_prefix(tmp_path, "somebody_1") for _ in range(50)}) == 50

"""Pixels over the wire: what unmodified omero-py writes and reads, bit by bit."""

import hashlib
import io

import numpy as np
import pytest

pytest.importorskip("omero.clients")
import Ice
import omero.all

T, C, Z, Y, X = 2, 3, 4, 30, 50


def pixels_of(dtype, seed=0):
    generator = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return generator.normal(size=(T, C, Z, Y, X)).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, (T, C, Z, Y, X), dtype=dtype)


def create(gateway, array, name="pixels"):
    t, c, z = array.shape[:3]
    planes = (array[i, j, k] for k in range(z) for j in range(c) for i in range(t))
    return gateway.createImageFromNumpySeq(planes, name, z, c, t)


@pytest.fixture
def image(gateway):
    return create(gateway, pixels_of("uint16"))


@pytest.fixture
def store(gateway, image):
    found = gateway.c.sf.createRawPixelsStore()
    found.setPixelsId(image.getPrimaryPixels().getId(), True)
    yield found
    found.close()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_every_pixel_type_comes_back(gateway, dtype):
    array = pixels_of(dtype)
    pixels = gateway.getObject("Image", create(gateway, array).getId()).getPrimaryPixels()
    order = [(z, c, t) for t in range(T) for c in range(C) for z in range(Z)]
    for (z, c, t), plane in zip(order, pixels.getPlanes(order), strict=True):
        np.testing.assert_array_equal(plane, array[t, c, z])
    tiles = [(1, 2, 1, (3, 4, 20, 10)), (0, 0, 0, (0, 0, X, Y)), (3, 1, 0, (X - 1, Y - 1, 1, 1))]
    for (z, c, t, (x, y, w, h)), tile in zip(tiles, pixels.getTiles(tiles), strict=True):
        np.testing.assert_array_equal(tile, array[t, c, z, y : y + h, x : x + w])


def test_pieces(store):
    array = pixels_of("uint16").astype(">u2")
    assert store.getRow(7, 1, 2, 1) == array[1, 2, 1, 7].tobytes()
    assert store.getCol(9, 1, 2, 1) == array[1, 2, 1, :, 9].tobytes()
    assert store.getPlane(3, 0, 1) == array[1, 0, 3].tobytes()
    assert store.getStack(2, 1) == array[1, 2].tobytes()
    assert store.getTimepoint(1) == array[1].tobytes()
    assert store.getPlaneRegion(1, 2, 0, 70, 45) == array[0, 2, 1].ravel()[45:115].tobytes()
    assert store.getRegion(1000, 12) == array.tobytes()[12:1012]
    cube = array[0:2, 1:3, 0:4:2, 5:25:4, 10:40:3]
    assert store.getHypercube([10, 5, 0, 1, 0], [30, 20, 4, 2, 2], [3, 4, 2, 1, 1]) == cube.tobytes()


def test_sizes_and_offsets(store):
    assert store.getRowSize() == X * 2
    assert store.getPlaneSize() == X * Y * 2
    assert store.getStackSize() == X * Y * Z * 2
    assert store.getTimepointSize() == X * Y * Z * C * 2
    assert store.getTotalSize() == X * Y * Z * C * T * 2
    assert store.getPlaneOffset(1, 2, 1) == ((1 * C + 2) * Z + 1) * X * Y * 2
    assert store.getRowOffset(5, 1, 2, 1) == store.getPlaneOffset(1, 2, 1) + 5 * X * 2
    assert store.getByteWidth() == 2
    assert not store.isSigned()
    assert not store.isFloat()
    assert store.getResolutionLevels() == 1
    assert not store.requiresPixelsPyramid()
    assert store.getTileSize() == [X, Y]


def test_statistics(store):
    array = pixels_of("uint16")
    found = store.findMinMax([0, 2])
    assert found == {c: [array[:, c].min(), array[:, c].max()] for c in (0, 2)}
    histogram = store.getHistogram([1], 16, False, omero.romio.PlaneDef(omero.romio.XY, z=2, t=1))
    assert histogram == {1: np.histogram(array[1, 1, 2], 16)[0].tolist()}


def test_what_is_written_is_there_for_others_and_its_checksum_is_kept(gateway, image, store):
    expected = pixels_of("uint16").astype(">u2")
    tile = np.arange(60, dtype=">u2").reshape(6, 10)
    store.setTile(tile.tobytes(), 1, 1, 1, 20, 10, 10, 6)
    expected[1, 1, 1, 10:16, 20:30] = tile
    store.setRow(np.full(X, 9, ">u2").tobytes(), 3, 0, 0, 0)
    expected[0, 0, 0, 3] = 9
    other = gateway.c.sf.createRawPixelsStore()
    other.setPixelsId(image.getPrimaryPixels().getId(), True)
    assert other.getTimepoint(0) + other.getTimepoint(1) == expected.tobytes()
    other.close()
    digest = hashlib.sha1(expected.tobytes())
    assert store.calculateMessageDigest() == digest.digest()
    assert store.save().sha1.val == digest.hexdigest()
    query = gateway.getQueryService()
    assert query.get("Pixels", image.getPrimaryPixels().getId()).sha1.val == digest.hexdigest()


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("getPlane", (4, 0, 0)),
        ("getPlane", (0, -1, 0)),
        ("getTile", (0, 0, 0, 0, 0, X + 1, 1)),
        ("getTile", (0, 0, 0, -1, 0, 1, 1)),
        ("getTile", (0, 0, 0, 0, 0, 0, 0)),
        ("getRow", (Y, 0, 0, 0)),
        ("getHypercube", ([0, 0, 0], [1, 1, 1], [1, 1, 1])),
        ("getHypercube", ([0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1])),
        ("getHypercube", ([0, 0, 0, 0, 0], [1, 1, Z + 1, 1, 1], [1, 1, 1, 1, 1])),
        ("getRegion", (10, 10**9)),
        ("setPlane", (b"too short", 0, 0, 0)),
        ("setResolutionLevel", (1,)),
        ("findMinMax", ([5],)),
    ],
)
def test_bad_arguments_get_an_exception(store, operation, arguments):
    with pytest.raises(omero.ApiUsageException):
        getattr(store, operation)(*arguments)


def test_no_pixels_set_and_unknown_pixels(gateway):
    store = gateway.c.sf.createRawPixelsStore()
    with pytest.raises(omero.ApiUsageException):
        store.getPlane(0, 0, 0)
    with pytest.raises(omero.ValidationException):
        store.setPixelsId(10**9, True)
    store.close()


def test_large_image_is_written_and_read_by_tile_and_refused_by_plane(gateway):
    service, query = gateway.getPixelsService(), gateway.getQueryService()
    kind = query.findByQuery("from PixelsType as p where p.value='uint16'", None)
    image = service.createImage(30000, 30000, 1, 1, [0], kind, "large", "").val
    pixels = gateway.getObject("Image", image).getPrimaryPixels()
    store = gateway.c.sf.createRawPixelsStore()
    store.setPixelsId(pixels.getId(), True)
    assert store.requiresPixelsPyramid()
    assert store.getTileSize() == [256, 256]
    tile = np.arange(256 * 256, dtype=">u2").reshape(256, 256)
    store.setTile(tile.tobytes(), 0, 0, 0, 29700, 29700, 256, 256)
    assert store.getTile(0, 0, 0, 29700, 29700, 256, 256) == tile.tobytes()
    assert store.getTile(0, 0, 0, 0, 0, 16, 16) == bytes(512)
    with pytest.raises(Ice.UnknownLocalException, match=r"MemoryLimitException.*1800000000 bytes"):
        store.getPlane(0, 0, 0)
    with pytest.raises(omero.ApiUsageException, match="more than one message takes"):
        store.getTile(0, 0, 0, 0, 0, 30000, 30000)
    larger = service.createImage(40000, 40000, 1, 1, [0], kind, "larger", "").val
    store.setPixelsId(gateway.getObject("Image", larger).getPixelsId(), True)
    with pytest.raises(omero.ApiUsageException, match="Converting Long 3200000000 to Integer is an overflow"):
        store.getPlane(0, 0, 0)
    store.close()


def test_channels_get_their_extremes(gateway, image):
    channels = gateway.getObject("Image", image.getId()).getChannels()
    array = pixels_of("uint16")
    assert [c.getWindowMin() for c in channels] == [array[:, i].min() for i in range(C)]
    assert [c.getWindowMax() for c in channels] == [array[:, i].max() for i in range(C)]


def test_copy_of_an_image_with_chosen_channels(gateway, image):
    array = pixels_of("uint16")[:, [0, 2]]
    planes = (array[i, j, k] for k in range(Z) for j in range(2) for i in range(T))
    copied = gateway.createImageFromNumpySeq(planes, "copy", Z, 2, T, sourceImageId=image.getId(), channelList=[0, 2])
    pixels = gateway.getObject("Image", copied.getId()).getPrimaryPixels()
    assert (pixels.getSizeX(), pixels.getSizeC(), pixels.getSizeZ()) == (X, 2, Z)
    np.testing.assert_array_equal(pixels.getPlane(1, 1, 1), array[1, 1, 1])


def test_pictures(gateway):
    from PIL import Image

    array = np.zeros((1, 2, 1, 40, 80), np.uint8)
    array[0, 0, 0, :, 40:] = 200
    array[0, 1, 0, 20:] = 100
    image = gateway.getObject("Image", create(gateway, array).getId())
    image.setActiveChannels([1, 2], [[0, 200], [0, 100]], ["FF0000", "00FF00"])
    picture = np.asarray(image.renderImage(0, 0, compression=1.0))
    assert picture.shape == (40, 80, 3)
    for y, x, color in ((5, 5, (0, 0, 0)), (5, 70, (255, 0, 0)), (35, 5, (0, 255, 0)), (35, 70, (255, 255, 0))):
        np.testing.assert_allclose(picture[y, x], color, atol=12)
    image.setActiveChannels([2], [[0, 100]], ["0000FF"])
    np.testing.assert_allclose(np.asarray(image.renderImage(0, 0))[35, 5], (0, 0, 255), atol=12)
    image.setGreyscaleRenderingModel()
    np.testing.assert_allclose(np.asarray(image.renderImage(0, 0))[35, 5], (255, 255, 255), atol=12)
    assert Image.open(io.BytesIO(image.getThumbnail(64))).size == (64, 32)
    # Two lengths are taken as they are: ThumbnailBean.getThumbnail scales each axis by itself.
    assert Image.open(io.BytesIO(image.getThumbnail((20, 20)))).size == (20, 20)
    region = Image.open(io.BytesIO(image.renderJpegRegion(0, 0, 30, 10, 20, 15)))
    assert region.size == (20, 15)


def test_projections(gateway):
    array = np.zeros((1, 1, 3, 16, 16), np.uint8)
    array[0, 0, 1] = 250
    image = gateway.getObject("Image", create(gateway, array).getId())
    image.setActiveChannels([1], [[0, 250]], ["FFFFFF"])
    image.setProjection("intmax")
    np.testing.assert_allclose(np.asarray(image.renderImage(0, 0)), 255, atol=3)
    image.setProjection("normal")
    np.testing.assert_allclose(np.asarray(image.renderImage(0, 0)), 0, atol=3)
    service = gateway.c.sf.getProjectionService()
    kind = omero.constants.projection.ProjectionType.MEANINTENSITY
    pixels = image.getPrimaryPixels().getId()
    assert set(service.projectStack(pixels, None, kind, 0, 0, 1, 0, 2)) == {250 // 3}
    projected = service.projectPixels(pixels, None, kind, 0, 0, [0], 1, 0, 2, "projection")
    made = gateway.getObject("Image", projected)
    assert made.getName() == "projection"
    assert made.getSizeZ() == 1
    np.testing.assert_array_equal(made.getPrimaryPixels().getPlane(0, 0, 0), 250 // 3)


def test_settings_are_kept(gateway, image):
    first = gateway.getObject("Image", image.getId())
    first.setActiveChannels([2], [[10, 20]], ["ABCDEF"])
    first.setChannelInverted(1)
    assert first.saveDefaults()
    again = gateway.getObject("Image", image.getId())
    channels = again.getChannels()
    assert [c.isActive() for c in channels] == [False, True, False]
    assert (channels[1].getWindowStart(), channels[1].getWindowEnd()) == (10, 20)
    assert channels[1].getColor().getHtml() == "ABCDEF"
    assert channels[1].isInverted()
    assert len(again.getAllRenderingDefs()) == 1
    gateway.getRenderingSettingsService().resetDefaultsInSet("Image", [image.getId()])
    assert all(c.isActive() for c in gateway.getObject("Image", image.getId()).getChannels())

"""The server made difficult on purpose: pixels that are not ready yet, answers that come late.

Sources: omero-romio, src/main/java/ome/io/nio/PixelsService.java (`_getPixelBuffer`: which pixels raise
MissingPyramidException and LockTimeout; `makePyramid`: none of floating point numbers); omero-server,
src/main/java/ome/services/RawPixelsBean.java (`setPixelsId` may be tried again), RenderingBean.java (`load` raises) and
ThumbnailBean.java (a picture of a clock in place of an exception); omero-blitz, src/main/slice/omero/ServerErrors.ice
(`backOff` in milliseconds).
"""

import contextlib
import time

import numpy as np
import omero
import pytest
import tifffile

from sandbox.omero.client_import import import_files
from sandbox.omero.server.trials import ANSWER_KEY, LOCK_TIMEOUT_KEY, MISSING_PYRAMID_KEY
from tests.omero.server.tiff_files import write_tiff

BIG = (3200, 3200)  # above 3192 x 3192 pixels


@contextlib.contextmanager
def trial(lab, key: str, milliseconds: int):
    config = lab.root.getConfigService()
    config.setConfigValue(key, str(milliseconds))
    try:
        yield
    finally:
        config.setConfigValue(key, "")


def pixels_of(gateway, path) -> int:
    return gateway.getObject("Image", import_files(gateway.c, [path])[0]).getPixelsId()


def big_image(folder, dtype=np.uint8):
    path = folder / "big.tif"
    tifffile.imwrite(path, np.zeros(BIG, dtype))
    return path


def wait_for(open_pixels, kind) -> list[int]:
    """Come back as the exception says, until the pixels are there; the times that it said, in milliseconds."""
    waited = []
    while True:
        try:
            open_pixels()
        except kind as error:
            raised = error
        else:
            return waited
        assert type(raised) is kind
        waited.append(raised.backOff)
        time.sleep(raised.backOff / 1000)


def test_pyramid_is_missing_for_a_while(lab, gateway, tmp_path):
    pixels_id = pixels_of(gateway, big_image(tmp_path))
    store, engine = gateway.c.sf.createRawPixelsStore(), gateway.createRenderingEngine()
    with contextlib.closing(store), contextlib.closing(engine), trial(lab, MISSING_PYRAMID_KEY, 400):
        with pytest.raises(omero.MissingPyramidException) as raised:
            store.setPixelsId(pixels_id, True)
        assert (raised.value.pixelsID, raised.value.backOff) == (pixels_id, 100)
        with pytest.raises(omero.ApiUsageException):
            store.getTile(0, 0, 0, 0, 0, 8, 8)
        engine.lookupPixels(pixels_id)
        with pytest.raises(omero.MissingPyramidException):
            engine.resetDefaultSettings(True)
        waited = wait_for(lambda: store.setPixelsId(pixels_id, True), omero.MissingPyramidException)
        assert len(waited) >= 2
        assert len(store.getTile(0, 0, 0, 0, 0, 8, 8)) == 64
        engine.resetDefaultSettings(True)
        engine.load()


def test_pyramid_of_floating_point_numbers_never_comes(lab, gateway, tmp_path):
    pixels_id = pixels_of(gateway, big_image(tmp_path, np.float32))
    store = gateway.c.sf.createRawPixelsStore()
    with contextlib.closing(store), trial(lab, MISSING_PYRAMID_KEY, 1):
        for _ in range(3):
            time.sleep(0.01)
            with pytest.raises(omero.MissingPyramidException):
                store.setPixelsId(pixels_id, True)


def test_small_images_and_pixels_of_clients_have_no_pyramid_to_miss(lab, gateway, tmp_path):
    small = pixels_of(gateway, write_tiff(tmp_path))
    own = gateway.createImageFromNumpySeq(iter([np.zeros((8, 8), np.uint8)]), "own").getPixelsId()
    store = gateway.c.sf.createRawPixelsStore()
    with contextlib.closing(store), trial(lab, MISSING_PYRAMID_KEY, 60_000):
        store.setPixelsId(small, True)
        store.setPixelsId(own, True)


def test_thumbnail_of_pixels_that_are_not_ready_is_a_picture_of_its_own(lab, gateway, tmp_path):
    pixels_id = pixels_of(gateway, big_image(tmp_path))
    store = gateway.c.sf.createThumbnailStore()
    with contextlib.closing(store), trial(lab, MISSING_PYRAMID_KEY, 60_000):
        store.setPixelsId(pixels_id)
        picture = store.getThumbnailByLongestSide(omero.rtypes.rint(32))
        assert picture.startswith(b"\xff\xd8")
        assert store.isInProgress()
        assert store.getThumbnailSet(None, None, [pixels_id])[pixels_id]


def test_pixels_are_locked_for_a_while(lab, gateway, tmp_path):
    pixels_id = pixels_of(gateway, write_tiff(tmp_path))
    store = gateway.c.sf.createRawPixelsStore()
    with contextlib.closing(store), trial(lab, LOCK_TIMEOUT_KEY, 300):
        assert wait_for(lambda: store.setPixelsId(pixels_id, True), omero.LockTimeout)


def test_answers_come_late(lab, gateway):
    with trial(lab, ANSWER_KEY, 200):
        began = time.monotonic()
        gateway.getConfigService().getVersion()
        assert time.monotonic() - began > 0.2


def test_a_setting_that_is_no_number_changes_nothing(lab, gateway):
    with trial(lab, ANSWER_KEY, "soon"):
        assert gateway.getConfigService().getVersion()

"""An OME-Zarr whose chunks were cut short or lost: refused, or counted and said; never wrong pixels in silence."""

import numcodecs
import numpy as np
import pytest
import zarr

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.ome_zarr.checked_blosc import check_chunk
from bioimage_suite.images.readers.opening import open_image

AXES = [{"name": axis, "type": "space"} for axis in "yx"]
LEVEL = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}
PIXELS = np.random.default_rng(0).integers(1, 60000, (128, 128), dtype=np.uint16)


@pytest.fixture(params=["2", "3", "3 sharded"])
def image(request, tmp_path):
    """An image in four files, of lz4 without shuffling: the decoder does not notice that such a chunk is cut."""
    version = int(request.param[0])
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    described = {"multiscales": [{"axes": AXES, "datasets": [LEVEL]}]}
    group.attrs.update(described if version == 2 else {"ome": {"version": "0.5", **described}})
    old, new = numcodecs.Blosc("lz4", shuffle=0), zarr.codecs.BloscCodec(cname="lz4", shuffle="noshuffle", typesize=2)
    sharded = request.param.endswith("sharded")
    group.create_array(
        "0", data=PIXELS, chunks=(32, 32) if sharded else (64, 64), shards=(64, 64) if sharded else None,
        compressors=old if version == 2 else new, chunk_key_encoding={"name": "v2", "separator": "/"},
    )  # fmt: skip
    return tmp_path / "a.zarr"


def test_whole_chunks_are_read(image):
    np.testing.assert_array_equal(open_image(image).read_plane(), PIXELS)


@pytest.mark.parametrize("kept", [0, 5, 16, 100, 0.5, 0.9, -1])
def test_a_chunk_cut_anywhere_is_refused(image, kept):
    chunk = image / "0" / "1" / "0"
    data = chunk.read_bytes()
    chunk.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    message = "1 of its chunks are empty files" if kept == 0 else ".* pixels at t=0, c=0, z=0"
    with pytest.raises(UserError, match=rf"Image a\.zarr: {message}"):
        open_image(image).read_plane()


def test_missing_chunks_are_counted_and_said(image, capsys):
    (image / "0" / "1" / "1").unlink()
    plane = open_image(image).read_plane()
    assert not plane[64:, 64:].any()
    np.testing.assert_array_equal(plane[:64], PIXELS[:64])
    kind = "shards" if zarr.open_array(image / "0").shards else "chunks"
    assert f"Image a.zarr: 1 of its 4 {kind} are not in the file; they are read as 0" in capsys.readouterr().out


def test_a_large_array_of_which_hardly_a_chunk_is_there_is_refused(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.attrs.update({"multiscales": [{"axes": AXES, "datasets": [LEVEL]}]})
    group.create_array("0", shape=(1 << 20, 1 << 20), chunks=(512, 512), dtype="uint8")
    with pytest.raises(UserError, match="0 of its 4,194,304 chunks are in the file"):
        open_image(tmp_path / "a.zarr")


def test_chunks_that_do_not_fit_in_memory_are_refused(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.attrs.update({"multiscales": [{"axes": AXES, "datasets": [LEVEL]}]})
    group.create_array("0", shape=(1 << 20, 1 << 20), chunks=(1 << 20, 1 << 20), dtype="uint8")
    with pytest.raises(UserError, match=r"unpack to 1,099,511,627,776 bytes each.*smaller chunks"):
        open_image(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (4, 1 << 31, "unpacks to"), (4, 4096, "unpacks to 4,096"), (8, 0, "blocks of 0"), (8, 1 << 30, "blocks of"),
        (12, 17, "its header says 17"),
    ],
)  # fmt: skip
def test_lengths_in_a_header_that_cannot_be(at, value, message):
    chunk = bytearray(numcodecs.Blosc("zstd").encode(PIXELS))
    check_chunk(bytes(chunk), PIXELS.nbytes)
    chunk[at : at + 4] = value.to_bytes(4, "little")
    with pytest.raises(ValueError, match=message):
        check_chunk(bytes(chunk), PIXELS.nbytes)

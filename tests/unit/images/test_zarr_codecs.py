"""Chunks of OME-Zarr that unpack to more than they may hold, and a codec that would run code: refused."""

import bz2
import gzip
import json
import lzma
import tracemalloc
import zlib

import numcodecs
import numpy as np
import pytest
import zarr

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.ome_zarr import checked_codecs
from bioimage_suite.images.ome_zarr.checked_codecs import check_zstd, use_checked_codecs, zstd_size
from bioimage_suite.images.readers.opening import open_image

AXES = [{"name": axis, "type": "space"} for axis in "yx"]
LEVEL = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}
PIXELS = np.random.default_rng(0).integers(1, 60000, (128, 128), dtype=np.uint16)
MUCH = bytes(1 << 26)
OLD = {
    "gzip": (numcodecs.GZip(), gzip.compress),
    "zlib": (numcodecs.Zlib(), zlib.compress),
    "bz2": (numcodecs.BZ2(), bz2.compress),
    "lzma": (numcodecs.LZMA(), lzma.compress),
    "zstd": (numcodecs.Zstd(), numcodecs.Zstd().encode),
    "lz4": (numcodecs.LZ4(), numcodecs.LZ4().encode),
}
NEW = {
    "gzip": (zarr.codecs.GzipCodec(), gzip.compress),
    "zstd": (zarr.codecs.ZstdCodec(checksum=True), numcodecs.Zstd(checksum=True).encode),
}


def write(path, version, codec, sharded=False):
    group = zarr.open_group(path, mode="w", zarr_format=version)
    described = {"multiscales": [{"axes": AXES, "datasets": [LEVEL]}]}
    group.attrs.update(described if version == 2 else {"ome": {"version": "0.5", **described}})
    group.create_array(
        "0", data=PIXELS, chunks=(32, 32) if sharded else (64, 64), shards=(64, 64) if sharded else None,
        compressors=codec, chunk_key_encoding={"name": "v2", "separator": "/"},
    )  # fmt: skip
    return path


CASES = {
    **{f"2 {name}": (2, *case) for name, case in OLD.items()},
    **{f"3 {name}": (3, *case) for name, case in NEW.items()},
}
each_codec = pytest.mark.parametrize(("version", "codec", "packed"), CASES.values(), ids=CASES)


@pytest.mark.parametrize("sharded", [False, True])
@each_codec
def test_whole_chunks_are_read(version, codec, packed, sharded, tmp_path):
    if sharded and version == 2:
        pytest.skip("Zarr 2 has no shards")
    image = write(tmp_path / "a.zarr", version, codec, sharded)
    if not sharded:  # as another program packs it
        (image / "0" / "1" / "0").write_bytes(bytes(packed(PIXELS[64:, :64].tobytes())))
    np.testing.assert_array_equal(open_image(image).read_plane(), PIXELS)


@each_codec
def test_a_chunk_that_unpacks_to_more_than_it_may_is_refused(version, codec, packed, tmp_path, monkeypatch):
    monkeypatch.setattr(checked_codecs, "MAX_DECODED", 1 << 20)  # of Zarr 2, which tells a codec no size
    image = write(tmp_path / "a.zarr", version, codec)
    (image / "0" / "1" / "0").write_bytes(bytes(packed(MUCH)))
    opened = open_image(image)
    tracemalloc.start()
    with pytest.raises(UserError, match=r"a chunk of the array unpacks to .*A chunk of the OME-Zarr is damaged"):
        opened.read_plane()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(MUCH) / 2


@pytest.mark.parametrize("kept", [3, 20, 0.5, -1])
@each_codec
def test_a_chunk_that_is_cut_is_refused(version, codec, packed, kept, tmp_path):
    image = write(tmp_path / "a.zarr", version, codec)
    chunk = image / "0" / "1" / "0"
    data = bytes(packed(PIXELS[64:, :64].tobytes()))
    chunk.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(UserError, match=r"Image a\.zarr: .* pixels at t=0, c=0, z=0"):
        open_image(image).read_plane()


def test_sizes_of_zstd_are_those_of_its_frames():
    for content in (b"", b"a", bytes(300), bytes(70_000), np.random.default_rng(1).bytes(1 << 20)):
        for level in (-5, 1, 19):
            packed = bytes(numcodecs.Zstd(level=level, checksum=level == 1).encode(content))
            assert zstd_size(packed) == len(content)
            assert zstd_size(packed * 2) == 2 * len(content)
    # A frame that states no size, as programs write that compress a stream: one block of four letters, then an end.
    stream = bytes.fromhex("28b52ffd") + b"\x00\x58" + bytes.fromhex("210000") + b"abcd"
    assert bytes(numcodecs.Zstd().decode(stream)) == b"abcd"
    assert zstd_size(stream) == checked_codecs.ZSTD_BLOCK
    check_zstd(stream, 4)
    with pytest.raises(ValueError, match="ends too early"):
        zstd_size(stream[:5])


@pytest.mark.parametrize("place", ["compressor", "filters"])
def test_a_codec_that_runs_code_is_refused(place, tmp_path):
    image = write(tmp_path / "a.zarr", 2, numcodecs.Zlib())
    file = image / "0" / ".zarray"
    codec = {"id": "pickle", "protocol": 5}
    file.write_text(json.dumps(json.loads(file.read_text()) | {place: [codec] if place == "filters" else codec}))
    # What it holds is harmless: the pixels.
    (image / "0" / "1" / "0").write_bytes(bytes(numcodecs.Pickle().encode(PIXELS[:64, :64])))
    with pytest.raises(UserError, match=r"Image a\.zarr: .*'object_codec_id': 'pickle'"):
        open_image(image).read_plane()


def test_the_checked_codecs_are_used():
    use_checked_codecs()
    for name in OLD:
        assert type(numcodecs.get_codec({"id": name})).__module__ == checked_codecs.__name__
    for name in NEW:
        assert zarr.registry.get_codec_class(name).__module__ == checked_codecs.__name__

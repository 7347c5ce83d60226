"""An OME-Zarr whose chunks were cut short or lost: refused, or counted and said; never wrong pixels in silence."""

import json
import struct
import tracemalloc
import zipfile

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


def changed_array(image, **said):
    """Change what the metadata of the array say."""
    file = next(one for one in (image / "0" / "zarr.json", image / "0" / ".zarray") if one.exists())
    file.write_text(json.dumps(json.loads(file.read_text()) | said))


def test_chunks_that_the_metadata_name_otherwise_are_not_read_as_zeros(image):
    of_dots = {"dimension_separator": "."}, {"chunk_key_encoding": {"name": "v2", "configuration": {"separator": "."}}}
    changed_array(image, **of_dots[(image / "0" / "zarr.json").exists()])
    with pytest.raises(UserError, match=r"4 of its 4 (chunks|shards) are not in the file, and 4 files such as '0/0'"):
        open_image(image)


def test_chunks_of_another_size_than_the_metadata_say_are_not_put_into_wrong_places(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.attrs.update({"multiscales": [{"axes": AXES, "datasets": [LEVEL]}]})
    group.create_array("0", data=PIXELS, chunks=(64, 32))
    changed_array(tmp_path / "a.zarr", chunks=[32, 64])
    with pytest.raises(UserError, match=r"4 of its 8 chunks are not in the file, and 4 files such as '0\.2'"):
        open_image(tmp_path / "a.zarr")


def test_chunks_outside_the_size_that_the_metadata_say_are_counted_and_said(image, capsys):
    changed_array(image, shape=[128, 64])
    np.testing.assert_array_equal(open_image(image).read_plane(), PIXELS[:, :64])
    assert "2 files of " in (said := capsys.readouterr().out)
    assert "such as '0/1' lie outside its size (128, 64) and are not read" in said


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


def test_a_chunk_larger_than_its_pixels_can_be_is_refused(image):
    (image / "0" / "1" / "0").write_bytes(bytes(2 << 20))
    with pytest.raises(UserError, match=r"Image a\.zarr: one of its chunks is a file of 2,097,152 bytes, at most"):
        open_image(image)


def test_a_compressed_zip_is_read_in_parts_like_any_other(image):
    path = image.with_name("a.ozx")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(one for one in image.rglob("*") if one.is_file()):
            archive.write(file, file.relative_to(image).as_posix())
    np.testing.assert_array_equal(open_image(path).read_plane(), PIXELS)
    np.testing.assert_array_equal(open_image(path).read_region(0, 0, 0, slice(5, 9), slice(70, 99)), PIXELS[5:9, 70:99])


def bomb_in(image, name, size, declared):
    """An `.ozx` whose member `name` unpacks to many zeros, and declares what it likes."""
    path = image.with_name("a.ozx")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(one for one in image.rglob("*") if one.is_file()):
            member = file.relative_to(image).as_posix()
            archive.writestr(member, bytes(size) if member == name else file.read_bytes())
        at = next(number for number, one in enumerate(archive.infolist()) if one.filename == name)
    data = bytearray(path.read_bytes())
    place = -1
    for _ in range(at + 1):
        place = data.index(b"PK\1\2", place + 1)
    struct.pack_into("<I", data, place + 24, declared)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("declared", [100, 64 << 20], ids=["a lie", "the truth"])
def test_metadata_that_unpack_to_millions_of_zeros_are_refused_before_they_take_memory(image, declared):
    name = "zarr.json" if (image / "zarr.json").exists() else ".zgroup"
    path = bomb_in(image, name, 64 << 20, declared)
    open_image(image)  # All is imported.
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"Image a\.ozx: "):
            open_image(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_large_metadata_in_a_folder_are_refused(image):
    for file in [*image.glob("zarr.json"), *image.glob(".zgroup")]:
        with file.open("r+b") as stream:
            stream.truncate(64 << 20)
    with pytest.raises(UserError, match=r"Image a\.zarr: its metadata \S+ have 67,108,864 bytes, at most 33,554,432"):
        open_image(image)

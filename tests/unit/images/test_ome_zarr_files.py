"""The files of groups and arrays are those that zarr itself writes."""

from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec

from bioimage_suite.images.ome_zarr.files import ArrayFiles, write_group

TYPES = ["u1", "i1", "u2", "i2", ">u2", "u4", "i4", "u8", "i8", "f4", ">f4", "f8", "c8", "c16", "?"]
SHAPE, CHUNKS, SHARDS = (2, 21, 17), (1, 8, 8), (1, 16, 16)


def values(dtype: str) -> np.ndarray:
    """Return (2, 21, 17) elements; the first chunk is zero."""
    found = (np.random.default_rng(0).random(SHAPE) * 250).astype(dtype)
    found[0, :8, :8] = 0
    return found


def by_zarr(folder: Path, version: str, pixels: np.ndarray, shards: tuple[int, ...] | None) -> None:
    common = {"shape": SHAPE, "dtype": pixels.dtype, "chunks": CHUNKS, "fill_value": 0, "zarr_format": 2}
    if version == "0.4":
        compressor = numcodecs.Blosc("zstd", clevel=3, shuffle=numcodecs.Blosc.BITSHUFFLE)
        separator = {"name": "v2", "separator": "/"}
        array = zarr.create_array(folder, **common, compressors=compressor, chunk_key_encoding=separator)
    else:
        codec = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=pixels.dtype.itemsize)
        common |= {"zarr_format": 3, "dimension_names": list("cyx")}
        array = zarr.create_array(folder, **common, compressors=codec, shards=shards)
    array[...] = pixels


def by_us(folder: Path, version: str, pixels: np.ndarray, shards: tuple[int, ...] | None) -> None:
    files = ArrayFiles(folder, version, "cyx", SHAPE, pixels.dtype, CHUNKS, shards)
    files.write_metadata()
    for c, y in ((0, 0), (0, 16), (1, 0), (1, 16)):
        files.write((c, y, 0), pixels[c : c + 1, y : y + 16])


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_files_of_an_array_are_those_of_zarr(tmp_path: Path, version: str, dtype: str):
    by_zarr(tmp_path / "zarr", version, values(dtype), None)
    by_us(tmp_path / "ours", version, values(dtype), None)
    assert files_of(tmp_path / "ours") == files_of(tmp_path / "zarr")


@pytest.mark.parametrize("dtype", TYPES)
def test_the_shards_of_an_array_hold_what_those_of_zarr_hold(tmp_path: Path, dtype: str):
    """The order of chunks in a shard is free."""
    by_zarr(tmp_path / "zarr", "0.5", values(dtype), SHARDS)
    by_us(tmp_path / "ours", "0.5", values(dtype), SHARDS)
    ours, theirs = files_of(tmp_path / "ours"), files_of(tmp_path / "zarr")
    assert ours["zarr.json"] == theirs["zarr.json"]
    assert {name: len(data) for name, data in ours.items()} == {name: len(data) for name, data in theirs.items()}
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "ours", mode="r")[...], values(dtype))


def test_a_shard_of_zeros_has_no_file(tmp_path: Path):
    by_us(tmp_path, "0.5", np.zeros(SHAPE, np.uint16), SHARDS)
    assert list(files_of(tmp_path)) == ["zarr.json"]
    assert not zarr.open_array(tmp_path, mode="r")[...].any()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_files_of_a_group_are_those_of_zarr(tmp_path: Path, version: str):
    attributes = {"a": [1, 2.5, None], "b": {"ü": True}}
    zarr.create_group(tmp_path / "zarr", zarr_format=2 if version == "0.4" else 3, attributes=attributes)
    write_group(tmp_path / "ours", attributes, version)
    assert files_of(tmp_path / "ours") == files_of(tmp_path / "zarr")

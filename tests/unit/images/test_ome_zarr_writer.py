"""ome_zarr_writer: what is written is read back exactly, by zarr and by the tools; ome-zarr-models finds no fault."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import complete_folder
from bioimage_suite.images.model.image_file import PhysicalSize
from bioimage_suite.images.ome_zarr import writer as ome_zarr_writer
from bioimage_suite.images.ome_zarr.archive import pack
from bioimage_suite.images.ome_zarr.folder import register_labels, write_plate
from bioimage_suite.images.ome_zarr.metadata import Plate, ZarrChannel, ZarrImage
from bioimage_suite.images.ome_zarr.writer import PyramidWriter, block_regions
from bioimage_suite.images.readers.opening import open_image


def written(folder: Path, pixels: np.ndarray, axes: str, version: str, **more: object) -> Path:
    """Write an array of any axes as tiles of 700 x 900."""
    image = ZarrImage("a name", axes, pixels.shape, pixels.dtype, **more)
    five = pixels.reshape([image.size(axis) for axis in "tczyx"])
    with PyramidWriter(folder, image, version) as writer:
        for t, c, z in np.ndindex(five.shape[:3]):
            for y in range(0, five.shape[3], 700):
                for x in range(0, five.shape[4], 900):
                    writer.write(five[t, c, z, y : y + 700, x : x + 900], y, x, t=t, c=c, z=z)
    return folder


def ome(folder: Path) -> dict:
    attributes = dict(zarr.open_group(folder, mode="r").attrs)
    return attributes.get("ome", attributes)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_pixels_units_channels_and_windows_come_back(tmp_path, version):
    pixels = np.random.default_rng(1).integers(0, 60000, (2, 3, 530, 41), dtype=np.uint16)
    channels = (ZarrChannel("DAPI", "0000FF", 100, 900), ZarrChannel("GFP & <x>", "00FF00", active=False))
    folder = written(
        tmp_path / "a.ome.zarr", pixels, "czyx", version,
        scale={"z": 2.0, "y": 0.5, "x": 0.25}, units={"z": "µm", "y": "micrometer", "x": "pixel"}, channels=channels,
    )  # fmt: skip
    image = open_image(folder)
    assert image.channels == ("DAPI", "GFP & <x>")
    assert image.physical_size == {"z": PhysicalSize(2.0, "µm"), "y": PhysicalSize(0.5, "µm")}
    assert image.details["format"] == f"OME-Zarr {version}"
    assert image.details["levels"] == 2
    for c, z in np.ndindex(2, 3):
        np.testing.assert_array_equal(image.read_plane(0, c, z), pixels[c, z])
    shown = ome(folder)["omero"]["channels"]
    assert shown[0]["window"] == {"min": 0, "max": 65535, "start": 100, "end": 900}
    assert shown[1]["window"] == {"min": 0, "max": 65535, "start": pixels[1].min(), "end": pixels[1].max()}
    assert [one["active"] for one in shown] == [True, False]


@settings(max_examples=30)
@given(
    st.sampled_from(["u1", "i2", "u2", "i4", "u4", "f4", "f8"]), st.integers(1, 90), st.integers(1, 90),
    st.integers(1, 50), st.integers(1, 50), st.booleans(),
)  # fmt: skip
def test_levels_are_means_of_four(tmp_path_factory, dtype, height, width, tall, wide, sharded):
    """Any size and any cut into tiles gives the pyramid of the whole plane, by its definition in whole numbers."""
    with pytest.MonkeyPatch.context() as small:
        small.setattr(ome_zarr_writer, "CHUNK", 8)
        small.setattr(ome_zarr_writer, "BLOCK", 16)
        small.setattr(ome_zarr_writer, "SHARD_FROM_CHUNKS", 4 if sharded else 1 << 30)
        rng = np.random.default_rng(height * 100 + width)
        limits = (-1e6, 1e6) if dtype[0] == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        plane = rng.uniform(*limits, (height, width)).astype(dtype)
        folder = tmp_path_factory.mktemp("levels") / "a"
        tiles = [(y, x) for y in range(0, height, tall) for x in range(0, width, wide)]
        rng.shuffle(tiles)
        with PyramidWriter(folder, ZarrImage("a", "yx", plane.shape, plane.dtype)) as writer:
            for y, x in tiles:
                writer.write(plane[y : y + tall, x : x + wide], y, x)
    group = zarr.open_group(folder, mode="r")
    expected = plane
    for number in range(len(ome(folder)["multiscales"][0]["datasets"])):
        np.testing.assert_array_equal(group[str(number)][:], expected)
        padded = np.pad(expected, [(0, n % 2) for n in expected.shape], mode="edge")
        four = [padded[a::2, b::2] for a in (0, 1) for b in (0, 1)]
        if dtype[0] == "f":
            half = plane.dtype.type(0.5)
            expected = (four[0] * half + four[2] * half) * half + (four[1] * half + four[3] * half) * half
        else:
            expected = ((sum(one.astype(object) for one in four) + 2) // 4).astype(dtype)
    assert max(expected.shape) <= 4


def test_floats_with_nan_and_infinity_keep_a_finite_window(tmp_path):
    plane = np.array([[np.nan, 1, 2], [np.inf, 3, -4]], np.float32)
    folder = written(tmp_path / "a", plane, "yx", "0.5", channels=(ZarrChannel(),))
    np.testing.assert_array_equal(open_image(folder).read_plane(), plane)
    assert ome(folder)["omero"]["channels"][0]["window"] == {"min": -4, "max": 3, "start": -4, "end": 3}


@pytest.mark.parametrize("value", [np.nan, 7])
def test_constant_and_nan_only_channels_have_a_window_with_a_range(tmp_path, value):
    folder = written(tmp_path / "a", np.full((9, 9), value, np.float64), "yx", "0.4", channels=(ZarrChannel(),))
    window = ome(folder)["omero"]["channels"][0]["window"]
    assert window["end"] > window["start"]


def test_a_large_array_is_sharded_and_a_small_one_is_not(tmp_path):
    plane = np.random.default_rng(0).integers(0, 9, (2100, 8300), dtype=np.uint8)
    folder = written(tmp_path / "a", plane, "yx", "0.5")
    group = zarr.open_group(folder, mode="r")
    assert group["0"].shards == (2048, 2048)
    assert group["1"].shards is None
    assert len(list((folder / "0").rglob("*"))) < 20
    np.testing.assert_array_equal(group["0"][:], plane)


def test_a_deep_stack_of_small_planes_is_sharded_along_z(tmp_path):
    stack = np.random.default_rng(0).integers(0, 9, (70, 20, 30), dtype=np.uint8)
    folder = written(tmp_path / "a", stack, "zyx", "0.5")
    array = zarr.open_group(folder, mode="r")["0"]
    assert array.shards == (70, 20, 30)
    assert array.chunks == (1, 20, 30)
    np.testing.assert_array_equal(array[:], stack)


def test_labels_take_one_of_four_pixels(tmp_path):
    labels = np.zeros((600, 600), np.int32)
    labels[:2, :2] = 900_001
    folder = written(tmp_path / "a", labels, "yx", "0.5", is_labels=True)
    group = zarr.open_group(folder, mode="r")
    assert set(np.unique(group["1"][:])) == {0, 900_001}
    assert ome(folder)["image-label"]["source"] == {"image": "../../"}


def test_missing_pixels_are_an_error(tmp_path):
    plane = np.zeros((10, 10), np.uint8)
    with pytest.raises(ValueError, match="40 pixels"), PyramidWriter(
        tmp_path / "a", ZarrImage("a", "yx", plane.shape, plane.dtype)
    ) as writer:  # fmt: skip
        writer.write(plane[:6])


@pytest.mark.parametrize(
    ("axes", "shape", "version"),
    [("xy", (5, 5), "0.5"), ("tyx", (5, 5), "0.5"), ("yx", (5, 0), "0.5"), ("yx", (5, 5), "0.6")],
)
def test_nonsense_is_refused_before_anything_is_made(tmp_path, axes, shape, version):
    with pytest.raises(ValueError, match=r"axes|version"):
        PyramidWriter(tmp_path / "a", ZarrImage("a", axes, shape, np.dtype("u1")), version)
    assert not (tmp_path / "a").exists()


def test_nothing_is_left_of_a_folder_that_failed(tmp_path):
    def fail() -> None:
        with complete_folder(tmp_path / "a.ome.zarr") as part:
            (part / "0").mkdir()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


@given(st.integers(1, 30000), st.integers(1, 300000))
def test_regions_cover_the_plane_once_in_either_order(height, width):
    area = 0
    for rows, columns in block_regions(height, width, 2):
        assert rows.start % 2048 == 0 == columns.start % 2048
        assert (rows.stop - rows.start) * (columns.stop - columns.start) * 2 <= 1 << 26
        area += (rows.stop - rows.start) * (columns.stop - columns.start)
    assert area == height * width


def test_a_wide_plane_comes_square_by_square():
    corners = [(rows.start // 2048, columns.start // 2048) for rows, columns in block_regions(32768, 262144, 2)]
    for edge in (2, 4, 8):
        assert set(corners[: edge * edge]) == set(np.ndindex(edge, edge))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_packed_is_stored_metadata_first_and_readable(tmp_path, version):
    pixels = np.random.default_rng(2).integers(0, 255, (3, 600, 700), dtype=np.uint8)
    folder = written(tmp_path / "a.ome.zarr", pixels, "cyx", version, channels=(ZarrChannel("x"),) * 3)
    pack(folder, tmp_path / "a.ozx", version)
    pack(folder, tmp_path / "b.ozx", version)
    assert (tmp_path / "a.ozx").read_bytes() == (tmp_path / "b.ozx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.ozx") as archive:
        entries = archive.infolist()
        assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
        assert json.loads(archive.comment)["ome"]["version"] == version
        names = [entry.filename for entry in entries]
    if version == "0.5":
        assert names[:3] == ["zarr.json", "0/zarr.json", "1/zarr.json"]
    np.testing.assert_array_equal(open_image(tmp_path / "a.ozx").read_plane(0, 2, 0), pixels[2])


def test_other_zip_files_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "no image")
    with pytest.raises(UserError, match="no OME-Zarr image"):
        open_image(tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:60])
    with pytest.raises(UserError, match="damaged or cut short"):
        open_image(tmp_path / "b.zip")


def test_a_damaged_chunk_is_named(tmp_path):
    folder = written(tmp_path / "a", np.arange(900, dtype=np.uint16).reshape(30, 30), "yx", "0.5")
    chunk = next(path for path in (folder / "0").rglob("*") if path.is_file() and path.name != "zarr.json")
    chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(UserError, match="damaged or cut short"):
        open_image(folder).read_plane()


def written_plate(folder: Path, version: str) -> np.ndarray:
    pixels = np.arange(600, dtype=np.uint16).reshape(1, 20, 30)
    plate = Plate("My plate", ("A", "B"), ("1", "2", "3"), {("A", "1"): 1, ("B", "3"): 2})
    write_plate(folder, plate, version)
    for well, count in (("A/1", 1), ("B/3", 2)):
        for number in range(count):
            written(folder / well / str(number), pixels, "cyx", version, channels=(ZarrChannel("DAPI"),))
    return pixels


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_models_finds_no_fault(tmp_path, version):
    models = pytest.importorskip(f"ome_zarr_models.v{version.replace('.', '')}")
    pixels = np.zeros((2, 3, 530, 540), np.uint8)
    folder = written(
        tmp_path / "image", pixels, "czyx", version, channels=(ZarrChannel("a", "00FF00", 0, 5),) * 2,
        scale={"y": 0.5}, units={"y": "µm"},
    )  # fmt: skip
    register_labels(folder, ["nuclei"], version)
    written(folder / "labels" / "nuclei", np.ones((530, 540), np.uint16), "yx", version, is_labels=True)
    image = models.Image.from_zarr(zarr.open_group(folder, mode="r"))
    assert image.labels is not None
    written_plate(tmp_path / "plate", version)
    plate = models.HCS.from_zarr(zarr.open_group(tmp_path / "plate", mode="r"))
    attributes = plate.attributes if version == "0.4" else plate.ome_attributes
    assert [well.path for well in attributes.plate.wells] == ["A/1", "B/3"]
    assert attributes.plate.field_count == 2


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_label_maps_lie_where_vizarr_looks_for_them(tmp_path, version):
    """The rules of its src/ome.ts: a list in the attributes of `labels`, and of each an `image-label` with axes."""
    folder = written(tmp_path / "image", np.zeros((2, 530, 540), np.uint8), "cyx", version)
    register_labels(folder, ["nuclei", "cells"], version)
    for name in ("nuclei", "cells"):
        written(folder / "labels" / name, np.ones((530, 540), np.uint16), "yx", version, is_labels=True)
    labels = zarr.open_group(folder / "labels", mode="r")
    assert labels.attrs["labels"] == ["nuclei", "cells"]
    for name in ("nuclei", "cells"):
        attributes = dict(labels[name].attrs)
        attributes = attributes.get("ome", attributes)
        assert "image-label" in attributes
        (multiscales,) = attributes["multiscales"]
        assert [axis["name"] for axis in multiscales["axes"]] == ["y", "x"]
        for level in multiscales["datasets"]:
            assert labels[name][level["path"]].dtype == np.uint16


def test_fields_of_a_plate_are_images(tmp_path):
    pixels = written_plate(tmp_path / "plate", "0.5")
    np.testing.assert_array_equal(open_image(tmp_path / "plate" / "B" / "3" / "1").read_plane(), pixels[0])

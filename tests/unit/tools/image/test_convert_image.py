"""convert_image: every format keeps pixels, axes, channels, colours, windows and units, and passes its own check."""

import json
import zipfile
from pathlib import Path

import convert_image
import numpy as np
import pytest
import tifffile
import zarr

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.image_file import ImageFile
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.display_settings import ChannelDisplay, channel_displays
from tests.unit.tools.image.ome_documents import RICH

DATA = Path(__file__).parents[4] / "test-data"
FORMATS = ["ome-tiff", "ome-zarr-0.4", "ome-zarr-0.5", "ozx"]


def convert(image: Path, output: Path, form: str, *more: str) -> ImageFile:
    convert_image.main([f"--image={image}", f"--format={form}", f"--output={output}", "--check", *more])
    return open_image(output)


def pixels_of(image: ImageFile) -> np.ndarray:
    planes = [image.read_plane(t, c, z) for t, c, z in np.ndindex(image.size_t, image.size_c, image.size_z)]
    return np.array(planes)


def micrometres(image: ImageFile) -> dict[str, float | None]:
    return {axis: size.micrometres for axis, size in image.physical_size.items()}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "file", ["synthetic_tczyx.ome.tiff", "synthetic_imagej.tiff", "synthetic_rgb.png", "synthetic_labels.ome.tiff"]
)
def test_nothing_is_lost(tmp_path, file, form):
    source = open_image(DATA / file)
    found = convert(DATA / file, tmp_path / "out", form)
    np.testing.assert_array_equal(pixels_of(found), pixels_of(source))
    for axis in "tczyx":
        assert getattr(found, f"size_{axis}") == getattr(source, f"size_{axis}")
    assert found.dtype == source.dtype
    assert micrometres(found) == micrometres(source)
    assert found.channel_labels() == source.channel_labels()
    if source.time_increment:
        assert found.time_increment.value == source.time_increment.value


@pytest.mark.parametrize("form", FORMATS)
def test_colours_and_windows_survive_a_chain_of_conversions(tmp_path, form):
    """ImageJ keeps both; they pass through every format and back to OME-TIFF."""
    tables = [np.zeros((3, 256), np.uint8), np.zeros((3, 256), np.uint8)]
    tables[0][0] = np.arange(256)
    tables[1][1:] = np.arange(256)
    tifffile.imwrite(
        tmp_path / "a.tif", np.arange(2 * 40 * 30, dtype=np.uint16).reshape(2, 40, 30), imagej=True,
        metadata={"axes": "CYX", "mode": "composite", "Ranges": (10.0, 900.5, 5.0, 600.0), "LUTs": tables},
    )  # fmt: skip
    expected = (ChannelDisplay("FF0000", 10, 900.5), ChannelDisplay("00FFFF", 5, 600))
    assert channel_displays(open_image(tmp_path / "a.tif")) == expected
    assert channel_displays(convert(tmp_path / "a.tif", tmp_path / "b", form)) == expected
    assert channel_displays(convert(tmp_path / "b", tmp_path / "c.ome.tiff", "ome-tiff")) == expected
    assert channel_displays(convert(tmp_path / "c.ome.tiff", tmp_path / "d", form)) == expected


@pytest.mark.parametrize("form", FORMATS)
def test_instrument_and_wavelengths_survive(tmp_path, form):
    tifffile.imwrite(tmp_path / "rich.ome.tiff", np.zeros((8, 8), np.uint8), description=RICH, metadata=None)
    xml = convert(tmp_path / "rich.ome.tiff", tmp_path / "out", form).details["ome_xml"]
    for text in ("LSM 880", "Plan-Apo", 'EmissionWavelength="509"', "2024-05-06T07:08:09"):
        assert text in xml


@pytest.mark.parametrize(("compression", "dtype"), [("zlib", "f4"), ("zlib", "u2"), ("zlib", "i2"), ("none", "u1")])
def test_pyramid_of_an_ome_tiff(tmp_path, compression, dtype):
    """Two channels, three levels: each plane of a level is the mean of the one above it."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 100, (2, 1300, 1101)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.ome.tiff", pixels, ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    found = convert(tmp_path / "a.ome.tiff", tmp_path / "b.ome.tiff", "ome-tiff", f"--compression={compression}")
    np.testing.assert_array_equal(pixels_of(found), pixels)
    with tifffile.TiffFile(tmp_path / "b.ome.tiff") as tiff:
        levels = [level.asarray() for level in tiff.series[0].levels]
        assert all(page.keyframe.is_tiled for page in tiff.pages)
    assert [level.shape for level in levels] == [(2, 1300, 1101), (2, 650, 551), (2, 325, 276)]
    wide = np.pad(pixels, [(0, 0), (0, 0), (0, 1)], mode="edge").astype(float).reshape(2, 650, 2, 551, 2)
    mean = wide.mean(axis=(2, 4))
    expected = mean if dtype == "f4" else np.floor(mean + 0.5)
    np.testing.assert_array_equal(levels[1], expected.astype(dtype))


def test_smaller_levels_of_a_label_map_hold_its_labels_only(tmp_path):
    labels = np.random.default_rng(0).choice([0, 1000, 60000], (600, 700)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", labels)
    convert(tmp_path / "a.tif", tmp_path / "b", "ome-tiff", "--smaller=nearest")
    convert(tmp_path / "a.tif", tmp_path / "c", "ome-zarr-0.5", "--smaller=nearest")
    with tifffile.TiffFile(tmp_path / "b") as tiff:
        small = tiff.series[0].levels[1].asarray()
    np.testing.assert_array_equal(small, labels[::2, ::2])
    np.testing.assert_array_equal(zarr.open_group(tmp_path / "c", mode="r")["1"][0], labels[::2, ::2])


def test_a_colour_slide_stays_one(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (700, 900, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", tile=(256, 256), compression="zlib")
    convert(tmp_path / "a.tif", tmp_path / "b.tif", "ome-tiff")
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.series[0].axes == "YXS"
        np.testing.assert_array_equal(tiff.series[0].asarray(), pixels)
        assert tiff.series[0].levels[1].shape == (350, 450, 3)
    found = convert(tmp_path / "a.tif", tmp_path / "c", "ome-zarr-0.5")
    assert [one.color for one in channel_displays(found)] == ["FF0000", "00FF00", "0000FF"]
    assert [(one.start, one.end) for one in channel_displays(found)] == [(0, 255)] * 3


@pytest.mark.parametrize("form", FORMATS[1:])
def test_labels_stand_beside_the_image(tmp_path, form):
    cells = np.tile(np.arange(512, dtype=np.int32) * 1000, (512, 1))
    tifffile.imwrite(tmp_path / "cells.tiff", cells)
    convert(
        DATA / "nuclei.ome.tiff", tmp_path / "out", form,
        f"--labels={DATA / 'nuclei_truth.ome.tiff'}", "--label-name=nuclei",
        f"--labels={tmp_path / 'cells.tiff'}", "--label-name=cells", "--check",
    )  # fmt: skip
    if form == "ozx":
        with zipfile.ZipFile(tmp_path / "out") as archive:
            archive.extractall(tmp_path / "unpacked")
    folder = tmp_path / ("unpacked" if form == "ozx" else "out")
    found = open_image(folder / "labels" / "nuclei")
    np.testing.assert_array_equal(found.read_plane(), open_image(DATA / "nuclei_truth.ome.tiff").read_plane())
    np.testing.assert_array_equal(open_image(folder / "labels" / "cells").read_plane(), cells)


def test_labels_that_have_no_place_are_refused(tmp_path):
    labels = f"--labels={DATA / 'nuclei_truth.ome.tiff'}"
    with pytest.raises(UserError, match="an OME-TIFF holds the image alone"):
        convert(DATA / "nuclei.ome.tiff", tmp_path / "out", "ome-tiff", labels)
    with pytest.raises(UserError, match="'a': two label maps have it"):
        convert(DATA / "nuclei.ome.tiff", tmp_path / "out", "ozx", labels, labels, "--label-name=a", "--label-name=a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["ome-tiff", "ome-zarr-0.5"])
@pytest.mark.parametrize("file", ["synthetic_tczyx.ome.tiff", "synthetic_rgb.png", "synthetic_imagej.tiff", "made.czi"])
def test_ome_xml_fits_the_schema(tmp_path, file, form):
    """What this suite writes; the schema is that which ome-types carries."""
    from ome_types import validate_xml

    convert(DATA / file, tmp_path / "out", form)
    if form == "ome-tiff":
        with tifffile.TiffFile(tmp_path / "out") as tiff:
            validate_xml(str(tiff.ome_metadata))
    else:
        validate_xml(tmp_path / "out" / "OME" / "METADATA.ome.xml")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("nuclei.ome.tiff", r"size_y is"),
        ("synthetic_tczyx.ome.tiff", "has 2 channels"),
        ("float.tif", "its size_y is 512"),
        ("truncated.tiff", "cut short"),
    ],
)
def test_wrong_labels_are_refused_and_leave_nothing(tmp_path, labels, message):
    path = DATA / labels
    if labels == "float.tif":
        path = tmp_path / labels
        tifffile.imwrite(path, np.zeros((512, 512), np.float32))
    (tmp_path / "results").mkdir()
    with pytest.raises(UserError, match=message):
        convert(DATA / "nuclei_upper_left.ome.tiff", tmp_path / "results" / "out", "ome-zarr-0.5", f"--labels={path}")
    assert not list((tmp_path / "results").glob("*"))


def test_a_label_name_cannot_leave_its_folder(tmp_path):
    with pytest.raises(UserError, match="becomes a folder"):
        convert(
            DATA / "nuclei.ome.tiff", tmp_path / "out", "ome-zarr-0.5",
            f"--labels={DATA / 'nuclei_truth.ome.tiff'}", "--label-name=../../x",
        )  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("file", ["truncated.tiff", "not_an_image.tiff", "empty.tif"])
def test_broken_images_leave_nothing(tmp_path, form, file):
    if file == "empty.tif":
        (tmp_path / file).touch()
    path = tmp_path / file if file == "empty.tif" else DATA / file
    (tmp_path / "results").mkdir()
    with pytest.raises(UserError, match=r"cut short|not an image|is empty"):
        convert(path, tmp_path / "results" / "out", form)
    assert not list((tmp_path / "results").glob("*"))


@pytest.mark.parametrize("form", FORMATS)
def test_pixels_that_break_off_late_leave_nothing(tmp_path, form):
    """A tile that cannot be decoded is found while pixels stream, when half of the result is there."""
    tifffile.imwrite(tmp_path / "a.tif", np.random.default_rng(0).integers(0, 9, (600, 600), dtype=np.uint8),
                     tile=(256, 256), compression="zlib")  # fmt: skip
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        offset = tiff.pages[0].dataoffsets[-1]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[offset : offset + 64] = b"\xff" * 64
    (tmp_path / "a.tif").write_bytes(data)
    (tmp_path / "results").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        convert(tmp_path / "a.tif", tmp_path / "results" / "out", form)
    assert not list((tmp_path / "results").glob("*"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", [np.nan, 0, 5.5, np.inf])
def test_nan_constant_and_infinite_images_pass(tmp_path, form, value):
    plane = np.full((30, 20), value, np.float32)
    tifffile.imwrite(tmp_path / "a.tif", plane)
    np.testing.assert_array_equal(convert(tmp_path / "a.tif", tmp_path / "out", form).read_plane(), plane)


@pytest.mark.parametrize("form", FORMATS)
def test_one_pixel_is_an_image(tmp_path, form):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[7]], np.uint16))
    assert convert(tmp_path / "a.tif", tmp_path / "out", form).read_plane().tolist() == [[7]]


def test_truth_values_become_numbers_in_an_ome_tiff_and_stay_in_zarr(tmp_path):
    plane = np.eye(33, dtype=bool)
    tifffile.imwrite(tmp_path / "a.tif", plane)
    np.testing.assert_array_equal(convert(tmp_path / "a.tif", tmp_path / "b", "ome-tiff").read_plane(), plane)
    found = convert(tmp_path / "a.tif", tmp_path / "c", "ome-zarr-0.5").read_plane()
    assert found.dtype == bool
    np.testing.assert_array_equal(found, plane)


@pytest.mark.parametrize(("dtype", "stored"), [("float16", "float32"), ("int64", "int32"), ("uint64", "uint32")])
def test_a_type_that_ome_tiff_lacks_is_written_as_one_that_takes_its_values(tmp_path, capsys, dtype, stored):
    pixels = np.arange(81).reshape(9, 9).astype(dtype) * (1 if dtype == "uint64" else -1)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    written = convert(tmp_path / "a.tif", tmp_path / "b.ome.tiff", "ome-tiff")
    assert written.dtype == stored
    np.testing.assert_array_equal(written.read_plane(), pixels)
    assert f"OME-TIFF knows no {dtype}; its pixels are written as {stored}" in capsys.readouterr().out


def test_values_that_no_type_of_ome_takes_are_refused(tmp_path):
    for dtype, value, message in (
        ("int64", 2**31, "values from 1 to 2147483648 do not fit int32. Choose OME-Zarr"),
        ("uint64", 2**63, "do not fit uint32"),
    ):
        pixels = np.ones((9, 9), dtype)
        pixels[4, 4] = value
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
        with pytest.raises(UserError, match=message):
            convert(tmp_path / "a.tif", tmp_path / "b.ome.tiff", "ome-tiff")
        assert convert(tmp_path / "a.tif", tmp_path / dtype, "ome-zarr-0.4").dtype == dtype


def test_an_odd_unit_is_dropped_rather_than_made_invalid(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 9), np.uint8), imagej=True, resolution=(2, 2),
                     metadata={"unit": "furlong"})  # fmt: skip
    assert convert(tmp_path / "a.tif", tmp_path / "b", "ome-tiff").physical_size == {}
    assert convert(tmp_path / "a.tif", tmp_path / "c", "ome-zarr-0.5").physical_size == {}


def plate(tmp_path: Path, rows: list[str], form: str = "ome-zarr-0.5", *more: str) -> Path:
    images = [[name, str(DATA / name)] for name in ("nuclei_upper_left.ome.tiff", "nuclei_lower_right.ome.tiff")]
    (tmp_path / "images.json").write_text(json.dumps(images))
    (tmp_path / "wells.tsv").write_text("\n".join(rows) + "\n")
    convert_image.main([
        f"--images={tmp_path / 'images.json'}", f"--layout={tmp_path / 'wells.tsv'}", f"--format={form}",
        f"--output={tmp_path / 'out'}", "--check", *more,
    ])  # fmt: skip
    return tmp_path / "out"


HEAD = "image\twell"
ROWS = [HEAD, "nuclei_upper_left.ome.tiff\tH12", "nuclei_lower_right.ome.tiff\tb03"]


@pytest.mark.parametrize("form", FORMATS[1:])
def test_plate_from_a_table_of_wells(tmp_path, form):
    out = plate(tmp_path, ROWS, form, "--plate-name=My plate")
    if form == "ozx":
        with zipfile.ZipFile(out) as archive:
            archive.extractall(tmp_path / "unpacked")
        out = tmp_path / "unpacked"
    attributes = dict(zarr.open_group(out, mode="r").attrs)
    found = attributes.get("ome", attributes)["plate"]
    assert found["name"] == "My plate"
    assert [well["path"] for well in found["wells"]] == ["B/3", "H/12"]
    assert (len(found["rows"]), len(found["columns"])) == (8, 12)
    np.testing.assert_array_equal(
        open_image(out / "H" / "12" / "0").read_plane(), open_image(DATA / "nuclei_upper_left.ome.tiff").read_plane()
    )


def test_a_plate_in_one_file_holds_what_its_folder_holds(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").mkdir()
    folder, file = plate(tmp_path / "folder", ROWS, "ome-zarr-0.5"), plate(tmp_path / "file", ROWS, "ozx")
    wanted = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(file) as archive:
        assert archive.infolist()[0].header_offset == 0
        assert archive.infolist()[0].filename == "zarr.json"
        assert {one.filename: archive.read(one) for one in archive.infolist()} == wanted


def test_fields_of_one_well(tmp_path):
    out = plate(tmp_path, [HEAD, "nuclei_upper_left.ome.tiff\tA1", "nuclei_lower_right.ome.tiff\tA1"])
    assert sorted(path.name for path in (out / "A" / "1").iterdir()) == ["0", "1", "zarr.json"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([HEAD, "nuclei_upper_left.ome.tiff\tA1"], "'nuclei_lower_right.ome.tiff' has no row"),
        ([*ROWS, "other.tiff\tC1"], "line 4: image 'other.tiff' is not among the images"),
        ([HEAD, "nuclei_upper_left.ome.tiff\tAZ99", "nuclei_lower_right.ome.tiff\tA1"], "no plate of up to 1536"),
        ([HEAD, "nuclei_upper_left.ome.tiff\t7", "nuclei_lower_right.ome.tiff\tA1"], "not a well"),
        (["image\tplace", "a\tA1"], "needs the columns well"),
        (
            ["image\twell\tplate", "nuclei_upper_left.ome.tiff\tA1\tP", "nuclei_lower_right.ome.tiff\tA1\tQ"],
            "one plate",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        plate(tmp_path, rows)
    assert not (tmp_path / "out").exists()


def test_a_plate_is_no_ome_tiff(tmp_path):
    with pytest.raises(UserError, match="OME-TIFF cannot hold one"):
        plate(tmp_path, ROWS, "ome-tiff")


@pytest.mark.parametrize("form", ["ome-zarr-0.4", "ome-zarr-0.5"])
def test_ome_zarr_py_reads_it(tmp_path, form):
    """The reference implementation finds the same pixels, levels, channels, scale and labels."""
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    convert(
        DATA / "nuclei.ome.tiff", tmp_path / "a", form,
        f"--labels={DATA / 'nuclei_truth.ome.tiff'}", "--label-name=nuclei",
    )  # fmt: skip
    location = parse_url(str(tmp_path / "a"))
    assert location is not None
    nodes = list(Reader(location)())
    image = nodes[0]
    np.testing.assert_array_equal(np.asarray(image.data[0])[0], open_image(DATA / "nuclei.ome.tiff").read_plane())
    assert image.metadata["channel_names"] == ["Nuclei"]
    labels = next(node for node in nodes if "nuclei" in str(node.zarr.path))
    np.testing.assert_array_equal(np.asarray(labels.data[0]), open_image(DATA / "nuclei_truth.ome.tiff").read_plane())


def test_ngff_zarr_reads_an_ozx(tmp_path):
    import ngff_zarr

    convert(DATA / "synthetic_tczyx.ome.tiff", tmp_path / "a.ozx", "ozx")
    image = ngff_zarr.from_ngff_zarr(str(tmp_path / "a.ozx")).images[0]
    assert list(image.dims) == list("tczyx")
    assert image.scale == {"t": 30.0, "c": 1.0, "z": 2.0, "y": 0.5, "x": 0.5}
    assert image.axes_units["x"] == "micrometer"
    source = open_image(DATA / "synthetic_tczyx.ome.tiff")
    np.testing.assert_array_equal(np.asarray(image.data)[1, 1, 2], source.read_plane(1, 1, 2))


def test_a_label_map_is_found_out(tmp_path, capsys):
    """Means of labels would be labels of other objects."""
    labels = np.kron(np.arange(64).reshape(8, 8), np.ones((75, 75), int)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="minisblack")
    convert(tmp_path / "a.tif", tmp_path / "b", "ome-tiff")
    assert "NOTE: Image a.tif: it looks like a label map" in capsys.readouterr().out
    with tifffile.TiffFile(tmp_path / "b") as tiff:
        small = tiff.series[0].levels[1].asarray()
    np.testing.assert_array_equal(small, labels[::2, ::2])

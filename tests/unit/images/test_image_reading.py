"""image_file: each format gives the same pixels, names and sizes; what is no image is refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.image_file import PhysicalSize
from bioimage_suite.images.model.series import Reading
from bioimage_suite.images.readers.opening import open_image

DATA = Path(__file__).parents[3] / "test-data"


def all_pixels(path: Path) -> np.ndarray:
    image = open_image(path)
    return np.array(
        [
            [[image.read_plane(t, c, z) for z in range(image.size_z)] for c in range(image.size_c)]
            for t in range(image.size_t)
        ]
    )


def test_ome_tiff_says_all_it_knows():
    image = open_image(DATA / "synthetic_tczyx.ome.tiff")
    assert (image.size_t, image.size_c, image.size_z, image.size_y, image.size_x) == (2, 2, 3, 64, 80)
    assert image.channels == ("DAPI", "GFP & <friends>")
    assert image.physical_size == {
        "x": PhysicalSize(0.5, "µm"),
        "y": PhysicalSize(0.5, "µm"),
        "z": PhysicalSize(2.0, "µm"),
    }
    assert image.time_increment == PhysicalSize(30.0, "s")
    np.testing.assert_array_equal(
        all_pixels(DATA / "synthetic_tczyx.ome.tiff"), tifffile.imread(DATA / "synthetic_tczyx.ome.tiff").swapaxes(1, 1)
    )


def test_imagej_tiff_has_the_same_pixels_and_sizes():
    image = open_image(DATA / "synthetic_imagej.tiff")
    assert image.physical_size == open_image(DATA / "synthetic_tczyx.ome.tiff").physical_size
    np.testing.assert_array_equal(
        all_pixels(DATA / "synthetic_imagej.tiff")[0], all_pixels(DATA / "synthetic_tczyx.ome.tiff")[0]
    )


def test_unknown_stays_unknown():
    image = open_image(DATA / "nuclei.ome.tiff")
    assert image.physical_size == {}
    assert image.time_increment is None
    assert image.micrometres("x") is None


def test_units_are_converted():
    labels = open_image(DATA / "synthetic_labels.ome.tiff")
    assert labels.physical_size["x"] == PhysicalSize(500, "nm")
    assert labels.micrometres("x") == pytest.approx(0.5)
    assert PhysicalSize(3, "pixel").micrometres is None
    assert PhysicalSize(2, "micrometer").micrometres == 2


def test_png_and_jpeg(tmp_path):
    import cv2

    png = open_image(DATA / "synthetic_rgb.png")
    assert png.channels == ("Red", "Green", "Blue")
    assert [png.read_plane(0, c, 0).max() for c in range(3)] == [40, 200, 120]
    cv2.imwrite(str(tmp_path / "grey.jpg"), np.full((20, 30), 77, np.uint8))
    jpeg = open_image(tmp_path / "grey.jpg")
    assert (jpeg.size_c, jpeg.size_y, jpeg.size_x) == (1, 20, 30)
    assert jpeg.read_plane().max() == 77
    deep = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    np.testing.assert_array_equal(open_image(tmp_path / "deep.png").read_plane(), deep)


LAYOUTS = st.fixed_dictionaries(
    {
        "tile": st.sampled_from([None, (16, 16), (32, 48)]),
        "compression": st.sampled_from([None, "zlib", "lzw", "zstd"]),
        "byteorder": st.sampled_from(["<", ">"]),
        "bigtiff": st.booleans(),
        "rowsperstrip": st.sampled_from([None, 7, 64]),
    }
)


@settings(max_examples=40, deadline=None)
@given(
    layout=LAYOUTS,
    dtype=st.sampled_from(["u1", "i2", "u2", "i4", "f4", "f8"]),
    corner=st.tuples(st.integers(0, 60), st.integers(0, 50)),
)
def test_regions_of_any_layout(tmp_path_factory, layout, dtype, corner):
    path = tmp_path_factory.mktemp("layout") / "image.ome.tiff"
    pixels = np.arange(2 * 3 * 67 * 59).reshape(2, 3, 67, 59).astype(dtype)
    layout = {key: value for key, value in layout.items() if value is not None}
    if "tile" in layout:
        layout.pop("rowsperstrip", None)
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": "CZYX"}, **layout)
    image = open_image(path)
    y, x = corner
    np.testing.assert_array_equal(image.read_region(0, 1, 2, slice(y, 67), slice(x, 59)), pixels[1, 2, y:, x:])
    np.testing.assert_array_equal(
        image.read_region(0, 0, 1, slice(0, y + 1), slice(0, x + 1)), pixels[0, 1, : y + 1, : x + 1]
    )


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "tile": (16, 16)}])
def test_colour_samples_are_channels(tmp_path, planar, options):
    pixels = np.random.default_rng(0).integers(0, 255, (4, 3, 33, 41), dtype=np.uint8)
    stored = pixels if planar == "separate" else np.moveaxis(pixels, 1, -1)
    tifffile.imwrite(tmp_path / "rgb.tiff", stored, photometric="rgb", planarconfig=planar, **options)
    image = open_image(tmp_path / "rgb.tiff")
    assert image.channels == ("Red", "Green", "Blue")
    np.testing.assert_array_equal(all_pixels(tmp_path / "rgb.tiff")[:, :, 0], pixels)
    expected = np.moveaxis(pixels[3, :, 2:9, 1:7], 0, -1)
    np.testing.assert_array_equal(image.read_colour(3, 0, slice(2, 9), slice(1, 7)), expected)


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr(tmp_path, version):
    import zarr

    pixels = np.arange(2 * 3 * 20 * 30, dtype=np.uint16).reshape(2, 3, 20, 30)
    multiscale = {
        "axes": [
            {"name": "c", "type": "channel"},
            {"name": "z", "type": "space", "unit": "nanometer"},
            {"name": "y", "type": "space", "unit": "micrometer"},
            {"name": "x", "type": "space"},
        ],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1500, 0.5, 0.5]}]}],
    }
    attributes = {"multiscales": [multiscale], "omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}}
    group = zarr.open_group(tmp_path / "store" / "image.ome.zarr", mode="w", zarr_format=version)
    group.attrs.update(attributes if version == 2 else {"ome": {"version": "0.5", **attributes}})
    group.create_array("0", data=pixels, chunks=(1, 1, 16, 16))
    image = open_image(tmp_path / "store")
    assert image.channels == ("DAPI", "GFP")
    assert image.physical_size == {"z": PhysicalSize(1500, "nm"), "y": PhysicalSize(0.5, "µm")}
    np.testing.assert_array_equal(image.read_region(0, 1, 2, slice(3, 20), slice(4, 30)), pixels[1, 2, 3:, 4:])


@pytest.mark.parametrize(("wanted", "index"), [("DAPI", 0), ("dapi", 0), ("1", 1), ("GFP & <friends>", 1), (" 0 ", 0)])
def test_channels_by_name_or_index(wanted, index):
    assert open_image(DATA / "synthetic_tczyx.ome.tiff").resolve_channel(wanted) == index


@pytest.mark.parametrize("wanted", ["Cy5", "2", "-1", "", "1.0", "²"])
def test_missing_channel_lists_what_there_is(wanted):
    with pytest.raises(UserError, match=r"0: DAPI, 1: GFP & <friends>"):
        open_image(DATA / "synthetic_tczyx.ome.tiff").resolve_channel(wanted)


def test_a_name_wins_over_an_index_and_a_double_name_is_refused(tmp_path):
    path = tmp_path / "image.ome.tiff"
    names = ["1", "A", "A"]
    tifffile.imwrite(
        path, np.zeros((3, 8, 8), np.uint8), ome=True, photometric="minisblack",
        metadata={"axes": "CYX", "Channel": {"Name": names}},
    )  # fmt: skip
    image = open_image(path)
    assert image.resolve_channel("1") == 0
    assert image.channel_labels() == ["1", "A_1", "A_2"]
    with pytest.raises(UserError, match="more than one channel"):
        image.resolve_channel("A")


@pytest.mark.parametrize(
    ("file", "message"),
    [("truncated.tiff", "cut short"), ("not_an_image.tiff", "not an image"), ("missing.tiff", "no file")],
)
def test_broken_files_are_refused(file, message):
    with pytest.raises(UserError, match=message):
        open_image(DATA / file, "Image_1_x")


def test_empty_file_and_empty_folder_are_refused(tmp_path):
    (tmp_path / "empty.tiff").touch()
    with pytest.raises(UserError, match="empty"):
        open_image(tmp_path / "empty.tiff")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="no OME-Zarr image"):
        open_image(tmp_path / "folder")


@pytest.mark.parametrize("file", ["nuclei_upper_left.ome.tiff", "synthetic_tczyx.ome.tiff", "synthetic_rgb.png"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(tmp_path_factory, file, data):
    whole = (DATA / file).read_bytes()
    cut = tmp_path_factory.mktemp("cut") / "cut"
    cut.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    try:
        pixels = all_pixels(cut)
    except UserError:
        return
    # Only what stands behind the last pixel may be missing.
    np.testing.assert_array_equal(pixels, all_pixels(DATA / file))


@pytest.mark.parametrize("value", ["-0.5", "0", "NaN", "INF"])
def test_an_impossible_physical_size_is_unknown(tmp_path, value, capsys):
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYCZT" Type="uint8" SizeX="8" SizeY="8" SizeC="1" SizeZ="1" SizeT="1" '
        f'PhysicalSizeX="{value}"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1"/>'
        "</Pixels></Image></OME>"
    )
    tifffile.imwrite(tmp_path / "image.ome.tiff", np.zeros((8, 8), np.uint8), description=xml, metadata=None)
    assert open_image(tmp_path / "image.ome.tiff").physical_size == {}
    assert f"NOTE: Image image.ome.tiff: the physical size along x is {value} µm" in capsys.readouterr().out


def test_two_unknown_axes_are_refused_one_is_what_was_chosen(tmp_path, capsys):
    """Time points by default, as for Bio-Formats 7.3.1, and said so."""
    tifffile.imwrite(tmp_path / "one.tiff", np.zeros((4, 8, 8), np.uint8), photometric="minisblack")
    image = open_image(tmp_path / "one.tiff")
    assert (image.size_t, image.size_z) == (4, 1)
    assert "its 4 pages have no axes and are taken as time points" in capsys.readouterr().out
    image = open_image(tmp_path / "one.tiff", reading=Reading(pages="z"))
    assert (image.size_t, image.size_z) == (1, 4)
    tifffile.imwrite(
        tmp_path / "two.tiff", np.zeros((4, 2, 8, 8), np.uint8), photometric="minisblack", metadata={"axes": "QRYX"}
    )
    with pytest.raises(UserError, match="named axes"):
        open_image(tmp_path / "two.tiff")

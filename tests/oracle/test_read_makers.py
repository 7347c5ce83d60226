"""Axes of makers' formats that are not time, channel, z, y, x become those that Bio-Formats gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.series import Reading
from bioimage_suite.images.readers.opening import open_image
from tests.oracle.bioformats import BioFormats, Series, checksum
from tests.unit.images.vendor_files import (
    write_czi,
    write_czi_axis,
    write_dv,
    write_lif,
    write_lif_colours,
    write_lif_scan,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

LENGTHS = {"T": 3, "L": 5, "R": 3, "M": 3, "C": 2, "Z": 4, "Y": 20, "X": 32}


def random_pixels(axes: str) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 999, [LENGTHS[axis] for axis in axes]).astype("u2")


def assert_same(image: ImageFile, series: Series, lengths: bool = True) -> None:
    """Compare sizes, pixels, and, if wanted, physical sizes."""
    assert {axis: getattr(image, f"size_{axis.lower()}") for axis in "XYZCT"} == series.sizes
    places = np.ndindex(image.size_t, image.size_c, image.size_z)
    assert {place: checksum(image.read_plane(*place)) for place in places} == series.planes
    found = {axis: (size.value, size.unit) for axis, size in image.physical_size.items()} if lengths else {}
    assert not lengths or found == {
        axis: (pytest.approx(value), unit) for axis, (value, unit) in series.physical.items()
    }


@pytest.mark.parametrize("axes", ["ZX", "CZX", "TZX", "TCZX", "LYX", "LCYX", "LZYX", "LZCYX", "TLYX", "TLCYX", "LX"])
def test_lif_scans(tmp_path: Path, oracle: BioFormats, axes: str, capsys):
    write_lif_scan(tmp_path / "a.lif", random_pixels(axes), axes)
    assert_same(open_image(tmp_path / "a.lif"), oracle.read(tmp_path / "a.lif").series[0])
    said = capsys.readouterr().out
    assert ("it was scanned in x without y" in said) == ("Z" in axes and "Y" not in axes)
    assert ("wavelengths of its lambda scan" in said) == ("L" in axes)


@pytest.mark.parametrize("axes", ["YZX", "CYZX", "TYZX", "RYX", "RCYX", "TRYX", "RZX"])
def test_lif_sections_and_other_axes(tmp_path: Path, oracle: BioFormats, axes: str):
    """Sections along z, one y after the other; rotations."""
    write_lif_scan(tmp_path / "a.lif", random_pixels(axes), axes)
    assert_same(open_image(tmp_path / "a.lif"), oracle.read(tmp_path / "a.lif").series[0])


def test_lif_channels_within_a_line(tmp_path: Path):
    """Bio-Formats 7.3.1 reads them as if all lines of a channel lay together."""
    pixels = random_pixels("YZCX")
    write_lif_scan(tmp_path / "a.lif", pixels, "YZCX")
    image = open_image(tmp_path / "a.lif")
    for c, y in np.ndindex(2, LENGTHS["Y"]):
        np.testing.assert_array_equal(image.read_plane(0, c, y), pixels[y, :, c])


@pytest.mark.parametrize("axes", ["LZYX", "RZYX"])
def test_lif_other_axes_beside_one_plane(tmp_path: Path, oracle: BioFormats, axes: str):
    """They count as z-planes."""
    write_lif_scan(tmp_path / "a.lif", np.ascontiguousarray(random_pixels(axes)[:, :1]), axes)
    image = open_image(tmp_path / "a.lif")
    assert (image.size_t, image.size_z) == (1, LENGTHS[axes[0]])
    assert_same(image, oracle.read(tmp_path / "a.lif").series[0])


@pytest.mark.parametrize("axes", ["MYX", "MCYX", "MZCYX"])
def test_lif_tiles_are_images(tmp_path: Path, oracle: BioFormats, axes: str):
    write_lif_scan(tmp_path / "a.lif", random_pixels(axes), axes)
    series = oracle.read(tmp_path / "a.lif").series
    with pytest.raises(UserError, match=r"holds 3 images.*2: Series 1 tile 2"):
        open_image(tmp_path / "a.lif")
    assert len(series) == 3
    for number, one in enumerate(series):
        assert_same(open_image(tmp_path / "a.lif", reading=Reading(number)), one)


@pytest.mark.parametrize("tags", [(3, 2, 1), (0, 0, 0)])
@pytest.mark.parametrize(("width", "padding", "dtype"), [(32, 0, "u1"), (29, 1, "u1"), (29, 0, "u2")])
def test_lif_colours(tmp_path: Path, oracle: BioFormats, tags, width: int, padding: int, dtype: str):
    """Stored from blue to red; a row may be padded to a multiple of 4 bytes."""
    pixels = np.random.default_rng(1).integers(0, 255, (20, width, 3)).astype(dtype)
    write_lif_colours(tmp_path / "a.lif", pixels, tags, padding)
    image = open_image(tmp_path / "a.lif")
    assert image.channels == ("Red", "Green", "Blue")
    np.testing.assert_array_equal(image.read_colour(0, 0, slice(3, 9), slice(2, 20)), pixels[3:9, 2:20])
    assert_same(image, oracle.read(tmp_path / "a.lif").series[0])


def test_lif_samples_that_are_tagged_from_red(tmp_path: Path):
    """Bio-Formats 7.3.1 takes every colour pixel for one from blue to red, whatever the tags say."""
    pixels = np.random.default_rng(1).integers(0, 255, (20, 32, 3)).astype("u1")
    write_lif_colours(tmp_path / "a.lif", pixels, (1, 2, 3))
    np.testing.assert_array_equal(open_image(tmp_path / "a.lif").read_colour(0, 0, slice(0, 20), slice(0, 32)), pixels)


def test_lif_names_and_colours(tmp_path: Path, oracle: BioFormats):
    write_lif(tmp_path / "a.lif", random_pixels("TCZYX"), images=2)
    for number, series in enumerate(oracle.read(tmp_path / "a.lif").series):
        image = open_image(tmp_path / "a.lif", reading=Reading(number))
        assert image.details["series"][number] == series.name
        colours = [value for _, name, value, _ in image.details["facts"] if name == "Color"]
        assert [int(one) for one in colours] == [channel.color for channel in series.channels]
        assert_same(image, series)


@pytest.mark.parametrize("axes", ["TX", "CTX", "TCX"])
def test_lif_lines_in_time(tmp_path: Path, oracle: BioFormats, axes: str):
    """Bio-Formats makes 30 µm of the 30 s between two lines."""
    pixels = random_pixels(axes)
    write_lif_scan(tmp_path / "a.lif", pixels, axes)
    image, series = open_image(tmp_path / "a.lif"), oracle.read(tmp_path / "a.lif").series[0]
    assert (image.size_y, image.size_x, image.size_t) == (3, 32, 1)
    expected = pixels.transpose([axes.index(axis) for axis in "CTX" if axis in axes]).reshape(-1, 3, 32)
    for c, plane in enumerate(expected):
        np.testing.assert_array_equal(image.read_plane(0, c), plane)
    np.testing.assert_array_equal(image.read_region(0, 0, 0, slice(1, 3), slice(4, 9)), expected[0, 1:3, 4:9])
    if axes != "TCX":  # which Bio-Formats 7.3.1 reads as if all lines of a channel lay together
        assert {(0, c, 0): checksum(plane) for c, plane in enumerate(expected)} == series.planes
    assert image.physical_size.keys() == {"x"}
    assert image.time_increment is None


@pytest.mark.parametrize("axis", ["H", "I", "R"])
def test_czi_axes_that_are_folded(tmp_path: Path, oracle: BioFormats, axis: str):
    """Phases, illuminations and rotations, beside channels."""
    write_czi_axis(tmp_path / "a.czi", random_pixels("TCYX"), axis)
    assert_same(open_image(tmp_path / "a.czi"), oracle.read(tmp_path / "a.czi").series[0])


@pytest.mark.parametrize("axis", ["V", "B"])
def test_czi_axes_that_are_images(tmp_path: Path, oracle: BioFormats, axis: str):
    """Views and acquisition blocks."""
    write_czi_axis(tmp_path / "a.czi", random_pixels("TCYX"), axis)
    with pytest.raises(UserError, match=f"holds 3 images.*1: Image:0 {'view' if axis == 'V' else 'block'} 1"):
        open_image(tmp_path / "a.czi")
    for number, series in enumerate(oracle.read(tmp_path / "a.czi").series):
        assert_same(open_image(tmp_path / "a.czi", reading=Reading(number)), series)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "c8", "u2", "i4"])
def test_pixels_of_deltavision(tmp_path: Path, oracle: BioFormats, dtype: str):
    pixels = (random_pixels("TCZYX")[:2] - (500 if dtype == "i2" else 0)).astype(dtype)
    write_dv(tmp_path / "a.dv", pixels)
    image = open_image(tmp_path / "a.dv")
    assert image.dtype == dtype
    for place in np.ndindex(pixels.shape[:3]):
        np.testing.assert_array_equal(image.read_plane(*place), pixels[place])
    if dtype != "c8":  # of which Bio-Formats 7.3.1 reads the first half of a plane as float
        assert_same(image, oracle.read(tmp_path / "a.dv").series[0])


@pytest.mark.parametrize(
    ("mode", "what"), [(3, "complex numbers of two 16-bit"), (5, "packed"), (99, "of no known type")]
)
def test_pixels_that_readers_of_deltavision_take_for_others(tmp_path: Path, mode: int, what: str):
    write_dv(tmp_path / "a.dv", random_pixels("TCZYX")[:2])
    data = bytearray((tmp_path / "a.dv").read_bytes())
    data[12:16] = mode.to_bytes(4, "little")
    (tmp_path / "a.dv").write_bytes(data)
    with pytest.raises(UserError, match=f"{what}.*mode {mode}"):
        open_image(tmp_path / "a.dv")


def test_czi_scenes_whose_boxes_overlap(tmp_path: Path, oracle: BioFormats):
    """Each has its own pixels, whatever their numbers."""
    from pylibCZIrw import czi

    for numbers in ((0, 1), (3, 7)):
        path = tmp_path / f"{numbers[0]}.czi"
        with czi.create_czi(str(path)) as document:
            for scene, corner in zip(numbers, (0, 10), strict=True):
                pixels = np.full((20, 30, 1), scene + 1, np.uint16)
                document.write(pixels, plane={"C": 0}, scene=scene, location=(corner, corner // 2))
            document.write_metadata("made")
        images = [open_image(path, reading=Reading(number)) for number in range(2)]
        assert [np.unique(one.read_plane()).tolist() for one in images] == [[scene + 1] for scene in numbers]
        assert {one.read_plane().shape for one in images} == {(20, 30)}
        if numbers == (0, 1):  # of other numbers Bio-Formats 7.3.1 makes series of 1 x 1 pixel
            for image, series in zip(images, oracle.read(path).series, strict=True):
                assert_same(image, series, lengths=False)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("samples", [1, 3])
def test_czi_pixels(tmp_path: Path, oracle: BioFormats, dtype: str, samples: int):
    from pylibCZIrw import czi

    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, samples)).astype(dtype)
    if (dtype, samples) == ("f4", 3):
        pytest.skip("Zeiss' library writes no colours of floating point")
    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        document.write(pixels, plane={"C": 0})
        document.write_metadata("made")
    image = open_image(tmp_path / "a.czi")
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read_plane(0, 0, 0), pixels[..., -1])
    assert_same(image, oracle.read(tmp_path / "a.czi").series[0], lengths=False)


def test_czi_channels_of_8_and_16_bits_keep_their_values(tmp_path: Path):
    from pylibCZIrw import czi

    pixels = [np.full((20, 30, 1), 200, np.uint8), np.full((20, 30, 1), 60_000, np.uint16)]
    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        for channel, plane in enumerate(pixels):
            document.write(plane, plane={"C": channel})
        document.write_metadata("made")
    image = open_image(tmp_path / "a.czi")
    assert image.dtype == "u2"
    assert [image.read_plane(0, c).max() for c in range(2)] == [200, 60_000]


def test_czi_names_wavelengths_and_colours(tmp_path: Path, oracle: BioFormats):
    from pylibCZIrw import czi

    display = {
        n: czi.ChannelDisplaySettingsDataClass(True, czi.TintingMode.Color, czi.Rgb8Color(*colour), 0.0, 1.0)
        for n, colour in enumerate([(0, 0, 255), (0, 255, 0)])
    }
    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        for channel in range(2):
            document.write(np.zeros((20, 30, 1), np.uint16), plane={"C": channel})
        document.write_metadata("made", channel_names={0: "DAPI", 1: "EGFP"}, scale_x=1e-7, scale_y=2e-7, scale_z=5e-7,
                                display_settings=display)  # fmt: skip
    image, series = open_image(tmp_path / "a.czi"), oracle.read(tmp_path / "a.czi").series[0]
    assert image.channels == tuple(one.name for one in series.channels) == ("DAPI", "EGFP")
    colours = [int(value) for _, name, value, _ in image.details["facts"] if name == "Color"]
    assert colours == [one.color for one in series.channels]
    assert_same(image, series)


def test_czi_without_a_scale(tmp_path: Path):
    pixels = random_pixels("TCZYX")[:2]
    write_czi(tmp_path / "a.czi", pixels)
    data = (tmp_path / "a.czi").read_bytes()
    (tmp_path / "a.czi").write_bytes(data.replace(b"<Value>1e-07<", b"<Value>0e-07<").replace(b"2e-07", b"-1e-7"))
    image = open_image(tmp_path / "a.czi")
    assert image.physical_size.keys() == {"z"}
    np.testing.assert_array_equal(image.read_plane(1, 1, 2), pixels[1, 1, 2])

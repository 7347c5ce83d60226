"""Axes of makers' formats that are not time, channel, z, y, x become those that Bio-Formats gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.series import Reading
from bioimage_suite.images.readers.opening import open_image
from tests.oracle.bioformats import BioFormats, Series, checksum
from tests.unit.images.vendor_files import write_czi, write_czi_axis, write_dv, write_lif_scan

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

LENGTHS = {"T": 3, "L": 5, "C": 2, "Z": 4, "Y": 20, "X": 30}


def random_pixels(axes: str) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 999, [LENGTHS[axis] for axis in axes]).astype("u2")


def assert_same(image: ImageFile, series: Series) -> None:
    """Compare sizes, pixels, and physical sizes."""
    assert {axis: getattr(image, f"size_{axis.lower()}") for axis in "XYZCT"} == series.sizes
    places = np.ndindex(image.size_t, image.size_c, image.size_z)
    assert {place: checksum(image.read_plane(*place)) for place in places} == series.planes
    found = {axis: (size.value, size.unit) for axis, size in image.physical_size.items()}
    assert found == {axis: (pytest.approx(value), unit) for axis, (value, unit) in series.physical.items()}


@pytest.mark.parametrize("axes", ["ZX", "CZX", "TZX", "TCZX", "LYX", "LCYX", "LZYX", "LZCYX", "TLYX", "TLCYX", "LX"])
def test_lif_scans(tmp_path: Path, oracle: BioFormats, axes: str, capsys):
    write_lif_scan(tmp_path / "a.lif", random_pixels(axes), axes)
    assert_same(open_image(tmp_path / "a.lif"), oracle.read(tmp_path / "a.lif").series[0])
    said = capsys.readouterr().out
    assert ("it was scanned in x without y" in said) == ("Z" in axes and "Y" not in axes)
    assert ("wavelengths of its lambda scan" in said) == ("L" in axes)


@pytest.mark.parametrize("axes", ["TX", "CTX", "TCX"])
def test_lif_lines_in_time(tmp_path: Path, oracle: BioFormats, axes: str):
    """Bio-Formats makes 30 µm of the 30 s between two lines."""
    pixels = random_pixels(axes)
    write_lif_scan(tmp_path / "a.lif", pixels, axes)
    image, series = open_image(tmp_path / "a.lif"), oracle.read(tmp_path / "a.lif").series[0]
    assert (image.size_y, image.size_x, image.size_t) == (3, 30, 1)
    expected = pixels.transpose([axes.index(axis) for axis in "CTX" if axis in axes]).reshape(-1, 3, 30)
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


def test_czi_without_a_scale(tmp_path: Path):
    pixels = random_pixels("TCZYX")[:2]
    write_czi(tmp_path / "a.czi", pixels)
    data = (tmp_path / "a.czi").read_bytes()
    (tmp_path / "a.czi").write_bytes(data.replace(b"<Value>1e-07<", b"<Value>0e-07<").replace(b"2e-07", b"-1e-7"))
    image = open_image(tmp_path / "a.czi")
    assert image.physical_size.keys() == {"z"}
    np.testing.assert_array_equal(image.read_plane(1, 1, 2), pixels[1, 1, 2])

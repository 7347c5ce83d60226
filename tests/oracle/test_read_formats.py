"""Formats that a package of their own reads are read as Bio-Formats reads them; where not, the test says why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bioimage_suite.images.readers.opening import open_image
from tests.oracle.bioformats import BioFormats, Series, checksum
from tests.unit.images.format_files import write_bmp, write_gif, write_ics, write_imaris, write_mrc, write_nrrd
from tests.unit.images.oib_files import write_oib

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

STACK = np.random.default_rng(0).integers(0, 999, (2, 3, 4, 20, 30)).astype("u2")  # T, C, Z, Y, X


def assert_same(image: ImageFile, series: Series, *, lengths: bool = True) -> None:
    """Compare sizes, all pixels and, if wanted, the physical sizes and the time step."""
    assert {axis: getattr(image, f"size_{axis.lower()}") for axis in "XYZCT"} == series.sizes
    places = np.ndindex(image.size_t, image.size_c, image.size_z)
    assert {place: checksum(image.read_plane(*place)) for place in places} == series.planes
    if lengths:
        found = {axis: (size.value, size.unit) for axis, size in image.physical_size.items()}
        assert found == {axis: (pytest.approx(value), unit) for axis, (value, unit) in series.physical.items()}
        step = image.time_increment
        assert (step and (step.value, step.unit)) == series.time_increment


@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f4"])
def test_mrc(tmp_path: Path, oracle: BioFormats, dtype: str):
    volume = STACK[0, 0].astype(dtype)
    write_mrc(tmp_path / "a.mrc", volume)
    image = open_image(tmp_path / "a.mrc")
    assert_same(image, oracle.read(tmp_path / "a.mrc").series[0])
    # Bio-Formats calls bytes unsigned; MRC2014 gives them a sign.
    assert image.dtype == dtype
    np.testing.assert_array_equal(image.read_plane(0, 0, 1), volume[1, ::-1])


def test_mrc_of_half_precision(tmp_path: Path):
    """Mode 12 of MRC2014; Bio-Formats 7.3.1 reads it as bytes."""
    write_mrc(tmp_path / "a.mrc", STACK[0, 0].astype("f2"))
    image = open_image(tmp_path / "a.mrc")
    np.testing.assert_array_equal(image.read_plane(0, 0, 3), STACK[0, 0, 3, ::-1])


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4"])
def test_nrrd(tmp_path: Path, oracle: BioFormats, encoding: str, dtype: str):
    write_nrrd(tmp_path / "a.nrrd", STACK[0, 0].astype(dtype), encoding, spacings=[1.5, 2, 3])
    assert_same(open_image(tmp_path / "a.nrrd"), oracle.read(tmp_path / "a.nrrd").series[0])


def test_nrrd_in_space(tmp_path: Path, oracle: BioFormats):
    directions = np.diag([0.5, 0.6, 0.7])
    write_nrrd(
        tmp_path / "a.nrrd", STACK[0, 0], space="left-posterior-superior", kinds=["domain"] * 3,
        **{"space directions": directions, "space units": ["mm"] * 3},
    )  # fmt: skip
    assert_same(open_image(tmp_path / "a.nrrd"), oracle.read(tmp_path / "a.nrrd").series[0])


@pytest.mark.parametrize("kinds", [["RGB-color", "domain", "domain"], None])
def test_nrrd_of_colours(tmp_path: Path, oracle: BioFormats, kinds: list[str] | None):
    colours = np.moveaxis(STACK[0, :, 0], 0, -1).astype("u1")
    write_nrrd(tmp_path / "a.nrrd", colours, **({"kinds": kinds} if kinds else {}))
    image = open_image(tmp_path / "a.nrrd")
    assert_same(image, oracle.read(tmp_path / "a.nrrd").series[0])
    assert image.read_interleaved is not None
    np.testing.assert_array_equal(image.read_colour(0, 0, slice(0, 20), slice(0, 30)), colours)


def test_nrrd_of_a_movie(tmp_path: Path, oracle: BioFormats):
    write_nrrd(tmp_path / "a.nrrd", STACK[:, 0], spacings=[0.1, 0.2, 0.3, 4], units=["um", "um", "um", "s"])
    image = open_image(tmp_path / "a.nrrd")
    assert_same(image, oracle.read(tmp_path / "a.nrrd").series[0], lengths=False)
    assert image.time_increment is not None  # Bio-Formats reads no time step
    assert (image.time_increment.value, image.micrometres("z")) == (4, 0.3)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("axes", ["TCZYX", "CTZYX", "TZCYX", "TZYXC"])
def test_ics(tmp_path: Path, oracle: BioFormats, axes: str, packed: bool):
    write_ics(tmp_path / "a.ics", STACK.transpose(["TCZYX".index(axis) for axis in axes]), axes, packed=packed)
    image = open_image(tmp_path / "a.ics")
    for place in np.ndindex(STACK.shape[:3]):
        np.testing.assert_array_equal(image.read_plane(*place), STACK[place])
    if not packed or axes[-1] == "X":  # of other packed files Bio-Formats 7.3.1 repeats a plane
        assert_same(image, oracle.read(tmp_path / "a.ics").series[0])


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
def test_numbers_of_ics(tmp_path: Path, oracle: BioFormats, dtype: str):
    pixels = (STACK[0, 0].astype(dtype) - 100).astype(dtype)
    write_ics(tmp_path / "a.ics", pixels, "ZYX")
    image = open_image(tmp_path / "a.ics")
    np.testing.assert_array_equal([image.read_plane(0, 0, z) for z in range(4)], pixels)
    if dtype != "i4":  # whose bytes Bio-Formats 7.3.1 takes in the order that libics does not write
        assert_same(image, oracle.read(tmp_path / "a.ics").series[0])


@pytest.mark.parametrize("frames", [1, 3])
def test_gif_with_one_palette(tmp_path: Path, oracle: BioFormats, frames: int):
    numbers = STACK[0, 0, :frames].astype("u1")
    write_gif(tmp_path / "a.gif", numbers)
    image = open_image(tmp_path / "a.gif")
    np.testing.assert_array_equal([image.read_plane(t) for t in range(frames)], numbers)
    assert_same(image, oracle.read(tmp_path / "a.gif").series[0])


def test_gif_whose_frames_have_palettes_of_their_own(tmp_path: Path):
    """Bio-Formats gives their numbers, which mean another grey in each frame."""
    grey = STACK[0, 0, :3].astype("u1")
    write_gif(tmp_path / "a.gif", grey, one_palette=False)
    image = open_image(tmp_path / "a.gif")
    np.testing.assert_array_equal([image.read_plane(t) for t in range(3)], grey)
    assert image.size_c == 1


@pytest.mark.parametrize("upwards", [True, False])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_bmp_with_palette(tmp_path: Path, oracle: BioFormats, bits: int, upwards: bool, capsys):
    numbers = np.arange(20 * 32).reshape(20, 32) % 2 ** min(bits, 7)
    for grey in (True, False):
        write_bmp(tmp_path / "a.bmp", numbers, bits, upwards=upwards, grey=grey)
        image = open_image(tmp_path / "a.bmp")
        np.testing.assert_array_equal(image.read_plane(), numbers)
        assert ("numbers of palette entries" in capsys.readouterr().out) is not grey
        assert_same(image, oracle.read(tmp_path / "a.bmp").series[0])


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_imaris(tmp_path: Path, oracle: BioFormats, dtype: str):
    pixels = STACK.astype(dtype)
    write_imaris(tmp_path / "a.ims", pixels)
    image, series = open_image(tmp_path / "a.ims"), oracle.read(tmp_path / "a.ims").series[0]
    for place in np.ndindex(pixels.shape[:3]):
        np.testing.assert_array_equal(image.read_plane(*place), pixels[place])
    step = image.time_increment
    assert step is not None  # Bio-Formats reads no time step
    assert (step.value, step.unit) == (60, "s")
    assert_same(replace(image, time_increment=None), series)
    assert image.channels == tuple(channel.name for channel in series.channels) == ("DAPI", "GFP", "Cy5")
    assert ("channel 1", "EmissionWavelength", "501", "nm") in image.details["facts"]
    assert ("image", "AcquisitionDate", "2024-05-06T07:08:09", "") in image.details["facts"]


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 2, 4), (2, 1, 1), (1, 3, 1)])
def test_oib(tmp_path: Path, oracle: BioFormats, shape: tuple[int, int, int]):
    pixels = STACK[: shape[0], : shape[1], : shape[2]]
    write_oib(tmp_path / "a.oib", pixels)
    image, series = open_image(tmp_path / "a.oib"), oracle.read(tmp_path / "a.oib").series[0]
    for place in np.ndindex(shape):
        np.testing.assert_array_equal(image.read_plane(*place), pixels[place])
    assert_same(image, series, lengths=False)
    # Bio-Formats makes 1 µm and 1 s where there is one plane or time point.
    assert image.micrometres("x") == series.physical["x"][0] == 0.25
    assert image.micrometres("z") == (1.5 if shape[2] > 1 else None)
    assert (image.time_increment and image.time_increment.value) == (4 if shape[0] > 1 else None)
    assert image.channels == tuple(channel.name for channel in series.channels)
    waves = {fact[0]: fact[2] for fact in image.details["facts"] if fact[1] == "EmissionWavelength"}
    assert [float(waves[f"channel {n}"]) for n in range(shape[1])] == [one.emission[0] for one in series.channels]
    assert ("image", "AcquisitionDate", series.acquired, "") in image.details["facts"]

"""DICOM is read as Bio-Formats reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bioimage_suite.images.readers.opening import open_image
from tests.oracle.bioformats import BioFormats, checksum
from tests.unit.images.dicom_files import WHOLE_SLIDE, write_dicom, write_slide

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

FRAMES = np.random.default_rng(0).integers(0, 999, (4, 20, 30)).astype("u2")
SLIDE = np.random.default_rng(1).integers(0, 255, (70, 50, 3), dtype=np.uint8)


def read_alike(path: Path, oracle: BioFormats) -> ImageFile:
    """Compare sizes, pixels and physical sizes."""
    image, series = open_image(path), oracle.read(path).series[0]
    assert {axis: getattr(image, f"size_{axis.lower()}") for axis in "XYZCT"} == series.sizes
    places = np.ndindex(image.size_t, image.size_c, image.size_z)
    assert {place: checksum(image.read_plane(*place)) for place in places} == series.planes
    found = {axis: (size.value, size.unit) for axis, size in image.physical_size.items()}
    assert found == {axis: (pytest.approx(value), unit) for axis, (value, unit) in series.physical.items()}
    return image


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_grey(tmp_path: Path, oracle: BioFormats, dtype: str):
    frames = (FRAMES.astype(dtype) - (500 if dtype == "i2" else 0)).astype(dtype)
    write_dicom(tmp_path / "a.dcm", frames, PixelSpacing=[0.002, 0.001], SpacingBetweenSlices=0.003)
    np.testing.assert_array_equal(read_alike(tmp_path / "a.dcm", oracle).read_plane(0, 0, 2), frames[2])


def test_white_is_zero(tmp_path: Path, oracle: BioFormats):
    write_dicom(tmp_path / "a.dcm", FRAMES.astype("u1"), "MONOCHROME1")
    image = read_alike(tmp_path / "a.dcm", oracle)
    np.testing.assert_array_equal(image.read_plane(0, 0, 2), 255 - FRAMES[2].astype("u1"))


@pytest.mark.parametrize("bits", [12, 16])
def test_white_is_zero_in_more_bits(tmp_path: Path, bits: int):
    """Bio-Formats 7.3.1 makes 65,536 - v of v, so 0, which is white, stays 0."""
    write_dicom(tmp_path / "a.dcm", FRAMES, "MONOCHROME1", BitsStored=bits, HighBit=bits - 1)
    np.testing.assert_array_equal(open_image(tmp_path / "a.dcm").read_plane(), 2**bits - 1 - FRAMES[0])


@pytest.mark.parametrize("frames", [1, 3])
def test_colour(tmp_path: Path, oracle: BioFormats, frames: int):
    pixels = np.stack([SLIDE] * frames)
    write_dicom(tmp_path / "a.dcm", pixels, "RGB")
    image = read_alike(tmp_path / "a.dcm", oracle)
    np.testing.assert_array_equal(image.read_colour(0, frames - 1, slice(5, 20), slice(3, 30)), SLIDE[5:20, 3:30])


def test_values_are_those_stored(tmp_path: Path, oracle: BioFormats):
    write_dicom(tmp_path / "a.dcm", FRAMES, RescaleSlope=2, RescaleIntercept=-1000)
    np.testing.assert_array_equal(read_alike(tmp_path / "a.dcm", oracle).read_plane(), FRAMES[0])


def test_a_whole_slide(tmp_path: Path, oracle: BioFormats):
    write_slide(tmp_path / "a.dcm", SLIDE)
    image = read_alike(tmp_path / "a.dcm", oracle)
    np.testing.assert_array_equal(image.read_colour(0, 0, slice(15, 70), slice(3, 37)), SLIDE[15:70, 3:37])
    np.testing.assert_array_equal(image.read_region(0, 1, 0, slice(17, 19), slice(48, 50)), SLIDE[17:19, 48:50, 1])
    assert ("objective", "NominalMagnification", "20", "") in image.details["facts"]
    assert ("image", "AcquisitionDate", "2024-05-06T07:08:09", "") in image.details["facts"]


@pytest.mark.parametrize("preamble", [b"", b"II*\x00\x08\x00\x00\x00\x00\x00"])
def test_planes_as_pictures_of_a_slide(tmp_path: Path, preamble: bytes):
    """Bio-Formats 7.3.1 writes a stack so, begins it as a TIFF, and reads its frames as z-planes again."""
    said = {"ImageType": ["DERIVED", "PRIMARY", "OVERVIEW", "NONE"], "TotalPixelMatrixColumns": 30}
    write_dicom(tmp_path / "a.dcm", FRAMES, **said, TotalPixelMatrixRows=20, SOPClassUID=WHOLE_SLIDE)
    data = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(preamble.ljust(128, b"\0") + data[128:])
    image = open_image(tmp_path / "a.dcm")
    assert (image.details["format"], image.size_z) == ("DICOM", 4)
    for z, plane in enumerate(FRAMES):
        np.testing.assert_array_equal(image.read_plane(0, 0, z), plane)

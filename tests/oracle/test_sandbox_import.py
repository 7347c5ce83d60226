"""The OMERO sandbox imports what Bio-Formats reads, by which OMERO imports: sizes, pixels, units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from sandbox.omero.image_files.opening import open_image_file
from tests.oracle.bioformats import BioFormats, Series, checksum
from tests.oracle.png_files import write_png

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.omero.image_files.series_reader import SeriesReader

STACK = np.random.default_rng(0).integers(0, 999, (3, 20, 30)).astype("u2")


def assert_same(reader: SeriesReader, series: Series) -> None:
    """Compare sizes, pixels, physical sizes and the time step."""
    said = reader.description
    assert {axis: getattr(said, f"size_{axis.lower()}") for axis in "XYZCT"} == series.sizes
    planes = {
        (t, c, z): checksum(reader.read_tile(0, z, c, t, 0, 0, said.size_x, said.size_y))
        for t, c, z in np.ndindex(said.size_t, said.size_c, said.size_z)
    }
    assert planes == series.planes
    found = {axis: size for axis in "xyz" if (size := getattr(said, f"physical_size_{axis}"))}
    assert {axis: (size.value, size.unit) for axis, size in found.items()} == {
        axis: (pytest.approx(value), unit) for axis, (value, unit) in series.physical.items()
    }
    step = said.time_increment
    assert (step and (step.value, step.unit)) == series.time_increment


def compared(path: Path, oracle: BioFormats) -> None:
    opened = open_image_file(path)
    try:
        assert_same(opened.series[0], oracle.read(path).series[0])
    finally:
        opened.close()


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "bool"])
def test_white_is_zero(tmp_path: Path, oracle: BioFormats, dtype: str):
    tifffile.imwrite(tmp_path / "a.tif", STACK.astype(dtype), photometric="miniswhite", metadata=None)
    compared(tmp_path / "a.tif", oracle)


@pytest.mark.parametrize("unit", [None, "CENTIMETER", "INCH"])
@pytest.mark.parametrize("resolution", [1, 72, 20_000])
def test_resolution_tags(tmp_path: Path, oracle: BioFormats, unit: str | None, resolution: int):
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], resolution=(resolution, 2 * resolution), resolutionunit=unit,
                     metadata=None)  # fmt: skip
    compared(tmp_path / "a.tif", oracle)


@pytest.mark.parametrize("resolution_unit", [None, "CENTIMETER", "INCH"])
@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m", "nm", "mm", "cm", "m", "inch", "pixel", "furlong", ""])
def test_units_of_imagej(tmp_path: Path, oracle: BioFormats, unit: str, resolution_unit: str | None):
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(2, 4), resolutionunit=resolution_unit,
                     metadata={"axes": "ZYX", "unit": unit, "spacing": 1.5})  # fmt: skip
    compared(tmp_path / "a.tif", oracle)


@pytest.mark.parametrize("said", [
    {"spacing": -0.5}, {"spacing": 0}, {"finterval": 2}, {"finterval": 0}, {"finterval": 2, "tunit": "min"}, {"fps": 2},
])  # fmt: skip
def test_steps_of_imagej(tmp_path: Path, oracle: BioFormats, said: dict[str, object]):
    axes = "ZYX" if "spacing" in said else "TYX"
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(2, 4),
                     metadata={"axes": axes, "unit": "um", **said})  # fmt: skip
    compared(tmp_path / "a.tif", oracle)


@pytest.mark.parametrize("attributes", [
    'PhysicalSizeX="0.5"', 'PhysicalSizeX="0.5" PhysicalSizeXUnit="nm"', 'TimeIncrement="2" TimeIncrementUnit="ms"',
    'PhysicalSizeX="0.5" PhysicalSizeXUnit="um"', 'PhysicalSizeX="0.5" PhysicalSizeXUnit="micron"',
    'PhysicalSizeX="0"', 'PhysicalSizeY="-1"', 'PhysicalSizeZ="0"', 'TimeIncrement="2" TimeIncrementUnit="sec"',
])  # fmt: skip
@pytest.mark.parametrize("channel", ["", 'EmissionWavelength="525.5"', 'EmissionWavelength="0"'])
def test_ome_xml_that_bio_formats_refuses(tmp_path: Path, oracle: BioFormats, attributes: str, channel: str):
    """It then opens the file as plain TIFF: pages are time points."""
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYZCT" SizeX="30" SizeY="20" '
        f'SizeZ="3" SizeC="1" SizeT="1" {attributes}><Channel ID="Channel:0:0" SamplesPerPixel="1" {channel}/>'
        '<TiffData IFD="0" PlaneCount="3"/></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK, description=xml.encode(), metadata=None, photometric="minisblack")
    compared(tmp_path / "a.ome.tif", oracle)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("transparent", [False, True])
def test_png(tmp_path: Path, oracle: BioFormats, mode: str, transparent: bool):
    picture = Image.fromarray(STACK[0] if mode == "I;16" else np.moveaxis(STACK, 0, -1).astype("u1"))
    said = {"transparency": (1, 2, 3) if mode == "RGB" else 1} if transparent and mode in {"L", "P", "RGB"} else {}
    (picture if mode == "I;16" else picture.convert(mode)).save(tmp_path / "a.png", **said)
    compared(tmp_path / "a.png", oracle)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits(tmp_path: Path, oracle: BioFormats, bits: int):
    write_png(tmp_path / "a.png", np.arange(20 * 32).reshape(20, 32) % 2**bits, bits, palette=False)
    compared(tmp_path / "a.png", oracle)

"""What we write is a valid OME-TIFF for Bio-Formats too, whatever units and values the source has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import convert_image
import numpy as np
import pytest
import segment_objects
import tifffile
from lxml import etree
from ome_types import from_xml
from ome_types._conversion import OME_2016_06_XSD

from tests.oracle.bioformats import BioFormats, Series, checksum

Writer = Callable[[Path, Path], None]
MOVIE = np.random.default_rng(0).integers(0, 999, (2, 3, 40, 50)).astype("u2")


def convert(source: Path, output: Path, compression: str = "zlib", smaller: str = "mean") -> None:
    convert_image.main(
        [
            f"--image={source}", "--format=ome-tiff", f"--output={output}", f"--compression={compression}",
            f"--smaller={smaller}", "--check",
        ]
    )  # fmt: skip


def segment(source: Path, output: Path) -> None:
    segment_objects.main([f"--image={source}", f"--output={output}", "--method=otsu"])


def imagej(path: Path, **said: object) -> None:
    tifffile.imwrite(path, MOVIE, imagej=True, resolution=(2, 4), metadata={"axes": "TZYX", **said})


def ome(path: Path, attributes: str = "", channel: str = "", before: str = "", inside: str = "") -> None:
    """A valid OME-TIFF of `MOVIE` but for what is put into its XML."""
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'{before}<Image ID="Image:0" Name="movie">{inside}<Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYZCT" '
        f'SizeX="50" SizeY="40" SizeZ="3" SizeC="1" SizeT="2" {attributes}><Channel ID="Channel:0:0" '
        f'SamplesPerPixel="1" {channel}/><TiffData IFD="0" PlaneCount="6"/></Pixels></Image></OME>'
    )
    tifffile.imwrite(path, MOVIE, description=xml.encode(), metadata=None)


def read_valid(oracle: BioFormats, path: Path) -> Series:
    """What Bio-Formats sees, after the XML has passed the schema and ome-types."""
    with tifffile.TiffFile(path) as tiff:
        xml = str(tiff.ome_metadata)
    schema = etree.XMLSchema(etree.parse(OME_2016_06_XSD))
    assert schema.validate(etree.fromstring(xml.encode())), schema.error_log
    from_xml(xml)
    seen = oracle.read(path)
    assert seen.format == "OME-TIFF"
    assert len(seen.series) == 1
    return seen.series[0]


def assert_same_planes(series: Series, pixels: np.ndarray) -> None:
    """Compare with (T, C, Z, Y, X) pixels."""
    assert series.planes == {place: checksum(pixels[place]) for place in np.ndindex(pixels.shape[:3])}


WRITERS: dict[str, Writer] = {
    **{
        f"convert {compression} {smaller}": partial(convert, compression=compression, smaller=smaller)
        for compression in ("zlib", "none")
        for smaller in ("mean", "nearest")
    },
    "segment": segment,
}
# unit and tunit of ImageJ -> what OME calls them
IMAGEJ_UNITS = [
    ("um", "µm"), ("micron", "µm"), ("microns", "µm"), ("\\u00B5m", "µm"), ("nanometers", "nm"), ("nm", "nm"),
    ("mm", "mm"), ("cm", "cm"), ("meter", "m"), ("Angstrom", "Å"), ("furlong", None), ("sec", None),
]  # fmt: skip
IMAGEJ_TIMES = [
    ("s", "s"), ("sec", "s"), ("msec", "ms"), ("ms", "ms"), ("frame", None), ("frames", None), ("hr", "h"),
    ("min", "min"), ("minutes", "min"), ("usec", "µs"), ("\\u00B5s", "µs"), ("day", "d"), ("", "s"),
]  # fmt: skip
OME_UNITS = [("um", "µm"), ("micron", "µm"), ("\u03bcm", "µm"), ("nanometers", "nm"), ("furlong", None)]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(("unit", "symbol"), IMAGEJ_UNITS)
def test_lengths_of_imagej(tmp_path, oracle, writer, unit, symbol):
    imagej(tmp_path / "a.tif", unit=unit, spacing=1.5)
    WRITERS[writer](tmp_path / "a.tif", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.sizes == {"X": 50, "Y": 40, "Z": 3, "C": 1, "T": 2}
    assert series.physical == ({"x": (0.5, symbol), "y": (0.25, symbol), "z": (1.5, symbol)} if symbol else {})
    if writer != "segment":
        assert_same_planes(series, MOVIE[:, None])


@pytest.mark.parametrize("writer", ["convert zlib mean", "segment"])
@pytest.mark.parametrize(("unit", "symbol"), IMAGEJ_TIMES)
def test_times_of_imagej(tmp_path, oracle, writer, unit, symbol):
    imagej(tmp_path / "a.tif", finterval=500, tunit=unit)
    WRITERS[writer](tmp_path / "a.tif", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.sizes == {"X": 50, "Y": 40, "Z": 3, "C": 1, "T": 2}
    assert series.time_increment == ((500, symbol) if symbol else None)


@pytest.mark.parametrize("writer", ["convert zlib mean", "segment"])
@pytest.mark.parametrize(("unit", "symbol"), OME_UNITS)
def test_lengths_of_ome(tmp_path, oracle, writer, unit, symbol):
    ome(tmp_path / "a.ome.tif", f'PhysicalSizeX="0.5" PhysicalSizeXUnit="{unit}"')
    WRITERS[writer](tmp_path / "a.ome.tif", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.sizes == {"X": 50, "Y": 40, "Z": 3, "C": 1, "T": 2}
    assert series.physical == ({"x": (0.5, symbol)} if symbol else {})


@pytest.mark.parametrize("writer", ["convert zlib mean", "segment"])
@pytest.mark.parametrize(
    ("unit", "symbol"), [("sec", "s"), ("msec", "ms"), ("hr", "h"), ("frame", None), ("\u03bcs", "µs")]
)
def test_times_of_ome(tmp_path, oracle, writer, unit, symbol):
    ome(tmp_path / "a.ome.tif", f'TimeIncrement="2.0" TimeIncrementUnit="{unit}"')
    WRITERS[writer](tmp_path / "a.ome.tif", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.sizes == {"X": 50, "Y": 40, "Z": 3, "C": 1, "T": 2}
    assert series.time_increment == ((2, symbol) if symbol else None)

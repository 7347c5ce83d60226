"""What we write is a valid OME-TIFF for Bio-Formats too, whatever units and values the source has."""

from __future__ import annotations

import json
import shutil
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

from bioimage_suite.images.readers.opening import open_image
from tests.oracle.bioformats import BioFormats, OracleError, Series, checksum

DATA = Path(__file__).parents[2] / "test-data"
OF_IMAGE_INFO = DATA.parent / "tools" / "image" / "image_info" / "test-data"

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
    tifffile.imwrite(path, MOVIE, description=xml.encode(), metadata=None, photometric="minisblack")


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


INVALID = {
    "acquisition mode": {"channel": 'AcquisitionMode="Fluorescence"'},
    "wavelength 0": {"channel": 'EmissionWavelength="0"'},
    "colour": {"channel": 'Color="#FF0000"'},
    "date": {"inside": "<AcquisitionDate>2024/05/06 10:00</AcquisitionDate>"},
    "correction": {"before": '<Instrument ID="Instrument:0"><Objective ID="Objective:0" Correction="x"/></Instrument>'},
    "vendor element": {"before": '<x:Own xmlns:x="urn:x"><x:More/></x:Own>'},
    "z of 0": {"attributes": 'PhysicalSizeZ="0"'},
    "no unit": {"attributes": 'PhysicalSizeX="0.5" PhysicalSizeXUnit=""'},
    "reference to nothing": {"inside": '<InstrumentRef ID="Instrument:9"/>'},
    "samples": {"channel": ""},
}  # fmt: skip


@pytest.mark.parametrize("fault", INVALID)
def test_an_invalid_value_costs_itself_only(tmp_path, oracle, fault, capsys):
    ome(tmp_path / "a.ome.tif", **INVALID[fault])
    convert(tmp_path / "a.ome.tif", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.sizes == {"X": 50, "Y": 40, "Z": 3, "C": 1, "T": 2}
    assert_same_planes(series, MOVIE[:, None])
    assert ("NOTE: Image a.ome.tif" in capsys.readouterr().out) == (fault != "samples")


def test_an_older_schema_is_upgraded(tmp_path, oracle):
    before = '<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4" Model="Plan"/></Instrument>'
    inside = '<AcquisitionDate>2014-05-06T07:08:09</AcquisitionDate><InstrumentRef ID="Instrument:0"/>'
    ome(tmp_path / "a.ome.tif", 'PhysicalSizeX="0.5"', 'EmissionWavelength="509"', before, inside)
    data = (tmp_path / "a.ome.tif").read_bytes()
    (tmp_path / "a.ome.tif").write_bytes(data.replace(b"Schemas/OME/2016-06", b"Schemas/OME/2013-06"))
    convert(tmp_path / "a.ome.tif", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.physical == {"x": (0.5, "µm")}
    assert series.acquired == "2014-05-06T07:08:09"
    assert series.channels[0].emission == (509, "nm")
    assert series.objectives[0] == {"model": "Plan", "magnification": None, "lens_na": 1.4}


def test_facts_of_a_deltavision_file_are_written(tmp_path, oracle):
    """Lens and wavelengths are those that Bio-Formats finds in the file itself."""
    own = oracle.read(DATA / "made.dv").series[0]
    convert(DATA / "made.dv", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.planes == own.planes
    assert [one.emission for one in series.channels] == [one.emission for one in own.channels]
    assert [one.excitation for one in series.channels] == [one.excitation for one in own.channels]
    assert series.objectives[0]["magnification"] == own.objectives[0]["magnification"]
    assert series.objectives[0]["lens_na"] == own.objectives[0]["lens_na"]


def test_facts_of_a_slide_are_written(tmp_path, oracle):
    from tests.unit.images.tiff_dialect_files import write_svs

    pixels = write_svs(tmp_path / "a.svs")
    convert(tmp_path / "a.svs", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.rgb
    assert [series.planes[0, c, 0] for c in range(3)] == [checksum(pixels[..., c]) for c in range(3)]
    assert series.acquired is not None
    assert series.objectives[0]["magnification"] == 20


@pytest.mark.parametrize(
    "file", [*(DATA / f"made.{kind}" for kind in ("czi", "lif", "nd2")), *sorted(OF_IMAGE_INFO.glob("made.*"))],
    ids=lambda path: path.name,
)  # fmt: skip
def test_makers_formats_are_written_valid(tmp_path, oracle, file):
    convert(file, tmp_path / "b.ome.tiff")
    image = open_image(file)
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    places = np.ndindex(image.size_t, image.size_c, image.size_z)
    assert series.planes == {place: checksum(image.read_plane(*place)) for place in places}
    assert series.rgb == (image.read_interleaved is not None)
    assert series.rgb or [one.name for one in series.channels] == image.channel_labels()
    assert {axis: size[0] for axis, size in series.physical.items()} == {
        axis: pytest.approx(size.value) for axis, size in image.physical_size.items()
    }


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_stays_colour(tmp_path, oracle, planar):
    shape = (600, 700, 3) if planar == "contig" else (3, 600, 700)
    pixels = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", planarconfig=planar, metadata=None)
    convert(tmp_path / "a.tif", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert (series.rgb, series.sizes["C"], series.levels) == (True, 3, 2)
    planes = [pixels[..., c] if planar == "contig" else pixels[c] for c in range(3)]
    assert [series.planes[0, c, 0] for c in range(3)] == [checksum(plane) for plane in planes]


def test_the_colour_of_a_czi_stays_colour(tmp_path, oracle):
    from pylibCZIrw import czi

    pixels = np.random.default_rng(1).integers(0, 255, (60, 70, 3), dtype=np.uint8)  # blue, green, red
    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        document.write(pixels, plane={"C": 0})
        document.write_metadata("made")
    convert(tmp_path / "a.czi", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.rgb
    expected = {(0, c, 0): checksum(pixels[..., 2 - c]) for c in range(3)}
    assert series.planes == oracle.read(tmp_path / "a.czi").series[0].planes == expected


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_every_pixel_type(tmp_path, oracle, dtype):
    pixels = (np.arange(1200).reshape(1, 1, 1, 30, 40) % 120).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels[0, 0, 0], photometric="minisblack", metadata=None)
    convert(tmp_path / "a.tif", tmp_path / "b.ome.tiff")
    assert_same_planes(read_valid(oracle, tmp_path / "b.ome.tiff"), pixels)


@pytest.mark.parametrize("bad", ["\x00", "\x07", "\ufffe", "\ud800"])
@pytest.mark.parametrize("writer", ["convert zlib mean", "segment"])
def test_names_that_no_xml_can_hold(tmp_path, oracle, writer, bad):
    """JSON holds them, and so OME-Zarr may."""
    ome(tmp_path / "a.ome.tif", channel='Name="DAPI"')
    convert_image.main([f"--image={tmp_path / 'a.ome.tif'}", "--format=ome-zarr-0.5", f"--output={tmp_path / 'z'}"])
    shutil.rmtree(tmp_path / "z" / "OME")
    said = json.loads((tmp_path / "z" / "zarr.json").read_text())
    said["attributes"]["ome"]["omero"]["channels"][0]["label"] = f"a{bad}b"
    (tmp_path / "z" / "zarr.json").write_text(json.dumps(said))
    WRITERS[writer](tmp_path / "z", tmp_path / "b.ome.tiff")
    series = read_valid(oracle, tmp_path / "b.ome.tiff")
    assert series.sizes == {"X": 50, "Y": 40, "Z": 3, "C": 1, "T": 2}
    if writer != "segment":
        assert series.channels[0].name == "a\N{REPLACEMENT CHARACTER}b"


def test_complex_numbers_are_written_with_a_word_of_warning(tmp_path, oracle, capsys):
    tifffile.imwrite(tmp_path / "a.tif", MOVIE[0].astype("c8"), photometric="minisblack", metadata=None)
    convert(tmp_path / "a.tif", tmp_path / "b.ome.tiff")
    assert "but Bio-Formats, and so OMERO, does not" in capsys.readouterr().out
    np.testing.assert_array_equal(open_image(tmp_path / "b.ome.tiff").read_plane(1), MOVIE[0, 1])
    with pytest.raises(OracleError, match="Unknown type: 'complex'"):
        oracle.read(tmp_path / "b.ome.tiff")

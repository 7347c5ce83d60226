"""TIFF of makers' own kinds: what their own tags say survives. The files are made here, by what tifffile reads."""

import csv
import struct
from pathlib import Path

import convert_image
import image_info
import numpy as np
import pytest
import tifffile

from bioimage_suite.images.image_file import ImageFile
from bioimage_suite.images.opening import open_image

APERIO = (
    "Aperio Image Library v11.2.1 \r\n300x256 (128x128) J2K/YUV16 Q=70|AppMag = 20|ScanScope ID = CS1|"
    "Date = 12/29/09|Time = 09:59:15|MPP = {size}"
)
METASERIES = """<MetaData><PlaneInfo>
<prop id="spatial-calibration-state" type="bool" value="on"/>
<prop id="spatial-calibration-x" type="float" value="0.65"/>
<prop id="spatial-calibration-y" type="float" value="0.65"/>
<prop id="spatial-calibration-units" type="string" value="um"/>
<prop id="acquisition-time-local" type="time" value="20200131 10:11:12.5"/>
<prop id="wavelength" type="float" value="461"/>
<prop id="_IllumSetting_" type="string" value="DAPI"/>
<prop id="_MagSetting_" type="string" value="10X Plan Apo"/>
<prop id="_MagNA_" type="float" value="0.45"/>
</PlaneInfo></MetaData>"""


def write_svs(path: Path, size: str = "0.499") -> np.ndarray:
    """A slide of three pages: the scan, a thumbnail, and the scan at half size."""
    pixels = np.random.default_rng(0).integers(0, 255, (256, 300, 3), dtype=np.uint8)
    text = APERIO.format(size=size)
    with tifffile.TiffWriter(path) as tiff:
        for step, tile in ((1, (128, 128)), (4, None), (2, (128, 128))):
            page = pixels[::step, ::step]
            tiff.write(page, tile=tile, description=text, metadata=None, photometric="rgb")
    return pixels


def write_metaseries(path: Path) -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 4095, (30, 40), dtype=np.uint16)
    tifffile.imwrite(path, pixels, description=METASERIES, software="MetaSeries", metadata=None)
    return pixels


def write_lsm(path: Path, names: tuple[str, ...], planar: str = "separate") -> np.ndarray:
    """A stack of three planes with three channels a page, a thumbnail after each; returns (C, Z, Y, X)."""
    pixels = np.random.default_rng(0).integers(0, 255, (3, 3, 24, 32), dtype=np.uint8)
    kinds = np.dtype([one for one in tifffile.TIFF.CZ_LSMINFO if one[0]]).newbyteorder("<")
    info = np.zeros((), kinds)
    said = {"MagicNumber": 67127628, "StructureSize": kinds.itemsize, "DimensionX": 32, "DimensionY": 24,
            "DimensionZ": 3, "DimensionChannels": 3, "DimensionTime": 1, "VoxelSizeX": 1e-7, "VoxelSizeY": 1e-7,
            "VoxelSizeZ": 5e-7, "TimeIntervall": 2.5, "ScanType": 0}  # fmt: skip
    for name, value in said.items():
        info[name] = value
    letters = b"".join(struct.pack("<I", len(name) + 1) + name.encode() + b"\0" for name in names)
    at = 24 + 4 * len(names)
    colours = struct.pack("<6I", at + len(letters) + 4, len(names), len(names), 24, at, 0) + bytes(at - 24) + letters
    lens = b"Plan-Apochromat 63x/1.4\0"
    scan = struct.pack("<3I", 0x10000000, 0, 0) + struct.pack("<3I", 0x10000004, 2, len(lens)) + lens
    scan += struct.pack("<3Id", 0x10000036, 5, 8, 43000.5) + struct.pack("<3I", 0xFFFFFFFF, 0, 0)

    def write(offset: int) -> None:
        if names:
            info["OffsetChannelColors"] = offset
        info["OffsetScanInformation"] = offset + len(colours) + 4
        tags = [(34412, "B", kinds.itemsize, info.tobytes(), True)]
        with tifffile.TiffWriter(path) as tiff:
            for z in range(3):
                page = pixels[:, z] if planar == "separate" else np.moveaxis(pixels[:, z], 0, -1)
                tiff.write(page, photometric="minisblack", planarconfig=planar, metadata=None, extratags=tags)
                small = pixels[:, z, ::4, ::4]
                tiff.write(small, photometric="minisblack", planarconfig="separate", metadata=None, subfiletype=1)
                tags = []
        with path.open("ab") as stream:
            stream.write(bytes(4) + colours + bytes(4) + scan + bytes(64))

    write(0)
    size = path.stat().st_size - 64 - len(scan) - 4 - len(colours)
    write(size)
    return pixels


def facts_of(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    image_info.main(["--image", str(path), "--output", str(path) + ".tsv"])
    with Path(str(path) + ".tsv").open(encoding="utf-8") as stream:
        return {(row["object"], row["property"]): (row["value"], row["unit"])
                for row in csv.DictReader(stream, delimiter="\t")}  # fmt: skip


def planes(image: ImageFile) -> np.ndarray:
    return np.stack([[image.read_plane(0, c, z) for z in range(image.size_z)] for c in range(image.size_c)])


def test_a_slide_of_aperio(tmp_path):
    pixels = write_svs(tmp_path / "a.svs")
    facts = facts_of(tmp_path / "a.svs")
    assert facts["image", "Format"] == ("Aperio SVS", "")
    assert facts["image", "ResolutionLevels"] == ("2", "")
    assert facts["image", "AcquisitionDate"] == ("2009-12-29T09:59:15", "")
    assert facts["pixels", "PhysicalSizeX"] == facts["pixels", "PhysicalSizeY"] == ("0.499", "µm")
    assert facts["objective", "NominalMagnification"] == ("20", "")
    assert facts["microscope", "Model"] == ("CS1", "")
    convert_image.main([f"--image={tmp_path / 'a.svs'}", "--format=ome-tiff", f"--output={tmp_path / 'b'}", "--check"])
    made = open_image(tmp_path / "b")
    np.testing.assert_array_equal(np.moveaxis(planes(made)[:, 0], 0, -1), pixels)
    assert made.micrometres("y") == 0.499
    assert made.channels == ("Red", "Green", "Blue")


@pytest.mark.parametrize("size", ["-0.5", "0"])
def test_a_slide_whose_pixels_have_no_size(tmp_path, size, capsys):
    write_svs(tmp_path / "a.svs", size)
    assert open_image(tmp_path / "a.svs").physical_size == {}
    assert "NOTE: Image a.svs: the physical size along x is" in capsys.readouterr().out


def test_a_plane_of_metaseries(tmp_path):
    pixels = write_metaseries(tmp_path / "a.tif")
    facts = facts_of(tmp_path / "a.tif")
    assert facts["image", "Format"] == ("MetaSeries TIFF", "")
    assert facts["pixels", "PhysicalSizeX"] == ("0.65", "µm")
    assert facts["channel 0", "Name"] == ("DAPI", "")
    assert facts["channel 0", "EmissionWavelength"] == ("461", "nm")
    assert facts["objective", "Model"] == ("10X Plan Apo", "")
    assert facts["objective", "LensNA"] == ("0.45", "")
    assert facts["image", "AcquisitionDate"][0].startswith("2020-01-31T10:11:12")
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").read_plane(), pixels)


@pytest.mark.parametrize("planar", ["separate", "contig"])
@pytest.mark.parametrize("names", [("Ch1", "ChS1", "T-PMT"), ()])
def test_a_stack_of_zeiss(tmp_path, planar, names):
    pixels = write_lsm(tmp_path / "a.lsm", names, planar)
    image = open_image(tmp_path / "a.lsm")
    assert (image.size_t, image.size_c, image.size_z) == (1, 3, 3)
    assert image.channels == (names or (None,) * 3)
    np.testing.assert_array_equal(planes(image), pixels)
    facts = facts_of(tmp_path / "a.lsm")
    assert facts["image", "Format"] == ("Zeiss LSM", "")
    assert facts["pixels", "PhysicalSizeX"] == ("0.1", "µm")
    assert facts["pixels", "PhysicalSizeZ"] == ("0.5", "µm")
    assert facts["pixels", "TimeIncrement"] == ("2.5", "s")
    assert facts["objective", "Model"] == ("Plan-Apochromat 63x/1.4", "")
    assert facts["image", "AcquisitionDate"] == ("2017-09-22T12:00:00", "")


def test_an_lsm_keeps_its_channels_in_an_ome_tiff(tmp_path):
    pixels = write_lsm(tmp_path / "a.lsm", ("Ch1", "ChS1", "T-PMT"), "contig")
    convert_image.main([f"--image={tmp_path / 'a.lsm'}", "--format=ome-tiff", f"--output={tmp_path / 'b'}", "--check"])
    made = open_image(tmp_path / "b")
    assert made.channels == ("Ch1", "ChS1", "T-PMT")
    np.testing.assert_array_equal(planes(made), pixels)

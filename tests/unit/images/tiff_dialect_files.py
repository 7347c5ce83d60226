"""TIFF files as Aperio, MetaSeries and Zeiss write them, made by what tifffile reads."""

import struct
from pathlib import Path

import numpy as np
import tifffile

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

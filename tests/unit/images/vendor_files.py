"""Small files of microscope makers' formats: CZI by Zeiss' own writer; DV, LIF and ND2 as much as their readers need.

`python -m tests.unit.images.vendor_files FOLDER` writes `made.czi`, `made.dv`, `made.lif` and `made.nd2` of test-data/.
No maker's own file may be redistributed here. CZI is written by Zeiss' library (pylibCZIrw) and given metadata like
those of a real acquisition; DV, LIF and ND2 are laid out by hand, as the sources of their readers (mrc, liffile,
nd2) say.
"""

import struct
import sys
from pathlib import Path

import numpy as np

CZI_METADATA = """<?xml version="1.0"?><ImageDocument><Metadata><Information>
<Document><CreationDate>2024-05-06T07:08:09Z</CreationDate><UserName>Ada</UserName></Document>
<Image><SizeX>{x}</SizeX><SizeY>{y}</SizeY><SizeC>{c}</SizeC><SizeZ>{z}</SizeZ><SizeT>{t}</SizeT>
<PixelType>Gray16</PixelType><ComponentBitCount>16</ComponentBitCount>
<AcquisitionDateAndTime>2024-05-06T07:08:09Z</AcquisitionDateAndTime>
<ObjectiveSettings><ObjectiveRef Id="Objective:1"/></ObjectiveSettings>
<Dimensions><Channels>{channels}</Channels></Dimensions></Image>
<Instrument Id="Instrument:0"><Microscopes><Microscope Id="Microscope:1" Name="Axio Observer"><System>Axio</System>
</Microscope></Microscopes><Objectives><Objective Id="Objective:1" Name="Plan-Apochromat 63x/1.4 Oil"><Manufacturer>
<Model>Plan-Apochromat 63x/1.4 Oil</Model></Manufacturer>
<LensNA>1.4</LensNA><NominalMagnification>63</NominalMagnification><Immersion>Oil</Immersion></Objective></Objectives></Instrument>
</Information><Scaling><Items><Distance Id="X"><Value>1e-07</Value></Distance>
<Distance Id="Y"><Value>2e-07</Value></Distance>
<Distance Id="Z"><Value>5e-07</Value></Distance></Items></Scaling></Metadata></ImageDocument>"""
CZI_CHANNEL = """<Channel Id="Channel:{n}" Name="{name}"><EmissionWavelength>{emission}</EmissionWavelength>
<ExcitationWavelength>{excitation}</ExcitationWavelength><AcquisitionMode>WideField</AcquisitionMode>
<IlluminationType>Epifluorescence</IlluminationType><Fluor>{name}</Fluor><PixelType>Gray16</PixelType>
<ComponentBitCount>16</ComponentBitCount></Channel>"""


def made_pixels() -> np.ndarray:
    """What the files hold: 2 time points, 2 channels, 3 z-planes of 24 x 30 pixels, each with a number of its own."""
    return np.arange(2 * 2 * 3 * 24 * 30, dtype=np.uint16).reshape(2, 2, 3, 24, 30)


def write_czi(path: Path, pixels: np.ndarray) -> None:
    """Write (T, C, Z, Y, X) uint16 pixels of the two channels DAPI and EGFP."""
    from pylibCZIrw import czi

    t, c, z, y, x = pixels.shape
    with czi.create_czi(str(path)) as document:
        for at in np.ndindex(t, c, z):
            document.write(pixels[at][..., None], plane=dict(zip("TCZ", at, strict=True)))
        document.write_metadata("made", channel_names={0: "DAPI", 1: "EGFP"})
    channels = "".join(
        CZI_CHANNEL.format(n=n, name=name, emission=emission, excitation=excitation)
        for n, (name, emission, excitation) in enumerate([("DAPI", 465, 353), ("EGFP", 509, 488)][:c])
    )
    xml = CZI_METADATA.format(t=t, c=c, z=z, y=y, x=x, channels=channels).encode()
    data = bytearray(path.read_bytes())
    # A metadata segment at the end takes the place of the writer's own: the file header says where it is.
    place = -(-len(data) // 32) * 32
    data += bytes(place - len(data))
    size = 256 + len(xml)
    data += struct.pack("<16sqq", b"ZISRAWMETADATA", size, size) + struct.pack("<ii", len(xml), 0) + bytes(248) + xml
    data[92:100] = struct.pack("<q", place)
    path.write_bytes(data)


def write_czi_axis(path: Path, pixels: np.ndarray, axis: str) -> None:
    """Write (n, C, Y, X) uint16 pixels along an axis that Zeiss' library does not write: `H`, `I`, `R`, `V` or `B`.

    They are written along time, and its letter is replaced in each entry of the directory.
    """
    from pylibCZIrw import czi

    with czi.create_czi(str(path)) as document:
        for n, c in np.ndindex(pixels.shape[:2]):
            document.write(pixels[n, c][..., None], plane={"T": n, "C": c})
        document.write_metadata("made")
    letter = axis.encode()
    data = path.read_bytes().replace(b"T\0\0\0", letter + b"\0\0\0")
    path.write_bytes(data.replace(b"SizeT>", b"Size" + letter + b">"))


DV_MODES = {"u1": 0, "i2": 1, "f4": 2, "c8": 4, "u2": 6, "i4": 7}


def write_dv(path: Path, pixels: np.ndarray, axes: str = "TCZ", order: str = "<", extended: bool = True) -> None:
    """Write (T, C, Z, Y, X) pixels of two channels, as softWoRx does: 8 integers and 32 numbers of each plane.

    The file begins with the last row: its origin is the lower left corner.

    Args:
        path: The file.
        pixels: What it holds.
        axes: How planes follow each other, the last axis fastest: `CTZ`, `TZC` or `TCZ`.
        order: Of bytes: `<` or `>`.
        extended: Whether what is said of each plane is written.
    """
    t, c, z, y, x = pixels.shape
    places = list(np.ndindex(*(dict(zip("TCZ", (t, c, z), strict=True))[axis] for axis in axes)))
    frames = b""
    for place in places if extended else []:
        at = dict(zip(axes, place, strict=True))
        said = [0.0, 30.0 * at["T"], 0, 0, 0.5 * at["Z"], 0, 0, 0, 0.1, 0, (353, 488)[at["C"]], (465, 509)[at["C"]]]
        frames += struct.pack(f"{order}8i32f", *[0] * 8, *said, *[0] * 20)
    header = bytearray(1024)
    kind = pixels.dtype.str[1:]
    values = (
        (0, "4i", (x, y, len(places), DV_MODES[kind])), (40, "3f", (0.1, 0.2, 0.5)), (64, "3i", (1, 2, 3)),
        (92, "i", (len(frames),)), (96, "h", (-16224,)), (128, "2h", (8, 32)), (162, "h", (10602,)),
        (180, "2h", (t, ("CTZ", "TZC", "TCZ").index(axes))), (196, "3h", (c, 465, 509)),
    )  # fmt: skip
    for at, form, content in values:
        struct.pack_into(order + form, header, at, *content)
    planes = pixels[..., ::-1, :].transpose(*("TCZ".index(axis) for axis in axes), 3, 4)
    path.write_bytes(bytes(header) + frames + planes.astype(f"{order}{kind}").tobytes())


def write_lif(path: Path, pixels: np.ndarray, images: int = 1, z_step: float = 5e-7) -> None:
    """Write (T, C, Z, Y, X) uint8 or uint16 pixels; each further image has them one grey level higher."""
    t, c, z, y, x = pixels.shape
    item = pixels.dtype.itemsize
    steps = {"x": item, "y": item * x, "c": item * x * y, "z": item * x * y * c, "t": item * x * y * c * z}
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{8 * item}" NameOfMeasuredQuantity="" '
        f'Min="0" Max="255" Unit="" LUTName="{("Blue", "Green")[n]}" IsLUTInverted="0" '
        f'BytesInc="{n * steps["c"]}" BitInc="0"/>'
        for n in range(c)
    )
    dimensions = "".join(
        f'<DimensionDescription DimID="{number}" NumberOfElements="{count}" Origin="0" Length="{(count - 1) * step}" '
        f'Unit="{unit}" BitInc="0" BytesInc="{steps[axis]}"/>'
        for axis, number, count, step, unit in (
            ("x", 1, x, 1e-7, "m"), ("y", 2, y, 2e-7, "m"), ("z", 3, z, z_step, "m"), ("t", 4, t, 30, "s")
        )
    )  # fmt: skip
    blocks = [(pixels + n).astype(pixels.dtype).swapaxes(1, 2).tobytes() for n in range(images)]
    _write_lif_file(path, channels, dimensions, blocks)


LIF_AXES = {"X": 1, "Y": 2, "Z": 3, "T": 4, "L": 5, "R": 6, "M": 10}
LIF_STEPS = {"X": 1e-7, "Y": 2e-7, "Z": 5e-7, "T": 30.0, "L": 1e-8, "R": 1.0, "M": 1.0}


def write_lif_scan(path: Path, pixels: np.ndarray, axes: str) -> None:
    """Write an image that a laser scanned along any axes, the slowest first: `CZX`, `TCX`.

    `L` are wavelengths, `R` rotations, `M` the tiles of a mosaic.
    """
    strides = dict(zip(axes, pixels.strides, strict=True))
    count = dict(zip(axes, pixels.shape, strict=True)).get("C", 1)
    channels = "".join(_lif_channel(pixels, n * strides.get("C", 0), ("Blue", "Green")[n]) for n in range(count))
    dimensions = "".join(
        _lif_dimension(axis, count, strides[axis])
        for axis, count in reversed(list(zip(axes, pixels.shape, strict=True)))
        if axis != "C"
    )
    _write_lif_file(path, channels, dimensions, [pixels.tobytes()])


def write_lif_colours(path: Path, pixels: np.ndarray, tags: tuple[int, int, int] = (3, 2, 1), padding: int = 0) -> None:
    """Write a (Y, X, 3) picture whose samples stand in the order of their tags (1 red, 2 green, 3 blue).

    Args:
        path: The file.
        pixels: Red, green and blue.
        tags: Of the samples; 0 for one of no known colour.
        padding: Bytes behind each row.
    """
    order = [tag - 1 for tag in tags] if 0 not in tags else [2, 1, 0]
    rows = np.pad(pixels[..., order].reshape(len(pixels), -1), ((0, 0), (0, padding // pixels.itemsize)))
    channels = "".join(_lif_channel(pixels, n * pixels.itemsize, "", tag) for n, tag in enumerate(tags))
    strides = {"X": 3 * pixels.itemsize, "Y": rows.strides[0]}
    sizes = {"X": pixels.shape[1], "Y": pixels.shape[0]}
    dimensions = "".join(_lif_dimension(axis, sizes[axis], strides[axis]) for axis in "XY")
    _write_lif_file(path, channels, dimensions, [rows.tobytes()])


def _lif_channel(pixels: np.ndarray, offset: int, colour: str, tag: int = 0) -> str:
    return (
        f'<ChannelDescription DataType="{int(pixels.dtype.kind == "f")}" ChannelTag="{tag}" '
        f'Resolution="{8 * pixels.itemsize}" NameOfMeasuredQuantity="" Min="0" Max="255" Unit="" LUTName="{colour}" '
        f'IsLUTInverted="0" BytesInc="{offset}" BitInc="0"/>'
    )


def _lif_dimension(axis: str, count: int, stride: int) -> str:
    unit = "s" if axis == "T" else "m"
    return (
        f'<DimensionDescription DimID="{LIF_AXES[axis]}" NumberOfElements="{count}" Origin="0" '
        f'Length="{(count - 1) * LIF_STEPS[axis]}" Unit="{unit}" BitInc="0" BytesInc="{stride}"/>'
    )


def _write_lif_file(path: Path, channels: str, dimensions: str, blocks: list[bytes]) -> None:
    identifiers = ["a", "b", *(f"b{number}" for number in range(2, len(blocks) + 1))]
    elements = "".join(
        f'<Element Name="Series {number}" Visibility="1" UniqueID="{identifiers[number]}"><Data><Image>'
        f"<ImageDescription><Channels>{channels}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>"
        f'<Memory Size="{len(block)}" MemoryBlockID="MemBlock_{number}"/></Element>'
        for number, block in enumerate(blocks, 1)
    )
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="made.lif" Visibility="1" UniqueID="a"><Data>'
        '<Experiment Path=""/></Data><Memory Size="0" MemoryBlockID="MemBlock_0"/><Children>'
        f"{elements}</Children></Element></LMSDataContainerHeader>"
    )
    header = xml.encode("utf-16-le")
    parts = [struct.pack("<IIBI", 0x70, len(header) + 5, 0x2A, len(header) // 2), header]
    for number, content in enumerate([b"", *blocks]):
        label = f"MemBlock_{number}".encode("utf-16-le")
        parts += [
            struct.pack("<IIBQBI", 0x70, len(label) + 14, 0x2A, len(content), 0x2A, len(label) // 2),
            label,
            content,
        ]
    path.write_bytes(b"".join(parts))


def write_nd2(path: Path, pixels: np.ndarray, positions: int = 1) -> None:
    """Write (T, C, Z, Y, X) uint16 pixels as an ND2 file of NIS-Elements 4 (version 3.0 of the format).

    Of several positions of the stage, each time point has the pixels of all, one after the other along T.
    """
    frames, c, z, y, x = pixels.shape
    t = frames // positions
    attributes = {
        "uiWidth": x, "uiHeight": y, "uiWidthBytes": 2 * x * c, "uiComp": c, "uiBpcInMemory": 16,
        "uiBpcSignificant": 12, "uiSequenceCount": frames * z, "uiTileWidth": x, "uiTileHeight": y, "eCompression": 2,
        "dCompressionParam": 0.0, "uiQuality": 0,
    }  # fmt: skip
    planes = {
        f"a{n}": {
            "uiCompCount": 1, "uiSampleIndex": n, "sDescription": name, "uiColor": color, "uiModalityMask": 1,
            "pFluorescentProbe": {
                "m_ExcitationSpectrum": _line(excitation), "m_EmissionSpectrum": _line(emission),
            },
        }
        for n, (name, color, excitation, emission) in enumerate(
            [("DAPI", 0xFF0000, 353.0, 465.0), ("EGFP", 0x00FF00, 488.0, 509.0)][:c]
        )
    }  # fmt: skip
    picture = {
        "bCalibrated": True, "dCalibration": 0.1, "dTimeAbsolute": 2460437.0, "dTimeMSec": 0.0, "dObjectiveMag": 63.0,
        "dObjectiveNA": 1.4, "wsObjectiveName": "Plan Apo 63x", "sPicturePlanes": {
            "uiCount": c, "uiCompCount": c, "sPlaneNew": planes},
    }  # fmt: skip
    stack = {"eType": 4, "uLoopPars": {"uiCount": z, "dZLow": 0.0, "dZHigh": 0.5 * (z - 1), "dZStep": 0.5}}
    if positions > 1:
        points = {
            f"p{n}": {"dPosX": 1.0 * n, "dPosY": 0.0, "dPosZ": 0.0, "pPosName": f"A{n}"} for n in range(positions)
        }
        stack = {"eType": 2, "uLoopPars": {"uiCount": positions, "Points": points}, "ppNextLevelEx": {"": stack}}
    loops = {
        "eType": 1,
        "uLoopPars": {"uiCount": t, "dStart": 0.0, "dPeriod": 30000.0, "dDuration": 30000.0 * t},
        "ppNextLevelEx": {"": stack},
    }
    chunks = {
        "ImageAttributesLV!": _variant({"SLxImageAttributes": attributes}),
        "ImageMetadataLV!": _variant({"SLxExperiment": loops}),
        "ImageMetadataSeqLV|0!": _variant({"SLxPictureMetadata": picture}),
        "CustomData|AcqTimesCache!": np.repeat(np.arange(t) * 30000.0, positions * z).tobytes(),
    }
    every = np.moveaxis(pixels, 1, -1).reshape(frames * z, y, x, c)
    chunks |= {f"ImageDataSeq|{n}!": bytes(8) + plane.tobytes() for n, plane in enumerate(every)}
    data = bytearray(_chunk(b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver3.0".ljust(64, b"\0"), 32))
    places = []
    for name, content in chunks.items():
        places.append((name.encode(), len(data), len(content)))
        data += _chunk(name.encode(), content, 4072)
    table = b"".join(name + struct.pack("<QQ", *where) for name, *where in places)
    where = len(data)
    data += _chunk(b"ND2 FILEMAP SIGNATURE NAME 0001!", table + b"ND2 CHUNK MAP SIGNATURE 0000001!", 4080)
    path.write_bytes(bytes(data) + b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", where))


def _line(wavelength: float) -> dict[str, object]:
    return {"uiCount": 1, "pPoint": {"Point0": {"dTValue": 1.0, "dWavelength": wavelength}}}


def _chunk(name: bytes, content: bytes, reserved: int) -> bytes:
    return struct.pack("<IIQ", 0x0ABECEDA, reserved, len(content)) + name.ljust(reserved, b"\0") + content


def _variant(values: dict[str, object]) -> bytes:
    """Nikon's "lite variant": type, length of the name, name in UTF-16, value; a dictionary is a level."""
    out = b""
    for name, value in values.items():
        label = (name + "\0").encode("utf-16-le")
        start = struct.pack("<BB", {bool: 1, int: 3, float: 6, str: 8, dict: 11}[type(value)], len(label) // 2) + label
        if isinstance(value, dict):
            inside = _variant(value)
            out += (
                start + struct.pack("<IQ", len(value), len(start) + 12 + len(inside)) + inside + bytes(8 * len(value))
            )
        elif isinstance(value, str):
            out += start + (value + "\0").encode("utf-16-le")
        else:
            out += start + struct.pack({bool: "<B", int: "<I", float: "<d"}[type(value)], value)
    return out


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "made.czi").unlink(missing_ok=True)  # its writer replaces nothing
    write_czi(folder / "made.czi", made_pixels())
    write_dv(folder / "made.dv", made_pixels())
    write_lif(folder / "made.lif", made_pixels())
    write_nd2(folder / "made.nd2", made_pixels())

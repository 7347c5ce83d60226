"""Small files of formats that a package of their own reads, written as their definitions say."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

ICS_NUMBERS = {"u": ("integer", "unsigned"), "i": ("integer", "signed"), "f": ("real", "signed")}


def write_mrc(path: Path, volume: np.ndarray, size: tuple[float, float, float] = (1.5, 2.5, 3.5)) -> None:
    """Write (Z, Y, X) pixels, the first row first, with the sizes of a voxel along x, y, z in ångström."""
    import mrcfile

    with mrcfile.new(path) as file:
        file.set_data(volume)
        file.voxel_size = size


def write_nrrd(path: Path, pixels: np.ndarray, encoding: str = "raw", **header: object) -> None:
    """Write an array, its last axis fastest."""
    import nrrd

    nrrd.write(str(path), pixels, {"encoding": encoding, **header}, index_order="C")


def write_ics(path: Path, pixels: np.ndarray, axes: str, *, packed: bool = False, version: int = 2) -> None:
    """Write an array with the axes `TCZYX` in any order, the last fastest: 0.1 x 0.2 x 0.3 µm, 4 s; little-endian."""
    names = [{"C": "ch"}.get(axis, axis.lower()) for axis in reversed(axes)]
    scales = [{"x": "0.1", "y": "0.2", "z": "0.3", "ch": "1", "t": "4"}[name] for name in names]
    units = [{"ch": "relative", "t": "seconds"}.get(name, "micrometers") for name in names]
    item = pixels.dtype.itemsize
    form, sign = ICS_NUMBERS[pixels.dtype.kind]
    lines = [
        ["ics_version", f"{version}.0"], ["filename", "made"], ["layout", "parameters", str(len(names) + 1)],
        ["layout", "order", "bits", *names], ["layout", "sizes", str(8 * item), *map(str, pixels.shape[::-1])],
        ["layout", "significant_bits", str(8 * item)], ["representation", "format", form],
        ["representation", "sign", sign],
        ["representation", "compression", "gzip" if packed else "uncompressed"],
        ["representation", "byte_order", *(str(n + 1) for n in range(item))],
        ["parameter", "scale", "1", *scales], ["parameter", "units", "bits", *units],
    ]  # fmt: skip
    header = "\t\n" + "".join("\t".join(line) + "\n" for line in lines)
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    data = gzip.compress(data) if packed else data
    if version == 2:
        path.write_bytes(f"{header}end\n".encode() + data)
    else:
        path.write_text(header)
        path.with_suffix(".ids").write_bytes(data)


def write_gif(path: Path, frames: np.ndarray, *, one_palette: bool = True) -> None:
    """Write (T, Y, X) numbers of palette entries: one palette for all, or grey levels with a palette each."""
    height, width = frames.shape[1:]
    colours = np.random.default_rng(5).integers(0, 255, 768, dtype=np.uint8).tobytes()
    parts = [b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + colours]
    for frame in frames:
        order = np.random.default_rng(frame.sum()).permutation(256).astype(np.uint8)
        palette = b"" if one_palette else np.repeat(np.argsort(order).astype(np.uint8), 3).tobytes()
        numbers = frame if one_palette else order[frame]
        parts += [b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0x87 if palette else 0) + palette + b"\x08"]
        packed = _gif_codes(numbers.ravel())
        parts += [bytes([len(block)]) + block for n in range(0, len(packed), 255) if (block := packed[n : n + 255])]
        parts.append(b"\0")
    path.write_bytes(b"".join([*parts, b"\x3b"]))


def _gif_codes(numbers: np.ndarray) -> bytes:
    """Return bytes as codes of 9 bits; the table of LZW is cleared before it would need a tenth bit."""
    codes: list[int] = []
    for start in range(0, len(numbers), 250):
        codes += [256, *numbers[start : start + 250].tolist()]
    bits = (np.array([*codes, 257])[:, None] >> np.arange(9)) & 1
    return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def write_bmp(path: Path, numbers: np.ndarray, bits: int, *, upwards: bool = True, grey: bool = False) -> None:
    """Write (Y, X) numbers of palette entries of 1, 4 or 8 bits."""
    height, width = numbers.shape
    stride = -(-width * bits // 32) * 4
    each = np.unpackbits(numbers.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
    rows = [np.packbits(row).tobytes().ljust(stride, b"\0") for row in each]
    body = b"".join(reversed(rows) if upwards else rows)
    palette = b"".join(bytes([n, n, n, 0] if grey else [255 - n, n, n // 2, 0]) for n in range(2**bits))
    start = 54 + len(palette)
    header = struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start)
    described = (40, width, height if upwards else -height, 1, bits, 0, len(body), 0, 0, 2**bits, 0)
    path.write_bytes(header + struct.pack("<IiiHHIIiiII", *described) + palette + body)


def write_imaris(path: Path, pixels: np.ndarray, unit: str = "um", **said: object) -> None:
    """Write (T, C, Z, Y, X) pixels of 0.5 x 0.25 x 2 units, a minute apart, in blocks of 8 pixels as Imaris does."""
    import h5py

    t, c, z, y, x = pixels.shape
    with h5py.File(path, "w") as file:
        _write_words(file, ImarisDataSet="ImarisDataSet", ImarisVersion="5.5.0", DataSetDirectoryName="DataSet",
                     DataSetInfoDirectoryName="DataSetInfo", ThumbnailDirectoryName="Thumbnail")  # fmt: skip
        file.attrs["NumberOfDataSets"] = np.array([1], "u4")
        ends = {"ExtMin0": 0, "ExtMin1": 0, "ExtMin2": 0, "ExtMax0": 0.5 * x, "ExtMax1": 0.25 * y, "ExtMax2": 2 * z}
        image = {"X": x, "Y": y, "Z": z, "Unit": unit, "RecordingDate": "2024-05-06 07:08:09.000", **ends, **said}
        _write_words(file.create_group("DataSetInfo/Image"), **image)
        for n in range(c):
            _write_words(file.create_group(f"DataSetInfo/Channel {n}"), Name=("DAPI", "GFP", "Cy5")[n],
                         Color="1.000 0.000 0.000", LSMEmissionWavelength=500 + n)  # fmt: skip
        times = {f"TimePoint{n + 1}": f"2024-05-06 07:{8 + n:02}:09.000" for n in range(t)}
        _write_words(file.create_group("DataSetInfo/TimeInfo"), DatasetTimePoints=t, FileTimePoints=t, **times)
        for at in np.ndindex(t, c):
            group = file.create_group("DataSet/ResolutionLevel 0/TimePoint {}/Channel {}".format(*at))
            _write_words(group, ImageSizeX=x, ImageSizeY=y, ImageSizeZ=z, HistogramMin=0, HistogramMax=255)
            padded = np.pad(pixels[at], [(0, -size % 8) for size in (z, y, x)])
            group.create_dataset("Data", data=padded, chunks=(8, 8, 8), compression="gzip")
            group.create_dataset("Histogram", data=np.zeros(256, "u8"))


def _write_words(group: h5py.Group, **said: object) -> None:
    for name, value in said.items():
        group.attrs[name] = np.frombuffer(str(value).encode(), "S1")

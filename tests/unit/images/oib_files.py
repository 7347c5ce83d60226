"""Small OIB and OIF files of Olympus FluoView, as Bio-Formats and oiffile expect them."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from pathlib import Path

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STREAM, STORAGE, ROOT = 2, 1, 5


def write_oib(path: Path, pixels: np.ndarray) -> None:
    """Write (T, C, Z, Y, X) uint16 pixels of 0.25 x 0.5 µm, z-planes 1.5 µm and time points 4 s apart."""
    main, files = _described(pixels)
    streams = {"Stream00000": _settings(main)}
    info: dict[str, object] = {"Name": "OIB", "Version": "2.0.0.0", "MainFileName": "Stream00000",
                               "Storage00001": "made.oif.files", "Stream00000": "made.oif"}  # fmt: skip
    inside: dict[str, bytes] = {}
    for number, (name, content) in enumerate(files.items(), 1):
        inside[f"Stream{number:05}"] = content
        info[f"Stream{number:05}"] = f"Storage00001/{name}"
    streams["OibInfo.txt"] = _settings({"OibSaveInfo": info}, quoted=False)
    _write_ole(path, streams, "Storage00001", inside)


def write_oif(folder: Path, pixels: np.ndarray) -> dict[str, Path]:
    """Write the same as `made.oif` with its folder; return the path of each file by its name."""
    main, files = _described(pixels)
    inner = folder / "made.oif.files"
    inner.mkdir(parents=True)
    (folder / "made.oif").write_bytes(_settings({"FileInformation": {"Comment": ""}, **main}))
    for name, content in files.items():
        (inner / name).write_bytes(content)
    return {one.name: one for one in (folder / "made.oif", *sorted(inner.iterdir()))}


def _described(pixels: np.ndarray) -> tuple[dict[str, dict[str, object]], dict[str, bytes]]:
    """Return the settings of the whole, and the files of each plane by name: a TIFF and its settings."""
    t, c, z, y, x = pixels.shape
    counts = {"X": x, "Y": y, "C": c, "Z": z, "T": t, "L": 0, "G": 0, "R": 0, "S": 0}
    ends = {"Z": 1500 * (z - 1), "T": 4000 * (t - 1)}
    main: dict[str, dict[str, object]] = {
        "ProfileSaveInfo": {"IniFileNameThumb": "made.oif.files/thumb.pty", "Name": "OIF", "Version": "2.0.0.0"},
        "Axis Parameter Common": {"AxisOrder": "XYCZT"},
    }
    for number, (axis, count) in enumerate(counts.items()):
        main[f"Axis {number} Parameters Common"] = {
            "AxisCode": axis, "MaxSize": count, "StartPosition": 0.0, "EndPosition": float(ends.get(axis, 1)),
        }  # fmt: skip
    main["Reference Image Parameter"] = {
        "ImageDepth": 2, "ValidBitCounts": 12, "WidthConvertValue": 0.25, "HeightConvertValue": 0.5,
    }  # fmt: skip
    main["Laser 0 Parameters"] = {
        "Laser Enable": 1, "LaserWavelength": 488, "ImageCaputreDate": "'2024-05-06 07:08:09'",
    }  # fmt: skip
    for n in range(c):
        main[f"GUI Channel {n + 1} Parameters"] = {
            "CH Activate": 1, "CH Name": f"CHS{n + 1}", "DyeName": f"Dye {n}", "EmissionWavelength": 500 + n,
            "ExcitationWavelength": 450 + n,
        }  # fmt: skip
    files: dict[str, bytes] = {}
    for number, at in enumerate(np.ndindex(t, z, c)):  # in this order, for Bio-Formats
        stem = f"s_C{at[2] + 1:03}Z{at[1] + 1:03}T{at[0] + 1:03}"
        main["ProfileSaveInfo"][f"IniFileName{number}"] = f"made.oif.files/{stem}.pty"
        axes = {f"Axis {n} Parameters": {"Number": count, "AbsPositionValue": 0.0}
                for n, count in enumerate(counts.values())}  # fmt: skip
        files[f"{stem}.pty"] = _settings({"File Info": {"DataName": f"{stem}.tif"}, **axes})
        with io.BytesIO() as stream:
            tifffile.imwrite(stream, pixels[at[0], at[2], at[1]], metadata=None)
            files[f"{stem}.tif"] = stream.getvalue()
    return main, files


def _settings(sections: dict[str, dict[str, object]], *, quoted: bool = True) -> bytes:
    lines = []
    for title, said in sections.items():
        lines.append(f"[{title}]")
        lines += [f'{k}="{v}"' if quoted and isinstance(v, str) else f"{k}={v}" for k, v in said.items()]
    return "\r\n".join([*lines, ""]).encode("utf-16")


def _write_ole(path: Path, streams: dict[str, bytes], storage: str, inside: dict[str, bytes]) -> None:
    """Write a compound file (MS-CFB, version 3): streams at the root, and streams in one storage.

    Every stream is filled up to 4096 bytes, so that it needs no small sectors; entries are a chain of right siblings.
    """
    sectors: list[bytes] = []
    fat: list[int] = []

    def chain(data: bytes) -> int:
        first, count = len(fat), -(-len(data) // SECTOR)
        padded = data.ljust(count * SECTOR, b"\0")
        sectors.extend(padded[n * SECTOR : (n + 1) * SECTOR] for n in range(count))
        fat.extend([*range(first + 1, first + count), END])
        return first

    entries: list[tuple[str, int, int, int, int, int]] = [("Root Entry", ROOT, FREE, 1, END, 0)]
    for number, (name, content) in enumerate(streams.items(), 1):
        blank = b" \0" if content[:2] == b"\xff\xfe" else b"\0"
        entries.append((name, STREAM, number + 1, FREE, chain(content + blank * 2048), len(content + blank * 2048)))
    entries.append((storage, STORAGE, FREE, len(entries) + 1, 0, 0))
    for name, content in inside.items():
        blank = b" \0" if content[:2] == b"\xff\xfe" else b"\0\0"
        data = content + blank * 2048
        entries.append((name, STREAM, len(entries) + 1, FREE, chain(data), len(data)))
    entries[-1] = (*entries[-1][:2], FREE, *entries[-1][3:])
    directory = chain(b"".join(_entry(*one) for one in entries))
    tables = next(n for n in range(1, 110) if n * SECTOR // 4 >= len(fat) + n)
    fat.extend([FAT] * tables)
    first = len(sectors)
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(tables * SECTOR, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, directory, 0,
        4096, END, 0, END, 0,
    )  # fmt: skip
    places = [*range(first, first + tables), *[FREE] * (109 - tables)]
    path.write_bytes(header + struct.pack("<109I", *places) + b"".join(sectors) + table)


def write_ole(path: Path) -> None:
    """Write a compound file that is no OIB."""
    _write_ole(path, {"WordDocument": b"text"}, "Storage", {"other": b"text"})


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    letters = (name + "\0").encode("utf-16-le")
    return letters.ljust(64, b"\0") + struct.pack(
        "<HBBIII16xI16xIQ", len(letters), kind, 1, FREE, right, child, 0, start, size
    )

"""TIFF files of makers, laid out by hand as the sources of their readers say: MetaMorph STK, Micro-Manager."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

LONG, RATIONAL = 4, 5


def write_stk(
    path: Path, planes: np.ndarray, wavelengths: Sequence[int], z: Sequence[float], times: Sequence[int] = ()
) -> None:
    """Write (N, Y, X) uint16 planes as MetaMorph does: one directory, pixels one after the other, tags 33628 to 33631.

    Args:
        path: The file.
        planes: The pixels; 0.5 µm per pixel.
        wavelengths: In nm, of each plane.
        z: Distance to the next plane in µm, of each plane.
        times: Milliseconds since midnight, of each plane.
    """
    count, height, width = planes.shape
    times = times or [0] * count
    body = bytearray(planes.astype("<u2").tobytes())

    def place(data: bytes) -> int:
        body.extend(bytes(-len(body) % 4))
        body.extend(data)
        return 8 + len(body) - len(data)

    unit = place(struct.pack("<I", 3) + b"um\0")
    scale = place(struct.pack("<2I", 1, 2))
    calibration = place(struct.pack("<8I", 3, 1, 4, scale, 5, scale, 6, unit))
    second = place(b"".join(struct.pack("<6I", round(d * 1000), 1000, 2460000, t, 2460000, t)
                            for d, t in zip(z, times, strict=True)))  # fmt: skip
    third = place(b"".join(struct.pack("<2I", wave, 1) for wave in wavelengths))
    fourth = place(struct.pack("<H", 0))
    tags = [
        (256, LONG, 1, width), (257, LONG, 1, height), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, LONG, 1, 8), (277, 3, 1, 1), (278, LONG, 1, height), (279, LONG, 1, height * width * 2),
        (33628, LONG, 4, calibration), (33629, RATIONAL, count, second), (33630, RATIONAL, count, third),
        (33631, LONG, count, fourth),
    ]  # fmt: skip
    directory = place(struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4))
    path.write_bytes(struct.pack("<2sHI", b"II", 42, directory) + body)


def write_micro_manager(path: Path, pixels: np.ndarray) -> None:
    """Write (T, R, Z, C, Y, X) uint16 pixels as a Micro-Manager 1.4 stack: R are positions of the stage."""
    t, r, z, c, height, width = pixels.shape
    summary = json.dumps(
        {"MicroManagerVersion": "1.4.22", "Frames": t, "Positions": r, "Slices": z, "Channels": c, "Prefix": path.stem,
         "SlicesFirst": True, "TimeFirst": True, "Width": width, "Height": height, "PixelType": "GRAY16"}
    ).encode()  # fmt: skip
    summary += b" " * (-len(summary) % 4)
    head = 40 + len(summary)
    data, entries, offset = b"{}\0\0", [], head + 4
    places = list(np.ndindex(t, r, z, c))
    for number, (ti, ri, zi, ci) in enumerate(places):
        meta = struct.pack("<HHII", 51123, 2, 4, head)
        plane = pixels[ti, ri, zi, ci].astype("<u2").tobytes()
        after = offset + 162
        tags = b"".join(
            struct.pack("<HHII", *tag)
            for tag in (
                (256, LONG, 1, width), (257, LONG, 1, height), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1),
                (273, LONG, 1, after), (277, 3, 1, 1), (278, LONG, 1, height), (279, LONG, 1, len(plane)),
                (282, RATIONAL, 1, 8), (283, RATIONAL, 1, 8), (296, 3, 1, 1),
            )
        )  # fmt: skip
        following = after + len(plane) if number + 1 < len(places) else 0
        data += struct.pack("<H", 13) + tags + meta + struct.pack("<I", following) + plane
        entries.append(struct.pack("<5I", ci, zi, ti, ri, offset))
        offset = after + len(plane)
    index = struct.pack("<2I", 3453623, len(entries)) + b"".join(entries)
    header = struct.pack("<2sHI", b"II", 42, head + 4)
    header += struct.pack("<8I", 54773648, offset, 483765892, 0, 99384722, 0, 2355492, len(summary))
    path.write_bytes(header + summary + data + index)

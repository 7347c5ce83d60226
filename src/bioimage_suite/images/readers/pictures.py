"""Pictures that can only be decoded whole: PNG, JPEG, JPEG 2000, BMP; a large one then lies on disk."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import IN_MEMORY, moved_to_disk, release
from bioimage_suite.images.model.image_file import ImageFile, sample_names

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

STARTS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"), (b"BM", "BMP"),
)  # fmt: skip
# NIS-Elements 1 wrote ND2 as JPEG 2000 with a map of its own at the end.
OLD_ND2 = b"LABORATORY IMAGING ND BOX MAP"
PALETTE_NOTE = "it is a picture with a palette; its pixels are read as numbers of palette entries"
GREY, RGB, PALETTE = 0, 2, 3  # colour types of PNG


def picture_kind(path: Path, start: bytes) -> str | None:
    """Return the format of a picture by its first bytes, None if it is none of these."""
    kind = next((name for signature, name in STARTS if start.startswith(signature)), None)
    if kind == "JPEG 2000":
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 256))
            return None if OLD_ND2 in stream.read() else kind
    return kind


def open_picture(path: Path, name: str, kind: str) -> ImageFile:
    """Decode a picture.

    Args:
        path: The file.
        name: Name of the image in messages.
        kind: Format by `picture_kind`.

    Raises:
        UserError: The file is damaged or cut short.
    """
    notes: list[str] = []
    try:
        pixels = _decode(path.read_bytes(), kind, notes)
    except (ValueError, RuntimeError, struct.error) as error:
        raise UserError(f"Image {name}: the {kind} file is damaged or cut short ({error}). Upload it again.") from error
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.nbytes > IN_MEMORY:
        pixels = moved_to_disk(pixels)
    samples = pixels.shape[2]

    def read_region(_t: int, c: int, _z: int, rows: slice, columns: slice) -> np.ndarray:
        release(pixels)
        return pixels[rows, columns, c]

    def read_interleaved(_t: int, _z: int, rows: slice, columns: slice) -> np.ndarray:
        release(pixels)
        return pixels[rows, columns]

    return ImageFile(
        name=name, size_t=1, size_c=samples, size_z=1, size_y=pixels.shape[0], size_x=pixels.shape[1],
        dtype=pixels.dtype, channels=sample_names(samples), physical_size={}, time_increment=None,
        read_region=read_region, details={"format": kind, "axes": "YXS" if samples > 1 else "YX", "series": [""]},
        notes=tuple(notes),
        read_interleaved=read_interleaved if samples > 1 else None,
    )  # fmt: skip


def _decode(data: bytes, kind: str, notes: list[str]) -> np.ndarray:
    import imagecodecs

    if kind == "PNG":
        return _decode_png(data, notes)
    numbers = _bmp_numbers(data, notes) if kind == "BMP" else None
    if numbers is not None:
        return numbers
    # The decoder fills missing parts of a JPEG with grey. The end marker (FF D9) must follow the start of the last
    # scan (FF DA); neither can occur within the pixels of a scan.
    if kind == "JPEG" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise ValueError("its last scan does not end")
    if kind == "JPEG 2000" and b"pclr" in data[:4096]:
        # Without its boxes a JPEG 2000 picture is the numbers of its palette's entries.
        notes.append(PALETTE_NOTE)
        data = data[data.index(b"jp2c") + 4 :]
    decoders = {"JPEG": "jpeg8_decode", "JPEG 2000": "jpeg2k_decode", "BMP": "bmp_decode"}
    pixels: np.ndarray = getattr(imagecodecs, decoders[kind])(data)
    return _without_inks(pixels, data, notes) if kind == "JPEG" and pixels.shape[2:] == (4,) else pixels


def _without_inks(inks: np.ndarray, data: bytes, notes: list[str]) -> np.ndarray:
    """Make red, green and blue of cyan, magenta, yellow and black: the light that an ink leaves times that of black.

    Programs of Adobe's kind, which say so in a marker, store the light instead of the ink.
    """
    import numpy as np

    notes.append("its colours are inks for printing (CMYK); they are read as red, green and blue")
    light = (inks if b"Adobe" in data[:65_536] else 255 - inks).astype(np.uint16)
    return ((light[..., :3] * light[..., 3:] + 127) // 255).astype(np.uint8)


def _bmp_numbers(data: bytes, notes: list[str]) -> np.ndarray | None:
    """Return the numbers of palette entries of a BMP, as Bio-Formats does; None if it has none, or packed pixels.

    Rows begin at multiples of 4 bytes and run upwards, but where the height is negative (BITMAPINFOHEADER).
    """
    import numpy as np

    start, size = struct.unpack_from("<II", data, 10)
    if size < 40:
        return None
    width, height, _, bits, packing = struct.unpack_from("<iiHHI", data, 18)
    if bits > 8 or packing != 0:
        return None
    stride = -(-width * bits // 32) * 4
    rows = np.frombuffer(data, np.uint8, stride * abs(height), start).reshape(-1, stride)
    if bits < 8:
        each = np.unpackbits(rows, axis=1).reshape(len(rows), -1, bits)
        rows = np.packbits(each, axis=2)[..., 0] >> (8 - bits)
    palette = np.frombuffer(data[14 + size : start], np.uint8)
    palette = palette[: len(palette) // 4 * 4].reshape(-1, 4)[:, :3]
    if (palette != np.arange(len(palette))[:, None]).any():
        notes.append(PALETTE_NOTE)
    rows = rows[:, :width]
    return rows[::-1] if height > 0 else rows


def _decode_png(data: bytes, notes: list[str]) -> np.ndarray:
    """Decode a PNG to the numbers in it, as Bio-Formats does.

    The library stretches pixels of 1, 2 and 4 bits to 255 and replaces numbers of palette entries by colours.
    """
    import imagecodecs

    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    if colour == PALETTE:
        notes.append(PALETTE_NOTE)
        data = _without_palette(data)
    pixels: np.ndarray = imagecodecs.png_decode(data)
    if colour == RGB:
        pixels = pixels[..., :3]  # a colour that counts as transparent makes a fourth sample
    if colour in {GREY, PALETTE}:
        # A grey value that counts as transparent makes a second sample.
        pixels = pixels.reshape(height, width, -1)[..., 0]
        if bits < 8:
            pixels //= 255 // (2**bits - 1)
    return pixels


def _without_palette(data: bytes) -> bytes:
    """Make a grey picture of one with a palette: the pixels stay as they are."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            body = body[:9] + bytes([GREY]) + body[10:]
        if kind not in {b"PLTE", b"tRNS", b"bKGD", b"hIST", b"sPLT", b"sBIT"}:
            parts += [struct.pack(">I", length), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
        at += 12 + length
    return b"".join(parts)

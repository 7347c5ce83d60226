"""PNG of few bits, which Pillow does not write."""

import struct
import zlib
from pathlib import Path

import numpy as np


def write_png(path: Path, pixels: np.ndarray, bits: int, palette: bool) -> None:
    """Write grey pixels, or numbers of palette entries, of 1 to 16 bits."""
    height, width = pixels.shape
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in pixels]
    else:
        each = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        rows = [np.packbits(row.reshape(-1)).tobytes() for row in each]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 3 if palette else 0, 0, 0, 0))]
    if palette:
        chunks.append((b"PLTE", bytes(np.random.default_rng(0).integers(0, 255, 3 * 2**bits, dtype=np.uint8))))
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
    )

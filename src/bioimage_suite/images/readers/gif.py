"""GIF by Pillow: frames are time points, as for Bio-Formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.images.readers.arrays import ArrayImage
from bioimage_suite.images.readers.pictures import PALETTE_NOTE

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.series import Reading


def read_gif(path: Path, _name: str, _reading: Reading) -> ArrayImage:
    """Read numbers of palette entries; where frames have palettes of their own, the colours, or grey values.

    Raises:
        OSError: It is damaged.
    """
    from PIL import GifImagePlugin, Image, ImageSequence

    GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_AFTER_DIFFERENT_PALETTE_ONLY
    with Image.open(path, formats=["GIF"]) as picture:
        frames = [(frame.mode, np.asarray(frame)) for frame in ImageSequence.Iterator(picture)]
        if all(mode in {"P", "L"} for mode, _ in frames):
            notes = () if all(mode == "L" for mode, _ in frames) else (PALETTE_NOTE,)
            return ArrayImage("GIF", np.stack([one for _, one in frames]), "TYX", np.dtype("u1"), notes=notes)
        colours = np.stack([np.asarray(one.convert("RGB")) for one in ImageSequence.Iterator(picture)])
    note = ("its frames have different palettes; their colours are read, not the numbers of palette entries",)
    if (colours == colours[..., :1]).all():
        return ArrayImage("GIF", colours[..., 0], "TYX", np.dtype("u1"), notes=note)
    return ArrayImage("GIF", colours, "TYXS", np.dtype("u1"), notes=note)

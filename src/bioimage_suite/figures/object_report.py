"""Report of the objects drawn on a list of images: a table of all images, and the first of them as pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.figures.png import write_png

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from bioimage_suite.figures.object_pictures import ObjectPicture


def facts(picture: ObjectPicture) -> str:
    """Return a line on a picture: number of objects, channel and plane."""
    count = f"{picture.objects:,} {picture.kind}{'' if picture.objects == 1 else 's'}"
    return ", ".join(part for part in (count, picture.channel, picture.place) if part)


def as_pngs(picture: ObjectPicture) -> list[tuple[str, bytes]]:
    """Return what each picture of an image shows, and its PNG."""
    return [("image", _png(picture.grey)), (f"{picture.kind}s drawn", _png(picture.outlined))]


def report_parts(pictures: list[ObjectPicture], shown: list[list[tuple[str, bytes]]]) -> Iterator[html.Markup]:
    """Yield the parts of the report: a table of all images, and the first as pictures.

    Args:
        pictures: All images; their pixels are not looked at.
        shown: What `as_pngs` returned of the first ones.
    """
    total, kind = sum(p.objects for p in pictures), pictures[0].kind
    in_colour = pictures[0].channel == "colour"
    greys = "the image in its colours" if in_colour else "the channel, grey values from its 0.5 to its 99.8 percentile"
    yield html.paragraph(
        f"{total:,} {kind}{'' if total == 1 else 's'} in {len(pictures):,} image{'' if len(pictures) == 1 else 's'}. "
        f"Left: {greys}. Right: the same with each {kind}."
    )
    header = ("Image", "Channel", f"{kind[0].upper()}{kind[1:]}s")
    yield html.table(header, ((p.name, p.channel, f"{p.objects:,}") for p in pictures), [2])
    yield html.output_picture("output_png")
    for p, both in zip(pictures, shown, strict=False):
        yield html.figure(both, p.name, facts(p))
    if len(pictures) > len(shown):
        further = len(pictures) - len(shown)
        yield html.paragraph(f"{further:,} further images are counted in the table but not shown.")


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    write_png(Image.fromarray(picture), stream)
    return stream.getvalue()

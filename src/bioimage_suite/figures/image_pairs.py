"""Images paired with their label maps, tracks or ROIs by element identifier."""

from __future__ import annotations

from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated

KINDS = {"labels": "label map", "tracks": "table of tracks", "rois": "file of ROIs"}


def paired(listed: dict[str, list[list[str]]]) -> list[tuple[str, dict[str, Path]]]:
    """Pair images with their label maps, tracks or ROIs by element identifier, in the order of the images.

    Args:
        listed: `images` and any of KINDS, each a list of [identifier, path].

    Returns:
        Name of each image, and its paths by kind: `image`, `labels`, `tracks`, `rois`.

    Raises:
        UserError: An identifier occurs twice, or has no partner, or there is nothing to draw.
    """
    images = listed.get("images", [])
    given = {kind: listed[kind] for kind in KINDS if listed.get(kind)}
    if not images:
        raise UserError("There is no image to draw. Give at least one image and its label map.")
    if not given:
        raise UserError("There is nothing to draw on the images. Give label maps, tables of tracks or files of ROIs.")
    for kind, elements in {"images": images, **given}.items():
        twice = sorted(repeated(name for name, _ in elements))
        if twice:
            raise UserError(
                f"Name {twice[0]!r} occurs more than once among the {kind}. Give each element its own name."
            )
    pairs = [(name, {"image": Path(path)}) for name, path in images]
    for kind, elements in given.items():
        if len(images) == len(elements) == 1:
            pairs[0][1][kind] = Path(elements[0][1])
            continue
        paths = dict(elements)
        alone = sorted({name for name, _ in images} ^ paths.keys())
        if alone:
            side = f"{KINDS[kind]} but no image" if alone[0] in paths else f"image but no {KINDS[kind]}"
            raise UserError(f"Name {alone[0]!r}: there is one {side} of this name. Give two lists with the same names.")
        for name, paths_of in pairs:
            paths_of[kind] = Path(paths[name])
    return pairs

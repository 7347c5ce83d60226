"""Images that Galaxy's own OMERO file source brought: where they stand in OMERO, by the addresses that Galaxy keeps."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument

ADDRESSES = argument("--addresses", type=Path, help="JSON file with the addresses that Galaxy knows of datasets")
"""Argument of tools that find images by the address from which Galaxy got them, see `with_addresses`."""
_ADDRESS = re.compile(r"gx(?:user)?files://.*/project_\d+/dataset_(\d+)/image_(\d+)", re.ASCII)
"""How Galaxy's OMERO file source calls an image (galaxy-files 26.1, galaxy/files/sources/omero.py)."""


@dataclass(frozen=True)
class Origin:
    """Where a dataset of Galaxy came from: the image in OMERO, and the dataset in which it stood."""

    name: str
    dataset_id: int
    image_id: int


def with_addresses(choice: Mapping[str, Any], addresses: Path | None) -> dict[str, Any]:
    """Return a form's choice of images with the addresses of those that came from OMERO by the upload dialog.

    Args:
        choice: As `omero.objects.read_target` or `omero.named_files.match_images` takes it.
        addresses: JSON file with a list of [name of a dataset, list of its addresses in Galaxy].
    """
    known = json.loads(addresses.read_text(encoding="utf-8")) if addresses else []
    return {**choice, "addresses": known}


def read_origins(known: Sequence[tuple[str, Sequence[str]]]) -> list[Origin]:
    """Return the origin of each dataset.

    Raises:
        UserError: Nothing is chosen, or a dataset has no address in OMERO.
    """
    if not known:
        raise UserError("images from the upload dialog: none is chosen. Choose at least one.")
    return [_origin(name, addresses) for name, addresses in known]


def _origin(name: str, addresses: Sequence[str]) -> Origin:
    for address in addresses:
        place = _ADDRESS.fullmatch(address)
        if place:
            return Origin(name, int(place[1]), int(place[2]))
    shown = ", ".join(addresses) or "none"
    raise UserError(
        f"{name!r}: Galaxy knows no address of it in OMERO (found: {shown}). Choose the datasets that came from OMERO "
        "through the upload dialog, or choose images by name within a dataset."
    )

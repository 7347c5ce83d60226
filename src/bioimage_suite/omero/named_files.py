"""Galaxy files with their names in the list, and the OMERO images that they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import (
    image_identifier,
    name_in_identifier,
    parse_image_identifier,
    safe_name,
    without_suffix,
)
from bioimage_suite.omero.file_source import Origin, read_origins
from bioimage_suite.omero.objects import ImageRecord, Target, came_from, find_images, find_nonempty_images, read_target
from bioimage_suite.omero.session import Session


@dataclass(frozen=True)
class NamedFile:
    """A file of a Galaxy list: its name in the list, and its path on disk."""

    identifier: str
    path: Path


def read_files(value: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None) -> list[NamedFile]:
    """Read Galaxy's description of one dataset or a list (`data_style="staging_path_and_source_path"`).

    Raises:
        UserError: The list is empty.
    """
    entries = [value] if isinstance(value, Mapping) else list(value or [])
    if not entries:
        raise UserError("input list: it holds no file. Check the step that made it.")
    return [NamedFile(entry["element_identifier"], Path(entry["source_path"])) for entry in entries]


def match_images(session: Session, names: Sequence[str], match: Mapping[str, Any]) -> list[ImageRecord]:
    """Find the image of each name; return images in the order of the names.

    `Image_<id>_<name>` is matched by id; the name must still be the one in OMERO, so that files from another server do
    not match a different image. Other names are compared with the names of the images of a target.

    Args:
        session: An open session.
        names: Identifiers of files, or values of an image column.
        match: `source` "identifier" (ids only); "source" (by the addresses of images, see
            `omero.file_source.with_addresses`); or a target as
            `omero.objects.read_target` takes it.

    Raises:
        UserError: A name matches no image, several images, or the same image as another name.
    """
    by_id = {name: number for name in names if (number := parse_image_identifier(name)) is not None}
    images = _images_by_id(session, by_id)
    others = [name for name in names if name not in images]
    if others and match["source"] == "identifier":
        raise UserError(
            f"{others[0]!r}: the name has no image id, so it points to no image. Name it Image_<id>_<name> as "
            "omero_export_images does, or match by name within a dataset."
        )
    if others and match["source"] == "source":
        images |= _images_by_address(session, others, match["addresses"])
    elif others:
        images |= _images_by_name(session, others, read_target(match))
    owners: dict[int, str] = {}
    for name, image in images.items():
        if image.image_id in owners:
            raise UserError(
                f"{name!r} and {owners[image.image_id]!r}: both point to image {image.image_id} {image.image_name!r}. "
                "Leave one out."
            )
        owners[image.image_id] = name
    return [images[name] for name in names]


def is_same_element(known: str | None, identifier: str) -> bool:
    """Tell whether what stands in OMERO was made from this file of a list; extensions do not count.

    `known` is None for what an older version made, which did not note it.
    """
    return known is None or without_suffix(known) == without_suffix(identifier)


def _images_by_id(session: Session, ids: Mapping[str, int]) -> dict[str, ImageRecord]:
    if not ids:
        return {}
    found = {one.image_id: one for one in find_images(session, Target("image", ids=tuple(dict.fromkeys(ids.values()))))}
    images: dict[str, ImageRecord] = {}
    for name, number in ids.items():
        image = found.get(number)
        if image is None:
            raise UserError(f"{name!r}: image {number} has no pixels in OMERO. Check that its import is complete.")
        expected = image_identifier(number, image.image_name)
        known, given = name_in_identifier(expected), name_in_identifier(name)
        # Tools in between may remove or add a suffix, but must not change the start of the name.
        if not (known.startswith(given) or given.startswith(without_suffix(known))):
            raise UserError(
                f"{name!r}: image {number} is called {image.image_name!r} in OMERO. Either the file comes from another "
                f"server or the image was renamed; name the file {expected!r} to be sure."
            )
        images[name] = image
    return images


def _images_by_address(
    session: Session, names: Sequence[str], known: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, ImageRecord]:
    """Find images by the addresses that Galaxy's OMERO file source gave to datasets; the same name belongs together."""
    origins = read_origins(known)
    if len(names) == len(origins) == 1:
        chosen: dict[str, Origin] = {names[0]: origins[0]}
    else:
        chosen = {name: origins[_only_one(name, [one.name for one in origins])] for name in names}
    found = {one.image_id: one for one in find_images(session, came_from(tuple(chosen.values())))}
    return {name: found[one.image_id] for name, one in chosen.items()}


def _only_one(name: str, known: Sequence[str]) -> int:
    """Return the index of the name that is the same, or of the only one that is but for its suffix."""
    alike = [n for n, one in enumerate(known) if one == name]
    alike = alike or [n for n, one in enumerate(known) if without_suffix(one) == without_suffix(name)]
    if len(alike) != 1:
        raise UserError(
            f"{name!r}: {len(alike) or 'none'} of the images from OMERO have this name, but one must; found: "
            f"{', '.join(known[:10])}. Rename the file as its image is called in the history."
        )
    return alike[0]


def _images_by_name(session: Session, names: Sequence[str], target: Target) -> dict[str, ImageRecord]:
    candidates = find_nonempty_images(session, target)
    exact: dict[str, list[ImageRecord]] = {}
    loose: dict[str, list[ImageRecord]] = {}
    for image in candidates:
        safe = safe_name(image.image_name)
        for known in {image.image_name, safe}:
            exact.setdefault(known, []).append(image)
        loose.setdefault(without_suffix(safe), []).append(image)
    images: dict[str, ImageRecord] = {}
    where = ", ".join(map(str, target.names or target.ids))
    for name in names:
        # Equal names go first; only if there is none are names compared without their suffixes.
        found = exact.get(name) or loose.get(without_suffix(safe_name(name)), [])
        if not found:
            raise UserError(f"{name!r}: {target.kind} {where} has no image of this name. Check the name of the file.")
        if len(found) > 1:
            ids = ", ".join(str(image.image_id) for image in found[:10])
            raise UserError(f"{name!r}: {len(found)} images of {target.kind} {where} have this name (ids {ids}).")
        images[name] = found[0]
    return images

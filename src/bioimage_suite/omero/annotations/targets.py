"""The objects that the rows of an annotation table name, found in OMERO."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.objects import (
    CLASSES,
    ImageRecord,
    Target,
    find_ids,
    find_nonempty_images,
    ids_by_name,
    read_target,
)
from bioimage_suite.tables.key_value_dialects import ALL_IMAGES, TargetObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bioimage_suite.omero.annotations.changes import ObjectKey
    from bioimage_suite.omero.session import Session


MAKEABLE = ("project", "dataset", "screen")
"""Kinds of objects that a table can have made."""


def find_objects(
    session: Session, targets: Sequence[TargetObject], within: Mapping[str, Any], *, make: bool = False
) -> dict[ObjectKey, list[TargetObject]]:
    """Find the object of each row.

    Args:
        session: An open session.
        targets: The objects as the table names them, by id or by name.
        within: `source` "group" to look names up in the whole group, or a target to look them up among its images and
            wells.
        make: Let a project, dataset or screen be missing that is given by its name.

    Returns:
        For each (kind, id, name) the rows that name it. The id of what is missing is below 0.

    Raises:
        UserError: An object is unknown, ambiguous or of a kind that cannot be annotated.
    """
    images = [] if within["source"] == "group" else find_nonempty_images(session, read_target(within))
    found: dict[ObjectKey, list[TargetObject]] = {}
    by_dataset: dict[str, list[ImageRecord]] = {}
    rest: list[TargetObject] = []
    for target in targets:
        _check(target)
        if not target.id and (target.name == ALL_IMAGES or (images and target.kind in ("image", "well"))):
            places = _find_within(target, images)
        elif not target.id and target.dataset:
            if target.dataset not in by_dataset:
                by_dataset[target.dataset] = find_nonempty_images(session, _dataset(target.dataset))
            places = _find_within(target, by_dataset[target.dataset])
        else:
            places = []
            rest.append(target)
        for place in places:
            found.setdefault(place, []).append(target)
    for place, target in _find_in_group(session, rest, make=make):
        found.setdefault(place, []).append(target)
    return found


def _check(target: TargetObject) -> None:
    if target.kind not in CLASSES:
        raise UserError(f"{target.kind} {target.id or target.name!r}: such objects cannot be annotated. Leave it out.")
    if target.id and not target.id.isdecimal():
        raise UserError(f"{target.kind} {target.id!r}: not an id. Write a whole number.")


def _find_in_group(
    session: Session, targets: Sequence[TargetObject], *, make: bool
) -> Iterator[tuple[ObjectKey, TargetObject]]:
    """Yield the place of each target, found by id or name in the whole group: one query per kind."""
    for kind in dict.fromkeys(target.kind for target in targets if target.id):
        group = [target for target in targets if target.kind == kind and target.id]
        find_ids(session, Target(kind, ids=tuple(dict.fromkeys(int(target.id) for target in group))))
        for target in group:
            yield (kind, int(target.id), target.name), target
    for kind in dict.fromkeys(target.kind for target in targets if not target.id):
        group = [target for target in targets if target.kind == kind and not target.id]
        names = tuple(dict.fromkeys(target.name for target in group))
        known = ids_by_name(session, kind, names) if make and kind in MAKEABLE else names
        there = tuple(name for name in names if name in known)
        absent = [name for name in names if name not in known]
        numbers = dict(zip(there, find_ids(session, Target(kind, names=there)), strict=True)) if there else {}
        numbers |= {name: -number for number, name in enumerate(absent, 1)}
        for target in group:
            yield (kind, numbers[target.name], target.name), target


def _dataset(text: str) -> Target:
    """Return the dataset that a row names; see `TargetObject.dataset`."""
    if re.fullmatch(r"#\d+", text):
        return Target("dataset", ids=(int(text[1:]),))
    return Target("dataset", names=(text,))


def _find_within(target: TargetObject, images: Sequence[ImageRecord]) -> list[ObjectKey]:
    """Find an image or well by name among the images of a container; an exact name goes before one in another case."""
    if target.name == ALL_IMAGES:
        if not images:
            raise UserError("image '*': it stands for all images of a container. Choose the container.")
        return [("image", image.image_id, image.image_name) for image in images]
    kind = target.kind
    # A table with the columns plate and well names a well "plate/well".
    names = {"image": ("{0.image_name}",), "well": ("{0.well}", "{0.plate_name}/{0.well}")}[kind]
    places = {
        (kind, image.image_id, image.image_name) if kind == "image" else (kind, image.well_id or 0, image.well or "")
        for image in images
        if target.dataset in ("", image.dataset_name, f"#{image.dataset_id}")
        and target.name.casefold() in [name.format(image).casefold() for name in names]
    }
    exact = {place for place in places if place[2] == target.name} or places
    if len(exact) != 1:
        ids = ", ".join(str(place[1]) for place in sorted(exact)) or "none"
        where = f" of dataset {target.dataset!r}" if target.dataset else ""
        raise UserError(
            f"{kind} {target.name!r}{where}: the container must have one of this name; found ids: {ids}. Give the id."
        )
    return list(exact)

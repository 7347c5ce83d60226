"""Search for images: those of a target that pass the filters and sets of conditions of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images.filters import hql_of, passing, read_condition, simple_conditions
from bioimage_suite.omero.objects import (
    ImageRecord,
    Target,
    find_ids,
    list_images,
    no_image,
    position,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bioimage_suite.omero.session import Session


def search(session: Session, target: Target, config: Mapping[str, Any]) -> list[ImageRecord]:
    """Find the images of a target that pass the tool's filters; return them in a stable order.

    An image must pass the simple `filters` and, if there are `sets`, all conditions of at least one set.

    Raises:
        UserError: An object does not exist, a condition is not valid, or the target holds no image at all. A filter
            that no image passes is not an error.
    """
    simple = simple_conditions(config.get("filters") or {})
    sets = [[read_condition(form) for form in one["conditions"]] for one in config.get("sets") or []]
    if any(not conditions for conditions in sets):
        raise UserError("set of conditions: empty, so every image would pass it. Add a condition or remove the set.")
    ids = find_ids(session, target)
    images: dict[int, ImageRecord] = {}
    for conditions in sets or [[]]:
        where, parameters = hql_of([*simple, *conditions])
        found = list_images(session, target, ids, where, parameters)
        images |= {one.image_id: one for one in passing(session, found, [*simple, *conditions])}
    if not images and not simple and not sets:
        raise no_image(target)
    return sorted(images.values(), key=position)

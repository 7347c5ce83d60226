"""List the images of OMERO projects, datasets, screens, plates, a group or a whole server in an object table."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.images.filters import hql_of, passing, read_condition, simple_conditions
from bioimage_suite.omero.images.find_columns import container_table, image_table
from bioimage_suite.omero.objects import (
    ImageRecord,
    Target,
    find_ids,
    list_images,
    no_image,
    position,
    read_target,
    split_terms,
)
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.tables.object_table import write_table


def find(session: Session, target: Target, config: Mapping[str, Any]) -> list[ImageRecord]:
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


def main() -> None:
    """Parse the command line, find the images, write the object table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, filters, sets, listing")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    form = config.get("listing") or {"rows": "image", "columns": ["hierarchy", "sizes"]}
    with open_session(config["omero_host"], config.get("omero_group") or "") as opened:
        target = read_target(config["target"])
        session = opened.in_all_groups() if target.scope == "server" else opened
        images = find(session, target, config)
        if form["rows"] == "image":
            keys = split_terms(form.get("keys") or "")
            names, rows = image_table(session, images, form.get("columns") or (), keys)
        else:
            names, rows = container_table(images, form["rows"])
    write_table(args.output, names, rows)
    print(f"{len(images)} images found")


if __name__ == "__main__":
    run_tool(main)

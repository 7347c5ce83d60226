"""List the images of OMERO projects, datasets, screens, plates or images in an object table."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from object_table import write_table
from omero_objects import (
    ImageRecord,
    find_images,
    find_nonempty_images,
    image_table_rows,
    read_target,
)
from omero_session import Session, open_session
from tool_errors import UserError, run_tool

_HAS_TAG = """i.id in (select l{n}.parent.id from ImageAnnotationLink l{n}, TagAnnotation a{n}
 where l{n}.child.id = a{n}.id and a{n}.textValue = :tag{n})"""
_HAS_PAIR = """i.id in (select k{n}.parent.id from ImageAnnotationLink k{n}, MapAnnotation m{n} join m{n}.mapValue v{n}
 where k{n}.child.id = m{n}.id and v{n}.name = :key{n} and v{n}.value = :value{n})"""


def read_filters(config: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Turn the tags and `key=value` lines that images must have into HQL conditions and their parameters.

    Args:
        config: `tags` and `key_values`, each with one a line; all must hold.

    Raises:
        UserError: A line of `key_values` without a key or without `=`.
    """
    conditions: list[str] = []
    parameters: dict[str, str] = {}
    for number, tag in enumerate(_lines(config.get("tags"))):
        conditions.append(_HAS_TAG.format(n=number))
        parameters[f"tag{number}"] = tag
    for number, line in enumerate(_lines(config.get("key_values"))):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not key or not equals:
            raise UserError(f"filter {line!r}: not of the form key=value. Write for instance stage=mitosis.")
        conditions.append(_HAS_PAIR.format(n=number))
        parameters |= {f"key{number}": key, f"value{number}": value}
    return conditions, parameters


def find(session: Session, config: Mapping[str, Any]) -> list[ImageRecord]:
    """Find the images that a tool's configuration describes.

    Raises:
        UserError: As `find_images`, or the target holds no image at all. A filter that no image passes is no error.
    """
    target = read_target(config["target"])
    filters = config.get("filters", {})
    pattern = (filters.get("name") or "").strip()
    conditions, parameters = read_filters(filters)
    if not conditions and not pattern:
        return find_nonempty_images(session, target)
    images = find_images(session, target, conditions, parameters)
    return [image for image in images if fnmatchcase(image.image_name, pattern or "*")]


def main() -> None:
    """Parse the command line, find, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, omero_group, target, filters")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        images = find(session, config)
    write_table(args.output, [field.name for field in fields(ImageRecord)], image_table_rows(images))
    print(f"{len(images)} images found")


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


if __name__ == "__main__":
    run_tool(main)

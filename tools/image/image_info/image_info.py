#!/usr/bin/env python
"""Lists the metadata of an image file as a tidy table, JSON and OME-XML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.facts import FACT_COLUMNS, fact_rows, image_facts, nested, ome_xml, open_all, titles
from bioimage_suite.images.model.series import READING, reading_of
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    argument("--image", type=Path, required=True),
    *READING,
    argument("--image-name", help="value of the column `image`; default: the file's name"),
    argument("--output", type=Path, required=True, help="table, TSV"),
    argument("--output-json", type=Path),
    argument("--output-xml", type=Path, help="OME-XML"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, write."""
    images = open_all(args.image, args.image_name, reading_of(args))
    facts = [image_facts(image) for image in images]
    rows = (row for title, found in zip(titles(images), facts, strict=True) for row in fact_rows(title, found))
    write_rows(outputs.file(args.output), FACT_COLUMNS, rows)
    if args.output_json:
        trees = [nested(found) for found in facts]
        tree = trees[0] if len(trees) == 1 else {"series": trees}
        text = json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
        outputs.file(args.output_json).write_text(text, encoding="utf-8")
    if args.output_xml:
        outputs.file(args.output_xml).write_text(ome_xml(images), encoding="utf-8")
    print(f"{images[0].name}: {sum(map(len, facts))} facts of {len(images)} images")


if __name__ == "__main__":
    run_tool(main)

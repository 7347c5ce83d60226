#!/usr/bin/env python
"""Says which part each element of a list belongs to, so that Galaxy can cut it without copying; cuts object tables."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.element_lists import parts_of
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, json_file, one_of, run_tool, tool
from bioimage_suite.tables.object_table import read_exact_table, write_table

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    one_of(
        argument("--names", type=json_file, help="JSON file: identifiers of the elements of a list"),
        argument("--table", type=Path, help="object table"),
    ),
    argument("--size", type=int, required=True, help="number of elements or rows of a part"),
    argument("--output", type=Path, help="of a list: table without a header: element, tag of its part"),
    argument("--folder", type=Path, help="of a table: folder with a table for each part"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Count, write."""
    if args.table:
        table = read_exact_table(args.table, "object table")
        if not table.rows:
            raise UserError(f"Object table {args.table.name}: it has no rows. Choose one with at least one row.")
        numbered = zip(parts_of([str(number) for number in range(len(table.rows))], args.size), table.rows, strict=True)
        folder = outputs.folder(args.folder)
        for part, rows in groupby(numbered, key=lambda one: one[0]):
            write_table(folder / part, table.columns, [row for _, row in rows])
        print(f"{len(table.rows)} rows in {len(list(folder.iterdir()))} parts")
        return
    parts = parts_of(args.names, args.size)
    lines = [f"{name}\tgroup:part:{part}\n" for name, part in zip(args.names, parts, strict=True)]
    outputs.file(args.output).write_text("".join(lines), encoding="utf-8")
    print(f"{len(parts)} elements in {len(set(parts))} parts")


if __name__ == "__main__":
    run_tool(main)

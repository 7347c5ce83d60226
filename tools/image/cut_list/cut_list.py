#!/usr/bin/env python
"""Says which part each element of a list belongs to, so that Galaxy can cut the list without copying its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.element_lists import parts_of
from bioimage_suite.core.tool import argument, json_file, run_tool, tool

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    argument("--names", type=json_file, required=True, help="JSON file: identifiers of the elements"),
    argument("--size", type=int, required=True, help="number of elements of a part"),
    argument("--output", type=Path, required=True, help="table without a header: element, tag of its part"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Count, write."""
    parts = parts_of(args.names, args.size)
    lines = [f"{name}\tgroup:part:{part}\n" for name, part in zip(args.names, parts, strict=True)]
    outputs.file(args.output).write_text("".join(lines), encoding="utf-8")
    print(f"{len(parts)} elements in {len(set(parts))} parts")


if __name__ == "__main__":
    run_tool(main)

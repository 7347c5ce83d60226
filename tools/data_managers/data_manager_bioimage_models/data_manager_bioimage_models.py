#!/usr/bin/env python
"""Fetches a model of the BioImage Model Zoo, checks it, and writes its row of the table `bioimage_models`."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.fair.archives.http import Web, base_address, web_link
from bioimage_suite.fair.archives.model_zoo import ZENODO, ZOO, fetch_package, find_model
from bioimage_suite.segmentation.model_files import needed_files
from bioimage_suite.segmentation.model_package import quiet_library
from bioimage_suite.segmentation.model_store import check_package

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

MB = 1_000_000


@tool(
    __doc__,
    CONFIG,
    argument("--known", action="append", default=[], help="value that the table has already"),
    argument("--table", type=Path, required=True, help="rows to write, as Galaxy's data managers do (JSON)"),
    argument("--folder", type=Path, required=True, help="gets the package"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Find, fetch, check, write. A package that the table has already gives no row."""
    source = str(args.config["source"]).strip()
    zoo = base_address(args.config.get("zoo") or ZOO, "the zoo")
    zenodo = base_address(args.config.get("zenodo") or ZENODO, "Zenodo's records")
    web = Web(tuple(address for address in (web_link(source), zoo, zenodo) if address))
    scratch = outputs.enter(scratch_folder())
    fetched, unpacked = scratch / "fetched", scratch / "unpacked"
    fetched.mkdir()
    unpacked.mkdir()
    place = find_model(web, source, zoo, zenodo)
    package = fetch_package(
        web, place, fetched, lambda path: needed_files(path, source),
        sha256=args.config.get("sha256") or "", limit=int(args.config.get("max_mb") or 2000) * MB,
    )  # fmt: skip
    quiet_library(scratch)
    model = check_package(package, source, unpacked)
    new = model.value not in args.known
    rows = [asdict(model) | {"path": f"{model.value}.zip"}] if new else []
    outputs.file(args.table).write_text(json.dumps({"data_tables": {"bioimage_models": rows}}), encoding="utf-8")
    if new:
        shutil.move(package, outputs.file(args.folder / f"{model.value}.zip"))
    print(f"{model.name} from {source}: passed its test, {'registered' if new else 'was registered already'}")


if __name__ == "__main__":
    run_tool(main)

"""Transfer projects, datasets, screens, plates or images from one OMERO server to another as an RO-Crate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.objects import read_target
from bioimage_suite.omero.session import session_of
from bioimage_suite.omero.transfer.crate import open_crate, zip_folder
from bioimage_suite.omero.transfer.pack import pack
from bioimage_suite.omero.transfer.unpack import unpack
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from bioimage_suite.core.outputs import Outputs

PACKED_COLUMNS = ("image_id", "image_name", "files", "roi_count", "annotation_count", "status")
UNPACKED_COLUMNS = ("image_id", "image_name", "source_image_id", "files", "roi_count", "annotation_count", "status")
CONTAINER_COLUMNS = ("object_type", "object_id", "object_name", "source_id", "status")


def pack_crate(config: Mapping[str, Any], crate: Path, table: Path, outputs: Outputs) -> None:
    """Pack the objects of the configuration to a folder, or to a zip if `crate` ends in `.zip`."""
    as_zip = crate.suffix == ".zip"
    if crate.exists() and (not crate.is_dir() or any(crate.iterdir())) and not as_zip:
        raise UserError(f"folder {crate}: it is not empty. Name a new one.")
    report = outputs.enter(Report(table, PACKED_COLUMNS))
    if as_zip:
        folder = outputs.enter(scratch_folder(Path.cwd()))
    else:
        folder = outputs.folder(crate)
    with session_of(config) as session:
        licence, internal = (config.get("licence") or "").strip(), bool(config.get("internal_names"))
        pack(session, read_target(config["target"]), folder, report, licence=licence, internal=internal)
    if as_zip:
        zip_folder(folder, outputs.file(crate))


def unpack_crate(config: Mapping[str, Any], images_table: Path, containers_table: Path, outputs: Outputs) -> None:
    """Unpack the crate of the configuration, and report the objects."""
    images = outputs.enter(Report(images_table, UNPACKED_COLUMNS, keeps_room=True))
    containers = outputs.enter(Report(containers_table, CONTAINER_COLUMNS, keeps_room=True))
    with (
        scratch_folder(Path.cwd()) as scratch,
        open_crate(Path(config["crate"]["source_path"]), scratch) as (crate, document),
        session_of(config) as session,
    ):
        unpack(session, crate, document, images=images, containers=containers, dry_run=bool(config.get("dry_run")))


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--crate", type=Path, help="pack: folder or zip to make"),
    argument("--output", type=Path, required=True, help="object table to write"),
    argument("--containers", type=Path, help="unpack: table of projects, datasets, screens and plates"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Pack or unpack."""
    config = args.config | args.config["do"]
    if config["mode"] == "pack":
        config["target"] = with_addresses(config["target"], args.addresses)
        pack_crate(config, args.crate, args.output, outputs)
    else:
        unpack_crate(config, args.output, args.containers, outputs)


if __name__ == "__main__":
    run_tool(main)

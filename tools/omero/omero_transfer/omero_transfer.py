"""Transfer projects, datasets, screens, plates or images from one OMERO server to another as an RO-Crate."""

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.object_report import object_report
from bioimage_suite.omero.objects import read_target
from bioimage_suite.omero.session import open_session
from bioimage_suite.omero.transfer.crate import open_crate, zip_folder
from bioimage_suite.omero.transfer.pack import pack
from bioimage_suite.omero.transfer.unpack import unpack

PACKED_COLUMNS = ("image_id", "image_name", "files", "roi_count", "annotation_count", "status")
UNPACKED_COLUMNS = ("image_id", "image_name", "source_image_id", "files", "roi_count", "annotation_count", "status")
CONTAINER_COLUMNS = ("object_type", "object_id", "object_name", "source_id", "status")


def pack_crate(config: Mapping[str, Any], crate: Path, output: Path) -> None:
    """Pack the objects of the configuration to a folder, or to a zip if `crate` ends in `.zip`."""
    as_zip = crate.suffix == ".zip"
    if crate.exists() and (not crate.is_dir() or any(crate.iterdir())) and not as_zip:
        raise UserError(f"folder {crate}: it is not empty. Name a new one.")
    folder = Path(tempfile.mkdtemp(dir=crate.parent, prefix="crate-")) if as_zip else crate
    try:
        with object_report(output, PACKED_COLUMNS) as report:
            with open_session(config["omero_host"], config.get("omero_group") or "") as session:
                pack(session, read_target(config["target"]), folder, report, (config.get("licence") or "").strip())
            if as_zip:
                zip_folder(folder, crate)
    except BaseException:
        if as_zip:
            crate.unlink(missing_ok=True)
        raise
    finally:
        if as_zip:
            shutil.rmtree(folder, ignore_errors=True)


def unpack_crate(config: Mapping[str, Any], output: Path, containers: Path) -> None:
    """Unpack the crate of the configuration, and report the objects."""
    with (
        object_report(output, UNPACKED_COLUMNS) as images,
        object_report(containers, CONTAINER_COLUMNS) as others,
        tempfile.TemporaryDirectory(dir=Path.cwd(), prefix="unpacked-") as scratch,
        open_crate(Path(config["crate"]["source_path"]), Path(scratch)) as (crate, document),
        open_session(config["omero_host"], config.get("omero_group") or "") as session,
    ):
        unpack(session, crate, document, images=images, containers=others, dry_run=bool(config.get("dry_run")))


def main() -> None:
    """Parse the command line, pack or unpack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, do, and target or crate")
    parser.add_argument("--crate", type=Path, help="pack: folder or zip to make")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    parser.add_argument("--containers", type=Path, help="unpack: table of projects, datasets, screens and plates")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    what = config["do"]
    if what["mode"] == "pack":
        pack_crate({**config, **what}, args.crate, args.output)
    else:
        unpack_crate({**config, **what}, args.output, args.containers)


if __name__ == "__main__":
    run_tool(main)

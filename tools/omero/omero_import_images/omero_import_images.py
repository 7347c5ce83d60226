"""Import image files into an OMERO dataset or screen, annotated from a table, without Java and never twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.annotations.tables import read_wanted
from bioimage_suite.omero.containers import find_place, find_screen
from bioimage_suite.omero.files.filesets import read_filesets
from bioimage_suite.omero.images.imports import DATASET_COLUMNS, Words, import_images, match_words
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.key_value_dialects import CLIENT_NAMESPACE, read_key_values
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from bioimage_suite.core.outputs import Outputs

COLUMNS = ("image_id", "image_name", "file")
SCREEN_COLUMNS = ("screen_id", "screen_name", "plate_id", "plate_name", "well_id", "well", "field")
LAST_COLUMNS = ("annotation_count", "sha1", "status")


def read_words(config: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Words]:
    """Read what the table of the form, if any, says about each file."""
    table = config.get("table")
    if not table or not table["source_path"]:  # Galaxy describes a file that was not chosen with an empty path.
        return {}
    reading = read_key_values(Path(table["source_path"]), table["element_identifier"])
    namespace = (config.get("namespace") or "").strip() or CLIENT_NAMESPACE
    return match_words(read_wanted(reading, namespace, "image"), labels)


@tool(
    __doc__,
    CONFIG,
    argument("--output", type=Path, required=True, help="object table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Import the images, write the object table."""
    config, files = args.config, args.config["files"]
    in_screen = config["place"]["by"].startswith("screen")
    columns = (*COLUMNS, *(SCREEN_COLUMNS if in_screen else DATASET_COLUMNS), *LAST_COLUMNS)
    folder = outputs.enter(scratch_folder(Path.cwd()))
    report = outputs.enter(Report(args.output, columns, keeps_room=True))
    entries = [files] if isinstance(files, dict) else list(files or [])
    skip = config.get("skip") or ()
    filesets = read_filesets(entries, config["zip_holds"], folder, hashed="checksum" not in skip)
    words = read_words(config, [one.label for one in filesets])
    with session_of(config) as session:
        import_images(
            session,
            filesets,
            report,
            place=(find_screen if in_screen else find_place)(session, config["place"]),
            words=words,
            existing=config["existing"],
            skip=skip,
            dry_run=bool(config.get("dry_run")),
        )


if __name__ == "__main__":
    run_tool(main)

"""Download files of an archive's study, or a region of a remote OME-Zarr image, with a table of their origin."""

from argparse import Namespace
from pathlib import Path

from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.fair.archives.fetching import ORIGIN_COLUMNS, fetch
from bioimage_suite.tables.writer import write_tsv


@tool(
    __doc__,
    CONFIG,
    argument("--table", type=Path, help="table of the files or studies to fetch"),
    argument("--folder", type=Path, required=True, help="folder that gets the files"),
    argument("--provenance", type=Path, required=True, help="table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Fetch, write. Each file appears in the folder when it is complete; a rerun keeps it and fetches the others."""
    rows = fetch(args.config, args.folder, args.table)
    write_tsv(outputs.file(args.provenance), ORIGIN_COLUMNS, (list(vars(row).values()) for row in rows))
    print(f"{len(rows)} files fetched")


if __name__ == "__main__":
    run_tool(main)

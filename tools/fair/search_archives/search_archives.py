"""Search public image archives, or a folder of crates, for studies: one query, one table."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import CONFIG, argument, file_list, run_tool, tool
from bioimage_suite.fair.archives.search import NOTE_COLUMNS, search
from bioimage_suite.fair.archives.studies import STUDY_COLUMNS
from bioimage_suite.tables.writer import write_tsv


def places(where: dict[str, Any], crates: list[tuple[Path, str]]) -> dict[str, Any]:
    """Return what to search, as `search` takes it: the crates, or the archives chosen in the form."""
    if crates:
        return {"crates": crates}
    chosen = {key: where["addresses"][key] for key in where.get("archives") or []}
    return {"sources": chosen, "seconds": where.get("seconds")}


@tool(
    __doc__,
    CONFIG,
    argument("--crates", type=file_list, default=[], help='JSON list of {"path", "name"} of crates or zips of crates'),
    argument("--studies", type=Path, required=True, help="table of studies to write"),
    argument("--notes", type=Path, required=True, help="table of what each source said, to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Search, write. The configuration has the query, and in `where` the archives to ask."""
    studies, notes = search(args.config | places(args.config.get("where", {}), args.crates))
    write_tsv(outputs.file(args.studies), STUDY_COLUMNS, (list(vars(study).values()) for study in studies))
    write_tsv(outputs.file(args.notes), NOTE_COLUMNS, notes)
    for note in notes:
        print(": ".join(part for part in (note[0], f"{note[2]}, {note[3]} studies", note[4]) if part))
    print(f"{len(studies)} studies found")


if __name__ == "__main__":
    run_tool(main)

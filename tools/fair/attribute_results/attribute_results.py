"""Add the study, licence and citation of the source image to every row of results."""

from argparse import Namespace
from pathlib import Path

from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import argument, file_list, run_tool, tool
from bioimage_suite.fair.archives.attribution import attribute, attribution_page, read_origin, read_result
from bioimage_suite.tables.writer import write_tsv


@tool(
    __doc__,
    argument("--results", type=file_list, required=True, help='JSON list of {"path", "name"} of tables'),
    argument("--origin", type=Path, required=True, help="table of origin of fetch_archive"),
    argument("--origin-name", default="origin", help="what the user calls it"),
    argument("--image-column", default="image", help="column of the results that names the image"),
    argument("--output", type=Path, required=True, help="table to write"),
    argument("--report", type=Path, required=True, help="HTML page to write"),
    argument("--report-markdown", type=Path, help="the same report in Markdown of Galaxy"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, join, write."""
    results = [read_result(path, name) for path, name in args.results]
    sources = read_origin(args.origin, args.origin_name)
    header, *rows = attribute(results, sources, args.image_column)
    place = header.index(args.image_column)
    report = attribution_page(sources, (row[place] for row in rows))
    write_tsv(outputs.file(args.output), header, rows)
    report.write(outputs, args.report, args.report_markdown)
    print(f"{len(rows):,} rows of {len(results)} tables")


if __name__ == "__main__":
    run_tool(main)

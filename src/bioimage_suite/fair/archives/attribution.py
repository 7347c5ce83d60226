"""Attribution of results: study, licence and citation of the image that each row was measured in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.html import Markup, ReportPage, paragraph, section, table
from bioimage_suite.tables.measurement_table import table_of_rows
from bioimage_suite.tables.reader import read_table

CARRIED = ("accession", "study_title", "licence", "citation", "source_url")
"""Columns that are added after those of a result; `citation` is the text that the archive or its users give."""
_NEEDED = ("file", "accession", "licence", "citation")


@dataclass(frozen=True)
class Attribution:
    """What to say of a study when its data are used: accession, title, licence, citation, and address of the data."""

    accession: str = ""
    title: str = ""
    licence: str = ""
    citation: str = ""
    url: str = ""

    @property
    def cells(self) -> list[str]:
        """Its values, in the order of `CARRIED`."""
        return [self.accession, self.title, self.licence, self.citation, self.url]


@dataclass(frozen=True)
class ResultTable:
    """One table of results: its name, and its rows of text, the header first."""

    name: str
    rows: tuple[tuple[str, ...], ...]


def read_origin(path: Path, name: str) -> dict[str, Attribution]:
    """Read the table of origin that `fetch_archive` writes.

    Args:
        path: Table with columns `file`, `accession`, `licence`, `citation`; `title` and `url` are optional.
        name: Display name of the table.

    Returns:
        Source by file name.

    Raises:
        UserError: A column is missing, or two rows of one file contradict each other.
    """
    rows = read_table(path, name).rows
    header = list(rows[0].cells) if rows else []
    missing = [column for column in _NEEDED if column not in header]
    if missing:
        raise UserError(
            f"origin {name}: no column {', '.join(missing)}. Give the table of origin of Fetch files of an archive."
        )
    sources: dict[str, Attribution] = {}
    for row in rows[1:]:
        # A row that ends in empty cells may be short.
        cells = dict.fromkeys(header, "") | dict(zip(header, row.cells, strict=False))
        source = Attribution(
            cells["accession"], cells.get("title", ""), cells["licence"], cells["citation"], cells.get("url", "")
        )
        if sources.setdefault(cells["file"], source) != source:
            raise UserError(
                f"origin {name}, line {row.line}: file {cells['file']!r} comes from two places. Keep one row."
            )
    return sources


def read_result(path: Path, name: str) -> ResultTable:
    """Read one table of results.

    Args:
        path: Table with a header; it may have no rows, as for an image without objects.
        name: Display name of the table.

    Raises:
        UserError: The file is not a table or has no header, a column occurs twice, or a row has more cells than there
            are columns.
    """
    rows = read_table(path, name).rows
    if not rows:
        raise UserError(f"results {name}: no header. Give measurement tables.")
    found = table_of_rows(rows, name, f"results {name}")
    return ResultTable(name, (found.columns, *found.rows))


def attribute(results: Sequence[ResultTable], sources: Mapping[str, Attribution], key: str) -> list[list[str]]:
    """Merge all results into one table and append the source of its image to each row.

    Args:
        results: Tables; columns are matched by name, missing values stay empty.
        sources: Sources of `read_origin`.
        key: Column that names the image.

    Returns:
        Rows of text, the header first: the results' columns in order of first appearance, then `CARRIED`.

    Raises:
        UserError: The column is missing, a column would be written twice, or the source of an image is unknown:
            a result without its licence must not look as if it were free.
    """
    columns = list(dict.fromkeys(column for result in results for column in result.rows[0]))
    twice = [column for column in CARRIED if column in columns]
    if twice:
        raise UserError(f"results: already have a column {', '.join(twice)}. Give the results as they were measured.")
    merged = [[*columns, *CARRIED]]
    for result in results:
        header = result.rows[0]
        if key not in header:
            raise UserError(f"results {result.name}: no column {key!r}. Columns are: {', '.join(header)}.")
        for cells in result.rows[1:]:
            values = dict(zip(header, cells, strict=False))
            image = values.get(key, "")
            source = sources.get(image)
            if source is None:
                raise UserError(
                    f"results {result.name}: image {image!r} is not in the table of origin. Give the table that was "
                    "made when these images were fetched."
                )
            merged.append([*(values.get(column, "") for column in columns), *source.cells])
    return merged


def attribution_page(sources: Mapping[str, Attribution], used: Iterable[str]) -> ReportPage:
    """Return a page that tells how to cite each study that the results were made from.

    Args:
        sources: Sources of `read_origin`.
        used: Image names in the results.

    Returns:
        A report with all texts of archives escaped.
    """
    studies: dict[tuple[str, str, str, str], list[str]] = {}
    for name in sorted(set(used)):
        source = sources[name]
        studies.setdefault((source.accession, source.title, source.licence, source.citation), []).append(name)
    parts = [_study(*study, names) for study, names in sorted(studies.items())]
    text = "Cite these studies when you publish what was measured here, and keep to their licences."
    return ReportPage("Whose images these results come from", (paragraph(text), *parts))


def _study(accession: str, title: str, licence: str, citation: str, images: Sequence[str]) -> Markup:
    rows = [
        ["Study", f"{accession} {title}".strip() or "not said"],
        ["Licence", licence or "not said: ask the archive before you publish"],
        ["Cite as", citation or "not said"],
        ["Images", ", ".join(images)],
    ]
    return section(accession or "Images without an accession", table(["", ""], rows))

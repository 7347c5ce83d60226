"""Findings as a table for programs, and as a report and a text list for people."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from bioimage_suite.core.html import Cell, Markup, ReportPage, Shaded, bullets, paragraph, section, table
from bioimage_suite.core.texts import first_names, one_line
from bioimage_suite.tables.sheets import Finding
from bioimage_suite.tables.writer import write_tsv

LEVEL_COLOURS = {"error": "#f8d2a4", "warning": "#fdf1d0", "note": "#eceaf5"}
# A page with more kinds of findings than this is hard to read; the table has all of them.
_SHOWN = 500
_SHOWN_LINES = 8
_LIST_LENGTH = 25


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write one finding per row: level, file, line (empty for the whole file), column, found, expected, suggestion."""
    rows = ([cell if cell != 0 else "" for cell in astuple(finding)] for finding in findings)
    write_tsv(path, [column.name for column in fields(Finding)], rows)


def count_levels(findings: Sequence[Finding]) -> dict[str, int]:
    """Count errors, warnings and notes."""
    return {level: sum(finding.level == level for finding in findings) for level in LEVEL_COLOURS}


def findings_page(title: str, summary: Sequence[str], findings: Sequence[Finding]) -> ReportPage:
    """Return a page of all findings; equal findings of several lines are grouped."""
    counts = count_levels(findings)
    verdict = "No errors." if not counts["error"] else "There are errors: mend them and validate again."
    numbers = ", ".join(f"{counts[level]:,} {level}{'' if counts[level] == 1 else 's'}" for level in LEVEL_COLOURS)
    return ReportPage(title, (paragraph(f"{verdict} {numbers}."), bullets(summary), findings_section(findings)))


def findings_section(findings: Sequence[Finding]) -> Markup:
    """Return the findings as a section of a page, errors first."""
    groups: dict[tuple[str, str, str, str, str, str], list[int]] = {}
    for finding in findings:
        key = (finding.level, finding.file, finding.column, finding.found, finding.expected, finding.suggestion)
        groups.setdefault(key, []).append(finding.line)
    ordered = sorted(groups.items(), key=lambda group: list(LEVEL_COLOURS).index(group[0][0]))
    if not ordered:
        return section("Findings", paragraph("Nothing to say."))
    rows: list[list[Cell]] = [
        [Shaded(level, LEVEL_COLOURS[level]), file, _lines(lines), column, found, expected, suggestion]
        for (level, file, column, found, expected, suggestion), lines in ordered[:_SHOWN]
    ]
    header = ["Level", "File", "Line", "Column", "Found", "Expected", "Suggestion"]
    rest = len(ordered) - _SHOWN
    more = [paragraph(f"{rest:,} more kinds of findings are in the table of findings.")] if rest > 0 else []
    return section("Findings", table(header, rows), *more)


def readable_list(findings: Sequence[Finding]) -> str:
    """Return the errors as a text list of at most 25 kinds, without a final line break."""
    groups: dict[str, list[int]] = {}
    for finding in findings:
        if finding.level == "error":
            hint = f" ({finding.suggestion})" if finding.suggestion else ""
            text = f"{finding.column or 'row'}: {finding.found!r}, expected {finding.expected}{hint}"
            groups.setdefault(f"{finding.file}|{text}", []).append(finding.line)
    lines = []
    for key, numbers in list(groups.items())[:_LIST_LENGTH]:
        file, _, text = key.partition("|")
        place = f"{file} line {_lines(numbers)}: " if any(numbers) else f"{file}: " if file else ""
        lines.append(f"  - {one_line(place + text)}")
    if len(groups) > _LIST_LENGTH:
        lines.append(f"  - and {len(groups) - _LIST_LENGTH:,} more kinds of error, see the table of findings")
    return "\n".join(lines)


def _lines(numbers: Sequence[int]) -> str:
    return first_names([f"{number:,}" for number in numbers if number], _SHOWN_LINES)

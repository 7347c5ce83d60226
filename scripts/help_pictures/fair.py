"""Pages of the tools for metadata and archives, and sheets of workbooks to fill in: a browser photographs them."""

import html
import json
import tarfile
from pathlib import Path
from typing import Any

from sandbox.setup.frontend import VITESSCE, fetch_package
from scripts.help_pictures.drawing import DATA, LABELS, form, given, run
from scripts.suite_files import tool_script

FAIR, ARCHIVES = DATA / "fair", DATA / "fair_archives"
IMAGES = (FAIR / "cells_a.ome.tiff", FAIR / "cells_b.ome.tiff")
MISSPELT = tool_script("validate_metadata").parent / "test-data" / "fair" / "key_values_homo_sapien.csv"
STYLE = "table{border-collapse:collapse;font:13px sans-serif}td{border:1px solid #ccc;padding:3px 8px;max-width:13em}"
COLUMNS = (
    "image", "Study: Title", "Biosample: Organism", "Biosample: Cell line", "Image acquisition: Imaging instrument",
    "Image data: Pixel size X", "Image data: Channel information",
)  # fmt: skip
"""Of the template: some to fill in, and some that the images know."""
WELL_COLUMNS = ("Plate", "Well", "control", "compound", "dose_uM")
NO_FILL = "00000000"


def listed(file: Path, *datasets: Path) -> Path:
    """Write a list of datasets as wrappers write it; return its file."""
    file.write_text(json.dumps([{"path": str(one), "name": one.name} for one in datasets]))
    return file


def attribute_results(folder: Path) -> Path:
    """Return the page that says whose images results come from."""
    page, tables = folder / "page.html", (ARCHIVES / f"measured_{name}.tabular" for name in ("cells", "more_cells"))
    known = ("--results", listed(folder / "results.json", *tables), "--origin", ARCHIVES / "origin.tabular")
    run("attribute_results", *known, "--output", folder / "out.tsv", "--report", page)
    return page


def metadata_report(folder: Path) -> Path:
    """Return the page of what is known of two images, and what to ask for."""
    page = folder / "page.html"
    known = ("--images", listed(folder / "images.json", *IMAGES), "--metadata", FAIR / "template_rembi.csv")
    tables = ("--image-completeness", folder / "images.tsv", "--field-completeness", folder / "fields.tsv")
    run("metadata_report", *known, *tables, "--report", page)
    return page


def validate_metadata(folder: Path) -> Path:
    """Return the page of findings in a description with mistakes."""
    page = folder / "page.html"
    tables = ("--table", folder / "table.tsv", "--findings", folder / "findings.tsv")
    filled = listed(folder / "filled.json", MISSPELT)
    run("validate_metadata", "--metadata", filled, "--scopes", "biosample", *tables, "--report", page)
    return page


def validate_crate(folder: Path) -> Path:
    """Return the page of findings in a crate with known misspellings."""
    page = folder / "page.html"
    outputs = ("--findings", folder / "findings.tsv", "--mended", folder / "mended.json", "--report", page)
    run("validate_crate", "--crate", FAIR / "gide_misspelt.jsonld", *outputs)
    return page


def metadata_template(folder: Path) -> Path:
    """Return the sheet to fill in for two images."""
    book = folder / "template.xlsx"
    run("metadata_template", "--images", listed(folder / "images.json", *IMAGES), "--output", book)
    return sheet_page(book, "metadata", rows=4, columns=COLUMNS)


def plate_template(folder: Path) -> Path:
    """Return the sheet of the wells of a plate with their conditions."""
    source = {"kind": "layout", "layout": [given(DATA / "plate_layout.tabular")]}
    form(folder, "plate_template", {"source": source}, "workbook", "layout")
    return sheet_page(
        folder / "workbook", "AssayConditions", rows=10, columns=("Plate", "Well", "control", "compound", "dose_uM")
    )


def vitessce_view(folder: Path) -> Path:
    """Return the page of an image, its label map and its table, with the viewer that Galaxy has."""
    viewer, name, page = folder / "viewer.js", folder / "name", folder / "page.html"
    with tarfile.open(fetch_package(VITESSCE)) as package:
        script = package.extractfile("package/static/index.js")
        assert script is not None
        viewer.write_bytes(script.read())
    name.write_text("nuclei")
    (folder / "form.json").write_text("{}")
    shown = ("--image", DATA / "nuclei.ome.tiff", "--labels", LABELS, "--table", ARCHIVES / "nuclei_measured.tabular")
    outputs = ("--view", folder / "view.json", "--page", page)
    run("vitessce_view", "--config", folder / "form.json", "--name", name, *shown, "--viewer", viewer, *outputs)
    return page


def sheet_page(book: Path, sheet: str, rows: int, columns: tuple[str, ...]) -> Path:
    """Write some columns of a sheet, its texts and colours, as a page; return the page."""
    import openpyxl

    with book.open("rb") as opened:
        cells = list(openpyxl.load_workbook(opened)[sheet].iter_rows(max_row=rows))
    header = next(row for row in cells if columns[0] in [cell.value for cell in row])
    chosen = [[cell.value for cell in header].index(name) for name in columns]
    lines = cells[cells.index(header) :]
    shown = "".join(f"<tr>{''.join(_cell(row[place]) for place in chosen)}</tr>" for row in lines)
    page = book.with_name("page.html")
    head = f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style>"
    page.write_text(f"{head}<table>{shown}</table>", encoding="utf-8")
    return page


def _cell(cell: Any) -> str:
    colour = cell.fill.start_color.rgb
    text = "" if cell.value is None else str(cell.value)
    style = f' style="background:#{colour[2:]}"' if cell.fill.fill_type and colour != NO_FILL else ""
    shown = f"<b>{html.escape(text)}</b>" if cell.font.b else html.escape(text)
    return f"<td{style}>{shown}&nbsp;</td>"


PAGES = (
    attribute_results, metadata_report, validate_metadata, validate_crate, metadata_template, plate_template,
    vitessce_view,
)  # fmt: skip

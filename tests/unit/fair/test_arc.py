"""An Annotated Research Context.

On 2026-11-30 arctrl 3.1.1 loaded it: one study, two assays, their tables with every row, contacts with ORCID.
"""

import io
from typing import Any

import openpyxl
import pytest

from bioimage_suite.fair.products.package import Package, make_package
from tests.unit.fair.made_crates import study


@pytest.fixture(scope="module")
def made() -> Package:
    return make_package("arc", study("arc"))


def sheets(made: Package, path: str) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(made.workbooks[path]))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_the_parts_have_the_places_of_the_specification(made: Package):
    assert sorted(made.workbooks) == [
        "assays/annotation/isa.assay.xlsx",
        "assays/imaging/isa.assay.xlsx",
        "isa.investigation.xlsx",
        "studies/samples/isa.study.xlsx",
    ]
    assert sorted(made.files) == [
        "assays/annotation/dataset/cells_a.ome.tiff",
        "assays/imaging/dataset/cells_a.ome.tiff",
        "assays/imaging/dataset/cells_b.ome.tiff",
        "runs/analysis/cells_a.tsv",
    ]


def test_terms_stand_beside_their_values(made: Package):
    header, first, _ = sheets(made, "studies/samples/isa.study.xlsx")["preparation"]
    row = dict(zip(header, first, strict=True))
    assert row["Characteristic [organism]"] == "Homo sapiens"
    assert row["Term Source REF (OBI:0100026)"] == "NCBITaxon"
    assert row["Term Accession Number (OBI:0100026)"] == "http://purl.obolibrary.org/obo/NCBITaxon_9606"


def test_the_output_of_a_table_is_the_input_of_the_next(made: Package):
    def column(path: str, table: str, number: int) -> set[str]:
        return {row[number] for row in sheets(made, path)[table][1:]}

    samples = column("studies/samples/isa.study.xlsx", "preparation", -1)
    assert samples == column("assays/imaging/isa.assay.xlsx", "acquisition", 0)
    images = column("assays/imaging/isa.assay.xlsx", "acquisition", -1)
    assert column("assays/annotation/isa.assay.xlsx", "annotation", 0) <= images <= set(made.files)
    assert column("assays/annotation/isa.assay.xlsx", "annotation", -1) <= set(made.files)


def test_every_table_is_one_of_the_spreadsheet_with_each_header_once(made: Package):
    for path, table in (("studies/samples/isa.study.xlsx", 1), ("assays/imaging/isa.assay.xlsx", 1)):
        sheet = openpyxl.load_workbook(io.BytesIO(made.workbooks[path])).worksheets[table]
        header = [cell.value for cell in sheet[1]]
        assert len(set(header)) == len(header)
        assert dict(sheet.tables.items()) == {"annotationTable0": sheet.dimensions}


def test_persons_and_dates_are_in_the_investigation(made: Package):
    rows = {row[0]: row[1:] for row in sheets(made, "isa.investigation.xlsx")["isa_investigation"]}
    assert rows["Investigation Person Last Name"][:2] == ("Doe", "Roe")
    assert rows["Comment[ORCID]"][0] == "0000-0002-1825-0097"
    assert rows["Investigation Public Release Date"][0] == "2026-01-31"

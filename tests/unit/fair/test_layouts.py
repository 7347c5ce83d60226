"""The table in a file is found, wherever people put it: sheet, header row, turned, one sheet a module."""

from pathlib import Path

import openpyxl
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.fields import is_field
from bioimage_suite.fair.metadata.table import read_metadata_table, write_metadata_table
from bioimage_suite.tables.key_value_dialects import KeyValueFile, read_key_values
from tests.unit.fair.metadata_samples import DATA

HEADER = ["image", "Study: Title", "Biosample: Organism", "Drug"]
ROWS = [["*", "A title", "Homo sapiens", None], ["a.tif", None, None, "A"], ["b.tif", None, None, "B"]]


def read(path: Path, sheet: str = "") -> KeyValueFile:
    return read_key_values(path, "t", sheet=sheet, known=is_field)


def pairs(reading: KeyValueFile) -> list[tuple[str, str, str]]:
    return [(pair.target.name, pair.key, pair.value) for pair in reading.pairs]


EXPECTED = [
    ("*", "Study: Title", "A title"),
    ("*", "Biosample: Organism", "Homo sapiens"),
    ("a.tif", "Drug", "A"),
    ("b.tif", "Drug", "B"),
]


def book(path: Path, **sheets: list[list[object]]) -> Path:
    workbook = openpyxl.Workbook()
    del workbook["Sheet"]
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title.rstrip("_"))
        for row in rows:
            sheet.append(row)
        if title.endswith("_"):
            sheet.sheet_state = "hidden"
    workbook.save(path)
    return path


@pytest.mark.parametrize(
    "sheets",
    [
        {"Data": [HEADER, *ROWS]},
        {"README": [["How to fill in"], ["Fill the sheet Data"]], "Data": [HEADER, *ROWS]},
        {"Lists_": [["Organism"], ["Homo sapiens"]], "Data": [HEADER, *ROWS]},
        {"Data": [["Our study of nuclei"], ["of 2026"], [], HEADER, *ROWS]},
        {"Data": [list(column) for column in zip(HEADER, *ROWS, strict=True)]},
        {"Data": [["Our study"], *(list(column) for column in zip(HEADER, *ROWS, strict=True))]},
    ],
    ids=["plain", "readme first", "hidden lists", "titles", "turned", "turned with a title"],
)
def test_the_table_is_found(tmp_path: Path, sheets: dict[str, list[list[object]]]):
    reading = read(book(tmp_path / "t", **sheets))
    assert pairs(reading) == EXPECTED or sorted(pairs(reading)) == sorted(EXPECTED)
    assert not [finding for finding in reading.findings if finding.level == "error"]


def test_a_text_table_may_have_a_title_or_be_turned(tmp_path: Path):
    (tmp_path / "t").write_text("Our study,,\nimage,Organism,Drug\na.tif,Homo sapiens,A\n")
    assert pairs(read(tmp_path / "t")) == [("a.tif", "Organism", "Homo sapiens"), ("a.tif", "Drug", "A")]
    (tmp_path / "t").write_text("image,a.tif,b.tif\nOrganism,Homo sapiens,Mus musculus\nLicence,CC0,\n")
    assert pairs(read(tmp_path / "t"))[1:] == [("a.tif", "Licence", "CC0"), ("b.tif", "Organism", "Mus musculus")]


def test_places_in_a_turned_table_are_those_of_the_sheet(tmp_path: Path):
    turned = [["image", "a.tif", "b.tif"], ["Study: Title", "x", None], ["Organism", "Homo sapien", "=1+1"]]
    result = validate([read(book(tmp_path / "t", Data=turned))], [], ())
    assert [(f.line, f.column, f.found) for f in result.findings if f.level == "error"] == [
        (3, "C", "=1+1"),
        (2, "B (Study: Title)", "x"),
        (3, "B (Organism)", "Homo sapien"),
    ]


def test_one_sheet_a_module_is_read_as_one_table_about_all_images(tmp_path: Path):
    path = book(
        tmp_path / "t",
        README=[["Fill all sheets"]],
        Study=[["Title", "Release date"], ["Nuclei of cells under two drugs", "2026-01-31"]],
        Biosample=[["Title", "Organism"], ["S1", "Homo sapiens"]],
        Images=[["image", "Drug"], ["a.tif", "A"]],
    )
    reading = read(path)
    assert pairs(reading) == [
        ("*", "Study: Title", "Nuclei of cells under two drugs"),
        ("*", "Study: Release date", "2026-01-31"),
        ("*", "Biosample: Title", "S1"),
        ("*", "Biosample: Organism", "Homo sapiens"),
        ("a.tif", "Drug", "A"),
    ]
    result = validate([reading], [], ())
    assert [value.source for value in result.values][::2] == ["t, sheet Study", "t, sheet Biosample", "t, sheet Images"]
    assert not result.errors


def test_several_rows_of_a_module_need_a_column_image(tmp_path: Path):
    rows = [["Title", "Organism"], ["S1", "Homo sapiens"], ["S2", "Mus musculus"]]
    result = validate([read(book(tmp_path / "t", Study=[["Title"], ["T"]], Biosample=rows))], [], ())
    assert ("t", 3, "which image the row is about") in [(f.file, f.line, f.expected) for f in result.findings]


SAMPLES = [["Title", "Organism", "Biological entity"], ["S1", "Homo sapiens", "liver"], ["S2", "Mus musculus", "eye"]]


@pytest.mark.parametrize("turned", [False, True])
def test_rows_of_a_module_are_linked_by_title(tmp_path: Path, turned: bool):
    samples = [list(column) for column in zip(*SAMPLES, strict=True)] if turned else SAMPLES
    path = book(
        tmp_path / "t",
        Study=[["Title"], ["Nuclei of cells under two drugs"]],
        Biosample=samples,
        Specimen=[["Title", "Biosample", "Location"], ["slide 1", "S1", "top"], ["slide 2", "S2", "rim"]],
        Images=[["image", "Specimen"], ["a.tif", "slide 2"], ["b.tif", "slide 1"], ["c.tif", "slide 2"]],
    )
    reading = read(path)
    assert {
        name: [(key, value) for one, key, value in pairs(reading) if one == name] for name in ("a.tif", "b.tif")
    } == {
        "a.tif": [
            ("Specimen: Title", "slide 2"),
            ("Biosample: Title", "S2"),
            ("Biosample: Organism", "Mus musculus"),
            ("Biosample: Biological entity", "eye"),
            ("Specimen: Location", "rim"),
        ],
        "b.tif": [
            ("Specimen: Title", "slide 1"),
            ("Biosample: Title", "S1"),
            ("Biosample: Organism", "Homo sapiens"),
            ("Biosample: Biological entity", "liver"),
            ("Specimen: Location", "top"),
        ],
    }
    assert len(pairs(reading)) == 16
    assert reading.findings == ()
    assert not validate([reading], [], ()).errors


def test_titles_that_lead_nowhere_are_said(tmp_path: Path):
    images = [["image", "Biosample"], ["a.tif", "S1"], ["b.tif", "S3"]]
    reading = read(book(tmp_path / "t", Study=[["Title"], ["T"]], Biosample=SAMPLES, Images=images))
    assert [(f.level, f.file, f.line, f.found, f.suggestion) for f in reading.findings] == [
        ("warning", "t, sheet Biosample", 3, "Biosample S2", ""),
        ("error", "t, sheet Images", 3, "S3", "S1 or S2"),
    ]
    assert [pair for pair in pairs(reading) if pair[0] == "b.tif"] == []


def test_a_form_with_modules_beside_its_labels(tmp_path: Path):
    form = [
        ["On the project", None, None, "REMARKS"],
        [None, "Authors", "Doe, Jane", None],
        [None, "License", "CC-BY 4.0", "please"],
        ["Biosample", "title", "S1", None],
        [None, "organism", "Homo sapiens", None],
        ["Specimen (under the microscope)", "title", "glass 1", None],
        [None, "Channel 0 - content", "DAPI", "a stain"],
    ]
    reading = read(book(tmp_path / "t", Form=form))
    assert pairs(reading) == [
        ("*", "Authors", "Doe, Jane"),
        ("*", "License", "CC-BY 4.0"),
        ("*", "Biosample: title", "S1"),
        ("*", "organism", "Homo sapiens"),
        ("*", "Specimen: title", "glass 1"),
        ("*", "Channel 0 - content", "DAPI"),
    ]
    assert [(pair.line, pair.column) for pair in reading.pairs][2] == (4, "C")
    assert [(f.level, f.column) for f in reading.findings] == [("note", "D")]
    assert [value.field for value in validate([reading], [], ()).values][-1] == "specimen.channel_content"


def test_two_sheets_that_fit_equally_are_not_chosen_among(tmp_path: Path):
    path = book(tmp_path / "t", One=[HEADER, *ROWS], Two=[HEADER, ["c.tif", "Another", None, "C"]])
    with pytest.raises(UserError, match="file t: the sheets One and Two fit equally well"):
        read(path)
    assert (
        pairs(read(path, "two"))
        == pairs(read(path, "2"))
        == [("c.tif", "Study: Title", "Another"), ("c.tif", "Drug", "C")]
    )
    with pytest.raises(UserError, match=r"has no sheet Three. Its sheets are One, Two"):
        read(path, "Three")


def test_sheets_that_were_not_read_are_said(tmp_path: Path):
    reading = read(book(tmp_path / "t", Plan=[["image", "who"], ["a.tif", "me"]], Data=[HEADER, *ROWS]))
    assert [(f.level, f.found) for f in reading.findings] == [("note", "sheet Plan")]


def test_a_link_gives_its_address_where_one_is_wanted(tmp_path: Path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["image", "Study: Landing page", "Study: Publication DOI", "Study: Acknowledgements"])
    sheet.append(["*", "our page", "the paper", "our friends"])
    targets = ("https://example.org/x", "https://doi.org/10.1038/s41592-021-01166-8", "https://example.org/friends")
    for cell, target in zip(sheet["B2:D2"][0], targets, strict=True):
        cell.hyperlink = target
    workbook.save(tmp_path / "t")
    result = validate([read(tmp_path / "t")], [], ())
    assert [value.value for value in result.values] == [
        "https://example.org/x",
        "10.1038/s41592-021-01166-8",
        "our friends",
    ]


def test_line_breaks_in_cells_do_not_break_the_table(tmp_path: Path):
    (tmp_path / "t").write_text('image,Study: Description\n*,"A study that\nnever took place,\tas it is ""quoted"""\n')
    values = validate([read(tmp_path / "t")], [], ()).values
    write_metadata_table(tmp_path / "m.tsv", values)
    lines = (tmp_path / "m.tsv").read_text().splitlines()
    assert [len(line.split("\t")) for line in lines] == [13, 13]
    (value,) = read_metadata_table(tmp_path / "m.tsv", "m")
    assert value.value == 'A study that never took place, as it is "quoted"'


def test_plate_well_and_image_rows_stay_apart(tmp_path: Path):
    (tmp_path / "t").write_text("plate,well,image,Drug\nP1,,,p\nP1,A1,,w\nP1,A1,a.tif,i\nP2,A1,,v\n")
    reading = read(tmp_path / "t")
    assert [(pair.target.kind, pair.target.name, pair.value) for pair in reading.pairs] == [
        ("plate", "P1", "p"),
        ("well", "P1/A1", "w"),
        ("image", "a.tif", "i"),
        ("well", "P2/A1", "v"),
    ]
    (tmp_path / "t").write_text("well,image,Drug\nA1,,w\nA1,a.tif,i\n")
    assert [pair.target.kind for pair in read(tmp_path / "t").pairs] == ["well", "image"]


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("key_values_*")))
def test_finding_changes_nothing_where_the_header_is_first(file: str):
    reading = read_key_values(DATA / file, file, known=is_field)
    assert reading == read_key_values(DATA / file, file)
    assert reading.targets[0][1] in {2, 3}

"""IDR's study, library and assays files, by the rules of its reader (`StudyParser` of IDR/idr-utils)."""

import csv
import io
import re

from bioimage_suite.fair.products.idr import idr_files
from tests.unit.fair.made_crates import NAMES, VALUES, study, value

# Keys without which StudyParser of August 2025 refuses a file, by the section that has to have them.
STUDY_KEYS = (
    "Comment[IDR Study Accession]", "Study Title", "Study Description", "Study Type", "Study Publication Title",
    "Study Author List", "Study Public Release Date",
)  # fmt: skip
PART_KEYS = ("Comment[IDR {} Name]", "{} Description", "{} Sample Type", "{} Imaging Method", "{} Number")
# The columns of IDR's template of assays (idr0000-lastname-example) that every study can fill.
ASSAY_COLUMNS = (
    "Source Name", "Characteristics [Organism]", "Term Source 1 REF", "Term Source 1 Accession",
    "Characteristics [Cell Line]", "Term Source 2 REF", "Term Source 2 Accession", "Protocol REF", "Assay Name",
    "Dataset Name", "Image File", "Comment [Image File Path]", "Channels", "Processed Data File",
)  # fmt: skip


def _wells(*wells: tuple[str, str]) -> list:
    names = zip(NAMES, wells, strict=True)
    return [
        value("image", name, "", key, text)
        for name, place in names
        for key, text in zip(("Plate", "Well"), place, strict=True)
    ]


def _values(text: str) -> dict[str, list[str]]:
    return {line.split("\t")[0]: line.split("\t")[1:] for line in text.splitlines() if line}


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def test_an_experiment_has_what_the_reader_asks_for():
    texts = idr_files(study("idr"), "idr0999")
    found = _values(texts["idr0999-study.txt"])
    assert set(STUDY_KEYS) | {key.format("Experiment") for key in PART_KEYS} <= set(found)
    assert found["Study Experiments Number"] == ["1"]
    assert "Study Screens Number" not in found
    assert found["Study Author List"] == ["Doe J, Roe R"]
    assert found["Study Person Last Name"] == ["Doe", "Roe"]
    assert found["Study Organism Term Accession"] == ["NCBITaxon_9606"]
    assert found["Experiment Sample Type"] == ["cell"]
    assert found["Comment[IDR Experiment Name]"] == ["idr0999-doe-nuclei/experimentA"]


def test_the_reader_s_pattern_takes_the_name():
    found = _values(idr_files(study("idr"))["idr0000-study.txt"])
    assert re.fullmatch(r"(idr0000-\w+(-\w+)?)/(\w+)", found["Comment[IDR Experiment Name]"][0])


def test_assays_have_the_columns_of_the_template():
    text = idr_files(study("idr"), "idr0999")["experimentA/idr0999-experimentA-assays.txt"]
    assert set(ASSAY_COLUMNS) <= set(text.splitlines()[0].split("\t"))
    assert text.splitlines()[0].split("\t").count("Protocol REF") == 4
    row = _rows(text)[0]
    assert row["Characteristics [Cell Line]"] == "HeLa cell"
    assert row["Term Source 2 Accession"] == "CLO_0003684"
    assert row["Channels"] == "DAPI (nucleus); GFP (actin)"
    assert row["Comment [Pixel size X]"] == "0.65 µm"
    assert row["Processed Data File"] == "results/cells_a.tsv; annotations/cells_a.ome.tiff"


def test_file_paths_name_project_and_dataset():
    text = idr_files(study("idr"), "idr0999")["experimentA/idr0999-experimentA-filePaths.tsv"]
    target = "Project:name:idr0999-doe-nuclei/experimentA/Dataset:name:Nuclei"
    assert text.splitlines()[0] == f"{target}\timages/cells_a.ome.tiff"


def test_plates_and_wells_make_a_screen_all_the_way():
    texts = idr_files(study("idr", [*VALUES, *_wells(("P1", "A1"), ("P1", "A2"))]), "idr0999")
    assert set(texts) == {
        "idr0999-study.txt",
        "screenA/idr0999-screenA-library.txt",
        "screenA/idr0999-screenA-plates.tsv",
    }
    found = _values(texts["idr0999-study.txt"])
    assert {key.format("Screen") for key in (*PART_KEYS, "{} Type")} <= set(found)
    assert found["Study Screens Number"] == ["1"]
    assert not any(key.startswith(("Experiment ", "Study Experiments", "Comment[IDR Exp")) for key in found)
    assert found["Comment[IDR Screen Name]"] == ["idr0999-doe-nuclei/screenA"]
    assert texts["screenA/idr0999-screenA-plates.tsv"].startswith("P1\timages/cells_a.ome.tiff\n")


def test_a_library_has_a_row_a_well():
    same = [v for v in VALUES if v.field != "biosample.extrinsic_variables"]
    texts = idr_files(study("idr", [*same, *_wells(("P1", "A1"), ("P1", "A1"))]), "idr0999")
    rows = _rows(texts["screenA/idr0999-screenA-library.txt"])
    assert [(row["Plate"], row["Well"], row["Characteristics [Organism]"]) for row in rows] == [
        ("P1", "A1", "Homo sapiens")
    ]


def test_a_component_with_and_one_without_wells_are_a_screen_and_an_experiment():
    parts = [value("image", name, "component.name", "c", name[:7]) for name in NAMES]
    wells = [value("image", NAMES[0], "", key, text) for key, text in (("Plate", "P1"), ("Well", "A1"))]
    texts = idr_files(study("idr", [*VALUES, *parts, *wells]), "idr0999")
    found = texts["idr0999-study.txt"]
    assert _values(found)["Study Screens Number"] == _values(found)["Study Experiments Number"] == ["1"]
    assert "Screen Number\t1\n" in found
    assert "Experiment Number\t2\n" in found
    assert "experimentB/idr0999-experimentB-assays.txt" in texts


def test_a_quotation_mark_stays_as_it_is():
    title = 'The "nuclei" of cells that were never made'
    values = [v for v in VALUES if v.field != "study.title"] + [value("image", "*", "study.title", "t", title)]
    assert f"Study Title\t{title}\n" in idr_files(study("idr", values))["idr0000-study.txt"]

"""Checks of a filled template: every finding with its place and what to do."""

from pathlib import Path

import openpyxl

from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.fields import template_fields
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.table import by_object
from bioimage_suite.tables.key_value_dialects import read_key_values
from tests.unit.fair.metadata_samples import DATA, SCOPES, check, errors, images


def test_the_good_template_has_nothing_to_say():
    result = validate([read_key_values(DATA / "template_rembi.csv", "t")], images(), template_fields("rembi", SCOPES))
    assert result.findings == ()
    organism = next(value for value in result.values if value.field == "biosample.organism")
    assert (organism.value, organism.term_id, organism.line, organism.column) == (
        "Homo sapiens",
        "NCBITaxon:9606",
        2,
        "N",
    )


def test_an_unknown_term_is_said_with_place_and_near_match_and_left_out():
    result = check("image,Organism\na,Homo sapien\n")
    found = result.findings[0]
    assert (found.level, found.file, found.line, found.column, found.found) == (
        "error",
        "t0.csv",
        2,
        "B (Organism)",
        "Homo sapien",
    )
    assert found.suggestion == "Homo sapiens (NCBITaxon:9606)"
    assert not result.values


def test_contradicting_rows_are_said_with_both_places():
    result = check("image,Biological entity\na,liver\n", "image,Biological entity\na,kidney\n")
    assert errors(result) == [(2, "B (Biological entity)", "kidney")]
    assert "t0.csv line 2" in result.findings[0].expected


def test_the_study_has_one_title_whoever_says_it():
    text = (
        "image,Study: Title\na,A title of at least twenty-five characters\nb,Another title of at least 25 characters\n"
    )
    assert [line for line, _, _ in errors(check(text))] == [3]


def test_duplicate_names_are_said():
    assert errors(check("image,k\na,1\nb,2\na,3\n")) == [(4, "", "a, also on line 2")]


def test_an_image_without_a_row_and_a_row_without_an_image():
    assert errors(check("image,k\na,1\nc,2\n", images=("a", "b"))) == [(3, "", "c"), (0, "", "no row for b")]


def test_a_row_for_all_describes_every_image():
    result = check("image,Biosample: Organism\n*,Homo sapiens\n", images=("a", "b"))
    assert [finding.level for finding in result.findings] == ["warning"]
    assert by_object(result.values).of_image(ImageFacts("b"))["biosample.organism"][0].value == "Homo sapiens"


def test_an_own_row_wins_over_the_row_for_all():
    text = "image,Biosample: Organism\n*,Homo sapiens\nb,Mus musculus\n"
    objects = by_object(check(text).values)
    found = [objects.of_image(ImageFacts(name))["biosample.organism"][0].value for name in ("a.tif", "b.tif")]
    assert found == ["Homo sapiens", "Mus musculus"]


def test_a_dataset_row_describes_every_image():
    result = check("dataset,Organism\nnuclei,Homo sapiens\n", images=("a",), scopes=("biosample",))
    assert "Biosample: Organism" not in {finding.column for finding in result.findings}


def test_missing_required_fields_come_with_the_question_to_ask():
    result = check("image,k\na,1\n", scopes=("biosample",))
    assert {f.column for f in result.findings} == {
        "Biosample: Organism", "Biosample: Biological entity", "Specimen: Sample preparation",
    }  # fmt: skip
    assert "Which organism" in result.findings[0].suggestion
    assert result.findings[0].found == "missing for a"


def test_a_value_that_cannot_be_used_is_not_called_missing():
    findings = check("image,Organism\na,Homo sapien\n", scopes=("biosample",)).findings
    found = {finding.column: finding.found for finding in findings}
    assert found["Biosample: Organism"] == "no valid value for a"
    assert found["Biosample: Biological entity"] == "missing for a"


def test_image_correlation_is_required_only_when_there_is_some():
    result = check("image,Alignment\na,by hand\n", scopes=("acquisition",))
    columns = {finding.column for finding in result.findings}
    assert {"Image correlation: Fiducials used", "Image correlation: Transformation matrix"} <= columns


def test_200_columns_are_read_and_unknown_ones_said_once_each():
    header = ",".join(["image", "Biosample: Organism", *(f"x{number}" for number in range(198))])
    row = "a,Homo sapiens" + ",v" * 198
    result = check(f"{header}\n{row}\n{row.replace('a', 'b', 1)}\n")
    assert len([f for f in result.findings if f.level == "warning"]) == 198
    assert len(result.values) == 2 * 199


def test_lists_that_run_parallel_to_the_authors():
    head = "image,Study: Authors,Study: Author ORCIDs,Study: Author affiliations\n"
    assert not errors(check(head + '*,"Doe, J; Roe, R",0000-0002-1825-0097; -,Nowhere\n'))
    assert [column for _, column, _ in errors(check(head + '*,"Doe, J; Roe, R",0000-0002-1825-0097,Nowhere\n'))] == [
        "C (Study: Author ORCIDs)"
    ]


def test_a_gene_that_excel_made_a_date(tmp_path: Path):
    from datetime import date

    book = openpyxl.Workbook()
    for row in (["image", "Gene", "Date"], ["a", date(2026, 3, 1), date(2026, 3, 1)]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    result = validate([read_key_values(tmp_path / "t.xlsx", "t.xlsx")], [], ())
    assert [(f.level, f.column) for f in result.findings] == [("warning", "B (Gene)")]


def test_two_authors_with_one_orcid_are_said():
    orcid = "0000-0002-1825-0097"
    result = check(f'image,Authors,Author ORCIDs\n*,"Doe, Jane; Roe, Richard",{orcid}; https://orcid.org/{orcid}\n')
    assert errors(result) == [(2, "C (Author ORCIDs)", f"https://orcid.org/{orcid}")]
    assert errors(check('image,Authors,Author ORCIDs\n*,"Doe, Jane; Roe, Richard",-; -\n')) == []

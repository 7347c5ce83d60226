"""From images to a template, from a filled template to a normal table, from that to a report."""

import csv
import json
import re
from pathlib import Path

import jsonschema
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metadata_report import main as report_main
from metadata_template import main as template_main
from validate_metadata import main as validate_main

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.html import heat, page, paragraph, percent, table
from bioimage_suite.fair.metadata.checks import Validated, validate
from bioimage_suite.fair.metadata.completeness import (
    dataset_summary,
    group_shares,
    image_items,
    load_quality,
    tier_reached,
)
from bioimage_suite.fair.metadata.completeness_report import report_page
from bioimage_suite.fair.metadata.fields import template_fields
from bioimage_suite.fair.metadata.findings_report import findings_page, readable_list, write_findings
from bioimage_suite.fair.metadata.image_facts import ImageFacts, facts_of_ome_xml, meaningful, omero_id, read_images
from bioimage_suite.fair.metadata.image_list import known_values, load_images, merge_images, read_image_table
from bioimage_suite.fair.metadata.table import MetadataValue, by_object, read_metadata_table, write_metadata_table
from bioimage_suite.fair.metadata.templates import json_schema, make_template, write_csv, write_xlsx
from bioimage_suite.tables.key_value_dialects import KeyValueFile, read_dialect, read_key_values
from bioimage_suite.tables.reader import Finding, read_text_table

DATA = Path(__file__).resolve().parents[3] / "test-data" / "fair"
SCOPES = ("study", "biosample", "acquisition", "annotation")
OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">{image}'
    '<Pixels DimensionOrder="XYCZT" SizeX="9" SizeY="9" SizeZ="{z}" SizeC="2" SizeT="{t}" {pixels}>'
    "{channels}</Pixels></Image>{rest}</OME>"
)


def ome(*, z: int = 1, t: int = 1, image: str = "", pixels: str = "", channels: str = "", rest: str = "") -> ImageFacts:
    return facts_of_ome_xml(
        OME.format(z=z, t=t, image=image, pixels=pixels, channels=channels, rest=rest), "a.ome.tiff"
    )


def read(text: str, name: str = "t.csv") -> KeyValueFile:
    return read_dialect(read_text_table(text.encode(), name))


def check(*texts: str, images: tuple[str, ...] = (), scopes: tuple[str, ...] = ()) -> Validated:
    fields = template_fields("rembi", scopes) if scopes else ()
    readings = [read(text, f"t{number}.csv") for number, text in enumerate(texts)]
    return validate(readings, [ImageFacts(name) for name in images], fields)


def errors(result: Validated) -> list[tuple[int, str, str]]:
    return [(f.line, f.column, f.found) for f in result.findings if f.level == "error"]


def images() -> list[ImageFacts]:
    return list(read_images([(DATA / f"cells_{letter}.ome.tiff", f"cells_{letter}.ome.tiff") for letter in "ab"]))


# Images


def test_facts_of_an_image_are_read_from_its_ome_xml():
    image = images()[0]
    assert known_values(image) == {
        "image.dimensions": "X=16 Y=16 Z=1 C=2 T=1",
        "image.pixel_size_x": "0.65 µm",
        "image.pixel_size_y": "0.65 µm",
        "image.channels": "DAPI; GFP",
        "image.format": "OME-TIFF",
        "acquisition.date": "2026-01-15",
        "acquisition.imaging_instrument": "Made-up M1",
    }
    # Of two objectives, only the one in use.
    assert image.fields["Objective.LensNA"].values == ("0.8",)
    # One of two channels says its emission.
    assert (image.fields["Channel.EmissionWavelength"].filled, image.fields["Channel.EmissionWavelength"].places) == (
        1,
        2,
    )


def test_key_values_in_ome_xml_keep_their_order():
    pairs = "<M K='b'>1</M><M K='a'>2</M><M K='b'>3</M>"
    rest = f"<MapAnnotation><Value>{pairs}</Value></MapAnnotation>"
    assert ome(rest=f"<StructuredAnnotations>{rest}</StructuredAnnotations>").key_values == (
        ("b", "1"),
        ("a", "2"),
        ("b", "3"),
    )


@pytest.mark.parametrize("xml", ["<OME><Image></OME>", '<!DOCTYPE x [<!ENTITY a "b">]><OME>&a;</OME>'])
def test_broken_and_hostile_xml_is_refused(xml: str):
    with pytest.raises(UserError, match="image x"):
        facts_of_ome_xml(xml, "x")


def test_what_is_no_tiff_is_said(tmp_path: Path):
    (tmp_path / "x").write_text("no image")
    with pytest.raises(UserError, match=r"image x\.tif: not a readable TIFF"):
        list(read_images([(tmp_path / "x", "x.tif")]))


@pytest.mark.parametrize("length", [9, 10, 12, 60, 150])
def test_a_tiff_that_was_cut_off_is_said(tmp_path: Path, length: int):
    (tmp_path / "x").write_bytes((DATA / "cells_a.ome.tiff").read_bytes()[:length])
    with pytest.raises(UserError, match=r"image x\.tif: not a readable TIFF"):
        list(read_images([(tmp_path / "x", "x.tif")]))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Objective.LensNA", "0", False),
        ("Objective.LensNA", "0.8", True),
        ("Channel.ContrastMethod", "Other", False),
        ("Plane.PositionX", "0", True),
        ("Pixels.BigEndian", "false", True),
        ("Objective.Model", " unknown ", False),
    ],
)
def test_filled_in_is_not_the_same_as_said(name: str, value: str, expected: bool):
    assert meaningful(name, value) is expected


def test_the_table_of_the_export_from_omero_adds_to_the_images():
    table_rows = read_image_table(DATA / "image_table.tsv", "t")
    merged = merge_images([ImageFacts("Image_11_cells_a.tif", "11")], table_rows)
    assert [(image.name, image.image_id) for image in merged] == [
        ("Image_11_cells_a.tif", "11"),
        ("Image_12_cells_b.tif", "12"),
    ]
    assert merged[0].key_values == (("Organism", "Homo sapiens"),)
    assert known_values(merged[1])["image.pixel_size_x"] == "0.65 µm"


def test_two_images_of_one_name_are_refused():
    with pytest.raises(UserError, match="image a: 2 images have this name"):
        merge_images([ImageFacts("a"), ImageFacts("a")], [])


def test_an_image_table_without_ids_or_names_is_refused(tmp_path: Path):
    (tmp_path / "t").write_text("x\ty\n1\t2\n")
    with pytest.raises(UserError, match="no column image_id"):
        load_images([], tmp_path / "t", "t")


# Templates


def test_a_template_has_a_row_for_all_and_one_for_each_image():
    template = make_template(images(), template_fields("rembi", SCOPES))
    assert [row[0] for row in template.rows] == ["*", "cells_a.ome.tiff", "cells_b.ome.tiff"]
    row = dict(zip(template.header, template.rows[1], strict=True))
    assert (row["Image data: Pixel size X"], row["Biosample: Organism"]) == ("0.65 µm", "")


def test_a_template_for_omero_has_no_row_for_all():
    template = make_template(
        read_image_table(DATA / "image_table.tsv", "t"), template_fields("rembi", ("biosample",)), omero=True
    )
    assert template.header[:2] == ("OBJECT_ID", "OBJECT_NAME")
    assert [row[:2] for row in template.rows] == [("11", "cells_a.tif"), ("12", "cells_b.tif")]
    assert "Homo sapiens" in template.rows[0]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_untouched_template_is_read_back_without_complaint(tmp_path: Path, form: str):
    facts = [*images(), ImageFacts("=evil().tif")]
    template = make_template(facts, template_fields("rembi", SCOPES))
    {"csv": write_csv, "xlsx": write_xlsx}[form](tmp_path / "t", template)
    reading = read_key_values(tmp_path / "t", "t")
    assert reading.dialect == "template"
    result = validate([reading], facts, ())
    assert not [finding for finding in result.findings if finding.level == "error"]
    assert [target.name for target, _ in reading.targets] == [
        "*",
        "cells_a.ome.tiff",
        "cells_b.ome.tiff",
        "=evil().tif",
    ]


def test_xlsx_has_drop_downs_text_cells_and_no_formula(tmp_path: Path):
    facts = [ImageFacts("=1+1.tif", key_values=(("Organism", "=HYPERLINK(1)"),))]
    write_xlsx(tmp_path / "t.xlsx", make_template(facts, template_fields("rembi", ("biosample",))))
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book["metadata"]
    choices = {choice.formula1 for choice in sheet.data_validations.dataValidation}
    assert any(formula.startswith("terms!$A$2:$A$") for formula in choices)
    assert book["terms"]["A1"].value == "NCBI Taxonomy (subset)"
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type == "s" for cell in cells)
    assert not [cell.value for cell in cells if cell.value.startswith("=")]


def test_csv_has_no_formula(tmp_path: Path):
    write_csv(
        tmp_path / "t", make_template([ImageFacts("=1+1"), ImageFacts("@x")], template_fields("rembi", ("biosample",)))
    )
    with (tmp_path / "t").open(newline="") as stream:
        assert not [cell for row in csv.reader(stream) for cell in row if cell.startswith(("=", "@"))]


def test_the_json_schema_is_one_and_its_own_rows_follow_it():
    schema = json_schema(make_template(images(), template_fields("mifa", ("study", "annotation"))))
    jsonschema.Draft4Validator.check_schema(schema)
    jsonschema.Draft4Validator(schema).validate(schema["default"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate([{"image": "a", "Study: Release date": "tomorrow"}])


def test_no_image_no_template():
    with pytest.raises(UserError, match="at least one image"):
        make_template([], template_fields("rembi", ("study",)))


# Validation


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


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)


@given(
    st.lists(
        st.builds(
            MetadataValue,
            *[TEXT.map(lambda text: text.lstrip("'"))] * 11,
            st.integers(0, 9),
            TEXT.map(lambda text: text.lstrip("'")),
        )
    )
)
def test_a_metadata_table_comes_back_as_written(tmp_path_factory: pytest.TempPathFactory, values: list[MetadataValue]):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    write_metadata_table(path, values)
    assert read_metadata_table(path, "t") == values
    with path.open(newline="", encoding="utf-8") as stream:
        assert not [cell for row in csv.reader(stream, delimiter="\t") for cell in row if cell.startswith(("=", "@"))]


def test_another_table_is_refused():
    with pytest.raises(UserError, match="Run validate_metadata on it first"):
        read_metadata_table(DATA / "image_table.tsv", "t")


# Reports


@given(st.text())
def test_every_text_in_a_page_is_escaped(text: str):
    html = page(text, [paragraph(text), table([text], [[text, heat(0.5)]])])
    body = re.sub(r"<(/?(html|head|meta|title|body|h1|p|div|table|tbody|tr|th|td)\b[^<>]*|!DOCTYPE html)>", "", html)
    assert "<" not in body


def test_html_in_values_is_escaped_and_pages_hold_what_galaxy_shows():
    findings = [Finding("error", "<b>", 1, "B", "<script>alert(1)</script>", "x", '"onload=')]
    html = findings_page("t", ["<img src=x>"], findings) + report_page(images(), [[], []], [])[:0]
    assert "&lt;script&gt;" in html
    for forbidden in ("<script", "<style", "<svg", "<img", "<link"):
        assert forbidden not in html
    # In a narrow window a table scrolls by itself.
    assert html.count("<table") == html.count('<div style="overflow-x:auto">') == html.count("</div>") > 0


def test_findings_of_many_lines_share_a_row_but_not_in_the_table(tmp_path: Path):
    findings = [Finding("error", "t", line, "B", "=x\ty", "z") for line in range(1, 12)]
    html = findings_page("t", [], findings)
    assert html.count("<tr>") == 2
    assert "1, 2, 3, 4, 5, 6, 7, 8 and 3 more" in html
    write_findings(tmp_path / "f", findings)
    lines = (tmp_path / "f").read_text().splitlines()
    assert lines[1] == "error\tt\t1\tB\t'=x y\tz\t"
    assert len(lines) == 12
    assert readable_list(findings).count("\n") == 0


@pytest.mark.parametrize(("share", "text"), [(0, "0 %"), (0.001, "1 %"), (0.5, "50 %"), (0.999, "99 %"), (1, "100 %")])
def test_percentages_never_round_to_all_or_nothing(share: float, text: str):
    assert percent(share) == text


def full_quality(skip: str = "", tiers: tuple[int, ...] = (1, 2, 3)) -> ImageFacts:
    from bioimage_suite.fair.metadata.image_facts import occurrences

    values = {quality.name: "1" for quality in load_quality() if quality.tier in tiers and quality.name != skip}
    return ImageFacts("a", fields={name: occurrences(name, [value]) for name, value in values.items()})


@pytest.mark.parametrize(("tiers", "reached"), [((), 0), ((1,), 1), ((1, 2), 3), ((2, 3), 0)])
def test_a_tier_is_reached_when_all_it_requires_is_there(tiers: tuple[int, ...], reached: int):
    # Tier 3 requires nothing that OME-XML can say, so tier 2 brings it along.
    assert tier_reached(image_items(full_quality(tiers=tiers), by_object([]), ["nbo-q"])) == reached


@pytest.mark.parametrize(
    "name",
    [
        quality.name
        for quality in load_quality()
        if (quality.tier, quality.level, quality.applies) == (1, "required", "always")
    ],
)
def test_each_required_field_of_tier_1_is_needed(name: str):
    assert tier_reached(image_items(full_quality(skip=name), by_object([]), ["nbo-q"])) == 0


def test_what_does_not_apply_is_not_asked_for():
    def names(image: ImageFacts) -> set[str]:
        return {item.name for item in image_items(image, by_object([]), ["nbo-q"])}

    assert not names(ome()) & {"Pixels.PhysicalSizeZ", "Pixels.TimeIncrement", "ImagingEnvironment.Temperature"}
    assert names(ome(z=5, t=3)) >= {"Pixels.PhysicalSizeZ", "Pixels.TimeIncrement", "ImagingEnvironment.Temperature"}
    assert "Channel.ExcitationWavelength" not in names(ome(channels='<Channel IlluminationType="Transmitted"/>'))
    assert "Channel.ExcitationWavelength" in names(ome(channels='<Channel IlluminationType="Epifluorescence"/>'))


def test_channels_count_by_the_share_that_is_filled():
    facts = ome(channels='<Channel Name="a"/><Channel/>')
    share = next(item.share for item in image_items(facts, by_object([]), ["nbo-q"]) if item.name == "Channel.Name")
    assert share == 0.5


def test_modules_and_fields_over_a_dataset():
    values = validate([read_key_values(DATA / "template_rembi.csv", "t")], images(), ()).values
    items = [image_items(image, by_object(values), ["rembi", "mifa", "nbo-q"]) for image in images()]
    assert group_shares(items[0])["Study component"] == 1
    summary = {field.name: (field.present, field.applicable) for field in dataset_summary(items)}
    assert summary["Biosample: Organism"] == (2, 2)
    assert summary["Objective.LensNA"] == (1, 2)
    html = report_page(images(), items, dataset_summary(items))
    assert "Which numerical aperture has the objective?" in html
    assert "Which organism" not in html


# The programs


def write_list(path: Path, *names: str) -> Path:
    path.write_text(json.dumps([{"path": str(DATA / name), "name": name} for name in names]))
    return path


def run(main, *arguments: object) -> None:
    main([str(argument) for argument in arguments])


def test_template_validation_and_report_chain(tmp_path: Path):
    files = write_list(tmp_path / "images.json", "cells_a.ome.tiff", "cells_b.ome.tiff")
    run(template_main, "--images", files, "--form", "schema", "--output", tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["type"] == "array"
    filled = write_list(tmp_path / "filled.json", "template_rembi.csv")
    outputs = ("--table", tmp_path / "m.tsv", "--findings", tmp_path / "f.tsv", "--report", tmp_path / "f.html")
    run(validate_main, "--metadata", filled, "--images", files, "--on-errors", "fail", *outputs)
    counts = ("--image-completeness", tmp_path / "i.tsv", "--field-completeness", tmp_path / "c.tsv")
    run(
        report_main,
        "--metadata",
        tmp_path / "m.tsv",
        "--images",
        files,
        *counts,
        "--report",
        tmp_path / "r.html",
    )
    with (tmp_path / "i.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert [row["image"] for row in rows] == ["cells_a.ome.tiff", "cells_b.ome.tiff"]
    assert rows[0]["Study component (%)"] == "100"


def test_a_workflow_stops_with_a_readable_list_and_nothing_is_written(tmp_path: Path):
    filled = write_list(tmp_path / "filled.json", "key_values_old_scripts.csv")
    arguments = ("--metadata", filled, "--on-errors", "fail", "--table", tmp_path / "m", "--findings", tmp_path / "f")
    with pytest.raises(UserError, match=r"key_values_old_scripts.csv line 2: B \(Organism\): 'Homo sapien'"):
        run(validate_main, *arguments, "--report", tmp_path / "r")
    assert [path.name for path in tmp_path.iterdir()] == ["filled.json"]


@pytest.mark.parametrize("name", ["Image_12", "Image_12.ome.tiff", "Image_12-a.tif", "Image_12_x"])
def test_the_id_of_an_image_is_known_however_its_name_goes_on(name):
    assert omero_id(name) == "12"

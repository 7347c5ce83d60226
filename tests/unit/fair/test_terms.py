"""Words to terms, and values to their normal form."""

import csv
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.fields import (
    FIELDS_FOLDER,
    all_fields,
    field_by_key,
    find_field,
    near_fields,
    template_fields,
)
from bioimage_suite.fair.metadata.value_checks import check_free_value, check_value
from bioimage_suite.fair.terms.ontology_terms import (
    TERMS_FOLDER,
    VOCABULARY_NAMES,
    choices,
    curie,
    iri,
    load_terms,
    resolve,
    table_name,
)

ALL_TERMS = [(vocabulary, term) for vocabulary in VOCABULARY_NAMES for term in load_terms(vocabulary)]


@given(st.sampled_from(ALL_TERMS))
def test_every_term_is_found_by_its_label_and_id(found):
    vocabulary, term = found
    by_id, by_label = resolve(vocabulary, term.id), resolve(vocabulary, term.label)
    assert (by_id.obsolete or by_id.term) == term
    assert by_label.term is not None
    assert term.label in {by_label.term.label, by_label.obsolete and by_label.obsolete.label}


@pytest.mark.parametrize("vocabulary", VOCABULARY_NAMES)
def test_what_a_form_offers_is_current_and_found(vocabulary: str):
    for label in choices(vocabulary):
        found = resolve(vocabulary, label)
        assert found.term is not None
        assert (found.exact, found.obsolete, found.broader) == (True, None, False)


@pytest.mark.parametrize("vocabulary", VOCABULARY_NAMES)
def test_term_tables_have_unique_ids_and_no_tabs(vocabulary: str):
    terms = load_terms(vocabulary)
    assert len({term.id for term in terms}) == len(terms) > 0
    assert all(term.id and term.label for term in terms)
    assert (TERMS_FOLDER / table_name(vocabulary)).stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("vocabulary", "text", "identifier"),
    [
        ("ncbitaxon", "human", "NCBITaxon:9606"),
        ("ncbitaxon", "HOMO SAPIENS", "NCBITaxon:9606"),
        ("ncbitaxon", "9606", "NCBITaxon:9606"),
        ("ncbitaxon", "NCBI:txid9606", "NCBITaxon:9606"),
        ("ncbitaxon", "Homo sapiens [NCBITaxon:9606]", "NCBITaxon:9606"),
        ("ncbitaxon", "https://www.ncbi.nlm.nih.gov/datasets/taxonomy/10090", "NCBITaxon:10090"),
        ("fbbi", "obo:FBbi_246", "FBbi:00000246"),
        ("fbbi", "http://purl.obolibrary.org/obo/FBbi_ 00000246", "FBbi:00000246"),
        ("fbbi", "scanning electron microscopy (SEM)", "FBbi:00000257"),
        ("fbbi", "light-sheet microscopy", "FBbi:00000369"),
        ("fbbi", "light-sheet", "FBbi:00000369"),
        ("fbbi", "PALM", "FBbi:00000335"),
        ("fbbi", "SMLM", "FBbi:00000333"),
        ("fbbi", "STEM", "FBbi:00000380"),
        ("fbbi", "confocal microscopy (CLSM)", "FBbi:00000251"),
        ("clo", "U2OS", "CLO:0009454"),
        ("clo", "NIH 3T3", "CLO:0008172"),
        ("clo", "NIH/3T3", "CLO:0008172"),
        ("clo", "Jurkat", "CLO:0007043"),
        ("clo", "HEK293T", "CLO:0037372"),
        ("clo", "HeLa cells", "CLO:0003684"),
        ("entity", "fibroblasts", "CL:0000057"),
        ("entity", "cell nuclei", "GO:0005634"),
        ("entity", "kidney", "UBERON:0002113"),
        ("entity", "http://purl.obolibrary.org/obo/GO_0005739", "GO:0005739"),
        ("ncbitaxon", "Homo sapiens (human)", "NCBITaxon:9606"),
        ("ncbitaxon", "human (Homo sapiens)", "NCBITaxon:9606"),
        ("ncbitaxon", "Homo sapiens [human, NCBITaxon:9606]", "NCBITaxon:9606"),
        ("ncbitaxon", "Mus musculus (C57BL/6)", "NCBITaxon:10090"),
        ("ncbitaxon", "A. mexicanum", "NCBITaxon:8296"),
        ("uo", "µm", "UO:0000017"),
        ("uo", "mm", "UO:0000016"),
        ("uo", "mM", "UO:0000063"),
        ("licenses", "CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
    ],
)
def test_spellings_that_people_use(vocabulary: str, text: str, identifier: str):
    found = resolve(vocabulary, text).term
    assert found is not None
    assert found.id == identifier


@pytest.mark.parametrize(
    ("vocabulary", "text", "broader"),
    [
        ("fbbi", "DNA-PAINT", "FBbi:00000339"),
        ("fbbi", "cryo-ET", "FBbi:00000258"),
        ("fbbi", "lattice light-sheet microscopy", "FBbi:00000369"),
        ("clo", "Vero E6", "CLO:0009524"),
    ],
)
def test_what_is_narrower_than_any_term_leads_to_its_parent(vocabulary: str, text: str, broader: str):
    found = resolve(vocabulary, text)
    assert found.term is not None
    assert (found.term.id, found.broader) == (broader, True)


@pytest.mark.parametrize(
    ("vocabulary", "text"),
    [("fbbi", "CLEM"), ("fbbi", "expansion microscopy"), ("fbbi", "expansion"), ("clo", "HaCaT"), ("clo", "HAP1")],
)
def test_what_has_no_term_is_known_to_have_none(vocabulary: str, text: str):
    found = resolve(vocabulary, text)
    assert found.term is None
    assert found.absent is not None
    assert found.near == ()


@pytest.mark.parametrize(
    ("vocabulary", "text"),
    [("fbbi", "CLXM"), ("fbbi", "XTEM"), ("fbbi", "one-photon microscopy"), ("clo", "HEK294"), ("clo", "MCF-10Z")],
)
def test_no_near_match_misleads(vocabulary: str, text: str):
    assert resolve(vocabulary, text).near == ()


@pytest.mark.parametrize(
    ("vocabulary", "text", "near"),
    [
        ("fbbi", "confokal microscopy", "confocal microscopy"),
        ("fbbi", "fluoresence microscopy", "fluorescence microscopy"),
        ("ncbitaxon", "Danio rero", "Danio rerio"),
        ("ncbitaxon", "Mus musculus C57BL/6", "Mus musculus"),
        ("uo", "micrometes", "micrometer"),
    ],
)
def test_slips_of_the_hand_are_near(vocabulary: str, text: str, near: str):
    assert resolve(vocabulary, text).near[0].label == near


@pytest.mark.parametrize(("old", "successor"), [("CL:0000003", "CL:0000000"), ("native cell", "CL:0000000")])
def test_obsolete_terms_lead_to_their_successors(old: str, successor: str):
    found = resolve("entity", old)
    assert found.term is not None
    assert found.obsolete is not None
    assert (found.term.id, found.obsolete.id) == (successor, "CL:0000003")


def test_an_obsolete_term_without_successor_says_so():
    checked = check_value(field_by_key("acquisition.imaging_method"), "FBbi:00000032")
    assert checked.term_id == "FBbi:00000032"
    assert "obsolete, without a successor" in checked.remarks[0].expected


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("biosample.organism", "Homo sapien"),
        ("biosample.organism", "Mus musculus C57BL/6"),
        ("acquisition.imaging_method", "confokal microscopy"),
        ("study.license", "CC-BZ"),
        ("image.pixel_size_x", "0.65 micrometes"),
        ("image.type", "raww"),
        ("annotation.type", "segmentatoin mask"),
    ],
)
def test_a_refused_value_comes_with_ones_that_pass(key: str, text: str):
    field = field_by_key(key)
    (remark,) = check_value(field, text).remarks
    assert remark.level == "error"
    offered = remark.suggestion.removeprefix("one of ").replace(" or ", ", ").split(", ")
    assert offered
    assert all(check_value(field, one).value for one in offered)


@pytest.mark.parametrize(
    ("key", "text", "value", "term"),
    [
        ("biosample.biological_entity", "cells", "cells", "CL:0000000"),
        ("biosample.biological_entity", "HeLa cells that express GFP", "HeLa cells that express GFP", ""),
        ("biosample.cell_line", "fibroblasts", "fibroblast", "CL:0000057"),
        ("acquisition.imaging_method", "CLEM", "CLEM", ""),
        ("study.license", "CC-BY 4.0", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("study.license", "CC BY-SA 3.0", "CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    ],
)
def test_values_with_their_terms(key: str, text: str, value: str, term: str):
    checked = check_value(field_by_key(key), text)
    assert (checked.value, checked.term_id) == (value, term)


def test_a_misspelt_organism_is_not_guessed_but_offered():
    found = resolve("ncbitaxon", "Homo sapien")
    assert found.term is None
    assert found.near[0].text == "Homo sapiens (NCBITaxon:9606)"


def test_a_label_that_contradicts_its_id_is_not_resolved():
    assert resolve("ncbitaxon", "Mus musculus (NCBITaxon:9606)").term is None


def test_an_id_that_the_subset_lacks_is_taken_with_its_label():
    found = resolve("ncbitaxon", "Danio albolineatus (NCBITaxon:27699)")
    assert found.term is not None
    assert (found.term.id, found.term.label, found.listed) == ("NCBITaxon:27699", "Danio albolineatus", False)


@given(st.integers(1, 10**7))
def test_ids_and_addresses_go_both_ways(number: int):
    assert curie(iri(f"NCBITaxon:{number}")) == f"NCBITaxon:{number}"
    assert curie(iri(f"FBbi:{number:08}")) == f"FBbi:{number:08}"


@given(st.text())
def test_any_text_resolves_or_not_but_never_fails(text: str):
    assert curie(text) == "" or ":" in curie(text)
    resolve("clo", text)


def test_field_lists_are_consistent():
    fields = all_fields()
    assert len({field.key for field in fields}) == len(fields)
    for field in fields:
        assert find_field(field.header) == field
        assert field.question.endswith("?")
        assert field.kind in {"text", "term", "date", "datetime", "quantity", "url", "doi", "orcid", "ror", "email"}
        assert field.kind != "term" or field.vocabulary in VOCABULARY_NAMES
        assert field.level in {"required", "recommended", "optional", "conditional"}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("organism", "biosample.organism"),
        ("Species", "biosample.organism"),
        ("Licence", "study.license"),
        ("study.title", "study.title"),
    ],
)
def test_columns_find_their_field(name: str, key: str):
    found = find_field(name)
    assert found is not None
    assert found.key == key


def test_a_label_of_several_fields_finds_none_and_a_misspelt_one_is_offered():
    assert find_field("Title") is None
    assert near_fields("Organsim") == ("Biosample: Organism",)


def test_scopes_that_do_not_exist():
    with pytest.raises(UserError, match="scope nonsense"):
        template_fields("rembi", ("nonsense",))
    with pytest.raises(UserError, match="no such field"):
        template_fields("mifa", ("biosample",))


@pytest.mark.parametrize(
    ("key", "text", "value", "levels"),
    [
        ("study.release_date", "2026-01-31", "2026-01-31", []),
        ("study.release_date", "45000", "2023-03-15", ["warning"]),
        ("study.release_date", "03/04/2024", "", ["error"]),
        ("study.release_date", "20240301", "", ["error"]),
        ("study.release_date", "2026-02-30", "", ["error"]),
        ("image.pixel_size_x", "0.65 µm", "0.65 µm", []),
        ("image.pixel_size_x", "0,65 µm", "0.65 µm", ["warning"]),
        ("image.pixel_size_x", "0.65", "", ["error"]),
        ("image.pixel_size_x", "0.65 micrometes", "", ["error"]),
        ("image.pixel_size_x", "1,000,000 µm", "", ["error"]),
        ("biosample.description", "3,5", "3,5", ["warning"]),
        ("biosample.description", "1-Mar", "1-Mar", ["warning"]),
        ("biosample.description", "#REF!", "", ["error"]),
        ("biosample.description", "a\x00b", "", ["error"]),
        ("biosample.description", "M\N{REPLACEMENT CHARACTER}nchen", "", ["error"]),
        ("biosample.organism", "human", "Homo sapiens", ["note"]),
        ("biosample.organism", "unicorn", "", ["error"]),
        ("biosample.cell_line", "my own line", "my own line", ["warning"]),
        ("study.title", "too short", "too short", ["error"]),
        ("study.landing_page", "file:///etc/passwd", "", ["error"]),
        ("study.landing_page", "javascript:alert(1)", "", ["error"]),
        ("study.publication_doi", "https://doi.org/10.1038/s41592-021-01166-8", "10.1038/s41592-021-01166-8", []),
        ("study.author_orcids", "0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097", []),
        ("study.author_orcids", "0000-0002-1825-0098", "", ["error"]),
        ("study.author_orcids", "-", "-", []),
        ("study.affiliation_rors", "02CATSS52", "https://ror.org/02catss52", []),
        ("study.affiliation_rors", "https://ror.org/05gq02987/", "https://ror.org/05gq02987", []),
        ("study.affiliation_rors", "https://ror.org/02catss53", "", ["error"]),
        ("study.affiliation_rors", "https://ror.org/12catss52", "", ["error"]),
        ("study.affiliation_rors", "https://example.org/02catss52", "", ["error"]),
        ("study.author_emails", "jane.doe+lab@sub.example.org", "jane.doe+lab@sub.example.org", []),
        ("study.author_emails", "jane.doe at example.org", "", ["error"]),
        ("study.author_emails", "jane@example", "", ["error"]),
        ("study.author_emails", "jane..doe@example.org", "", ["error"]),
    ],
)
def test_values_by_kind(key: str, text: str, value: str, levels: list[str]):
    checked = check_value(field_by_key(key), text)
    assert (checked.value, [remark.level for remark in checked.remarks]) == (value, levels)


def test_damaged_values_of_other_keys_are_left_out_too():
    assert [check_free_value(text).value for text in ("#N/A", "a\x00b", "M\N{REPLACEMENT CHARACTER}nchen")] == [""] * 3
    assert check_free_value("any text").value == "any text"


def test_an_ambiguous_date_offers_both_readings():
    assert (
        check_value(field_by_key("study.release_date"), "03/04/2024").remarks[0].suggestion
        == "2024-04-03 or 2024-03-04"
    )


@given(st.sampled_from(all_fields()), st.text(min_size=1))
def test_no_value_breaks_a_check(field, text: str):
    checked = check_value(field, text)
    assert checked.value or checked.remarks


def test_nbo_fields_are_of_the_standard():
    with (FIELDS_FOLDER / "nbo_q.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert {row["tier"] for row in rows} == {"1", "2", "3"}
    assert all(re.fullmatch(r"always|stack|time|live|fluorescence", row["applies"]) for row in rows)

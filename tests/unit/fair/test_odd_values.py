"""What people really write: taken in its normal form, or refused with what would pass."""

import pytest

from bioimage_suite.fair.metadata.fields import field_by_key
from bioimage_suite.fair.metadata.value_checks import check_value

TAKEN = [
    ("study.author_orcids", "orcid.org/0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097"),
    ("study.author_orcids", "https://www.orcid.org/0000-0002-1825-0097/", "https://orcid.org/0000-0002-1825-0097"),
    ("study.author_orcids", "ORCID: 0000 0002 1825 0097", "https://orcid.org/0000-0002-1825-0097"),
    ("study.author_orcids", "0000–0002–1825–0097", "https://orcid.org/0000-0002-1825-0097"),
    ("study.author_orcids", "000000021694233x", "https://orcid.org/0000-0002-1694-233X"),
    ("study.author_orcids", "n/a", "-"),
    ("study.affiliation_rors", "ROR: 02catss52", "https://ror.org/02catss52"),
    ("study.affiliation_rors", "ror.org/02catss52", "https://ror.org/02catss52"),
    ("study.affiliation_rors", "N/A", "-"),
    ("study.author_emails", "mailto:jane@example.org", "jane@example.org"),
    ("study.publication_doi", "doi.org/10.1038/s41592-021-01166-8", "10.1038/s41592-021-01166-8"),
    ("study.publication_doi", "https://www.doi.org/10.1038/s41592-021-01166-8.", "10.1038/s41592-021-01166-8"),
    ("image.pixel_size_x", "0.65 um/px", "0.65 um"),
    ("image.pixel_size_x", "0.65 µm per pixel", "0.65 µm"),
    ("image.pixel_size_x", "0.65 [µm]", "0.65 µm"),
    ("image.pixel_size_x", "0,650 µm", "0.650 µm"),
    ("image.pixel_size_x", "0.65 \N{GREEK SMALL LETTER MU}m", "0.65 µm"),
    ("acquisition.temperature", "37 ºC", "37 °C"),
    ("acquisition.temperature", "−80 ˚C", "-80 °C"),
    ("acquisition.temperature", "98.6 °F", "98.6 °F"),
    ("acquisition.temperature", "310 K", "310 K"),
    ("image.pixel_size_x", "1.2 Å", "1.2 Å"),
    ("image.time_increment", "2 min", "2 min"),
    ("acquisition.imaging_method", "confocal laser scanning microscopy (CLSM)", "confocal microscopy"),
    ("acquisition.imaging_method", "spinning disc confocal", "spinning disk confocal microscopy"),
    ("acquisition.imaging_method", "3D-SIM", "structured illumination microscopy (SIM)"),
    ("acquisition.imaging_method", "2P", "two-photon laser scanning microscopy"),
    ("acquisition.imaging_method", "smFISH", "fluorescence microscopy"),
    ("acquisition.imaging_method", "H&E", "H&E"),
    ("acquisition.imaging_method", "HAADF-STEM", "scanning-transmission electron microscopy"),
    ("acquisition.imaging_method", "TEM tomography", "transmission electron microscopy (TEM)"),
    ("acquisition.imaging_method", "3-photon", "multi-photon microscopy"),
    ("acquisition.imaging_method", "TIRF-SIM", "structured illumination microscopy (SIM)"),
    ("acquisition.imaging_method", "U-ExM", "U-ExM"),
    ("acquisition.imaging_method", "IHC", "IHC"),
    ("biosample.organism", "E. coli K-12 MG1655", "Escherichia coli str. K-12 substr. MG1655"),
    ("biosample.organism", "HIV-1", "Human immunodeficiency virus 1"),
]


@pytest.mark.parametrize(("key", "text", "value"), TAKEN)
def test_it_is_taken(key: str, text: str, value: str):
    found = check_value(field_by_key(key), text)
    assert found.value == value
    assert [one for one in found.remarks if one.level == "error"] == []


REFUSED = [
    ("biosample.organism", "mouse, C57BL/6J", "Mus musculus (NCBITaxon:10090)"),
    ("biosample.organism", "Zebrafish larvae", "Danio rerio (NCBITaxon:7955)"),
    ("biosample.organism", "mouse/human", "Mus musculus (NCBITaxon:10090) or Homo sapiens (NCBITaxon:9606)"),
    ("study.landing_page", "www.example.org", "https://www.example.org"),
    ("study.landing_page", "https://example.org/a b", "https://example.org/a%20b"),
    (
        "study.publication_doi",
        "https://www.biorxiv.org/content/10.1101/2020.01.01.123456v2?x=1",
        "10.1101/2020.01.01.123456v2",
    ),
    ("study.author_emails", "Jane Doe <jane@example.org>", "jane@example.org"),
    ("study.release_date", "March 2024", "2024-03-01"),
    ("study.release_date", "1. March 2024", "2024-03-01"),
    ("study.release_date", "Mar 1, 2024", "2024-03-01"),
    ("study.release_date", "2024/03/01", "2024-03-01"),
    ("study.release_date", "20240301", "2024-03-01"),
    ("study.release_date", "2024", "2024-01-01"),
    ("study.release_date", "2024-02-30", ""),
    # A comma before three digits marks thousands or decimals: a factor of 1,000.
    ("image.pixel_size_x", "1,000 nm", "1000 nm or 1.000 nm"),
    ("image.pixel_size_x", "0.65 x 0.65 µm", "0.65 µm"),
    ("image.pixel_size_x", "~0.65 µm", "0.65 µm"),
    ("image.pixel_size_x", "0.65", "0.65 µm, if that is the unit"),
    ("acquisition.temperature", "25±1 °C", "25 °C"),
    ("acquisition.temperature", "37", "37 °C, if that is the unit"),
    # A unit of something else, and sizes that no pixel has.
    ("image.pixel_size_x", "65 %", ""),
    ("image.pixel_size_x", "3 s", ""),
    ("image.pixel_size_z", "0 µm", ""),
    ("image.pixel_size_y", "-0.1 µm", ""),
    ("image.time_increment", "5 µm", ""),
    ("acquisition.temperature", "37 µm", ""),
]


@pytest.mark.parametrize(("key", "text", "near"), REFUSED)
def test_it_is_refused_with_what_would_pass(key: str, text: str, near: str):
    found = check_value(field_by_key(key), text)
    assert found.value == ""
    assert [one.suggestion for one in found.remarks if one.level == "error"] == [near]
    for suggestion in near.split(" or ") if near else ():
        assert check_value(field_by_key(key), suggestion.partition(", if")[0]).value


@pytest.mark.parametrize("text", ["none", "N/A", "-"])
def test_an_image_can_say_that_it_has_no_cell_line(text: str):
    """It is kept as text: left out, the cell line of the row for all images would hold for this image too."""
    found = check_value(field_by_key("biosample.cell_line"), text)
    assert (found.value, found.term_id) == (text, "")
    assert [one.level for one in found.remarks] == ["warning"]


def test_what_is_no_method_is_not_offered():
    """FBbi has kinds of deconvolution, but none is a method that takes an image."""
    (remark,) = check_value(field_by_key("acquisition.imaging_method"), "deconvolution").remarks
    assert (remark.level, remark.suggestion[:11]) == ("error", "a term's na")


def test_a_term_of_fbbi_that_is_no_method_is_said():
    found = check_value(field_by_key("acquisition.imaging_method"), "live cell imaging")
    assert [(one.level, one.expected) for one in found.remarks] == [
        ("warning", "a term for a method; living tissue (FBbi:00000025) of FBbi (imaging methods) is something else")
    ]


SEVERAL = [
    ("Jane Doe and Richard Roe", "Doe, Jane; Roe, Richard"),
    ("Jane Doe & Richard van Roe", "Doe, Jane; Roe, Richard van"),
    ("Doe, Jane und Roe, Richard", "Doe, Jane; Roe, Richard"),
    ("Jane Doe, Richard Roe, Wei Wang", "Doe, Jane; Roe, Richard; Wang, Wei"),
    ("Doe, Jane, Roe, Richard", ""),
]
ONE = ["Doe, Jane", "Roe, John, Jr.", "Doe, Jane, Ph.D.", "O'Neill, Siobhán M.", "李, 明", "Plato", "Smith y Vega, Ana"]
GROUPS = ["Centers for Disease Control and Prevention", "Nowhere Consortium", "Roe & Sons"]


@pytest.mark.parametrize("key", ["study.authors", "annotation.authors"])
@pytest.mark.parametrize(("text", "remedy"), SEVERAL)
def test_several_persons_in_one_entry_are_warned_of(key: str, text: str, remedy: str):
    found = check_value(field_by_key(key), text)
    assert [(one.level, one.suggestion) for one in found.remarks] == [("warning", remedy)]
    assert found.value == text


@pytest.mark.parametrize("text", [*ONE, *GROUPS])
def test_one_person_and_a_group_are_not(text: str):
    assert check_value(field_by_key("study.authors"), text).remarks == ()

"""The records of a deposition: Zenodo's JSON and DataCite's.

On 2026-11-30 all four kinds of access passed Zenodo's `legacyrecord.json` (zenodo/zenodo) and DataCite's schema of
version 4.6, as JSON and as XML: docs/product-verdicts.md.
"""

from datetime import date

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.products.deposit import (
    ACCESS,
    OPEN,
    Access,
    datacite_record,
    embargo_remark,
    read_access,
    zenodo_json,
)
from bioimage_suite.fair.products.package import make_package
from bioimage_suite.fair.products.study import Study, without_emails
from tests.unit.fair.made_crates import VALUES, study, value

EU = "10.13039/501100000780::283595"
MORE = [
    value("image", "*", "study.grants", "Grants", EU),
    value("image", "*", "study.grants", "Grants", "123, Deutsche Forschungsgemeinschaft"),
    value("image", "*", "study.funding", "Funding", "a gift"),
]


def funded() -> Study:
    return study("general", [*(one for one in VALUES if one.field not in {"study.grants", "study.funding"}), *MORE])


def test_grants_that_zenodo_knows_are_grants_and_others_are_notes():
    record = zenodo_json(funded())
    assert record["grants"] == [{"id": EU}]
    assert "Funding: 123, Deutsche Forschungsgemeinschaft; a gift" in record["notes"]


def test_datacite_has_every_grant_with_its_funder():
    assert datacite_record(funded())["fundingReferences"] == [
        {
            "funderName": "10.13039/501100000780",
            "funderIdentifier": "https://doi.org/10.13039/501100000780",
            "funderIdentifierType": "Crossref Funder ID",
            "awardNumber": "283595",
        },
        {"funderName": "Deutsche Forschungsgemeinschaft", "awardNumber": "123"},
    ]


def test_an_embargo_is_said_in_both_records():
    access = read_access("embargoed", "2027-06-30", "")
    zenodo, datacite = zenodo_json(funded(), access), datacite_record(funded(), access)
    assert (zenodo["access_right"], zenodo["embargo_date"], zenodo["license"]) == ("embargoed", "2027-06-30", "cc-zero")
    assert {"date": "2027-06-30", "dateType": "Available"} in datacite["dates"]
    assert datacite["rightsList"][0]["rightsIdentifier"] == "cc0-1.0"


@pytest.mark.parametrize("right", ["restricted", "closed"])
def test_files_that_are_not_open_have_no_licence(right: str):
    access = read_access(right, "", "ask <us>" if right == "restricted" else "")
    zenodo, datacite = zenodo_json(funded(), access), datacite_record(funded(), access)
    assert "license" not in zenodo
    assert zenodo.get("access_conditions", "") == ("ask &lt;us&gt;" if right == "restricted" else "")
    assert [one["rightsUri"].rpartition("/")[0] for one in datacite["rightsList"]] == [
        "http://purl.org/coar/access_right"
    ]
    assert "Available" not in {one["dateType"] for one in datacite["dates"]}


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (("embargoed", "", ""), r"embargo date \(none\)"),
        (("embargoed", "next year", ""), "embargo date next year"),
        (("open", "2027-06-30", ""), "access is open"),
        (("restricted", "", " "), r"conditions \(none\)"),
        (("closed", "", "ask"), "conditions ask"),
    ],
)
def test_an_access_that_says_too_little_or_too_much_is_refused(access: tuple[str, str, str], said: str):
    with pytest.raises(UserError, match=said):
        read_access(*access)


def test_records_name_persons_terms_and_the_article():
    made = datacite_record(study("general"))
    assert made["creators"][0]["familyName"] == "Doe"
    assert made["creators"][0]["nameIdentifiers"][0]["nameIdentifier"] == "https://orcid.org/0000-0002-1825-0097"
    subjects = {one.get("valueUri") for one in made["subjects"]}
    assert "http://purl.obolibrary.org/obo/NCBITaxon_9606" in subjects
    assert set(made) >= {"creators", "titles", "publisher", "publicationYear", "types", "schemaVersion"}


@pytest.mark.parametrize("product", ["gide", "bia", "general", "idr"])
def test_e_mail_addresses_are_published_only_when_asked(product: str):
    emails = [value("image", "*", "study.author_emails", "E-mail", "jane.doe@example.org")]
    kept = study(product, [*(one for one in VALUES if one.field != "study.author_emails"), *emails], annotations=False)
    for made, expected in ((kept, product != "never"), (without_emails(kept), False)):
        package = make_package(product, made)
        assert ("jane.doe@example.org" in str(package.crate) + str(package.texts)) == expected


def test_the_four_kinds_of_access_are_those_of_zenodo():
    assert ACCESS == ("open", "embargoed", "restricted", "closed")
    assert Access("open") == OPEN


@pytest.mark.parametrize("written", ["2027-06-30", "20270630", " 2027-06-30 ", "2027-W26-3"])
def test_a_day_in_any_form_of_iso_8601_is_written_as_repositories_take_it(written: str):
    assert read_access("embargoed", written, "").embargo_until == "2027-06-30"


@pytest.mark.parametrize(("today", "told"), [("2027-06-29", False), ("2027-06-30", True), ("2028-01-01", True)])
def test_an_embargo_that_has_ended_is_told(today: str, told: bool):
    access = read_access("embargoed", "2027-06-30", "")
    assert bool(embargo_remark(access, date.fromisoformat(today))) == told
    assert embargo_remark(OPEN, date.fromisoformat(today)) == ""

"""Every field stands in every product that has a place for it."""

import pytest

from bioimage_suite.fair.metadata.fields import all_fields
from bioimage_suite.fair.products.field_places import DOCUMENTS, RECORDS, field_places, left_out
from tests.unit.fair.every_field import FREE, VALUES, places, texts_of

KEYS = [field.key for field in all_fields()]
NO_PLACE = {
    "gide": ["Annotation file: Source image"],
    "bia": [],
    "general": [],
    "idr": [
        "Study: Affiliation RORs",
        "Study: Publisher URL",
        "Study: Funding statement",
        "Study: Grants",
        "Study: Acknowledgements",
    ],
    "arc": [],
}


def test_the_table_has_every_field_and_document():
    assert list(field_places()) == KEYS
    documents = {document for names in DOCUMENTS.values() for document in names} | set(RECORDS)
    assert all(set(row) == documents for row in field_places().values())


@pytest.mark.parametrize("document", ["gide", "bia", "pagetab", "general", "idr", "arc", *RECORDS])
@pytest.mark.parametrize("key", KEYS)
def test_a_field_stands_where_the_table_says(key: str, document: str):
    place = field_places()[key][document]
    found = places(key, document)
    assert place in found if place else not found


@pytest.mark.parametrize("document", ["gide", "bia", "pagetab", "general", "idr", "arc", *RECORDS])
@pytest.mark.parametrize("key", [field.key for field in all_fields() if field.many])
def test_each_of_several_values_stands_there(key: str, document: str):
    place = field_places()[key][document]
    assert not place or place in places(key, document, second=True)


@pytest.mark.parametrize("document", ["gide", "bia", "pagetab", "general", "idr", "arc"])
@pytest.mark.parametrize("text", FREE)
def test_keys_of_no_standard_stand_in_every_product(text: str, document: str):
    assert any(text in found for _, found in texts_of(document))


@pytest.mark.parametrize("product", NO_PLACE)
def test_what_has_no_place_is_said(product: str):
    assert left_out(VALUES, product, annotated=True, emails=True) == NO_PLACE[product]


def test_annotations_are_left_out_where_there_are_no_files():
    headers = left_out(VALUES, "general", annotated=False, emails=True)
    assert headers[0] == "Annotations: Title"
    assert headers[-1] == "Version: Changes"
    study = [value for value in VALUES if value.field.startswith("study.")]
    assert left_out(study, "general", annotated=False, emails=True) == []
    assert left_out(study, "general", annotated=False, emails=False) == ["Study: Author e-mails"]

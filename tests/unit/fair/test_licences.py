"""Licences as people write them, and their names in the archives."""

import pytest

from bioimage_suite.fair.terms.licences import find_licence, licence_at, licence_name, normal_licence
from bioimage_suite.fair.terms.ontology_terms import choices

CC0, BY = "https://creativecommons.org/publicdomain/zero/1.0/", "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("CC0", CC0),
        ("cc0-1.0", CC0),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", CC0),
        ("Creative Commons Zero v1.0 Universal", CC0),
        ("https://creativecommons.org/licenses/zero/1.0/", CC0),
        ("CC-BY 4.0", BY),
        ("CC BY", BY),
        ("CC_BY_4.0", BY),
        ("CCBY-4.0", BY),
        ("CC\N{NON-BREAKING HYPHEN}BY 4.0", BY),
        ("Creative Commons Attribution 4.0 International (CC BY 4.0)", BY),
        ("http://creativecommons.org/licenses/by/4.0", BY),
        ("https://creativecommons.org/licenses/by/4.0/legalcode", BY),
        ("https://creativecommons.org/licenses/by/4.0/legalcode.de", BY),
        ("https://creativecommons.org/licenses/by/4.0/deed.en", BY),
        ("https://spdx.org/licenses/CC-BY-4.0.html", BY),
        ("https://opensource.org/licenses/MIT", "https://spdx.org/licenses/MIT"),
        ("opensource.org/license/mit/", "https://spdx.org/licenses/MIT"),
        ("https://opensource.org/licenses/Apache-2.0", "https://spdx.org/licenses/Apache-2.0"),
        ("CC BY-NC-SA 3.0", "https://creativecommons.org/licenses/by-nc-sa/3.0/"),
        ("Attribution-NonCommercial-NoDerivatives 4.0", "https://creativecommons.org/licenses/by-nc-nd/4.0/"),
        ("https://creativecommons.org/licenses/by/3.0/de/", "https://creativecommons.org/licenses/by/3.0/de/"),
        ("MIT License", "https://spdx.org/licenses/MIT"),
    ],
)
def test_spellings_lead_to_one_address(text: str, address: str):
    assert normal_licence(text) == address
    assert normal_licence(address) == address


@pytest.mark.parametrize(
    "text", ["my own", "by hand", "CC BY 5.0", "CC0 4.0", "CC BY 4.0 and MIT", "CC BY-SA-ND 4.0", ""]
)
def test_what_is_no_licence_is_not_guessed(text: str):
    assert find_licence(text) == ""
    assert normal_licence(text) == text


@pytest.mark.parametrize(
    ("text", "name", "spdx"),
    [
        ("CC0", "CC0", "CC0-1.0"),
        ("CC BY 4.0", "CC BY 4.0", "CC-BY-4.0"),
        ("CC BY-SA 3.0", "CC BY-SA 3.0", "CC-BY-SA-3.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "Public Domain Mark 1.0", "CC-PDM-1.0"),
        ("https://creativecommons.org/licenses/by/3.0/de/", "CC BY 3.0 DE", ""),
        ("Apache License, Version 2.0", "Apache-2.0", "Apache-2.0"),
    ],
)
def test_names_and_spdx_ids(text: str, name: str, spdx: str):
    address = normal_licence(text)
    assert (licence_name(address), licence_at(address).spdx) == (name, spdx)


def test_each_licence_that_a_form_offers_has_an_spdx_id():
    assert all(licence_at(label).spdx for label in choices("licenses"))

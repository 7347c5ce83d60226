"""JSON-LD as published: single values for lists, descriptors with other names."""

import pytest

from bioimage_suite.fair.terms.json_ld import as_list, as_text, by_id, ids, root_id, types
from bioimage_suite.fair.terms.licences import licence_at


def test_single_values_are_lists_of_one() -> None:
    assert (as_list(None), as_list("a"), as_list(["a"])) == ([], ["a"], ["a"])
    assert ids({"@id": "x"}) == ids([{"@id": "x"}, "y", {"@id": 1}]) == ["x"]
    assert types({"@type": "File"}) == types({"@type": ["File", None]}) == ["File"]
    assert as_text([{"@id": " a "}]) == "a"
    assert as_text(True) == ""


@pytest.mark.parametrize("name", ["ro-crate-metadata.json", "https://x.org/S-1-ro-crate-metadata.json"])
@pytest.mark.parametrize("about", [{"@id": "./"}, [{"@id": "gone"}, {"@id": "./"}]])
def test_the_descriptor_names_the_root(name: str, about: object) -> None:
    assert root_id(by_id([{"@id": name, "about": about}, {"@id": "./"}, "no entity"])) == "./"


def test_without_a_descriptor_there_is_no_root() -> None:
    assert root_id(by_id([{"@id": "./"}])) == root_id(by_id(None)) == ""


def test_archives_call_a_licence_by_their_own_names() -> None:
    zero = licence_at("http://creativecommons.org/publicdomain/zero/1.0")
    assert (zero.name, zero.bia, zero.idr, zero.zenodo) == ("CC0 1.0 Universal", "CC0", "CC0 1.0", "cc-zero")
    assert licence_at("https://example.org/mine").name == "https://example.org/mine"

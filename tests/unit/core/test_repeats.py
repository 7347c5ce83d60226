"""What stands more than once is found in one pass, whatever the number of items."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated
from bioimage_suite.core.untrusted_files import parse_json


@given(st.lists(st.integers(0, 9)))
def test_each_that_is_repeated_is_named_once_in_the_order_of_the_list(items):
    assert repeated(items) == [item for item in dict.fromkeys(items) if items.count(item) > 1]


def test_of_a_million_keys_the_last_may_stand_twice():
    text = json.dumps(dict.fromkeys(map(str, range(1_000_000)), 0))[:-1] + ', "999999": 1}'
    with pytest.raises(UserError, match="the key '999999' stands twice"):
        parse_json(text.encode(), "a.json")

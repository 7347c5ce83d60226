"""Short forms of values: names in messages, texts on one line, JSON for people."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.texts import first_names, json_text, one_line


@given(st.lists(st.text("ab", min_size=1), max_size=6), st.integers(1, 4))
def test_every_name_is_listed_or_counted(names: list[str], most: int) -> None:
    shown, _, more = first_names(names, most).partition(" and ")
    listed = shown.split(", ") if names else []
    assert listed == names[:most]
    assert (int(more.split()[0]) if more else 0) == max(0, len(names) - most)


@given(st.text())
def test_a_line_has_no_break_and_no_tab(text: str) -> None:
    assert not set(one_line(text)) & set("\t\r\n")


def test_json_for_people_keeps_its_letters() -> None:
    text = json_text({"size": "5 µm"})
    assert "5 µm" in text
    assert text.endswith("}\n")
    assert json.loads(text) == {"size": "5 µm"}

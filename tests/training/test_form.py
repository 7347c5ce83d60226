"""Forms are filled by what users see."""

from typing import Any
from unittest.mock import Mock

import pytest

from tests.training.by_hand import run_and_wait
from tests.training.form import FormError, fill
from tests.training.tutorial import Parameter, Reference

FORM: list[dict[str, Any]] = [
    {"type": "data", "name": "image", "label": "Image"},
    {"type": "boolean", "name": "holes", "label": "Keep holes", "value": "false"},
    {
        "type": "conditional",
        "name": "threshold",
        "test_param": {
            "type": "select",
            "name": "method",
            "label": "Threshold",
            "value": "otsu",
            "options": [["Otsu", "otsu", True], ["Manual ", "manual", False]],
        },
        "cases": [
            {"value": "otsu", "inputs": [{"type": "integer", "name": "bins", "label": "Bins"}]},
            {"value": "manual", "inputs": [{"type": "float", "name": "level", "label": "Grey level"}]},
        ],
    },
    {
        "type": "section",
        "name": "size",
        "title": "Size",
        "inputs": [{"type": "integer", "name": "area", "label": "Area"}],
    },
    {
        "type": "section",
        "name": "other",
        "title": "Other",
        "inputs": [{"type": "integer", "name": "area", "label": "Area"}],
    },
    {
        "type": "repeat",
        "name": "children",
        "title": "Children",
        "inputs": [{"type": "text", "name": "name", "label": "Name"}],
    },
    {
        "type": "select",
        "name": "outputs",
        "label": "Further outputs",
        "multiple": True,
        "options": [["Figure", "f", True], ["Zip", "z", False]],
    },
]


def filled(*parameters: Parameter) -> dict[str, Any]:
    return fill(FORM, parameters, lambda parameter, _: [one.name for one in parameter.data])


def test_labels_become_names_of_the_case_that_is_chosen() -> None:
    given = (Parameter("Grey level", ("3",)), Parameter("Threshold", ("Manual",)), Parameter("Keep holes", ("Yes",)))
    assert filled(*given) == {"threshold|level": "3", "threshold|method": "manual", "holes": True}
    assert filled(Parameter("Bins", ("4",))) == {"threshold|bins": "4"}


def test_sections_repeats_and_several_values() -> None:
    given = (
        Parameter("Size", below=(Parameter("Area", ("7",)),)),
        Parameter("Insert Children", below=(Parameter("Name", ("spots",)),)),
        Parameter("Insert Children", below=(Parameter("Name", ("dots",)),)),
        Parameter("Further outputs", ("Figure", "Zip")),
        Parameter("Image", data=(Reference("a"),)),
    )
    expected = {"size|area": "7", "children_0|name": "spots", "children_1|name": "dots", "outputs": ["f", "z"]}
    assert filled(*given) == {**expected, "image": ["a"]}


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        (Parameter("Grey level", ("3",)), "the form has 0 fields 'Grey level'; it has: Area; Bins"),
        (Parameter("Area", ("7",)), "the form has 2 fields 'Area'"),
        (Parameter("Threshold", ("Li",)), "'Threshold' has no option 'Li'; it has: Otsu; Manual"),
        (Parameter("Keep holes", ("true",)), "takes `Yes` or `No`"),
        (Parameter("Bins", ("1", "2")), "takes one value"),
        (Parameter("Insert Parents", below=(Parameter("Name", ("x",)),)), "the form has 0 repeats 'Parents'"),
    ],
)
def test_what_the_form_does_not_show_is_named(parameter: Parameter, said: str) -> None:
    with pytest.raises(FormError, match=said.replace("|", r"\|")):
        filled(parameter)


def test_a_new_list_with_the_id_of_a_known_dataset_is_new() -> None:
    """Galaxy counts datasets and lists apart, so that their ids meet."""
    image = {"history_content_type": "dataset", "id": "one", "state": "ok"}
    made = {"history_content_type": "dataset_collection", "id": "one", "populated_state": "ok"}
    answers = iter([[image], [image, made]])
    assert run_and_wait(Mock(), lambda: next(answers), 10) == [made]

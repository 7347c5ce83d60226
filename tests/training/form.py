"""Fill a tool's form by what users see: labels, titles of sections, texts of options.

A form is what Galaxy's `GET /api/tools/ID?io_details=true` gives under `inputs`; `tool_forms.py` makes the same from
the XML files. Where a parameter stands on the form does not matter, only whether it is shown: one of a case that is
not chosen is not.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.training.tutorial import Parameter

Data = Callable[[Parameter, dict[str, Any]], Any]
"""Function that gives Galaxy's value of a parameter that takes datasets: `(parameter, its place on the form)`."""


class FormError(Exception):
    """A text that names what the form does not show."""


@dataclass(frozen=True)
class Shown:
    """A field that the form shows.

    Attributes:
        key: Its name in Galaxy, such as `section|name`.
        field: Itself.
        sections: Titles of the sections around it.
        closed: Those of them that a user has to open.
    """

    key: str
    field: dict[str, Any]
    sections: tuple[str, ...]
    closed: tuple[str, ...] = ()


def fill(inputs: list[dict[str, Any]], parameters: tuple[Parameter, ...], data: Data) -> dict[str, Any]:
    """Return Galaxy's inputs, by name, for the parameters of a step.

    Args:
        inputs: The form.
        parameters: What the text gives, in any order.
        data: Gives the value of parameters that take datasets.

    Raises:
        FormError: A parameter is not on the form, is there twice, or an option does not exist.
    """
    filled: dict[str, Any] = {}
    given = list(flattened(parameters))
    wanted = {parameter.label: parameter for parameter, _ in given if not parameter.below}
    shown = list(fields(inputs, "", (), wanted))
    instances: Counter[str] = Counter()
    for parameter, sections in given:
        if parameter.label.startswith("Insert "):
            filled |= _repeated(inputs, parameter, data, instances[parameter.label])
            instances[parameter.label] += 1
        else:
            place = find(shown, parameter, sections)
            filled[place.key] = data(parameter, place.field) if parameter.data else value_of(place.field, parameter)
    return filled


def placed(inputs: list[dict[str, Any]], parameters: tuple[Parameter, ...]) -> list[tuple[Shown, Parameter]]:
    """Return field and parameter of each line of a text without repeats, in the form's order."""
    given = [(one, sections) for one, sections in flattened(parameters) if not one.below]
    shown = list(fields(inputs, "", (), {one.label: one for one, _ in given}))
    found = {find(shown, one, sections).key: one for one, sections in given}
    return [(place, found[place.key]) for place in shown if place.key in found]


def flattened(
    parameters: tuple[Parameter, ...], sections: tuple[str, ...] = ()
) -> Iterator[tuple[Parameter, tuple[str, ...]]]:
    """Yield each parameter with the sections that the text names around it; a repeat stays whole."""
    for parameter in parameters:
        if parameter.below and not parameter.label.startswith("Insert "):
            yield from flattened(parameter.below, (*sections, parameter.label))
        else:
            yield parameter, sections


def fields(
    inputs: list[dict[str, Any]], prefix: str, sections: tuple[str, ...], wanted: dict[str, Parameter]
) -> Iterator[Shown]:
    """Yield the fields that the form shows once the wanted options are chosen; those of repeats are left out."""
    for one in inputs:
        key = f"{prefix}{one['name']}"
        kind = one.get("type") or one.get("model_class")
        if kind == "section":
            for below in fields(one["inputs"], f"{key}|", (*sections, one["title"]), wanted):
                yield below if one.get("expanded") else replace(below, closed=(one["title"], *below.closed))
        elif kind == "conditional":
            test = one["test_param"]
            yield Shown(f"{key}|{test['name']}", test, sections)
            chosen = test.get("value")
            if test.get("label") in wanted:
                chosen = value_of(test, wanted[test["label"]])
            for case in one["cases"]:
                if str(case["value"]).lower() == str(chosen).lower():
                    yield from fields(case["inputs"], f"{key}|", sections, wanted)
        elif kind != "repeat":
            yield Shown(key, one, sections)


def find(shown: list[Shown], parameter: Parameter, sections: tuple[str, ...]) -> Shown:
    """Return the one field with the label of a parameter, below the sections that the text names."""
    found = [one for one in shown if one.field.get("label") == parameter.label and set(sections) <= set(one.sections)]
    if len(found) != 1:
        labels = sorted({str(one.field.get("label")) for one in shown})
        where = f" in {' > '.join(sections)}" if sections else ""
        raise FormError(f"the form has {len(found)} fields {parameter.label!r}{where}; it has: {'; '.join(labels)}")
    return found[0]


def value_of(field: dict[str, Any], parameter: Parameter) -> Any:
    """Return Galaxy's value for the texts of a parameter: the value of an option, True for `Yes`.

    Raises:
        FormError: An option does not exist, or a parameter that takes one value has several.
    """
    if field["type"] in ("select", "drill_down") and field.get("options"):
        values = [_option(field, text) for text in parameter.values]
        return values if field.get("multiple") else values[0]
    if len(parameter.values) != 1:
        raise FormError(f"{parameter.label!r} takes one value, the text gives {parameter.values}")
    if field["type"] == "boolean":
        if parameter.values[0] not in ("Yes", "No"):
            raise FormError(f"{parameter.label!r} takes `Yes` or `No`, the text gives {parameter.values[0]!r}")
        return parameter.values[0] == "Yes"
    return parameter.values[0].replace("\\n", "\n")


def _option(field: dict[str, Any], text: str) -> str:
    options = {label.strip(): value for label, value, *_ in field["options"]}
    if text not in options:
        raise FormError(f"{field.get('label')!r} has no option {text!r}; it has: {'; '.join(options)}")
    return str(options[text])


def _repeated(inputs: list[dict[str, Any]], parameter: Parameter, data: Data, number: int) -> dict[str, Any]:
    title = parameter.label.removeprefix("Insert ")
    found = [one for one in _repeats(inputs, "") if one[1]["title"] == title]
    if len(found) != 1:
        raise FormError(f"the form has {len(found)} repeats {title!r}")
    key, repeat = found[0]
    below = fill(repeat["inputs"], parameter.below, data)
    return {f"{key}_{number}|{name}": value for name, value in below.items()}


def _repeats(inputs: list[dict[str, Any]], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in inputs:
        kind = one.get("type") or one.get("model_class")
        key = f"{prefix}{one['name']}"
        if kind == "repeat":
            yield key, one
        elif kind == "section":
            yield from _repeats(one["inputs"], f"{key}|")
        elif kind == "conditional":
            for case in one["cases"]:
                yield from _repeats(case["inputs"], f"{key}|")

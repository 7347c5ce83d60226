"""Conditions that filter images, from the tool's form: HQL where OMERO can decide, else Python functions.

OMERO decides everything except names (it has neither patterns nor regular expressions) and numeric comparisons of
values of key-value pairs (it stores them as text, and PostgreSQL aborts a query that converts other text to a number).
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import translate
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.objects import ImageRecord, chosen_words
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import Session

Pairs = Sequence[tuple[str, str]]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SIZES = {"x": "p.sizeX", "y": "p.sizeY", "z": "p.sizeZ", "c": "p.sizeC", "t": "p.sizeT"}
_DATES = {"acquired": "i.acquisitionDate", "imported": "i.details.creationEvent.time"}
_TAGGED = """i.id in (select l.parent.id from ImageAnnotationLink l, TagAnnotation a
 where l.child.id = a.id and a.textValue = :tag)"""
_HAS_KEY = """i.id in (select l.parent.id from ImageAnnotationLink l, MapAnnotation m join m.mapValue v
 where l.child.id = m.id and v.name = :key)"""
_HAS_PAIR = _HAS_KEY.replace("v.name = :key", "v.name = :key and v.value = :value")
# "exists", as a ROI may belong to no image: "not in" a list with a null holds for nothing.
_HAS_ROI = "exists (select r.id from Roi r where r.image.id = i.id)"
_HAS_TABLE = """i.id in (select l.parent.id from ImageAnnotationLink l, FileAnnotation f join f.file o
 where l.child.id = f.id and o.mimetype = 'OMERO.tables')"""


@dataclass(frozen=True)
class Condition:
    """One condition: HQL on `i`, `p` and `pt` with parameters, or a test of an image and its pairs with one key.

    Attributes:
        hql: Empty where OMERO cannot decide.
        parameters: Named parameters of `hql`.
        key: Key whose pairs `test` takes; empty if it takes none.
        test: None where OMERO decides.
    """

    hql: str = ""
    parameters: tuple[tuple[str, Any], ...] = ()
    key: str = ""
    test: Callable[[ImageRecord, Pairs], bool] | None = None

    def negated(self) -> "Condition":
        """Return the condition that holds for all other images."""
        if self.test is None:
            return Condition(f"not ({self.hql})", self.parameters)
        test = self.test
        return Condition(key=self.key, test=lambda image, pairs: not test(image, pairs))


def simple_conditions(filters: Mapping[str, str | None]) -> list[Condition]:
    """Read the simple filters: `name` (a pattern), and `tags` and `key_values` (key=value) with one entry per line.

    `chosen_tags` holds more tags, from a list of choices.

    Raises:
        UserError: A line of `key_values` has no key or no `=`.
    """
    conditions = [_tag(tag) for tag in (*_lines(filters.get("tags")), *chosen_words(filters.get("chosen_tags")))]
    for line in _lines(filters.get("key_values")):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not key or not equals:
            raise UserError(f"filter {line!r}: not of the form key=value. Write for instance stage=mitosis.")
        conditions.append(Condition(_HAS_PAIR, (("key", key), ("value", value))))
    pattern = (filters.get("name") or "").strip()
    return [*conditions, *([_name(pattern, "glob")] if pattern else [])]


def read_condition(form: Mapping[str, Any]) -> Condition:
    """Read one condition of the form: `kind` and the fields of that kind; `negate` inverts it.

    Raises:
        UserError: A value is empty, or is not the number, date or regular expression it should be.
    """
    what = form["what"]
    condition = _READERS[what["kind"]](what)
    return condition.negated() if form.get("negate") else condition


def hql_of(conditions: Iterable[Condition]) -> tuple[list[str], dict[str, Any]]:
    """Return the HQL of the conditions that OMERO decides, and their parameters under unique names."""
    texts: list[str] = []
    parameters: dict[str, Any] = {}
    for number, condition in enumerate(conditions):
        text = condition.hql
        for name, value in condition.parameters:
            text = re.sub(rf":{name}\b", f":{name}{number}", text)
            parameters[f"{name}{number}"] = value
        if text:
            texts.append(text)
    return texts, parameters


def passing(session: Session, images: Sequence[ImageRecord], conditions: Sequence[Condition]) -> list[ImageRecord]:
    """Return the images that pass the conditions OMERO cannot decide; at most one query per 1,000 images.

    Args:
        session: An open session.
        images: The candidates.
        conditions: All must hold; those that OMERO decides are ignored here.
    """
    tests = [(one.key, one.test) for one in conditions if one.test is not None]
    names = [test for key, test in tests if not key]
    kept = [image for image in images if all(test(image, ()) for test in names)]
    keys = sorted({key for key, _ in tests if key})
    if not keys or not kept:
        return kept
    pairs = _pairs_of_keys(session, [image.image_id for image in kept], keys)
    return [
        image for image in kept if all(test(image, pairs.get((image.image_id, key), ())) for key, test in tests if key)
    ]


def _pairs_of_keys(
    session: Session, ids: Sequence[int], keys: Sequence[str]
) -> dict[tuple[int, str], list[tuple[str, str]]]:
    hql = (
        "select l.parent.id, v.name, v.value from ImageAnnotationLink l, MapAnnotation m join m.mapValue v "
        "where l.child.id = m.id and v.name in (:keys) and l.parent.id in (:ids)"
    )
    found: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for page in batches(ids):
        for image_id, key, value in session.rows(hql, keys=list(keys), ids=page):
            found.setdefault((image_id, key), []).append((key, value or ""))
    return found


def _name(text: str, form: str) -> Condition:
    matches = _pattern(text, form)
    return Condition(test=lambda image, _: matches(image.image_name))


def _tag(text: str) -> Condition:
    return Condition(_TAGGED, (("tag", text),))


def _key(form: Mapping[str, Any]) -> Condition:
    key, compare, value = _needed(form, "key"), form["compare"], (form.get("value") or "").strip()
    if compare == "present":
        return Condition(_HAS_KEY, (("key", key),))
    if compare == "text":
        return Condition(_HAS_PAIR, (("key", key), ("value", value)))
    if compare in ("glob", "regex"):
        matches = _pattern(value, compare)
        return Condition(key=key, test=lambda _, pairs: any(matches(text) for _, text in pairs))
    limit, holds = _number(value, f"value of key {key!r}"), _COMPARISONS[compare]

    def compares(_: ImageRecord, pairs: Pairs) -> bool:
        return any(number is not None and holds(number, limit) for number in (_as_number(text) for _, text in pairs))

    return Condition(key=key, test=compares)


def _date(form: Mapping[str, Any]) -> Condition:
    field = _DATES[form["date"]]
    parts, parameters = [f"{field} is not null"], []  # An image without a date fails, but passes the negation.
    for name, sign in (("since", ">="), ("before", "<")):
        text = (form.get(name) or "").strip()
        if text:
            parts.append(f"{field} {sign} :{name}")
            parameters.append((name, _moment(text)))
    if not parameters:
        raise UserError("date: neither a first day nor an end day is given. Write at least one.")
    return Condition(" and ".join(parts), tuple(parameters))


def _size(form: Mapping[str, Any]) -> Condition:
    # Written into the query as a number: Hibernate rejects a 64-bit parameter for a 32-bit column.
    return Condition(f"{_SIZES[form['axis']]} {_sign(form['compare'])} {int(form['size'])}")


def _sign(text: str) -> str:
    return "<>" if text == "!=" else text if text in _COMPARISONS else "="


_READERS: dict[str, Callable[[Mapping[str, Any]], Condition]] = {
    "name": lambda form: _name(_needed(form, "pattern"), form["form"]),
    "tag": lambda form: _tag(_needed(form, "tag")),
    "key": _key,
    "date": _date,
    "owner": lambda form: Condition("i.details.owner.omeName = :owner", (("owner", _needed(form, "owner")),)),
    "roi": lambda _: Condition(_HAS_ROI),
    "table": lambda _: Condition(_HAS_TABLE),
    "size": _size,
    "pixel_type": lambda form: Condition("pt.value = :type", (("type", form["pixel_type"]),)),
}


def _pattern(text: str, form: str) -> Callable[[str], bool]:
    """Return a case-sensitive test of text: a "glob" must match all of it, a "regex" any part of it."""
    try:
        compiled = re.compile(translate(text) if form == "glob" else text)
    except re.error as error:
        raise UserError(f"regular expression {text!r}: {error}. Mend it.") from None
    return lambda value: compiled.search(value) is not None


def _moment(text: str) -> datetime:
    """Parse a date or a time in ISO 8601; without a time zone it is UTC, like OMERO's own times.

    >>> _moment("2024-05-01").isoformat(), _moment("2024-05-01T12:30").isoformat()
    ('2024-05-01T00:00:00+00:00', '2024-05-01T12:30:00+00:00')
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"date {text!r}: not a date. Write year-month-day, such as 2024-05-01.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str, what: str) -> float:
    number = _as_number(text)
    if number is None:
        raise UserError(f"{what}: {text!r} is not a number. Write one such as 0.5, or choose to compare text.")
    return number


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _needed(form: Mapping[str, Any], name: str) -> str:
    text = (form.get(name) or "").strip()
    if not text:
        raise UserError(f"condition {form['kind']}: {name} is empty. Write one or remove the condition.")
    return text


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]

"""Validation of metadata read in any dialect: normal values, and findings about wrong or missing ones."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bioimage_suite.core.texts import first_names
from bioimage_suite.fair.metadata.containers import CONTAINER_KINDS
from bioimage_suite.fair.metadata.fields import (
    MetadataField,
    field_by_key,
    find_field,
    is_field,
    near_fields,
    with_unit_of,
)
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.table import (
    MetadataValue,
    ObjectValues,
    by_object,
    first_row,
    is_metadata_table,
    is_shared,
    read_metadata_table,
)
from bioimage_suite.fair.metadata.value_checks import Checked, Remark, check_free_value, check_value
from bioimage_suite.tables.key_value_dialects import (
    CLIENT_NAMESPACE,
    TAG_NAMESPACE,
    KeyValue,
    KeyValueFile,
    read_key_values,
)
from bioimage_suite.tables.sheets import Finding

# Lists with one entry per author.
AUTHOR_LISTS = ("author_orcids", "author_affiliations", "author_emails", "affiliation_rors")
# Number of images that a message names before it counts the rest.
_NAMED = 5


@dataclass(frozen=True)
class Validated:
    """Normal values of all files, and all findings in the order of files and lines."""

    values: tuple[MetadataValue, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """The number of errors."""
        return sum(finding.level == "error" for finding in self.findings)


def validate(
    readings: Sequence[KeyValueFile], images: Sequence[ImageFacts], fields: Sequence[MetadataField]
) -> Validated:
    """Validate the contents of all files.

    Args:
        readings: Contents of the files.
        images: Images that the files should describe; empty when unknown.
        fields: Expected fields; missing required ones are reported.

    Returns:
        Values and findings. Values with an error are left out, never guessed.
    """
    findings: list[Finding] = []
    values: list[MetadataValue] = []
    refused: set[str] = set()
    for reading in readings:
        findings += reading.findings
        values += _normal_values(reading, findings, refused)
        findings += _duplicate_targets(reading)
    objects = by_object(values)
    findings += _contradictions(values)
    findings += _unmatched(readings, images)
    findings += _uneven_lists(values)
    findings += _shared_orcids(values)
    described = list(images) or _named_images(readings)
    findings += _without_container(objects, described)
    findings += _missing(objects, described, fields, refused)
    return Validated(tuple(values), tuple(findings))


def read_values(path: Path, name: str) -> tuple[MetadataValue, ...]:
    """Read a normalised table, or key-value pairs of any dialect; `validate_metadata` reports their errors."""
    if is_metadata_table(path):
        return tuple(read_metadata_table(path, name))
    return validate([read_key_values(path, name, known=is_field)], (), ()).values


def _normal_values(reading: KeyValueFile, findings: list[Finding], refused: set[str]) -> list[MetadataValue]:
    """Return the valid values of a file; add to `findings`, and to `refused` the fields with invalid values."""
    values: list[MetadataValue] = []
    said: set[str] = set()
    for pair in reading.pairs:
        field = None if pair.namespace == TAG_NAMESPACE else find_field(pair.key)
        if field is None and pair.key not in said:
            said.add(pair.key)
            findings += _unknown_key(reading, pair)
        for text in _parts(field, pair.value):
            checked = _checked(field, with_unit_of(pair.key, text), pair.link)
            remarks = (*checked.remarks, *_excel_date(field, pair))
            file = f"{reading.file}, sheet {pair.sheet}" if pair.sheet else reading.file
            findings += [_finding(file, pair, text, remark) for remark in remarks]
            if checked.value:
                values.append(_value(file, pair, field, text, checked))
            elif field:
                refused.add(field.key)
    return values + _places(reading)


def _places(reading: KeyValueFile) -> list[MetadataValue]:
    """Return the dataset, plate and well that the rows of images name: by them the values of those find the images."""
    return [
        MetadataValue(
            target.kind, target.id, target.name, "", key, name, "", "", name, CLIENT_NAMESPACE, reading.file, line, ""
        )
        for target, line in reading.targets
        for key, name in target.parents
    ]


def _checked(field: MetadataField | None, text: str, link: str) -> Checked:
    """Check a value; where an address or an identifier is wanted, the target of the cell's link counts too."""
    if field is None:
        return check_free_value(text)
    checked = check_value(field, text)
    if link and not checked.value and field.kind in {"url", "doi", "orcid"}:
        linked = check_value(field, link)
        return replace(linked, remarks=(*linked.remarks, Remark("note", "the target of the link", linked.value)))
    return checked


def _parts(field: MetadataField | None, value: str) -> list[str]:
    """Return the entries of a cell: separated by `;`, or each on a line of its own."""
    if field and field.many:
        return [part.strip() for part in re.split(r";" if ";" in value else r"[\r\n]+", value) if part.strip()]
    return [value]


def _value(file: str, pair: KeyValue, field: MetadataField | None, text: str, checked: Checked) -> MetadataValue:
    target = pair.target
    return MetadataValue(
        target.kind, target.id, target.name, field.key if field else "", pair.key, checked.value, checked.term_id,
        checked.unit_id, text, pair.namespace, file, pair.line, pair.column,
    )  # fmt: skip


def _finding(file: str, pair: KeyValue, text: str, remark: Remark) -> Finding:
    return Finding(
        remark.level, file, pair.line, f"{pair.column} ({pair.key})", text, remark.expected, remark.suggestion
    )


def _excel_date(field: MetadataField | None, pair: KeyValue) -> list[Remark]:
    if pair.from_excel_date and (field is None or field.kind not in {"date", "datetime"}):
        return [Remark("warning", "text; Excel holds this cell as a date", "set the column to Text, type it again")]
    return []


def _unknown_key(reading: KeyValueFile, pair: KeyValue) -> list[Finding]:
    """Report a key without a field: in a template always, elsewhere only if it looks like a misspelling."""
    near = near_fields(pair.key)
    if pair.namespace == TAG_NAMESPACE or not (near or reading.dialect in {"template", "json"}):
        return []
    column = f"{pair.column} ({pair.key})"
    return [Finding("warning", reading.file, pair.line, column, pair.key, "a field of the template", " or ".join(near))]


def _duplicate_targets(reading: KeyValueFile) -> list[Finding]:
    """Report rows about the same object, which only the tidy dialect (one row per pair) may have."""
    if reading.dialect == "tidy":
        return []
    first: dict[tuple[str, str, str], int] = {}
    findings: list[Finding] = []
    for target, line in reading.targets:
        name = target.name or target.id
        if not name:
            findings.append(
                Finding("error", reading.file, line, "", "a row without a name", "which image the row is about")
            )
            continue
        key = (target.kind, target.id, "" if target.id else target.name)
        if key in first:
            found = f"{name}, also on line {first[key]}"
            findings.append(Finding("error", reading.file, line, "", found, f"one row for each {target.kind}"))
        first.setdefault(key, line)
    return findings


def _contradictions(values: Iterable[MetadataValue]) -> list[Finding]:
    """Report single-valued fields with two values for one object or, for fields of the study, anywhere."""
    findings: list[Finding] = []
    first: dict[tuple[str, str, str], MetadataValue] = {}
    for value in values:
        if not value.field or field_by_key(value.field).many:
            continue
        target = "" if value.field.startswith("study.") else value.object_id or value.object_name
        before = first.setdefault((value.object_type if target else "", target, value.field), value)
        if before.value != value.value:
            where = f"{before.source} line {before.line}, column {before.column}"
            column = f"{value.column} ({value.key})"
            expected = f"one value; {where} says {before.value!r}"
            findings.append(Finding("error", value.source, value.line, column, value.value, expected))
    return findings


def _unmatched(readings: Sequence[KeyValueFile], images: Sequence[ImageFacts]) -> list[Finding]:
    """Report rows without an image and images without a row. A row `*` or of a dataset describes every image."""
    if not images:
        return []
    names = {name for image in images for name in image.names()}
    near = {_plain(name): name for name in sorted(names)}
    ids = {image.image_id for image in images if image.image_id}
    findings: list[Finding] = []
    described: set[str] = set()
    everything = False
    for reading in readings:
        for target, line in reading.targets:
            if is_shared(target.kind, target.name) or (target.kind in CONTAINER_KINDS and target.kind != "well"):
                everything = True
            elif target.kind == "image":
                known = target.id in ids if target.id and ids else target.name in names
                described |= {f"id:{target.id}"} if target.id and ids else {target.name}
                if not known and (target.name or target.id):
                    found = target.name or f"image id {target.id}"
                    expected, remedy = "a row about one of the images given", near.get(_plain(found), "")
                    findings.append(Finding("error", reading.file, line, "", found, expected, remedy))
    bare = [image.name for image in images if not described & {f"id:{image.image_id}", *image.names()}]
    if bare:
        level = "warning" if everything else "error"
        file = readings[0].file if readings else ""
        findings.append(Finding(level, file, 0, "", f"no row for {first_names(bare, _NAMED)}", "a row for each image"))
    return findings


def _plain(name: str) -> str:
    """Return a name without folders of any system and without capitals, as people may have written it."""
    return re.split(r"[/\\]", name)[-1].strip().casefold()


def _named_images(readings: Iterable[KeyValueFile]) -> list[ImageFacts]:
    targets = dict.fromkeys(target for reading in readings for target, _ in reading.targets)
    return [
        ImageFacts(target.name or f"Image {target.id}", target.id)
        for target in targets
        if target.kind == "image" and not is_shared(target.kind, target.name) and (target.name or target.id)
    ]


def _without_container(objects: ObjectValues, images: Sequence[ImageFacts]) -> list[Finding]:
    """Report images that do not say which of several datasets, plates, ... they lie in: they get the values of none."""
    lost: dict[str, list[str]] = {}
    for image in images:
        for kind in objects.containers.unsaid(objects.parents(image)):
            lost.setdefault(kind, []).append(image.name)
    findings = []
    for kind, names in lost.items():
        known = [name or f"id {identifier}" for _, identifier, name in objects.containers.by_kind[kind]]
        found, expected = f"no {kind} for {first_names(names, _NAMED)}", f"which of {first_names(known, _NAMED)}"
        remedy = f"a column {kind} in the rows of images"
        findings.append(Finding("warning", "", 0, kind, found, expected, remedy))
    return findings


def _uneven_lists(values: Iterable[MetadataValue]) -> list[Finding]:
    """Report lists that do not have one entry per author; a single affiliation may hold for all authors."""
    lists = {key: first_row(values, f"study.{key}") for key in ("authors", *AUTHOR_LISTS)}
    authors = len(lists.pop("authors"))
    findings: list[Finding] = []
    for key, given in lists.items():
        shared = key.startswith("aff") or key == "author_affiliations"
        if authors and given and len(given) != authors and not (shared and len(given) == 1):
            column = f"{given[0].column} ({given[0].key})"
            expected = f"{authors} entries, as there are authors; '-' where there is none"
            found = f"{len(given)} entries"
            findings.append(Finding("error", given[0].source, given[0].line, column, found, expected))
    return findings


def _shared_orcids(values: Iterable[MetadataValue]) -> list[Finding]:
    """Report an ORCID that two authors have: products know persons by it, so the two would become one."""
    given = [one for one in first_row(values, "study.author_orcids") if one.value != "-"]
    twice = {one.value: one for place, one in enumerate(given) if one.value in {other.value for other in given[:place]}}
    return [
        Finding("error", one.source, one.line, f"{one.column} ({one.key})", one.found, "an ORCID of each author's own")
        for one in twice.values()
    ]


def _missing(
    objects: ObjectValues, images: Sequence[ImageFacts], fields: Sequence[MetadataField], refused: Collection[str]
) -> list[Finding]:
    """Report required fields without a value. A conditional field is required once its module has any value.

    A field in `refused` has an invalid value, so it is not reported as missing.
    """
    chosen = [field for field in fields if field.level in {"required", "conditional"}]
    absent: dict[str, list[str]] = {}
    groups = (objects.shared, *objects.held.values(), *objects.own.values())
    anywhere = {field for group in groups for field in group}
    for image in images or [ImageFacts("the dataset")]:
        present = objects.of_image(image).keys()
        modules = {key.partition(".")[0] for key in present}
        for field in chosen:
            if field.key in present or (field.key.startswith("study.") and field.key in anywhere):
                continue
            if field.level == "required" or field.key.partition(".")[0] in modules:
                absent.setdefault(field.key, []).append(image.name)
    findings = []
    for field in chosen:
        if field.key in absent:
            names = absent[field.key]
            what = "no valid value" if field.key in refused else "missing"
            what += "" if field.key.startswith("study.") else f" for {first_names(names, _NAMED)}"
            findings.append(Finding("error", "", 0, field.header, what, "a value (required)", field.question))
    return findings

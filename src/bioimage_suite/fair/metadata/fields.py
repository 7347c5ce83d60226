"""The fields of the metadata standards, read from `fields/*.tsv`, and the lookup of a column's field."""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.terms.ontology_terms import resolve
from bioimage_suite.tables.delimited import shipped_rows

FIELDS_FOLDER = Path(__file__).resolve().parent / "field_tables"
_CHANNEL_NUMBER = re.compile(r"\bchannel\s*\d+\s*[-:]?\s*", re.IGNORECASE)
_UNIT = re.compile(r"(.+?)(?:\s*[\[(]([^\[\]()]+)[\])]|\s+in\s+(\S+))[\s*:]*")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?")
# What forms write behind a name; `*` and `:` are dropped when names are compared.
_DUTY = re.compile(
    r"\s*[(\[]\s*(optional|required|mandatory|recommended|if (applicable|known|any))\s*[)\]][\s*:]*$", re.I
)
SCOPES = ("study", "biosample", "acquisition", "annotation")
STANDARDS = ("rembi", "mifa")


@dataclass(frozen=True)
class MetadataField:
    """One field of REMBI or MIFA.

    Attributes:
        standard: `rembi` or `mifa`.
        key: Machine name, such as `biosample.organism`.
        module: REMBI's module, such as `Biosample`.
        label: The field's name in its module.
        scope: One of `SCOPES`.
        level: `required`, `recommended`, `optional`, or `conditional`: required as soon as its module has any value.
        many: Whether the field may hold several values, separated by `;`.
        kind: `text`, `term`, `date`, `datetime`, `quantity`, `url`, `doi`, `orcid`, `ror` or `email`.
        vocabulary: Table in `terms/` for a term (or a quantity's unit).
        min_length: Smallest number of characters.
        aliases: Other common names of the field.
        question: Question that asks a person for the value.
    """

    standard: str
    key: str
    module: str
    label: str
    scope: str
    level: str
    many: bool
    kind: str
    vocabulary: str
    min_length: int
    aliases: tuple[str, ...]
    question: str

    @property
    def header(self) -> str:
        """Name of its column in a template, such as `Biosample: Organism`."""
        return f"{self.module}: {self.label}"


@cache
def load_fields(standard: str) -> tuple[MetadataField, ...]:
    """Read the fields of one standard, in the standard's order."""
    return tuple(
        MetadataField(
            standard=standard,
            key=row["key"],
            module=row["module"],
            label=row["label"],
            scope=row["scope"],
            level=row["level"],
            many=row["many"] == "yes",
            kind=row["kind"],
            vocabulary=row["vocabulary"],
            min_length=int(row["min_length"] or 0),
            aliases=tuple(alias for alias in row["aliases"].split("|") if alias),
            question=row["question"],
        )
        for row in shipped_rows(FIELDS_FOLDER / f"{standard}.tsv")
    )


def all_fields() -> tuple[MetadataField, ...]:
    """Return the fields of all standards."""
    return tuple(field for standard in STANDARDS for field in load_fields(standard))


def template_fields(standard: str, scopes: tuple[str, ...]) -> tuple[MetadataField, ...]:
    """Choose the columns of a template.

    Args:
        standard: `rembi` (also for OMERO key-value pairs) or `mifa`: annotations together with REMBI's study.
        scopes: Some of `SCOPES`.

    Raises:
        UserError: A scope does not exist, or no scope has a field.
    """
    unknown = set(scopes) - set(SCOPES)
    if unknown:
        raise UserError(f"scope {sorted(unknown)[0]}: is not known. Choose from {', '.join(SCOPES)}.")
    fields = load_fields("rembi")
    if standard == "mifa":
        fields = tuple(field for field in fields if field.scope == "study") + load_fields("mifa")
    chosen = tuple(field for field in fields if field.scope in scopes)
    if not chosen:
        raise UserError(
            f"scope {', '.join(scopes) or '(none)'}: {standard} has no such field. Choose from {', '.join(SCOPES)}."
        )
    return chosen


def fold(name: str) -> str:
    """Remove case, blanks and punctuation to compare names: `Study Key-Words` becomes `studykeywords`."""
    return re.sub(r"[\W_]+", "", name.casefold())


@cache
def _index() -> dict[str, MetadataField]:
    """Map each unambiguous folded name to its field; a full header wins over a label or alias."""
    index: dict[str, MetadataField] = {}
    ambiguous: set[str] = set()
    for field in all_fields():
        for name in {fold(alias) for alias in (field.label, *field.aliases)}:
            if name in index and index[name] != field:
                ambiguous.add(name)
            index.setdefault(name, field)
    for name in ambiguous:
        del index[name]
    for field in all_fields():
        index[fold(field.header)] = field
        index[fold(field.key)] = field
    return index


@cache
def find_field(name: str) -> MetadataField | None:
    """Find the field of a column or key by header, machine name, or a label that only one field has.

    A column for each channel, as `Channel 0 - content`, belongs to the field that lists all channels; a column may
    have the unit of its numbers: `Pixel size X [µm]`, or say whether it must be filled in: `Cell line (optional)`.
    """
    name = _DUTY.sub("", name)
    return _index().get(fold(_CHANNEL_NUMBER.sub("channel ", name))) or _with_unit(name)[0]


@cache
def _with_unit(name: str) -> tuple[MetadataField | None, str]:
    """Return the field of a column with a unit, and the unit; only where the field is a quantity with such units."""
    match = _UNIT.fullmatch(_DUTY.sub("", name))
    field = _index().get(fold(match[1])) if match else None
    unit = (match[2] or match[3]).strip() if match else ""
    if not field or field.kind != "quantity" or not resolve("uo", unit).term:
        return None, ""
    return field, unit


def with_unit_of(name: str, text: str) -> str:
    """Return a value with the unit that stands in its column's name alone.

    >>> with_unit_of("Pixel size X [µm]", "0.65"), with_unit_of("Pixel size X", "0.65")
    ('0.65 µm', '0.65')
    """
    unit = _with_unit(name)[1]
    return f"{text} {unit}" if unit and _NUMBER.fullmatch(text) else text


def is_field(name: str) -> bool:
    """Return whether a column's name is that of a field."""
    return find_field(name) is not None


@cache
def field_by_key(key: str) -> MetadataField:
    """Return the field with this machine name."""
    return next(field for field in all_fields() if field.key == key)


@cache
def near_fields(name: str) -> tuple[str, ...]:
    """Return the headers of up to three fields that have this label, else names similar to it (difflib ratio 0.8)."""
    same = [field.header for field in all_fields() if fold(name) in map(fold, (field.label, *field.aliases))]
    if same:
        return tuple(same[:3])
    close = difflib.get_close_matches(fold(name), list(_index()), n=3, cutoff=0.8)
    return tuple(dict.fromkeys(_index()[key].header for key in close))

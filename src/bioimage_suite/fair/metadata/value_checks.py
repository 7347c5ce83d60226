"""Normal forms of values by kind of field, and remarks on what is wrong with them."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from urllib.parse import quote

from bioimage_suite.core.texts import whole_number
from bioimage_suite.fair.metadata.fields import MetadataField
from bioimage_suite.fair.terms.licences import OF_ARCHIVES, find_licence, licence_name
from bioimage_suite.fair.terms.ontology_terms import (
    COMPLETE,
    VOCABULARY_NAMES,
    Resolution,
    choices,
    find,
    load_terms,
    resolve,
)

# Day 0 of Excel's 1900 system as Python counts it: Excel believes in a 29 February 1900 (Microsoft KB 214326).
_EXCEL_EPOCH = date(1899, 12, 30)
# Serial numbers of 1954-10-03 to 2119-01-22: plausible dates of an experiment, too large for years or small counts.
_EXCEL_SERIAL = range(20000, 80000)
_QUANTITY = re.compile(r"([+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(\s*[^\d,.;\s]{1,4})?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_DAY_MONTH = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{2,4})")
_YEAR_FIRST = re.compile(r"(\d{4})[./-]?(\d{2})(?:[./-]?(\d{2}))?|(\d{4})")
_MONTH_NAMED = re.compile(r"(?:(\d{1,2})\.? )?([a-z]{3})[a-z]*\.?,?(?: (\d{1,2}),?)? (\d{4})", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# What Excel makes of gene names such as MARCH1, SEPT2 and DEC1 (Ziemann 2016, doi 10.1186/s13059-016-1044-7).
_EXCEL_GENE = re.compile(
    r"\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|(Mar|Sep|Dec)-\d{2}", re.IGNORECASE
)
_EXCEL_ERROR = re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|####*)")
_DOI = re.compile(r"(?:(?:https?://)?(?:(?:dx|www)\.)?doi\.org/|doi:?\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_ORCID = re.compile(
    r"(?:(?:https?://)?(?:www\.)?orcid\.org/|orcid(?: id)?:?\s*)?((?:\d{4}[- ]?){3}\d{3}[\dx])/?", re.IGNORECASE
)
_NONE = {"-", "none", "n/a", "na", "not applicable"}
"""What people write where there is nothing to say."""
# Signs that look like those of units and numbers.
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_LOOKALIKES = str.maketrans(
    {"º": "°", "˚": "°", "∘": "°", "−": "-", "–": "-", "\N{GREEK SMALL LETTER MU}": "\N{MICRO SIGN}"}
)
_PERSONS = ("study.authors", "annotation.authors")
# Words between two names, each of two or more words: "Jane Doe and Richard Roe".
_BETWEEN = re.compile(r"\s+(?:and|und|et|y|e)\s+|\s*&\s*", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:jr|sr|ph\.?d|m\.?d|[iv]+)\.?", re.IGNORECASE)
_PER_PIXEL = re.compile(r"\s*(?:/|per )\s*(?:px|pixel|voxel|plane|frame)s?$", re.IGNORECASE)
_EXAMPLES = {"acquisition.temperature": ("37", "°C"), "image.time_increment": ("5", "s")}
# What a field measures, by the labels of its units; fields that are not named here are lengths.
_LENGTH = re.compile(r"\w*meter|angstrom|inch|foot|mile|nautical mile")
_KINDS = {
    "acquisition.temperature": re.compile(r"kelvin|degree (celsius|fahrenheit)"),
    "image.time_increment": re.compile(r"\w*second|minute|hour|day|week|month|year"),
}
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_ROR = re.compile(rf"(?:(?:https?://)?(?:www\.)?ror\.org/)?(0[{_CROCKFORD}]{{6}}\d\d)/?", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_URL = re.compile(r"https?://[^\s/<>\"]+\.[^\s<>\"]+", re.IGNORECASE)
_URL_SIGNS = "!#$%&'()*+,/:;=?@[]~"
# The longest name in the tables has 156 characters; longer text is a sentence.
_LONGEST_NAME = 200
# Inserted by decoders for bytes that are invalid in the encoding.
_LOST = "\N{REPLACEMENT CHARACTER}"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Remark:
    """A remark on a value: its level, what was expected, what to write instead."""

    level: str
    expected: str
    suggestion: str = ""


@dataclass(frozen=True)
class Checked:
    """A value in its normal form (empty if invalid), with the ids of its term and unit, and remarks."""

    value: str
    term_id: str = ""
    unit_id: str = ""
    remarks: tuple[Remark, ...] = ()


@cache
def check_value(field: MetadataField, text: str) -> Checked:
    """Check one value of a field.

    Args:
        field: Field with kind, vocabulary and smallest length.
        text: Value as found, not empty.

    Returns:
        The normal form and the remarks; a value with an error has no normal form.
    """
    damage = _damage(text)
    if damage:
        return Checked("", remarks=(damage,))
    checks = {"url": _check_url, "doi": _check_doi, "orcid": _check_orcid}
    checks |= {"ror": _check_ror, "email": _check_email}
    if field.kind in checks:
        return checks[field.kind](text)
    of_field = {"term": _check_term, "date": _check_date, "datetime": _check_date, "quantity": _check_quantity}
    return of_field.get(field.kind, _check_text)(field, text)


def check_free_value(text: str) -> Checked:
    """Check the value of a key without a field: keep it unchanged unless it is damaged, and remark on oddities."""
    damage = _damage(text)
    return Checked("", remarks=(damage,)) if damage else Checked(text, remarks=tuple(_oddities(text)))


def _damage(text: str) -> Remark | None:
    """Return the remark on a damaged value: an error of Excel, control characters, or characters lost in decoding."""
    if _EXCEL_ERROR.match(text):
        return Remark("error", "a value; Excel could not compute this one", "type the value itself")
    if _CONTROL.search(text):
        return Remark("error", "text without control characters", _CONTROL.sub("", text))
    if _LOST in text:
        return Remark("error", "readable letters; here some were lost", "save the file as UTF-8, type the value again")
    return None


def _oddities(text: str) -> list[Remark]:
    if _DECIMAL_COMMA.fullmatch(text):
        return [Remark("warning", "a decimal point, not a comma", text.replace(",", "."))]
    if _EXCEL_GENE.fullmatch(text):
        return [
            Remark("warning", "a value that Excel has not turned into a date", "set the column to Text, type it again")
        ]
    return []


def _check_text(field: MetadataField, text: str) -> Checked:
    """Check free text; where the field has a vocabulary, text that is the name of a term gets the term's id."""
    remarks = [*_oddities(text), *(_several_persons(text) if field.key in _PERSONS else ())]
    if len(text) < field.min_length:
        remarks.append(Remark("error", f"at least {field.min_length} characters, not {len(text)}"))
    found = find(field.vocabulary, text) if field.vocabulary and len(text) <= _LONGEST_NAME else None
    return Checked(text, found.term.id if found and found.term else "", remarks=tuple(remarks))


def _several_persons(text: str) -> list[Remark]:
    """Warn of an entry that looks like several persons: they would become one author.

    A name has one comma at most, beside that of a suffix; the words "and" and "&" stand between two whole names. The
    names of groups have them too, so this is no error.
    """
    expected = "one person in each entry, as Last, First; entries are separated by ';'"
    names = [name.strip() for name in _BETWEEN.split(text)]
    if len(names) > 1 and all(len(name.split()) in {2, 3} and name[0].isupper() for name in names):
        return [Remark("warning", expected, "; ".join(map(_last_first, names)))]
    parts = [part.strip() for part in text.split(",") if not _SUFFIX.fullmatch(part.strip())]
    if len(parts) > 2 and all(part[:1].isupper() for part in parts):
        whole = all(len(part.split()) > 1 for part in parts)
        return [Remark("warning", expected, "; ".join(map(_last_first, parts)) if whole else "")]
    return []


def _last_first(name: str) -> str:
    first, _, last = name.rpartition(" ")
    return name if "," in name else f"{last}, {first}"


def _check_term(field: MetadataField, text: str) -> Checked:
    """Check the name or id of a term.

    Text is refused only with what would pass; what the vocabulary is known to lack is kept as text.
    """
    if field.vocabulary == "licenses":
        return _check_licence(text)
    found = resolve(field.vocabulary, text)
    source = VOCABULARY_NAMES[field.vocabulary]
    if found.term:
        return Checked(found.term.label, found.term.id, remarks=_term_remarks(field.vocabulary, text, found))
    near = " or ".join(term.text for term in found.near)
    if found.absent is not None:
        return Checked(text, remarks=(Remark("warning", f"a term of {source}, which has none for this", found.absent),))
    # A column of cell lines often holds cell types.
    kind = find("entity", text) if field.vocabulary == "clo" else None
    if kind and kind.term and kind.term.id.startswith("CL:"):
        return Checked(kind.term.label, kind.term.id)
    # These tables hold only some of the terms, so another word may be right.
    if field.vocabulary in {"clo", "efo"}:
        return Checked(text, remarks=(Remark("warning", f"a term of {source}", near),))
    short = choices(field.vocabulary) if len(load_terms(field.vocabulary)) <= 12 else []
    other = (
        f"one of {', '.join(short)}" if short else "a term's name or id; for one that the table lacks write 'name (id)'"
    )
    return Checked("", remarks=(Remark("error", f"a term of {source}", near or other),))


def _term_remarks(vocabulary: str, text: str, found: Resolution) -> tuple[Remark, ...]:
    """Return what to say about a text that leads to a term."""
    term, source = found.term, VOCABULARY_NAMES[vocabulary]
    assert term
    if not found.listed and vocabulary in COMPLETE:
        return (Remark("warning", f"an id of {source}, whose release has none like this", "look the id up again"),)
    if not found.listed:
        return (Remark("note", f"an id in the table of {source}", "checked by its form only; the table is a subset"),)
    if found.obsolete and found.obsolete.id == term.id:
        return (Remark("warning", f"a current term of {source}; this one is obsolete, without a successor"),)
    if term.status == "apart":
        return (Remark("warning", f"a term for a method; {term.text} of {source} is something else"),)
    if found.obsolete:
        return (Remark("warning", f"a current term of {source}; {found.obsolete.text} is obsolete", term.text),)
    if found.broader:
        return (
            Remark("note", f"a term of {source}; it has none as narrow as this, so a broader one is taken", term.text),
        )
    return () if found.exact or term.label == text else (Remark("note", "the preferred name", term.text),)


def _check_licence(text: str) -> Checked:
    address = find_licence(text)
    if not address:
        return Checked("", remarks=(Remark("error", "a licence, by its name or address", "CC0 or CC BY 4.0"),))
    name = licence_name(address)
    remarks = [] if text in {name, address} else [Remark("note", "the preferred name", name)]
    if address not in OF_ARCHIVES:
        remarks.append(Remark("warning", "CC0 or CC BY 4.0, which alone the BioImage Archive takes"))
    return Checked(name, address, remarks=tuple(remarks))


def _check_date(field: MetadataField, text: str) -> Checked:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    # `fromisoformat` also takes 20240301, which is more likely a count or an id than a date.
    if parsed and "-" in text[:5]:
        return Checked(text if field.kind == "datetime" or len(text) == 10 else parsed.date().isoformat())
    days = whole_number(text)
    if days is not None and days in _EXCEL_SERIAL:
        iso = (_EXCEL_EPOCH + timedelta(days=days)).isoformat()
        return Checked(iso, remarks=(Remark("warning", "YYYY-MM-DD, not Excel's day number", iso),))
    return Checked("", remarks=(Remark("error", "a date YYYY-MM-DD", _date_suggestion(text)),))


def _date_suggestion(text: str) -> str:
    """Return the dates that a text may mean; the first day of a month or year whose day is not said."""
    guesses: list[tuple[int, int, int]] = []
    text = text.strip()
    if match := _DAY_MONTH.fullmatch(text):
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        year += 2000 if year < 100 else 0
        guesses = [(year, second, first), (year, first, second)]
    elif match := _YEAR_FIRST.fullmatch(text):
        guesses = [(int(match[1] or match[4]), int(match[2] or 1), int(match[3] or 1))]
    elif (match := _MONTH_NAMED.fullmatch(text)) and match[2].lower() in _MONTHS:
        guesses = [(int(match[4]), _MONTHS.index(match[2].lower()) + 1, int(match[1] or match[3] or 1))]
    dates = []
    for guess in guesses:
        try:
            dates.append(date(*guess).isoformat())
        except ValueError:
            continue
    return " or ".join(dict.fromkeys(dates))


def _check_quantity(field: MetadataField, text: str) -> Checked:
    """Check a number with a unit. Signs that only look like `°` and `-`, brackets and `per pixel` are put right."""
    plain = _PER_PIXEL.sub("", text.translate(_LOOKALIKES).strip())
    number, unit = _EXAMPLES.get(field.key, ("0.65", "µm"))
    expected = f"a number with its unit, as {number} {unit}"
    match = _QUANTITY.fullmatch(plain)
    # The rest of a text such as "1,000,000 µm" is no unit; only the author knows whether its commas mark thousands.
    if not match or match[2].startswith((",", ".")):
        again = _QUANTITY.fullmatch(plain.lstrip("~≈<>ca. "))
        return Checked("", remarks=(Remark("error", expected, again[0] if again and again[2][:1].isalpha() else ""),))
    number, given = match[1].replace(",", "."), match[2].strip().strip("[]()")
    if not given:
        return Checked("", remarks=(Remark("error", expected, f"{number} {unit}, if that is the unit"),))
    if _THOUSANDS.fullmatch(match[1]):
        # A factor of 1,000 lies between the two readings.
        both = f"{match[1].replace(',', '')} {given} or {number} {given}"
        return Checked("", remarks=(Remark("error", "a number that can be read in one way only", both),))
    remarks = [] if "," not in match[1] else [Remark("warning", "a decimal point, not a comma", f"{number} {given}")]
    found = resolve("uo", given)
    if not found.term:
        near = " or ".join(f"{number} {term.label}" for term in found.near) or _one_number(number, given)
        return Checked("", remarks=(*remarks, Remark("error", "a unit of the Units of measurement ontology", near)))
    if not _KINDS.get(field.key, _LENGTH).fullmatch(found.term.label.casefold()):
        return Checked("", remarks=(*remarks, Remark("error", f"{expected}: not one of {found.term.label}")))
    if field.key != "acquisition.temperature" and float(number) <= 0:
        return Checked("", remarks=(*remarks, Remark("error", f"{expected}: more than 0")))
    return Checked(f"{number} {given}", unit_id=found.term.id, remarks=tuple(remarks))


def _one_number(number: str, rest: str) -> str:
    """Return the quantity that a text such as `0.65 x 0.65 µm` or `25±1 °C` holds, if its unit is known."""
    match = re.fullmatch(r"(?:[x×*]\s*[\d.,]+\s*[^\W\d]*\s*)+|±\s*[\d.,]+\s*", rest[: -len(_last_word(rest))] or "")
    unit = _last_word(rest)
    return f"{number} {unit}" if match and resolve("uo", unit).term else ""


def _last_word(text: str) -> str:
    found = re.search(r"[^\s\d.,±x×]+$", text)
    return found[0] if found else " "


def _check_url(text: str) -> Checked:
    if _URL.fullmatch(text):
        return Checked(text)
    near = quote(text if "://" in text else f"https://{text}", safe=_URL_SIGNS)
    suggestion = near if _URL.fullmatch(near) else ""
    return Checked("", remarks=(Remark("error", "a web address that begins with https:// or http://", suggestion),))


def _check_doi(text: str) -> Checked:
    match = _DOI.fullmatch(text)
    if match:
        return Checked(match[1].rstrip(".,;"))
    inside = re.search(r"10\.\d{4,9}/[^\s?#]+", text)
    near = inside[0].rstrip(".,;") if inside else ""
    return Checked("", remarks=(Remark("error", "a DOI, as 10.1038/s41592-021-01166-8", near),))


def _check_ror(text: str) -> Checked:
    """Check the address of an organisation: six characters of Crockford's base 32 and two check digits.

    The digits are 98 - (number * 100 mod 97), by ISO/IEC 7064 MOD 97-10 (https://ror.readme.io/docs/identifier).
    """
    if text.casefold() in _NONE:
        return Checked("-")
    match = _ROR.fullmatch(re.sub(r"^ROR(?: id)?:\s*", "", text, flags=re.IGNORECASE))
    if match:
        code = match[1].lower()
        number = 0
        for letter in code[:-2]:
            number = number * 32 + _CROCKFORD.index(letter)
        if f"{98 - number * 100 % 97:02}" == code[-2:]:
            return Checked(f"https://ror.org/{code}")
    return Checked(
        "", remarks=(Remark("error", "a ROR, as https://ror.org/02catss52 (its last two are check digits)"),)
    )


def _check_email(text: str) -> Checked:
    """Check the form of an e-mail address: one @, and a domain with a dot."""
    if text.casefold() in _NONE:
        return Checked("-")
    text = text.removeprefix("mailto:").strip()
    if _EMAIL.fullmatch(text) and ".." not in text:
        return Checked(text)
    inside = _EMAIL.search(text)
    near = inside[0] if inside and ".." not in inside[0] else ""
    return Checked("", remarks=(Remark("error", "an e-mail address, as jane.doe@example.org", near),))


def _check_orcid(text: str) -> Checked:
    """Check an ORCID, whose last character is a check digit by ISO 7064 MOD 11-2."""
    if text.casefold() in _NONE:  # An author without ORCID still needs an entry in the list.
        return Checked("-")
    match = _ORCID.fullmatch(text.translate(_DASHES))
    if match:
        digits = re.sub("[- ]", "", match[1]).upper()
        total = 0
        for digit in digits[:-1]:
            total = (total + int(digit)) * 2
        if "0123456789X"[(12 - total % 11) % 11] == digits[-1]:
            return Checked(f"https://orcid.org/{'-'.join(digits[at : at + 4] for at in range(0, 16, 4))}")
    return Checked("", remarks=(Remark("error", "an ORCID, as 0000-0002-1825-0097 (the last digit is a check digit)"),))

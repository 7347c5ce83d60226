"""What the number format of a spreadsheet's cell adds to its number: percent, units, thousands (ECMA-376 18.8.31)."""

import re
from decimal import Decimal
from functools import cache

# Text in quotes, an escaped character, a colour or locale in brackets, a blank as wide as a character, a character that
# fills the cell, or any other character.
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|\[([^\]]*)\]|_.|\*.|(General)|(.)', re.DOTALL)
_CURRENCY = re.compile(r"\$([^-]+)(-.*)?")
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[\d.]+)")
_PADDED = re.compile(r"0{2,}")
_FRACTION = re.compile(r"[#0?]\s*/\s*[#?\d]")
_DIGITS = "0#?"


@cache
def _parts(section: str) -> tuple[str, str, int, int, bool]:
    """Return what one section shows: text before and after the number, counts of `%` and `,`, if there is a number."""
    before, after = "", ""
    percents = thousands = 0
    seen = False
    for quoted, escaped, bracket, general, other in _TOKEN.findall(section):
        text = quoted or escaped
        if bracket and (currency := _CURRENCY.fullmatch(bracket)):
            text = currency[1]
        if general or (other and other in _DIGITS):
            seen, thousands = True, 0
            continue
        if other == "," and seen and not after:
            # Commas after the last digit divide; between digits they group.
            thousands += 1
            continue
        if other in {".", "/", "E", "e", "+", "-"} and (seen or other in {".", "-"}) and not after:
            continue
        percents += other == "%"
        text += other
        if seen:
            after += text
        else:
            before += text
    return before, after, percents, thousands, seen


def shown_number(value: float, number_format: str) -> str | None:
    """Return a number with the unit or percent that only its format shows; None when the format adds nothing.

    All digits are kept, also those that the format rounds away; thousands are not grouped.

    Args:
        value: The number.
        number_format: The cell's format.

    >>> shown_number(0.15, "0%"), shown_number(25, '0" µM"'), shown_number(1234567, "#,##0")
    ('15%', '25 µM', None)
    >>> shown_number(7, "0000"), shown_number(5, '[>100]0" big";0" small"')
    ('0007', '5 small')
    """
    if _PADDED.fullmatch(number_format) and value >= 0 and float(value).is_integer():
        return str(int(value)).zfill(len(number_format))
    sections = _sections(number_format)
    section = _section(sections, value)
    before, after, percents, thousands, has_number = _parts(section)
    if not has_number:
        return before.strip() or None
    if _FRACTION.search(section) or not (before.strip() or after.strip() or percents or thousands):
        return None
    number = Decimal(repr(value)) * 100**percents / 1000**thousands
    # A section of its own for negative numbers shows its own sign, or brackets.
    own = value < 0 and section is not sections[0]
    number = abs(number) if own else number
    sign = "-" if own else ""
    before, after = before.replace("(", ""), after.replace(")", "")
    return f"{sign}{before}{_plain(number)}{after}".strip()


def _section(sections: list[str], value: float) -> str:
    """Return the section that shows a number: the first whose condition it meets, else that of its sign."""
    conditions = [_CONDITION.search("".join(re.findall(r"\[([^\]]*)\]", one))) for one in sections]
    if any(conditions):
        met = (one for one, condition in zip(sections, conditions, strict=True) if _meets(condition, value))
        return next(met, sections[-1])
    if value == 0 and len(sections) > 2:
        return sections[2]
    return sections[1] if value < 0 and len(sections) > 1 else sections[0]


def _meets(condition: re.Match[str] | None, value: float) -> bool:
    if not condition:
        return True
    limit = float(condition[2])
    return {
        "<": value < limit,
        ">": value > limit,
        "<=": value <= limit,
        ">=": value >= limit,
        "=": value == limit,
        "<>": value != limit,
    }[condition[1]]


def shown_text(text: str, number_format: str) -> str:
    """Return a text with what its format adds to it, such as a unit in `@" µM"`."""
    sections = _sections(number_format)
    section = sections[3] if len(sections) > 3 else next((one for one in sections if "@" in one), "@")
    added = "".join(
        text if other == "@" else quoted or escaped or other for quoted, escaped, _, _, other in _TOKEN.findall(section)
    )
    return added.strip() if text in added else text


@cache
def _sections(number_format: str) -> list[str]:
    """Split a format at its semicolons, those in quotes aside."""
    parts = re.split(r'("[^"]*"|\\.)|;', number_format)
    sections = [""]
    for position, part in enumerate(parts):
        if position % 2 and part is None:
            sections.append("")
        else:
            sections[-1] += part or ""
    return sections


def _plain(number: Decimal) -> str:
    """Return a number without exponent and without zeros at its end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

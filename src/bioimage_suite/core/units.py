"""The units of lengths and times, in the spellings of OME-XML, OME-Zarr and everybody else.

A unit inside the suite is a symbol of OME's schema (2016-06, the simple types `UnitsLength` and `UnitsTime`):
https://www.openmicroscopy.org/Schemas/Documentation/Generated/OME-2016-06/ome_xsd.html
OME-Zarr spells the units as UDUNITS-2 does: https://ngff.openmicroscopy.org/0.5/#axes-md
"""

from __future__ import annotations

import functools
import math
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Unit:
    """A unit of OME's schema.

    Attributes:
        symbol: How OME-XML writes it.
        factor: Micrometres, or seconds, in one; None where it has no physical extent (`pixel`).
        ngff: How OME-Zarr writes it, None where it has no such unit.
        spellings: How others write it.
    """

    symbol: str
    factor: Fraction | None
    ngff: str | None = None
    spellings: tuple[str, ...] = ()


# SI: symbol, name and power of ten (BIPM, The International System of Units, 9th edition, table 7).
PREFIXES = (
    ("Y", "yotta", 24), ("Z", "zetta", 21), ("E", "exa", 18), ("P", "peta", 15), ("T", "tera", 12), ("G", "giga", 9),
    ("M", "mega", 6), ("k", "kilo", 3), ("h", "hecto", 2), ("da", "deca", 1), ("", "", 0), ("d", "deci", -1),
    ("c", "centi", -2), ("m", "milli", -3), ("µ", "micro", -6), ("n", "nano", -9), ("p", "pico", -12),
    ("f", "femto", -15), ("a", "atto", -18), ("z", "zepto", -21), ("y", "yocto", -24),
)  # fmt: skip
NOT_IN_NGFF = ("decameter", "decasecond")

INCH = Fraction(25_400)  # in µm, by definition since 1959; point, thou, line, foot, yard and mile are its multiples
METRE = Fraction(10**6)
MEGABYTE = 1_000_000  # bytes


def _decimal_units(symbol: str, names: tuple[str, ...], factor: Fraction, short: tuple[str, ...]) -> Iterable[Unit]:
    """Yield all decimal multiples of a unit; the first of its names is that of OME-Zarr."""
    for letter, prefix, power in PREFIXES:
        name = prefix + names[0]
        letters = ("u", "µ") if letter == "µ" else (letter,)
        spellings = [f"{prefix}{one}{plural}" for one in names for plural in ("", "s")]
        spellings += [first + last for first in letters for last in (symbol, *short)]
        ngff = None if name in NOT_IN_NGFF else name
        yield Unit(letter + symbol, factor * Fraction(10) ** power, ngff, tuple(spellings))


LENGTHS: tuple[Unit, ...] = (
    *_decimal_units("m", ("meter", "metre"), METRE, ()),
    Unit("Å", METRE / 10**10, "angstrom", ("angstroms", "ångström", "ångströms", "ang", "A")),
    Unit("thou", INCH / 1000, None, ("mil", "mils")),
    Unit("li", INCH / 12, None, ("line", "lines")),
    Unit("in", INCH, "inch", ("inches", '"')),
    Unit("ft", INCH * 12, "foot", ("feet",)),
    Unit("yd", INCH * 36, "yard", ("yards",)),
    Unit("mi", INCH * 63_360, "mile", ("miles",)),
    Unit("ua", METRE * 149_597_870_700, None, ("au",)),  # IAU 2012, resolution B2
    Unit("ly", METRE * 9_460_730_472_580_800, None, ("lightyear", "lightyears")),
    Unit("pc", METRE * 30_856_775_814_913_673, "parsec", ("parsecs",)),
    Unit("pt", INCH / 72, None, ("point", "points")),
    Unit("pixel", None, None, ("pixels", "px", "pix")),
    Unit("reference frame", None, None, ("referenceframe",)),
)

TIMES: tuple[Unit, ...] = (
    *_decimal_units("s", ("second",), Fraction(1), ("sec", "secs")),
    Unit("min", Fraction(60), "minute", ("mins", "minutes")),
    Unit("h", Fraction(3600), "hour", ("hr", "hrs", "hours")),
    Unit("d", Fraction(86_400), "day", ("days",)),
)

# Words that are made like no other: of one µm, and what is left of the letter µ where a text was decoded wrong.
OTHER_SPELLINGS = {
    "µm": ("micron", "microns", "micra", "µ", "\\u00b5m", "\\u03bcm", "âµm", "î¼m"),
    "µs": ("\\u00b5s", "\\u03bcs", "âµs"),
}


def _clean(text: str) -> str:
    """Return one spelling for what looks the same: Unicode has two letters each for mu and for A with a ring."""
    one_letter = unicodedata.normalize("NFKC", text).replace("\N{GREEK SMALL LETTER MU}", "µ")
    return " ".join(one_letter.split()).strip(" .[]()")


class UnitTable:
    """The units of one kind, found by any spelling.

    Attributes:
        units: By OME's symbol.
    """

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units = {unit.symbol: unit for unit in units}

    @functools.cached_property
    def _spellings(self) -> tuple[dict[str, str], dict[str, str | None]]:
        """The symbol of each spelling, and of each in any case; None for one that then means two units.

        Made at the first use: most runs of tools ask for no unit.
        """
        exact: dict[str, str] = {}
        any_case: dict[str, str | None] = {}
        for unit in self.units.values():
            for spelling in (unit.symbol, unit.ngff or "", *unit.spellings, *OTHER_SPELLINGS.get(unit.symbol, ())):
                cleaned = _clean(spelling)
                exact.setdefault(cleaned, unit.symbol)
                if any_case.setdefault(cleaned.casefold(), unit.symbol) != unit.symbol:
                    any_case[cleaned.casefold()] = None
        return exact, any_case

    def symbol(self, text: str | None) -> str | None:
        """Return OME's symbol of a unit in whatever spelling (`micron`, `nanometers`, `msec`), None for no such unit.

        Upper and lower case count where they tell two units apart: `Mm` and `mm`.
        """
        cleaned = _clean(text or "")
        if not cleaned:
            return None
        exact, any_case = self._spellings
        return exact.get(cleaned) or any_case.get(cleaned.casefold())

    def ngff(self, text: str | None) -> str | None:
        """Return OME-Zarr's name of a unit in whatever spelling, None where it has none."""
        symbol = self.symbol(text)
        return self.units[symbol].ngff if symbol else None

    def amount(self, value: float, text: str | None) -> float | None:
        """Return a value in micrometres, or seconds, as exact as a float can be.

        Args:
            value: In the unit that `text` names.
            text: The unit, in whatever spelling.

        Returns:
            None where there is no such unit, where it has no physical extent, or where no float holds the result.
        """
        symbol = self.symbol(text)
        factor = self.units[symbol].factor if symbol else None
        if factor is None or not math.isfinite(value):
            return None
        try:
            return float(Fraction(value) * factor)
        except OverflowError:
            return None


DEFAULT_LENGTH, DEFAULT_TIME = "µm", "s"
"""Units that OME's schema means where a document gives none (PhysicalSizeXUnit, TimeIncrementUnit)."""
LENGTH = UnitTable(LENGTHS)
TIME = UnitTable(TIMES)


def micrometres(value: float, unit: str | None) -> float | None:
    """Return a length in µm; None where the unit is none of length (see `UnitTable.amount`)."""
    return LENGTH.amount(value, unit)


def seconds(value: float, unit: str | None) -> float | None:
    """Return a time in seconds; None where the unit is none of time (see `UnitTable.amount`)."""
    return TIME.amount(value, unit)

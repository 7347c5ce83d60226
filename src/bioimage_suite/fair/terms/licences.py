"""Licences: one address for all spellings, and the names that archives have for them."""

import re
from dataclasses import dataclass

from bioimage_suite.fair.terms.ontology_terms import load_terms, resolve

_CC_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)"
    r"(?:/([a-z]{2}))?(?:/(?:legalcode|deed)?(?:\.[\w-]+)?)?(?:[?#].*)?",
    re.IGNORECASE,
)
# The Open Source Initiative's addresses end in SPDX ids too.
_SPDX_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:spdx\.org/licenses|opensource\.org/licenses?)/([\w.+-]+?)(?:\.html|\.json)?/?",
    re.IGNORECASE,
)
_WORD = re.compile(r"cc0|[^\W\d_]+|\d(?:\.\d)?")
# Words of the names of Creative Commons' licences: the elements of a licence that they stand for, if any.
_CC_MARKS = {"cc": (), "creative": (), "commons": (), "attribution": ("by",), "cc0": ("zero",), "ccby": ("by",)}
_CC_ELEMENTS = {
    **{element: (element,) for element in ("by", "nc", "sa", "nd", "zero")},
    **dict.fromkeys(("noncommercial", "commercial"), ("nc",)),
    **dict.fromkeys(("sharealike", "alike"), ("sa",)),
    **dict.fromkeys(("noderivatives", "noderivs", "derivatives", "derivs"), ("nd",)),
}
_CC_FILLING = {
    *("licence", "license", "international", "universal", "unported", "generic", "public", "domain", "dedication"),
    *("the", "a", "under", "v", "version", "non", "no", "share", "deed"),
}
_VERSIONS = {"1.0", "2.0", "2.5", "3.0", "4.0"}


@dataclass(frozen=True)
class Licence:
    """A licence: its address, its full name, its names in the BioImage Archive, IDR and Zenodo, and its SPDX id.

    A licence that archives of images do not know is called by its address; it has no SPDX id.
    """

    address: str
    name: str
    bia: str
    idr: str
    zenodo: str
    spdx: str = ""


_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
_CC_BY = "https://creativecommons.org/licenses/by/4.0/"
_KNOWN = {
    _CC0: Licence(_CC0, "CC0 1.0 Universal", "CC0", "CC0 1.0", "cc-zero", "CC0-1.0"),
    _CC_BY: Licence(_CC_BY, "CC BY 4.0", "CC BY 4.0", "CC BY 4.0", "cc-by-4.0", "CC-BY-4.0"),
}
OF_ARCHIVES = frozenset(_KNOWN)
"""Addresses of the licences that the BioImage Archive takes (bia-rembi-models 1.5.2)."""


def licence_at(address: str) -> Licence:
    """Return the licence with this address, in any spelling of it."""
    address = normal_licence(address)
    known = _KNOWN.get(address)
    if known:
        return known
    name, spdx = licence_name(address), _spdx(address)
    return Licence(address, name, name, name, spdx.lower() or address, spdx)


def licence_name(address: str) -> str:
    """Return the short name of the licence with a normal address, such as `CC BY-SA 4.0`; else the address."""
    term = next((term for term in load_terms("licenses") if term.id == address), None)
    if term:
        return term.label
    match = _CC_ADDRESS.fullmatch(address)
    if not match:
        return address
    kind = "Public Domain Mark" if match[1] == "mark" else f"CC {match[1].upper()}"
    return " ".join(filter(None, (kind, match[2], (match[3] or "").upper())))


def _spdx(address: str) -> str:
    """Return the SPDX id (list 3.29) of a normal address; Creative Commons' ids follow from their addresses."""
    match = _SPDX_ADDRESS.fullmatch(address)
    if match:
        return match[1]
    match = _CC_ADDRESS.fullmatch(address)
    # Few of the licences that were adapted to a country have an id.
    if not match or match[3]:
        return ""
    code = {"zero": "CC0", "mark": "CC-PDM"}.get(match[1]) or f"CC-{match[1].upper()}"
    return f"{code}-{match[2]}"


def normal_licence(text: str) -> str:
    """Normalise the spellings of a licence to one address; other text is returned unchanged.

    >>> normal_licence("CC0"), normal_licence("cc-by 4.0")
    ('https://creativecommons.org/publicdomain/zero/1.0/', 'https://creativecommons.org/licenses/by/4.0/')
    >>> normal_licence("http://creativecommons.org/licenses/by-nc-sa/4.0/legalcode")
    'https://creativecommons.org/licenses/by-nc-sa/4.0/'
    """
    text = text.strip()
    return find_licence(text) or text


def find_licence(text: str) -> str:
    """Return the address of the licence that a text names, or empty text.

    A name of Creative Commons without a version means the newest version.
    """
    text = " ".join(text.split())
    match = _CC_ADDRESS.fullmatch(text)
    if match:
        return _cc_address(match[1].lower(), match[2], (match[3] or "").lower())
    match = _SPDX_ADDRESS.fullmatch(text)
    term = resolve("licenses", match[1] if match else text).term
    return term.id if term else _named_cc(match[1] if match else text)


def _cc_address(code: str, version: str, country: str = "") -> str:
    # Some search services write licenses/zero, which does not exist, for the CC0 public domain dedication.
    kind = "publicdomain" if code in {"zero", "mark"} else "licenses"
    return f"https://creativecommons.org/{kind}/{code}/{version}/" + (f"{country}/" if country else "")


def _named_cc(text: str) -> str:
    """Return the address of a licence of Creative Commons that a text names with these words alone."""
    elements: set[str] = set()
    versions: set[str] = set()
    marked = False
    for word in _WORD.findall(text.casefold()):
        marked |= word in _CC_MARKS
        if word[0].isdecimal():
            versions.add(word if "." in word else f"{word}.0")
        elif word in _CC_MARKS or word in _CC_ELEMENTS:
            elements |= set((_CC_MARKS | _CC_ELEMENTS)[word])
        elif word not in _CC_FILLING:
            return ""
    zero = elements == {"zero"}
    valid = {"1.0"} if zero else _VERSIONS
    if not marked or len(versions) > 1 or not versions <= valid or not (zero or "by" in elements):
        return ""
    if ("zero" in elements and not zero) or {"sa", "nd"} <= elements:
        return ""
    code = "-".join(element for element in ("zero", "by", "nc", "sa", "nd") if element in elements)
    return _cc_address(code, next(iter(versions), "1.0" if zero else "4.0"))

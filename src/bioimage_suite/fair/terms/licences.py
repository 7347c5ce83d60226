"""Licences: one address for all spellings, and the names that archives have for the usual ones."""

import re
from dataclasses import dataclass

from bioimage_suite.fair.terms.ontology_terms import resolve

_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)", re.IGNORECASE)
_SHORT_LICENCE = re.compile(r"CC[ _-]?(BY(?:[ _-](?:NC|SA|ND))*)(?:[ _-](\d\.\d))?", re.IGNORECASE)


@dataclass(frozen=True)
class Licence:
    """A licence: its address, its full name, and its names in the BioImage Archive, IDR and Zenodo."""

    address: str
    name: str
    bia: str
    idr: str
    zenodo: str


_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
_CC_BY = "https://creativecommons.org/licenses/by/4.0/"
_KNOWN = {
    _CC0: Licence(_CC0, "CC0 1.0 Universal", "CC0", "CC0 1.0", "cc-zero"),
    _CC_BY: Licence(_CC_BY, "CC BY 4.0", "CC BY 4.0", "CC BY 4.0", "cc-by-4.0"),
}


def licence_at(address: str) -> Licence:
    """Return the licence with this address; one that archives of images do not take is called by its address."""
    return _KNOWN.get(normal_licence(address)) or Licence(*[address] * 5)


def normal_licence(text: str) -> str:
    """Normalise the spellings of a licence to one address; other text is returned unchanged.

    >>> normal_licence("CC0"), normal_licence("cc-by 4.0")
    ('https://creativecommons.org/publicdomain/zero/1.0/', 'https://creativecommons.org/licenses/by/4.0/')
    >>> normal_licence("http://creativecommons.org/licenses/by-nc-sa/4.0/legalcode")
    'https://creativecommons.org/licenses/by-nc-sa/4.0/'
    """
    text = text.strip()
    address = _CREATIVE_COMMONS.search(text)
    if address:
        kind, name, version = (part.lower() for part in address.groups())
        # Some search services write licenses/zero, which does not exist, for the CC0 public domain dedication.
        kind = "publicdomain" if name == "zero" else kind
        return f"https://creativecommons.org/{kind}/{name}/{version}/"
    term = resolve("licenses", text).term
    if term:
        return term.id
    short = _SHORT_LICENCE.fullmatch(text)
    if short:
        parts = "-".join(re.split(r"[ _-]", short[1].lower()))
        return f"https://creativecommons.org/licenses/{parts}/{short[2] or '4.0'}/"
    return text

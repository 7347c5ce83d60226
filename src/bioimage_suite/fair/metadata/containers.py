"""Which dataset, plate or well an image lies in, so that what is said of a container holds for its own images only."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bioimage_suite.fair.metadata.image_facts import ImageFacts

CONTAINER_KINDS = ("project", "screen", "dataset", "plate", "well")
"""OMERO's containers of images, the widest first: what is said of a narrower one wins."""
# Columns and keys by which an image says its container: `Plate`, `plate_name`, `Plate ID`.
_PARENT_KEY = re.compile(rf"({'|'.join(CONTAINER_KINDS)})[ _]?(name|id)?", re.IGNORECASE)
# A well's label: `A1` and `A01` are one well.
_WELL = re.compile(r"([A-Za-z]{1,2})0*(\d+)")

Container = tuple[str, str, str]
"""Kind, OMERO's id and name; id or name may be empty. A well's name may begin with its plate's: `P1/A1`."""
Parents = Mapping[str, frozenset[str]]
"""By kind what an image says of its containers: a name, or an id as `#12`."""


def parents_of(image: ImageFacts, pairs: Iterable[tuple[str, str]] = ()) -> Parents:
    """Return the containers that an image's own key-value pairs name, such as `Plate: P1` and `well_id: 12`.

    Args:
        image: The image with its key-value pairs.
        pairs: Further (key, value) of the image, from its rows in a table of metadata.
    """
    found: dict[str, set[str]] = {}
    for key, value in (*image.key_values, *pairs):
        match = _PARENT_KEY.fullmatch(key)
        if match:
            kind, by_id = match[1].casefold(), (match[2] or "").casefold() == "id"
            found.setdefault(kind, set()).add(f"#{value}" if by_id else _plain(kind, value))
    return {kind: frozenset(names) for kind, names in found.items()}


def _plain(kind: str, name: str) -> str:
    """Return a name as it is compared: a well's label without zeros before its column."""
    if kind != "well":
        return name
    plate, slash, label = name.rpartition("/")
    match = _WELL.fullmatch(label)
    return f"{plate}{slash}{match[1].upper()}{match[2]}" if match else name


@dataclass(frozen=True)
class Containers:
    """The containers that a table of metadata has rows about.

    Attributes:
        by_kind: Containers of each kind in the order of the table.
        by_name: Containers of each (kind, name) or (kind, `#id`).
    """

    by_kind: Mapping[str, Sequence[Container]]
    by_name: Mapping[tuple[str, str], Sequence[Container]]

    def of_image(self, parents: Parents) -> list[Container]:
        """Return the containers of an image, the widest first.

        An image that does not say its container of a kind lies in the only one that the table has of it; of several
        it lies in none, see `unsaid`. No image lies in a well that it does not name.
        """
        found: list[Container] = []
        for kind, known in self.by_kind.items():
            if kind in parents:
                names = sorted(_with_plates(kind, parents))
                found += dict.fromkeys(one for name in names for one in self.by_name.get((kind, name), ()))
            elif kind != "well" and len(known) == 1:
                found += known
        return found

    def unsaid(self, parents: Parents) -> list[str]:
        """Return the kinds of which the table has several containers and an image does not say its own."""
        return [kind for kind, known in self.by_kind.items() if kind not in parents and kind != "well" and known[1:]]


def _with_plates(kind: str, parents: Parents) -> set[str]:
    """Return an image's names of a container; a well is also called by its plate and label."""
    names = set(parents[kind])
    if kind == "well":
        names |= {f"{plate}/{well}" for plate in parents.get("plate", ()) for well in parents[kind]}
    return names


def collect_containers(objects: Iterable[Container]) -> Containers:
    """Index containers by kind, name and id; each is named once."""
    distinct = dict.fromkeys(objects)
    by_kind: dict[str, list[Container]] = {kind: [] for kind in CONTAINER_KINDS}
    by_name: dict[tuple[str, str], list[Container]] = {}
    for one in distinct:
        kind, identifier, name = one
        by_kind[kind].append(one)
        for text in {f"#{identifier}" if identifier else "", _plain(kind, name)} - {""}:
            by_name.setdefault((kind, text), []).append(one)
    return Containers({kind: known for kind, known in by_kind.items() if known}, by_name)

"""Ids by class of the objects that a run made or found in OMERO, so that they can be undone or replaced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class MadeObjects:
    """Ids of the objects that a run has made so far, by class."""

    ids: dict[str, list[int]] = field(default_factory=dict)

    def add(self, kind: str, ids: Sequence[int]) -> None:
        """Add ids of a class."""
        self.ids.setdefault(kind, []).extend(ids)


def merge_ids(groups: Iterable[Mapping[str, Sequence[int]]]) -> dict[str, list[int]]:
    """Merge several sets of ids by class, so that one transaction deletes all of them."""
    merged: dict[str, list[int]] = {}
    for group in groups:
        for kind, ids in group.items():
            merged.setdefault(kind, []).extend(ids)
    return merged

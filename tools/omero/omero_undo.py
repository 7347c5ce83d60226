"""What a run made or found in OMERO, as ids by class: so that it can be undone or replaced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class MadeObjects:
    """Ids of what a run has made so far, by class."""

    ids: dict[str, list[int]] = field(default_factory=dict)

    def add(self, kind: str, ids: Sequence[int]) -> None:
        """Remember ids of a class."""
        self.ids.setdefault(kind, []).extend(ids)


def merge_ids(groups: Iterable[Mapping[str, Sequence[int]]]) -> dict[str, list[int]]:
    """Join several sets of ids by class to one, so that one transaction deletes them all."""
    merged: dict[str, list[int]] = {}
    for group in groups:
        for kind, ids in group.items():
            merged.setdefault(kind, []).extend(ids)
    return merged

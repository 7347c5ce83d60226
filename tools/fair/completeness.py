"""Count how complete metadata is: REMBI and MIFA by module, NBO-Q by tier; for each image and for the dataset.

An NBO-Q tier is reached when every required field of it and of the tiers below is there. NBO-Q (4DN-BINA-OME,
Hammer 2021, doi 10.1038/s41592-021-01327-9) gives tiers and required fields; the tiers' percentages are filled
fields / fields that apply, where a field with several places (channels, planes) counts by its filled places.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from image_facts import ImageFacts
from image_list import known_values
from metadata_fields import FIELDS_FOLDER, Field, all_fields, find_field
from metadata_table import ObjectValues

TIERS = (1, 2, 3)
_TRANSMITTED = {
    "brightfield",
    "phase",
    "dic",
    "hoffmanmodulation",
    "obliqueillumination",
    "polarizedlight",
    "darkfield",
}


@dataclass(frozen=True)
class Quality:
    """One field of NBO-Q, in OME's names. `applies` says to which images: see `applies_to`."""

    element: str
    field: str
    tier: int
    level: str
    applies: str
    question: str

    @property
    def name(self) -> str:
        """As `Objective.LensNA`."""
        return f"{self.element}.{self.field}"


@dataclass(frozen=True)
class Item:
    """One field of any standard as it stands for one image: `share` is 1 when it is there, 0 when not.

    `group` is a REMBI or MIFA module, or `NBO-Q tier 1`.
    """

    standard: str
    group: str
    name: str
    level: str
    question: str
    share: float


# Ten thousand images have the same few hundred different items: each is made once.
_item = cache(Item)


@cache
def load_quality() -> tuple[Quality, ...]:
    """Read NBO-Q's fields."""
    with (FIELDS_FOLDER / "nbo_q.tsv").open(encoding="utf-8", newline="") as stream:
        found = [
            Quality(row["element"], row["field"], int(row["tier"]), row["level"], row["applies"], row["question"])
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]
    return tuple(sorted(found, key=lambda quality: quality.tier))


def applies_to(quality: Quality, image: ImageFacts) -> bool:
    """Tell whether a field applies: `stack` to z-stacks, `time` to series, `fluorescence` unless light is transmitted.

    `live` (the sample's environment) applies to time series: a fixed sample has no climate to keep (own choice).
    """
    if quality.applies == "stack":
        return image.first("Pixels.SizeZ") not in {"", "1"}
    if quality.applies in {"time", "live"}:
        return image.first("Pixels.SizeT") not in {"", "1"}
    if quality.applies == "fluorescence":
        contrast = image.first("Channel.ContrastMethod").casefold()
        return image.first("Channel.IlluminationType") != "Transmitted" and contrast not in _TRANSMITTED
    return True


def image_items(image: ImageFacts, objects: ObjectValues, standards: Iterable[str]) -> list[Item]:
    """Every field of the standards (`rembi`, `mifa`, `nbo-q`) with its share for one image."""
    values = set(objects.of_image(image)) | set(known_values(image))
    values |= {field.key for key, _ in image.key_values if (field := find_field(key))}
    modules = {key.partition(".")[0] for key in values}
    chosen = tuple(standards)
    items = [
        _item(
            field.standard,
            field.module,
            field.header,
            _level(field, modules),
            field.question,
            float(field.key in values),
        )
        for field in all_fields()
        if field.standard in chosen
    ]
    if "nbo-q" in chosen:
        items += [
            _item(
                "nbo-q",
                f"NBO-Q tier {quality.tier}",
                quality.name,
                quality.level,
                quality.question,
                _share(quality, image),
            )
            for quality in load_quality()
            if applies_to(quality, image)
        ]
    return items


def _level(field: Field, modules: set[str]) -> str:
    """A conditional field is required once its module has any value."""
    if field.level != "conditional":
        return field.level
    return "required" if field.key.partition(".")[0] in modules else "optional"


def _share(quality: Quality, image: ImageFacts) -> float:
    found = image.fields.get(quality.name)
    if not found or not found.places:
        return 0.0
    return found.filled / found.places


def group_shares(items: Iterable[Item]) -> dict[str, float]:
    """Mean share of each module or tier over its fields that are not optional; a group of only such ones counts all.

    An NBO-Q tier counts optional fields too: above tier 1 it has hardly others.
    """
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(item)
    shares: dict[str, float] = {}
    for group, members in groups.items():
        counted = [item.share for item in members if item.level != "optional" or item.standard == "nbo-q"]
        counted = counted or [item.share for item in members]
        shares[group] = sum(counted) / len(counted)
    return shares


def tier_reached(items: Iterable[Item]) -> int:
    """The highest NBO-Q tier whose required fields, and those of the tiers below, are all there; 0 for none."""
    lacking = [
        int(item.group[-1])
        for item in items
        if item.standard == "nbo-q" and item.level == "required" and item.share < 1
    ]
    return min(lacking, default=len(TIERS) + 1) - 1


@dataclass(frozen=True)
class FieldSummary:
    """One field over the dataset: in how many of the images that it applies to it is there in full."""

    standard: str
    group: str
    name: str
    level: str
    question: str
    present: int
    applicable: int


def dataset_summary(items_of_images: Sequence[Sequence[Item]]) -> list[FieldSummary]:
    """Sum up over all images, in the standards' order."""
    present: dict[tuple[str, str], int] = {}
    applicable: dict[tuple[str, str], int] = {}
    first: dict[tuple[str, str], Item] = {}
    for items in items_of_images:
        for item in items:
            key = (item.standard, item.name)
            known = first.setdefault(key, item)
            if item.level == "required" and known.level != "required":
                first[key] = item
            present[key] = present.get(key, 0) + (item.share == 1)
            applicable[key] = applicable.get(key, 0) + 1
    return [
        FieldSummary(item.standard, item.group, item.name, item.level, item.question, present[key], applicable[key])
        for key, item in first.items()
    ]

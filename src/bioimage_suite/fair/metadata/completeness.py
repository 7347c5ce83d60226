"""Completeness of metadata per image and per dataset: REMBI and MIFA by module, NBO-Q by tier.

An NBO-Q tier is reached when every required field of it and of the tiers below is filled. NBO-Q (4DN-BINA-OME,
Hammer 2021, doi 10.1038/s41592-021-01327-9) defines tiers and required fields. A tier's percentage is filled fields /
applicable fields, where a field with several places (channels, planes) counts by its share of filled places.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from bioimage_suite.fair.metadata.fields import FIELDS_FOLDER, MetadataField, all_fields, find_field
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import known_values
from bioimage_suite.fair.metadata.table import ObjectValues
from bioimage_suite.tables.delimited import shipped_rows

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
    """One field of NBO-Q, in OME's names. `applies` restricts it to some images: see `applies_to`."""

    element: str
    field: str
    tier: int
    level: str
    applies: str
    question: str

    @property
    def name(self) -> str:
        """Its full name, such as `Objective.LensNA`."""
        return f"{self.element}.{self.field}"


@dataclass(frozen=True)
class Item:
    """One field of any standard for one image: `share` is 1 when it is filled, 0 when it is not.

    `group` is a REMBI or MIFA module, or `NBO-Q tier 1`.
    """

    standard: str
    group: str
    name: str
    level: str
    question: str
    share: float


# Ten thousand images share a few hundred distinct items: each is made once.
_item = cache(Item)


@cache
def load_quality() -> tuple[Quality, ...]:
    """Read NBO-Q's fields."""
    found = [
        Quality(row["element"], row["field"], int(row["tier"]), row["level"], row["applies"], row["question"])
        for row in shipped_rows(FIELDS_FOLDER / "nbo_q.tsv")
    ]
    return tuple(sorted(found, key=lambda quality: quality.tier))


def applies_to(quality: Quality, image: ImageFacts) -> bool:
    """Return whether a field applies to an image.

    `stack` applies to z-stacks, `time` to time series, `fluorescence` unless the light is transmitted. `live` (the
    sample's environment) applies to time series, because a fixed sample needs no controlled environment (own choice).
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
    """List every field of the standards (`rembi`, `mifa`, `nbo-q`) with its share for one image."""
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


def _level(field: MetadataField, modules: set[str]) -> str:
    """Return the level of a field; a conditional field is required once its module has any value."""
    if field.level != "conditional":
        return field.level
    return "required" if field.key.partition(".")[0] in modules else "optional"


def _share(quality: Quality, image: ImageFacts) -> float:
    found = image.fields.get(quality.name)
    if not found or not found.places:
        return 0.0
    return found.filled / found.places


def group_shares(items: Iterable[Item]) -> dict[str, float]:
    """Return the mean share of each module or tier.

    Optional fields are left out, except in a group that has no others and in NBO-Q tiers, where nearly all fields
    above tier 1 are optional.
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
    """Return the highest NBO-Q tier whose required fields, and those of the tiers below, are all filled; 0 for none."""
    lacking = [
        int(item.group[-1])
        for item in items
        if item.standard == "nbo-q" and item.level == "required" and item.share < 1
    ]
    return min(lacking, default=len(TIERS) + 1) - 1


@dataclass(frozen=True)
class FieldSummary:
    """One field over the dataset: the numbers of images that it applies to and that have it completely filled."""

    standard: str
    group: str
    name: str
    level: str
    question: str
    present: int
    applicable: int


def dataset_summary(items_of_images: Sequence[Sequence[Item]]) -> list[FieldSummary]:
    """Count each field over all images, in the order of the standards."""
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

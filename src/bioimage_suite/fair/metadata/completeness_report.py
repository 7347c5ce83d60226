"""Completeness of metadata as tables of images and of fields, and as an HTML page with questions to a person."""

from collections.abc import Sequence
from pathlib import Path

from bioimage_suite.core.html import Cell, Markup, ReportPage, heat, meter, paragraph, section, table
from bioimage_suite.core.texts import first_names
from bioimage_suite.fair.metadata.completeness import FieldSummary, Item, group_shares, tier_reached
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.tables.writer import write_tsv

# Images with the same pattern share a row of the heat map; a page with more rows is hard to read.
_HEAT_ROWS = 100
_NAMED = 3


def write_image_table(path: Path, images: Sequence[ImageFacts], items: Sequence[Sequence[Item]]) -> None:
    """Write one row per image: share of each module and tier in percent, and the NBO-Q tier reached."""
    groups = list(dict.fromkeys(item.group for row in items for item in row))
    with_tier = any(item.standard == "nbo-q" for row in items for item in row)
    rows = []
    for image, row in zip(images, items, strict=True):
        shares = group_shares(row)
        cells = [f"{shares[group] * 100:.0f}" if group in shares else "" for group in groups]
        rows.append([image.image_id, image.name, *cells, *([tier_reached(row)] if with_tier else [])])
    tier = ["nbo_q_tier"] if with_tier else []
    write_tsv(path, ["image_id", "image", *(f"{group} (%)" for group in groups), *tier], rows)


def write_field_table(path: Path, fields: Sequence[FieldSummary]) -> None:
    """Write one row per field: the number of images that have it, and of those that it applies to."""
    rows = ((f.standard, f.group, f.name, f.level, f.present, f.applicable, f.question) for f in fields)
    write_tsv(path, ["standard", "group", "field", "level", "present", "applicable", "question"], rows)


def report_page(
    images: Sequence[ImageFacts], items: Sequence[Sequence[Item]], fields: Sequence[FieldSummary]
) -> ReportPage:
    """Return the report: summary, questions, heat map, all fields."""
    parts = (_summary(images, items), _questions(fields), _heat_map(images, items), _field_table(fields))
    return ReportPage("Metadata completeness", parts)


def _summary(images: Sequence[ImageFacts], items: Sequence[Sequence[Item]]) -> Markup:
    sums: dict[str, list[float]] = {}
    for row in items:
        for group, share in group_shares(row).items():
            sums.setdefault(group, []).append(share)
    rows: list[Sequence[Cell]] = [[group, meter(sum(shares) / len(shares))] for group, shares in sums.items()]
    parts = [paragraph(f"{len(images):,} images."), table(["Module or tier", "Complete (mean over the images)"], rows)]
    if any(item.standard == "nbo-q" for item in items[0]):
        tiers = [tier_reached(row) for row in items]
        counts = ", ".join(f"tier {tier}: {tiers.count(tier):,}" for tier in sorted(set(tiers)))
        parts.append(paragraph(f"Images by NBO-Q tier reached: {counts} (tier 0: less than the minimum)."))
    return section("Dataset", *parts)


def _questions(fields: Sequence[FieldSummary]) -> Markup:
    lacking = [
        field for field in fields if field.level in {"required", "recommended"} and field.present < field.applicable
    ]
    lacking.sort(key=lambda field: (field.level != "required", field.present / field.applicable))
    if not lacking:
        return section(
            "What to ask the microscopist for", paragraph("Nothing: all required and recommended fields are filled.")
        )
    rows: list[Sequence[Cell]] = [
        [field.question, field.name, field.level, f"{field.applicable - field.present:,} of {field.applicable:,}"]
        for field in lacking
    ]
    return section("What to ask the microscopist for", table(["Question", "Field", "Level", "Missing in images"], rows))


def _heat_map(images: Sequence[ImageFacts], items: Sequence[Sequence[Item]]) -> Markup:
    groups = list(dict.fromkeys(item.group for row in items for item in row))
    patterns: dict[tuple[float | None, ...], list[str]] = {}
    for image, row in zip(images, items, strict=True):
        shares = group_shares(row)
        patterns.setdefault(tuple(shares.get(group) for group in groups), []).append(image.name)
    ordered = sorted(patterns.items(), key=lambda pattern: sum(share or 0 for share in pattern[0]))
    rows: list[Sequence[Cell]] = [
        [first_names(names, _NAMED), *("" if share is None else heat(share) for share in shares)]
        for shares, names in ordered[:_HEAT_ROWS]
    ]
    more = len(ordered) - _HEAT_ROWS
    notes = [paragraph("Equally complete images share a row; the least complete ones come first.")]
    if more > 0:
        notes.append(paragraph(f"{more:,} more patterns are in the table of images."))
    return section("Heat map", *notes, table(["Images", *groups], rows))


def _field_table(fields: Sequence[FieldSummary]) -> Markup:
    rows: list[Sequence[Cell]] = [
        [
            field.group,
            field.name,
            field.level,
            heat(field.present / field.applicable),
            f"{field.present:,} of {field.applicable:,}",
        ]
        for field in fields
    ]
    return section("All fields", table(["Module or tier", "Field", "Level", "There", "Images"], rows))

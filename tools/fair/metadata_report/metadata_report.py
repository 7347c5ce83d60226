"""Report how complete a dataset's metadata is, and what to ask the microscopist for."""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.html_report import Cell, Markup, heat, meter, page, paragraph, percent, section, table
from bioimage_suite.core.tool import run_tool
from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.completeness import (
    FieldSummary,
    Item,
    dataset_summary,
    group_shares,
    image_items,
    tier_reached,
)
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import load_images
from bioimage_suite.fair.metadata.table import (
    MetadataValue,
    by_object,
    images_of,
    is_metadata_table,
    read_metadata_table,
)
from bioimage_suite.tables.key_value_dialects import read_key_values
from bioimage_suite.tables.reader import spreadsheet_safe

STANDARDS = ("rembi", "mifa", "nbo-q")
# Images with the same pattern share a row of the heat map; a page with more rows is hard to read.
_HEAT_ROWS = 100
_NAMED = 3


def read_values(path: Path, name: str) -> tuple[MetadataValue, ...]:
    """Read a normalised table, or key-value pairs of any dialect; `validate_metadata` reports their errors."""
    if is_metadata_table(path):
        return tuple(read_metadata_table(path, name))
    return validate([read_key_values(path, name)], (), ()).values


def write_image_table(path: Path, images: Sequence[ImageFacts], items: Sequence[Sequence[Item]]) -> None:
    """Write one row per image: share of each module and tier in percent, and the NBO-Q tier reached."""
    groups = list(dict.fromkeys(item.group for row in items for item in row))
    with_tier = any(item.standard == "nbo-q" for row in items for item in row)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        tier = ["nbo_q_tier"] if with_tier else []
        writer.writerow(["image_id", "image", *(f"{group} (%)" for group in groups), *tier])
        for image, row in zip(images, items, strict=True):
            shares = group_shares(row)
            cells = [f"{shares[group] * 100:.0f}" if group in shares else "" for group in groups]
            reached = [str(tier_reached(row))] if with_tier else []
            writer.writerow([image.image_id, spreadsheet_safe(image.name), *cells, *reached])


def write_field_table(path: Path, fields: Sequence[FieldSummary]) -> None:
    """Write one row per field: the number of images that have it, and of those that it applies to."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(["standard", "group", "field", "level", "present", "applicable", "question"])
        for field in fields:
            writer.writerow(
                [field.standard, field.group, field.name, field.level, field.present, field.applicable, field.question]
            )


def report_page(images: Sequence[ImageFacts], items: Sequence[Sequence[Item]], fields: Sequence[FieldSummary]) -> str:
    """Return the HTML page: summary, questions, heat map, all fields."""
    return page(
        "Metadata completeness",
        _summary(images, items),
        _questions(fields),
        _heat_map(images, items),
        _field_table(fields),
    )


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
        [_names(names), *("" if share is None else heat(share) for share in shares)]
        for shares, names in ordered[:_HEAT_ROWS]
    ]
    more = len(ordered) - _HEAT_ROWS
    notes = [paragraph("Equally complete images share a row; the least complete ones come first.")]
    if more > 0:
        notes.append(paragraph(f"{more:,} more patterns are in the table of images."))
    return section("Heat map", *notes, table(["Images", *groups], rows))


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED:,} more"


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


def main() -> int:
    """Parse the command line, read, count, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help='JSON list of {"path", "name"} of OME-TIFF images')
    parser.add_argument("--image-table", type=Path, help="tabular file of images (image_id or image_name)")
    parser.add_argument("--metadata", type=Path, help="table of validate_metadata, or key-values of any dialect")
    parser.add_argument("--metadata-name", default="metadata")
    parser.add_argument("--standards", default=",".join(STANDARDS))
    parser.add_argument("--image-completeness", type=Path, required=True)
    parser.add_argument("--field-completeness", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    args = parse_arguments(parser)
    standards = [standard for standard in args.standards.split(",") if standard]
    if not standards or set(standards) - set(STANDARDS):
        raise UserError(f"standards {args.standards}: choose at least one of {', '.join(STANDARDS)}.")
    values = read_values(args.metadata, args.metadata_name) if args.metadata else ()
    images = load_images(args.images, args.image_table) or images_of(values)
    if not images:
        raise UserError("images: there are none. Give images, a table of images, or metadata that names images.")
    objects = by_object(values)
    items = [image_items(image, objects, standards) for image in images]
    fields = dataset_summary(items)
    write_image_table(args.image_completeness, images, items)
    write_field_table(args.field_completeness, fields)
    args.report.write_text(report_page(images, items, fields), encoding="utf-8")
    shares = [share for row in items for share in group_shares(row).values()]
    print(f"{len(images):,} images, mean completeness of modules and tiers {percent(sum(shares) / len(shares))}")
    return 0


if __name__ == "__main__":
    run_tool(main)

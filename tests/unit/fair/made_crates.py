"""A study of two images, its crates, and how to find one's way in them."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from bioimage_suite.fair.metadata.image_facts import read_images
from bioimage_suite.fair.metadata.table import MetadataValue, read_metadata_table
from bioimage_suite.fair.products.package import (
    make_package,
    read_study,
)
from bioimage_suite.fair.products.run_provenance import read_workflow_run
from bioimage_suite.fair.products.study import Study
from bioimage_suite.tables.sheets import Finding

DATA = Path(__file__).resolve().parents[3] / "test-data" / "fair"
NAMES = ["cells_a.ome.tiff", "cells_b.ome.tiff"]
FILES = [(DATA / name, name) for name in NAMES]
VALUES = read_metadata_table(DATA / "metadata.tsv", "metadata")


def study(product: str, values: list[MetadataValue] = VALUES, annotations: bool = True) -> Study:
    results = [(DATA / "image_table.tsv", "cells_a.tsv")]
    made = FILES[:1] if annotations else []
    return read_study(values, list(read_images(FILES)), files=FILES, annotations=made, results=results, product=product)


def crate(product: str) -> dict[str, Any]:
    """A crate of one's own to break."""
    made: dict[str, Any] = json.loads(_crate_text(product))
    return made


@cache
def _crate_text(product: str) -> str:
    run = read_workflow_run(DATA / "workflow_run.crate.zip", "run") if product == "general" else None
    document = make_package(product, study(product), run=run).crate
    assert document is not None
    return json.dumps(document)


def errors(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "error"]


def entity(document: dict[str, Any], identifier: str) -> dict[str, Any]:
    return next(part for part in document["@graph"] if part["@id"] == identifier)


def root(document: dict[str, Any]) -> dict[str, Any]:
    return entity(document, entity(document, "ro-crate-metadata.json")["about"]["@id"])


def of_type(document: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    for part in document["@graph"]:
        if kind in (part["@type"] if isinstance(part["@type"], list) else [part["@type"]]):
            yield part


def value(kind: str, name: str, field: str, key: str, text: str) -> MetadataValue:
    return MetadataValue(kind, "", name, field, key, text, "", "", text, "", "t", 1, "A")

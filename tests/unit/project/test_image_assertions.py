"""What tests of tools and workflows say of images can fail: counts leave the background out, pixels are the same.

Galaxy 26.1.2: `has_image_n_labels` counts 0 as a label and passes everything without a number; `image_diff` lets
unsigned numbers wrap around and NaN pass; by overlap (`iou`) it takes all as one object without pinned labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import yaml

from scripts.suite_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOOLS = sorted((ROOT / "tools").glob("*/*/*.xml"))
WORKFLOWS = sorted((ROOT / "workflows").glob("*/*-tests.yml"))


def faults(word: str, said: dict[str, object]) -> Iterator[str]:
    """Yield what is wrong with an assertion or an output of a test."""
    if word == "has_image_n_labels":
        if not {"n", "min", "max"} & said.keys():
            yield "counts without a number"
        if str(said.get("exclude_labels", "")).strip("[] ") != "0":
            yield "counts the background"
    if said.get("compare") == "image_diff" and (said.get("metric") != "iou" or str(said.get("pin_labels")) != "0"):
        yield "compares by a difference, which NaN and unsigned numbers pass"


def said_in(tree: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield every name of a YAML document that has a mapping."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if isinstance(value, dict):
            yield str(value.get("that", key)), value
        yield from said_in(value)


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: path.stem)
def test_assertions_of_tools(path: Path):
    elements = ET.parse(path).iter()
    assert [(one.tag, fault) for one in elements for fault in faults(str(one.tag), dict(one.attrib))] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_assertions_of_workflows(path: Path):
    tests = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [(word, fault) for word, said in said_in(tests) for fault in faults(word, said)] == []


def test_assertions_that_pass_everything_are_found():
    assert list(faults("has_image_n_labels", {"exclude_labels": "0"})) == ["counts without a number"]
    assert list(faults("has_image_n_labels", {"n": "3"})) == ["counts the background"]
    assert list(faults("has_image_n_labels", {"n": 3, "exclude_labels": [0]})) == []
    assert len(list(faults("output", {"compare": "image_diff"}))) == 1
    assert list(faults("output", {"compare": "image_diff", "metric": "iou", "pin_labels": "0"})) == []

"""The shared rules for TPV: a rule for each tool, no key that TPV would not know, and TPV's own answers."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.suite_files import tool_xml_files

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "deploy/tpv/bioimage_suite.yml"
RULES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["tools"]
# `tpv lint` accepts unknown keys, and a misspelt one does nothing.
KEYS = {"inherits", "abstract", "cores", "mem", "context"}
CONTEXT = {"base_mib", "mib_per_megapixel", "largest_mib", "largest_job_mib", "walltime_minutes"}
TOOLS = sorted(path.stem for path in tool_xml_files())
# Peak memory in MiB on a plane of 8192 x 8192 pixels, by benchmarks/bench_image_memory.py.
MEASURED = {
    **{"image_info": 33, "convert_image": 233, "segment_objects": 582, "segment_with_model": 1789},
    **{"measure_objects": 375, "filter_objects": 297, "analyze_spatial_pattern": 210, "evaluate_segmentation": 436},
    **{"overlay_objects": 451},
}


@cache
def answers(*questions: tuple[Any, ...]) -> list[Any]:
    """Ask TPV; it needs a few seconds to start."""
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "tests.galaxy.tpv_places", str(FILE)]
    asked = subprocess.run(command, input=json.dumps(questions), cwd=ROOT, capture_output=True, text=True, check=True)
    return list(json.loads(asked.stdout.splitlines()[-1]))


def test_keys_are_known_ones():
    assert set(yaml.safe_load(FILE.read_text(encoding="utf-8"))) == {"tools"}
    for name, rule in RULES.items():
        assert set(rule) <= KEYS, name
        assert set(rule.get("context", {})) <= CONTEXT, name


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_has_one_rule_from_a_checkout_and_from_a_tool_shed(tool: str):
    for name in (tool, f"toolshed.g2.bx.psu.edu/repos/owner/{tool}/{tool}/0.1.0+galaxy0"):
        assert len([key for key in RULES if re.match(key, name)]) == 1, f"a rule for {tool} in {FILE.relative_to(ROOT)}"


def test_every_rule_is_that_of_a_tool():
    assert not [key for key in RULES if key != "_bioimage_suite" and not any(re.match(key, tool) for tool in TOOLS)]


def test_tpv_places_a_job_of_every_tool():
    found = answers(*((tool, 2048, 2048) for tool in TOOLS))
    for tool, answer in zip(TOOLS, found, strict=True):
        mem, minutes, cores = answer
        assert 0.25 <= mem <= 4, tool
        assert 60 <= minutes <= 1440, tool
        assert cores == 1


def test_a_job_gets_the_memory_that_was_measured_and_more():
    found = answers(*((tool, 8192, 8192) for tool in MEASURED))
    for (tool, measured), answer in zip(MEASURED.items(), found, strict=True):
        assert answer[0] * 1024 >= 1.4 * measured, tool


def test_the_size_counts_where_galaxy_knows_no_pixels():
    known, unknown = answers(("measure_objects", 16384, 16384), ("measure_objects", None, None, 2**29))
    assert known == unknown == [2.3, 60, 1]


def test_an_image_beyond_is_refused_with_a_remedy():
    (answer,) = answers(("segment_with_model", 80000, 80000))
    assert answer.startswith(
        "Image of 6,104 megapixels: segment_with_model needs about 222 GiB for it, and a job has 64"
    )
    assert "Work on parts of it" in answer

"""The shared rules for TPV: a rule for each tool, no key that TPV would not know, and TPV's own answers."""

import json
import re
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from sandbox.cluster.jobs import FAILED_FIRST, site_rules
from sandbox.cluster.pulsar import Pulsar
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


SITE = {
    "destinations": {
        "batch": {
            "runner": "slurm",
            "max_accepted_cores": 64,
            "max_accepted_mem": 512,
            "params": {"mem": "{mem}", "minutes": "{walltime_minutes}", "cores": "{cores}"},
        }
    }
}


def plane(tool: str, edge: int) -> dict[str, Any]:
    return {"tool": tool, "width": edge, "height": edge}


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


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What TPV says of all jobs that these tests ask for, at each site: it takes seconds to start."""
    folder = tmp_path_factory.mktemp("tpv")
    page = (ROOT / "docs/guides/administrators.md").read_text(encoding="utf-8")
    sites = {
        "a site": json.dumps(SITE),  # JSON is YAML
        "two cores": json.dumps(SITE).replace('"max_accepted_cores": 64', '"max_cores": 2'),
        "the guide's": dedent(page[page.index("    global: {default_inherits") : page.index("`tpv lint` accepts")]),
        "the sandbox": json.dumps(site_rules(Pulsar("http://127.0.0.1:1/", "token", True, ()))),
    }
    for name, rules in sites.items():
        (folder / name).write_text(rules, encoding="utf-8")
    shed = "toolshed.g2.bx.psu.edu/repos/owner/measure_objects/measure_objects/0.1.0+galaxy0"
    questions = {
        **{tool: plane(tool, 2048) for tool in TOOLS},
        **{f"{tool} large": plane(tool, 8192) for tool in MEASURED},
        "known": plane("measure_objects", 16384),
        "of a Tool Shed": plane(shed, 16384),
        "unknown": {"tool": "measure_objects", "size": 2**29},
        "list": plane("measure_objects", 8192) | {"files": 200},
        "beyond": plane("segment_with_model", 80000),
        "list on two cores": plane("measure_objects", 8192) | {"files": 200, "site": "two cores"},
        "find at the guide's": plane("omero_find", 1024) | {"site": "the guide's"},
        "segment at the guide's": plane("segment_with_model", 60000) | {"site": "the guide's"},
        "mine": {"tool": "omero_find", "history": "mine", "site": "the sandbox"},
        "mine on Pulsar": {"tool": "omero_find", "history": "mine on Pulsar", "site": "the sandbox"},
    }
    asked = [one | {"site": str(folder / one.get("site", "a site"))} for one in questions.values()]
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "tests.galaxy.tpv_places", str(FILE)]
    done = subprocess.run(command, input=json.dumps(asked), cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(zip(questions, json.loads(done.stdout.splitlines()[-1]), strict=True))


def test_tpv_places_a_job_of_every_tool(placed: dict[str, Any]):
    for tool in TOOLS:
        params = placed[tool]["params"]
        assert 0.25 <= float(params["mem"]) <= 4, tool
        assert 60 <= int(params["minutes"]) <= 1440, tool
        assert params["cores"] == "1"


def test_memory_is_what_was_measured_and_more(placed: dict[str, Any]):
    for tool, measured in MEASURED.items():
        assert float(placed[f"{tool} large"]["params"]["mem"]) * 1024 >= 1.4 * measured, tool
    # 256 MiB + 8.2 MiB for each of 256 megapixels; of a file whose pixels Galaxy does not know, two bytes are a pixel.
    same = ("known", "of a Tool Shed", "unknown")
    assert [placed[name]["params"]["mem"] for name in same] == ["2.3"] * 3


def test_a_list_gets_cores_and_memory_for_each(placed: dict[str, Any]):
    assert placed["list"]["params"] == {"mem": "3.05", "minutes": "60", "cores": "4"}
    assert placed["list on two cores"]["params"] == {"mem": "1.52", "minutes": "60", "cores": "2"}


def test_an_image_beyond_is_refused_with_a_remedy(placed: dict[str, Any]):
    answer = placed["beyond"]
    assert answer.startswith("Image of 6,104 megapixels: segment_with_model needs about 222 GiB for it, and a job has ")
    assert "Work on parts of it" in answer


def test_the_site_of_the_documentation_is_one(placed: dict[str, Any]):
    find, segment = (placed[f"{tool} at the guide's"] for tool in ("find", "segment"))
    assert find["params"]["job_--licenses"] == "omero:1"
    assert find["params"]["job_--mem"] == "512M"
    assert find["params"]["job_time"] == "60"
    # 126 GiB: refused without the line for this tool.
    assert segment["params"]["job_--mem"] == "128563M"
    assert find["env"] == [{"execute": FAILED_FIRST}]


def test_the_sandbox_sends_histories_named_for_it_to_pulsar(placed: dict[str, Any]):
    on_slurm, on_pulsar = (placed[name] for name in ("mine", "mine on Pulsar"))
    assert (on_slurm["runner"], on_pulsar["runner"]) == ("slurm", "pulsar")
    assert on_slurm["params"]["job_--licenses"] == "omero:1"
    assert on_pulsar["params"]["url"] == "http://127.0.0.1:1/"
    assert on_pulsar["env"] == []

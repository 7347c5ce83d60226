"""What a release needs: a recipe that agrees with the tools, and workflows that run only what they name exactly."""

import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ACTIONS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob(".github/actions/*/action.yml")]


@pytest.fixture(scope="module")
def recipe() -> dict:
    """The recipe as conda-build reads it."""
    names = {"PYTHON": "python", "pin_subpackage": lambda name, max_pin: f"{name} {max_pin}"}
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # it is no HTML
    return yaml.safe_load(template.from_string((ROOT / "recipe" / "meta.yaml").read_text("utf-8")).render(names))


def asked_for() -> dict[str, str]:
    """Name and version of every package that a tool of the suite asks for."""
    entries = (entry for file in ROOT.glob("tools/**/*.xml") for entry in ET.parse(file).getroot().iter("requirement"))
    return {(entry.text or "").strip(): entry.get("version", "") for entry in entries}


def test_the_recipe_is_of_this_version(recipe):
    assert recipe["package"]["version"] == PROJECT["project"]["version"]
    assert recipe["source"]["url"].endswith(f"/bioimage_suite-{recipe['package']['version']}.tar.gz")
    assert recipe["about"]["license"] == "MIT"
    assert (ROOT / recipe["about"]["license_file"]).is_file()


def test_the_recipe_takes_the_versions_that_the_tools_ask_for(recipe):
    requirements = recipe["requirements"]
    bounds = dict(line.split(" ") for line in [*requirements["run"], *requirements["run_constrained"]])
    expected = asked_for()
    expected.pop("bioimage-suite", None)
    assert bounds.keys() == expected.keys()
    assert {name: bound.removeprefix(">=").split(",")[0] for name, bound in bounds.items()} == expected


def test_the_recipe_has_what_the_build_needs(recipe):
    wanted = {re.split(r"[<>=!~ ]", one)[0] for one in PROJECT.get("build-system", {}).get("requires", [])}
    assert {name.replace("_", "-") for name in wanted} <= {
        line.split(" ")[0] for line in recipe["requirements"]["host"]
    }


@pytest.mark.parametrize("file", ACTIONS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_actions_of_others_are_named_by_commit(file: Path):
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    others = [one for one in used if not one.startswith("./")]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in others), others
    assert all((ROOT / one).is_dir() for one in used if one.startswith("./"))


def test_an_action_has_one_version_in_all_files():
    used = {one for file in ACTIONS for one in re.findall(r"uses: ([\w-]+/.*)", file.read_text(encoding="utf-8"))}
    assert len(used) == len({one.partition("@")[0] for one in used})


def test_test_servers_come_first():
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]
    order = ["build", "test-pypi", "pypi", "test-tool-shed", "tool-shed", "workflows"]
    assert list(jobs) == order
    assert [jobs[name].get("needs") for name in order] == [None, *order[:-1]]


def test_only_jobs_that_publish_may_ask_for_a_token():
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    assert granted == {name: {"id-token": "write"} for name in ("test-pypi", "pypi")}

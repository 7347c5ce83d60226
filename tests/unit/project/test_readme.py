"""The README says what is there: every tool with its name, and the versions that its badges show."""

import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tools() -> list[ET.Element]:
    roots = (ET.parse(file).getroot() for file in ROOT.glob("tools/**/*.xml"))
    return [root for root in roots if root.tag == "tool"]


def row_of(tool: ET.Element) -> str:
    """The tool's line in the README: Galaxy, too, shows the description behind the name."""
    return f"| `{tool.get('id')}` | **{tool.get('name')}** {tool.findtext('description')} |"


def badge(subject: str) -> str:
    found = re.search(rf"img\.shields\.io/badge/{subject}-([^-]+)-", README)
    assert found
    return unquote(found[1])


def test_the_table_has_a_line_for_every_tool():
    rows = [line for line in README.splitlines() if re.match(r"\| `\w+` \| \*\*", line)]
    assert sorted(rows) == sorted({row_of(tool) for tool in tools()})


def test_the_readme_stays_short():
    table = re.search(r"<details>.*</details>\n", README, re.DOTALL)
    assert table
    assert len(README.replace(table[0], "").splitlines()) <= 80


def test_badges_show_the_versions_that_the_suite_asks_for():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert badge("Python") == package["requires-python"].replace(">=", "≥ ")
    tokens = [token for file in ROOT.glob("tools/**/*.xml") for token in ET.parse(file).getroot().iter("token")]
    assert {badge("Galaxy")} == {f"≥ {token.text}" for token in tokens if token.get("name") == "@PROFILE@"}


def test_the_badge_of_ci_is_of_a_workflow_that_exists():
    found = re.search(r"actions/workflows/([\w.]+)/badge\.svg", README)
    assert found
    assert (ROOT / ".github" / "workflows" / found[1]).is_file()

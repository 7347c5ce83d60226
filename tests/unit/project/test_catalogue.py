"""What catalogues and pages read of the tools and workflows: creators, entries elsewhere, counting, pages to allow."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from sandbox.galaxy.config import html_tools
from scripts.help_pictures import fair, images, plates
from scripts.shed_files import PICTURE, PICTURES, help_pictures
from scripts.suite_files import ROOT, TOOLS, tool_xml_files

WORKFLOWS = sorted(ROOT.glob("workflows/*/*.ga"))
ENTRIES = {
    "bio.tools": {"omero", "scikit-image", "spatialdata", "vitessce"},
    "biii": {"omero", "opencv", "scikit-image", "trackmate"},
}
"""Entries that are there: looked up in github.com/research-software-ecosystem/content, 2026-11-30."""
COUNTED = re.compile(r"(?:^|_)(?:channels?|planes|times|foreground|boundary|series)$")
"""Parameters that take a number of a channel, z-plane, time point or image."""

FILES_ONLY = {
    "build_crate", "convert_image", "cut_list", "data_manager_bioimage_models", "describe_linked_data", "fetch_archive",
    "image_info", "search_archives",
}  # fmt: skip
"""Tools whose outputs are files for other programs, or tables of numbers: their help has an example instead."""


def test_entries_in_other_catalogues_exist() -> None:
    found: dict[str, set[str]] = {}
    for file in [*tool_xml_files(), *TOOLS.glob("macros/*.xml")]:
        for entry in ET.parse(file).getroot().iter("xref"):
            found.setdefault(entry.get("type", ""), set()).add(entry.text or "")
    assert found == ENTRIES


def persons() -> dict[str, str]:
    """ORCID by name of the persons that the citation names."""
    authors = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["authors"]
    found = [one for one in authors if "family-names" in one]
    return {f"{one['given-names']} {one['family-names']}": one["orcid"] for one in found}


def test_tools_name_the_persons_of_the_citation_and_the_organisation_with_its_address() -> None:
    creator = next(one for one in ET.parse(TOOLS / "macros" / "suite.xml").getroot() if one.get("name") == "creator")
    named = {one.get("name", ""): one.get("identifier", "") for one in creator.iter("person")}
    assert named == persons()
    assert [one.get("url", "").startswith("https://") for one in creator.iter("organization")] == [True]
    for file in tool_xml_files():
        assert '<expand macro="creator" />' in file.read_text(encoding="utf-8"), file.name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_do_so_too(file: Path) -> None:
    creators = json.loads(file.read_text(encoding="utf-8"))["creator"]
    named = {one["name"]: one["identifier"] for one in creators if one["class"] == "Person"}
    assert named == persons()
    assert [one["url"].startswith("https://") for one in creators if one["class"] == "Organization"] == [True]


def test_channels_planes_and_time_points_are_counted_from_0_everywhere() -> None:
    silent, seen = [], 0
    for file in [*tool_xml_files(), *TOOLS.glob("macros/*.xml")]:
        root = ET.parse(file).getroot()
        tests = {id(one) for test in root.iter("test") for one in test.iter("param")}
        for param in root.iter("param"):
            name = (param.get("name") or param.get("argument", "").lstrip("-")).replace("-", "_")
            if id(param) in tests or param.get("type") not in {"text", "integer"} or not COUNTED.search(name):
                continue
            seen += 1
            said = f"{param.get('label')} {param.get('help')}"
            if "counted from 0" not in said:
                silent.append((file.name, name, said))
    assert silent == []
    assert seen >= 12


def test_the_guide_for_administrators_lists_the_pages_that_are_safe_to_allow() -> None:
    guide = (ROOT / "docs" / "guides" / "administrators.md").read_text(encoding="utf-8")
    listed = re.search(r"```text title=\"[^\"]*sanitize_allowlist\.txt\"\n(.*?)\n```", guide, re.DOTALL)
    assert listed
    assert sorted(listed[1].split()) == [one for one in html_tools(TOOLS) if one != "vitessce_view"]


def test_every_report_opens_without_an_allowlist_too() -> None:
    for file in tool_xml_files():
        outputs = ET.parse(file).getroot().find("outputs")
        formats = {one.get("format") for one in outputs or ()}
        if "html" in formats and file.stem != "vitessce_view":
            assert "tool_markdown" in formats, file.stem


def test_no_text_sends_a_user_to_a_page_where_no_login_can_be_added() -> None:
    """Galaxy 26.1 only changes and deletes credentials in its preferences."""
    places = ("*.md", "docs/**/*.md", "docs/**/*.yaml", "tools/**/*.xml", "workflows/*/*")
    texts = [file for place in places for file in ROOT.glob(place) if file.suffix in {".md", ".yaml", ".xml", ".ga"}]
    wrong = re.compile(r"(?:[Ss]tore|[Aa]dd)[^.]*Preferences[^.]*Manage (?:your |tools )*credentials", re.IGNORECASE)
    assert [str(file) for file in texts if wrong.search(file.read_text(encoding="utf-8"))] == []


def test_pictures_of_the_help_exist_are_small_and_say_what_they_show() -> None:
    shown = set()
    for file in tool_xml_files():
        pictures = help_pictures(file)
        assert [one.name for one in pictures if not one.is_file() or one.stat().st_size > 100_000] == []
        shown |= set(pictures)
    for file in (*tool_xml_files(), TOOLS / "macros" / "omero.xml"):
        text = file.read_text(encoding="utf-8")
        assert len(PICTURE.findall(text)) == len(re.findall(r"bioimage_suite/\S+\n    :alt: \S", text)), file.name
    assert sorted(PICTURES.iterdir()) == sorted(shown)


def test_every_other_tool_shows_a_picture_that_a_script_makes() -> None:
    without = {file.stem for file in tool_xml_files() if not help_pictures(file)}
    assert without == FILES_ONLY
    formats = {
        one.get("format") for file in tool_xml_files() if file.stem in without for one in ET.parse(file).iter("data")
    }
    assert not formats & {"png", "html"}, "a tool that draws shows what it draws"
    made = {make.__name__ for makes in (images.MADE, plates.MADE, fair.PAGES) for make in makes}
    assert {file.stem for file in PICTURES.iterdir()} == {*made, "omero_login"}


def test_every_omero_tool_shows_how_a_login_is_stored() -> None:
    omero = [file for file in tool_xml_files() if file.stem.startswith("omero_")]
    assert [file.stem for file in omero if PICTURES / "omero_login.png" not in help_pictures(file)] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_each_workflow_has_a_small_picture_in_its_folder_and_its_readme(file: Path) -> None:
    picture = file.with_suffix(".png")
    assert 1000 < picture.stat().st_size <= 100_000
    assert re.search(rf"!\[[^\]]{{10,}}\]\({picture.name}\)", (file.parent / "README.md").read_text(encoding="utf-8"))


def test_no_help_of_a_field_has_what_galaxy_would_take_for_html() -> None:
    """Galaxy shows the help of a field as HTML: `<id>` would be eaten."""
    roots = [ET.parse(file).getroot() for file in [*tool_xml_files(), *TOOLS.glob("macros/*.xml")]]
    helps = [one.get("help", "") for root in roots for one in root.iter()]
    assert len([text for text in helps if text]) > 300
    assert [text for text in helps if re.search(r"</?\w", text)] == []


def test_a_tool_that_a_help_of_a_field_names_exists() -> None:
    titles = {ET.parse(file).getroot().get("name") for file in tool_xml_files()}
    text = "".join(file.read_text(encoding="utf-8") for file in TOOLS.rglob("*.xml"))
    named = set(re.findall(r"[Ff]rom '([A-Z][A-Za-z ]+)'", text))
    assert len(named) >= 4
    assert named <= titles

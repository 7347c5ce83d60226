"""The tutorials follow the rules of the Galaxy Training Network's linter, and fit the tools as they are.

The rules are those of `bin/lint.rb` of its repository that apply to what stands here, by their codes; some are
stricter here: each tool has the version of this checkout, each picture a text for those who cannot see it.
"""

import itertools
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from scripts.suite_files import ADDRESS, tool_xml
from scripts.tool_versions import tool_version
from tests.run import ROOT
from tests.training.checks import parse_check
from tests.training.execute import FILES
from tests.training.form import fill, flattened, placed
from tests.training.run import TRAINING, tutorial_files
from tests.training.tutorial import (
    CodeStep,
    ImportStep,
    Parameter,
    Reference,
    Tutorial,
    WorkflowStep,
    read_tutorial,
)

TUTORIALS = tutorial_files()
FRONT_MATTER = {"layout", "title", "level", "questions", "objectives", "time_estimation", "key_points", "contributions"}
TAGS = ("cite", "snippet", "link", "icon", "tool")
OWNER = "toolshed.g2.bx.psu.edu/repos/bioimage-suite"


@pytest.fixture(params=TUTORIALS, ids=[file.parent.name for file in TUTORIALS])
def tutorial(request: pytest.FixtureRequest) -> Tutorial:
    return read_tutorial(request.param)


def test_there_are_tutorials() -> None:
    assert TUTORIALS


def test_front_matter(tutorial: Tutorial) -> None:
    assert set(tutorial.front) >= FRONT_MATTER
    assert tutorial.front["layout"] == "tutorial_hands_on"
    assert tutorial.front["level"] in ("Introductory", "Intermediate", "Advanced")
    assert re.fullmatch(r"\d+M|\d+H(\d+M)?", tutorial.front["time_estimation"])
    known = yaml.safe_load((TRAINING / "CONTRIBUTORS.yaml").read_text())
    assert set(tutorial.front["contributions"]["authorship"]) <= set(known)
    for name in ("questions", "objectives", "key_points"):
        assert len(tutorial.front[name]) >= 2


def test_rules_of_a_line(tutorial: Tutorial) -> None:
    wrong = {
        "GTN:001 no_toc": r"{:\s*.no_toc\s*}",
        "GTN:004 cite a DOI": r"\[[^\]]*\]\(https?://doi.org/(?!10.5281/zenodo)",
        "GTN:005 text of a link": r"\[\s*(here|link)\s*\]",
        "GTN:009 short id of a tool": r"{%\s*tool \[[^\]]*\]\((?!upload1\))[^)/]*\)",
        "GTN:010 old titles of boxes": r"> (### {%\s*icon ([^%]*)\s*%}[^:]*:?(.*))",
        "GTN:011 target blank": r"target=[\"']_blank",
        "GTN:020 bold in place of a heading": r"^\*\*(.*)\*\*$",
        "GTN:022 the title repeats the kind": r"<(tip|question|comment|hands-on|solution)-title>\1",
        "GTN:029 bold heading": r"^#+ \*\*",
    }
    found = [
        f"{code}: {line}"
        for line in tutorial.body.splitlines()
        for code, pattern in wrong.items()
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert found == []


def test_tags_headings_and_citations(tutorial: Tutorial) -> None:
    assert set(re.findall(r"{%\s*([a-z]+)", tutorial.body)) <= set(TAGS)  # GTN:021
    assert tutorial.body.count("{%") == tutorial.body.count("%}")  # GTN:006
    depths = [1, *(len(marks) for marks in re.findall(r"^(#+) ", without_code(tutorial.body), re.MULTILINE))]
    assert all(deeper - depth <= 1 for depth, deeper in itertools.pairwise(depths))  # GTN:028
    cited = set(re.findall(r"{%\s*cite (\S+)\s*%}", tutorial.body))
    bibliography = tutorial.path.with_name("tutorial.bib")
    entries = re.findall(r"@\w+{(\w+),(.+?)^}", bibliography.read_text(), re.MULTILINE | re.DOTALL) if cited else []
    assert cited == {key for key, _ in entries}  # GTN:007
    assert all(("title =" in entry and "doi =" in entry) or "url =" in entry for _, entry in entries)  # GTN:012


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def test_every_tool_and_parameter_is_on_its_form(tutorial: Tutorial, forms: dict[str, Any]) -> None:
    for step in tutorial.tool_steps:
        short = step.short_id
        assert step.tool_id == f"{OWNER}/{short}/{short}/{tool_version(tool_xml(short))}"
        assert step.title == forms[short]["name"]
        fill(forms[short]["inputs"], step.parameters, lambda parameter, _: parameter.data)


def test_the_text_names_each_section_that_has_to_be_opened(tutorial: Tutorial, forms: dict[str, Any]) -> None:
    """A reader does not see a field of a closed section."""
    hidden = []
    for step in tutorial.tool_steps:
        named = dict(flattened(step.parameters))
        for place, parameter in placed(forms[step.short_id]["inputs"], step.parameters):
            hidden += [f"{step.title}: {one}" for one in place.closed if one not in named[parameter]]
    assert hidden == []


def test_what_it_names_is_there(tutorial: Tutorial) -> None:
    for box in tutorial.boxes:
        for step in box.steps:
            if isinstance(step, ImportStep):
                assert all((ROOT / one.removeprefix(ADDRESS)).is_file() for one in step.addresses)
            if isinstance(step, WorkflowStep):
                assert json.loads((TRAINING / step.path).read_text())["name"] == step.title
        for answer in box.answers:
            parse_check(answer.check)
        if box.picture:
            picture = tutorial.path.parent / box.picture.file
            assert picture.stat().st_size < 1_000_000
            assert len(box.picture.alternative) > 20


def test_a_question_for_a_number_has_one_that_is_compared(tutorial: Tutorial) -> None:
    asks = re.compile(
        r"(How (many|large|fast|bright)|Which (share|percentage)|At which|What is the (F1|precision|recall|H-score))"
    )
    asked = [line for line in re.findall(r"^> \d+\. (.*)$", tutorial.body, re.MULTILINE) if asks.match(line)]
    compared = {answer.question for box in tutorial.boxes for answer in box.answers}
    assert [question for question in asked if not any(one.startswith(question) for one in compared)] == []


def test_the_steps_can_be_done_in_order(tutorial: Tutorial) -> None:
    """Each dataset that a form takes was imported or made before, and each output that a solution counts."""
    known: set[str] = set()
    for box in tutorial.boxes:
        for step in box.steps:
            if isinstance(step, ImportStep):
                known |= {Path(one).name for one in step.addresses} | {step.list_name}
                continue
            if isinstance(step, CodeStep):
                known.add(FILES)
                continue
            wanted = {one.title or one.name for parameter in step.parameters for one in parameter.data}
            assert wanted <= known
            known.add(step.title)
        assert {parse_check(answer.check).output.partition(": ")[0] for answer in box.answers} <= known


def test_each_output_that_is_named_is_one_of_its_tool(tutorial: Tutorial) -> None:
    tools = {step.title: step.short_id for step in tutorial.tool_steps}
    named = [(one.title, one.name) for step in tutorial.tool_steps for one in data_of(step.parameters)]
    pictures = [box.picture.of for box in tutorial.boxes if box.picture]
    texts = [parse_check(answer.check).output for box in tutorial.boxes for answer in box.answers]
    texts += [found[1] for text in pictures if (found := re.match(r"data `(.+)`$", text))]
    named += [(title, name or "output") for title, _, name in (text.partition(": ") for text in texts)]
    wrong = [(title, name) for title, name in named if title in tools and not is_output(tools[title], name)]
    assert wrong == []


def data_of(parameters: tuple[Parameter, ...]) -> list[Reference]:
    """All datasets of parameters, of those below them too."""
    return [data for one in parameters for data in (*one.data, *data_of(one.below))]


def is_output(tool: str, name: str) -> bool:
    """Whether a tool has one output of this name, or whose label ends in it; filters hide all but one of equal ones."""
    outputs = ElementTree.parse(tool_xml(tool)).getroot().find("outputs")
    assert outputs is not None
    labels = {one.get("name", ""): one.get("label", "").rpartition(": ")[2] for one in outputs}
    hidden = {one.get("name", "") for one in outputs if one.find("filter") is not None}
    found = {key for key, label in labels.items() if name in (key, label)}
    return len(found - hidden) == 1 or (not found - hidden and bool(found))


def test_the_data_library_has_what_is_imported(tutorial: Tutorial) -> None:
    imported = {
        address
        for box in tutorial.boxes
        for step in box.steps
        if isinstance(step, ImportStep)
        for address in step.addresses
    }
    library = tutorial.path.with_name("data-library.yaml")
    assert library.exists() == bool(imported)
    if imported:
        text = yaml.safe_load(library.read_text())
        (topic,) = text["items"]
        (lesson,) = topic["items"]
        assert lesson["name"] == tutorial.front["title"]
        files = lesson["items"][0]["items"]
        assert {one["url"] for one in files} == imported
        assert all(one["src"] == "url" and one["ext"] and one["info"] for one in files)


def test_workflows_have_tests_and_what_the_linter_wants(tutorial: Tutorial) -> None:
    for file in tutorial.path.parent.glob("workflows/*.ga"):
        content = json.loads(file.read_text())
        assert content["tags"]  # GTN:015
        assert content["annotation"]  # GTN:016
        assert content["license"]  # GTN:026
        assert content["creator"]  # GTN:024
        assert file.with_name(f"{file.stem}-tests.yml").is_file()  # GTN:027


def test_slides_follow_the_networks_form() -> None:
    decks = sorted(TRAINING.glob("topics/*/tutorials/*/slides.html"))
    assert decks
    for deck in decks:
        front, _, body = deck.read_text().removeprefix("---\n").partition("\n---\n")
        meta = yaml.safe_load(front)
        assert meta["layout"] == "tutorial_slides"
        assert {"title", "questions", "objectives", "time_estimation", "key_points", "contributions"} <= set(meta)
        slides = body.split("\n---\n")
        assert len(slides) > 4
        assert [slide for slide in slides if not slide.strip().startswith("# ")] == []
        pictures = re.findall(r"!\[[^\]]{10,}\]\((\S+)\)", body)
        assert all((deck.parent / picture).is_file() for picture in pictures)
        assert body.count("![") == len(pictures)

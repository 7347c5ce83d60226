"""What a tool's XML says must fit its script: each repository of the Tool Shed carries exactly these files."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.shed_files import imported_names, library_files
from scripts.suite_files import TOOLS as TOOLS_FOLDER
from scripts.suite_files import tool_script, tool_xml, tool_xml_files

MACROS = TOOLS_FOLDER / "macros"
TOOLS = sorted(path.stem for path in tool_xml_files() if path.parent.parent.name == "omero")
REQUIRED_BY_MODULE = {
    "numpy": "numpy",
    "scipy": "scipy",
    "cv2": "py-opencv",
    "tifffile": "tifffile",
    "omero": "omero-py",
    "openpyxl": "openpyxl",
    "zarr": "zarr",
    "numcodecs": "zarr",  # It and the checksum come with zarr, which requires both.
    "google_crc32c": "zarr",
}


def reached(name: str) -> tuple[list[Path], set[str]]:
    """Files that a tool needs, its script included, and the names of all packages that they import."""
    files = [tool_script(name), *(file for file in library_files(tool_script(name)) if file.suffix == ".py")]
    names = (name for file in files for name in imported_names(file.read_text(encoding="utf-8")))
    return files, {name.partition(".")[0] for name in names}


def macro_texts() -> dict[str, ElementTree.Element]:
    found = {}
    for file in ("library.xml", "suite.xml", "omero.xml"):
        for macro in ElementTree.parse(MACROS / file).getroot().findall("xml"):
            found[macro.get("name")] = macro
    return found


def expanded(element: ElementTree.Element, macros: dict[str, ElementTree.Element]) -> list[ElementTree.Element]:
    """All elements below, with those of the macros that are used."""
    found = []
    for child in element:
        found.append(child)
        found += expanded(child, macros)
        if child.tag == "expand":
            found += expanded(macros[child.get("macro")], macros)
    return found


@pytest.mark.parametrize("tool", TOOLS)
def test_requirements_are_the_packages_that_the_script_imports(tool):
    elements = expanded(ElementTree.parse(tool_xml(tool)).getroot(), macro_texts())
    requirements = {element.text for element in elements if element.tag == "requirement"} - {"python"}
    if "tifffile" in requirements:
        requirements.discard("imagecodecs")  # which tifffile imports where a file that it reads is compressed
    assert requirements == {package for module, package in REQUIRED_BY_MODULE.items() if module in reached(tool)[1]}


@pytest.mark.parametrize("tool", TOOLS)
def test_secrets_come_from_the_environment_only(tool):
    text = tool_xml(tool).read_text()
    command = re.search(r"<command.*?</command>", text, re.DOTALL).group()
    for word in ("OMERO_", "password", "key", "username"):
        assert word not in command
    elements = expanded(ElementTree.fromstring(text), macro_texts())
    names = {element.get("name") for element in elements if element.tag == "param"}
    assert not {name for name in names if "passw" in name or "secret" in name or "session" in name}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_a_test_that_must_fail_and_one_that_must_not(tool):
    tests = ElementTree.parse(tool_xml(tool)).getroot().find("tests")
    failing = [test.get("expect_failure") == "true" for test in tests]
    assert any(failing)
    assert not all(failing)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_script_imports_nothing_heavy_before_it_knows_what_to_do(tool):
    script = str(tool_script(tool))
    run = "import runpy, sys\ntry: runpy.run_path(sys.argv[0], run_name='__main__')\nfinally: print(*sys.modules)"
    started = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = [{script!r}, '--help']\n{run}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not set(started.stdout.splitlines()[-1].split()) & set(REQUIRED_BY_MODULE)


def main_of(tool: str) -> ast.AST:
    return ast.parse(tool_script(tool).read_text())


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_connects_once_to_the_group_that_was_chosen(tool):
    opened = 0
    for function in (node for node in ast.walk(main_of(tool)) if isinstance(node, ast.FunctionDef)):
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        calls = [node for node in calls if ast.unparse(node.func) == "session_of"]  # with server and group of the form
        assert len(calls) <= 1
        assert not [node for node in ast.walk(function) if ast.unparse(node) == "open_session"]
        opened += len(calls)
    assert opened
    elements = expanded(ElementTree.parse(tool_xml(tool)).getroot(), macro_texts())
    assert {"omero_host", "omero_group"} <= {element.get("name") for element in elements if element.tag == "param"}


@pytest.mark.parametrize("tool", TOOLS)
def test_booleans_reach_the_script_as_booleans(tool):
    """As JSON, that is: a shell knows texts only, and the text False is true."""
    root = ElementTree.parse(tool_xml(tool)).getroot()
    booleans = [one for one in expanded(root, macro_texts()) if one.tag == "param" and one.get("type") == "boolean"]
    assert not [one.get("name") for one in booleans if one.get("truevalue") or one.get("falsevalue")]
    lines = [line for line in root.findtext("command").splitlines() if not line.strip().startswith("#")]
    assert not [one.get("name") for one in booleans if re.search(rf"\${one.get('name')}\b", " ".join(lines))]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_choice_of_a_form_is_known_to_the_script(tool):
    elements = expanded(ElementTree.parse(tool_xml(tool)).getroot().find("inputs"), macro_texts())
    words = set()
    for module in reached(tool)[0]:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
    for param in (one for one in elements if one.get("type") == "select" and one.get("name") != "pixel_type"):
        choices = {option.get("value") for option in param.findall("option")}
        # One may be what is left when it is none of the others.
        assert len({one for one in choices - words if not one.isdecimal()}) <= 1, param.get("name")


@pytest.mark.parametrize("tool", TOOLS)
def test_tests_name_objects_and_never_know_their_ids(tool):
    tests = ElementTree.parse(tool_xml(tool)).getroot().find("tests")
    for param in tests.iter("param"):
        given = param.get("value") or ""
        known = param.get("name") in ("objects", "dataset_id", "screen_id") and given.isdecimal()
        assert not known or int(given) >= 10**8, given  # such an id stands for one that does not exist

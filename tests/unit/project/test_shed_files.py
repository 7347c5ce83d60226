"""What each Tool Shed repository holds follows from the tool's imports and tests."""

import re
from pathlib import Path

import pytest

from scripts.shed_files import LIBRARY, library_files, macro_files, shared_test_files, shed_files
from scripts.suite_files import ROOT, tool_script, tool_xml

FILES = shed_files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_file_is_what_the_script_writes(path: Path):
    assert path.read_text(encoding="utf-8") == FILES[path], "run: python -m scripts.shed_files"


def test_modules_come_with_those_that_they_import_and_with_their_tables():
    names = {path.relative_to(LIBRARY).as_posix() for path in library_files(tool_script("metadata_template"))}
    assert {"__init__.py", "core/__init__.py", "core/errors.py", "fair/terms/term_tables/fbbi.tsv"} <= names
    assert not [name for name in names if name.startswith(("omero/", "segmentation/"))]


def test_macros_come_with_those_that_they_import():
    assert [path.name for path in macro_files(tool_xml("omero_find"))] == ["library.xml", "omero.xml", "suite.xml"]


def test_files_that_a_macro_names_are_files_of_the_tests():
    names = {path.relative_to(ROOT / "test-data").as_posix() for path in shared_test_files(tool_xml("image_info"))}
    assert "truncated.tiff" in names


def test_a_table_is_the_same_wherever_a_repository_brings_it():
    found: dict[str, set[str]] = {}
    for name in ("tool_data_table_conf.xml.sample", "*.loc.sample"):
        for path in (ROOT / "tools").rglob(name):
            found.setdefault(path.name, set()).add(path.read_text(encoding="utf-8"))
    assert {name: len(texts) for name, texts in found.items()} == {
        "tool_data_table_conf.xml.sample": 1,
        "bioimage_models.loc.sample": 1,
    }
    ours = [name for path, text in FILES.items() for name in re.findall(r"[\w.]+\.sample", text) if path.parent.name]
    assert sorted(ours) == sorted(2 * list(found)), "both repositories bring both"


def test_no_file_of_tools_is_a_link():
    assert not [path for path in (ROOT / "tools").rglob("*") if path.is_symlink()]

"""Tests mirror the package, share by conftest.py and by modules that are no tests, and stay short."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.suite_files import ROOT

TESTS = ROOT / "tests"
ROOMS = sorted(path.name for path in (ROOT / "src" / "bioimage_suite").iterdir() if (path / "__init__.py").exists())
GROUPS = sorted({path.parent.parent.name for path in (ROOT / "tools").glob("*/*/*.py")})
FOLDERS = {*ROOMS, "project", "sandbox", *(f"tools/{group}" for group in GROUPS)}
"""Where a test module may lie below tests/unit."""
LONGEST_FILE, LONGEST_TEST = 500, 40

MODULES = sorted(TESTS.rglob("*.py"))
IMPORTERS = [*MODULES, *sorted((ROOT / "benchmarks").glob("*.py")), *sorted((ROOT / "scripts").glob("*.py"))]
TEST_MODULES = [path for path in MODULES if path.name.startswith("test_")]


def in_checkout(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules, and names within them, that a file imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", IMPORTERS, ids=in_checkout)
def test_no_test_module_and_no_conftest_is_imported(path: Path):
    ours = [name.split(".") for name in imported(parsed(path)) if name.startswith("tests.")]
    modules = {part for parts in ours for part in parts if (part == "conftest" or part.startswith("test_"))}
    assert not modules
    assert "pytest_plugins" not in {node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("path", MODULES, ids=in_checkout)
def test_fixtures_lie_where_pytest_finds_them(path: Path):
    """In a test module for its own tests, in the nearest conftest.py for those of several."""
    if path.name == "conftest.py" or path in TEST_MODULES:
        return
    decorated = {ast.unparse(one) for function in functions(parsed(path)) for one in function.decorator_list}
    assert not [decorator for decorator in decorated if decorator.startswith("pytest.fixture")]


@pytest.mark.parametrize("path", [path for path in TEST_MODULES if TESTS / "unit" in path.parents], ids=in_checkout)
def test_a_test_lies_in_the_room_that_it_tests(path: Path):
    folder = str(path.parent.relative_to(TESTS / "unit"))
    assert folder in FOLDERS
    if folder in ROOMS:
        assert any(name.startswith(f"bioimage_suite.{folder}.") for name in imported(parsed(path)))


@pytest.mark.parametrize("path", TEST_MODULES, ids=in_checkout)
def test_files_and_tests_are_short(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    lengths = {one.name: (one.end_lineno or 0) - one.lineno + 1 for one in functions(parsed(path))}
    assert {name: length for name, length in lengths.items() if length > LONGEST_TEST} == {}

"""What a benchmark takes from the library is there: benchmarks run by hand only, so nothing else would notice."""

import ast
import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from scripts.suite_files import ROOT

BENCHMARKS = sorted((ROOT / "benchmarks").glob("bench_*.py"))


def programs(tree: ast.Module) -> Iterator[ast.Module]:
    """Yield a module and each program that it keeps as text for another process."""
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value:
            try:
                yield ast.parse(node.value)
            except SyntaxError:
                continue


def imported(program: ast.Module) -> Iterator[tuple[str, str, object]]:
    """Yield module, name and object of each import from the suite; None for an object that does not exist."""
    for node in ast.walk(program):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("bioimage_suite", "sandbox")):
            module = str(node.module)
            for name in node.names:
                with contextlib.suppress(ImportError):
                    importlib.import_module(f"{module}.{name.name}")
                found = getattr(importlib.import_module(module), name.name, None)
                yield module, name.asname or name.name, found


def missing(program: ast.Module) -> Iterator[str]:
    """Name what a program imports from the suite, or uses of its modules, though it does not exist."""
    modules = {}
    for module, name, found in imported(program):
        if found is None:
            yield f"{module}.{name}"
        elif isinstance(found, ModuleType):
            modules[name] = found
    for node in ast.walk(program):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module_of = modules.get(node.value.id)
            if module_of and not hasattr(module_of, node.attr):
                yield f"{module_of.__name__}.{node.attr}"


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda file: file.stem)
def test_a_benchmark_names_only_what_exists(file: Path):
    assert [name for one in programs(ast.parse(file.read_text(encoding="utf-8"))) for name in missing(one)] == []

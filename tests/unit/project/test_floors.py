"""Imports run one way: from tools down to the library's core, never sideways, and in no circle.

Every import counts: at the top, in a function, and for types only.
"""

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from scripts.suite_files import GROUPS, ROOT, TOOLS

LIBRARY = ROOT / "src" / "bioimage_suite"
FLOORS = {
    "core": 1,
    "tables": 2,
    "images": 3, "frame": 3,
    "segmentation": 4, "measurement": 4, "tracking": 4, "spatial": 4, "staining": 4, "figures": 4, "plates": 4,
    "exchange": 4, "omero": 4, "fair": 4,
}  # fmt: skip
SIDEWAYS: dict[tuple[str, str], str] = {}
"""Edges between rooms of one floor that may remain, with the reason for each; at most two."""


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imported(file: Path) -> Iterator[str]:
    """Names of modules that a file imports; `from a import b` counts as `a` and as `a.b`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports by a relative name"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(package: Path) -> dict[str, Path]:
    """`images.bands` for the file of that module in a package, `images` for the package's own."""
    steps = {file: file.relative_to(package).with_suffix("").parts for file in python_files(package)}
    return {".".join(names[:-1] if names[-1] == "__init__" else names): file for file, names in steps.items()}


def imports_within(package: Path) -> dict[str, set[str]]:
    """The modules of a package that each of its modules imports."""
    files, prefix = modules(package), f"{package.name}."
    return {
        module: {
            name.removeprefix(prefix)
            for name in imported(file)
            if name.startswith(prefix) and name.removeprefix(prefix) in files
        } - {module}
        for module, file in files.items()
    }  # fmt: skip


FILES = modules(LIBRARY)
IMPORTS = imports_within(LIBRARY)


def room(module: str) -> str:
    return module.partition(".")[0]


def folder(module: str) -> str:
    """The package that a module is in; a package is in itself."""
    return module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]


def circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def between(modules: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for one, other in modules:
        if one != other:
            graph.setdefault(one, set()).add(other)
    return graph


def test_every_room_has_a_floor():
    assert {room(module) for module in FILES} - {""} <= set(FLOORS)
    assert len(set(FLOORS.values())) < 5, "the scripts of the tools are the fifth floor"


def test_a_room_imports_from_lower_floors_only():
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in sorted(others)
        if module and room(module) != room(other) and FLOORS[room(other)] >= FLOORS[room(module)]
        and (room(module), room(other)) not in SIDEWAYS
    ]  # fmt: skip
    assert not wrong


def test_edges_between_rooms_of_one_floor_are_few_and_used():
    used = {(room(module), room(other)) for module, others in IMPORTS.items() for other in others}
    assert len(SIDEWAYS) <= 2
    assert set(SIDEWAYS) <= used
    assert all(SIDEWAYS.values())


def test_no_circle_of_modules():
    assert not circle(IMPORTS)


@pytest.mark.parametrize("package", ["sandbox", "scripts", "benchmarks"])
def test_no_circle_of_modules_outside_the_library(package: str):
    imports = imports_within(ROOT / package)
    assert any(imports.values())
    assert not circle(imports)


def test_no_circle_of_folders():
    edges = [(folder(module), folder(other)) for module, others in IMPORTS.items() for other in others]
    assert not circle(between(edges))


@pytest.mark.parametrize("group", GROUPS)
def test_scripts_of_tools_import_the_library_and_never_each_other(group: str):
    scripts = {file.stem for file in TOOLS.glob("*/*/*.py")}
    forbidden = scripts | {"sandbox", "scripts", "tests", "benchmarks", "tools"}
    wrong = [
        f"{file.name} imports {name}"
        for file in python_files(TOOLS / group)
        for name in imported(file)
        if name.partition(".")[0] in forbidden
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("where", "forbidden"),
    [
        (LIBRARY, {"sandbox", "scripts", "tests", "benchmarks", "tools"}),
        (ROOT / "sandbox", {"bioimage_suite", "tools", "tests", "benchmarks"}),
    ],
    ids=["library", "sandbox"],
)
def test_what_others_must_not_know(where: Path, forbidden: set[str]):
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in python_files(where)
        for name in imported(file)
        if name.partition(".")[0] in forbidden
    ]
    assert not wrong


def test_a_circle_would_be_seen():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle({"a": {"b"}, "b": {"c"}})

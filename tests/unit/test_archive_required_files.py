"""The wrappers of the archive, linked-data and view tools name every module that their scripts import."""

import ast
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "fair"


def included(tool: str) -> set[str]:
    """Paths that a wrapper's required_files name, those of the macros it expands too."""
    macros = {
        node.get("name"): node
        for file in ("archive_macros.xml", "metadata_macros.xml")
        for node in ET.parse(TOOLS / file).getroot().iter("xml")
    }
    found: set[str] = set()
    waiting = [ET.parse(TOOLS / f"{tool}.xml").getroot()]
    while waiting:
        for node in waiting.pop().iter():
            if node.tag == "include":
                found.add(str(node.get("path")))
            if node.tag == "expand" and node.get("macro") in macros:
                waiting.append(macros[node.get("macro")])
    return found


def imported(module: str, seen: set[str]) -> set[str]:
    """Files of this folder that a module imports, by whatever way."""
    seen.add(f"{module}.py")
    for node in ast.walk(ast.parse((TOOLS / f"{module}.py").read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        for name in names:
            if (TOOLS / f"{name}.py").exists() and f"{name}.py" not in seen:
                imported(name, seen)
    return seen


@pytest.mark.parametrize("tool", ["search_archives", "fetch_archive", "describe_linked_data", "vitessce_view"])
def test_every_imported_module_is_named(tool: str) -> None:
    assert imported(tool, set()) <= included(tool)

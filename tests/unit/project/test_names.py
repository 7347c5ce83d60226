"""One word, one meaning: no two public classes of the library share a name."""

import ast
from collections import defaultdict
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[3] / "src" / "bioimage_suite"


def public_classes() -> dict[str, list[str]]:
    """The modules that define each public class."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(LIBRARY.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(LIBRARY)))
    return found


def test_each_class_has_a_name_of_its_own() -> None:
    twice = {name: places for name, places in public_classes().items() if len(places) > 1}
    assert twice == {}

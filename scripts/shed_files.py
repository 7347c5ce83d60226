"""Write the `.shed.yml` of every tool: what its Tool Shed repository holds.

    python -m scripts.shed_files

A repository mirrors `tools/`: `macros/`, and `<group>/<tool>/` with the script, the modules of the library that the
script imports (directly or through others) with the tables they read, and the files that its tests name; and it has the
pictures of the help. planemo does not look into subfolders, so every file has its line; run this script after an import
or a test changes (tests/unit/project/test_shed_files.py compares).
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from scripts.suite_files import GROUPS, ROOT, TOOLS, tool_xml_files

INCLUDED = True
"""Whether repositories carry the library; False once it is a requirement (tools/macros/library.xml)."""
SOURCES = ROOT / "src"
LIBRARY = SOURCES / "bioimage_suite"
TEST_DATA = ROOT / "test-data"
PICTURES = ROOT / "docs" / "images" / "tools"
PICTURE = re.compile(r"\.\. image:: \$\{static_path\}/bioimage_suite/(\S+)")
"""A picture in a help. Galaxy looks for it in a repository's `static/images/bioimage_suite/`, and where a checkout is
served, in `bioimage_suite/` of its own static files."""
OWNER = "bioimage-suite"
HOME = "https://github.com/bioimage-suite-galaxy"
CATEGORIES = {
    "omero": ["Imaging"],
    "image": ["Imaging"],
    "plate": ["Imaging", "Statistics"],
    "fair": ["Imaging", "Ontology Manipulation"],
    "data_managers": ["Data Managers", "Imaging"],
}
SUITES = {
    "omero": "Exchange images, regions and tables between OMERO and Galaxy",
    "image": "Convert, segment, measure, track and evaluate microscopy images",
    "plate": "Go from a screen of plates to profiles of wells and hits, and to open tables",
    "fair": "Metadata of microscopy images that another lab can read",
    "data_managers": "Fill the stores that tools for microscopy images choose from",
}
PART = "Part of the Bioimage Suite for Galaxy."
NOTICE = "# Written by scripts/shed_files.py; run `python -m scripts.shed_files` instead of changing it here.\n"


@functools.cache
def imported_names(text: str) -> tuple[str, ...]:
    """Return the dotted names that Python code imports, anywhere in it: of modules, or of what stands in them."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return tuple(names)


def imported_modules(file: Path) -> Iterator[Path]:
    """Yield the files of the library that a Python file imports, anywhere in it."""
    for name in imported_names(file.read_text(encoding="utf-8")):
        if name.partition(".")[0] == LIBRARY.name:
            path = SOURCES.joinpath(*name.split("."))
            yield from (one for one in (path.with_suffix(".py"), path / "__init__.py") if one.exists())


def data_files(module: Path) -> Iterator[Path]:
    """Yield the package data of a module: files of the folders beside it that it names."""
    text = module.read_text(encoding="utf-8")
    for folder in sorted(
        path for path in module.parent.iterdir() if path.is_dir() and not (path / "__init__.py").exists()
    ):
        if f'"{folder.name}"' in text:
            yield from sorted(path for path in folder.iterdir() if path.is_file())


def library_files(script: Path) -> list[Path]:
    """Return the modules of the library that a script needs, with their packages and data, sorted."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for module in imported_modules(waiting.pop()):
            packages = [parent / "__init__.py" for parent in module.parents if parent.is_relative_to(LIBRARY)]
            for one in (module, *packages):
                if one not in found:
                    found.add(one)
                    waiting.append(one)
    data = [file for module in found for file in data_files(module)]
    return sorted({*found, *data})


def macro_files(xml: Path) -> list[Path]:
    """Return the macro files that a tool imports, those that these import too."""
    found: list[Path] = []
    waiting = [xml]
    while waiting:
        for entry in ElementTree.parse(waiting.pop()).iter("import"):  # noqa: S314 - files of this repository
            path = (xml.parent / (entry.text or "")).resolve()
            if path not in found:
                found.append(path)
                waiting.append(path)
    return sorted(found)


def text_with_macros(xml: Path) -> str:
    """Return the text of a tool and of every macro that it expands."""
    blocks = {
        macro.get("name"): ElementTree.tostring(macro, encoding="unicode")
        for file in macro_files(xml)
        for macro in ElementTree.parse(file).iter("xml")  # noqa: S314 - files of this repository
    }
    text = xml.read_text(encoding="utf-8")
    seen: set[str] = set()
    while missing := set(re.findall(r'<expand macro="(\w+)"', text)) - seen:
        seen |= missing
        text += "".join(blocks.get(name, "") for name in sorted(missing))
    return text


def shared_test_files(xml: Path) -> list[Path]:
    """Return the files of the suite's `test-data/` that a tool's tests name."""
    words = set(re.findall(r'[^",\s]+', text_with_macros(xml)))
    files = sorted(path for path in TEST_DATA.rglob("*") if path.is_file())
    return [path for path in files if path.relative_to(TEST_DATA).as_posix() in words]


def help_pictures(xml: Path) -> list[Path]:
    """Return the pictures that a tool's help shows, with the tokens of its macros, sorted."""
    text = xml.read_text(encoding="utf-8")
    for file in macro_files(xml):
        tokens = ElementTree.parse(file).iter("token")  # noqa: S314 - files of this repository
        text += "".join(token.text or "" for token in tokens if token.get("name", "@") in text)
    return [PICTURES / name for name in sorted(set(PICTURE.findall(text)))]


def own_test_files(xml: Path) -> list[Path]:
    """Return the files of the tool's own `test-data/`."""
    return sorted(path for path in (xml.parent / "test-data").rglob("*") if path.is_file())


def configuration_files(xml: Path) -> list[Path]:
    """Return the files of a tool's folder that tell Galaxy of its data tables, and of a data manager."""
    names = ("data_manager_conf.xml", "tool_data_table_conf.xml.*", "tool-data/*.loc.sample")
    return sorted(path for name in names for path in xml.parent.glob(name))


def repository(xml: Path) -> dict[str, Any]:
    """Return the content of a tool's `.shed.yml`."""
    group, name = xml.parent.parent.name, xml.stem
    root = ElementTree.parse(xml).getroot()  # noqa: S314 - files of this repository
    description = (root.findtext("description") or "").strip()
    place = f"{group}/{name}/"
    more = [*configuration_files(xml), *own_test_files(xml)]
    own = [xml.name, f"{name}.py", *(path.relative_to(xml.parent).as_posix() for path in more)]
    include = [
        {"source": own, "destination": place},
        {
            "source": [f"../../macros/{path.name}" for path in macro_files(xml)],
            "strip_components": 2,
            "destination": "./",
        },
        {"source": ["../../../LICENSE"], "strip_components": 3, "destination": "./"},
    ]
    if INCLUDED:
        modules = library_files(xml.with_suffix(".py"))
        include.append(
            {
                "source": [f"../../../{path.relative_to(ROOT).as_posix()}" for path in modules],
                "strip_components": 4,
                "destination": place,
            }
        )
    if shared := shared_test_files(xml):
        include.append(
            {
                "source": [f"../../../{path.relative_to(ROOT).as_posix()}" for path in shared],
                "strip_components": 3,
                "destination": place,
            }
        )
    if pictures := help_pictures(xml):
        include.append(
            {
                "source": [f"../../../{path.relative_to(ROOT).as_posix()}" for path in pictures],
                "strip_components": 6,
                "destination": "static/images/bioimage_suite/",
            }
        )
    return {
        "owner": OWNER,
        "name": name,
        "description": description,
        "long_description": f"{root.get('name')}: {description}. {PART}",
        "categories": CATEGORIES[group],
        "homepage_url": HOME,
        "remote_repository_url": f"{HOME}/bioimage-suite-galaxy/tree/main/tools/{group}/{name}",
        "type": "unrestricted",
        "include": include,
    }


def suite(group: str) -> dict[str, Any]:
    """Return the content of a group's `.shed.yml`: a suite of its tools' repositories."""
    name = f"suite_bioimage_{group}"
    tools = [xml.stem for xml in tool_xml_files() if xml.parent.parent.name == group]
    return {
        "owner": OWNER,
        "name": name,
        "categories": CATEGORIES[group],
        "homepage_url": HOME,
        "remote_repository_url": f"{HOME}/bioimage-suite-galaxy/tree/main/tools/{group}",
        "suite": {
            "name": name,
            "description": SUITES[group],
            "long_description": f"{SUITES[group]}. {PART}",
            "include_repositories": [{"owner": OWNER, "name": tool} for tool in tools],
        },
    }


def shed_files() -> dict[Path, str]:
    """Return the text of every `.shed.yml` below `tools/`, by path."""
    contents = {xml.with_name(".shed.yml"): repository(xml) for xml in tool_xml_files()}
    contents |= {TOOLS / group / ".shed.yml": suite(group) for group in GROUPS}
    return {
        path: NOTICE + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
        for path, content in contents.items()
    }


def main() -> None:
    """Write all files that differ, and name them."""
    for path, text in shed_files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

"""Versions of the tools: `TOOL_VERSION+galaxyN`, and which of them are due for a new suffix.

    python -m scripts.tool_versions            # name the tools that changed since the last release
    python -m scripts.tool_versions --bump     # give these the next suffix, in XML, workflows and tutorials
    python -m scripts.tool_versions --record   # at a release: what is here now is what users have

`tools/released.json` keeps, for each tool, the version of the last release and a digest of what its jobs run: command
and form, macros, script, and every module and table of the library that the script imports. Documentation counts for
nothing: help, tests, comments and docstrings. A tool whose digest differs while its version is still the released one
would reach users as two tools of one version; tests/unit/project/test_tool_versions.py fails then.
"""

import argparse
import ast
import functools
import hashlib
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

from scripts.shed_files import library_files, macro_files
from scripts.suite_files import ROOT, TOOLS, tool_xml_files

RELEASED = TOOLS / "released.json"
VERSION = re.compile(r'<token name="@TOOL_VERSION@">([^<]+)</token>')
TUTORIAL_ID = re.compile(r"(repos/[^/)]+/[^/)]+/([^/)]+)/)([^/)]+)\)")
SUFFIX = re.compile(r'(<token name="@VERSION_SUFFIX@">)(\d+)(</token>)')


def tool_version(xml: Path) -> str:
    """Return the version of a tool as Galaxy shows it, such as `0.1.0+galaxy2`."""
    text = xml.read_text(encoding="utf-8")
    version, suffix = VERSION.search(text), SUFFIX.search(text)
    assert version, f"{xml}: no token @TOOL_VERSION@"
    assert suffix, f"{xml}: no token @VERSION_SUFFIX@"
    return f"{version[1]}+galaxy{suffix[2]}"


@functools.cache
def without_docstrings(text: str) -> str:
    """Return Python code without docstrings, comments and layout."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            node.body = [one for one in body if not _is_text(one)] or [ast.Pass()]
    return ast.unparse(tree)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def without_documentation(xml: Path) -> str:
    """Return the XML of a tool or of macros without help, tests and the tool's version."""
    root = ElementTree.parse(xml).getroot()  # noqa: S314 - files of this repository
    for parent in list(root.iter()):
        for child in list(parent):
            is_version = child.tag == "token" and child.get("name") in ("@TOOL_VERSION@", "@VERSION_SUFFIX@")
            if child.tag in ("help", "tests", "citations", "creator") or is_version:
                parent.remove(child)
    return ElementTree.canonicalize(ElementTree.tostring(root, encoding="unicode"), strip_text=True)


def digest(xml: Path) -> str:
    """Return a digest of what the jobs of a tool run."""
    script = xml.with_suffix(".py")
    found = hashlib.sha256()
    for file in (xml, *macro_files(xml)):
        found.update(without_documentation(file).encode())
    for file in (script, *library_files(script)):
        python = file.suffix == ".py"
        content = without_docstrings(file.read_text(encoding="utf-8")).encode() if python else file.read_bytes()
        found.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + content + b"\0")
    return found.hexdigest()


def changed_tools(released: dict[str, dict[str, str]]) -> list[Path]:
    """Return the tools that differ from the release but still have its version."""
    return [
        xml
        for xml in tool_xml_files()
        if (known := released.get(xml.stem))
        and known["version"] == tool_version(xml)
        and known["digest"] != digest(xml)
    ]


def bump(xml: Path) -> str:
    """Give a tool the next suffix, and return its new version."""
    text = xml.read_text(encoding="utf-8")
    xml.write_text(SUFFIX.sub(lambda found: f"{found[1]}{int(found[2]) + 1}{found[3]}", text), encoding="utf-8")
    return tool_version(xml)


def write_workflow_versions() -> list[Path]:
    """Write the tools' versions into the steps of all workflows, and return the workflows that changed."""
    versions = {xml.stem: tool_version(xml) for xml in tool_xml_files()}
    changed = []
    for file in sorted((ROOT / "workflows").glob("*/*.ga")):
        text = file.read_text(encoding="utf-8")
        content = json.loads(text)
        for step in content["steps"].values():
            step["tool_version"] = versions.get(step.get("tool_id"), step.get("tool_version"))
        new = json.dumps(content, indent=4) + "\n"
        if new != text:
            file.write_text(new, encoding="utf-8")
            changed.append(file)
    return changed


def write_tutorial_versions() -> list[Path]:
    """Write the tools' versions into the ids that tutorials name, and return the tutorials that changed."""
    versions = {xml.stem: tool_version(xml) for xml in tool_xml_files()}
    changed = []
    for file in sorted((ROOT / "docs" / "training").rglob("tutorial.md")):
        text = file.read_text(encoding="utf-8")
        new = TUTORIAL_ID.sub(lambda found: f"{found[1]}{versions.get(found[2], found[3])})", text)
        if new != text:
            file.write_text(new, encoding="utf-8")
            changed.append(file)
    return changed


def main(argv: list[str] | None = None) -> int:
    """Name, bump or record; 1 if tools are due and nothing was asked."""
    parser = argparse.ArgumentParser(prog="python -m scripts.tool_versions", description=__doc__.partition("\n")[0])
    parser.add_argument("--bump", action="store_true", help="give the changed tools the next suffix")
    parser.add_argument("--record", action="store_true", help="what is here now is the release")
    args = parser.parse_args(argv)
    due = changed_tools(json.loads(RELEASED.read_text(encoding="utf-8")))
    for xml in due:
        print(f"{xml.stem}: {tool_version(xml)} -> {bump(xml)}" if args.bump else f"{xml.stem}: {tool_version(xml)}")
    if args.bump:
        for file in (*write_workflow_versions(), *write_tutorial_versions()):
            print(file.relative_to(ROOT))
    if args.record:
        now = {xml.stem: {"version": tool_version(xml), "digest": digest(xml)} for xml in tool_xml_files()}
        RELEASED.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return 1 if due and not args.bump and not args.record else 0


if __name__ == "__main__":
    sys.exit(main())

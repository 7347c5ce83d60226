"""Ideas that have one home: no second module reads or writes them by itself."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = "src/bioimage_suite"
HOMES = {
    "identifier of an image": (r"""["'/(]Image_(\(|\\d|\[|\{)|startswith\(["']Image_""", ["core/image_names.py"]),
    "suffixes of images": (
        r"""(?<!: )["']\.tiff?["'], ["']\.(?!tiff?["'])|\(\\\.ome\)\?|[|(]tiff\?\||\|ozx|["']\.nd2["']""",
        # A crate's list is another idea: the suffixes with which a file goes into a package as it is.
        ["core/image_names.py", "fair/products/package.py"],
    ),
    "namespace of OME-XML": (r"""["']http://www\.openmicroscopy\.org/Schemas/OME/""", ["core/ome_xml.py"]),
    "media type of OMERO.tables": (r'"OMERO\.tables"', ["omero/files/original_files.py"]),
    "Report of a run": (r"""["']taken back["']""", ["tables/report.py"]),
    "frame and escaping of HTML pages": (r"<!DOCTYPE html|from html import|html\.escape", ["core/html.py"]),
    # The other is a list of ids in an argument.
    "table of units": (r"""["'](nanomet(er|re)|angstrom|millisecond|microns)["']""", ["core/units.py"]),
    # The other resumes what an interruption left of a download.
    "outputs that appear only when complete": (r"""["']\.part["']""", ["core/outputs.py", "fair/archives/download.py"]),
    "command line of a tool": (r"ArgumentParser\(", ["core/tool.py"]),
    "reading of tables": (r"csv\.(reader|DictReader)", ["omero/objects.py", "tables/delimited.py", "tables/reader.py"]),
    # The other has an example in a docstring.
    "addresses of licences": ("creativecommons", ["fair/archives/fetching.py", "fair/terms/licences.py"]),
}
"""For each idea: a pattern of code that only its home may have, and the home within the library, with exceptions."""


def files() -> list[Path]:
    return sorted(file for folder in (LIBRARY, "tools") for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("idea", HOMES)
def test_an_idea_has_one_home(idea: str):
    pattern, homes = HOMES[idea]
    found = [file for file in files() if re.search(pattern, file.read_text(encoding="utf-8"))]
    assert found == [ROOT / LIBRARY / home for home in homes]

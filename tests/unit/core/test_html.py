"""Pages of reports: readable without a style sheet, with their pictures inside."""

import base64
import re
import subprocess
from pathlib import Path

import pytest

from bioimage_suite.core.html import (
    ReportPage,
    Shaded,
    document,
    escaped,
    figure,
    meter,
    output_picture,
    paragraph,
    plain,
    section,
    table,
)
from bioimage_suite.core.outputs import Outputs
from scripts.suite_files import ROOT


def test_a_report_has_no_style_sheet_and_no_script() -> None:
    report = ReportPage("Report", (table(["name", "n"], [["a", 1], [Shaded("b", "#fff"), 2]], [1]),)).html
    assert not re.search("<style|<script|<link", report)
    assert '<td bgcolor="#fff">b</td><td align="right" nowrap>2</td>' in report


def test_pictures_are_inside_the_page() -> None:
    pictures = [("before", b"\x89PNG one"), ("after", b"\x89PNG two")]
    pattern = r'srcset="data:image/png;base64,([^"]+)"><img alt="(\w+)"'
    found = re.findall(pattern, figure(pictures, "cells").html)
    assert [(name, base64.b64decode(data)) for data, name in found] == pictures


def test_pictures_stand_beside_the_page_too(tmp_path: Path) -> None:
    """Galaxy's cleaning drops addresses that begin with `data:`; what is left names these files."""
    pictures = [("before", b"\x89PNG one"), ("after", b"\x89PNG two")]
    with Outputs() as outputs:
        page = ReportPage("Report", (figure(pictures, "cells"),))
        page.write(outputs, tmp_path / "page.html", None, tmp_path / "files")
    text = (tmp_path / "page.html").read_text()
    named = re.findall(r'<img alt="(\w+)"[^>]* src="([^"]+)"', text)
    assert [(name, (tmp_path / "files" / file).read_bytes()) for name, file in named] == pictures
    script = "import sys; from galaxy.util.sanitize_html import sanitize_html; print(sanitize_html(sys.stdin.read()))"
    python = ROOT / ".venv" / "galaxy" / "bin" / "python"
    cleaned = subprocess.run([str(python), "-c", script], input=text, capture_output=True, text=True, check=True).stdout
    assert re.findall(r'src="([^"]+)"', cleaned) == [file for _, file in named]
    assert "data:" not in cleaned


def test_only_long_words_may_break() -> None:
    words = table(["name"], [["x" * 31], ["x" * 30 + " y"]]).html
    assert words.count("overflow-wrap:anywhere") == 1


def test_titles_are_escaped_once() -> None:
    assert document("a & b", "", head="<meta name=x>").count("a &amp; b") == 1
    assert escaped("\"'<&") == "&quot;&#x27;&lt;&amp;"


def test_a_report_in_markdown_has_the_same_texts_tables_and_pictures() -> None:
    parts = (
        section(
            "Found", paragraph("3 objects"), table(["name", "n"], [["a|b", 1], [Shaded("c", "#fff"), meter(0.5)]], [1])
        ),
        output_picture("plot"),
        figure([("before", b"png")], "in the page alone"),
    )  # fmt: skip
    assert ReportPage("A & B", parts).markdown == (
        "# A \\& B\n\n## Found\n\n3 objects\n\n| name | n |\n| :--- | ---: |\n| a\\|b | 1 |\n| c | 50 % |\n\n"
        '```galaxy\nhistory_dataset_as_image(output="plot")\n```\n'
    )
    assert "history_dataset" not in ReportPage("A & B", parts).html


MARKUP = ["<script>", "| a |", "- a", "1. a", "# a", "&lt;", "a\n\nb", "=====", "~~~", "![x](y)", "```galaxy\nx()\n```"]


@pytest.mark.parametrize("text", [*MARKUP, "${galaxy history_dataset_link(history_dataset_id=1)}"])
def test_no_text_is_markup_in_markdown(text: str) -> None:
    from markdown_it import MarkdownIt

    shown = MarkdownIt("default", {"html": True}).render(plain(text))
    assert shown == f"<p>{escaped(' '.join(text.split())).replace('&#x27;', chr(39))}</p>\n"
    assert not re.search(r"\$\{galaxy|```", plain(text))

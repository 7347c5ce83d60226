"""Pages of reports: readable without a style sheet, with their pictures inside."""

import base64
import re

from bioimage_suite.core.html import Shaded, document, escaped, figure, page, table


def test_a_report_has_no_style_sheet_and_no_script() -> None:
    report = page("Report", [table(["name", "n"], [["a", 1], [Shaded("b", "#fff"), 2]], [1])])
    assert not re.search("<style|<script|<link", report)
    assert '<td bgcolor="#fff">b</td><td align="right" nowrap>2</td>' in report


def test_pictures_are_inside_the_page() -> None:
    pictures = [("before", b"\x89PNG one"), ("after", b"\x89PNG two")]
    found = re.findall(r'alt="(\w+)"[^>]* src="data:image/png;base64,([^"]+)"', figure(pictures, "cells").html)
    assert [(name, base64.b64decode(data)) for name, data in found] == pictures


def test_only_long_words_may_break() -> None:
    words = table(["name"], [["x" * 31], ["x" * 30 + " y"]]).html
    assert words.count("overflow-wrap:anywhere") == 1


def test_titles_are_escaped_once() -> None:
    assert document("a & b", "", head="<meta name=x>").count("a &amp; b") == 1
    assert escaped("\"'<&") == "&quot;&#x27;&lt;&amp;"

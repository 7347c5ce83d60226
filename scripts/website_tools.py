"""A page of the website from a tool's help."""

import html
import re
from pathlib import Path
from xml.etree import ElementTree

from scripts.shed_files import macro_files
from scripts.tool_versions import tool_version

TOKEN = re.compile(r"@[A-Z_]+@")
IMAGE = re.compile(r"\.\. image:: \$\{static_path\}/bioimage_suite/(\S+)\n +:alt: (.*)\n")


def tool_page(xml: Path) -> str:
    """Return the page of a tool: what it is, its id and version, and its help.

    The help is reStructuredText, with the tokens of the macros in it; it becomes HTML, which Markdown leaves as it is.
    """
    from docutils.core import publish_parts

    root = ElementTree.parse(xml).getroot()  # noqa: S314 - files of this repository
    tokens = dict(_tokens(xml))
    text = root.findtext("help") or ""
    while found := TOKEN.search(text):
        text = text.replace(found[0], tokens[found[0]])
    shown = "".join(f"![{alt}](../../../docs/images/tools/{name})\n\n" for name, alt in IMAGE.findall(text))
    text = IMAGE.sub("", text)
    settings = {"report_level": 3, "halt_level": 3, "initial_header_level": 2, "raw_enabled": False}
    body = publish_parts(text, writer="html5", settings_overrides=settings)["fragment"]
    name, description = root.get("name", xml.stem), root.findtext("description") or ""
    return (
        f"# {name}\n\n"
        f"**{html.escape(name)}** {html.escape(description)}.\n\n"
        f"Id `{xml.stem}`, version `{tool_version(xml)}`\n\n"
        f"{shown}<div>\n{body}\n</div>\n"
    )


def _tokens(xml: Path) -> list[tuple[str, str]]:
    """Return name and text of each token that a tool and its macros define."""
    files = [xml, *macro_files(xml)]
    roots = [ElementTree.parse(file).getroot() for file in files]  # noqa: S314 - files of this repository
    return [(one.get("name", ""), one.text or "") for root in roots for one in root.iter("token")]

"""Build the website: `python -m scripts.website [FOLDER]`, which `make site` calls.

Its pages are written from what the repository holds anyway: README.md, docs/, the help of the tools, the READMEs of the
workflows, and the tutorials. A link to a file that has a page leads to the page, one to another file of the repository
to GitHub; one that leads nowhere ends the build. Runs in `.venv/docs`.
"""

import argparse
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from scripts.suite_files import GROUPS, ROOT, tool_xml_files
from scripts.website_tools import tool_page
from scripts.website_tutorials import tutorial_page

REPOSITORY = "https://github.com/bioimage-suite-galaxy/bioimage-suite-galaxy/blob/main/"
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#]*)(#[^)\s]*)?((?: \"[^\"]*\")?\))")
CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
DEFAULT = ROOT / ".sandbox" / "website"
GROUP_NAMES = {
    "omero": "Galaxy and OMERO",
    "image": "Images",
    "plate": "Plates and open tables",
    "fair": "Metadata and archives",
    "data_managers": "Administrators",
}


class WebsiteError(Exception):
    """A page that cannot be made, with its file and the reason."""


@dataclass(frozen=True)
class Page:
    """One page: the file it is made from, its place in the website, its section in the navigation, its text."""

    source: Path
    place: str
    section: str
    text: str


def pages() -> Iterator[Page]:
    """Yield all pages in the order of the navigation."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    # Badges are pictures of other servers.
    yield Page(ROOT / "README.md", "index.md", "", re.sub(r"^\[!\[.*\n", "", readme, flags=re.MULTILINE))
    for file in sorted(ROOT.glob("docs/training/topics/*/tutorials/*/tutorial.md")):
        yield Page(file, f"tutorials/{file.parent.name}.md", "Tutorials", tutorial_page(file))
    for folder, section in (("case-studies", "Case studies"), ("guides", "Guides"), (".", "Documentation")):
        for file in sorted((ROOT / "docs" / folder).glob("*.md")):
            place = posixpath.normpath(f"docs/{folder}/{file.name}")
            yield Page(file, place, section, file.read_text(encoding="utf-8"))
    for file in sorted(ROOT.glob("workflows/*/README.md")):
        yield Page(file, f"workflows/{file.parent.name}.md", "Workflows", file.read_text(encoding="utf-8"))
    for group in GROUPS:
        for xml in tool_xml_files():
            if xml.parents[1].name == group:
                yield Page(xml, f"tools/{xml.stem}.md", f"Tools/{GROUP_NAMES.get(group, group)}", tool_page(xml))


def with_links(page: Page, places: dict[Path, str], copied: dict[Path, str]) -> str:
    """Return a page's text with links that hold in the website.

    Args:
        page: The page.
        places: Place of each page by the file it is made from.
        copied: Gets the pictures that the page shows, with their places.

    Raises:
        WebsiteError: A link leads to nothing.
    """

    def replaced(found: re.Match[str]) -> str:
        before, target, anchor, after = found[1], found[2], found[3] or "", found[4]
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        file = (page.source.parent / target).resolve()
        if not file.exists() or ROOT not in (file, *file.parents):
            raise WebsiteError(f"{page.source.relative_to(ROOT)}: the link {target!r} leads to no file.")
        if file in places:
            return f"{before}{_relative(places[file], page.place)}{anchor}{after}"
        if before.startswith("!"):
            copied[file] = file.relative_to(ROOT).as_posix()
            return f"{before}{_relative(copied[file], page.place)}{after}"
        return f"{before}{REPOSITORY}{file.relative_to(ROOT).as_posix()}{anchor}{after}"

    parts = CODE.split(page.text)
    return "".join(part if part.startswith("`") else LINK.sub(replaced, part) for part in parts)


def _relative(place: str, page: str) -> str:
    return posixpath.relpath(place, posixpath.dirname(page) or ".")


def navigation(made: list[Page]) -> list[object]:
    """Return the navigation in mkdocs' form: pages by section, one level of sections below another at most."""
    nav: list[object] = []
    sections: dict[str, list[object]] = {"": nav}
    for page in made:
        for depth in range(1, page.section.count("/") + 2):
            path = "/".join(page.section.split("/")[:depth])
            if path and path not in sections:
                sections[path] = []
                sections[path.rpartition("/")[0]].append({path.rpartition("/")[2]: sections[path]})
        sections[page.section].append(page.place)
    return nav


def write(folder: Path) -> Path:
    """Write pages and configuration below a folder, which is made anew; return the configuration."""
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "pages"
    made = list(pages())
    places = {page.source.resolve(): page.place for page in made}
    copied: dict[Path, str] = {}
    for page in made:
        file = source / page.place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(with_links(page, places, copied), encoding="utf-8")
    for original, place in copied.items():
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(original, source / place)
    config = folder / "mkdocs.yml"
    settings = {
        "INHERIT": str(ROOT / "mkdocs.yml"),
        "docs_dir": str(source),
        "site_dir": str(folder / "html"),
        "nav": navigation(made),
    }
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return config


def main(argv: list[str] | None = None) -> int:
    """Write and build; 0 only without a warning."""
    parser = argparse.ArgumentParser(prog="python -m scripts.website", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT, help="made anew; the website is in its html/")
    folder = parser.parse_args(argv).folder.resolve()
    try:
        config = write(folder)
    except WebsiteError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", str(config)]
    # mkdocs-material tells of other programs on every run.
    code = subprocess.run(command, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=False).returncode
    if code == 0:
        print(f"Website: {folder / 'html' / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())

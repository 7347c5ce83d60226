"""The website: built without a warning, every link leads somewhere, found by its search, readable on a phone.

Pictures of what was seen are kept in `.sandbox/reports/`.
"""

import contextlib
import functools
import http.server
import re
import subprocess
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

import pytest

from sandbox.setup import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
REPORTS = ROOT / ".sandbox" / "reports"
PYTHON = ROOT / ".venv" / "docs" / "bin" / "python"
PHONE, SCREEN = 390, 1200


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    if not PYTHON.exists():
        pytest.skip("the website's environment is not installed here: python3 -m sandbox.setup docs")
    command = [str(PYTHON), "-m", "scripts.website", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built website."""
    folder = tmp_path_factory.mktemp("website")
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with serving(site) as url:
        yield url


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


class Links(HTMLParser):
    """Addresses and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := found.get(name))]
        self.anchors |= {value for name in ("id", "name") if (value := found.get(name))}


def test_every_link_leads_to_a_file_and_an_anchor(site: Path) -> None:
    pages = {file: Links(file.read_text()) for file in site.rglob("*.html") if file.name != "404.html"}
    assert len(pages) > 40
    broken = []
    for file, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(unquote(link))
            if re.match(r"[a-z]+:|//|/", target):
                continue
            led = (file.parent / target).resolve() if target else file
            led = led / "index.html" if led.is_dir() else led
            if not led.is_file() or (anchor and led in pages and anchor not in pages[led].anchors):
                broken.append(f"{file.relative_to(site)}: {link}")
    assert broken == []


def test_a_link_to_nothing_ends_the_build() -> None:
    from scripts import website

    source = ROOT / "docs" / "a.md"
    page = website.Page(source, "docs/a.md", "", "[x](architecture.md) `[y](no.md)` ![z](images/nuclei-overview.png)")
    places = {(ROOT / "docs" / "architecture.md"): "docs/architecture.md"}
    copied: dict[Path, str] = {}
    expected = "[x](architecture.md) `[y](no.md)` ![z](images/nuclei-overview.png)"
    assert website.with_links(page, places, copied) == expected
    assert list(copied.values()) == ["docs/images/nuclei-overview.png"]
    with pytest.raises(website.WebsiteError, match=r"docs/a.md: the link 'no.md' leads to no file"):
        website.with_links(website.Page(source, "docs/a.md", "", "[x](no.md)"), places, copied)


@pytest.mark.parametrize("width", [PHONE, SCREEN])
@pytest.mark.parametrize("place", ["", "tutorials/omero-round-trip/", "tools/segment_objects/"])
def test_a_page_fits_its_window_and_asks_no_other_server(page: "Page", address: str, place: str, width: int) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address + place)
    REPORTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=REPORTS / f"website_{place.replace('/', '_')}{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0 && one.alt)")


def test_the_search_finds_a_tool_and_a_tutorial(page: "Page", address: str) -> None:
    page.goto(address)
    page.click("input.md-search__input")
    page.keyboard.type("colour deconvolution")
    page.wait_for_selector(".md-search-result__item a", timeout=30_000)
    found = page.eval_on_selector_all(".md-search-result__item a", "all => all.map(one => one.getAttribute('href'))")
    assert any("tools/quantify_staining" in link for link in found)
    assert any("tutorials/stained-tissue" in link for link in found)


def test_a_solution_is_hidden_until_it_is_opened(page: "Page", address: str) -> None:
    page.goto(address + "tutorials/omero-round-trip/")
    answer = page.get_by_text("59: the rows of both tables.")
    assert not answer.is_visible()
    page.locator("details.success", has=answer).locator("summary").click()
    assert answer.is_visible()

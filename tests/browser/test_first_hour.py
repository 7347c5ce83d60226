"""The first hour of a new user, in Chromium: what README and Galaxy's first page say, from `make demo` to a report.

The sandbox and the home are empty at first. Pictures of every page are kept in `.sandbox/reports/`.
It takes minutes and runs as part of `make test-training`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.setup import ROOT
from tests.training.by_hand import choose_data

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

VARIABLE = "BIOIMAGE_TEST_FIRST_HOUR"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(VARIABLE not in os.environ, reason="minutes of a demo and a browser: make test-training"),
]
REPORTS = ROOT / ".sandbox" / "reports"
PATIENCE_MS, JOBS_MS = 240_000, 600_000  # of a busy machine
TOURS = [
    "First steps with the Bioimage Suite", "Store your OMERO login", "The round trip",
    "Describe, check and deposit", "Follow moving cells", "Many runs from a terminal", "Reuse a published study",
    "Segment and measure well", "Stained tissue",
]  # fmt: skip
"""As the first page lists them: for somebody new, then by name."""
See = Callable[[str], None]


@dataclass(frozen=True)
class Printed:
    """What `make demo` printed."""

    galaxy: str
    omero: str
    user: str
    password: str


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printed]:
    """The demo, run to its end; its servers stay until the tests of this file are over."""
    home = tmp_path_factory.mktemp("home")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")  # what the set-up compiled
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": cache, "BIOIMAGE_SANDBOX": str(home / "sandbox")}
    run = [sys.executable, "-m"]
    try:
        done = subprocess.run(
            [*run, "scripts.demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        galaxy = re.search(r"Galaxy  (http://\S+)", done.stdout)
        omero = re.search(r"OMERO   server (\S+)   login (\S+)   password (\S+)", done.stdout)
        assert galaxy, done.stdout
        assert omero, done.stdout
        yield Printed(galaxy[1], *omero.groups())
    finally:
        subprocess.run([*run, "sandbox", "down"], cwd=ROOT, env=environment, check=False)


@pytest.fixture(scope="module")
def newcomer(browser: "Browser", printed: Printed) -> "Iterator[Page]":
    """A page on which a new user has just registered."""
    page = browser.new_page(viewport={"width": 1400, "height": 950})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(printed.galaxy)
    welcome(page).get_by_role("link", name="log in or register").click()
    page.get_by_text("Register here").click()
    for name, value in {
        "email": "ada@example.org",
        "username": "ada",
        "password": "loom-1843",
        "confirm": "loom-1843",
    }.items():
        page.fill(f"input[name={name}]", value)
    page.click("button[name=create]")
    page.locator("iframe:visible").wait_for()
    yield page
    page.close()


@pytest.fixture
def see(newcomer: "Page", request: pytest.FixtureRequest) -> See:
    """Keep a picture of the page."""
    REPORTS.mkdir(parents=True, exist_ok=True)

    def keep(what: str) -> None:
        newcomer.screenshot(path=REPORTS / f"first_hour_{request.node.name}_{what}.png")

    return keep


def welcome(page: "Page") -> "Frame":
    """The first page, in its frame: Galaxy asks for `/welcome`, which leads to the page."""
    frame = page.locator("iframe.center-frame:visible").first.element_handle().content_frame()
    assert frame is not None
    frame.wait_for_url("**/static/welcome.html")
    return frame


def wait_for_picture(page: "Page", width: int) -> None:
    """Wait until a dataset is shown as a picture of more than so many pixels."""
    page.wait_for_function(
        "width => [...document.images].some(one => one.src.includes('dataset_id=') && one.naturalWidth > width)",
        arg=width,
    )


def run(page: "Page", data: dict[str, str], made: str) -> None:
    """Choose data in the form that is open, run it, and wait until the newest output of this name is done."""
    history = page.locator("#current-history-panel")
    page.locator("button#execute").first.wait_for()
    history.locator(".content-item").first.wait_for()
    before = int(history.locator(".content-item").first.get_attribute("data-hid") or 0)
    for key, name in data.items():
        choose_data(page.locator(f'div.ui-form-element[id="form-element-{key}"]'), [f"hda: {name}"])
    page.get_by_role("button", name="Run Tool").first.click()
    page.get_by_text("Started tool").first.wait_for()
    new = [f'.content-item[data-hid="{before + number}"][data-state="ok"]' for number in (1, 2, 3)]
    history.locator(", ".join(new)).filter(has_text=made).first.wait_for(timeout=JOBS_MS)


def test_1_an_example_shows_its_report(newcomer: "Page", printed: Printed, see: See) -> None:
    newcomer.goto(printed.galaxy)
    first = welcome(newcomer)
    first.get_by_text("Logged in as ada@example.org").wait_for()
    first.locator("#tours a").nth(len(TOURS) - 1).wait_for()
    assert first.locator("#tours a").all_inner_texts() == TOURS
    see("welcome")
    first.get_by_role("link", name="Example 1: nuclei in one image").click()
    newcomer.get_by_text("Import this history").first.wait_for()
    see("history")
    item = newcomer.locator(".content-item").filter(has_text="report").filter(has_not_text="web page")
    item.locator(".display-btn").first.click()
    newcomer.get_by_role("heading", name="Nuclei of one image").wait_for()
    wait_for_picture(newcomer, 300)
    see("report")


def test_2_one_image_is_segmented(newcomer: "Page", printed: Printed, see: See) -> None:
    newcomer.goto(printed.galaxy)
    welcome(newcomer).get_by_role("link", name="Example 1: nuclei in one image").click()
    newcomer.get_by_text("Import this history").first.click()
    newcomer.get_by_role("button", name="Copy History").click()
    newcomer.get_by_text("History imported and is now your active history").wait_for()
    newcomer.goto(printed.galaxy)
    welcome(newcomer).get_by_role("link", name="Segment objects").click()
    run(newcomer, {"image": "nuclei.ome.tiff"}, "label map")
    see("segmented")
    newcomer.goto(printed.galaxy)
    welcome(newcomer).get_by_role("link", name="Overlay objects").click()
    run(newcomer, {"images": "nuclei.ome.tiff", "labels": "label map"}, "contact sheet")
    see("drawn")


def test_3_a_dataset_of_omero_is_measured_with_a_login_stored_by_hand(
    newcomer: "Page", printed: Printed, see: See
) -> None:
    newcomer.goto(printed.galaxy)
    first = welcome(newcomer)
    first.get_by_role("link", name="for all tools").click()
    first.fill("input[name=username]", printed.user)
    first.fill("input[name=password]", printed.password)
    see("login")
    first.get_by_role("button", name="Store for all tools").click()
    first.get_by_text(re.compile(r"Stored for \d\d tools")).wait_for()
    see("stored")
    first.get_by_role("link", name="Back").click()
    first.locator("#dataset code").wait_for()
    told = [first.locator(place).inner_text() for place in ("#omero", "#dataset code")]
    assert told[0] == printed.omero
    first.get_by_role("link", name="Measure nuclei in an OMERO dataset").click()
    newcomer.get_by_text("You have already provided credentials for this workflow").wait_for()
    for place, value in enumerate((*told, "0")):
        newcomer.get_by_placeholder("please provide text input").nth(place).fill(value)
    see("filled")
    newcomer.get_by_role("button", name="Run Workflow").click()
    # Can be clicked when all is done.
    newcomer.get_by_text("Report", exact=True).first.click(timeout=JOBS_MS)
    assert re.search(r"\b([1-9]\d*) of \1 jobs complete", newcomer.locator("body").inner_text())
    newcomer.get_by_role("heading", name="Nuclei in an OMERO dataset").wait_for()
    wait_for_picture(newcomer, 600)
    newcomer.get_by_text("ROIs in OMERO").first.wait_for()
    see("report")

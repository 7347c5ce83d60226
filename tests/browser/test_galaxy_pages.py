"""Every page that a tool makes, as a user meets it: in Chromium, through a real Galaxy.

Pictures of what was seen are kept in `.sandbox/reports/`. It takes minutes and runs as part of `make test-training`.
"""

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bioblend.galaxy import GalaxyInstance
from PIL import Image

from bioimage_suite.fair.vitessce.config import OBJECT_COLOUR
from sandbox.galaxy import server as galaxy_server
from sandbox.setup import ROOT
from tests.browser.galaxy_history import History, Source, make_reports, make_views

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

VARIABLE = "BIOIMAGE_TEST_FIRST_HOUR"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(VARIABLE not in os.environ, reason="minutes of a Galaxy and a browser: make test-training"),
]
REPORTS = ROOT / ".sandbox" / "reports"
PATIENCE_MS = 240_000
HEADINGS = {
    "overlay_objects": "Overlay",
    "summarize_measurements": "Measurements",
    "metadata_report": "Metadata completeness",
    "validate_metadata": "Metadata validation",
    "validate_crate": "Crate validation",
    "attribute_results": "Whose images these results come from",
    "find_hits": "Screen",
}
WITH_PICTURES = {"overlay_objects", "summarize_measurements", "find_hits"}
PICTURE_IS_THERE = "[...document.images].some(one => one.naturalWidth > 200 && one.clientWidth > 200)"
See = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """The Galaxy's address, and what its user's history has."""

    url: str
    history: str
    reports: dict[str, dict[str, Source]]
    views: dict[str, Source]


@pytest.fixture(scope="module")
def user(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[tuple[Page, Made]]":
    """A page that is logged in to a Galaxy with an output of each tool that makes a page."""
    galaxy = galaxy_server.start(tmp_path_factory.mktemp("pages") / "galaxy", ROOT / "tools")
    try:
        gi = GalaxyInstance(galaxy.url, key=galaxy.user_key)
        history = History(gi, gi.histories.create_history("pages")["id"])
        made = Made(galaxy.url, history.id, make_reports(history), make_views(history))
        history.wait()
        page = browser.new_page(viewport={"width": 1400, "height": 950})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{galaxy.url}/login/start")
        page.fill("input[name=login]", galaxy.user_email)
        page.fill("input[name=password]", galaxy.password)
        page.click("button[name=login]")
        page.locator("iframe:visible").wait_for()
        page.goto(f"{galaxy.url}/history/set_as_current?id={history.id}")
        yield page, made
        page.close()
    finally:
        galaxy_server.stop(galaxy)


@pytest.fixture
def see(user: "tuple[Page, Made]") -> See:
    """Keep a picture of the page."""
    REPORTS.mkdir(parents=True, exist_ok=True)

    def keep(what: str) -> None:
        user[0].screenshot(path=REPORTS / f"galaxy_pages_{what}.png")

    return keep


def dataset_frame(page: "Page", identifier: str) -> "Frame":
    """The frame in which Galaxy shows a dataset's own page."""
    element = page.wait_for_selector(f"iframe[src*='{identifier}']")
    frame = element.content_frame() if element else None
    assert frame
    frame.wait_for_load_state()
    return frame


def orange(page: "Page") -> float:
    """Share of the page's pixels in the colour of objects: image and page are grey."""
    pixels = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    return float((pixels[..., 0] - pixels[..., 2] > OBJECT_COLOUR[0] // 4).mean())


def see_until(is_seen: Callable[[], bool], page: "Page") -> None:
    """Wait until something is drawn, or fail."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not is_seen():
        assert time.monotonic() < end, "it was not drawn in time"
        page.wait_for_timeout(1000)


@pytest.mark.parametrize("tool", HEADINGS)
def test_a_report_opens_as_a_report_where_its_eye_leads(tool: str, user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    outputs = made.reports[tool]
    page.goto(f"{made.url}/datasets/{outputs['report_markdown']['id']}/report")
    page.get_by_role("heading", name=HEADINGS[tool]).first.wait_for()
    if tool in WITH_PICTURES:
        page.wait_for_function(PICTURE_IS_THERE)
    see(f"{tool}_markdown")


def test_the_eye_of_a_report_leads_there(user: "tuple[Page, Made]") -> None:
    """The tab *Preview* of Galaxy 26.1 would show the source of its Markdown."""
    page, made = user
    page.goto(made.url)
    item = page.locator(".content-item").filter(has_text="Overlay objects on dataset 1 and 2: report")
    item.filter(has_not_text="web page").locator(".display-btn").first.click()
    page.wait_for_url(f"**/datasets/{made.reports['overlay_objects']['report_markdown']['id']}/report")


@pytest.mark.parametrize("tool", HEADINGS)
def test_an_allowed_page_opens_with_its_pictures(tool: str, user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    name = "output_html" if tool == "overlay_objects" else "report"
    identifier = made.reports[tool][name]["id"]
    page.goto(f"{made.url}/datasets/{identifier}/preview")
    frame = dataset_frame(page, identifier)
    frame.get_by_role("heading", name=HEADINGS[tool]).first.wait_for()
    if tool in WITH_PICTURES:
        frame.wait_for_function(PICTURE_IS_THERE)
    see(f"{tool}_html")


def test_image_labels_and_scatter_are_seen_in_galaxy(user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    page.goto(f"{made.url}/datasets/{made.views['page']['id']}/preview")
    frame = dataset_frame(page, made.views["page"]["id"])
    frame.get_by_text("125 segmentations, 1 image").wait_for()
    frame.get_by_text("Scatterplot (area_px and mean_DAPI)").wait_for()
    heights = frame.evaluate("[...document.querySelectorAll('canvas')].map(one => one.clientHeight)")
    assert max(heights) > 250, heights
    see("vitessce_page")


def test_the_label_map_inside_an_ome_zarr_is_seen_in_galaxy(user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    page.goto(f"{made.url}/datasets/{made.views['zarr_page']['id']}/preview")
    frame = dataset_frame(page, made.views["zarr_page"]["id"])
    frame.get_by_text("Spatial Layers").wait_for()
    see_until(lambda: orange(page) > 0.005, page)
    see("vitessce_zarr_page")


def test_galaxys_vitessce_shows_the_configuration(user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    page.goto(f"{made.url}/datasets/{made.views['view']['id']}/preview")
    frames = page.frame_locator("iframe:visible").last
    frames.get_by_text("Scatterplot (area_px and mean_DAPI)").wait_for()
    see("vitessce_view")


def test_galaxys_vizarr_shows_an_ome_zarr(user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    page.goto(f"{made.url}/visualizations/display?visualization=vizarr&dataset_id={made.views['zarr']['id']}")
    frames = page.frame_locator("iframe:visible").last
    frames.get_by_text("Nuclei", exact=True).wait_for()
    see("vizarr")


def test_the_box_of_tools_finds_what_a_biologist_types(user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    page.goto(made.url)
    page.get_by_placeholder("search tools").fill("count cells")
    page.locator("#toolbox-panel, .toolMenuContainer").get_by_text("Measure objects").first.wait_for()
    see("search")


def test_the_help_shows_its_picture(user: "tuple[Page, Made]", see: See) -> None:
    page, made = user
    page.goto(f"{made.url}/?tool_id=segment_objects&version=latest")
    picture = page.locator("img[src*='bioimage_suite/segment_objects']").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.images].some(one => one.src.includes('bioimage_suite') && one.naturalWidth > 0)"
    )
    see("help")

"""OMERO.web, iviewer and figure in Debian's Chromium, unmodified from PyPI, on the OMERO sandbox.

Pictures of what was seen are kept in `.sandbox/reports/`.
"""

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sandbox.omero.launch import running_server
from sandbox.setup import ROOT
from tests.browser.chromium import ROI_TAB
from tests.omero.web.content import OBJECTS, Content, content

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
REPORTS = ROOT / ".sandbox" / "reports"
PATIENCE_MS = 20_000
See = Callable[[str, str], None]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Content]":
    """A user's content on a server of its own, with OMERO.web."""
    folder = tmp_path_factory.mktemp("omero")
    with running_server(folder / "server") as server, content(server, folder) as made:
        yield made


@pytest.fixture(scope="module")
def user(browser: "Browser", shown: Content) -> "Iterator[Page]":
    """A page on which the user is logged in."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(shown.address("/webclient/login/"))
    page.fill("#id_username", shown.lab.user)
    page.fill("#id_password", shown.lab.password)
    page.click("input[type=submit]")
    page.wait_for_selector("#dataTree")
    yield page
    page.close()


@pytest.fixture
def see(user: "Page", shown: Content, request: pytest.FixtureRequest) -> "Iterator[See]":
    """Open an address, wait for something on it; errors of the page's scripts fail the test."""
    faults: list[str] = []
    note = faults.append
    user.on("pageerror", lambda error: note(str(error)))

    def look(pattern: str, selector: str) -> None:
        user.goto(shown.address(pattern))
        user.wait_for_selector(selector)

    yield look
    REPORTS.mkdir(parents=True, exist_ok=True)
    user.screenshot(path=REPORTS / f"omero_web_{request.node.name}.png")
    assert not faults


def tree_item(name: str) -> str:
    return f".jstree-anchor:has-text({name!r})"


def seen(page: "Page", selector: str) -> np.ndarray:
    """The picture of a part of a page, shape (Y, X, 3)."""
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).first.screenshot())).convert("RGB")).astype(int)


def test_tree_thumbnails_and_annotations(user: "Page", see: See, shown: Content) -> None:
    see("/webclient/?show=image-{image}", tree_item("cells_1.ome.tif"))
    for name in ("Project one", "Dataset one", "cells_2.ome.tif", "Screen one", "Orphaned Images"):
        user.wait_for_selector(tree_item(name))
    user.wait_for_selector(f"#image_icon-{shown.ids['image']} img[src^='data:image/jpeg']")
    for pane in ("Tags", "Key-Value Pairs", "Attachments"):
        user.click(f"#general_tab h1:has-text('{pane}')")
    user.wait_for_selector("text=a tag of mine")
    user.wait_for_selector("table.keyValueTable td:has-text('TP53')")
    assert user.locator("table.keyValueTable td:has-text('TP53')").count() == 1
    # What a user wrote is shown, not obeyed.
    assert user.locator("table.keyValueTable").get_by_text("<b>dose</b>").count() == 1
    user.wait_for_selector("#general_tab >> text=measurements")


def test_the_page_of_the_table_that_our_tool_wrote(user: "Page", see: See) -> None:
    see("/webclient/omero_table/{table}/", "th:has-text('area_px')")
    cells = [row.split("\t")[-1] for row in user.locator("table").first.inner_text().splitlines()]
    assert cells == ["area_px", "1000", "2000"]


def test_plate_grid(user: "Page", see: See, shown: Content) -> None:
    see("/webclient/?show=well-{well}", f"#well-{shown.ids['well']}")
    user.wait_for_selector("#spw td.well img")
    # While a picture loads, its well may have two elements.
    assert user.locator("#spw td.well:has(img)").count() == 3


def test_iviewer_draws_our_rois_on_the_image(user: "Page", see: See) -> None:
    see("/iviewer/?images={image}", "canvas")
    user.wait_for_selector(ROI_TAB)
    user.wait_for_timeout(3000)
    before = seen(user, "canvas")
    user.click(ROI_TAB)
    user.wait_for_timeout(3000)
    after = seen(user, "canvas")
    drawn = (before != after).any(axis=2)
    assert user.locator(ROI_TAB).inner_text() == f"ROIs [{len(OBJECTS)}]"
    assert drawn.sum() > 200


def test_iviewer_opens_an_image_from_a_well(user: "Page", see: See) -> None:
    see("/iviewer/?well={well}", "canvas")
    user.wait_for_selector("text=well_00.tif")
    user.wait_for_timeout(3000)
    assert len(np.unique(seen(user, "canvas").reshape(-1, 3), axis=0)) > 50


def test_a_figure_is_made_and_saved(user: "Page", see: See, shown: Content) -> None:
    see("/figure/new/?image={image}", ".imagePanel img, .imagePanel canvas")
    user.once("dialog", lambda dialog: dialog.accept("my figure"))
    user.click("button.save_figure")
    user.wait_for_url("**/figure/file/*")
    query = "select f.name from FileAnnotation a join a.file f where a.ns like '%figure%'"
    assert shown.lab.rows(query) == [["my figure"]]


def test_a_dataset_moves_to_another_group(user: "Page", see: See, shown: Content) -> None:
    moving = shown.lab.container("Dataset", "moving")
    see(f"/webclient/?show=dataset-{moving}", tree_item("moving"))
    user.click(tree_item("moving"), button="right")
    user.click(".vakata-context a:has-text('Move to Group')")
    user.click(f"#group_chooser >> text={shown.other_group}")
    user.click(".ui-dialog-buttonset button:visible:has-text('OK')")
    user.wait_for_selector(tree_item("moving"), state="detached")
    _wait_until(user, lambda: shown.lab.rows(f"select d.id from Dataset d where d.id = {moving}") == [])


def test_an_image_is_deleted(user: "Page", see: See, shown: Content) -> None:
    see("/webclient/?show=image-{orphan}", tree_item("orphan.tif"))
    user.click(tree_item("orphan.tif"), button="right")
    user.click(".vakata-context a:has-text('Delete')")
    user.click(".ui-dialog-buttonset button:visible:has-text('Yes')")
    query = f"select i.id from Image i where i.id = {shown.ids['orphan']}"
    _wait_until(user, lambda: shown.lab.rows(query) == [])


def _wait_until(page: "Page", done: Callable[[], bool]) -> None:
    for _ in range(100):
        if done():
            return
        page.wait_for_timeout(200)
    raise AssertionError("not done within 20 s")

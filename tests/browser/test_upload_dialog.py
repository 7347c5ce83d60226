"""An image of OMERO by Galaxy's upload dialog, taken in Chromium: what a tool makes from it finds its way back.

Pictures of what was seen are kept in `.sandbox/reports/`. It takes minutes and runs as part of `make test-training`.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import omero.clients
import pytest
from bioblend.galaxy import GalaxyInstance

from sandbox.galaxy import server as galaxy_server
from sandbox.omero.launch import running_server
from sandbox.setup import ROOT
from sandbox.state import OmeroServer
from scripts.omero_file_source import store_omero_source
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from tests.galaxy.seed_omero import PASSWORD, PROJECT, USER, make_content, make_user
from tests.galaxy.upload_dialog import tool_rows
from tests.training.by_pages import open_upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

VARIABLE = "BIOIMAGE_TEST_FIRST_HOUR"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(VARIABLE not in os.environ, reason="minutes of a Galaxy and a browser: make test-training"),
]
REPORTS = ROOT / ".sandbox" / "reports"
PATIENCE_MS, JOBS_MS = 240_000, 600_000  # of a busy machine
SOURCE, DATASET, IMAGE, ROI = "OMERO of the test", "nuclei", "cell_2.tif", "from the upload dialog"
TABLE = ".selection-dialog-modal .selection-dialog-table"


@dataclass(frozen=True)
class Place:
    """A Galaxy whose user has the OMERO server as a file source, and the login stored for the tools."""

    gi: GalaxyInstance
    omero: OmeroServer
    history: str


@pytest.fixture(scope="module")
def visited(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[tuple[Page, Place]]":
    """A page that is logged in to the Galaxy, with an empty history."""
    folder = tmp_path_factory.mktemp("dialog")
    with running_server(folder / "omero") as server:
        known = OmeroServer(server.host, server.port, server.tcp_port, server.root_password, ())
        make_user(known.host, known.port, known.root_password)
        make_content(known.host, known.port)
        galaxy = galaxy_server.start(folder / "galaxy", ROOT / "tools")
        try:
            gi = GalaxyInstance(galaxy.url, key=galaxy.user_key)
            login = OmeroLogin(USER, PASSWORD)
            store_omero_source(gi, login, known.host, known.port, SOURCE)
            store_omero_login(gi, login, tools_that_want_omero(gi))
            place = Place(gi, known, gi.histories.create_history("dialog")["id"])
            page = browser.new_page(viewport={"width": 1400, "height": 950})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{galaxy.url}/login/start")
            page.fill("input[name=login]", galaxy.user_email)
            page.fill("input[name=password]", galaxy.password)
            page.click("button[name=login]")
            page.locator("iframe:visible").wait_for()
            page.goto(f"{galaxy.url}/history/set_as_current?id={place.history}")
            page.goto(galaxy.url)
            yield page, place
            page.close()
        finally:
            galaxy_server.stop(galaxy)


def take_from_dialog(page: "Page", folders: list[str], name: str) -> None:
    """Open the folders one after the other in the upload dialog, take the file, and upload it."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    open_upload(page, "#btn-remote-files")
    table = page.locator(TABLE)
    for folder in folders:
        table.get_by_text(folder, exact=True).first.click()
        table.get_by_text(folder, exact=True).first.wait_for(state="detached")
    table.get_by_text(name, exact=True).first.click()
    page.screenshot(path=REPORTS / "upload_dialog_chosen.png")
    page.locator('[data-description="selection dialog ok"]').click()
    page.locator("#regular #btn-start").click()
    page.locator("#regular #btn-close").click()


def taken(place: Place, page: "Page") -> str:
    """Return the id of the one dataset of the history, once it is there."""
    page.locator('#current-history-panel .content-item[data-state="ok"]').first.wait_for(timeout=JOBS_MS)
    page.screenshot(path=REPORTS / "upload_dialog_history.png")
    [made] = place.gi.histories.show_history(place.history, contents=True)
    return str(made["id"])


def rois_by_image(place: Place) -> dict[str, int]:
    """Return how many ROIs of the test each image of the dataset has, by the image's name."""
    client = omero.client(host=place.omero.host, port=place.omero.port)
    try:
        query = client.createSession(USER, PASSWORD).getQueryService()
        hql = (
            "select i.name, (select count(r.id) from Roi r where r.image.id = i.id and r.name like :roi) from Image i "
            "join i.datasetLinks l where l.parent.name = :dataset"
        )
        parameters = omero.sys.ParametersI().addString("roi", f"{ROI}%").addString("dataset", DATASET)
        return {name.val: count.val for name, count in query.projection(hql, parameters)}
    finally:
        client.closeSession()


def test_an_image_of_the_dialog_gets_the_rois_that_a_tool_makes_for_it(visited: "tuple[Page, Place]") -> None:
    page, place = visited
    take_from_dialog(page, [SOURCE, PROJECT, DATASET], IMAGE)
    image = taken(place, page)
    # The name of the label map says nothing: only the address of the image leads home.
    given = str(ROOT / "test-data" / "cell_1.tif")
    upload = place.gi.tools.upload_file(given, place.history, file_name="objects")
    inputs = {
        "label_maps": {"values": [{"src": "hda", "id": upload["outputs"][0]["id"]}]},
        "match|source": "source",
        "match|images": {"values": [{"src": "hda", "id": image}]},
        "roi_name": ROI,
        "dry_run": "false",
    }
    [row] = tool_rows(place.gi, place.omero, "omero_import_rois", place.history, inputs)
    assert row[1:3] == [IMAGE, "objects"], row
    found = rois_by_image(place)
    assert found.pop(IMAGE) > 0, found
    assert set(found.values()) == {0}

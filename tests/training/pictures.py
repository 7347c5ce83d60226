"""Make the pictures of a tutorial from the run itself, in headless Chromium, so that they never age: `aged` says which
the text shows that are no longer what is seen.

What a picture is of, in its comment: `history`; `form TOOL_ID`; `` data `Title: output` `` (a picture, as it is, or an
HTML report, as the browser shows it); `` omero `NAME` `` (the dataset NAME in OMERO.web).
"""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from sandbox.galaxy.server import GalaxyServer
from sandbox.omero_web.server import OmeroWeb
from tests.browser.chromium import ROI_TAB
from tests.training.execute import Run, RunError
from tests.training.tutorial import Picture, Reference, Tutorial

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OF = re.compile(r"^(history|form|data|omero)(?: `?([^`]+)`?)?$")
PATIENCE_MS = 120_000
# Of a screen; a laptop shows a page as wide.
WIDE, HIGH = 1200, 800
LARGEST_EDGE = 1200
BLOCK, CHANGED, MOST_CHANGED = 20, 24, 0.05
"""Pixels along the edge of a block, grey levels by which a changed one differs, share that may differ: a date, a size
or another font changes fewer (3 % with another user's name and history, 0.1 % for letters 3 pixels aside)."""


@dataclass(frozen=True)
class Camera:
    """A browser that is logged in where pictures are made.

    Attributes:
        galaxy: A page of Galaxy.
        omero: A page of OMERO.web; None where it does not run.
        urls: Their addresses.
    """

    galaxy: "Page"
    omero: "Page | None"
    urls: tuple[str, str]


def open_camera(browser: "Browser", galaxy: GalaxyServer, web: OmeroWeb | None, login: tuple[str, str]) -> Camera:
    """Log in to Galaxy, and to OMERO.web if it runs.

    Args:
        browser: A running browser.
        galaxy: The server with its one user.
        web: OMERO.web.
        login: User and password in OMERO.
    """
    page = new_page(browser)
    log_in(page, galaxy)
    return Camera(page, open_omero(browser, web, login), (galaxy.url, web.url if web else ""))


def new_page(browser: "Browser") -> "Page":
    """Return a page of a visitor whom nobody knows yet."""
    page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
    page.set_default_timeout(PATIENCE_MS)
    return page


def open_omero(browser: "Browser", web: OmeroWeb | None, login: tuple[str, str]) -> "Page | None":
    """Return a page of OMERO.web that is logged in; None where it does not run."""
    if web is None:
        return None
    page = new_page(browser)
    page.goto(f"{web.url}/webclient/login/")
    page.fill("#id_username", login[0])
    page.fill("#id_password", login[1])
    page.click("input[type=submit]")
    page.wait_for_selector("#dataTree")
    return page


def log_in(page: "Page", galaxy: GalaxyServer) -> None:
    """Log in to Galaxy as its user."""
    page.goto(f"{galaxy.url}/login/start")
    page.fill("form#login input[name=login]", galaxy.user_email)
    page.fill("form#login input[name=password]", galaxy.password)
    page.click("form#login button[name=login]")
    page.wait_for_selector("#user.loggedin-only > a.nav-link")


def take(camera: Camera, run: Run, picture: Picture, file: Path) -> None:
    """Make one picture.

    Args:
        camera: The browser.
        run: The tutorial's run, as far as the text has come.
        picture: What the text asks for.
        file: PNG to write.

    Raises:
        RunError: Its comment is not understood, or what it shows is not there.
    """
    found = OF.match(picture.of)
    if not found:
        raise RunError(f"line {picture.line}: picture of {picture.of!r}: write history, form, data or omero")
    kind, what = found[1], found[2] or ""
    if kind == "data":
        shot = _data(camera, run, what)
    elif kind == "omero":
        shot = _omero(camera, what)
    else:
        camera.galaxy.goto(f"{camera.urls[0]}/history/set_as_current?id={run.history}")
        camera.galaxy.goto(camera.urls[0] + (f"/?tool_id={what}&version=latest" if kind == "form" else "/"))
        camera.galaxy.wait_for_selector("button#execute" if kind == "form" else "#current-history-panel .content-item")
        camera.galaxy.wait_for_selector("#toolbox-panel .search-query")
        camera.galaxy.wait_for_timeout(1500)
        shot = camera.galaxy.screenshot()
    file.parent.mkdir(parents=True, exist_ok=True)
    _save(shot, file)


def _data(camera: Camera, run: Run, what: str) -> bytes:
    title, _, output = what.partition(": ")
    made = run.find(Reference(output or "output", title))
    identifier = made.id
    if made.kind == "hdca":
        shown = run.gi.dataset_collections.show_dataset_collection(made.id)
        identifier = shown["elements"][0]["object"]["id"]
    # As a reader's browser gets it: a download of HTML is a zip.
    content = run.gi.make_get_request(f"{run.gi.url}/datasets/{identifier}/display").content
    if content.startswith(b"\x89PNG"):
        return content
    if not content.startswith(b"<!DOCTYPE html"):
        raise RunError(f"{what}: neither a PNG nor an HTML page")
    page = camera.galaxy
    page.set_content(content.decode())
    return page.screenshot()


def _omero(camera: Camera, dataset: str) -> bytes:
    if camera.omero is None:
        raise RunError(f"picture of {dataset!r} in OMERO: OMERO.web does not run")
    page = camera.omero
    page.goto(f"{camera.urls[1]}/webclient/")
    for _ in range(2):  # A project first, then its dataset.
        with contextlib.suppress(Exception):
            page.wait_for_selector(f".jstree-anchor:has-text('{dataset}')", timeout=5000)
            break
        page.click(".jstree-anchor:has-text('Course')", click_count=2)
    page.click(f".jstree-anchor:has-text('{dataset}')")
    page.wait_for_selector("#dataIcons img[src^='data:image/jpeg'], #icon_table img[src^='data:image/jpeg']")
    page.click("#general_tab h1:has-text('Attachments')")
    page.wait_for_timeout(1500)
    return page.screenshot()


def rois_seen(camera: Camera) -> int:
    """Double-click each image of the dataset that OMERO.web shows, and return how many ROIs their viewers list."""
    if camera.omero is None:
        raise RunError("ROIs in OMERO: OMERO.web does not run")
    images, seen = camera.omero.locator("#dataIcons img[src^='data:image/jpeg']"), 0
    for number in range(images.count()):
        with camera.omero.context.expect_page() as opened:
            images.nth(number).dblclick()
        tab = opened.value.locator(ROI_TAB).filter(has_text=re.compile(r"\[[1-9]"))
        tab.wait_for()
        seen += int(tab.inner_text().partition("[")[2].rstrip("] \n"))
        opened.value.close()
    return seen


def aged(tutorial: Tutorial, place: Path) -> list[str]:
    """Say which pictures of a tutorial differ from those that its run has made in a folder."""
    files = [box.picture.file for box in tutorial.boxes if box.picture]
    made = [(tutorial.path.parent / file, place / file) for file in files if (place / file).is_file()]
    return [
        f"{old}: {share:.0%} of it is not what is seen now ({new}): look, and make it with --pictures docs/training"
        for old, new in made
        if (share := changed(old, new)) > MOST_CHANGED
    ]


def changed(old: Path, new: Path) -> float:
    """Return the share of the blocks of a picture that are not those of another; 1 where their sizes differ."""
    blocks = []
    for file in (old, new):
        picture = Image.open(file).convert("L")
        size = (picture.width // BLOCK, picture.height // BLOCK)
        blocks.append(picture.resize(size, Image.Resampling.BOX))
    if blocks[0].size != blocks[1].size:
        return 1.0
    counts = ImageChops.difference(*blocks).histogram()
    return sum(counts[CHANGED + 1 :]) / sum(counts)


def _save(shot: bytes, file: Path) -> None:
    """Save a screenshot as a small PNG: at most LARGEST_EDGE pixels, and 256 colours where that is smaller."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image.thumbnail((LARGEST_EDGE, LARGEST_EDGE))
    image.quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)

"""Make the pictures of pages that the documentation and the help show, in Chromium.

python -m tests.browser.pictures [TOOL ...]     # pages of tools, all or those named: docs/images/tools/<tool>.png
make demo
python -m tests.browser.pictures omero_login    # how a login is stored, on the running sandbox
"""

import io
import secrets
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from sandbox import state
from scripts.help_pictures import fair
from scripts.help_pictures.drawing import PICTURES, save_small
from tests.browser.chromium import chromium
from tests.training.by_hand import field

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

TOOL = "omero_find"
LOGIN = "omero_login"
PAGES = {make.__name__: make for make in fair.PAGES}
WIDE, HIGH = 1000, 640
PATIENCE_MS, DRAWN_MS = 30_000, 240_000


def register(page: "Page", url: str) -> None:
    """Register a new user of Galaxy, who has no login to OMERO yet."""
    name = f"ada-{secrets.token_hex(4)}"
    page.goto(f"{url}/register/start")
    values = {"email": f"{name}@example.org", "username": name, "password": "loom-1843", "confirm": "loom-1843"}
    for key, value in values.items():
        page.fill(f"input[name={key}]", value)
    page.click("button[name=create]")
    page.locator("iframe:visible").wait_for()


def shot(page: "Page", of: "Locator") -> Image.Image:
    """Return the picture of an element, once it stands still."""
    page.wait_for_timeout(800)
    return Image.open(io.BytesIO(of.screenshot())).convert("RGB")


def login_steps(page: "Page", url: str) -> list[Image.Image]:
    """Store a login by hand in a tool's form; return pictures of each step."""
    page.goto(f"{url}/?tool_id={TOOL}&version=latest")
    page.wait_for_selector("button#execute")
    provide = page.get_by_role("button", name="Provide credentials").first
    banner = page.locator(".alert, [class*=alert]").filter(has=provide).last
    made = [shot(page, banner)]
    provide.click()
    window = page.locator("dialog[open]")
    window.wait_for()
    window.locator("button.service-title").first.click()
    window.locator("button", has_text="Create New Group").click()
    for label, text in (("User name", "jane"), ("Password", "a-password")):
        field(window, label).fill(text)
    made.append(shot(page, window))
    window.locator("button", has_text="Create Group").click()
    use = window.locator("button", has_text="Use this group")
    use.wait_for()
    made.append(shot(page, window.locator(".accordion")))
    use.click()
    window.get_by_text("Using:").wait_for()
    made.append(shot(page, window.locator("footer")))
    window.get_by_role("button", name="Save Group Selection").click()
    window.wait_for(state="detached")
    manage = page.get_by_role("button", name="Manage credentials").first
    made.append(shot(page, page.locator(".alert, [class*=alert]").filter(has=manage).last))
    return made


def numbered(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures below each other, with their numbers."""
    width = max(one.width for one in pictures) + 50
    whole = Image.new("RGB", (width, sum(one.height + 16 for one in pictures)), "white")
    pen, top = ImageDraw.Draw(whole), 0
    for number, one in enumerate(pictures, start=1):
        pen.text((14, top + 6), str(number), fill="#2c5aa0", font=ImageFont.load_default(30))
        whole.paste(one, (50, top))
        top += one.height + 16
    return whole


def page_of_tool(browser: "Browser", tool: str) -> None:
    """Photograph the upper part of a page that a tool makes."""
    with tempfile.TemporaryDirectory() as folder:
        file = PAGES[tool](Path(folder))
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        page.set_default_timeout(DRAWN_MS)
        page.goto(file.as_uri())
        if tool == "vitessce_view":
            page.get_by_text("125 segmentations, 1 image").wait_for()
            page.wait_for_function("document.querySelectorAll('[role=progressbar]').length === 0")
            page.wait_for_timeout(3000)
        high = page.evaluate("Math.ceil(document.body.getBoundingClientRect().bottom)")
        wide = page.evaluate("Math.max(...[...document.querySelectorAll('table')].map(one => one.offsetWidth + 16), 0)")
        whole = Image.open(io.BytesIO(page.screenshot()))
        save_small(whole.crop((0, 0, min(WIDE, wide or WIDE), min(HIGH, high))), PICTURES / f"{tool}.png")
        page.close()


def login_page(browser: "Browser", url: str) -> None:
    """Photograph how a login is stored in the form of a tool."""
    page = browser.new_page(viewport={"width": 1000, "height": 1000})
    page.set_default_timeout(PATIENCE_MS)
    register(page, url)
    save_small(numbered(login_steps(page, url)), PICTURES / f"{LOGIN}.png")


def main(chosen: list[str] | None = None) -> int:
    """Make the pictures that are named; none means those of the pages of tools."""
    names = chosen or list(PAGES)
    known = state.load(state.folder_of_sandbox()) if LOGIN in names else None
    if LOGIN in names and known is None:
        print("ERROR: sandbox: does not run. Start it: make demo", file=sys.stderr)
        return 1
    with chromium() as browser:
        for name in names:
            if known and name == LOGIN:
                login_page(browser, known.galaxy.url)
            else:
                page_of_tool(browser, name)
            print(f"{name}.png: {(PICTURES / f'{name}.png').stat().st_size:,} bytes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Make the pictures of pages that the documentation and the help show, in Chromium on the running sandbox.

make demo
python -m tests.browser.pictures            # docs/images/tools/omero_login.png
"""

import io
import secrets
import sys
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from sandbox import state
from scripts.help_pictures import PICTURES, save_small
from tests.browser.chromium import chromium
from tests.training.by_hand import field

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TOOL = "omero_find"
PATIENCE_MS = 30_000


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


def main() -> int:
    """Make the picture of a login."""
    known = state.load(state.folder_of_sandbox())
    if known is None:
        print("ERROR: sandbox: does not run. Start it: make demo", file=sys.stderr)
        return 1
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 1000})
        page.set_default_timeout(PATIENCE_MS)
        register(page, known.galaxy.url)
        save_small(numbered(login_steps(page, known.galaxy.url)), PICTURES / "omero_login.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())

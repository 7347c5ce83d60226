"""Do on Galaxy's pages, in Chromium, what a text says beside tools' forms: a history, an upload, a list, a workflow.

The words of Galaxy 26.1 that the clicks stand for are those of `SNIPPETS` in `scripts/website_tutorials.py`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE_MS, JOBS_MS, RETRY_MS = 120_000, 600_000, 20_000  # of a busy machine
ATTEMPTS = 6
SETTLE_MS = 4000
ITEM = "#current-history-panel .content-item"


def open_tool(page: "Page", url: str, tool_id: str, name: str) -> None:
    """Open a tool's form from the tool panel: write its name into the search, click it."""
    page.goto(url)
    page.locator("#toolbox-panel .search-query").fill(name, timeout=PAGE_MS)
    page.locator(f"#toolbox-panel a[href$='tool_id={tool_id}&version=latest']").first.click(timeout=PAGE_MS)
    page.wait_for_selector("button#execute", timeout=PAGE_MS)


def new_history(page: "Page", url: str, name: str) -> None:
    """Click + at the top of the history, then its name to change it."""
    page.goto(url)
    made = page.locator("[data-description='create new history']").first
    with page.expect_response("**/history/create_new_current", timeout=PAGE_MS):
        made.click(timeout=PAGE_MS)
    title = page.locator("[data-description='name display']").first
    for _ in range(ATTEMPTS):  # Until the new history is shown, a click goes to the one before.
        page.wait_for_timeout(SETTLE_MS)
        if title.inner_text().strip() == name:
            return
        title.get_by_text("Unnamed history").click(timeout=PAGE_MS)
        page.locator("#click-to-edit-input").fill(name)
        page.keyboard.press("Enter")
    title.get_by_text(name).wait_for(timeout=PAGE_MS)


def open_upload(page: "Page", button: str) -> None:
    """Click *Upload*, and a button of its window."""
    for _ in range(ATTEMPTS):  # A click is lost while the page is still being made.
        page.locator("#activity-upload").click(timeout=PAGE_MS)
        with suppress(PlaywrightTimeoutError):
            page.locator(button).wait_for(timeout=RETRY_MS)
            break
    page.locator(button).click()


def upload_addresses(page: "Page", addresses: Sequence[str]) -> None:
    """*Upload*, *Paste/Fetch data*: paste addresses, *Start*, *Close*; wait until all are there."""
    before = page.locator(ITEM).count()
    open_upload(page, "#regular #btn-new")
    page.locator("#regular .upload-text-content").first.fill("\n".join(addresses))
    page.locator("#regular #btn-start").click()
    page.locator("#regular #btn-close").click()
    page.wait_for_function(
        "([items, count]) => document.querySelectorAll(items).length === count",
        arg=[f"{ITEM}[data-state='ok']", before + len(addresses)],
        timeout=JOBS_MS,
    )


def build_list(page: "Page", names: Sequence[str], list_name: str) -> None:
    """Click *Select Items*, tick the datasets, *selected* > *Auto Build List*, write a name, *Build*."""
    select = page.locator(".show-history-content-selectors-btn")
    select.click(timeout=PAGE_MS)
    for name in names:
        page.locator(ITEM, has_text=name).first.locator(".selector").click()
    page.locator("button", has_text=f"{len(names)} selected").first.click()
    page.locator("[data-description='auto build list']").click()
    page.locator("input.collection-name").fill(list_name, timeout=PAGE_MS)
    page.get_by_role("button", name="Build", exact=True).click()
    page.get_by_text("Collection created").wait_for(timeout=PAGE_MS)
    select.click()


def start_workflow(page: "Page", url: str, address: str, inputs: Mapping[str, str]) -> None:
    """*Workflows*, *Import*, *Fetch URL*: paste an address, *Import*; then run it with these inputs.

    Args:
        page: A page that is logged in.
        url: Address of Galaxy.
        address: Of the workflow.
        inputs: Text by the label of the input.
    """
    page.goto(url)
    page.locator("#activity-workflows").click(timeout=PAGE_MS)
    page.locator("#workflow-import").click(timeout=PAGE_MS)
    page.get_by_role("button", name="Fetch URL").click(timeout=PAGE_MS)
    page.locator("#workflow-import-url-input").fill(address)
    page.locator(".go-next-btn").click()
    page.locator("[id^='g-card-action-workflow-run-']").first.click(timeout=PAGE_MS)
    page.get_by_text("You have already provided credentials for this workflow").wait_for(timeout=PAGE_MS)
    for label, text in inputs.items():
        page.locator(f"[data-label='{label}'] input").first.fill(text, timeout=PAGE_MS)
    page.get_by_role("button", name="Run Workflow").click()
    page.get_by_text("Successfully invoked workflow").or_(page.get_by_text("jobs complete")).first.wait_for(
        timeout=PAGE_MS
    )

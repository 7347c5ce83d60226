"""Fill tool forms in Chromium as a newcomer does who has only the text: by labels, options, names in the history.

What the form of Galaxy 26.1 is made of stands in its `navigation.yml`.
"""

import time
from typing import TYPE_CHECKING, Any

from tests.training.form import Shown
from tests.training.tutorial import Parameter, Reference

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

FORM_MS = 60_000
SETTLE_MS = 400
"""The form asks the server after each change and is drawn again."""


def store_login(page: "Page", login: tuple[str, str]) -> None:
    """Create and choose credentials in the box of a tool's form.

    Args:
        page: A page with the form.
        login: User and password in OMERO.
    """
    page.get_by_role("button", name="Provide credentials").first.click()
    window = page.locator("dialog[open]")
    window.wait_for()
    create = window.locator("button", has_text="Create New Group")
    if not create.is_visible():
        window.locator("button.service-title").first.click()
    create.click()
    for label, text in (("User name", login[0]), ("Password", login[1])):
        field(window, label).fill(text)
    window.locator("button", has_text="Create Group").click()
    window.locator("button", has_text="Use this group").click()
    window.get_by_text("Using:").wait_for()
    window.get_by_role("button", name="Save Group Selection").click()
    window.wait_for(state="detached")


def field(window: "Locator", label: str) -> "Locator":
    """Return the input below a label."""
    return window.locator(f".ui-form-element:has-text('{label}') input, .form-group:has-text('{label}') input").last


def fill_by_hand(page: "Page", shown: list[tuple[Shown, Parameter]], names: dict[Reference, str]) -> None:
    """Fill a form that is open.

    Args:
        page: A page with the form.
        shown: Field and parameter of each line of the text, in an order in which each is shown.
        names: What the history calls each dataset or list, and which of the two it is (`hda: ` or `hdca: ` before it).
    """
    for one, parameter in shown:
        place = page.locator(f'div.ui-form-element[id="form-element-{one.key}"]')
        for title in one.closed:
            if not place.is_visible():
                page.locator(".ui-portlet-section .portlet-header", has_text=title).first.click()
                page.wait_for_timeout(SETTLE_MS)
        place.scroll_into_view_if_needed(timeout=FORM_MS)
        if parameter.data:
            choose_data(place, [names[data] for data in parameter.data])
        elif one.field["type"] == "select":
            for text in parameter.values:
                _choose(place, text)
        elif one.field["type"] == "boolean":
            if place.locator("input[type=checkbox]").is_checked() != (parameter.values[0] == "Yes"):
                place.locator(".ui-switch").click()
        else:
            place.locator("input, textarea").first.fill(parameter.values[0])
        page.wait_for_timeout(SETTLE_MS)


def _choose(place: "Locator", text: str) -> None:
    box = place.locator(".multiselect").first
    if box.locator(".multiselect__single").all_inner_texts() == [text]:
        return
    box.click()
    place.locator(".multiselect__option", has_text=text).first.click()


def choose_data(place: "Locator", names: list[str]) -> None:
    """Choose datasets or a list in a field, and take away what Galaxy has chosen by itself.

    Args:
        place: The field.
        names: What the history calls each, `hda: ` or `hdca: ` before it; of equal names the newest is taken.
    """
    kind, shown = names[0].partition(": ")[0], [name.partition(": ")[2] for name in names]
    button = place.locator("button[title='Dataset collection']")
    if kind == "hdca" and button.count():
        button.first.click()
    box = place.locator(".multiselect").first
    chosen = box.locator(".multiselect__single").all_inner_texts()
    for tag in reversed(box.locator(".multiselect__tag").all()):
        text = tag.inner_text()
        if any(name in text for name in shown):
            chosen.append(text)
        else:
            tag.locator(".multiselect__tag-icon").click()
    for name in shown:
        if not any(name in text for text in chosen):
            box.click()
            place.locator(".multiselect__option", has_text=name).first.click()
            box.press("Escape")


def run_and_wait(page: "Page", contents: Any, seconds: float) -> list[dict[str, Any]]:
    """Press the button, and return what is new in the history once all of it has ended.

    Args:
        page: A page with a filled form.
        contents: Function that returns the contents of the history.
        seconds: Longest wait.
    """
    before = {_key(one) for one in contents()}
    page.click("button#execute")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        new = [one for one in contents() if _key(one) not in before]
        states = {one.get("state") or one.get("populated_state") for one in new}
        if new and states <= {"ok", "error"}:
            return new
        time.sleep(1)
    return []


def _key(one: dict[str, Any]) -> tuple[str, str]:
    """Return what no other content of the history has: a list may have the id of a dataset."""
    return one["history_content_type"], one["id"]

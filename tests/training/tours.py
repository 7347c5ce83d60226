"""Drive the tours of the sandbox's Galaxy in Chromium: each step is shown at its element, and each click leads on."""

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

STEP_MS = 120_000  # of a busy machine


def drive(page: "Page", url: str, file: "Path") -> list[str]:
    """Start a tour, go through all steps, and return what is wrong.

    Args:
        page: A page that is logged in.
        url: Address of Galaxy.
        file: The tour.
    """
    tour = yaml.safe_load(file.read_text(encoding="utf-8"))
    page.goto(f"{url}/tours/{file.stem}")
    for number, step in enumerate(tour["steps"], start=1):
        problem = _shown(page, step, last=number == len(tour["steps"]))
        if problem:
            return [f"{file.name}, step {number} {step['title']!r}: {problem}"]
    page.click(".tour-element .tour-end")
    page.wait_for_selector(".tour-element", state="detached", timeout=STEP_MS)
    return []


def _shown(page: "Page", step: dict[str, str], *, last: bool) -> str | None:
    """Wait until a step is shown and go on to the next; say what is missing."""
    from playwright.sync_api import Error

    try:
        page.wait_for_function(
            "title => document.querySelector('.tour-element .tour-title')?.textContent.trim() === title",
            arg=step["title"], timeout=STEP_MS,
        )  # fmt: skip
        if element := step.get("element"):
            page.wait_for_selector(element, state="visible", timeout=STEP_MS)
        if text := step.get("textinsert"):
            written = page.locator(step["element"]).first.input_value()
            if written != text:
                return f"the field holds {written!r}, not {text!r}"
        if not last:
            page.click(".tour-element .tour-next", timeout=STEP_MS)
    except Error as error:
        return str(error).splitlines()[0]
    return None

"""Debian's Chromium, headless, as all tests that look at pages start it."""

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# Chromium draws WebGL by software; the rest keeps it from asking Google for anything.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROI_TAB = "a:has-text('ROIs [')"
"""Of iviewer; the number of ROIs stands in the brackets."""


@contextlib.contextmanager
def chromium() -> "Iterator[Browser]":
    """Start a browser for the length of a `with` block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=FLAGS)
        yield running
        running.close()

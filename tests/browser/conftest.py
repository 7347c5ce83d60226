"""Debian's Chromium, headless, for tests of pages."""

from typing import TYPE_CHECKING

import pytest

from sandbox.setup import SetupError
from sandbox.setup.system import BROWSER_PACKAGES, require_packages
from tests.browser.chromium import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

# Far above what it takes (20 s on two idle cores): a busy machine draws slowly.
PATIENCE_MS = 240_000


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium, headless."""
    try:
        require_packages(BROWSER_PACKAGES, why="the tests of pages")
    except SetupError as error:
        pytest.skip(f"Chromium cannot be installed here: {error}")
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()

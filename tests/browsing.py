"""A real browser on the dashboard: Chromium, as it is installed on this machine."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = (1280, 860), (390, 844)
PAGES = ("/", "/orders", "/stuck", "/dead-letters", "/backlog", "/consistency", "/try")

CONTRAST = Path(__file__).with_name("contrast.js")
"""Finds the texts of a page that are too pale for what they stand on (WCAG 2.2, 1.4.3, level AA)."""


@dataclass
class Visitor:
    """Somebody with a browser, and whatever went wrong in it."""

    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def looking(self, path: str) -> AsyncIterator[Page]:
        """Open a page; what its console says is kept."""
        width, height = WIDE
        context = await self.browser.new_context(viewport={"width": width, "height": height}, base_url=self.address)
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", self._failed)
        await page.goto(path)
        yield page
        await context.close()

    async def pale(self, page: Page) -> list[Any]:
        """List the texts without enough contrast."""
        found: list[Any] = await page.evaluate(CONTRAST.read_text())
        return found

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))


@asynccontextmanager
async def visitor(address: str) -> AsyncIterator[Visitor]:
    """Start a browser until the end of the block; where there is none, the test is left out."""
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        pytest.skip(f"no browser is installed: none of {', '.join(CHROMIUMS)} is on the PATH")
    async with async_playwright() as playwright:
        # without a sandbox: it opens nothing but our own pages, and as root Chromium starts in no other way
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield Visitor(browser, address)
        await browser.close()

"""Debian's Chromium, driven by Playwright: what every test in a browser starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
MISSING: Final = f"{CHROMIUM} is missing (Debian's package `chromium`)"
_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def launched(*flags: str) -> Iterator[Browser]:
    """Run a browser as long as the context lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS, *flags])
        yield browser
        browser.close()

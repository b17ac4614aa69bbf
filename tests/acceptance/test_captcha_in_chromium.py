"""Altcha's widget on our page, in real Chromium under our own policy: nothing from elsewhere, and it does its sum."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ViewportSize, expect

from tests.chromium import CHROMIUM, MISSING, launched
from tests.databases import SqliteTemplate
from tests.integration.web.newspaper import Newspaper, QuietHouse, add_topics, served
from worker.settings import load

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING),
]


@pytest.fixture(scope="module")
def newspaper(tmp_path_factory, sqlite_template: SqliteTemplate):
    folder = tmp_path_factory.mktemp("newspaper")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
            patch.delenv(name)
        url = sqlite_template.copy(folder / "t.db")
        house = QuietHouse(load(home=folder / "home", database_url=url, captcha="always", form_quickest_s=0))
        stack.callback(house.close)
        add_topics(house)
        home = stack.enter_context(served(house))
        yield Newspaper(house=house, url=home, client=stack.enter_context(httpx.Client()))


@pytest.fixture
def open_page(newspaper):
    complaints: list[str] = []
    with launched() as chromium:

        def open_it(path, width=360, *, scheme="light", scripts=True, **options):
            screen: ViewportSize = {"width": width, "height": 800}
            context = chromium.new_context(viewport=screen, color_scheme=scheme, java_script_enabled=scripts, **options)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda sent: complaints.append(sent.url) if newspaper.url not in sent.url else None)
            page.goto(newspaper.url + path)
            return page

        yield open_it
    assert [complaint for complaint in complaints if "status of 4" not in complaint] == []


@pytest.mark.parametrize(("path", "lang"), [("/subscribe", "en"), ("/subscribe", "ko"), ("/embed?topic=oman", "en")])
def test_the_widget_does_its_sum_and_the_form_is_taken(newspaper, open_page, path, lang):
    page = open_page(f"{path}{'&' if '?' in path else '?'}lang={lang}", scheme="dark" if lang == "ko" else "light")
    address = f"mina-{lang}{len(path)}@post.example"
    if path == "/subscribe":
        page.locator('input[name=topics][value="oman"]').check()
    page.locator("input[name=email]").fill(address)
    expect(page.locator("altcha-widget input[name=altcha]")).to_have_value(re.compile(".{200,}"), timeout=60_000)
    if shots := os.environ.get("SHOTS"):
        page.locator(".puzzle").scroll_into_view_if_needed()
        page.screenshot(path=f"{shots}/captcha-{lang}-{len(path)}.png")
    page.locator("form button[type=submit]").last.click()
    said = {"en": "Check your mail", "ko": "메일을 확인해 주세요"}[lang]
    expect(page.get_by_role("heading", level=1)).to_have_text(said)
    assert newspaper.status(address) == "pending"


@pytest.mark.parametrize(("path", "scheme"), [("/subscribe", "light"), ("/subscribe", "dark"), ("/embed", "light")])
def test_axe_finds_nothing_at_the_widget(open_page, path, scheme):
    page = open_page(path, scheme=scheme, bypass_csp=True)
    expect(page.locator("altcha-widget input[name=altcha]")).to_have_value(re.compile(".{200,}"), timeout=60_000)
    assert Axe().run(page).response["violations"] == []


def test_without_javascript_the_page_says_how_long_to_wait(open_page):
    page = open_page("/subscribe", scripts=False)
    expect(page.get_by_text("Without JavaScript: wait for half a minute")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0

"""The sign-up page while somebody types: topics are filtered, a search is tried once typing pauses, in Chromium."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import builders
from tests.chromium import CHROMIUM, MISSING, launched
from tests.databases import SqliteTemplate
from tests.integration.web.newspaper import Newspaper, QuietHouse, served
from worker.matching.library import read_topics
from worker.matching.run_library import import_topics
from worker.resources import seeds_dir
from worker.settings import load
from worker.signup.run_newsletters import import_newsletters
from worker.tokens import Purpose

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING),
]


@pytest.fixture(scope="module")
def newspaper(tmp_path_factory, sqlite_template: SqliteTemplate):
    """The seeds' topics and newsletters, and three stories."""
    folder = tmp_path_factory.mktemp("newspaper")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
            patch.delenv(name)
        url = sqlite_template.copy(folder / "t.db")
        house = QuietHouse(load(home=folder / "home", database_url=url, form_quickest_s=0))
        stack.callback(house.close)
        import_topics(house.database, read_topics([seeds_dir() / "topics"]))
        import_newsletters(house.database, seeds_dir() / "newsletters.yaml")
        with house.database.write() as conn:
            titles = ("DPRK fires a missile", "Missile talks in Seoul", "Rain in Busan")
            ids = [builders.article(conn, title, summary="")[0] for title in titles]
        for article_id in ids:
            house.matcher.match(article_id)
        url = stack.enter_context(served(house))
        yield Newspaper(house=house, url=url, client=stack.enter_context(httpx.Client()))


@pytest.fixture
def open_page(newspaper):
    """Open a path; the console must stay silent, and every request with what it sends is noted."""
    complaints: list[str] = []
    with launched() as browser:

        def open_it(path, **options):
            page = browser.new_context(viewport={"width": 375, "height": 800}, **options).new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(newspaper.url + path)
            return page

        yield open_it
    assert [complaint for complaint in complaints if "status of 422" not in complaint] == []


def faults(page):
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


def test_topics_are_filtered_while_one_types_and_what_is_chosen_stays(open_page):
    page = open_page("/subscribe")
    page.get_by_label("Oman", exact=True).check()
    page.get_by_label("Find a topic").fill("dprk")
    expect(page.get_by_label("North Korea")).to_be_visible()
    expect(page.get_by_label("Oman", exact=True)).to_be_visible()
    expect(page.get_by_label("Japan", exact=True)).to_be_hidden()
    expect(page.get_by_text("Found: 1 of 163")).to_be_visible()
    expect(page.get_by_role("button", name="Find")).to_be_hidden()
    page.get_by_label("Find a topic").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("News by mail, on what you follow")
    page.get_by_label("Oman", exact=True).uncheck()
    page.get_by_label("Find a topic").fill("walrus")
    expect(page.get_by_text("No topic is called that.")).to_be_visible()
    expect(page.locator("#topics")).to_be_hidden()  # no empty frame is left
    page.get_by_label("Find a topic").fill("")
    expect(page.get_by_label("Japan", exact=True)).to_be_visible()


def test_a_search_is_tried_once_typing_pauses_and_the_address_stays_on_the_page(open_page):
    page = open_page("/subscribe")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
    page.get_by_label("Your mail address").fill("jo@post.example")
    page.get_by_label("A search of your own").press_sequentially("missile -busan", delay=20)
    expect(page.get_by_text("This finds stories with “missile”, but not “busan”.").first).to_be_visible()
    expect(page.get_by_role("link", name="DPRK fires a missile")).to_be_visible()
    expect(page.get_by_role("status").last).to_contain_text("This finds stories with “missile”")
    assert len(sent) == 1
    assert "jo" not in sent[0].partition("?")[2] + sent[0].partition(" ")[2]
    assert faults(page) == []
    page.get_by_label("A search of your own").fill("missile AND")
    expect(page.locator("#wrong-query")).to_contain_text("This search cannot be read")
    expect(page.locator(".fault mark")).to_have_text("AND")
    expect(page.get_by_label("A search of your own")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("A search of your own").fill("")
    expect(page.locator("#wrong-query")).to_have_count(0)
    expect(page.get_by_label("A search of your own")).not_to_have_attribute("aria-invalid", "true")


def test_another_rhythm_is_counted_anew(open_page):
    page = open_page("/subscribe")
    page.get_by_label("A search of your own").fill("missile")
    expect(page.get_by_text("It finds 2 stories:").first).to_be_visible()
    page.get_by_label("As it happens").check()
    expect(page.get_by_text("would have sent you 2 mails").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_topic_that_was_meant_is_taken_with_and_without_javascript(open_page, newspaper, scripts):
    page = open_page("/subscribe", java_script_enabled=scripts)
    page.get_by_label("Your mail address").fill(f"mina-{scripts}@gmial.com".lower())
    page.get_by_label("A search of your own").fill("north korea")
    if not scripts:
        page.get_by_role("button", name="Try it").click()
    page.get_by_role("button", name="Follow the topic North Korea instead").click()
    expect(page.get_by_label("North Korea")).to_be_checked()
    expect(page.get_by_label("A search of your own")).to_have_value("")
    page.get_by_label("Top 10 stories").check()
    page.get_by_label("Your mail address").press("Enter")
    page.get_by_role("button", name=re.compile("^Yes, use mina")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    address = f"mina-{scripts}@gmail.com".lower()
    page.goto(newspaper.url + newspaper.question(address))
    page.get_by_role("button", name="Yes, subscribe me").click()
    assert set(newspaper.follows(address)) == {"north-korea", "top-10-stories"}


def test_the_preferences_page_tries_searches_too(open_page, newspaper):
    reader = newspaper.joins("noor@post.example", "oman")
    page = open_page(newspaper.link(Purpose.PREFERENCES, reader))
    page.get_by_text("Follow more").click()
    page.get_by_label("A search of your own").fill("missile")
    expect(page.get_by_text("It finds 2 stories:").first).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize("path", ["/subscribe", "/subscribe?lang=ko&q=korea"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, path, scheme):
    page = open_page(path, color_scheme=scheme)
    page.locator("#query").fill("(북한 OR dprk) missile or")
    expect(page.locator(".finding")).to_be_visible()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0

"""The editors' preview in real Chromium: by day, by night, on a phone, without JavaScript, and while templates change.

docs/screenshots/page-preview.png comes from here:

    TOCSIN_RENEW_SCREENSHOTS=1 pytest -m slow tests/acceptance/test_preview_in_chromium.py
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.chromium import CHROMIUM, MISSING
from tests.databases import SqliteTemplate
from tests.integration.web.newspaper import QuietHouse, served
from worker.settings import load

SCREENSHOT = Path(__file__).parents[2] / "docs" / "screenshots" / "page-preview.png"
RENEW = "TOCSIN_RENEW_SCREENSHOTS" in os.environ
SUBJECT = "mail/alert/subject.txt.j2"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING),
]


@pytest.fixture(scope="module")
def theme(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theme")
    (folder / SUBJECT).parent.mkdir(parents=True)
    (folder / SUBJECT).write_text("First: {{ view.card.title }}")
    return folder


@pytest.fixture(scope="module")
def url(tmp_path_factory, theme, sqlite_template: SqliteTemplate):
    folder = tmp_path_factory.mktemp("newspaper")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
            patch.delenv(name)
        database = sqlite_template.copy(folder / "t.db")
        house = QuietHouse(load(home=folder / "home", database_url=database, theme=str(theme)))
        stack.callback(house.close)
        yield stack.enter_context(served(house))


@pytest.fixture
def open_page(browser, url):
    with ExitStack() as stack:

        def open_it(path, *, width=1280, scheme="light", scripts=True):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
            )
            stack.callback(context.close)
            page = context.new_page()
            page.goto(url + path)
            return page

        yield open_it


def paper(page):
    """Return the colour of the mail's paper in the first frame."""
    script = "getComputedStyle(document.querySelector('.paper')).backgroundColor"
    return page.frames[1].evaluate(script)


@pytest.mark.parametrize("screen", ["light", "dark"])
def test_day_and_night_are_the_mails_own_whatever_the_editors_screen_is_set_to(open_page, screen):
    assert paper(open_page("/preview?kind=digest", scheme=screen)) == "rgb(255, 255, 255)"
    assert paper(open_page("/preview?kind=digest&dark=on", scheme=screen)) == "rgb(28, 28, 30)"


def test_frames_are_as_wide_as_they_say(open_page):
    page = open_page("/preview?kind=digest")
    assert [frame.evaluate("innerWidth") for frame in page.frames[1:]] == [375, 640]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/preview", "/preview?view=text", "/preview?kind=breaking&locale=ko&lang=ko&dark=on"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(open_page, path, scheme):
    for width in (320, 1280):
        page = open_page(path, width=width, scheme=scheme)
        found = [(one["id"], one["nodes"][0]["html"]) for one in Axe().run(page).response["violations"]]
        assert found == []
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) == 0


def test_links_and_the_form_do_everything_without_scripts(open_page):
    page = open_page("/preview", scripts=False)
    page.get_by_label("Kind of mail").select_option("digest")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/preview?kind=digest&locale=en")
    page.get_by_role("link", name="By night").click()
    page.wait_for_url("**/preview?kind=digest&locale=en&dark=on")
    page.get_by_role("link", name="Phone", exact=True).click()
    page.wait_for_url("**/preview?kind=digest&locale=en&view=phone&dark=on")
    assert len(page.frames) == 2


def test_views_are_switched_without_loading_and_the_focus_stays(open_page):
    page = open_page("/preview")
    page.evaluate("window.stayed = true")
    page.get_by_label("Kind of mail").select_option("digest")
    expect(page.locator("#preview")).to_contain_text("24 links")
    night = page.get_by_role("link", name="By night")
    night.focus()
    night.press("Enter")
    expect(night).to_have_attribute("aria-current", "true")
    expect(night).to_be_focused()
    assert page.evaluate("window.stayed")
    assert "kind=digest" in page.url
    assert "dark=on" in page.url
    page.go_back()
    expect(night).not_to_have_attribute("aria-current", "true")


def test_a_template_that_is_saved_shows_by_itself_and_its_fault_too(open_page, theme):
    page = open_page("/preview")
    expect(page.locator(".inbox-line")).to_contain_text("First: Seoul")
    (theme / SUBJECT).write_text("Second: {{ view.card.title }}")
    expect(page.locator(".inbox-line")).to_contain_text("Second: Seoul", timeout=20_000)
    (theme / SUBJECT).write_text("{{ view.card.titel }}")
    expect(page.get_by_role("alert")).to_contain_text("did you mean 'title'?", timeout=20_000)
    (theme / SUBJECT).write_text("First: {{ view.card.title }}")
    expect(page.locator(".inbox-line")).to_contain_text("First: Seoul", timeout=20_000)


def test_the_screenshot_of_the_docs_is_there_and_small(open_page):
    page = open_page("/preview?kind=digest")
    for frame in page.frames[1:]:
        frame.wait_for_load_state()
    picture = page.screenshot(full_page=True)
    if RENEW:
        SCREENSHOT.write_bytes(picture)
    kept = SCREENSHOT.read_bytes()
    assert kept[:4] == b"\x89PNG"
    assert max(len(kept), len(picture)) < 400_000

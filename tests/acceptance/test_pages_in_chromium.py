"""The readers' pages as a screen shows them, by day and by night, with and without JavaScript, in real Chromium.

The screenshots of docs/screenshots come from here. To renew them after a change of templates/pages:

    TOCSIN_RENEW_SCREENSHOTS=1 pytest tests/acceptance/test_pages_in_chromium.py
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.chromium import CHROMIUM, MISSING
from tests.databases import SqliteTemplate
from tests.integration.web.issues import send_issue
from tests.integration.web.newspaper import Newspaper, QuietHouse, served
from worker.adapters.transports import maildir
from worker.letter_links import LINK_OF
from worker.matching.library import read_topics
from worker.matching.run_library import import_topics
from worker.model import LetterKind
from worker.rendering import samples
from worker.rendering.compile import Renderer
from worker.resources import seeds_dir
from worker.settings import load
from worker.store import own_letters
from worker.tokens import Purpose

SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
MAX_SCREENSHOT_BYTES = 400_000  # the list of 163 topics is long
RENEW = "TOCSIN_RENEW_SCREENSHOTS" in os.environ
PHONE, NARROW, DESK = 375, 320, 1000
ELSEWHERE = {LetterKind.NEW_ADDRESS, LetterKind.MOVED}
JO = "liam.osullivan@post.example"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING),
]

# Every stretch of visible text with its contrast (WCAG 2.2, 1.4.3) against the nearest background behind it.
CONTRASTS = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = colour => {
    const [r, g, b] = parts(colour).slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backdrop = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('main *, header *, footer *')]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => !e.closest('option, optgroup, .hidden'))
    .map(e => {
      const [a, b] = [luminance(getComputedStyle(e).color), luminance(backdrop(e))].sort((x, y) => y - x);
      return [e.textContent.trim().slice(0, 40), (a + 0.05) / (b + 0.05)];
    });
}"""

# Form fields without a label, and pictures without words.
NAMELESS = """() => [...document.querySelectorAll('input, select, textarea, iframe, img')]
  .filter(e => !e.labels?.length && !e.ariaLabel && !e.title && !e.alt && e.type !== 'hidden')
  .map(e => e.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def newspaper(tmp_path_factory, sqlite_template: SqliteTemplate):
    """The seeds' topics, one reader, and an inbox with sample mails."""
    folder = tmp_path_factory.mktemp("newspaper")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
            patch.delenv(name)
        settings = load(
            home=folder / "home",
            database_url=sqlite_template.copy(folder / "t.db"),
            timezone="Europe/London",
            form_quickest_s=0,  # a script types faster than anybody
            preflight="off",  # no worker runs here that would look
        )
        house = QuietHouse(settings)
        stack.callback(house.close)
        import_topics(house.database, read_topics([seeds_dir() / "topics"]))
        _fill(house)
        url = stack.enter_context(served(house))
        made = Newspaper(house=house, url=url, client=stack.enter_context(httpx.Client()))
        send_issue(house)
        made.joins(JO, "united-kingdom", "european-union", times=("07:00", "18:30"))
        yield made


def _fill(house):
    maildir.make(house.inbox)
    for kind, locale in (("confirmation", "ko"), ("alert", "en"), ("breaking", "ko"), ("digest", "en")):
        newsroom = samples.newsroom(locale).model_copy(update={"base_url": "https://news.courier.example"})
        mail = Renderer(newsroom=newsroom).compile(samples.content(kind, locale))
        personal = samples.personal(kind, locale)
        maildir.store(house.inbox, mail.fill(personal), sender="b@courier.example", recipient=personal.recipient)


@pytest.fixture
def open_page(browser, newspaper):
    """Open a path of the newspaper on a screen of some width; the console must stay silent."""
    contexts, complaints = [], []

    def open_it(path, width=PHONE, *, scripts=False, scheme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=scripts, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(newspaper.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    # The inbox shows no pictures but those that the house serves itself, and the sample mails have others.
    expected = ("status of 4", "https://img.courier.example/")
    assert [complaint for complaint in complaints if not any(words in complaint for words in expected)] == []


@pytest.fixture(scope="module")
def paths(newspaper):
    """Every page there is, by name."""
    reader = newspaper.reader(JO)
    mail = next(mail for mail in maildir.list_messages(newspaper.house.inbox, 9) if "more stories" in mail.subject)
    sign = newspaper.house.tokens.sign
    newspaper.post("/subscribe", data={"email": "pending@post.example", "topics": "russia", "timezone": "UTC"})
    return {
        "subscribe": "/subscribe",
        "subscribe-ko": "/subscribe?lang=ko",
        "confirm": newspaper.question("pending@post.example"),
        "already": f"/confirm/{sign(Purpose.CONFIRM, reader.id, 1)}",
        "preferences": f"/preferences/{sign(Purpose.PREFERENCES, reader.id)}",
        "preferences-ko": f"/preferences/{sign(Purpose.PREFERENCES, reader.id)}?lang=ko",
        "unsubscribe": f"/unsubscribe/{sign(Purpose.UNSUBSCRIBE, reader.id, 0)}",
        **_own_pages(newspaper, reader.id),
        "topics": "/topics",
        "topic": "/topics/north-korea",
        "newsletters": "/newsletters",
        "newsletter": "/newsletters/top-10",
        "newsletter-ko": "/newsletters/top-10?lang=ko",
        "issue": re.findall(r"/editions/[0-9a-f]{24}", newspaper.get("/newsletters/top-10").text)[0],
        "inbox": "/inbox",
        "message": f"/inbox/{mail.id}",
        "headers": f"/inbox/{mail.id}?view=headers",
        "text": f"/inbox/{mail.id}?view=text",
        "not-found": "/nowhere",
        "bad-link": "/confirm/x",
    }


def _own_pages(newspaper, reader):
    """Where the links of letters about one's own business lead."""
    soon, elsewhere = datetime(2100, 1, 1, tzinfo=UTC), {"recipient": "o@sullivan.example", "recipient_hash": "o"}
    with newspaper.house.database.write() as conn:
        letters = {
            kind: own_letters.put(conn, reader, kind, is_due=False, **(elsewhere if kind in ELSEWHERE else {}))
            for kind in LINK_OF
        }
    sign = newspaper.house.tokens.sign
    return {f"my-{kind}": f"/my/{sign(LINK_OF[kind], reader, letters[kind], expires_at=soon)}" for kind in LINK_OF}


def overflow_px(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_reader_signs_up_on_a_phone_without_javascript(open_page, newspaper):
    page = open_page("/subscribe")
    page.get_by_label("North Korea").check()
    page.get_by_label("Once a week").check()
    page.get_by_label("On which day").select_option("Friday")
    page.get_by_label("At what time").fill("18:30")
    page.get_by_label("Your mail address").fill("mina@post.example")
    page.get_by_label("Your time zone").select_option("Seoul")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    page.goto(newspaper.url + newspaper.question("mina@post.example"))
    expect(page.get_by_role("listitem")).to_contain_text("North Korea")
    page.get_by_role("button", name="Yes, subscribe me").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed")
    follow = newspaper.follows("mina@post.example")["north-korea"]
    assert (follow.cadence, follow.weekday, follow.times) == ("weekly", 5, ("18:30",))


def test_a_mistake_leads_to_its_field_and_costs_no_typing(open_page):
    page = open_page("/subscribe")
    page.get_by_label("Oman", exact=True).check()
    page.get_by_label("Your mail address").fill("nobody")
    page.get_by_label("A search of your own").fill("(oman")
    page.get_by_role("button", name="Subscribe").click()
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("listitem")).to_have_count(2)
    alert.get_by_role("link", name="Write your address as name@example.org.").click()
    expect(page.get_by_label("Your mail address")).to_be_in_viewport()
    expect(page.get_by_label("Your mail address")).to_have_value("nobody")
    expect(page.get_by_label("Your mail address")).to_have_accessible_description(re.compile("^Write your address"))
    expect(page.get_by_label("Oman", exact=True)).to_be_checked()
    assert overflow_px(page) == 0


def test_only_what_a_cadence_needs_is_asked_for(open_page):
    page = open_page("/subscribe")
    expect(page.get_by_label("At what time")).to_be_visible()
    expect(page.get_by_label("On which day")).to_be_hidden()
    page.get_by_label("Once a week").check()
    expect(page.get_by_label("On which day")).to_be_visible()
    page.get_by_label("As it happens").check()
    expect(page.get_by_label("At what time")).to_be_hidden()


@pytest.mark.parametrize(("scripts", "zone"), [(True, "Asia/Seoul"), (False, "Europe/London")])
def test_the_zone_is_the_browsers_where_it_says_so_else_the_newsrooms(open_page, scripts, zone):
    page = open_page("/subscribe", scripts=scripts, timezone_id="Asia/Seoul")
    expect(page.get_by_label("Your time zone")).to_have_value(zone)


def test_preferences_are_changed_on_a_phone_without_javascript(open_page, newspaper):
    newspaper.joins("noor@post.example", "oman", "russia")
    reader = newspaper.reader("noor@post.example")
    page = open_page(newspaper.link(Purpose.PREFERENCES, reader.id))
    page.get_by_role("group", name="Oman").get_by_label("Unsubscribe from this").check()
    page.get_by_text("Follow more").click()
    page.get_by_label("Japan").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("It is saved.")
    assert set(newspaper.follows("noor@post.example")) == {"russia", "japan"}


def test_the_keyboard_reaches_the_page_past_the_masthead(open_page):
    page = open_page("/subscribe")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the page")
    expect(page.locator(":focus")).to_be_in_viewport()


def test_new_mail_appears_in_the_inbox_by_itself(open_page, newspaper):
    page = open_page("/inbox", DESK, scripts=True)
    data = b"Subject: Fresh off the press\r\nFrom: a@courier.example\r\n\r\nx"
    maildir.store(newspaper.house.inbox, data, sender="a@courier.example", recipient="jo@post.example")
    expect(page.get_by_text("Fresh off the press")).to_be_visible(timeout=15_000)


def test_a_mail_is_seen_as_its_reader_sees_it_and_its_links_open_beside(open_page, paths):
    page = open_page(paths["message"], DESK)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading").first).to_be_visible()
    page.get_by_label("Phone").check()
    assert page.locator("iframe").bounding_box()["width"] == PHONE
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Preferences").click()
    assert opened.value.url.startswith(("https://news.courier.example/", "chrome-error:"))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_every_screen_and_every_word_is_readable(open_page, paths, scheme):
    for name, path in paths.items():
        for width in (NARROW, PHONE, DESK):
            page = open_page(path, width, scheme=scheme)
            assert overflow_px(page) == 0, f"{name} at {width} px"
            contrasts = page.evaluate(CONTRASTS)
            assert len(contrasts) > 5, name
            assert [(text, round(ratio, 1)) for text, ratio in contrasts if ratio < 4.5] == [], name
            page.context.close()


@pytest.mark.slow
def test_every_page_is_built_for_listening_too(open_page, paths):
    for name, path in paths.items():
        page = open_page(path)
        assert page.evaluate(NAMELESS) == [], name
        assert page.locator("h1").count() == 1, name
        assert page.locator("main").count() == 1, name
        assert page.evaluate("document.documentElement.lang") in {"en", "ko"}, name
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids)), name
        page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_of_on_any_page(open_page, paths, scheme):
    for name, path in paths.items():
        page = open_page(path, scheme=scheme, scripts=True)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == [], name
        page.context.close()


@pytest.mark.parametrize(
    ("file", "name", "look"),
    [
        ("page-subscribe.png", "subscribe", (DESK, "light")),
        ("page-preferences-phone-dark.png", "preferences", (PHONE, "dark")),
        ("page-inbox.png", "message", (DESK, "light")),
    ],
)
def test_the_readme_s_screenshots_are_there_and_small(open_page, paths, file, name, look):
    width, scheme = look
    page = open_page(paths[name], width, scheme=scheme)
    page.wait_for_load_state("networkidle")
    picture = page.screenshot(full_page=True)
    if RENEW:
        (SCREENSHOTS / file).write_bytes(picture)
    kept = (SCREENSHOTS / file).read_bytes()
    assert kept[:4] == b"\x89PNG"
    assert int.from_bytes(kept[16:20]) == width
    assert max(len(kept), len(picture)) < MAX_SCREENSHOT_BYTES

"""Mails as a reader's screen shows them: no overflow, readable by day and by night, in real Chromium.

The screenshots of docs/screenshots come from here. To renew them after a change of the templates:

    TOCSIN_RENEW_SCREENSHOTS=1 pytest tests/integration/test_mails_in_chromium.py
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from worker.content import DigestContent, Section
from worker.rendering import samples
from worker.rendering.compile import Renderer

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
MAX_SCREENSHOT_BYTES = 300_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing (Debian's package `chromium`)"),
]
EACH = pytest.mark.parametrize(("kind", "locale"), [(k, loc) for k in samples.KINDS for loc in samples.LOCALES])

# Each stretch of text with its contrast (WCAG 2.2) against the nearest background behind it; hidden text is left out.
CONTRASTS = """() => {
  const rgb = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb(colour).slice(0, 3).map(c => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if ((rgb(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !parent.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(parent).color), light(behind(parent))].sort((x, y) => y - x);
    found.push([walker.currentNode.data.trim(), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.route("http*://**", lambda route: route.abort())  # a mail must look right with nothing loaded
    yield page
    page.close()


@cache
def mail(kind, locale, *, accent="#8a1c1c"):
    house = samples.newsroom(locale).model_copy(update={"accent": accent})
    return Renderer(newsroom=house).compile(samples.content(kind, locale)).mailed_html(samples.personal(kind, locale))


def show(page, source, width, scheme="light"):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 300})
    page.set_content(source)


def overflow_px(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.slow
@EACH
def test_no_mail_is_wider_than_its_screen(page, kind, locale):
    for width in (320, 375, 800):
        show(page, mail(kind, locale), width)
        assert overflow_px(page) == 0, f"at {width} px"


@pytest.mark.parametrize("width", [320, 800])
def test_endless_words_do_not_burst_the_page(page, width):
    endless = "Donaudampfschifffahrt" * 20
    card = samples.cards_of("en")[0].model_copy(
        update={**dict.fromkeys(("title", "summary", "author", "source", "section"), endless), "also_in": (endless,)}
    )
    content = DigestContent(
        locale="en", day=samples.DAY, sections=(Section(topic=endless, slug="endless", cards=(card, card)),)
    )
    house = samples.newsroom("en").model_copy(update={"postal_address": endless})
    show(page, Renderer(newsroom=house).compile(content).mailed_html(samples.personal("digest", "en")), width)
    assert overflow_px(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@EACH
def test_every_word_is_readable(page, kind, locale, scheme):
    show(page, mail(kind, locale), 375, scheme)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 8
    assert [(text, round(ratio, 1)) for text, ratio in contrasts if ratio < 4.5] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["#ffcc00", "#000000", "#0a3d91", "#ffffff"])
def test_every_word_is_readable_whatever_accent_a_newsroom_has(page, accent, scheme):
    show(page, mail("breaking", "en", accent=accent), 375, scheme)
    assert [(text, round(ratio, 1)) for text, ratio in page.evaluate(CONTRASTS) if ratio < 4.5] == []


def test_night_turns_the_paper_dark(page):
    papers = []
    for scheme in ("light", "dark"):
        show(page, mail("digest", "en"), 375, scheme)
        papers.append(page.evaluate("getComputedStyle(document.querySelector('.paper')).backgroundColor"))
    assert papers == ["rgb(255, 255, 255)", "rgb(28, 28, 30)"]


def test_korean_words_are_not_broken_in_the_middle(page):
    show(page, mail("digest", "ko"), 320)
    assert page.evaluate("getComputedStyle(document.querySelector('h3')).wordBreak") == "keep-all"


@pytest.mark.parametrize(
    ("file", "kind", "locale", "look"),
    [
        ("mail-alert.png", "alert", "en", (800, "light")),
        ("mail-digest.png", "digest", "en", (800, "light")),
        ("mail-digest-dark-phone.png", "digest", "en", (375, "dark")),
        ("mail-alert-ko-phone.png", "breaking", "ko", (375, "light")),
        ("mail-newsletter.png", "newsletter", "en", (800, "light")),
        ("mail-confirmation.png", "confirmation", "en", (800, "light")),
    ],
)
def test_the_readme_s_screenshots_are_there_and_small(page, file, kind, locale, look):
    show(page, mail(kind, locale), *look)
    picture = page.screenshot(full_page=True)
    if os.environ.get("TOCSIN_RENEW_SCREENSHOTS"):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / file).write_bytes(picture)
    kept = (SCREENSHOTS / file).read_bytes()
    assert kept[:4] == b"\x89PNG"
    assert int.from_bytes(kept[16:20]) == look[0]
    assert max(len(kept), len(picture)) < MAX_SCREENSHOT_BYTES

"""Mails as a reader's screen shows them, in real Chromium: no overflow, readable by day and by night, with and without
their pictures, in three scripts and both directions, and to a screen reader's ear.

The screenshots of docs/screenshots come from here. To renew them after a change of the templates:

    TOCSIN_RENEW_SCREENSHOTS=1 pytest tests/integration/test_mails_in_chromium.py -m "slow or not slow"
"""

from __future__ import annotations

import base64
import os
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import right_to_left
from tests.chromium import CHROMIUM, MISSING
from tests.drawn import indexed_png, picture
from worker.content import DigestContent, Image, Section
from worker.rendering import samples
from worker.rendering.compile import Renderer

SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
MAX_SCREENSHOT_BYTES = 300_000
RENEW = "TOCSIN_RENEW_SCREENSHOTS" in os.environ
# What axe asks of a page, and a mail cannot give: it is shown within a page of the reader's client, whose landmarks are
# around it, and where a second `main` would be one too many. It is an article instead.
NOT_A_PAGE = ("landmark-one-main", "region")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING),
]
EACH = pytest.mark.parametrize("kind", samples.KINDS)
LOCALES = (*samples.LOCALES, "ar")
EACH_IN_ALL = pytest.mark.parametrize(("kind", "locale"), [(k, loc) for k in samples.KINDS for loc in LOCALES])

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


# Pictures with the width that they take, and whether they have come.
PICTURES = """() => [...document.images].map(e => [
  e.getBoundingClientRect().width, e.getBoundingClientRect().height, e.naturalWidth, e.naturalHeight, e.alt
])"""


@pytest.fixture(scope="module")
def only_page(browser):
    return browser.new_page()


@pytest.fixture
def page(only_page):
    """Return the page, on which no picture comes: a mail must look right with nothing loaded."""
    yield only_page
    only_page.unroute_all()
    only_page.emulate_media(color_scheme="light", forced_colors="none")


@pytest.fixture(scope="module")
def theme(tmp_path_factory):
    return right_to_left.theme(tmp_path_factory.mktemp("theme"))


@pytest.fixture(scope="module")
def mail(theme):
    """Return the HTML of a sample in a language, as mailed."""

    @cache
    def made(kind, locale, accent="#8a1c1c"):
        ours = locale in samples.LOCALES
        house = samples.newsroom(locale) if ours else right_to_left.newsroom(locale)
        content = samples.content(kind, locale) if ours else right_to_left.content(kind, locale)
        renderer = Renderer(newsroom=house.model_copy(update={"accent": accent}), theme=theme)
        return renderer.compile(content).mailed_html(samples.personal(kind, locale if ours else "en"))

    return made


def show(page, source, width, scheme="light", *, pictures=False):
    page.unroute_all()
    page.route("**/*", lambda route: serve(route) if pictures else route.abort())
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 300})
    page.set_content(source)


def serve(route):
    route.fulfill(body=picture(route.request.url), content_type="image/png")


def overflow_px(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def digest_of(*cards, topic="North Korea", newsroom=None):
    section = Section(topic=topic, slug="topic", cards=cards)
    content = DigestContent(locale="en", day=samples.DAY, sections=(section,))
    renderer = Renderer(newsroom=newsroom or samples.newsroom("en"))
    return renderer.compile(content).mailed_html(samples.personal("digest", "en"))


@pytest.mark.slow
@EACH_IN_ALL
def test_no_mail_is_wider_than_its_screen(page, mail, kind, locale):
    for pictures in (False, True):
        show(page, mail(kind, locale), 320, pictures=pictures)
        for width in (320, 375, 521, 640, 800):
            page.set_viewport_size({"width": width, "height": 300})
            assert overflow_px(page) == 0, f"at {width} px, {pictures=}"


@pytest.mark.parametrize("width", [320, 800])
def test_endless_words_do_not_burst_the_page(page, width):
    endless = "Donaudampfschifffahrt" * 20
    image = Image(url="https://img.courier.example/a.jpg", alt=endless, credit=endless)
    card = samples.cards_of("en")[0].model_copy(
        update={
            **dict.fromkeys(("title", "summary", "author", "source", "section"), endless),
            "also_in": (endless,),
            "image": image,
        }
    )
    house = samples.newsroom("en").model_copy(update={"postal_address": endless})
    show(page, digest_of(card, card, topic=endless, newsroom=house), width)
    assert overflow_px(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@EACH
def test_every_word_is_readable(page, mail, kind, scheme):
    for locale in samples.LOCALES:
        show(page, mail(kind, locale), 375, scheme)
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 5
        assert [(text, round(ratio, 1)) for text, ratio in contrasts if ratio < 4.5] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["#ffcc00", "#000000", "#0a3d91", "#ffffff"])
def test_every_word_is_readable_whatever_accent_a_newsroom_has(page, mail, accent, scheme):
    show(page, mail("breaking", "en", accent), 375, scheme)
    assert [(text, round(ratio, 1)) for text, ratio in page.evaluate(CONTRASTS) if ratio < 4.5] == []


def test_night_turns_the_paper_dark(page, mail):
    papers = []
    for scheme in ("light", "dark"):
        show(page, mail("digest", "en"), 375, scheme)
        papers.append(page.evaluate("getComputedStyle(document.querySelector('.paper')).backgroundColor"))
    assert papers == ["rgb(255, 255, 255)", "rgb(28, 28, 30)"]


def test_a_readers_own_colours_still_tell_which_words_matched(page, mail):
    show(page, mail("digest", "en"), 375)
    page.emulate_media(forced_colors="active")
    weight = page.evaluate("getComputedStyle(document.querySelector('.hit')).fontWeight")
    line = page.evaluate("getComputedStyle(document.querySelector('.hit')).textDecorationLine")
    assert (weight, line) == ("700", "underline")


def test_korean_words_are_not_broken_in_the_middle(page, mail):
    show(page, mail("digest", "ko"), 320)
    assert page.evaluate("getComputedStyle(document.querySelector('h3')).wordBreak") == "keep-all"


@pytest.mark.parametrize("width", [320, 800])
@pytest.mark.parametrize("kind", ["alert", "digest", "newsletter"])
def test_pictures_keep_their_shape_and_fit(page, mail, kind, width):
    show(page, mail(kind, "en"), width, pictures=True)
    found = page.evaluate(PICTURES)
    assert found
    for shown, height, natural, natural_height, _ in found:
        assert natural > 0
        assert 60 <= shown <= min(natural, width)
        assert abs(height - shown * natural_height / natural) < 1.5


@pytest.mark.parametrize("kind", ["alert", "digest", "newsletter"])
def test_blocked_pictures_leave_their_words_and_no_hole(page, mail, kind):
    show(page, mail(kind, "en"), 375)
    found = page.evaluate(PICTURES)
    assert any(alt for *_, alt in found)
    assert all(height <= 80 for _, height, *_ in found)
    assert all(height < 3 for _, height, *_, alt in found if not alt)


def test_a_right_to_left_mail_is_mirrored(page, mail):
    show(page, mail("digest", "ar"), 800, pictures=True)
    place = "e => { const r = document.querySelector(e).getBoundingClientRect(); return [r.left, r.right]; }"
    sheet = page.evaluate(place, ".footer")
    assert page.evaluate(place, ".all a")[0] - sheet[0] < 2
    assert page.evaluate(place, ".beside")[0] - sheet[0] < 2
    assert page.evaluate("getComputedStyle(document.querySelector('h3')).textAlign") == "right"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).textAlign") == "left"
    assert "←" in page.inner_text(".all a")
    assert page.evaluate("document.querySelector('.lead').letterSpacing ?? 'normal'") == "normal"
    show(page, mail("newsletter", "ar"), 800)
    assert page.evaluate("getComputedStyle(document.querySelector('.remark')).borderRightWidth") == "3px"


def test_a_story_that_is_written_the_other_way_is_turned_within_an_english_digest(page):
    first, other = samples.cards_of("en")[:2]
    show(page, digest_of(other, right_to_left.card(first, "ar")), 800, pictures=True)
    styles = "[...document.querySelectorAll('h3')].map(e => [e.lang, e.dir, getComputedStyle(e).textAlign])"
    assert page.evaluate(styles) == [["", "", "start"], ["ar", "rtl", "right"]]
    by_line = page.locator(".byline").nth(1)
    # The author stands before the outlet, as the sentence has them, though both are written to the left.
    assert by_line.inner_text().startswith("By ليلى حداد\N{LEFT-TO-RIGHT MARK} · بريد الميناء\N{LEFT-TO-RIGHT MARK} · ")


def complaints_of_axe(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], node["html"][:120]) for one in found if one["id"] not in NOT_A_PAGE for node in one["nodes"]]


@pytest.mark.parametrize("kind", ["alert", "digest", "newsletter", "confirmation"])
def test_axe_has_nothing_against_it(page, mail, kind):
    show(page, mail(kind, "en"), 375, pictures=True)
    assert complaints_of_axe(page) == []


@pytest.mark.slow
@EACH_IN_ALL
def test_axe_has_nothing_against_any_mail_by_day_or_by_night(page, mail, kind, locale):
    for scheme in ("light", "dark"):
        show(page, mail(kind, locale), 375, scheme, pictures=True)
        assert complaints_of_axe(page) == []


@EACH
def test_a_mail_has_one_head_and_no_step_left_out_below_it(page, mail, kind):
    show(page, mail(kind, "en"), 800)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => Number(e.tagName[1]))")
    assert levels.count(1) == 1
    steps = zip([1, *levels], levels, strict=False)
    assert all(after <= before + 1 for before, after in steps)


@pytest.mark.parametrize("kind", ["digest", "newsletter"])
def test_no_two_links_that_lead_elsewhere_have_one_name(page, mail, kind):
    show(page, mail(kind, "en"), 800)
    links = page.evaluate(
        "[...document.links].filter(e => !e.ariaHidden)"
        ".map(e => [e.ariaLabel || e.innerText || e.firstChild.alt, e.href])"
    )
    names: dict[str, set[str]] = {}
    for name, address in links:
        names.setdefault(name.strip(), set()).add(address)
    assert [name for name, addresses in names.items() if len(addresses) > 1] == []


@pytest.mark.parametrize(
    ("file", "sample", "look"),
    [
        ("mail-alert.png", ("alert", "en"), (800, "light")),
        ("mail-digest.png", ("digest", "en"), (800, "light")),
        ("mail-digest-dark-phone.png", ("digest", "en"), (375, "dark")),
        ("mail-alert-ko-phone.png", ("breaking", "ko"), (375, "light")),
        ("mail-newsletter.png", ("newsletter", "en"), (800, "light")),
        ("mail-confirmation.png", ("confirmation", "en"), (800, "light")),
    ],
)
def test_the_readme_s_screenshots_are_there_and_small(page, mail, file, sample, look):
    show(page, mail(*sample), *look, pictures=True)
    keep(file, page.screenshot(full_page=True), width=look[0])


SHEET = """<!doctype html><title>{title}</title><style>
body {{ margin: 0; padding: 20px; background: #d9d5cc; font: 13px/1.4 Arial, sans-serif; color: #1b1a18; }}
div {{ display: flex; gap: 20px; align-items: flex-start; }} figure {{ margin: 0; }}
figcaption {{ padding-bottom: 7px; }}
img {{ display: block; box-shadow: 0 0 0 1px #b9b4a8; }}
</style><div>{figures}</div>"""
# A sheet has few colours that matter: packed as a palette of the 200 most frequent and of 56 that none of these is
# like, it takes a third of what a browser makes of it. Any other becomes the nearest of them.
PIXELS = """async data => {
  const shot = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
  const canvas = new OffscreenCanvas(shot.width, shot.height).getContext('2d');
  canvas.drawImage(shot, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, shot.width, shot.height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const parts = colour => [colour & 255, colour >> 8 & 255, colour >> 16 & 255];
  const far = (one, other) => one.reduce((sum, part, c) => sum + (part - other[c]) ** 2, 0);
  const ranked = [...counts].sort((a, b) => b[1] - a[1]);
  const kept = ranked.slice(0, 200).map(([colour]) => parts(colour));
  const rest = ranked.slice(200).filter(([, count]) => count > 9).map(([colour]) => parts(colour));
  const gaps = rest.map(one => Math.min(...kept.map(other => far(one, other))));
  while (kept.length < 256 && rest.length) {
    const next = rest[gaps.indexOf(Math.max(...gaps))];
    kept.push(next);
    rest.forEach((one, at) => { gaps[at] = Math.min(gaps[at], far(one, next)); });
  }
  const nearest = colour => {
    const gaps = kept.map(one => far(one, parts(colour)));
    return gaps.indexOf(Math.min(...gaps));
  };
  const places = new Map([...counts.keys()].map(colour => [colour, nearest(colour)]));
  const indices = Uint8Array.from(pixels, pixel => places.get(pixel));
  let packed = '';
  for (let at = 0; at < indices.length; at += 8192) packed += String.fromCharCode(...indices.subarray(at, at + 8192));
  return [shot.width, shot.height, kept.join(), btoa(packed)];
}"""
FIGURE = '<figure><figcaption>{name}</figcaption><img width="{width}" src="data:image/png;base64,{data}"></figure>'
LOOKS = (
    ("Desktop, 800 px", "en", 800, "light", True),
    ("Phone, 375 px", "en", 375, "light", True),
    ("At night", "en", 375, "dark", True),
    ("In Korean", "ko", 375, "light", True),
    ("Pictures blocked", "en", 375, "light", False),
)
RIGHT_TO_LEFT = (
    ("Arabic digest", "digest", "ar", 800, "light", True),
    ("Arabic newsletter, at night", "newsletter", "ar", 375, "dark", True),
    ("Hebrew alert", "alert", "he", 375, "light", True),
    ("Hebrew digest, pictures blocked", "digest", "he", 375, "light", False),
)


@pytest.mark.slow
@EACH
def test_a_sheet_shows_the_kind_as_readers_see_it(page, mail, kind):
    keep(f"mails-{kind}.png", sheet(page, mail, [(name, kind, *look) for name, *look in LOOKS]))


@pytest.mark.slow
def test_a_sheet_shows_mails_that_run_from_right_to_left(page, mail):
    keep("mails-right-to-left.png", sheet(page, mail, RIGHT_TO_LEFT))


@pytest.mark.slow
def test_no_sheet_is_kept_of_a_kind_that_is_no_more():
    wanted = {f"mails-{kind}.png" for kind in (*samples.KINDS, "right-to-left")}
    assert {file.name for file in SCREENSHOTS.glob("mails-*.png")} == wanted


def sheet(page, mail, looks):
    """Take screenshots, and put them side by side at half their size."""
    figures = []
    for name, kind, locale, width, scheme, pictures in looks:
        show(page, mail(kind, locale), width, scheme, pictures=pictures)
        assert overflow_px(page) == 0
        shot = base64.b64encode(page.screenshot(full_page=True)).decode()
        figures.append(FIGURE.format(name=name, width=width // 2, data=shot))
    page.unroute_all()
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": sum(look[3] // 2 for look in looks) + 20 * (len(looks) + 1), "height": 200})
    page.set_content(SHEET.format(title="Mails", figures="".join(figures)))
    made = base64.b64encode(page.screenshot(full_page=True)).decode()
    width, height, colours, packed = page.evaluate(PIXELS, made)
    return indexed_png(width, height, bytes(map(int, colours.split(","))), base64.b64decode(packed))


def keep(file, made, *, width=None):
    """Keep a screenshot where that is asked for; one of its size must be there."""
    if RENEW:
        (SCREENSHOTS / file).write_bytes(made)
    kept = (SCREENSHOTS / file).read_bytes()
    assert kept[:4] == made[:4] == b"\x89PNG"
    assert int.from_bytes(kept[16:20]) == int.from_bytes(made[16:20]) == (width or int.from_bytes(made[16:20]))
    assert max(len(kept), len(made)) < MAX_SCREENSHOT_BYTES

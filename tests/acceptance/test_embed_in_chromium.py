"""The sign-up box on a page of another site, in real Chromium: by script and by frame, with all storage blocked."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

from tests.acceptance.test_pages_in_chromium import CONTRASTS
from tests.chromium import CHROMIUM, MISSING, launched
from tests.databases import SqliteTemplate
from tests.integration.web.newspaper import Newspaper, QuietHouse, add_topics, served
from worker.settings import load

RENEW = "TOCSIN_RENEW_SCREENSHOTS" in os.environ
SCREENSHOT = Path(__file__).parents[2] / "docs" / "screenshots" / "page-embed.png"
PHONE, DESK = 360, 1000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING),
]

# Whoever touches a store of the browser's within a frame finds it shut, as with all cookies blocked.
SHUT = """if (window.parent !== window) for (const [holder, name] of [[Document.prototype, 'cookie'],
  [window, 'localStorage'], [window, 'sessionStorage'], [window, 'indexedDB'], [window, 'caches']])
  Object.defineProperty(holder, name, { get() { throw new Error(`${name} was touched`); },
                                        set() { throw new Error(`${name} was touched`); } });"""


STORY = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A port</title>
<style>body {{ margin: 0 auto; max-width: 34rem; padding: 1.5rem; font: 1.125rem/1.6 Charter, Georgia, serif }}
h1 {{ line-height: 1.15 }} .by {{ color: #666; font-family: sans-serif; font-size: 0.875rem }}</style>
<h1>Oman opens the port that ships have waited for</h1><p class="by">By Ada Reed, Muscat</p>
<p>It took eleven years and two ministers. On Tuesday morning the first ship came in, and with her the question who
will pay for the second pier.</p>{script}<p>The harbour master, who had waited for the day longer than most, was
at sea.</p>"""


@contextmanager
def stranger():
    """Serve what is in `pages`, by path, on another port of a host with another name: another site to browsers."""
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}", pages
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture(scope="module")
def around(tmp_path_factory, sqlite_template: SqliteTemplate):
    """A newspaper that lets one stranger frame its box, and that stranger."""
    folder = tmp_path_factory.mktemp("newspaper")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
            patch.delenv(name)
        friend, friends = stack.enter_context(stranger())
        other, others = stack.enter_context(stranger())
        url = sqlite_template.copy(folder / "t.db")
        house = QuietHouse(load(home=folder / "home", database_url=url, embed_origins=friend, form_quickest_s=0))
        stack.callback(house.close)
        add_topics(house)
        home = stack.enter_context(served(house))
        newspaper = Newspaper(house=house, url=home, client=stack.enter_context(httpx.Client()))
        script = f'<script src="{home}/embed.js" data-topic="oman" data-title="Mail on Oman" async></script>'
        frame = f'<iframe src="{home}/embed?topic=oman" title="Mail on Oman" width="100%" height="420"></iframe>'
        head = '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>News</title>'
        for pages in (friends, others):
            pages["/script"] = f"{head}<h1>A story</h1><p>Its words.</p>{script}<p id=after>More words.</p>"
            pages["/frame"] = f"{head}<h1>A story</h1>{frame}"
        friends["/two"] = f"{head}<h1>Two</h1>{script}{script.replace('oman', 'russia').replace('Oman', 'Russia')}"
        friends["/story"] = STORY.format(script=script)
        yield newspaper, friend, other


@pytest.fixture(scope="module")
def browser():
    with launched("--test-third-party-cookie-phaseout") as chromium:
        yield chromium


@pytest.fixture
def open_page(browser):
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_it(url, width=PHONE, *, scripts=True, scheme="light", told=complaints):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=scripts, color_scheme=scheme
        )
        contexts.append(context)
        if scripts:
            context.add_init_script(SHUT)
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(url)
        return page

    yield open_it
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert cookies == []
    assert [text for text in complaints if "favicon" not in text and "status of 4" not in text] == []


def test_the_script_puts_a_box_in_its_place_that_is_as_tall_as_what_is_in_it(open_page, around):
    newspaper, friend, _ = around
    for width in (PHONE, DESK):
        page = open_page(f"{friend}/script", width)
        box = page.frame_locator("iframe[title='Mail on Oman']")
        expect(box.get_by_role("heading")).to_have_text("News by mail: Oman")
        inner = page.frames[1]
        fits = "Math.abs(window.innerHeight - document.body.offsetHeight) < 2"
        inner.wait_for_function(fits)
        assert page.locator("iframe").evaluate("e => e.nextElementSibling.id") == "after"
        assert page.locator("script").count() == 0
        before = page.locator("iframe").bounding_box()["height"]
        box.get_by_label("Your mail address").fill("nobody")
        box.get_by_role("button", name="Subscribe").click()
        expect(box.get_by_role("alert")).to_be_visible()
        page.frames[1].wait_for_function(fits)
        assert page.locator("iframe").bounding_box()["height"] > before
        address = f"script{width}@post.example"
        box.get_by_label("Your mail address").fill(address)
        box.get_by_role("button", name="Subscribe").click()
        expect(box.get_by_role("heading")).to_have_text("Check your mail")
        assert page.url == f"{friend}/script"
        assert newspaper.reader(address).timezone == page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")


def test_a_frame_alone_is_enough_without_javascript(open_page, around):
    newspaper, friend, _ = around
    page = open_page(f"{friend}/frame", scripts=False)
    box = page.frame_locator("iframe")
    box.get_by_label("Your mail address").fill("frame@post.example")
    box.get_by_role("button", name="Subscribe").click()
    expect(box.get_by_role("heading")).to_have_text("Check your mail")
    assert newspaper.knows("frame@post.example")


def test_two_boxes_on_a_page_each_have_their_own_height_and_topic(open_page, around):
    _, friend, _ = around
    page = open_page(f"{friend}/two")
    for topic in ("Oman", "Russia"):
        expect(page.frame_locator(f"iframe[title='Mail on {topic}']").get_by_role("heading")).to_contain_text(topic)


def test_nobody_but_the_box_sets_its_height(open_page, around):
    _, friend, _ = around
    page = open_page(f"{friend}/script")
    page.frames[1].wait_for_function("document.documentElement.scrollHeight <= window.innerHeight")
    before = page.locator("iframe").bounding_box()["height"]
    page.evaluate("window.postMessage({ tocsin: { height: 9000 } }, '*')")
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    assert page.locator("iframe").bounding_box()["height"] == before


def test_a_page_that_may_not_frame_the_box_does_not(open_page, around):
    _, _, other = around
    told: list[str] = []
    page = open_page(f"{other}/frame", told=told)
    page.wait_for_load_state("networkidle")
    assert any("frame-ancestors" in complaint for complaint in told)
    assert page.frame_locator("iframe").get_by_label("Your mail address").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_box_fits_and_can_be_read_and_heard(open_page, around, scheme):
    newspaper, _, _ = around
    for query in ("", "?topic=oman", "?topic=oman,russia&lang=ko"):
        for width in (240, PHONE, DESK):
            page = open_page(f"{newspaper.url}/embed{query}", width, scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (query, width)
            assert [(text, ratio) for text, ratio in page.evaluate(CONTRASTS) if ratio < 4.5] == [], query
            page.get_by_label("메일 주소" if "ko" in query else "Your mail address").fill("jo@gmial.com")
            page.get_by_role("button").first.click()
            violations = Axe().run(page).response["violations"]
            assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations] == [], query


def test_the_docs_screenshot_is_there_and_small(open_page, around):
    _, friend, _ = around
    page = open_page(f"{friend}/story", 700)
    page.frames[1].wait_for_function("Math.abs(window.innerHeight - document.body.offsetHeight) < 2")
    picture = page.screenshot(full_page=True)
    if RENEW:
        SCREENSHOT.write_bytes(picture)
    kept = SCREENSHOT.read_bytes()
    assert int.from_bytes(kept[16:20]) == 700
    assert max(len(kept), len(picture)) < 150_000

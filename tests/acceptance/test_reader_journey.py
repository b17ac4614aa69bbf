"""A reader's whole life with us, on a phone, in real Chromium against the running system, its workers and its inbox.

Signup, the question, the welcome, the first digest, preferences and what is told of them, one click, back again, a
farewell and back again, the reader's own data, and forgotten: with JavaScript and without, in English and in Korean.
The screenshots docs/screenshots/journey-*.png come from here.

To renew them:

    TOCSIN_RENEW_SCREENSHOTS=1 pytest -m slow tests/acceptance/test_reader_journey.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.acceptance.conftest import MakeInstallation
from tests.acceptance.houses import Installation, until
from tests.acceptance.mails import Mail
from tests.chromium import CHROMIUM, MISSING
from worker.rendering.language import Languages
from worker.resources import seeds_dir, templates_dir

SCREENSHOTS: Final = Path(__file__).parents[2] / "docs" / "screenshots"
RENEW: Final = "TOCSIN_RENEW_SCREENSHOTS" in os.environ
WITHIN_S: Final = 60.0
PHONE: Final[ViewportSize] = {"width": 375, "height": 800}
NEWS: Final = {  # a story each, and on which morning from now it is told
    "en": ("North Korea opens a railway to the coast", "Pyongyang says that trains will run in spring.", 1),
    "ko": ("Floods drive thousands from homes in North Korea", "The Yalu rose by four metres in one night.", 2),
}
NEWSROOM: Final = "The Harbour Courier"
LANGUAGES: Final = Languages(templates_dir() / "locales")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=MISSING),
]


@pytest.fixture(scope="module")
def house(make_module_installation: MakeInstallation) -> Iterator[Installation]:
    """A running newspaper with the seeds' topics and newsletters."""
    house = make_module_installation(TOCSIN_TIMEZONE="UTC", TOCSIN_CHANGED_LETTER_AFTER_S="1")
    house.migrated()
    house.told("topics", "import", seeds_dir() / "topics")
    with house.up():
        yield house


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody with a phone: what they see, say and get."""

    house: Installation
    page: Page
    address: str
    tag: str
    complaints: list[str]

    def says(self, english: str) -> str:
        """Return one of our sentences in the reader's language."""
        return LANGUAGES.best(self.tag).gettext(english)

    def press(self, english: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=self.says(english), exact=True).click()

    def expect_heading(self, english: str) -> None:
        """Be sure of where the reader is; nothing may stick out of a phone's screen."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.says(english))
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(width) == 0

    def shoot(self, name: str) -> None:
        """Keep what the screen shows."""
        file = SCREENSHOTS / f"journey-{self.tag}-{name}.png"
        picture = self.page.screenshot()
        if RENEW:
            file.write_bytes(picture)
        assert file.read_bytes()[:4] == b"\x89PNG"

    def mail(self, number: int) -> Mail:
        """Return the reader's mail of a number, once it has come; and no more than so many have."""
        until(
            lambda: len(self.house.mails_to(self.address)) >= number,
            within_s=WITHIN_S,
            what=f"mail {number} of {self.address}",
            tell=self.house.logs,
        )
        mails = self.house.mails_to(self.address)
        assert len(mails) == number, [mail.subject for mail in mails]
        return mails[-1]

    def open(self, mail: Mail, path: str) -> None:
        """Follow a link of ours in a mail."""
        found = re.search(rf"{re.escape(self.house.url)}/{path}/[\w.-]+", mail.part("plain"))
        assert found, mail.part("plain")
        self.page.goto(found[0])


@pytest.fixture(params=[("en", False), ("ko", True)], ids=["en, no JavaScript", "ko, JavaScript"])
def reader(request: pytest.FixtureRequest, browser: Browser, house: Installation) -> Iterator[Reader]:
    tag, scripts = request.param
    complaints: list[str] = []
    context = browser.new_context(viewport=PHONE, java_script_enabled=scripts, locale=tag, timezone_id="Asia/Seoul")
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield Reader(house=house, page=page, address=f"mina.{tag}@lettuce.example", tag=tag, complaints=complaints)
    context.close()


def publish(house: Installation, title: str, body: str) -> None:
    """Publish a story, and wait until it is matched."""
    url = "https://courier.example/" + re.sub(r"\W+", "-", title.lower())
    answer = house.post("/api/v1/articles", {"url": url, "title": title, "body": body, "lang": "en"})
    assert answer.status_code in {201, 202}, answer.text
    until(
        lambda: house.query("SELECT count(*) FROM article WHERE matched_at IS NULL") == [(0,)],
        within_s=WITHIN_S,
        what="all is matched",
        tell=house.logs,
    )


def test_from_signup_to_the_first_digest_to_one_click_to_forgotten(reader: Reader) -> None:
    sign_up_and_confirm(reader)
    digest = read_the_first_digest(reader)
    change_the_rhythm(reader, digest)
    leave_by_one_click_and_come_back(reader, digest)
    leave_by_the_page_and_come_back(reader)
    be_forgotten(reader, digest)
    assert reader.complaints == []


def sign_up_and_confirm(reader: Reader) -> None:
    page = reader.page
    page.goto(f"{reader.house.url}/subscribe")
    reader.shoot("1-subscribe")
    names = {"en": "North Korea", "ko": "북한"}
    page.get_by_role("checkbox", name=names[reader.tag], exact=True).check()
    page.locator("[name=email]").fill(reader.address)
    page.locator("[name=timezone]").select_option("Asia/Seoul")
    reader.press("Subscribe")
    reader.expect_heading("Check your mail")
    reader.open(reader.mail(1), "confirm")
    reader.expect_heading("Is this what you want?")
    reader.shoot("2-confirm")
    reader.press("Yes, subscribe me")
    reader.expect_heading("You are subscribed")
    assert reader.mail(2).subject == reader.says("Welcome to %(newsroom)s") % {"newsroom": NEWSROOM}


def read_the_first_digest(reader: Reader) -> Mail:
    title, body, days = NEWS[reader.tag]
    publish(reader.house, title, body)
    morning = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT22:01:00Z")  # 07:01 in Seoul
    reader.house.told("plan", "--at", morning)
    digest = reader.mail(3)
    assert title in digest.part("plain")
    reader.open(digest, "m")
    reader.shoot("3-digest")
    return digest


def change_the_rhythm(reader: Reader, digest: Mail) -> None:
    reader.open(digest, "preferences")
    reader.expect_heading("What you follow")
    reader.shoot("4-preferences")
    reader.page.locator("select[name^=cadence-]").select_option("weekly")
    reader.page.locator("select[name^=weekday-]").select_option("5")
    reader.press("Save")
    expect(reader.page.get_by_role("status")).to_have_text(reader.says("It is saved."))
    statement = (
        "SELECT cadence, weekday FROM subscription JOIN subscriber ON subscriber.id = subscriber_id WHERE email = ?"
    )
    assert reader.house.query(statement, reader.address) == [("weekly", 5)]
    told = reader.mail(4)
    assert told.subject == reader.says("What you get from %(newsroom)s was changed") % {"newsroom": NEWSROOM}
    assert reader.says("Before:") in told.part("plain")


def leave_by_one_click_and_come_back(reader: Reader, digest: Mail) -> None:
    target = digest.header_bytes("List-Unsubscribe").decode().partition(">")[0].strip("<")
    clicked = httpx.post(target, data={"List-Unsubscribe": "One-Click"})  # as a mail provider does it
    assert (clicked.status_code, clicked.history) == (200, [])
    assert standing(reader) == ("left", 0)
    reader.page.goto(target)
    reader.shoot("5-unsubscribed")
    reader.page.goto(f"{reader.house.url}/subscribe?topic=north-korea")
    reader.page.locator("[name=email]").fill(reader.address)
    reader.press("Subscribe")
    reader.open(reader.mail(5), "confirm")  # so none has come of the click
    reader.press("Yes, subscribe me")
    assert standing(reader) == ("active", 1)


def leave_by_the_page_and_come_back(reader: Reader) -> None:
    reader.open(reader.mail(6), "unsubscribe")
    reader.press("Unsubscribe")
    assert standing(reader) == ("left", 0)
    goodbye = reader.mail(7)
    assert goodbye.subject == reader.says("You have unsubscribed from %(newsroom)s") % {"newsroom": NEWSROOM}
    reader.open(goodbye, "unsubscribe")
    reader.press("That was a mistake: undo it")
    reader.expect_heading("Check your mail")
    reader.open(reader.mail(8), "confirm")
    reader.press("Yes, subscribe me")
    reader.expect_heading("You are subscribed")
    assert standing(reader) == ("active", 1)
    reader.mail(9)


def be_forgotten(reader: Reader, digest: Mail) -> None:
    reader.open(digest, "preferences")
    reader.press("Forget me")
    reader.shoot("6-letter")
    reader.open(reader.mail(10), "my")
    reader.expect_heading("Shall we forget you?")
    reader.press("Forget me")
    reader.expect_heading("For good?")
    assert "tocsin.db" in found_in(reader.house, reader.address)
    reader.press("Yes, forget me for good")
    reader.expect_heading("You are forgotten")
    reader.shoot("7-forgotten")
    assert found_in(reader.house, reader.address) == ""


def found_in(house: Installation, words: str) -> str:
    """Return the files that hold these words anywhere: the database and its log, mails, logs, the broker's."""
    files = [file for file in house.home.rglob("*") if file.is_file()]
    logs = list(house.folder.glob("*.log"))
    return "\n".join(str(file) for file in [*files, *logs] if words.lower().encode() in file.read_bytes().lower())


def standing(reader: Reader) -> tuple[str, int]:
    """Return where the reader stands, and how much they follow."""
    statement = (
        "SELECT status, (SELECT count(*) FROM subscription WHERE subscriber_id = subscriber.id AND ended_at IS NULL) "
        "FROM subscriber WHERE email = ?"
    )
    (row,) = reader.house.query(statement, reader.address)
    return row

"""A reader's own data, being forgotten, a change of address: through the pages, by the links of real mails."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from tests.builders import news, set_clock
from worker.adapters.transports import maildir
from worker.letter_links import LINK_OF
from worker.model import LetterKind
from worker.planning.run import plan
from worker.signup.newsletters import read_newsletters
from worker.signup.run_newsletters import store_newsletters
from worker.signup.run_wishes import fulfil
from worker.signup.wishes import Follow
from worker.store import copies, mutes, people
from worker.store.database import now
from worker.store.schema import Delivery, OwnLetter
from worker.tokens import Purpose

LETTER = """
- slug: top
  name: Top 10 stories
  sender: {name: The Courier, address: news@courier.example}
  schedule: FREQ=DAILY;BYHOUR=6;BYMINUTE=30
  timezone: Europe/London
"""
JO, NEW, BEN = "jo@example.org", "jo@elsewhere.example", "ben@example.org"


@pytest.fixture
def reader(newspaper):
    return newspaper.joins(JO, "oman", "russia")


@pytest.fixture
def mailed(newspaper):
    """Plan what is due and read the last mail to an address: who it is to, its text, and the link in it."""

    def read(address):
        house = newspaper.house
        plan(house.database, house.planning_policy)
        with house.database.read() as conn:
            query = sa.select(Delivery.id).where(Delivery.recipient == address).order_by(Delivery.id.desc()).limit(1)
            due = copies.one(conn, conn.execute(query).scalar_one())
        message = message_from_bytes(house.letters.write(due).data, policy=policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        text = body.get_content()
        found = re.search(rf"{re.escape(house.base_url)}(/my/[\w.-]+)", text)
        return message, text, found[1] if found else ""

    return read


@pytest.fixture
def ask(newspaper, mailed):
    """Ask on the preferences page for a letter, and give its link."""

    def asked(reader, about, address=JO):
        page = newspaper.link(Purpose.PREFERENCES, reader)
        assert newspaper.post(f"{page}/letter", data={"about": about}).status_code == 200
        return mailed(address)[2]

    return asked


def headline(answer):
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    assert found
    return found[1]


def later(newspaper, **time):
    set_clock(newspaper.house.database, ahead=timedelta(**time))


def test_the_preferences_page_has_a_button_for_each_and_a_mail_comes(newspaper, reader, mailed):
    page = newspaper.get(newspaper.link(Purpose.PREFERENCES, reader))
    assert re.findall(r'name="about" value="(\w+)"', page.text) == ["data", "move", "forget"]
    (action,) = re.findall(r'action="(/preferences/[^"]+/letter)"', page.text)
    answer = newspaper.post(action, data={"about": "data"})
    assert (answer.status_code, headline(answer)) == (200, "Check your mail")
    assert JO not in answer.text
    assert ("sweep_planning",) in newspaper.house.rung
    message, text, link = mailed(JO)
    assert message["To"] == JO
    assert "Your data" in message["Subject"]
    assert (link != "", "one hour" in text) == (True, True)


def test_whoever_has_the_preferences_link_learns_nothing_from_asking(newspaper, reader):
    """The same words, whether a mail goes, went a moment ago, or may never go."""
    page = newspaper.link(Purpose.PREFERENCES, reader)
    first, again = (newspaper.post(f"{page}/letter", data={"about": "forget"}) for _ in range(2))
    with newspaper.house.database.write() as conn:
        people.suppress(conn, newspaper.house.address_hash(JO), reason="bounced")
    suppressed = newspaper.post(f"{page}/letter", data={"about": "data"})
    assert first.text == again.text == suppressed.text
    with newspaper.house.database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(OwnLetter)).scalar_one() == 1


def test_nothing_else_can_be_asked_for(newspaper, reader):
    page = newspaper.link(Purpose.PREFERENCES, reader)
    for about in ("", "everything", "moved", "taken"):
        assert newspaper.post(f"{page}/letter", data={"about": about}).status_code == 422
    assert newspaper.get(f"{page}/letter").status_code in {404, 405}


def test_a_preferences_link_is_no_link_to_the_data_and_one_letter_s_link_is_not_another_s(newspaper, reader, ask):
    data = ask(reader, "data").removeprefix("/my/")
    for purpose in (*LINK_OF.values(), Purpose.PREFERENCES, Purpose.UNSUBSCRIBE):
        if purpose is not Purpose.DATA:
            token = newspaper.house.tokens.sign(purpose, reader, 1)
            answer = newspaper.post(f"/my/{token}", data={"as": "file", "step": "forget"})
            assert "about you" not in answer.text
    for broken in ("nonsense", data[:-1], data + "x"):
        assert newspaper.get(f"/my/{broken}").status_code == 404
    for path in ("preferences", "unsubscribe", "confirm", "m"):
        assert newspaper.get(f"/{path}/{data}").status_code == 404


# My data -------------------------------------------------------------------------------------------------------------


def test_the_data_come_as_a_page_and_as_a_file_with_everything(newspaper, reader, ask):
    newspaper.mails(JO, newspaper.follows(JO)["oman"].id)
    link = ask(reader, "data")
    shown = newspaper.get(link)
    assert (shown.status_code, headline(shown), JO in shown.text) == (200, "Your data", False)
    page = newspaper.post(link, data={"as": "page"})
    for word in (JO, "Oman", "Russia", "Seoul", "subscribed", "confirmed by a link", "Link to your data"):
        assert word in page.text
    file = newspaper.post(link, data={"as": "file"})
    assert file.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert file.headers["cache-control"] == "no-store"
    data = json.loads(file.content)
    assert data["about you"]["address"] == JO
    assert {one["topic"] for one in data["what you follow"]} == {"oman", "russia"}
    assert {one["sent to"] for one in data["mails to you"]} == {JO}
    assert [one["kind"] for one in data["letters about your data and your address"]] == ["data"]
    known, text = newspaper.reader(JO), json.dumps(data)
    for value in (known.address_hash, known.timezone, "confirm page", "sign-up page"):
        assert str(value) in text
    assert newspaper.post(link, data={"as": "file"}).status_code == 200  # it changes nothing, and works for its hour


def test_the_data_name_a_newsletter_and_when_it_comes_and_yeses_with_their_year_and_place(newspaper, reader, ask):
    database = newspaper.house.database
    store_newsletters(database, read_newsletters(LETTER), where="test")
    with database.write() as conn:
        fulfil(conn, reader, [Follow(newsletter="top")], timezone="UTC")
    newspaper.post("/embed", data={"email": JO, "topics": "north-korea"})
    newspaper.post(newspaper.question(JO))
    link = ask(reader, "data")
    page = newspaper.post(link, data={"as": "page"}).text
    assert "Every day at 06:30, London time" in page
    assert "asked for in a sign-up box" in page
    assert f"{newspaper.reader(JO).confirmed_at:%Y}" in page
    follows = json.loads(newspaper.post(link, data={"as": "file"}).content)["what you follow"]
    [letter] = [one for one in follows if "newsletter" in one]
    assert letter["newsletter"] == "top"
    assert not {"how often", "at what times", "topic"} & letter.keys()
    assert all("how often" in one for one in follows if one is not letter)


# Forget me -----------------------------------------------------------------------------------------------------------


def test_forgetting_is_asked_once_more_and_leaves_nothing(newspaper, reader, ask):
    newspaper.mails(JO, newspaper.follows(JO)["oman"].id)
    link = ask(reader, "forget")
    inbox = newspaper.house.inbox
    maildir.make(inbox)
    maildir.store(inbox, b"Subject: Hello\r\n\r\nHello Jo\r\n", sender="b@courier.example", recipient=JO)
    assert headline(newspaper.get(link)) == "Shall we forget you?"
    once_more = newspaper.post(link, data={"step": "ask"})
    assert (headline(once_more), newspaper.knows(JO)) == ("For good?", True)
    done = newspaper.post(link, data={"step": "forget"})
    assert (done.status_code, headline(done)) == (200, "You are forgotten")
    assert not newspaper.knows(JO)
    assert "jo@" not in repr(newspaper.snapshot()).lower()
    assert maildir.count_messages(inbox) == 0
    assert newspaper.get(link).status_code == newspaper.post(link, data={"step": "forget"}).status_code == 410
    assert newspaper.get(newspaper.link(Purpose.PREFERENCES, reader)).status_code == 410


def test_who_wants_no_mail_again_gets_none_and_others_may_come_back(newspaper, reader, ask):
    ben = newspaper.joins(BEN, "oman")
    newspaper.post(ask(reader, "forget"), data={"step": "forget", "suppress": "yes"})
    newspaper.post(ask(ben, "forget", BEN), data={"step": "forget"})
    with newspaper.house.database.read() as conn:
        assert people.is_suppressed(conn, newspaper.house.address_hash(JO)) is not None
        assert people.is_suppressed(conn, newspaper.house.address_hash(BEN)) is None


# Another address -----------------------------------------------------------------------------------------------------


def test_an_address_changes_by_a_link_from_each_mailbox_and_is_taken_back_by_a_third(newspaper, reader, ask, mailed):
    link = ask(reader, "move")
    assert headline(newspaper.get(link)) == "Change your address"
    asked = newspaper.post(link, data={"email": NEW})
    assert (headline(asked), newspaper.knows(NEW)) == ("Check your mail", False)
    message, text, new_link = mailed(NEW)
    assert (message["To"], message["List-Unsubscribe"]) == (NEW, None)
    assert "jo@example" not in message.as_string()
    assert "Seoul" not in text
    assert headline(newspaper.get(new_link)) == "Is this your new address?"
    assert not newspaper.knows(NEW)
    changed = newspaper.post(new_link)
    assert (changed.status_code, headline(changed)) == (200, "Your address is changed")
    assert (newspaper.reader(NEW).id, set(newspaper.follows(NEW))) == (reader, {"oman", "russia"})
    again = newspaper.post(new_link)
    assert (again.status_code, "what it was for is done" in again.text) == (410, True)
    notice, text, back = mailed(JO)
    assert notice["To"] == JO
    assert NEW not in notice.as_string()
    assert headline(newspaper.get(back)) == "Was it not you?"
    assert newspaper.knows(NEW)
    restored = newspaper.post(back)
    assert (restored.status_code, headline(restored)) == (200, "Your address is changed back")
    assert (newspaper.reader(JO).id, newspaper.knows(NEW)) == (reader, False)
    assert "sign up again" not in restored.text


def test_who_was_unsubscribed_by_a_stranger_is_told_so_with_their_address_back(newspaper, reader, ask, mailed):
    newspaper.post(ask(reader, "move"), data={"email": NEW})
    newspaper.post(mailed(NEW)[2])
    back = mailed(JO)[2]
    newspaper.post(newspaper.link(Purpose.UNSUBSCRIBE, reader, 0), data={"scope": "everything"})
    restored = newspaper.post(back)
    assert (restored.status_code, newspaper.status(JO)) == (200, "left")
    assert "Your subscription was ended meanwhile. To have it back, sign up again." in restored.text


def test_naming_a_reader_s_a_suppressed_and_a_free_address_looks_the_same(newspaper, reader, ask):
    newspaper.joins(BEN, "oman")
    with newspaper.house.database.write() as conn:
        people.suppress(conn, newspaper.house.address_hash("dead@example.org"), reason="bounced")
    link = ask(reader, "move")
    pages = {address: newspaper.post(link, data={"email": address}) for address in (BEN, "dead@example.org", NEW)}
    assert {answer.status_code for answer in pages.values()} == {200}
    texts = {answer.text.replace(address, "ADDRESS") for address, answer in pages.items()}
    assert len(texts) == 1


@pytest.mark.slow
def test_the_owner_of_a_taken_address_is_told_and_nothing_is_changed(newspaper, reader, ask, mailed):
    newspaper.joins(BEN, "oman")
    newspaper.post(ask(reader, "move"), data={"email": BEN})
    message, text, link = mailed(BEN)
    assert (message["To"], link) == (BEN, "")
    assert "Nothing has changed" in text
    assert "jo@" not in message.as_string()
    assert newspaper.reader(JO).id == reader


def test_what_is_no_new_address_is_said_beside_the_field(newspaper, reader, ask):
    link = ask(reader, "move")
    for typed, says in (("nonsense", "name@example.org"), ("", "name@example.org"), (JO.upper(), "already")):
        answer = newspaper.post(link, data={"email": typed})
        assert answer.status_code == 422
        assert says in answer.text
        assert 'aria-invalid="true"' in answer.text


# Links ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(newspaper, reader, ask):
    """A link of each kind that the page has a button for, by its name."""
    links = {}
    for number, about in enumerate(("data", "forget", "move")):
        later(newspaper, minutes=11 * number)
        links[about] = ask(reader, about)
    return links


def test_opening_a_link_changes_nothing_and_shows_no_whole_address(newspaper, three):
    before = newspaper.snapshot()
    for link in three.values():
        for method in ("GET", "HEAD"):
            answer = newspaper.client.request(method, newspaper.url + link)
            assert answer.status_code == 200
            assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert JO not in newspaper.get(link).text
    assert newspaper.snapshot() == before


def test_a_link_is_good_for_an_hour(newspaper, three):
    later(newspaper, minutes=58)
    assert newspaper.get(three["data"]).status_code == 200
    later(newspaper, minutes=22 + 61)
    for link in three.values():
        for answer in (newspaper.get(link), newspaper.post(link, data={"step": "forget", "as": "file", "email": NEW})):
            assert (answer.status_code, headline(answer)) == (410, "This link works no longer")
    assert newspaper.knows(JO)


@pytest.mark.slow
def test_the_way_back_is_open_for_seven_days(newspaper, reader, ask, mailed):
    newspaper.post(ask(reader, "move"), data={"email": NEW})
    newspaper.post(mailed(NEW)[2])
    back = mailed(JO)[2]
    later(newspaper, days=6, hours=23)
    assert newspaper.get(back).status_code == 200
    later(newspaper, days=7, hours=1)
    assert newspaper.post(back).status_code == 410
    assert newspaper.reader(NEW).id == reader


@pytest.mark.slow
def test_who_has_unsubscribed_finds_their_data_from_any_old_mail(newspaper, reader, ask):
    newspaper.post(newspaper.link(Purpose.UNSUBSCRIBE, reader, 0))
    page = newspaper.get(newspaper.link(Purpose.PREFERENCES, reader))
    assert re.findall(r'name="about" value="(\w+)"', page.text) == ["data", "forget"]
    link = ask(reader, "data")
    assert "unsubscribed" in newspaper.post(link, data={"as": "page"}).text


@pytest.mark.slow
def test_everything_is_korean_for_a_korean_reader(newspaper, mailed):
    reader = newspaper.joins(JO, "oman", locale="ko")
    newspaper.post(f"{newspaper.link(Purpose.PREFERENCES, reader)}/letter", data={"about": "forget"})
    message, text, link = mailed(JO)
    assert message["Content-Language"] == "ko"
    assert "한 시간" in text
    page = newspaper.get(link)
    assert '<html lang="ko"' in page.text
    assert headline(page) == "정보를 모두 삭제할까요?"


def test_every_kind_of_letter_that_has_a_link_has_a_page(newspaper, reader):
    """Whatever the number in it: a link that we signed never leads to an error of ours."""
    for kind in LetterKind:
        if purpose := LINK_OF.get(kind):
            expires_at = datetime(2100, 1, 1, tzinfo=UTC)
            token = newspaper.house.tokens.sign(purpose, reader, 999, expires_at=expires_at)
            assert newspaper.get(f"/my/{token}").status_code == 410
            assert newspaper.post(f"/my/{token}").status_code == 410
            token = newspaper.house.tokens.sign(purpose, 999, 1, expires_at=expires_at)
            assert newspaper.get(f"/my/{token}").status_code == 410


def test_what_a_reader_has_muted_is_among_their_data(newspaper, reader, ask):
    with newspaper.house.database.write() as conn:
        story = news(conn, title="Dhow sinks")
        mutes.mute_story(conn, reader, story, until=now(conn) + timedelta(days=7))
    link = ask(reader, "data")
    assert "Dhow sinks" in newspaper.post(link, data={"as": "page"}).text
    told = json.loads(newspaper.post(link, data={"as": "file"}).text)
    assert [one["title"] for one in told["stories that you hear no more of"]] == ["Dhow sinks"]

"""Unsubscribing by one click and by page, changing preferences, reading a mail in the browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from worker.model import SubscriberStatus
from worker.store import people
from worker.store.schema import Delivery
from worker.tokens import Purpose

JO = "jo@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BOUNDARY = "b1"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--{BOUNDARY}--\r\n'
)


@pytest.fixture
def reader(newspaper):
    """A reader of two topics."""
    return newspaper.joins(JO, "oman", "russia")


@pytest.fixture
def mail(newspaper, reader):
    """A mail about one of the two."""
    assert reader
    return newspaper.mails(JO, newspaper.follows(JO)["oman"].id)


@pytest.fixture
def one_click(newspaper, reader, mail):
    """The unsubscribe link of that mail."""
    return newspaper.link(Purpose.UNSUBSCRIBE, reader, mail)


def headline(answer):
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "how",
    [
        {"data": ONE_CLICK},
        {"content": MULTIPART, "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}},
        {"content": ""},
        {"json": ONE_CLICK},
        {"content": "\x00\xff", "headers": {"Content-Type": "text/plain"}},
    ],
    ids=["urlencoded", "multipart", "empty", "json", "noise"],
)
def test_one_click_ends_what_that_mail_serves(newspaper, one_click, how):
    answer = newspaper.post(one_click, **how)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert set(newspaper.follows(JO)) == {"russia"}


def test_one_click_may_come_twice_and_from_anywhere(newspaper, one_click):
    elsewhere = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site", "Host": "unknown.example"}
    assert newspaper.post(one_click, data=ONE_CLICK, headers=elsewhere).status_code == 200
    before = newspaper.snapshot()
    assert newspaper.post(one_click, data=ONE_CLICK, headers=elsewhere).status_code == 200
    assert newspaper.snapshot() == before


def test_one_click_works_after_years_and_after_the_keys_have_rotated(newspaper, one_click, open_newspaper):
    url = newspaper.house.settings.database_url.get_secret_value()
    later = open_newspaper(
        database_url=url, secret_keys="a-newer-key-that-signs-links-today a-key-that-signs-links-in-tests-only"
    )
    assert later.post(one_click, data=ONE_CLICK).status_code == 200
    assert set(newspaper.follows(JO)) == {"russia"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.CONFIRM, Purpose.VIEW])
def test_opening_a_link_never_changes_anything(newspaper, reader, mail, method, purpose):
    newspaper.post("/subscribe", data={"email": JO, "topics": "north-korea", "at": "07:00", "timezone": "UTC"})
    numbers = {
        Purpose.UNSUBSCRIBE: (reader, mail),
        Purpose.PREFERENCES: (reader,),
        Purpose.CONFIRM: (reader, newspaper.reader(JO).confirmations),
        Purpose.VIEW: (mail,),
    }[purpose]
    before = newspaper.snapshot()
    for query in ("", "?List-Unsubscribe=One-Click", "?scope=everything&again=yes", "?lang=ko"):
        answer = newspaper.client.request(method, newspaper.url + newspaper.link(purpose, *numbers) + query)
        assert answer.status_code == 200
        assert (method == "GET") == bool(answer.content)
    assert newspaper.snapshot() == before


def test_the_page_says_what_would_end_and_offers_everything_too(newspaper, one_click):
    page = newspaper.get(one_click)
    assert "Oman" in page.text
    assert "Russia" not in page.text
    assert re.findall(r'name="scope" value="(\w+)"', page.text) == ["these", "everything"]
    done = newspaper.post(one_click, data={"scope": "these"})
    assert headline(done) == "You are unsubscribed"
    assert re.search(r"You still follow:.*Russia", done.text, re.DOTALL)


def test_everything_can_be_ended_from_any_mail(newspaper, one_click):
    newspaper.post(one_click, data={"scope": "everything"})
    assert newspaper.follows(JO) == {}
    assert newspaper.status(JO) == "left"
    assert headline(newspaper.get(one_click)) == "You are unsubscribed"


def test_a_mistake_is_undone_by_the_same_link(newspaper, one_click):
    newspaper.post(one_click, data={"scope": "these"})
    answer = newspaper.post(one_click, data={"scope": "back"})
    assert headline(answer) == "Welcome back"
    assert set(newspaper.follows(JO)) == {"oman", "russia"}


def test_who_left_altogether_is_asked_by_mail_before_anything_comes_again(newspaper, one_click):
    newspaper.post(one_click, data={"scope": "everything"})
    newspaper.house.rung.clear()
    answer = newspaper.post(one_click, data={"scope": "back"})
    assert headline(answer) == "Check your mail"
    assert newspaper.house.rung == [("sweep_planning",)]
    assert newspaper.status(JO) == "pending"
    newspaper.post(newspaper.question(JO))
    assert set(newspaper.follows(JO)) == {"oman", "russia"}


def form_of(newspaper, reader, **changes):
    """The preferences form as a browser would send it, with changes."""
    data = {"timezone": "Asia/Seoul", "locale": "en", "cadence": "daily", "at": ["07:00", ""], "weekday": "1"}
    for one in newspaper.follows(JO).values():
        data |= {f"cadence-{one.id}": one.cadence, f"at-{one.id}": [*one.times, ""], f"weekday-{one.id}": "1"}
    return newspaper.post(newspaper.link(Purpose.PREFERENCES, reader), data=data | changes)


def test_preferences_show_what_is_followed_and_little_of_the_address(newspaper, reader):
    page = newspaper.get(newspaper.link(Purpose.PREFERENCES, reader)).text
    assert "Oman" in page
    assert "Russia" in page
    assert JO not in page
    assert "j…@example.org" in page
    assert page.index("Asia/Seoul") < page.index("Europe/London")


def test_saving_the_form_as_it_is_changes_nothing(newspaper, reader):
    before = newspaper.snapshot()
    answer = form_of(newspaper, reader)
    assert answer.status_code == 200
    assert "It is saved." in answer.text
    assert newspaper.snapshot() == before


def test_rhythm_zone_and_language_are_changed(newspaper, reader):
    oman = newspaper.follows(JO)["oman"].id
    answer = form_of(
        newspaper,
        reader,
        timezone="America/New_York",
        locale="ko",
        **{f"cadence-{oman}": "weekly", f"weekday-{oman}": "5", f"at-{oman}": ["18:30", "09:00"]},
    )
    assert '<html lang="ko"' in answer.text
    follows = newspaper.follows(JO)
    assert (follows["oman"].cadence, follows["oman"].weekday, follows["oman"].times) == (
        "weekly",
        5,
        ("09:00", "18:30"),
    )
    assert follows["russia"].next_due_at.astimezone(UTC).hour in {11, 12}
    assert newspaper.reader(JO).timezone == "America/New_York"


def test_more_is_followed_and_something_ended_in_one_go(newspaper, reader):
    oman = newspaper.follows(JO)["oman"].id
    form_of(
        newspaper, reader, topics=["north-korea"], query="quake Akita", cadence="immediate", **{f"end-{oman}": "yes"}
    )
    follows = newspaper.follows(JO)
    assert set(follows) == {"russia", "north-korea", "quake Akita"}
    assert follows["north-korea"].cadence == "immediate"


def test_a_pause_is_shown_and_ended(newspaper, reader):
    until = (datetime.now(UTC) + timedelta(days=9)).date()
    answer = form_of(newspaper, reader, paused_until=str(until))
    assert "You have a pause" in answer.text
    assert f'value="{until}"' in answer.text
    assert newspaper.status(JO) == "paused"
    form_of(newspaper, reader, paused_until="")
    assert newspaper.status(JO) == "active"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"paused_until": "2020-01-01"}, "paused_until"),
        ({"paused_until": "0001-01-01"}, "paused_until"),
        ({"paused_until": "soon"}, "paused_until"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"query": "(oman"}, "query"),
        ({"topics": "atlantis"}, "topics"),
    ],
)
def test_what_is_wrong_with_preferences_is_told_and_nothing_is_changed(newspaper, reader, changes, field):
    oman = newspaper.follows(JO)["oman"].id
    before = newspaper.snapshot()
    answer = form_of(newspaper, reader, **{f"end-{oman}": "yes"}, **changes)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text
    assert newspaper.snapshot() == before


def test_a_wrong_time_is_told_beside_its_own_subscription(newspaper, reader):
    oman = newspaper.follows(JO)["oman"].id
    answer = form_of(newspaper, reader, **{f"at-{oman}": "noon"})
    assert f'id="wrong-at-{oman}"' in answer.text


def test_nobody_changes_what_somebody_else_follows(newspaper, reader):
    newspaper.joins("al@example.org", "oman")
    theirs = newspaper.follows("al@example.org")["oman"].id
    form_of(newspaper, reader, **{f"cadence-{theirs}": "hourly", f"end-{theirs}": "yes"})
    assert newspaper.follows("al@example.org")["oman"].cadence == "daily"


def test_who_is_not_subscribed_has_no_preferences(newspaper, reader, one_click):
    newspaper.post(one_click, data={"scope": "everything"})
    before = newspaper.snapshot()
    assert headline(newspaper.get(newspaper.link(Purpose.PREFERENCES, reader))) == "You are not subscribed"
    assert headline(form_of(newspaper, reader, topics="oman")) == "You are not subscribed"
    assert newspaper.snapshot() == before


def test_a_mail_opens_in_the_browser_and_can_run_nothing_there(newspaper, mail):
    answer = newspaper.get(newspaper.link(Purpose.VIEW, mail))
    assert answer.status_code == 200
    assert "Oman" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy


def test_a_forgotten_reader_leaves_nothing_to_see(newspaper, reader, mail, one_click):
    with newspaper.house.database.write() as conn:
        people.change_reader(conn, reader, status=SubscriberStatus.ERASED, email=None, address_hash=None, consent={})
        conn.execute(Delivery.__table__.update().values(recipient=None))  # type: ignore[attr-defined]  # a Table
    assert newspaper.get(newspaper.link(Purpose.VIEW, mail)).status_code == 410
    assert newspaper.get(newspaper.link(Purpose.PREFERENCES, reader)).status_code == 410
    assert newspaper.get(newspaper.link(Purpose.CONFIRM, reader, 1)).status_code == 410
    assert newspaper.post(newspaper.link(Purpose.CONFIRM, reader, 1)).status_code == 410
    assert newspaper.post(one_click, data=ONE_CLICK).status_code == 200
    assert newspaper.get(one_click).status_code == 200

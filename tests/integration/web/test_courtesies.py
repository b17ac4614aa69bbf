"""Letters that go unasked, by what readers, strangers and mail programs do on the pages."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from tests.builders import set_clock
from worker.content import ChangedContent, GoodbyeContent, WelcomeContent, thaw
from worker.planning.run import plan
from worker.store import copies
from worker.store.schema import Delivery, Edition, EditionContent
from worker.tokens import Purpose

JO = "jo@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def letters(newspaper):
    """Plan what is due by now, a while on, and return the unasked letters, each with what its reader reads."""
    house, far = newspaper.house, [timedelta(0)]

    def plan_and_read(*, later=timedelta(0)):
        far[0] += later
        set_clock(house.database, ahead=far[0])
        plan(house.database, house.planning_policy)
        with house.database.read() as conn:
            rows = conn.execute(
                sa.select(Delivery.id, EditionContent.body)
                .join(Edition, Edition.id == Delivery.edition_id)
                .join(EditionContent, EditionContent.id == Delivery.content_id)
                .where(Edition.kind == "system")
                .order_by(Delivery.id)
            ).all()
            return [(thaw(row.body), parsed(house.letters.write(copies.one(conn, row.id)).data)) for row in rows]

    return plan_and_read


def parsed(data):
    return message_from_bytes(data, policy=policy.default)


def text(mail):
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def kinds(letters):
    return [type(content) for content, _ in letters]


def links(mail):
    """Return the paths of our own links in a message's text."""
    return re.findall(r"^http://[\w.:]+(/\w+/[\w.-]+)$", text(mail), re.MULTILINE)


def pages(mail):
    return [link.split("/")[1] for link in links(mail)]


@pytest.fixture
def jo(newspaper):
    return newspaper.joins(JO, "oman", "russia")


def test_the_button_to_confirm_is_answered_by_a_welcome(newspaper, letters):
    newspaper.post("/subscribe", data={"email": JO, "topics": "oman", "at": "07:00", "timezone": "Asia/Seoul"})
    newspaper.house.rung.clear()
    for _ in range(2):
        newspaper.post(newspaper.question(JO))
    assert newspaper.house.rung == [("sweep_planning",)]
    [(content, mail)] = letters()
    assert isinstance(content, WelcomeContent)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert pages(mail) == ["preferences", "unsubscribe"]


def test_one_click_in_a_welcome_ends_everything(newspaper, letters):
    newspaper.post("/subscribe", data={"email": JO, "topics": "oman", "at": "07:00", "timezone": "Asia/Seoul"})
    newspaper.post(newspaper.question(JO))
    [(_, mail)] = letters()
    target = re.fullmatch(r"<http://[\w.:]+(/unsubscribe/[\w.-]+)>", mail["List-Unsubscribe"])
    assert target
    newspaper.post(target[1], data=ONE_CLICK)
    assert newspaper.status(JO) == "left"
    assert kinds(letters()) == [WelcomeContent]


def save(newspaper, reader, **changes):
    data = {"timezone": "Asia/Seoul", "locale": "en", "cadence": "daily", "at": ["07:00", ""], "weekday": "1"}
    for one in newspaper.follows(JO).values():
        data |= {
            f"cadence-{one.id}": one.cadence,
            f"at-{one.id}": [*one.times, ""],
            f"weekday-{one.id}": str(one.weekday or 1),
        }
    answer = newspaper.post(newspaper.link(Purpose.PREFERENCES, reader), data=data | changes)
    assert answer.status_code == 200


def test_saves_of_the_preferences_page_are_told_in_one_letter(newspaper, jo, letters):
    oman = newspaper.follows(JO)["oman"].id
    save(newspaper, jo)
    save(newspaper, jo, **{f"cadence-{oman}": "weekly", f"weekday-{oman}": "5"})
    save(newspaper, jo, quiet_from="22:00", quiet_to="07:00", digest_floor="1", below_floor="merge")
    assert letters() == []
    [(content, mail)] = letters(later=timedelta(minutes=10))
    assert isinstance(content, ChangedContent)
    told = "  Oman\n    Before: Every day at 07:00\n    Now: Friday at 07:00\n\n  Quiet hours\n    Before: none\n"
    assert told + "    Now: from 22:00 to 07:00\n\nIf it was not you" in text(mail)
    assert pages(mail) == ["preferences", "unsubscribe"]


def test_a_button_of_the_page_to_unsubscribe_is_answered_and_one_click_is_not(newspaper, jo, letters):
    oman = newspaper.follows(JO)["oman"].id
    link = newspaper.link(Purpose.UNSUBSCRIBE, jo, newspaper.mails(JO, oman))
    newspaper.post(link, data=ONE_CLICK)
    assert letters(later=timedelta(minutes=10)) == []
    newspaper.post(link, data={"scope": "everything"})
    assert kinds(letters()) == [GoodbyeContent]


def test_the_way_back_in_a_goodbye_asks_by_mail_first(newspaper, jo, letters):
    newspaper.house.rung.clear()
    newspaper.post(newspaper.link(Purpose.UNSUBSCRIBE, jo, 0), data={"scope": "everything"})
    assert newspaper.house.rung == [("sweep_planning",)]
    [(_, mail)] = letters()
    assert [name for name in mail if name.startswith("List-")] == []
    [way_back] = links(mail)
    assert "That was a mistake: undo it" in newspaper.get(way_back).text
    newspaper.post(way_back, data={"scope": "back"})
    assert newspaper.status(JO) == "pending"
    newspaper.post(newspaper.question(JO))
    assert set(newspaper.follows(JO)) == {"oman", "russia"}
    assert kinds(letters()) == [GoodbyeContent, WelcomeContent]


def test_a_house_that_wants_none_writes_none(open_newspaper):
    newspaper = open_newspaper(letters="none")
    reader = newspaper.joins(JO, "oman")
    newspaper.post(newspaper.link(Purpose.UNSUBSCRIBE, reader, 0), data={"scope": "everything"})
    assert plan(newspaper.house.database, newspaper.house.planning_policy).deliveries == 0

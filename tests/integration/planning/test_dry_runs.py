"""A dry run of a pass tells of newsletters what planning then does: by both sorts of clock, and with editors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.builders import all_editions, breaking, news, reader, set_clock, topic
from tests.conftest import POSTGRESQL_SLOWLY
from tests.integration.planning.test_simulating import RULES, last_row, mails, would_be
from worker.model import EditionId, EditionKind, EditionStatus, Severity, StoryId, SubscriberId, TopicId
from worker.planning.run import plan
from worker.planning.run_choosing import Choosing, approve, choose, skip
from worker.planning.run_simulate import run_due
from worker.signup.newsletters import NewNewsletter
from worker.signup.run_newsletters import store_newsletters
from worker.signup.run_wishes import fulfil
from worker.signup.wishes import Follow
from worker.store.database import Database
from worker.store.schema import Story, Subscriber

FIRST = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SIX = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
TOP: dict[str, Any] = {
    "name": "Top stories",
    "sender": {"name": "The Courier", "address": "top@courier.example"},
    "schedule": "FREQ=DAILY;BYHOUR=6;BYMINUTE=30",
    "timezone": "UTC",
    "selection": {"minimum": 2, "maximum": 3},
}
ZONES = ("Pacific/Kiritimati", "Asia/Seoul", "UTC", "Europe/Berlin", "America/Los_Angeles", "Etc/GMT+12")


def be(database: Database, at: datetime) -> None:
    set_clock(database, ahead=at - datetime.now(UTC))


def publish(database: Database, *newsletters: dict[str, Any]) -> None:
    read = tuple(NewNewsletter.model_validate({**TOP, **values}) for values in newsletters)
    store_newsletters(database, read, where="n.yaml")


def subscribe(conn: Connection, name: str, *slugs: str, timezone: str = "UTC", **terms: Any) -> SubscriberId:
    subscriber = reader(conn, name, timezone=timezone)
    if terms:
        conn.execute(sa.update(Subscriber).where(Subscriber.id == subscriber).values(**terms))
    fulfil(conn, subscriber, [Follow(newsletter=slug) for slug in slugs], timezone=timezone)
    return subscriber


@pytest.fixture
def oman(database: Database) -> TopicId:
    be(database, FIRST)
    with database.write() as conn:
        return topic(conn, "oman", en="Oman")


def stories(conn: Connection, concerned: TopicId, *titles: str) -> list[StoryId]:
    return [news(conn, concerned, title=title, outlet=f"Paper of {title}") for title in titles]


def lines(database: Database, *, at: datetime | None = None) -> list[tuple[str, bool, tuple[int, ...], str]]:
    """Return (reader, send, stories, reason) of a dry run's newsletters, in its order."""
    return [
        (one.email.partition("@")[0], one.send, one.stories, one.reason)
        for runs in run_due(database, RULES, at=at)
        for one in runs
        if one.kind is EditionKind.NEWSLETTER
    ]


def drafts(database: Database) -> list[EditionId]:
    with database.read() as conn:
        found = [one for one in all_editions(conn) if one.kind is EditionKind.NEWSLETTER]
    return [EditionId(one.id) for one in found if one.status is EditionStatus.DRAFT]


def hold(database: Database, at: datetime) -> list[Any]:
    """Make one pass, and see that it does what a dry run has said."""
    before, told = last_row(database), would_be(run_due(database, RULES))
    plan(database, RULES)
    assert mails(database, after=before) == told, at
    return told


def test_an_issue_that_is_not_even_drafted_is_told_to_each_of_its_readers(database, oman):
    publish(database, {"slug": "top"})
    with database.write() as conn:
        subscribe(conn, "ada", "top")
        subscribe(conn, "ben", "top", paused_at=FIRST, paused_until=SIX + 2 * HOUR)
        subscribe(conn, "cleo", "top", quiet_from="22:00", quiet_to="09:00")
        reader(conn, "idle")
        anchors, boats = stories(conn, oman, "Anchors", "Boats")
    assert lines(database, at=SIX - MINUTE) == []
    shown = (boats, anchors)
    assert lines(database, at=SIX) == [
        ("ada", True, shown, "top: 2 stories"),
        ("ben", False, (), "paused until 2026-11-24T08:30:00Z"),
        ("cleo", True, shown, "top: 2 stories"),
    ]
    [cleo] = [one for runs in run_due(database, RULES, at=SIX) for one in runs if one.email.startswith("cleo")]
    assert (cleo.scheduled_at, cleo.at, cleo.cadence) == (SIX, SIX + 150 * MINUTE, "newsletter")
    assert drafts(database) == []
    be(database, SIX + MINUTE)
    assert [email.partition("@")[0] for email, *_ in hold(database, SIX)] == ["ada", "cleo"]
    assert lines(database) == []


def test_what_an_editor_chose_is_what_the_dry_run_shows_and_planning_sends(database, oman):
    publish(database, {"slug": "top", "approval": "required"})
    with database.write() as conn:
        subscribe(conn, "ada", "top")
        pinned = breaking(conn, title="A longer read")
        anchors, boats, cranes = stories(conn, oman, "Anchors", "Boats", "Cranes")
    be(database, SIX - HOUR + MINUTE)
    plan(database, RULES)
    [draft] = drafts(database)
    assert lines(database, at=SIX) == [("ada", False, (), "waits for approval")]
    be(database, SIX + MINUTE)
    assert hold(database, SIX) == []
    assert lines(database) == [("ada", False, (), "waits for approval")]
    assert not choose(
        database, draft, Choosing(pins=(pinned,), order=(anchors,), dropped=(cranes,)), actor="ed"
    ).refused
    assert not approve(database, draft, actor="ed").refused
    assert lines(database) == [("ada", True, (pinned, anchors, boats), "top: 3 stories")]
    assert len(hold(database, SIX)) == 1


def test_too_little_a_skipped_issue_and_one_too_old_are_told_with_the_reason(database, oman):
    publish(database, {"slug": "top"}, {"slug": "local", "timing": "reader"})
    with database.write() as conn:
        subscribe(conn, "ada", "top", "local")
        stories(conn, oman, "Anchors")
    assert lines(database, at=SIX) == [
        ("ada", False, (), "1 story, the least is 2"),
        ("ada", False, (), "1 story, the least is 2"),
    ]
    with database.write() as conn:
        stories(conn, oman, "Boats")
    be(database, SIX - 5 * HOUR)
    hold(database, SIX)
    [draft] = drafts(database)
    skip(database, draft, actor="ed", reason="a day of mourning")
    be(database, SIX + MINUTE)
    found = lines(database)
    assert sorted(reason for _, _, _, reason in found) == ["a day of mourning", "top: 2 stories"]
    assert len(hold(database, SIX)) == 1
    assert next(reason for *_, reason in lines(database, at=SIX + 36 * HOUR + MINUTE)).startswith("too old: due at ")


@pytest.mark.parametrize("database_url", POSTGRESQL_SLOWLY, indirect=True)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_pass_by_pass_planning_does_what_the_dry_run_says_of_newsletters(database, oman, seed):
    chance = Random(seed)
    publish(
        database,
        {"slug": "desk", "approval": "required", "schedule": "FREQ=DAILY;BYHOUR=6,18;BYMINUTE=30"},
        {"slug": "local", "timing": "reader"},
        {"slug": "news"},
    )
    with database.write() as conn:
        for zone in ZONES:
            name = zone.rpartition("/")[2].lower().replace("+", "")
            slugs = [slug for slug in ("desk", "local", "news") if chance.random() < 0.8] or ["local"]
            subscribe(conn, name, *slugs, timezone=zone)
        subscribe(conn, "resting", "local", "news", paused_at=FIRST, paused_until=FIRST + 40 * HOUR)
    for number in range(80):
        at = FIRST + number * HOUR + (14 * HOUR if number >= 60 else timedelta(0))  # the house is down for a while
        be(database, at + 31 * MINUTE)
        with database.write() as conn:
            for _ in range(chance.choice([0, 0, 1, 1, 3])):
                news(
                    conn,
                    oman,
                    title=f"News {chance.randrange(10**6)}",
                    outlet=chance.choice(["Gazette", "Ledger", "Post"]),
                    severity=Severity.BREAKING if chance.random() < 0.1 else Severity.NORMAL,
                )
        for draft in drafts(database):
            _edit(database, draft, chance)
        hold(database, at)
    assert len([mail for mail in mails(database) if mail[1] == "newsletter"]) > 30


def _edit(database: Database, draft: EditionId, chance: Random) -> None:
    """Do with a draft what editors do, or nothing."""
    with database.read() as conn:
        known = list(conn.execute(sa.select(Story.id).order_by(Story.id.desc()).limit(8)).scalars())
    if chance.random() < 0.4 and len(known) > 3:
        pins, dropped = chance.sample(known, 2), chance.sample(known, 1)
        choosing = Choosing(pins=tuple(pins), dropped=tuple(one for one in dropped if one not in pins))
        choose(database, draft, choosing, actor="ed")
    if chance.random() < 0.3:
        approve(database, draft, actor="ed")
    elif chance.random() < 0.05:
        skip(database, draft, actor="ed", reason="skipped")

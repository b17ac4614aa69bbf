"""Planners and the simulator, held against each other: over days of made-up news, what one says the others do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.builders import follow, news, reader, set_clock, topic
from tests.conftest import POSTGRESQL_SLOWLY
from tests.integration.planning.conftest import POLICY
from worker.model import BelowFloor, Cadence, Severity, SubscriberId, TopicId
from worker.planning.run import plan
from worker.planning.run_simulate import run_due, run_simulate
from worker.planning.world import Simulated
from worker.schedule import next_due
from worker.store import newsletters, people
from worker.store.database import Database
from worker.store.schema import ContentStory, Delivery, Edition, Newsletter, Subscriber

FIRST = datetime(2027, 3, 26, 12, tzinfo=UTC)  # a Friday; on Sunday Berlin's clocks leave an hour out
STEP = timedelta(minutes=30)
STEPS = 2 * 24 * 3
NEWS_COMES = timedelta(minutes=10)  # after each step: never at the instant of a run
RULES = replace(POLICY, gather=timedelta(0), burst_count=2, burst_window=timedelta(minutes=55), section_cap=2)
LETTER = {
    "slug": "top",
    "name": "Top stories",
    "sender_name": "The Courier",
    "sender_address": "top@courier.example",
    "locale": "en",
    "timezone": "UTC",
    "schedule": "FREQ=DAILY;BYHOUR=18;BYMINUTE=0;BYSECOND=0",
    "selection": {"minimum": 2, "maximum": 3},
    "lead_s": 0,
}
Sent = tuple[str, str, tuple[int, ...]]


@dataclass
class Desk:
    """Topics, and readers of all sorts who follow them."""

    database: Database
    topics: list[TopicId]

    def add(
        self, conn: Connection, name: str, timezone: str, *wishes: tuple[int, Cadence, str], **terms: object
    ) -> None:
        one = reader(conn, name, timezone=timezone)
        if terms:
            conn.execute(sa.update(Subscriber).where(Subscriber.id == one).values(**terms))
        for which, cadence, at in wishes:
            due_at = next_due(cadence, times=[at], weekday=None, timezone=timezone, after=FIRST)
            follow(conn, one, self.topics[which], cadence=cadence, times=[at], due_at=due_at)


def be(database: Database, at: datetime) -> None:
    set_clock(database, ahead=at - datetime.now(UTC))


@pytest.fixture
def desk(database: Database) -> Desk:
    be(database, FIRST)
    with database.write() as conn:
        made = Desk(database, [topic(conn, slug) for slug in ("russia", "nato", "turkey")])
        made.add(conn, "ada", "Europe/Berlin", (0, Cadence.IMMEDIATE, "07:00"), (1, Cadence.DAILY, "07:00"))
        made.add(conn, "bo", "Europe/Berlin", (0, Cadence.DAILY, "02:30"), (2, Cadence.DAILY, "02:30"))
        made.add(conn, "cleo", "Asia/Seoul", (0, Cadence.IMMEDIATE, "07:00"), (2, Cadence.IMMEDIATE, "07:00"))
        made.add(conn, "dan", "UTC", (1, Cadence.HOURLY, "07:00"), (2, Cadence.DAILY, "18:30"))
        made.add(
            conn,
            "eve",
            "America/New_York",
            (0, Cadence.DAILY, "18:30"),
            (1, Cadence.DAILY, "18:30"),
            digest_floor=2,
            below_floor=BelowFloor.MERGE,
        )
        made.add(conn, "fay", "UTC", (0, Cadence.IMMEDIATE, "07:00"), quiet_from="22:00", quiet_to="07:00")
        made.add(conn, "gus", "UTC", (0, Cadence.IMMEDIATE, "07:00"), (1, Cadence.DAILY, "18:00"), alert_budget=1)
        newsletters.put(conn, LETTER | {"starts_on": FIRST.date(), "next_due_at": FIRST + timedelta(hours=6)})
        [letter] = conn.execute(sa.select(Newsletter.id)).scalars()
        made.add(conn, "hal", "UTC", (2, Cadence.IMMEDIATE, "07:00"))
        hal = conn.execute(sa.select(Subscriber.id).where(Subscriber.email.like("hal%"))).scalar_one()
        people.follow(
            conn,
            SubscriberId(hal),
            newsletter_id=letter,
            cadence=Cadence.DAILY,
            times=(),
            weekday=None,
            next_due_at=None,
        )
    return made


def happen(desk: Desk, chance: Random) -> None:
    """Let some news come in, or none."""
    with desk.database.write() as conn:
        for _ in range(chance.choice([0, 0, 0, 1, 1, 4]) if chance.random() < 0.4 else 0):
            concerned = chance.sample(desk.topics, chance.choice([1, 1, 2]))
            severity = Severity.BREAKING if chance.random() < 0.1 else Severity.NORMAL
            number = chance.randrange(10**6)
            news(
                conn,
                *concerned,
                title=f"News {number}",
                outlet=chance.choice(["Gazette", "Ledger"]),
                severity=severity,
                alert_in=timedelta(0),
            )


def mails(database: Database, *, after: int = 0) -> list[Sent]:
    """Return (reader, kind, stories) of all rows planned after a number."""
    query = (
        sa.select(Delivery.id, Subscriber.email, Edition.kind, ContentStory.story_id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .join(Edition, Edition.id == Delivery.edition_id)
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .where(Delivery.id > after)
        .order_by(Delivery.id, ContentStory.story_id)
    )
    found: dict[int, tuple[str, str, list[int]]] = {}
    with database.read() as conn:
        for row, email, kind, story in conn.execute(query):
            found.setdefault(row, (str(email), str(kind), []))[2].append(story)
    return sorted((email, kind, tuple(stories)) for email, kind, stories in found.values())


def last_row(database: Database) -> int:
    with database.read() as conn:
        return conn.execute(sa.select(sa.func.max(Delivery.id))).scalar() or 0


def would_be(simulated: Iterator[list[Simulated]]) -> list[Sent]:
    return sorted(
        (one.email, str(one.kind), tuple(sorted(one.stories))) for runs in simulated for one in runs if one.send
    )


def hold_against(database: Database, at: datetime) -> None:
    """Make one pass, and see that it does what a dry run has said."""
    before, told = last_row(database), would_be(run_due(database, RULES))
    plan(database, RULES)
    assert mails(database, after=before) == told, at


@pytest.mark.parametrize("database_url", POSTGRESQL_SLOWLY, indirect=True)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_planners_do_what_the_simulator_says_pass_by_pass_and_over_days(desk, seed):
    chance, database = Random(seed), desk.database
    for at in (FIRST + number * STEP for number in range(STEPS)):
        be(database, at)
        hold_against(database, at)
        be(database, at + NEWS_COMES)
        happen(desk, chance)
        hold_against(database, at + NEWS_COMES)
    end = FIRST + STEPS * STEP
    be(database, end)
    assert would_be(run_simulate(database, RULES, start=FIRST, end=end)) == mails(database)
    assert {kind for _, kind, _ in mails(database)} == {"alert", "digest", "newsletter", "rolling"}


@pytest.mark.parametrize("ahead", [timedelta(hours=6), timedelta(days=1), timedelta(days=3)])
def test_planning_as_at_a_time_to_come_does_what_its_dry_run_says(desk, ahead):
    database, chance = desk.database, Random(3)
    for _ in range(12):
        happen(desk, chance)
    told = would_be(run_due(database, RULES, at=FIRST + ahead))
    plan(database, RULES, at=FIRST + ahead)
    assert mails(database) == told
    assert {kind for _, kind, _ in told} >= {"digest"}


def test_a_dry_run_changes_nothing_and_one_reader_can_be_asked_for(desk):
    database = desk.database
    with database.write() as conn:
        news(conn, *desk.topics, alert_in=timedelta(0))
    told = would_be(run_due(database, RULES))
    assert [email for email, _, _ in told] == [
        f"{name}@readers.example" for name in ("ada", "cleo", "fay", "gus", "hal")
    ]
    assert would_be(run_due(database, RULES)) == told
    assert mails(database) == []
    with database.read() as conn:
        cleo = conn.execute(sa.select(Subscriber.id).where(Subscriber.email.like("cleo%"))).scalar_one()
    [runs] = run_simulate(database, RULES, start=FIRST - STEP, end=FIRST + 4 * STEP, only=SubscriberId(cleo))
    assert [(one.email, one.send, len(one.stories)) for one in runs] == [("cleo@readers.example", True, 1)]


def test_who_is_suppressed_is_simulated_and_told_so(desk):
    database = desk.database
    with database.write() as conn:
        news(conn, desk.topics[0], alert_in=timedelta(0))
        hashed = conn.execute(sa.select(Subscriber.address_hash).where(Subscriber.email.like("ada%"))).scalar_one()
        people.suppress(conn, hashed, reason="an operator's word")
    runs = [one for runs in run_due(database, RULES) for one in runs if one.email.startswith("ada")]
    assert [(one.send, one.reason) for one in runs] == [(False, "the address is suppressed")]

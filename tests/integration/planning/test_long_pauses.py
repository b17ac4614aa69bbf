"""A pause that is longer than planning looks back: what came too early in it is written down, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from tests.builders import follow, news, reader, set_clock, topic
from worker.model import Cadence, Lapse, StoryId, SubscriberId, TopicId
from worker.planning import run_outlived
from worker.store import omissions
from worker.store.database import Database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BACK = NOON + 60 * DAY


def be(database: Database, at: datetime) -> None:
    set_clock(database, ahead=at - datetime.now(UTC))


def happen(database: Database, at: datetime, *concerned: TopicId) -> StoryId:
    be(database, at)
    with database.write() as conn:
        return news(conn, *concerned, title=f"As of {at}")


def lapses(database: Database, subscriber: SubscriberId) -> list[tuple[Lapse, list[StoryId]]]:
    with database.read() as conn:
        return [(one.why, list(one.stories)) for _, one in omissions.of(conn, subscriber)]


def rest(conn: Connection, topic_id: TopicId, *, cadence: Cadence) -> SubscriberId:
    """Have a reader follow a topic and rest from noon on for two months."""
    subscriber = reader(conn, cadence, paused_at=NOON, paused_until=BACK)
    due_at = None if cadence is Cadence.IMMEDIATE else BACK + timedelta(hours=1)
    follow(conn, subscriber, topic_id, cadence=cadence, times=["13:00"], due_at=due_at)
    return subscriber


@pytest.mark.parametrize("cadence", [Cadence.DAILY, Cadence.IMMEDIATE])
def test_what_a_pause_has_outlived_is_recorded_once_and_what_is_told_is_not(database, planned, cadence):
    be(database, NOON)
    with database.write() as conn:
        oman, peru = topic(conn, "oman"), topic(conn, "peru")
        ada = rest(conn, oman, cadence=cadence)
    first, second = happen(database, NOON + DAY, oman), happen(database, NOON + 10 * DAY, oman)
    happen(database, NOON + 2 * DAY, peru)  # nothing to them
    happen(database, NOON + 50 * DAY, oman)  # told in the mail after the pause
    be(database, BACK - DAY)
    planned()
    assert lapses(database, ada) == []
    be(database, BACK + timedelta(hours=2))
    planned()
    assert lapses(database, ada) == [(Lapse.AWAY, [first, second])]
    planned()
    assert len(lapses(database, ada)) == 1


def test_a_pause_within_what_is_looked_back_over_has_outlived_nothing(database, planned):
    be(database, BACK - 30 * DAY)
    with database.write() as conn:
        oman = topic(conn, "oman")
        ada = reader(conn, "ada", paused_at=BACK - 30 * DAY, paused_until=BACK)
        follow(conn, ada, oman, cadence=Cadence.DAILY, times=["13:00"], due_at=BACK + timedelta(hours=1))
    happen(database, BACK - 29 * DAY, oman)
    be(database, BACK + timedelta(hours=2))
    assert planned().deliveries == 1
    assert lapses(database, ada) == []


def test_of_very_many_the_latest_are_recorded(database, planned, monkeypatch):
    monkeypatch.setattr(run_outlived, "MOST", 2)
    be(database, NOON)
    with database.write() as conn:
        oman = topic(conn, "oman")
        ada = rest(conn, oman, cadence=Cadence.DAILY)
    came = [happen(database, NOON + number * DAY, oman) for number in range(1, 5)]
    be(database, BACK + timedelta(hours=2))
    planned()
    assert lapses(database, ada) == [(Lapse.AWAY, came[-2:])]


def test_what_concerns_a_topic_from_before_it_was_followed_is_nobodys_loss(database, planned):
    be(database, NOON)
    with database.write() as conn:
        oman = topic(conn, "oman")
        ada = reader(conn, "ada", paused_at=NOON, paused_until=BACK)
    happen(database, NOON + DAY, oman)
    with database.write() as conn:
        follow(conn, ada, oman, cadence=Cadence.DAILY, times=["13:00"], due_at=BACK + timedelta(hours=1))
    later = happen(database, NOON + 2 * DAY, oman)
    be(database, BACK + timedelta(hours=2))
    planned()
    assert lapses(database, ada) == [(Lapse.AWAY, [later])]

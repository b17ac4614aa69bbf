"""What stands between a reader and an alert: deadlines, ages, quiet hours, budgets; and that nothing is dropped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import (
    all_editions,
    article,
    breaking,
    deliveries_of,
    edition,
    follow,
    match,
    news,
    reader,
    set_clock,
    time_of,
    topic,
)
from tests.integration.planning.looks import owing, told
from worker.lifecycle import State
from worker.model import Cadence, EditionKind, Owing, Severity, SubscriberId, TopicId
from worker.planning.run import plan
from worker.store.database import Database, now
from worker.store.schema import Delivery, Edition, OwedStory, PlanningRun

HOUR = timedelta(hours=1)


def one_reader(database: Database, **terms: Any) -> tuple[SubscriberId, TopicId]:
    """Return (reader, topic) of somebody who follows one topic immediately."""
    with database.write() as conn:
        russia = topic(conn, "russia")
        ada = reader(conn, **terms)
        follow(conn, ada, russia)
    return ada, russia


def quiet_for(database: Database, hours: int) -> dict[str, str]:
    """Return terms by which the reader's clock (UTC) shows quiet hours that began an hour ago."""
    at = time_of(database)
    return {"quiet_from": f"{at - HOUR:%H:%M}", "quiet_to": f"{at + hours * HOUR:%H:%M}"}


def test_an_alert_counts_its_deadline_from_when_it_was_due(database, planned):
    _, russia = one_reader(database)
    with database.write() as conn:
        story = news(conn, russia, alert_in=-HOUR)
    planned()
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert row.expires_at - row.due_at == timedelta(hours=6)
        assert row.due_at <= now(conn) - HOUR
        assert row.story_id == story
        assert row.run_id == conn.execute(sa.select(PlanningRun.id)).scalar_one()


def test_an_alert_that_is_planned_after_its_deadline_is_owed_to_whoever_has_not_seen_it(database, planned):
    ada, russia = one_reader(database)
    with database.write() as conn:
        bo = reader(conn)
        follow(conn, bo, russia)
        story = news(conn, russia, alert_in=timedelta(hours=-7))
        edition(conn, [bo], kind=EditionKind.DIGEST, story=story)
    assert planned().deliveries == 0
    assert owing(database) == {(ada, story): Owing.LATE}
    assert planned().deliveries == 0


def test_what_has_grown_too_old_while_it_waited_alerts_nobody(database, planned):
    ada, russia = one_reader(database)
    with database.write() as conn:
        breaking(conn, russia, published_at=now(conn) - timedelta(days=2))
    assert planned().deliveries == 0
    assert ada
    assert owing(database) == {}


def test_a_new_article_of_an_old_story_alerts(database, planned):
    """A story runs for days; its new topic's first article is what counts."""
    ada, russia = one_reader(database)
    with database.write() as conn:
        korea = topic(conn, "korea")
        story = news(conn, korea, published_at=now(conn) - timedelta(days=2))
        second, _ = article(conn, "Moscow answers", story=story)
        match(conn, second, russia, alert_in=timedelta(0))
    assert planned().deliveries == 1
    assert [number for number, _ in told(database, EditionKind.ALERT)] == [ada]


def test_quiet_hours_hold_an_alert_until_they_are_over(database, planned):
    ada, russia = one_reader(database, **quiet_for(database, 2))
    with database.write() as conn:
        story = breaking(conn, russia)
    assert planned().deliveries == 0
    assert owing(database) == {(ada, story): Owing.QUIET}
    with database.read() as conn:
        due_at = conn.execute(sa.select(OwedStory.due_at)).scalar_one()
        assert now(conn) + HOUR < due_at <= now(conn) + 2 * HOUR


def test_what_an_editor_broke_is_held_by_nothing(database, planned):
    ada, russia = one_reader(database, **quiet_for(database, 2), alert_budget=1)
    with database.write() as conn:
        edition(conn, [ada], kind=EditionKind.ALERT)
        breaking(conn, russia, severity=Severity.BREAKING)
    assert planned().deliveries == 1
    with database.read() as conn:
        *_, copy = deliveries_of(conn)
        assert (copy.quiet_at, copy.quiet_until) == (None, None)


def test_a_copy_knows_the_next_quiet_hours_of_its_reader(database, planned):
    at = time_of(database)
    _, russia = one_reader(database, quiet_from=f"{at + HOUR:%H:%M}", quiet_to=f"{at + 3 * HOUR:%H:%M}")
    with database.write() as conn:
        breaking(conn, russia)
    assert planned().deliveries == 1
    with database.read() as conn:
        (copy,) = deliveries_of(conn)
        assert at < copy.quiet_at <= at + HOUR
        assert copy.quiet_until - copy.quiet_at == 2 * HOUR


@pytest.mark.parametrize("own", [True, False])
def test_alerts_beyond_the_budget_are_owed_and_breaking_ones_are_not_counted_out(database, policy, own):
    ada, russia = one_reader(database, alert_budget=2 if own else None)
    house = (
        policy if own else policy.__class__(domain="x.example", alert_expires=6 * HOUR, digest_expires=HOUR, budget=2)
    )
    with database.write() as conn:
        stories = [breaking(conn, russia, title=f"News {number}") for number in range(4)]
        last = breaking(conn, russia, title="Quake", severity=Severity.BREAKING)
    plan(database, house)
    assert len(told(database, EditionKind.ALERT)) == 3
    assert owing(database) == {(ada, stories[2]): Owing.BUDGET, (ada, stories[3]): Owing.BUDGET}
    assert (ada, last) not in owing(database)


def test_an_alert_that_never_left_the_house_is_not_counted(database, planned):
    ada, russia = one_reader(database, alert_budget=1)
    with database.write() as conn:
        edition(conn, [ada], kind=EditionKind.ALERT)
        conn.execute(sa.update(Delivery).values(state=State.EXPIRED))
        breaking(conn, russia)
    assert planned().deliveries == 1


def test_the_budget_is_of_the_readers_own_day(database, planned):
    """At 01:00 in Seoul, what came before its midnight counts no longer."""
    ada, russia = one_reader(database, alert_budget=1, timezone="Asia/Seoul")
    at = time_of(database)
    to_one = (timedelta(hours=25) - timedelta(hours=at.hour + 9, minutes=at.minute)) % timedelta(days=1)
    set_clock(database, ahead=to_one)
    with database.write() as conn:
        edition(conn, [ada], kind=EditionKind.ALERT)
        conn.execute(sa.update(Delivery).values(planned_at=now(conn) - 3 * HOUR))
        breaking(conn, russia)
    assert planned().deliveries == 1


def test_a_story_that_is_owed_and_comes_by_another_alert_is_owed_no_longer(database, planned):
    ada, russia = one_reader(database)
    with database.write() as conn:
        story = breaking(conn, russia)
        conn.execute(
            sa.insert(OwedStory).values(
                subscriber_id=ada, story_id=story, why=Owing.EXPIRED, due_at=now(conn) + HOUR, owed_at=now(conn)
            )
        )
    assert planned().deliveries == 1
    assert owing(database) == {}


def test_all_of_a_thousand_followers_are_served_once(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        for number in range(1_200):
            follow(conn, reader(conn, f"many{number}"), russia)
        breaking(conn, russia)
    assert planned().deliveries == 1_200
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert row.audience == 1_200
        assert conn.execute(sa.select(sa.func.count(Edition.id))).scalar_one() == 1


def test_what_was_over_the_budget_is_in_the_next_digest_of_any_topic(database, planned):
    ada, russia = one_reader(database, alert_budget=1)
    with database.write() as conn:
        korea = topic(conn, "korea")
        follow(conn, ada, korea, cadence=Cadence.DAILY, due_at=now(conn) + HOUR)
        stories = [breaking(conn, russia, title=f"News {number}") for number in range(2)]
    assert planned().deliveries == 1
    set_clock(database, ahead=HOUR + timedelta(minutes=1))
    assert planned().deliveries == 1
    ((reader_told, digest),) = told(database, EditionKind.DIGEST)
    assert (reader_told, digest.stories()) == (ada, (stories[1],))
    assert owing(database) == {}


@pytest.mark.parametrize("held_by", ["budget", "lateness"])
def test_what_was_held_comes_the_next_morning_to_a_reader_without_digests(database, planned, held_by):
    ada, russia = one_reader(database, alert_budget=1)
    with database.write() as conn:
        if held_by == "budget":
            edition(conn, [ada], kind=EditionKind.ALERT)
        story = news(conn, russia, alert_in=timedelta(hours=-7) if held_by == "lateness" else timedelta(0))
    assert planned().deliveries == 0
    assert set(owing(database)) == {(ada, story)}
    set_clock(database, ahead=timedelta(hours=25))  # past seven in the morning, whatever the time is now
    assert planned().deliveries == 1
    ((_, digest),) = told(database, EditionKind.DIGEST)
    assert digest.stories() == (story,)
    assert owing(database) == {}

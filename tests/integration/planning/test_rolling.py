"""Bursts: when alerts on a topic become too many, what they turn into, and when they are alerts again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import all_editions, article, breaking, follow, match, reader, set_clock, time_of, topic
from tests.databases import opened
from tests.integration.planning.conftest import POLICY
from tests.integration.planning.looks import alerts, owing, told
from tests.integration.planning.test_alert_terms import quiet_for
from worker.content import RollingContent
from worker.model import EditionKind, EditionStatus, Lane, Lapse, Owing, Severity
from worker.planning import run_fan_out, run_rolling
from worker.planning.run import plan
from worker.store import bursts, omissions, people
from worker.store.database import Database
from worker.store.schema import Burst, TopicStory

RULES = replace(POLICY, burst_count=2)
HALF_AN_HOUR = timedelta(minutes=31)


@pytest.fixture
def desk(database):
    """A topic in a burst: two stories alerted, two that wait; Ada and Bo follow it."""
    with database.write() as conn:
        russia = topic(conn, "russia", en="Russia")
        readers = [reader(conn), reader(conn)]
        for one in readers:
            follow(conn, one, russia)
        stories = [breaking(conn, russia, title=f"News {number}") for number in range(4)]
    plan(database, RULES)
    return russia, readers, stories


def summed_up(database: Database) -> list[tuple[int, list[int]]]:
    """Return (reader, stories told) for every rolling mail."""
    return [(one, list(content.stories())) for one, content in told(database, EditionKind.ROLLING)]


def test_more_alerts_than_the_count_wait_for_one_summary(database, desk):
    russia, (ada, bo), stories = desk
    alerted = [content.card.story_id for one, content in alerts(database) if one == ada]
    assert alerted == stories[:2]
    assert summed_up(database) == []
    set_clock(database, ahead=HALF_AN_HOUR)
    assert plan(database, RULES).deliveries == 2
    assert [(one, sorted(shown)) for one, shown in summed_up(database)] == [(ada, stories[2:]), (bo, stories[2:])]
    assert plan(database, RULES).deliveries == 0
    ((_, content), _) = told(database, EditionKind.ROLLING)
    assert isinstance(content, RollingContent)
    assert [section.topic for section in content.sections] == ["Russia"]
    assert content.until.minute in {0, 30}
    assert russia
    with database.read() as conn:
        (edition,) = [row for row in all_editions(conn) if row.kind is EditionKind.ROLLING]
        assert (edition.lane, edition.status, edition.audience) == (Lane.ALERTS, EditionStatus.PLANNED, 2)
        assert conn.execute(sa.select(TopicStory).where(TopicStory.rolls)).first() is None


def test_a_burst_goes_on_while_there_is_news_and_ends_when_there_is_none(database, desk):
    russia, (ada, _), _ = desk
    set_clock(database, ahead=HALF_AN_HOUR)
    plan(database, RULES)
    with database.write() as conn:
        assert set(bursts.standing(conn, [russia])) == {russia}
        third = breaking(conn, russia, title="One more")
    assert plan(database, RULES).deliveries == 0
    set_clock(database, ahead=2 * HALF_AN_HOUR)
    assert plan(database, RULES).deliveries == 2
    assert summed_up(database)[-2] == (ada, [third])
    set_clock(database, ahead=3 * HALF_AN_HOUR)
    plan(database, RULES)
    set_clock(database, ahead=4 * HALF_AN_HOUR)
    plan(database, RULES)
    with database.write() as conn:
        assert conn.execute(sa.select(Burst)).first() is None
    set_clock(database, ahead=8 * HALF_AN_HOUR)
    with database.write() as conn:
        breaking(conn, russia, title="Quiet again")
    assert plan(database, RULES).deliveries == 2
    assert len(told(database, EditionKind.ALERT)) == 6


def test_a_topic_that_a_summary_has_no_room_for_is_noted(database):
    with database.write() as conn:
        both = [topic(conn, "russia"), topic(conn, "korea")]
        ada = reader(conn)
        for one in both:
            follow(conn, ada, one)
            for number in range(3):
                breaking(conn, one, title=f"News {number}")
    plan(database, RULES)
    set_clock(database, ahead=HALF_AN_HOUR)
    assert plan(database, replace(RULES, mail_cap=1)).deliveries == 1
    ((_, (shown,)),) = summed_up(database)
    with database.read() as conn:
        rolled = set(conn.execute(sa.select(TopicStory.story_id)).scalars())
        alerted = {content.card.story_id for _, content in alerts(database)}
        assert [(one.why, {shown, *alerted, *one.stories}) for _, one in omissions.of(conn, ada)] == [
            (Lapse.ROOM, rolled)
        ]


def test_what_is_put_off_while_a_summary_is_begun_is_in_it(database, desk, monkeypatch):
    russia, (ada, bo), stories = desk
    set_clock(database, ahead=HALF_AN_HOUR)
    take = bursts.take_rolled

    def put_off_first(conn, topics):
        late, _ = article(conn, "One more")
        match(conn, late, russia, alert_in=timedelta(0))
        story = stories[-1] + 1
        bursts.roll(conn, russia, story, summary_due_at=time_of(database), at=time_of(database))
        stories.append(story)
        return take(conn, topics)

    monkeypatch.setattr(bursts, "take_rolled", put_off_first)
    assert plan(database, RULES).deliveries == 2
    assert [(one, sorted(shown)) for one, shown in summed_up(database)] == [(ada, stories[2:]), (bo, stories[2:])]


def test_two_topics_that_burst_make_one_mail(database):
    with database.write() as conn:
        russia, korea = topic(conn, "russia"), topic(conn, "korea")
        ada = reader(conn)
        for one in (russia, korea):
            follow(conn, ada, one)
            for number in range(4):
                breaking(conn, one, title=f"News {number}")
    plan(database, RULES)
    set_clock(database, ahead=HALF_AN_HOUR)
    assert plan(database, RULES).deliveries == 1
    ((_, shown),) = summed_up(database)
    assert len(shown) == 4


def test_who_is_reached_by_a_quiet_topic_is_alerted_as_ever(database, desk):
    russia, (ada, bo), _ = desk
    with database.write() as conn:
        korea = topic(conn, "korea")
        follow(conn, bo, korea)
        number, story = article(conn, "Of both")
        match(conn, number, russia, korea, alert_in=timedelta(0))
    assert plan(database, RULES).deliveries == 1
    set_clock(database, ahead=HALF_AN_HOUR)
    plan(database, RULES)
    by_reader = dict(summed_up(database))
    assert story in by_reader[ada]
    assert story not in by_reader[bo]


def test_what_an_editor_broke_waits_for_no_summary(database, desk):
    russia, _, _ = desk
    with database.write() as conn:
        breaking(conn, russia, title="Quake", severity=Severity.BREAKING)
    assert plan(database, RULES).deliveries == 2


def test_nobody_is_told_what_came_before_they_followed(database, desk):
    russia, _, _ = desk
    with database.write() as conn:
        late = reader(conn)
        follow(conn, late, russia)
    set_clock(database, ahead=HALF_AN_HOUR)
    assert plan(database, RULES).deliveries == 2
    assert late not in dict(summed_up(database))


def test_a_summary_keeps_quiet_hours_and_budgets(database, desk):
    _, (ada, bo), stories = desk
    far_from_midnight = "UTC" if time_of(database).hour < 12 else "Pacific/Honolulu"  # the budget is of one day
    set_clock(database, ahead=HALF_AN_HOUR)
    with database.write() as conn:
        people.change_reader(conn, bo, alert_budget=2, timezone=far_from_midnight)
    terms = quiet_for(database, 2)
    with database.write() as conn:
        people.change_reader(conn, ada, **terms)
    assert plan(database, RULES).deliveries == 0
    expected = {(ada, story): Owing.QUIET for story in stories[2:]} | {
        (bo, story): Owing.BUDGET for story in stories[2:]
    }
    assert owing(database) == expected


def test_a_count_of_none_switches_bursts_off(database):
    with database.write() as conn:
        russia = topic(conn, "russia")
        follow(conn, reader(conn), russia)
        for number in range(12):
            breaking(conn, russia, title=f"News {number}")
    assert plan(database, replace(POLICY, burst_count=0)).deliveries == 12


class KilledError(Exception):
    """Stands for a kill -9 between two statements."""


def test_a_planner_that_dies_in_a_summary_is_taken_up_where_it_was(database, desk):
    _, readers, stories = desk
    set_clock(database, ahead=HALF_AN_HOUR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_rolling, "CHUNK_READERS", 1)
        write, done = run_fan_out.write, []

        def write_and_die(*arguments, **options):
            made = write(*arguments, **options)
            done.append(made)
            if len(done) > 1:
                raise KilledError
            return made

        patch.setattr(run_rolling, "write", write_and_die)
        with pytest.raises(KilledError):
            plan(database, RULES)
    assert len(summed_up(database)) == 1
    plan(database, RULES)
    assert [(one, sorted(shown)) for one, shown in summed_up(database)] == [(one, stories[2:]) for one in readers]


def test_planners_that_meet_sum_up_once(database_url, database, desk):
    _, readers, _ = desk
    set_clock(database, ahead=HALF_AN_HOUR)
    start = threading.Barrier(3)

    def work(_: int) -> int:
        with opened(database_url) as own:
            start.wait()
            return plan(own, RULES).deliveries

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 2
    assert sorted(one for one, _ in summed_up(database)) == readers
    with database.read() as conn:
        assert {row.status for row in all_editions(conn)} == {EditionStatus.PLANNED}

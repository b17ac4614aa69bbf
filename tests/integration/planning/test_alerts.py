"""Immediate alerts: who gets one, when, what it says, and that nobody is lost or doubled whoever dies or races."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import (
    all_editions,
    article,
    breaking,
    change_edition,
    deliveries_of,
    edition,
    follow,
    kill_article,
    match,
    news,
    own_query,
    reader,
    set_clock,
    topic,
)
from tests.databases import opened
from worker.content import AlertContent
from worker.lifecycle import State
from worker.model import Cadence, EditionKind, EditionStatus, Lane, Severity, SubscriberStatus
from worker.planning.run import plan
from worker.store import alerting, contents, editions, people, sources
from worker.store.database import Database, now
from worker.store.schema import Delivery, EditionContent, Story, TopicStory

GATHER = timedelta(seconds=60)


def alerts(database: Database) -> list[tuple[int, AlertContent]]:
    """Return (reader, what they are told) for every row, in order of id."""
    with database.read() as conn:
        rows = conn.execute(sa.select(Delivery.subscriber_id, Delivery.content_id).order_by(Delivery.id)).all()
        told = contents.thawed(conn, {row.content_id for row in rows})
    found = [(row.subscriber_id, told[row.content_id]) for row in rows]
    return [(subscriber, content) for subscriber, content in found if isinstance(content, AlertContent)]


def assert_all_closed(database: Database) -> None:
    with database.read() as conn:
        assert {row.status for row in all_editions(conn)} <= {EditionStatus.PLANNED}
        assert conn.execute(sa.select(TopicStory).where(TopicStory.alert_due_at.is_not(None))).first() is None


def test_only_who_follows_immediately_is_alerted(database, planned):
    with database.write() as conn:
        russia, norway = topic(conn, "russia"), topic(conn, "norway")
        ada, bo, cy = (reader(conn) for _ in range(3))
        subscription = follow(conn, ada, russia)
        follow(conn, bo, russia, cadence=Cadence.DAILY, due_at=now(conn) + timedelta(days=1))
        follow(conn, cy, norway)
        story = breaking(conn, russia, title="Envoy summoned")
    made = planned()
    assert (len(made.editions), made.deliveries) == (1, 1)
    ((subscriber, content),) = alerts(database)
    assert subscriber == ada
    assert (content.card.story_id, content.card.title) == (story, "Envoy summoned")
    with database.read() as conn:
        (row,) = all_editions(conn)
        (delivery,) = deliveries_of(conn)
        assert (row.kind, row.lane, row.status, row.audience) == (
            EditionKind.ALERT,
            Lane.ALERTS,
            EditionStatus.PLANNED,
            1,
        )
        assert row.expires_at == row.due_at + timedelta(hours=6)
        assert delivery.serves == [subscription]
        assert delivery.published_at < delivery.seen_at <= delivery.matched_at <= delivery.planned_at
        assert editions.batches_of(conn, made.editions) == [(row.id, ada, Lane.ALERTS)]
    assert planned().deliveries == 0


def test_a_reader_of_two_of_its_topics_gets_one_copy_that_names_both(database, planned):
    with database.write() as conn:
        korea, russia = topic(conn, "north-korea", en="North Korea"), topic(conn, "russia", en="Russia")
        ada, bo = reader(conn), reader(conn)
        for topic_id in (korea, russia):
            follow(conn, ada, topic_id)
        follow(conn, bo, russia)
        breaking(conn, korea, russia)
    assert planned().deliveries == 2
    told = {subscriber: [reason.topic for reason in content.card.reasons] for subscriber, content in alerts(database)}
    assert told == {ada: ["North Korea", "Russia"], bo: ["Russia"]}
    with database.read() as conn:
        assert sorted(len(row.serves) for row in deliveries_of(conn)) == [1, 2]


def test_a_story_that_the_reader_has_seen_in_any_mail_is_not_told_again(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        ada, bo = reader(conn), reader(conn)
        for subscriber in (ada, bo):
            follow(conn, subscriber, russia)
        story = breaking(conn, russia)
        edition(conn, [ada], kind=EditionKind.DIGEST, story=story)
    assert planned().deliveries == 1
    assert [subscriber for subscriber, _ in alerts(database)] == [bo]


@pytest.mark.parametrize(
    ("state", "counts_as_seen"),
    [(state, state not in {State.EXPIRED, State.CANCELLED}) for state in State],
)
def test_a_copy_that_never_left_the_house_shows_nothing(make_url, policy, state, counts_as_seen):
    with opened(make_url("sqlite")) as database:
        with database.write() as conn:
            russia = topic(conn, "russia")
            ada = reader(conn)
            follow(conn, ada, russia)
            story = breaking(conn, russia)
            edition(conn, [ada], kind=EditionKind.DIGEST, story=story)
            conn.execute(sa.update(Delivery).values(state=state))
        assert plan(database, policy).deliveries == (0 if counts_as_seen else 1)


def test_the_gathering_time_is_waited_for_and_gathers(database, planned):
    with database.write() as conn:
        korea, russia = topic(conn, "north-korea"), topic(conn, "russia")
        ada = reader(conn)
        for topic_id in (korea, russia):
            follow(conn, ada, topic_id)
        story = news(conn, korea, alert_in=GATHER)
    assert planned().deliveries == 0
    with database.write() as conn:
        second, _ = article(conn, "Moscow answers", story=story, outlet="Northfield Ledger")
        match(conn, second, russia, alert_in=GATHER)
    set_clock(database, ahead=GATHER + timedelta(seconds=30))
    assert planned().deliveries == 1
    ((_, content),) = alerts(database)
    assert len(content.card.reasons) == 2
    assert content.card.also_in == ("Northfield Ledger",)
    assert_all_closed(database)


def test_what_the_age_gate_holds_back_alerts_nobody(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        follow(conn, reader(conn), russia)
        news(conn, russia, alert_in=None)
    assert planned().deliveries == 0


def test_a_killed_story_alerts_nobody_and_waits_for_nothing(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        follow(conn, reader(conn), russia)
        story = breaking(conn, russia)
        conn.execute(sa.update(Story).where(Story.id == story).values(killed_at=now(conn)))
        article_id, _ = article(conn)
        match(conn, article_id, russia, alert_in=timedelta(0))
        kill_article(conn, article_id)
    assert planned().deliveries == 0
    assert_all_closed(database)


@pytest.mark.usefixtures("chunks_of_two")
def test_a_story_killed_between_two_chunks_reaches_nobody_more(database, planned, monkeypatch):
    with database.write() as conn:
        russia = topic(conn, "russia")
        for _ in range(5):
            follow(conn, reader(conn), russia)
        story = breaking(conn, russia)
    fail_after(monkeypatch, chunks=1)
    with pytest.raises(KilledError):
        planned()
    with database.write() as conn:
        conn.execute(sa.update(Story).where(Story.id == story).values(killed_at=now(conn)))
    monkeypatch.undo()
    assert planned().deliveries == 0
    assert len(alerts(database)) == 2
    assert_all_closed(database)  # and the last check lets none of the two out


@pytest.mark.usefixtures("chunks_of_two")
def test_an_update_that_matches_no_more_takes_nobody_elses_alert_away(database, planned):
    with database.write() as conn:
        korea, russia = topic(conn, "north-korea"), topic(conn, "russia")
        for _ in range(3):  # more than a chunk of readers for whom there is nothing to tell
            follow(conn, reader(conn), korea)
        ada = reader(conn)
        follow(conn, ada, russia)
        article_id, _ = article(conn)
        match(conn, article_id, korea, russia, alert_in=timedelta(0))
        match(conn, article_id, russia, alert_in=timedelta(0))
    assert planned().deliveries == 1
    assert [subscriber for subscriber, _ in alerts(database)] == [ada]
    assert_all_closed(database)


def test_a_new_subscriber_starts_at_the_head(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        breaking(conn, russia)
        follow(conn, reader(conn), russia)
    assert planned().deliveries == 0


@pytest.mark.parametrize("status", [status for status in SubscriberStatus if status is not SubscriberStatus.ACTIVE])
def test_only_active_readers_are_alerted(make_url, policy, status):
    with opened(make_url("sqlite")) as database:
        with database.write() as conn:
            russia = topic(conn, "russia")
            follow(conn, reader(conn, status=status), russia)
            breaking(conn, russia)
        assert plan(database, policy).deliveries == 0


def test_a_pause_until_a_date_is_kept_and_ends_by_itself(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        resting = reader(conn, paused_until=now(conn) + timedelta(hours=1))
        rested = reader(conn, paused_until=now(conn) - timedelta(hours=1))
        for subscriber in (resting, rested):
            follow(conn, subscriber, russia)
        breaking(conn, russia)
    planned()
    assert [subscriber for subscriber, _ in alerts(database)] == [rested]


def test_an_ended_subscription_gets_nothing(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        ada = reader(conn)
        follow(conn, ada, russia)
        breaking(conn, russia)
        people.unfollow(conn, ada)
    assert planned().deliveries == 0


def test_a_late_second_topic_alerts_those_only_who_have_not_seen_the_story(database, planned):
    with database.write() as conn:
        korea, russia = topic(conn, "north-korea"), topic(conn, "russia")
        both, late = reader(conn), reader(conn)
        for subscriber, topic_id in ((both, korea), (both, russia), (late, russia)):
            follow(conn, subscriber, topic_id)
        story = breaking(conn, korea)
    assert planned().deliveries == 1
    with database.write() as conn:
        second, _ = article(conn, "Moscow answers", story=story)
        match(conn, second, russia, alert_in=timedelta(0))
    assert planned().deliveries == 1
    assert [subscriber for subscriber, _ in alerts(database)] == [both, late]
    with database.read() as conn:
        assert [row.audience for row in all_editions(conn)] == [1, 1]
    assert_all_closed(database)


def test_each_language_has_an_edition_of_its_own_and_equal_copies_share_a_content(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia", en="Russia", ko="러시아")
        for locale in ("en", "ko", "en"):
            follow(conn, reader(conn, locale=locale), russia)
        breaking(conn, russia)
    assert planned().deliveries == 3
    assert [content.card.reasons[0].topic for _, content in alerts(database)] == ["Russia", "Russia", "러시아"]
    with database.read() as conn:
        assert [(row.locale, row.audience) for row in all_editions(conn)] == [("en", 2), ("ko", 1)]
        assert len(conn.execute(sa.select(EditionContent)).all()) == 2


def test_a_readers_own_query_is_in_nobody_elses_content(database, planned):
    with database.write() as conn:
        query = own_query(conn, "harbour OR quay")
        ada, bo = reader(conn), reader(conn)
        for subscriber in (ada, bo):
            follow(conn, subscriber, query, query="harbour OR quay")
        breaking(conn, query)
    assert planned().deliveries == 2
    assert {content.personal_to for _, content in alerts(database)} == {ada, bo}


def test_the_articles_severity_is_the_editions(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        follow(conn, reader(conn), russia)
        breaking(conn, russia, severity=Severity.BREAKING)
    planned()
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert row.severity is Severity.BREAKING


# Chunks, deaths and races --------------------------------------------------------------------------------------------


class KilledError(Exception):
    """Stands for a kill -9 between two statements."""


def fail_after(monkeypatch: pytest.MonkeyPatch, *, chunks: int) -> None:
    """Let the planner die in the transaction that follows that many chunks, when its rows are written already."""
    add_rows, done = editions.add_rows, Counter[str]()

    def add_and_die(*arguments: Any, **options: Any) -> int:
        rows = add_rows(*arguments, **options)
        done["chunks"] += 1
        if done["chunks"] > chunks:
            raise KilledError
        return rows

    monkeypatch.setattr(editions, "add_rows", add_and_die)


def audience_of_five(database: Database) -> list[int]:
    with database.write() as conn:
        russia = topic(conn, "russia")
        readers = [reader(conn) for _ in range(5)]
        for subscriber in readers:
            follow(conn, subscriber, russia)
        breaking(conn, russia)
    return list(readers)


@pytest.mark.usefixtures("chunks_of_two")
def test_chunks_add_up_to_one_edition_with_a_batch_each(database, planned):
    readers = audience_of_five(database)
    assert planned().deliveries == 5
    assert sorted(subscriber for subscriber, _ in alerts(database)) == readers
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert row.audience == 5
        batches = Counter(delivery.batch_no for delivery in deliveries_of(conn))
        assert batches == {readers[0]: 2, readers[2]: 2, readers[4]: 1}


@pytest.mark.usefixtures("chunks_of_two")
@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_a_planner_that_dies_between_chunks_is_taken_up_where_it_was(database, planned, monkeypatch, chunks):
    readers = audience_of_five(database)
    fail_after(monkeypatch, chunks=chunks)
    with pytest.raises(KilledError):
        planned()
    with database.read() as conn:
        assert len(deliveries_of(conn)) == 2 * chunks
        assert {row.status for row in all_editions(conn)} <= {EditionStatus.PLANNING}  # nothing is sent of a half
    monkeypatch.undo()
    planned()
    assert sorted(subscriber for subscriber, _ in alerts(database)) == readers
    assert_all_closed(database)


@pytest.mark.usefixtures("chunks_of_two")
def test_what_a_dead_planner_left_is_sent_also_when_another_topic_came_first(database, planned, monkeypatch):
    """A breaking article alerts its topic before an earlier one's gathering time is over; the slots then differ."""
    with database.write() as conn:
        slow, quick = topic(conn, "slow"), topic(conn, "quick")
        readers = [reader(conn) for _ in range(3)]
        for subscriber in readers:
            follow(conn, subscriber, quick)
        follow(conn, readers[0], slow)
        article_id, _ = article(conn)
        match(conn, article_id, slow, alert_in=GATHER)
        match(conn, article_id, slow, quick, alert_in=timedelta(0))
    fail_after(monkeypatch, chunks=1)
    with pytest.raises(KilledError):
        planned()
    monkeypatch.undo()
    set_clock(database, ahead=2 * GATHER)
    planned()
    assert sorted(subscriber for subscriber, _ in alerts(database)) == readers
    assert_all_closed(database)


@pytest.mark.usefixtures("chunks_of_two")
def test_planners_that_meet_serve_everybody_once(database_url, database, policy):
    readers = audience_of_five(database)
    start = threading.Barrier(3)

    def work(_: int) -> int:
        with opened(database_url) as own:
            start.wait()
            return plan(own, policy).deliveries

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 5
    assert sorted(subscriber for subscriber, _ in alerts(database)) == readers
    with database.read() as conn:
        assert [row.audience for row in all_editions(conn)] == [5]
    assert_all_closed(database)


@pytest.mark.usefixtures("chunks_of_two")
def test_a_topic_that_becomes_due_while_an_alert_is_planned_is_not_forgotten(database, policy, monkeypatch):
    """The second topic's first match comes between two chunks of the first one's readers."""
    with database.write() as conn:
        korea, russia = topic(conn, "north-korea"), topic(conn, "russia")
        readers = [reader(conn) for _ in range(6)]
        for number, subscriber in enumerate(readers):
            follow(conn, subscriber, korea if number < 3 else russia)
        article_id, _ = article(conn)
        match(conn, article_id, korea, alert_in=timedelta(0))
    next_readers, asked = alerting.next_readers, Counter[str]()

    def one_becomes_due(conn, *arguments, **options):
        asked["times"] += 1
        if asked["times"] == 2:
            match(conn, article_id, korea, russia, alert_in=timedelta(0))
        return next_readers(conn, *arguments, **options)

    monkeypatch.setattr(alerting, "next_readers", one_becomes_due)
    plan(database, policy)
    monkeypatch.undo()
    plan(database, policy)
    assert sorted(subscriber for subscriber, _ in alerts(database)) == readers
    assert_all_closed(database)


def test_an_alert_and_a_digest_that_are_planned_at_once_do_not_both_tell_a_story(make_url, policy):
    """PostgreSQL, two planners: the digest's waits for the alert's transaction and then sees it."""
    url = make_url("postgresql")
    with opened(url) as database:
        with database.write() as conn:
            korea, russia = topic(conn, "north-korea"), topic(conn, "russia")
            ada = reader(conn)
            follow(conn, ada, korea)
            follow(conn, ada, russia, cadence=Cadence.DAILY, due_at=now(conn))
            breaking(conn, korea, russia)
        start = threading.Barrier(2)

        def work(_: int) -> int:
            with opened(url) as own:
                start.wait()
                return plan(own, policy).deliveries

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(work, range(2))) == 1


def test_a_story_is_told_by_the_house_copy_if_there_is_one(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        follow(conn, reader(conn), russia)
        sources.put(conn, kind="file", name="The Harbour Courier", outlet="The Harbour Courier", house=True)
        story = breaking(conn, russia, title="Wire copy")
        second, _ = article(conn, "Our own words", story=story, outlet="The Harbour Courier")
        match(conn, second, russia)
    planned()
    ((_, content),) = alerts(database)
    assert (content.card.title, content.card.also_in) == ("Our own words", ("Sable Coast Gazette",))


def test_a_cancelled_alert_stays_cancelled(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia")
        follow(conn, reader(conn), russia)
        breaking(conn, russia)
    (alert,) = planned().editions
    with database.write() as conn:
        change_edition(conn, alert, status=EditionStatus.CANCELLED)
    assert planned().deliveries == 0

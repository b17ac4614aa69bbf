"""Scheduled digests: what is due together comes in one mail, each story once, at the reader's time, made up once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.builders import (
    all_editions,
    article,
    breaking,
    deliveries_of,
    edition,
    follow,
    match,
    news,
    own_query,
    reader,
    set_clock,
    states_of,
    time_of,
    topic,
)
from tests.databases import opened
from worker.content import DigestContent
from worker.lifecycle import State
from worker.model import (
    Cadence,
    EditionKind,
    EditionStatus,
    Lane,
    Lapse,
    Owing,
    SubscriberId,
    SubscriptionId,
    TopicId,
)
from worker.planning.run import Policy, plan
from worker.store import contents, deliveries, due, editions, omissions, owed, people
from worker.store.database import CLOCK_OFFSET, Database, now
from worker.store.house import MATCH_SEQ, reached, set_fact
from worker.store.owed import Owed
from worker.store.schema import Delivery, Edition, EditionContent, Subscription

SEVEN_IN_SEOUL = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def russia(database: Database) -> TopicId:
    with database.write() as conn:
        return topic(conn, "russia", en="Russia")


def be(database: Database, at: datetime) -> None:
    """Set the one clock to a moment. It goes on from there."""
    set_clock(database, ahead=at - datetime.now(UTC))


def daily(conn: Connection, subscriber: SubscriberId, topic_id: TopicId, **wish: Any) -> SubscriptionId:
    """Follow a topic daily, due now unless `due_at` says otherwise."""
    return follow(conn, subscriber, topic_id, cadence=Cadence.DAILY, **{"due_at": now(conn), **wish})


def digests(database: Database) -> list[tuple[int, DigestContent]]:
    """Return (reader, what they are shown) for every digest's row, in order of id."""
    with database.read() as conn:
        rows = conn.execute(sa.select(Delivery.subscriber_id, Delivery.content_id).order_by(Delivery.id)).all()
        known = contents.thawed(conn, {row.content_id for row in rows})
        told = [(row.subscriber_id, known[row.content_id]) for row in rows]
    return [(subscriber, content) for subscriber, content in told if isinstance(content, DigestContent)]


def subscription(database: Database, which: SubscriptionId) -> sa.Row[Any]:
    with database.read() as conn:
        return conn.execute(sa.select(Subscription.__table__).where(Subscription.id == which)).one()


def make_due(database: Database) -> None:
    with database.write() as conn:
        due.make_all_digests_due(conn)


def assert_all_closed(database: Database) -> None:
    with database.read() as conn:
        assert {row.status for row in all_editions(conn)} <= {EditionStatus.PLANNED}


def test_topics_due_together_make_one_mail_with_a_section_each_and_each_story_once(database, planned, russia):
    with database.write() as conn:
        korea = topic(conn, "north-korea", en="North Korea")
        ada = reader(conn)
        both = [daily(conn, ada, topic_id, due_at=time_of(database)) for topic_id in (korea, russia)]
        due_at = now(conn)
        conn.execute(sa.update(Subscription).values(next_due_at=due_at))
        story = news(conn, korea, title="Troops from North Korea")
        same, _ = article(conn, "They are in Russia", story=story)
        match(conn, same, korea, russia, strength=1)
        news(conn, russia, title="Oil price falls")
    made = planned()
    assert (len(made.editions), made.deliveries) == (1, 1)
    ((subscriber, content),) = digests(database)
    assert subscriber == ada
    assert sorted(section.topic for section in content.sections) == ["North Korea", "Russia"]
    assert sorted(card.title for section in content.sections for card in section.cards) == [
        "Oil price falls",
        "Troops from North Korea",
    ]
    assert len(content.stories()) == len(set(content.stories())) == 2
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert (row.kind, row.lane, row.status, row.audience) == (
            EditionKind.DIGEST,
            Lane.BULK,
            EditionStatus.PLANNED,
            1,
        )
        assert (row.due_at, row.expires_at) == (due_at, due_at + timedelta(hours=12))
        assert {one.id for one, _ in people.served_by(conn, ada, deliveries_of(conn)[0].id)} == set(both)


def test_a_topic_that_a_mail_has_no_room_for_is_noted_for_everybody_alike(database, policy):
    narrow = replace(policy, mail_cap=1)
    with database.write() as conn:
        topics = [topic(conn, slug) for slug in ("russia", "north-korea", "oman")]
        readers = [reader(conn) for _ in range(3)]
        for one in readers:
            for topic_id in topics:
                daily(conn, one, topic_id, due_at=time_of(database))
        conn.execute(sa.update(Subscription).values(next_due_at=now(conn)))
        stories = {news(conn, topic_id) for topic_id in topics}
        owed.put(conn, [Owed(readers[0], story, Owing.BUDGET, now(conn)) for story in stories], at=now(conn))
    assert plan(database, narrow).deliveries == 3
    with database.read() as conn:
        for one, (subscriber, content) in zip(readers, digests(database), strict=True):
            assert one == subscriber
            missing = stories - set(content.stories())
            assert len(missing) == 2
            noted = [(told.why, set(told.stories)) for _, told in omissions.of(conn, one)]
            if one == readers[0]:  # what is owed stays owed
                assert noted == []
                assert set(owed.of(conn, one, one)[one]) == missing
            else:
                assert noted == [(Lapse.ROOM, missing)]


def test_cursor_and_next_due_time_move_with_the_row(database, planned, russia):
    be(database, SEVEN_IN_SEOUL + timedelta(minutes=1))
    with database.write() as conn:
        wish = daily(conn, reader(conn, timezone="Asia/Seoul"), russia, due_at=SEVEN_IN_SEOUL)
        news(conn, russia)
        news(conn, russia)
    planned()
    row = subscription(database, wish)
    assert (row.cursor, row.next_due_at) == (2, SEVEN_IN_SEOUL + DAY)
    ((_, content),) = digests(database)
    assert content.day == date(2026, 11, 24)  # as the reader's calendar has it
    assert planned().deliveries == 0


def test_if_the_row_is_not_written_nothing_moves(database, planned, russia, monkeypatch):
    with database.write() as conn:
        wish = daily(conn, reader(conn), russia)
        news(conn, russia)
    before = subscription(database, wish)
    monkeypatch.setattr(due, "claim", kill)
    with pytest.raises(KilledError):
        planned()
    assert subscription(database, wish) == before
    with database.read() as conn:
        assert all_editions(conn) == deliveries_of(conn) == []
    monkeypatch.undo()
    assert planned().deliveries == 1


def test_no_new_story_no_mail_and_the_next_run_is_set(database, planned, russia):
    with database.write() as conn:
        news(conn, russia)
        wish = daily(conn, reader(conn), russia)
    due_at = subscription(database, wish).next_due_at
    assert planned().deliveries == 0
    assert subscription(database, wish).next_due_at > due_at
    with database.read() as conn:
        assert all_editions(conn) == []


def test_a_story_comes_once_however_many_of_its_articles_match_later(database, planned, russia):
    with database.write() as conn:
        daily(conn, reader(conn), russia)
        story = news(conn, russia)
    assert planned().deliveries == 1
    with database.write() as conn:
        second, _ = article(conn, story=story)
        match(conn, second, russia)
    make_due(database)
    assert planned().deliveries == 0


def test_a_story_that_came_as_an_alert_is_not_in_the_digest(database, planned, russia):
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        ada, bo = reader(conn), reader(conn)
        follow(conn, ada, korea)
        daily(conn, ada, russia)
        daily(conn, bo, russia)
        breaking(conn, korea, russia)
    assert planned().deliveries == 2
    with database.read() as conn:
        kinds = {row.id: row.kind for row in all_editions(conn)}
        got = {row.subscriber_id: kinds[row.edition_id] for row in deliveries_of(conn)}
        assert got == {ada: EditionKind.ALERT, bo: EditionKind.DIGEST}


def test_a_paused_reader_gets_nothing_and_misses_nothing(database, planned, russia):
    with database.write() as conn:
        ada = reader(conn, paused_until=now(conn) + DAY)
        wish = daily(conn, ada, russia)
        news(conn, russia)
    cursor = subscription(database, wish).cursor
    assert planned().deliveries == 0
    row = subscription(database, wish)
    assert row.cursor == cursor
    assert row.next_due_at > time_of(database)
    with database.write() as conn:
        people.change_reader(conn, ada, paused_until=None)
    make_due(database)
    assert planned().deliveries == 1


def test_a_killed_story_is_in_no_digest(database, planned, russia):
    with database.write() as conn:
        daily(conn, reader(conn), russia)
        story = news(conn, russia)
        conn.execute(sa.text("UPDATE story SET killed_at = created_at WHERE id = :id"), {"id": story})
    assert planned().deliveries == 0


# Runs that were missed -----------------------------------------------------------------------------------------------


def test_a_run_missed_while_the_system_was_down_is_made_up_once(database, planned, russia):
    be(database, SEVEN_IN_SEOUL + timedelta(hours=11))
    with database.write() as conn:
        wish = daily(conn, reader(conn, timezone="Asia/Seoul"), russia, due_at=SEVEN_IN_SEOUL)
        news(conn, russia)
    assert planned().deliveries == 1
    assert subscription(database, wish).next_due_at == SEVEN_IN_SEOUL + DAY
    assert planned().deliveries == 0


def test_a_run_too_old_to_be_made_up_is_skipped_and_keeps_its_stories_for_the_next(database, planned, russia):
    be(database, SEVEN_IN_SEOUL + timedelta(hours=12))
    with database.write() as conn:
        wish = daily(conn, reader(conn, timezone="Asia/Seoul"), russia, due_at=SEVEN_IN_SEOUL)
        news(conn, russia)
    assert planned().deliveries == 0
    row = subscription(database, wish)
    assert (row.cursor, row.next_due_at) == (0, SEVEN_IN_SEOUL + DAY)
    be(database, SEVEN_IN_SEOUL + DAY)
    assert planned().deliveries == 1


def test_after_days_of_silence_the_latest_run_that_is_fresh_enough_is_made_up_and_no_other(database, planned, russia):
    be(database, SEVEN_IN_SEOUL + 3 * DAY + timedelta(hours=1))
    with database.write() as conn:
        wish = daily(conn, reader(conn, timezone="Asia/Seoul"), russia, due_at=SEVEN_IN_SEOUL)
        news(conn, russia)
    assert planned().deliveries + planned().deliveries == 1
    assert subscription(database, wish).next_due_at == SEVEN_IN_SEOUL + 4 * DAY
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert row.due_at == SEVEN_IN_SEOUL + 3 * DAY


def test_an_hourly_reader_hears_soon_after_an_outage_and_once(database, planned, russia):
    be(database, SEVEN_IN_SEOUL + timedelta(hours=30, minutes=20))
    with database.write() as conn:
        ada = reader(conn)
        wish = follow(conn, ada, russia, cadence=Cadence.HOURLY, due_at=SEVEN_IN_SEOUL)
        news(conn, russia)
    assert sum(planned().deliveries for _ in range(15)) == 1
    assert subscription(database, wish).next_due_at == SEVEN_IN_SEOUL + timedelta(hours=31)


def test_a_digest_that_expired_unsent_gives_its_stories_to_the_next_one(database, planned, russia):
    be(database, SEVEN_IN_SEOUL)
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        ada, bo = (reader(conn, timezone="Asia/Seoul") for _ in range(2))
        for subscriber in (ada, bo):
            daily(conn, subscriber, russia, due_at=SEVEN_IN_SEOUL)
        daily(conn, ada, korea, due_at=SEVEN_IN_SEOUL)
        lost, other = news(conn, russia), news(conn, korea)
    assert planned().deliveries == 2
    with database.write() as conn:
        first, second = deliveries_of(conn)
        assert (first.subscriber_id, second.subscriber_id) == (ada, bo)
        conn.execute(sa.update(Delivery).where(Delivery.id == second.id).values(state=State.ACCEPTED))
    be(database, SEVEN_IN_SEOUL + timedelta(hours=12))
    with database.write() as conn:
        assert deliveries.expire(conn, limit=10) == 1
        later = news(conn, russia)
    be(database, SEVEN_IN_SEOUL + DAY)
    assert planned().deliveries == 2
    shown = {subscriber: content.stories() for subscriber, content in digests(database)[2:]}
    assert {subscriber: set(stories) for subscriber, stories in shown.items()} == {
        ada: {lost, other, later},
        bo: {later},
    }
    with database.write() as conn:
        conn.execute(sa.update(Delivery).where(Delivery.state == State.PLANNED).values(state=State.ACCEPTED))
    be(database, SEVEN_IN_SEOUL + 2 * DAY)
    assert planned().deliveries == 0  # given back once, not for ever


# Readers who share a run ---------------------------------------------------------------------------------------------


def test_two_zones_at_one_instant_have_one_run_and_each_its_own_day(database, planned, russia):
    be(database, SEVEN_IN_SEOUL)
    with database.write() as conn:
        seoul, new_york = reader(conn, timezone="Asia/Seoul"), reader(conn, timezone="America/New_York")
        daily(conn, seoul, russia, due_at=SEVEN_IN_SEOUL)
        daily(conn, new_york, russia, times=["17:00"], due_at=SEVEN_IN_SEOUL)
        news(conn, russia)
    assert len(planned().editions) == 1
    days = {subscriber: content.day for subscriber, content in digests(database)}
    assert days == {seoul: date(2026, 11, 24), new_york: date(2026, 11, 23)}


@pytest.mark.usefixtures("chunks_of_two")
def test_readers_whose_content_is_equal_share_one(database, planned, russia):
    with database.write() as conn:
        due_at = now(conn)
        for _ in range(5):
            daily(conn, reader(conn), russia, due_at=due_at)
        news(conn, russia)
    assert planned().deliveries == 5
    with database.read() as conn:
        assert len(conn.execute(sa.select(EditionContent)).all()) == 1


def test_an_own_query_is_shown_to_its_reader_only_and_makes_nobody_elses_content_private(database, planned, russia):
    with database.write() as conn:
        due_at = now(conn)
        query = own_query(conn, "harbour OR quay")
        ada, bo, cy, di = (reader(conn) for _ in range(4))
        for subscriber in (ada, bo):
            daily(conn, subscriber, query, query="harbour OR quay", due_at=due_at)
        for subscriber in (cy, di):
            daily(conn, subscriber, russia, due_at=due_at)
        news(conn, query, russia)
    assert planned().deliveries == 4
    shown = dict(digests(database))
    assert [shown[subscriber].personal_to for subscriber in (ada, bo, cy, di)] == [ada, bo, None, None]
    assert "harbour" not in shown[cy].model_dump_json()
    with database.read() as conn:
        assert len(conn.execute(sa.select(EditionContent)).all()) == 3


def test_each_language_has_a_run_of_its_own(database, planned):
    with database.write() as conn:
        russia = topic(conn, "russia", en="Russia", ko="러시아")
        due_at = now(conn)
        for locale in ("en", "ko"):
            daily(conn, reader(conn, locale=locale), russia, due_at=due_at)
        news(conn, russia)
    assert len(planned().editions) == 2
    assert [content.sections[0].topic for _, content in digests(database)] == ["Russia", "러시아"]


def test_who_becomes_due_at_an_instant_that_is_over_gets_a_run_of_their_own(database, planned, russia):
    be(database, SEVEN_IN_SEOUL)
    with database.write() as conn:
        daily(conn, reader(conn), russia, due_at=SEVEN_IN_SEOUL)
        late = reader(conn)
        daily(conn, late, russia, due_at=SEVEN_IN_SEOUL + timedelta(minutes=1))
        news(conn, russia)
    planned()
    with database.write() as conn:
        conn.execute(
            sa.update(Subscription).where(Subscription.subscriber_id == late).values(next_due_at=SEVEN_IN_SEOUL)
        )
    assert planned().deliveries == 1
    with database.read() as conn:
        first, second = all_editions(conn)
        assert (first.slot, second.slot.startswith(f"{first.slot} again at ")) == ("2026-11-23T22:00:00Z", True)
        assert (first.audience, second.audience) == (1, 1)


# Chunks, deaths and races --------------------------------------------------------------------------------------------


class KilledError(Exception):
    """Stands for a kill -9 between two statements."""


def kill(*_: object, **__: object) -> None:
    raise KilledError


def five_readers(database: Database, russia: TopicId) -> list[int]:
    with database.write() as conn:
        due_at = now(conn)
        readers = [reader(conn) for _ in range(5)]
        for subscriber in readers:
            daily(conn, subscriber, russia, due_at=due_at)
        news(conn, russia)
    return list(readers)


@pytest.mark.usefixtures("chunks_of_two")
@pytest.mark.parametrize("chunks", [0, 1, 2, 3])
def test_a_planner_that_dies_between_chunks_is_taken_up_where_it_was(database, planned, russia, monkeypatch, chunks):
    """Also when the last reader is served and only the closing of the edition is missing."""
    readers = five_readers(database, russia)
    due_rows, done = due.rows, Counter[str]()

    def die_before(*arguments: Any, **options: Any) -> object:
        done["chunks"] += 1
        if done["chunks"] > chunks:
            raise KilledError
        return due_rows(*arguments, **options)

    monkeypatch.setattr(due, "rows", die_before)
    monkeypatch.setattr(due, "open_digests", kill)
    with pytest.raises(KilledError):
        planned()
    with database.read() as conn:
        assert len(deliveries_of(conn)) == min(2 * chunks, 5)
        assert {row.status for row in all_editions(conn)} <= {EditionStatus.PLANNING}
    monkeypatch.undo()
    planned()
    assert sorted(subscriber for subscriber, _ in digests(database)) == readers
    with database.read() as conn:
        assert [row.audience for row in all_editions(conn)] == [5]
    assert_all_closed(database)


@pytest.mark.usefixtures("chunks_of_two")
def test_planners_that_meet_serve_everybody_once_in_one_edition(database_url, database, policy, russia):
    readers = five_readers(database, russia)
    start = threading.Barrier(3)

    def work(_: int) -> int:
        with opened(database_url) as own:
            start.wait()
            return plan(own, policy).deliveries

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 5
    assert sorted(subscriber for subscriber, _ in digests(database)) == readers
    with database.read() as conn:
        assert [row.audience for row in all_editions(conn)] == [5]
    assert_all_closed(database)


def test_a_story_that_is_matched_while_digests_are_planned_comes_next_time(make_url, policy):
    """Its number is drawn, its transaction still open: the run ends before it and the cursor does not pass it."""
    with opened(make_url("postgresql")) as database:
        with database.write() as conn:
            russia = topic(conn, "russia")
            wish = daily(conn, reader(conn), russia)
            early = news(conn, russia)
            late_id, late = article(conn)
        with ThreadPoolExecutor(1) as pool, database.write() as conn:
            match(conn, late_id, russia)
            assert pool.submit(plan, database, policy).result(10).deliveries == 1
            conn.commit()
        ((_, content),) = digests(database)
        assert content.stories() == (early,)
        assert subscription(database, wish).cursor == 1
        make_due(database)
        assert plan(database, policy).deliveries == 1
        assert digests(database)[1][1].stories() == (late,)


def test_a_reader_who_changes_their_time_while_their_digest_is_planned_keeps_the_new_one(make_url, policy):
    with opened(make_url("postgresql")) as database:
        with database.write() as conn:
            russia = topic(conn, "russia")
            ada = reader(conn)
            wish = daily(conn, ada, russia)
            news(conn, russia)
        wanted = time_of(database) + timedelta(hours=5)
        with ThreadPoolExecutor(1) as pool, database.write() as conn:
            daily(conn, ada, russia, due_at=wanted)
            planning = pool.submit(plan, database, policy)
            threading.Event().wait(0.2)
            conn.commit()
            assert planning.result(10).deliveries == 0
        assert subscription(database, wish).next_due_at == wanted


def test_making_all_digests_due_leaves_alerts_and_ended_wishes_alone(database, russia):
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        ada = reader(conn)
        daily(conn, ada, russia, due_at=now(conn) + DAY)
        follow(conn, ada, korea)
        gone = reader(conn)
        daily(conn, gone, russia)
        people.unfollow(conn, gone)
        assert due.make_all_digests_due(conn) == 1
        due_at = due.next_slot(conn, after=None, at=now(conn))
        assert due_at is not None
        assert due.next_slot(conn, after=due_at, at=now(conn)) is None


@pytest.mark.usefixtures("chunks_of_two")
def test_a_fortnight_tells_every_story_once_across_clock_changes_and_outages(make_url, policy):
    """A compressed fortnight: five readers in five zones, two outages; every story reaches each of them once."""
    with opened(make_url("sqlite")) as database:
        start = datetime(2026, 10, 20, tzinfo=UTC)  # Europe's clocks change on the 25th, America's on 1 November
        zones = ("Asia/Seoul", "Europe/Berlin", "America/New_York", "Pacific/Apia", "UTC")
        be(database, start)
        with database.write() as conn:
            russia = topic(conn, "russia")
            readers = [reader(conn, timezone=zone) for zone in zones]
            for number, subscriber in enumerate(readers):
                wish = {"times": ["07:00", "18:30"]} if number % 2 else {}
                daily(conn, subscriber, russia, due_at=start, **wish)
        told = []
        for hours in range(0, 24 * 15, 6):
            outage = 100 <= hours < 150 or 280 <= hours < 290
            with database.write() as conn:
                offset = (start + timedelta(hours=hours) - datetime.now(UTC)).total_seconds()
                set_fact(conn, CLOCK_OFFSET, str(offset))
                if hours % 18 == 0 and hours < 24 * 13:
                    told.append(news(conn, russia))
            if not outage:
                plan(database, policy)
        shown = Counter((subscriber, story) for subscriber, content in digests(database) for story in content.stories())
        assert shown == Counter((subscriber, story) for subscriber in readers for story in told)


def test_nothing_is_left_open_after_all_this(database, planned, russia, policy: Policy):
    with database.write() as conn:
        daily(conn, reader(conn), russia)
        news(conn, russia)
        edition(conn, [reader(conn)])
    planned()
    with database.read() as conn:
        assert editions.conservation(conn) == {
            "audience": 2,
            "accepted": 0,
            "refused": 0,
            "suppressed": 0,
            "expired": 0,
            "cancelled": 0,
            "unknown": 0,
            "open": 2,
        }
        assert states_of(conn) == [State.PLANNED] * 2
        assert reached(conn, MATCH_SEQ) == 1
        assert conn.execute(sa.select(sa.func.count()).where(Edition.audience.is_(None))).scalar_one() == 0
        assert policy.digest_expires == timedelta(hours=12)

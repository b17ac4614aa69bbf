"""What never reached its reader comes later, once: by the next digest, or in a mail of its own where none is ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders import (
    all_editions,
    breaking,
    deliveries_of,
    edition,
    follow,
    news,
    own_query,
    reader,
    set_clock,
    topic,
)
from tests.databases import opened
from worker.content import AnyContent, DigestContent
from worker.lifecycle import Happening, State
from worker.model import Cadence, EditionKind, EditionStatus, Lapse, Owing, StoryId, SubscriberId, TopicId
from worker.planning.run import plan
from worker.store import contents, deliveries, omissions, owed, people
from worker.store.database import Database, now
from worker.store.owed import Owed
from worker.store.schema import Attempt, Delivery, OwedStory, Subscriber

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def be(database: Database, at: datetime) -> None:
    set_clock(database, ahead=at - datetime.now(UTC))


@pytest.fixture
def russia(database: Database) -> TopicId:
    be(database, NOON)
    with database.write() as conn:
        return topic(conn, "russia", en="Russia")


def told(database: Database) -> list[tuple[int, EditionKind, AnyContent]]:
    """Return (reader, kind, content) of every row, in order."""
    with database.read() as conn:
        kinds = {row.id: row.kind for row in all_editions(conn)}
        rows = deliveries_of(conn)
        known = contents.thawed(conn, {row.content_id for row in rows})
    return [(row.subscriber_id, kinds[row.edition_id], known[row.content_id]) for row in rows]


def owing(database: Database) -> dict[tuple[int, int], Owing]:
    with database.read() as conn:
        query = sa.select(OwedStory.subscriber_id, OwedStory.story_id, OwedStory.why)
        return {(reader_id, story): why for reader_id, story, why in conn.execute(query)}


def expire(database: Database) -> None:
    with database.write() as conn:
        deliveries.expire(conn, limit=1_000)


def test_an_alert_that_expired_comes_in_the_next_digest(database, planned, russia):
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        ada = reader(conn)
        follow(conn, ada, russia)
        follow(conn, ada, korea, cadence=Cadence.DAILY, due_at=NOON + timedelta(hours=19))
        story = breaking(conn, russia, korea)
    planned()
    be(database, NOON + timedelta(hours=7))
    expire(database)
    assert planned().deliveries == 0
    assert owing(database) == {(ada, story): Owing.EXPIRED}
    be(database, NOON + timedelta(hours=19))
    assert planned().deliveries == 1
    assert [(kind, content.stories()) for _, kind, content in told(database)] == [
        (EditionKind.ALERT, (story,)),
        (EditionKind.DIGEST, (story,)),
    ]
    assert owing(database) == {}


def test_who_has_no_digest_gets_it_the_next_morning_in_a_mail_of_its_own(database, planned, russia):
    with database.write() as conn:
        ada = reader(conn, timezone="Asia/Seoul")  # it is 21:00 there
        wish = follow(conn, ada, russia)
        story, other = breaking(conn, russia), breaking(conn, russia)
    planned()
    be(database, NOON + timedelta(hours=6, minutes=30))
    expire(database)
    planned()
    assert set(owing(database)) == {(ada, story), (ada, other)}
    be(database, NOON + timedelta(hours=9, minutes=59))
    assert planned().deliveries == 0
    be(database, NOON + timedelta(hours=10))
    made = planned()
    assert made.deliveries == 1
    (_, kind, content) = told(database)[-1]
    assert (kind, set(content.stories())) == (EditionKind.DIGEST, {story, other})
    assert owing(database) == {}
    with database.read() as conn:
        row = deliveries_of(conn)[-1]
        assert [one.id for one, _ in people.served_by(conn, ada, row.id)] == [wish]
        assert {row.status for row in all_editions(conn) if row.kind is EditionKind.DIGEST} == {EditionStatus.PLANNED}
    assert planned().deliveries == 0


def test_a_refusal_owes_nothing_unless_a_person_says_that_we_were_to_blame(database, planned, russia):
    with database.write() as conn:
        ada, bo = reader(conn), reader(conn)
        for one in (ada, bo):
            follow(conn, one, russia)
        story = breaking(conn, russia)
    planned()
    with database.write() as conn:
        rows = {row.subscriber_id: row.id for row in deliveries_of(conn)}
        conn.execute(sa.update(Delivery).values(state=State.REFUSED, next_attempt_at=None))
        at = now(conn)
        for one, provider in ((ada, "relay"), (bo, "")):
            values = {"number": 1, "fence": 1, "outcome": Happening.REFUSED, "started_at": at, "ended_at": at}
            conn.execute(sa.insert(Attempt).values(delivery_id=rows[one], provider=provider, **values))
    planned()
    assert owing(database) == {(bo, story): Owing.REFUSED}


def test_what_another_copy_has_shown_is_not_given_back(database, planned, russia):
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        ada = reader(conn)
        follow(conn, ada, russia)
        story = breaking(conn, russia)
    planned()
    with database.write() as conn:
        conn.execute(sa.update(Delivery).values(state=State.CANCELLED, next_attempt_at=None))
        follow(conn, ada, korea)
        breaking(conn, korea)
    with database.write() as conn:
        edition(conn, [ada], story=story)
    planned()
    assert owing(database) == {}


def test_what_is_shown_otherwise_meanwhile_does_not_come_again(database, planned, russia):
    with database.write() as conn:
        ada = reader(conn)
        follow(conn, ada, russia)
        story = news(conn, russia)
        owed.put(conn, [Owed(ada, story, Owing.BUDGET, NOON + timedelta(hours=1))], at=NOON)
        edition(conn, [ada], story=story)
    be(database, NOON + timedelta(hours=2))
    assert planned().deliveries == 0
    assert owing(database) == {}


def test_what_is_owed_waits_for_a_digest_that_is_ahead_and_for_the_end_of_quiet_hours(database, planned, russia):
    with database.write() as conn:
        ada = reader(conn, quiet_from="11:00", quiet_to="15:00")
        bo, cy = reader(conn), reader(conn)
        follow(conn, ada, russia)
        follow(conn, bo, russia, cadence=Cadence.DAILY, due_at=NOON + timedelta(hours=8))
        follow(conn, cy, russia)
        story = news(conn, russia)
        owed.put(conn, [Owed(one, story, Owing.BUDGET, NOON) for one in (ada, bo, cy)], at=NOON)
    assert planned().deliveries == 1
    assert set(owing(database)) == {(ada, story), (bo, story)}
    be(database, NOON + timedelta(hours=3))
    assert planned().deliveries == 1
    be(database, NOON + timedelta(hours=8))
    assert planned().deliveries == 1
    assert [subscriber for subscriber, _, _ in told(database)] == [cy, ada, bo]


def test_a_paused_reader_is_owed_until_they_are_back_and_one_who_has_left_never_gets_it(database, planned, russia):
    with database.write() as conn:
        ada, bo = reader(conn, paused_until=NOON + timedelta(days=2)), reader(conn)
        for one in (ada, bo):
            follow(conn, one, russia)
        story = news(conn, russia)
        owed.put(conn, [Owed(one, story, Owing.BUDGET, NOON) for one in (ada, bo)], at=NOON)
        people.unfollow(conn, bo)
    assert planned().deliveries == 0
    assert owing(database) == {(ada, story): Owing.BUDGET}
    with database.read() as conn:
        assert [one.why for _, one in omissions.of(conn, bo)] == [Lapse.ENDED]
    be(database, NOON + timedelta(days=2))
    assert planned().deliveries == 1


def test_a_killed_story_is_owed_to_nobody(database, planned, russia):
    with database.write() as conn:
        ada = reader(conn)
        follow(conn, ada, russia)
        story = news(conn, russia)
        owed.put(conn, [Owed(ada, story, Owing.BUDGET, NOON)], at=NOON)
        conn.execute(sa.text("UPDATE story SET killed_at = created_at"))
    assert planned().deliveries == 0
    assert owing(database) == {}


def test_an_owed_own_query_stays_its_readers_own(database, planned):
    be(database, NOON)
    with database.write() as conn:
        query = own_query(conn, "harbour")
        ada, bo = reader(conn), reader(conn)
        for one in (ada, bo):
            follow(conn, one, query, query="harbour")
        story = news(conn, query)
        owed.put(conn, [Owed(one, story, Owing.BUDGET, NOON) for one in (ada, bo)], at=NOON)
    assert planned().deliveries == 2
    assert [content.personal_to for _, _, content in told(database)] == [ada, bo]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("step", ["put", "settle"])
def test_a_planner_that_dies_gives_nothing_back_twice_and_loses_nothing(make_url, policy, monkeypatch, kind, step):
    with opened(make_url(kind)) as database:
        be(database, NOON)
        with database.write() as conn:
            russia = topic(conn, "russia")
            ada = reader(conn)
            follow(conn, ada, russia)
            breaking(conn, russia)
        plan(database, policy)
        be(database, NOON + timedelta(hours=7))
        expire(database)
        if step == "settle":
            plan(database, policy)
            be(database, NOON + timedelta(days=1))

        def kill(*_: object, **__: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(owed, step, kill)
        with pytest.raises(RuntimeError):
            plan(database, policy)
        monkeypatch.undo()
        for days in (1, 2, 3):
            be(database, NOON + timedelta(days=days))
            plan(database, policy)
        assert [kind for _, kind, _ in told(database)] == [EditionKind.ALERT, EditionKind.DIGEST]


# Pauses --------------------------------------------------------------------------------------------------------------


def test_after_a_pause_the_next_digest_has_the_best_of_what_was_missed(database, planned, russia, policy):
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        ada = reader(conn, paused_at=NOON, paused_until=NOON + timedelta(days=3))
        follow(conn, ada, russia, cadence=Cadence.DAILY, due_at=NOON + timedelta(hours=19))
        before = news(conn, korea)
        follow(conn, ada, korea)  # immediate
    with database.write() as conn:
        missed = [news(conn, russia) for _ in range(8)] + [news(conn, korea) for _ in range(8)]
        at = NOON + timedelta(hours=1)
        conn.execute(
            sa.text("UPDATE topic_story SET matched_at = :at WHERE story_id > :first"), {"at": at, "first": before}
        )
    be(database, NOON + timedelta(hours=20))
    assert planned().deliveries == 0
    be(database, NOON + timedelta(days=3, hours=20))
    assert planned().deliveries == 1
    ((_, _, content),) = told(database)
    assert isinstance(content, DigestContent)
    assert content.away
    shown = content.stories()
    assert len(shown) == policy.away_cap == 10
    with database.read() as conn:
        (left_out,) = [one for _, one in omissions.of(conn, ada)]
        assert left_out.why is Lapse.AWAY
        assert sorted([*shown, *left_out.stories]) == missed
        assert conn.execute(sa.select(Subscriber.paused_at)).scalar_one() is None
    be(database, NOON + timedelta(days=4, hours=20))
    assert planned().deliveries == 0


def test_who_has_alerts_only_is_told_the_morning_after_a_pause(database, planned, russia, policy):
    with database.write() as conn:
        ada = reader(conn, paused_at=NOON, paused_until=NOON + timedelta(days=3))
        follow(conn, ada, russia)
        missed = [news(conn, russia) for _ in range(12)]
        at = NOON + timedelta(hours=1)
        conn.execute(sa.text("UPDATE topic_story SET matched_at = :at"), {"at": at})
    planned()
    assert told(database) == []
    be(database, NOON + timedelta(days=3))
    planned()
    with database.read() as conn:
        assert set(owed.of(conn, ada, ada)[ada].values()) == {Owing.AWAY}
        (left_out,) = [one for _, one in omissions.of(conn, ada)]
    be(database, NOON + timedelta(days=3, hours=19))
    assert planned().deliveries == 1
    ((_, kind, content),) = told(database)
    assert kind is EditionKind.DIGEST
    assert sorted([*content.stories(), *left_out.stories]) == missed
    assert len(content.stories()) == policy.away_cap


@pytest.mark.parametrize("below", ["merge", "skip"])
def test_no_floor_keeps_from_who_has_alerts_only_what_they_missed_in_a_pause(database, planned, russia, below):
    with database.write() as conn:
        ada = reader(
            conn,
            paused_at=NOON,
            paused_until=NOON + timedelta(days=3),
            digest_floor=3,
            below_floor=below,
        )
        follow(conn, ada, russia)
        missed = [news(conn, russia) for _ in range(2)]
        conn.execute(sa.text("UPDATE topic_story SET matched_at = :at"), {"at": NOON + timedelta(hours=1)})
    be(database, NOON + timedelta(days=3))
    planned()
    be(database, NOON + timedelta(days=3, hours=19))
    assert planned().deliveries == 1
    ((_, _, content),) = told(database)
    assert sorted(content.stories()) == missed


def test_what_was_late_before_a_pause_comes_after_it(database, planned, russia):
    with database.write() as conn:
        ada = reader(conn)
        follow(conn, ada, russia)
        story = breaking(conn, russia)
    # Nobody plans for a day, in the middle of which the reader goes away.
    with database.write() as conn:
        away = {"paused_at": NOON + timedelta(hours=12), "paused_until": NOON + timedelta(days=3)}
        people.change_reader(conn, ada, **away)
    be(database, NOON + timedelta(days=1))
    assert planned().deliveries == 0
    assert owing(database) == {(ada, story): Owing.LATE}
    for days in (2, 3, 4, 5):
        be(database, NOON + timedelta(days=days))
        planned()
    assert [(one, content.stories()) for one, _, content in told(database)] == [(ada, (story,))]


# Floors --------------------------------------------------------------------------------------------------------------


def test_fewer_than_the_floor_are_kept_for_the_next_digest_or_let_go(database, planned, russia):
    with database.write() as conn:
        merging, skipping = reader(conn, digest_floor=2), reader(conn, digest_floor=2, below_floor="skip")
        for one in (merging, skipping):
            follow(conn, one, russia, cadence=Cadence.DAILY, due_at=NOON)
        first = news(conn, russia)
    assert planned().deliveries == 0
    with database.read() as conn:
        assert omissions.of(conn, merging) == []
        assert [(one.why, one.stories) for _, one in omissions.of(conn, skipping)] == [(Lapse.FLOOR, [first])]
    be(database, NOON + timedelta(days=1))
    with database.write() as conn:
        second = news(conn, russia)
    assert planned().deliveries == 1
    be(database, NOON + timedelta(days=2))
    with database.write() as conn:
        third = news(conn, russia)
        fourth = news(conn, russia)
    assert planned().deliveries == 2
    shown: dict[int, set[StoryId]] = {}
    for subscriber, _, content in told(database):
        shown.setdefault(subscriber, set()).update(StoryId(story) for story in content.stories())
    assert shown == {merging: {first, second, third, fourth}, skipping: {third, fourth}}


def test_quiet_hours_hold_a_digest_until_they_are_over(database, planned, russia):
    with database.write() as conn:
        ada = reader(conn, quiet_from="11:00", quiet_to="14:30")
        follow(conn, ada, russia, cadence=Cadence.DAILY, due_at=NOON)
        news(conn, russia)
    assert planned().deliveries == 0
    be(database, NOON + timedelta(hours=2, minutes=30))
    assert planned().deliveries == 1
    with database.read() as conn:
        (row,) = deliveries_of(conn)
        assert (row.quiet_at, row.quiet_until) == (NOON + timedelta(hours=23), NOON + timedelta(days=1, hours=2.5))


def test_after_an_outage_two_instants_of_one_reader_make_one_mail(database, planned, russia):
    with database.write() as conn:
        korea = topic(conn, "north-korea")
        ada, bo = reader(conn), reader(conn)
        for one in (ada, bo):
            follow(conn, one, russia, cadence=Cadence.DAILY, due_at=NOON)
        follow(conn, ada, korea, cadence=Cadence.DAILY, due_at=NOON + timedelta(hours=3))
        stories = {news(conn, russia), news(conn, korea)}
    be(database, NOON + timedelta(hours=5))
    assert planned().deliveries == 2
    shown: dict[SubscriberId, set[int]] = {
        SubscriberId(subscriber): set(content.stories()) for subscriber, _, content in told(database)
    }
    assert shown[ada] == stories
    assert len(shown[bo]) == 1

"""Zones whose rules change keep their readers at their times; what is long past goes; pauses are noted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from tests.builders import edition, follow, news, reader, set_clock, topic
from worker.model import Cadence, Lapse, RunKind, StoryId, SubscriptionId
from worker.planning import run_zones
from worker.planning.run_letting_go import let_go
from worker.planning.run_zones import nearest, print_of, review_zones
from worker.signup.run_preferences import change_preferences
from worker.signup.wishes import Follow, Preferences, Rhythm
from worker.store import house, omissions, runs
from worker.store.database import now
from worker.store.omissions import Omitted
from worker.store.schema import ContentStory, Omission, PlanningRun, Subscriber, Subscription
from worker.store.upkeep import Scheduled

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SEVEN_IN_BERLIN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def test_a_run_stays_at_its_wall_clock_time_when_the_zones_rules_change(database, monkeypatch):
    set_clock(database, ahead=NOON - datetime.now(UTC))
    with database.write() as conn:
        russia = topic(conn, "russia")
        by_old_rules = SEVEN_IN_BERLIN + timedelta(hours=1)
        ada, bo = reader(conn, timezone="Europe/Berlin"), reader(conn, timezone="Asia/Seoul")
        wish = follow(conn, ada, russia, cadence=Cadence.DAILY, due_at=by_old_rules)
        hourly = follow(conn, ada, topic(conn, "oman"), cadence=Cadence.HOURLY, due_at=by_old_rules)
        other = follow(conn, bo, russia, cadence=Cadence.DAILY, due_at=by_old_rules)
    assert review_zones(database) == 0  # seen for the first time
    assert review_zones(database) == 0
    prints = {"Europe/Berlin": "other rules"}
    monkeypatch.setattr(run_zones, "print_of", lambda zone: prints.get(zone) or print_of(zone))
    assert review_zones(database) == 1
    assert review_zones(database) == 0
    with database.read() as conn:
        due = dict(conn.execute(sa.select(Subscription.id, Subscription.next_due_at)).all())
        assert due == {wish: SEVEN_IN_BERLIN, hourly: by_old_rules, other: by_old_rules}
        assert house.fact(conn, "zone Europe/Berlin") == "other rules"


def test_a_run_that_the_new_rules_put_into_the_past_is_due_at_once_and_not_skipped():
    late = Scheduled(SubscriptionId(1), Cadence.DAILY, ["07:00", "18:30"], None, SEVEN_IN_BERLIN + timedelta(hours=2))
    assert nearest(late, "Europe/Berlin") == SEVEN_IN_BERLIN
    weekly = Scheduled(SubscriptionId(1), Cadence.WEEKLY, ["07:00"], 2, SEVEN_IN_BERLIN - timedelta(hours=1))
    assert nearest(weekly, "Europe/Berlin") == SEVEN_IN_BERLIN
    assert nearest(weekly._replace(next_due_at=SEVEN_IN_BERLIN), "Europe/Berlin") == SEVEN_IN_BERLIN


def test_every_zone_has_a_print_and_no_nonsense_has():
    assert len(print_of("Europe/Berlin") or "") == 64
    assert print_of("Europe/Berlin") != print_of("Asia/Seoul")
    assert print_of("Mars/Olympus") is None


def test_what_is_older_than_what_counts_as_seen_goes(database):
    with database.write() as conn:
        ada = reader(conn)
        story = news(conn, topic(conn, "russia"))
        edition(conn, [ada], story=story)
        omissions.note(conn, [Omitted(ada, Lapse.FLOOR, [StoryId(story)])], at=now(conn))
        for slot in ("done", "open"):
            run = runs.open_run(conn, RunKind.DIGEST, slot, due_at=now(conn), head=0)
            assert run is not None
            if slot == "done":
                runs.close(conn, run)
    set_clock(database, ahead=timedelta(days=35))
    assert let_go(database) == 0
    set_clock(database, ahead=timedelta(days=37))
    assert let_go(database) == 3
    with database.read() as conn:
        assert not conn.execute(sa.select(ContentStory.story_id)).all()
        assert not conn.execute(sa.select(Omission.id)).all()
        assert conn.execute(sa.select(PlanningRun.slot)).scalars().all() == ["open"]


def test_a_pause_is_noted_when_it_begins_and_not_when_it_is_made_longer(database):
    set_clock(database, ahead=NOON - datetime.now(UTC))
    with database.write() as conn:
        ada = reader(conn)
        follow(conn, ada, topic(conn, "russia"))

    def pause(until: date | None) -> datetime | None:
        wish = Follow(topic="russia", rhythm=Rhythm(cadence=Cadence.IMMEDIATE))
        change_preferences(database, ada, Preferences(follows=(wish,), paused_until=until), check_query=lambda _: "")
        with database.read() as conn:
            found: datetime | None = conn.execute(sa.select(Subscriber.paused_at)).scalar_one()
            return found

    assert pause(None) is None
    began = pause(date(2026, 12, 1))
    assert began is not None
    set_clock(database, ahead=NOON + timedelta(days=3) - datetime.now(UTC))
    assert pause(date(2026, 12, 10)) == began
    assert pause(None) == began  # it is told of, now that it has ended

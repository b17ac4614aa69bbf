"""Newsletters: drafted, chosen, approved, sent once to each of their readers, and skipped with a reason."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.builders import all_editions, breaking, deliveries_of, follow, news, reader, set_clock, time_of, topic
from tests.databases import opened
from worker.content import NewsletterContent
from worker.facts import Issue
from worker.model import Cadence, ContentId, EditionId, EditionKind, EditionStatus, Lapse, SubscriberId, TopicId
from worker.planning import run_newsletters, run_zones
from worker.planning.run import plan
from worker.planning.run_choosing import Choosing, approve, choose, look, send_test, skip
from worker.signup.newsletters import NewNewsletter
from worker.signup.run_newsletters import store_newsletters
from worker.signup.run_wishes import fulfil
from worker.signup.wishes import Follow
from worker.store import contents, editions, issues, newsletters, omissions, people
from worker.store.database import Database
from worker.store.schema import Newsletter, Story, Subscription

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TUESDAY_SIX = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TOP: dict[str, Any] = {
    "slug": "top-10",
    "name": "Top 10 stories",
    "sender": {"name": "The Courier", "address": "top10@courier.example"},
    "schedule": "FREQ=DAILY;BYHOUR=6;BYMINUTE=30",
    "timezone": "Europe/London",
    "selection": {"minimum": 2, "maximum": 3},
}


def be(database: Database, at: datetime) -> None:
    set_clock(database, ahead=at - datetime.now(UTC))


@pytest.fixture
def oman(database: Database) -> TopicId:
    be(database, MONDAY)
    with database.write() as conn:
        return topic(conn, "oman", en="Oman")


def publish(database: Database, **values: Any) -> None:
    store_newsletters(database, (NewNewsletter.model_validate({**TOP, **values}),), where="n.yaml")


def subscribe(conn: Connection, name: str = "", *, timezone: str = "UTC", **values: Any) -> SubscriberId:
    subscriber = reader(conn, name, timezone=timezone, **values)
    fulfil(conn, subscriber, [Follow(newsletter="top-10")], timezone=timezone)
    return subscriber


def issues_of(database: Database) -> list[sa.Row[Any]]:
    with database.read() as conn:
        return [one for one in all_editions(conn) if one.kind is EditionKind.NEWSLETTER]


def issue_of(database: Database) -> Issue:
    """Return the one issue that is a draft."""
    [draft] = [one for one in issues_of(database) if one.status is EditionStatus.DRAFT]
    with database.read() as conn:
        found = issues.issue(conn, EditionId(draft.id))
    assert found is not None
    return found


def shown(database: Database, subscriber: SubscriberId) -> list[NewsletterContent]:
    """Return the issues that a reader got, in order."""
    with database.read() as conn:
        rows = [row for row in deliveries_of(conn) if row.subscriber_id == subscriber]
        read = contents.thawed(conn, [ContentId(row.content_id) for row in rows])
    return [one for row in rows if isinstance(one := read[ContentId(row.content_id)], NewsletterContent)]


def titles(database: Database, subscriber: SubscriberId) -> list[list[str]]:
    return [[card.title for card in content.cards] for content in shown(database, subscriber)]


def three_stories(conn: Connection, topic_id: TopicId) -> list[int]:
    return [news(conn, topic_id, title=title, outlet=f"Paper of {title}") for title in ("Anchors", "Boats", "Cranes")]


def test_an_issue_is_drafted_an_hour_ahead_and_goes_out_when_it_is_due(database, planned, oman):
    publish(database)
    with database.write() as conn:
        ada, ben = subscribe(conn, "ada"), subscribe(conn, "ben")
        idle = reader(conn, "idle")
        three_stories(conn, oman)
    be(database, TUESDAY_SIX - HOUR - MINUTE)
    planned()
    assert issues_of(database) == []
    be(database, TUESDAY_SIX - HOUR + MINUTE)
    planned()
    [draft] = issues_of(database)
    assert (draft.status, draft.slot) == (EditionStatus.DRAFT, "newsletter top-10 2026-11-24T06:30")
    be(database, TUESDAY_SIX + MINUTE)
    assert planned().deliveries == 2
    assert planned().deliveries == 0
    [sent] = issues_of(database)
    assert (sent.status, sent.audience, sent.due_at) == (EditionStatus.PLANNED, 2, TUESDAY_SIX)
    assert titles(database, ada) == titles(database, ben) == [["Cranes", "Boats", "Anchors"]]
    assert titles(database, idle) == []
    [content] = shown(database, ada)
    assert (content.day, content.sender_address) == (date(2026, 11, 24), "top10@courier.example")
    with database.read() as conn:
        assert len({row.content_id for row in deliveries_of(conn)}) == 1
        assert [len(row.serves) for row in deliveries_of(conn)] == [1, 1]


def test_a_skipped_issue_says_why_and_its_stories_come_with_the_next(database, planned, oman):
    publish(database)
    with database.write() as conn:
        ada = subscribe(conn, "ada")
        news(conn, oman, title="Anchors")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    [empty] = issues_of(database)
    assert (empty.status, empty.audience, empty.reason) == (EditionStatus.FINISHED, 0, "1 story, the least is 2")
    with database.write() as conn:
        news(conn, oman, title="Boats")
    be(database, TUESDAY_SIX + DAY + MINUTE)
    planned()
    # The first one looks back a day only, and the story of Monday noon is older than that.
    assert issues_of(database)[1].reason == "1 story, the least is 2"
    with database.write() as conn:
        news(conn, oman, title="Cranes")
    be(database, TUESDAY_SIX + 2 * DAY - 7 * HOUR)
    with database.write() as conn:
        news(conn, oman, title="Docks")
    be(database, TUESDAY_SIX + 2 * DAY + MINUTE)
    planned()
    assert titles(database, ada) == [["Docks", "Cranes"]]


def test_nobody_is_told_twice_by_alert_newsletter_and_digest(database, planned, oman):
    publish(database)
    with database.write() as conn:
        ada, ben = subscribe(conn, "ada"), subscribe(conn, "ben")
        follow(conn, ada, oman)
        follow(conn, ben, oman, cadence=Cadence.DAILY, due_at=TUESDAY_SIX)
        breaking(conn, oman, title="Alerted", outlet="Tide")
    planned()
    with database.write() as conn:
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert titles(database, ada) == [["Cranes", "Boats", "Anchors"]]
    with database.read() as conn:
        told = [
            (row.subscriber_id, story)
            for row in deliveries_of(conn)
            for story in contents.thawed(conn, [ContentId(row.content_id)])[ContentId(row.content_id)].stories()
        ]
    assert max(Counter(told).values()) == 1
    assert len([story for who, story in told if who == ben]) == 4


def test_whom_it_leaves_too_little_gets_none_and_the_reason_is_kept(database, planned, oman):
    publish(database)
    with database.write() as conn:
        ada, ben = subscribe(conn, "ada"), subscribe(conn, "ben")
        follow(conn, ada, oman)
        breaking(conn, oman, title="Anchors", outlet="Tide")
    planned()
    with database.write() as conn:
        news(conn, oman, title="Boats", outlet="Wire")
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert titles(database, ada) == []
    assert titles(database, ben) == [["Boats", "Anchors"]]
    with database.read() as conn:
        [(_, omitted)] = omissions.of(conn, ada)
    assert (omitted.why, len(omitted.stories)) == (Lapse.NEWSLETTER, 1)


def test_pins_and_order_come_first_and_what_is_dropped_does_not_come(database, planned, oman):
    publish(database, selection={"minimum": 1, "maximum": 3, "sections": ["World"]})
    with database.write() as conn:
        ada = subscribe(conn, "ada")
        a, b, c = (news(conn, oman, title=title, section="World") for title in ("Anchors", "Boats", "Cranes"))
        outside = news(conn, oman, title="Outside", section="Sport")
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    edition = issue_of(database).id
    choosing = Choosing(
        pins=(outside,), order=(a,), dropped=(c,), notes={outside: "Ours alone."}, note="Good morning.", subject="A day"
    )
    assert not choose(database, edition, choosing, actor="test").refused
    looked = look(database, edition)
    assert [one["title"] for one in looked.stories] == ["Outside", "Anchors", "Boats"]
    assert looked.stories[0]["pinned"]
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    [content] = shown(database, ada)
    assert content == looked.content
    assert [card.story_id for card in content.cards] == [outside, a, b]
    assert (content.notes, content.note, content.subject) == (((outside, "Ours alone."),), "Good morning.", "A day")
    assert choose(database, edition, choosing, actor="test").refused


def test_an_issue_that_needs_a_word_waits_for_it(database, planned, oman):
    publish(database, approval="required")
    with database.write() as conn:
        ada = subscribe(conn, "ada")
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + HOUR)
    planned()
    draft = issue_of(database)
    assert draft.reason == "waits for approval"
    assert titles(database, ada) == []
    assert approve(database, draft.id, actor="ed").says.endswith("it goes out now")
    with database.write() as conn:
        news(conn, oman, title="Too late for this one")
    planned()
    assert titles(database, ada) == [["Cranes", "Boats", "Anchors"]]
    assert approve(database, draft.id, actor="ed").refused


def test_what_nobody_approves_in_time_is_not_sent(database, planned, oman):
    publish(database, approval="required")
    with database.write() as conn:
        subscribe(conn, "ada")
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    be(database, TUESDAY_SIX + timedelta(hours=13))
    planned()
    [over] = issues_of(database)
    assert (over.status, over.audience, over.reason) == (EditionStatus.FINISHED, 0, "nobody approved it in time")


def test_an_approved_issue_is_fixed_and_goes_out_at_its_time_or_at_once(database, planned, oman):
    publish(database, approval="required")
    with database.write() as conn:
        ada = subscribe(conn, "ada")
        three_stories(conn, oman)
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    draft = issue_of(database)
    assert "goes out at 2026-11-24 06:30 UTC" in approve(database, draft.id, actor="ed").says
    assert choose(database, draft.id, Choosing(), actor="ed").refused
    assert planned().deliveries == 0
    assert "now" in approve(database, draft.id, actor="ed").says
    assert planned().deliveries == 1
    assert len(titles(database, ada)) == 1


def test_an_issue_can_be_skipped_by_hand(database, planned, oman):
    publish(database)
    with database.write() as conn:
        ada = subscribe(conn, "ada")
        three_stories(conn, oman)
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    draft = issue_of(database)
    assert not skip(database, draft.id, actor="ed", reason="nothing in it").refused
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    [skipped] = issues_of(database)
    assert (skipped.status, skipped.audience, skipped.reason) == (EditionStatus.FINISHED, 0, "nothing in it")
    assert skip(database, draft.id, actor="ed", reason="").refused
    with database.write() as conn:
        news(conn, oman, title="Docks")
    assert titles(database, ada) == []


def test_a_test_goes_to_one_reader_and_is_not_a_copy_of_the_issue(database, policy, planned, oman):
    publish(database)
    with database.write() as conn:
        ada = subscribe(conn, "ada")
        three_stories(conn, oman)
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    draft = issue_of(database)
    with database.read() as conn:
        who = people.by_id(conn, ada)
    sent = send_test(database, policy, draft.id, who, actor="ed")
    assert not sent.refused
    [tested] = shown(database, ada)
    assert tested.subject == "[Test] Top 10 stories"
    with database.read() as conn:
        [row] = deliveries_of(conn)
        assert (row.edition_id, row.serves) == (sent.made[0], [])
        assert editions.nature(conn, sent.made[0])[0] is EditionKind.SYSTEM
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert titles(database, ada)[1:] == [["Cranes", "Boats", "Anchors"]]


ZONES = [f"Etc/GMT{hours:+d}" for hours in range(-12, 13)] + ["Asia/Kolkata", "Europe/Berlin", "Pacific/Kiritimati"]


def test_by_their_own_clocks_everybody_gets_one_issue_once_at_the_same_local_time(database, planned, oman):
    publish(database, timing="reader")
    with database.write() as conn:
        readers = {zone: subscribe(conn, timezone=zone) for zone in ZONES}
        three_stories(conn, oman)
    first = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # half past six on Tuesday, in Kiritimati
    for quarter in range(4 * 28):
        be(database, first - HOUR / 2 + quarter * timedelta(minutes=15))
        planned()
    tuesdays = {
        zone: [content for content in shown(database, who) if content.day == date(2026, 11, 24)]
        for zone, who in readers.items()
    }
    assert {zone: len(got) for zone, got in tuesdays.items()} == dict.fromkeys(ZONES, 1)
    assert len({content.model_dump_json() for got in tuesdays.values() for content in got}) == 1
    with database.read() as conn:
        parts = {one.id: one for one in all_editions(conn) if one.parent_id is not None}
        for row in deliveries_of(conn):
            zone = next(zone for zone, who in readers.items() if who == row.subscriber_id)
            assert f"{parts[row.edition_id].due_at.astimezone(ZoneInfo(zone)):%H:%M}" == "06:30"
        assert all(part.status is not EditionStatus.PLANNING for part in parts.values())
    whole = [one for one in issues_of(database) if one.parent_id is None and "2026-11-24T" in one.slot]
    assert [one.status for one in whole] == [EditionStatus.FINISHED]
    assert "instants" in whole[0].reason
    assert whole[0].audience is None


@pytest.mark.parametrize("timing", ["newsroom", "reader"])
def test_a_planner_killed_at_any_chunk_loses_nobody_and_doubles_nobody(database, monkeypatch, policy, oman, timing):
    monkeypatch.setattr(run_newsletters, "CHUNK_READERS", 2)
    publish(database, timing=timing)
    with database.write() as conn:
        readers = [subscribe(conn, timezone="Europe/London") for _ in range(7)]
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + MINUTE)
    real, calls = editions.add_rows, []

    def dies(*args: Any, **values: Any) -> int:
        calls.append(1)
        written = real(*args, **values)
        if len(calls) % 2 == 0:
            raise KeyboardInterrupt
        return written

    monkeypatch.setattr(editions, "add_rows", dies)
    for _ in range(12):
        try:
            plan(database, policy)
        except KeyboardInterrupt:
            continue
        break
    else:
        pytest.fail("it never got through")
    with database.read() as conn:
        assert sorted(row.subscriber_id for row in deliveries_of(conn)) == sorted(readers)
        assert editions.audience_holds(conn)
        assert all(one.status is not EditionStatus.PLANNING for one in all_editions(conn))


@pytest.mark.parametrize("timing", ["newsroom", "reader"])
def test_planners_at_once_share_an_issue_out(database, monkeypatch, policy, oman, timing):
    monkeypatch.setattr(run_newsletters, "CHUNK_READERS", 2)
    publish(database, timing=timing)
    with database.write() as conn:
        readers = [subscribe(conn, timezone="Europe/London") for _ in range(9)]
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + MINUTE)
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        others = [stack.enter_context(opened(database.url)) for _ in range(3)]
        list(pool.map(lambda one: plan(one, policy), others))
    plan(database, policy)
    with database.read() as conn:
        assert sorted(row.subscriber_id for row in deliveries_of(conn)) == sorted(readers)
        assert editions.audience_holds(conn)
        [sent] = [one for one in all_editions(conn) if one.audience == 9]
        assert sent.status is EditionStatus.PLANNED


def test_after_an_outage_one_missed_issue_is_made_up_if_it_is_not_too_old(database, planned, oman):
    publish(database)
    with database.write() as conn:
        ada = subscribe(conn, "ada")
    be(database, TUESDAY_SIX + 3 * DAY - HOUR)
    with database.write() as conn:
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + 3 * DAY + 5 * HOUR)
    planned()
    [made_up] = issues_of(database)
    assert made_up.slot.endswith("2026-11-27T06:30")
    assert len(titles(database, ada)) == 1
    be(database, TUESDAY_SIX + 5 * DAY + 13 * HOUR)
    planned()
    assert len(issues_of(database)) == 1


def test_a_killed_story_is_in_no_copy_that_is_planned_afterwards(database, planned, oman):
    publish(database, approval="required", selection={"minimum": 1, "maximum": 3})
    with database.write() as conn:
        ada = subscribe(conn, "ada")
        stories = three_stories(conn, oman)
    be(database, TUESDAY_SIX - HOUR / 2)
    planned()
    approve(database, issue_of(database).id, actor="ed")
    with database.write() as conn:
        conn.execute(sa.update(Story).where(Story.id == stories[2]).values(killed_at=time_of(database)))
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert titles(database, ada) == [["Boats", "Anchors"]]


def test_a_newsletter_of_an_earlier_version_is_scheduled_by_itself(database, planned):
    be(database, MONDAY)
    publish(database)
    with database.write() as conn:
        conn.execute(sa.update(Newsletter).values(starts_on=None, next_due_at=None))
    planned()
    with database.read() as conn:
        stored = newsletters.by_slug(conn, "top-10")
    assert stored is not None
    assert (stored.starts_on, stored.next_due_at) == (date(2026, 11, 23), TUESDAY_SIX)


def test_a_new_schedule_holds_from_its_import_on_for_readers_too(database):
    be(database, MONDAY)
    publish(database, timing="reader")
    with database.write() as conn:
        subscribe(conn, timezone="Asia/Seoul")
    publish(database, timing="reader", schedule="FREQ=DAILY;BYHOUR=9")
    with database.read() as conn:
        due = conn.execute(sa.select(Subscription.next_due_at)).scalar_one()
    assert due == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    publish(database)
    with database.read() as conn:
        assert conn.execute(sa.select(Subscription.next_due_at)).scalar_one() is None


def test_a_newsletter_that_nobody_follows_has_no_issue(database, planned, oman):
    publish(database)
    with database.write() as conn:
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    assert issues_of(database) == []
    with database.read() as conn:
        stored = newsletters.by_slug(conn, "top-10")
    assert stored is not None
    assert stored.next_due_at == TUESDAY_SIX + DAY


def test_the_demo_makes_an_issue_of_what_is_followed_once(database, planned, oman):
    publish(database)
    publish(database, slug="unread")
    publish(database, slug="waits", approval="required")
    with database.write() as conn:
        subscribe(conn, "ada")
        three_stories(conn, oman)
    for expected in (1, 0):
        with database.write() as conn:
            assert newsletters.make_all_due(conn) == expected
        planned()
    assert [one.audience for one in issues_of(database)] == [1]


def test_an_issue_stays_at_its_wall_clock_time_when_a_zones_rules_change(database, monkeypatch):
    be(database, MONDAY)
    publish(database)
    publish(database, slug="round", timing="reader")
    hour_late = TUESDAY_SIX + HOUR
    with database.write() as conn:
        ada, ben = (reader(conn, timezone=zone) for zone in ("Europe/London", "Asia/Seoul"))
        for who, zone in ((ada, "Europe/London"), (ben, "Asia/Seoul")):
            fulfil(conn, who, [Follow(newsletter="round")], timezone=zone)
        conn.execute(sa.update(Newsletter).where(Newsletter.slug == "top-10").values(next_due_at=hour_late))
        mine = sa.update(Subscription).where(Subscription.subscriber_id == ada)
        conn.execute(mine.values(next_due_at=hour_late))
        theirs = conn.execute(sa.select(Subscription.next_due_at).where(Subscription.subscriber_id == ben)).scalar_one()
    assert run_zones.review_zones(database) == 0  # seen for the first time
    prints = {"Europe/London": "other rules"}
    true = run_zones.print_of
    monkeypatch.setattr(run_zones, "print_of", lambda zone: prints.get(zone) or true(zone))
    assert run_zones.review_zones(database) == 2
    assert run_zones.review_zones(database) == 0
    with database.read() as conn:
        stored = newsletters.by_slug(conn, "top-10")
        due = dict(conn.execute(sa.select(Subscription.subscriber_id, Subscription.next_due_at)).all())
    assert stored is not None
    assert (stored.next_due_at, due) == (TUESDAY_SIX, {ada: TUESDAY_SIX, ben: theirs})


def test_quiet_hours_go_with_the_copy(database, planned, oman):
    publish(database)
    with database.write() as conn:
        subscribe(conn, "ada", quiet_from="22:00", quiet_to="08:00")
        three_stories(conn, oman)
    be(database, TUESDAY_SIX + MINUTE)
    planned()
    with database.read() as conn:
        [row] = deliveries_of(conn)
    assert (row.quiet_at, row.quiet_until) == (
        TUESDAY_SIX.replace(hour=22, minute=0) - DAY,
        TUESDAY_SIX.replace(hour=8, minute=0),
    )

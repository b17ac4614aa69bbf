"""Mutes: what a reader has silenced comes in no mail, then or later; what they have not comes as ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import breaking, follow, news, reader, set_clock, time_of, topic
from tests.databases import SqliteTemplate, opened
from tests.integration.planning.conftest import POLICY
from tests.integration.planning.looks import alerts, owing, told
from tests.integration.planning.test_alert_terms import quiet_for
from tests.integration.planning.test_newsletters import MONDAY, TUESDAY_SIX, be, publish, subscribe
from tests.integration.planning.test_rolling import HALF_AN_HOUR, RULES, summed_up
from worker.model import Cadence, EditionKind, Lapse, Owing, Severity, StoryId, SubscriberId, SubscriptionId
from worker.planning.run import plan
from worker.planning.run_letting_go import let_go
from worker.planning.run_simulate import run_due
from worker.store import editing, mutes, omissions
from worker.store.database import Database, now
from worker.store.schema import OwedStory, StoryMute, Subscription

DAY, HOUR, WEEK = timedelta(days=1), timedelta(hours=1), timedelta(days=7)
GATHER = timedelta(seconds=1)
PATIENT = replace(POLICY, digest_expires=3 * DAY)  # no run is too old here


@pytest.fixture
def planned(database):
    """Plan whatever is due now."""
    return lambda: plan(database, PATIENT)


def mute_topic(database: Database, subscription: SubscriptionId, length: timedelta = WEEK) -> None:
    with database.write() as conn:
        mutes.mute_topic(conn, subscription, until=now(conn) + length)


def mute_story(database: Database, reader_id: SubscriberId, story: StoryId, length: timedelta = WEEK) -> None:
    with database.write() as conn:
        mutes.mute_story(conn, reader_id, story, until=now(conn) + length)


def digests(database: Database) -> list[tuple[int, tuple[int, ...]]]:
    return [(one, content.stories()) for one, content in told(database, EditionKind.DIGEST)]


@pytest.fixture
def immediate(database):
    """Ada and Bo follow a topic as it comes; the numbers are (topic, Ada, Bo, Ada's subscription)."""
    with database.write() as conn:
        russia = topic(conn, "russia", en="Russia")
        ada, bo = reader(conn), reader(conn)
        hers = follow(conn, ada, russia)
        follow(conn, bo, russia)
    return russia, ada, bo, hers


@pytest.fixture
def daily(database):
    """Ada follows two topics day by day, due in an hour: (russia, oman, Ada, her two subscriptions)."""
    with database.write() as conn:
        russia, oman = topic(conn, "russia", en="Russia"), topic(conn, "oman", en="Oman")
        ada = reader(conn)
        due_at = now(conn) + HOUR
        both = [follow(conn, ada, one, cadence=Cadence.DAILY, due_at=due_at) for one in (russia, oman)]
    return russia, oman, ada, both


# Topics --------------------------------------------------------------------------------------------------------------


def test_a_muted_topic_alerts_nobody_who_muted_it_breaking_or_not(database, planned, immediate):
    russia, _, bo, hers = immediate
    mute_topic(database, hers)
    with database.write() as conn:
        breaking(conn, russia)
        breaking(conn, russia, title="Quake", severity=Severity.BREAKING)
    assert planned().deliveries == 2
    assert {one for one, _ in alerts(database)} == {bo}
    assert owing(database) == {}


def test_after_a_mute_alerts_come_again_but_not_for_what_came_in_it(database, planned, immediate):
    russia, ada, _, hers = immediate
    mute_topic(database, hers, HOUR)
    with database.write() as conn:
        news(conn, russia, title="In the mute", alert_in=2 * HOUR)
    set_clock(database, ahead=HOUR + timedelta(minutes=1))
    with database.write() as conn:
        after = breaking(conn, russia, title="After it")
    planned()
    set_clock(database, ahead=3 * HOUR)
    planned()
    assert [content.card.story_id for one, content in alerts(database) if one == ada] == [after]


def test_what_an_editor_makes_new_after_a_mute_is_news(database, planned, immediate):
    russia, ada, _, hers = immediate
    mute_topic(database, hers, HOUR)
    with database.write() as conn:
        story = breaking(conn, russia)
    planned()
    set_clock(database, ahead=2 * HOUR)
    with database.write() as conn:
        editing.update_materially(conn, story, "There is a deal.", gather=timedelta(0))
    planned()
    assert [content.card.story_id for one, content in alerts(database) if one == ada] == [story]


def test_a_story_of_a_muted_topic_comes_by_another_one_that_is_followed(database, planned, immediate):
    russia, ada, _, hers = immediate
    with database.write() as conn:
        korea = topic(conn, "korea")
        follow(conn, ada, korea)
    mute_topic(database, hers)
    with database.write() as conn:
        breaking(conn, russia, korea)
    planned()
    ((_, content),) = [one for one in alerts(database) if one[0] == ada]
    assert [reason.topic for reason in content.card.reasons] == ["korea"]


def test_a_digest_leaves_a_muted_topic_out_and_does_not_bring_it_later(database, planned, daily):
    russia, oman, ada, (of_russia, _) = daily
    with database.write() as conn:
        news(conn, russia, title="Before the mute")
        heard = news(conn, oman, title="Of Oman")
    mute_topic(database, of_russia, 30 * HOUR)
    with database.write() as conn:
        news(conn, russia, title="In the mute")
    set_clock(database, ahead=HOUR + timedelta(minutes=1))
    planned()
    assert digests(database) == [(ada, (heard,))]
    set_clock(database, ahead=29 * HOUR)
    with database.write() as conn:
        news(conn, russia, title="Late in the mute")
    set_clock(database, ahead=31 * HOUR)
    with database.write() as conn:
        after = news(conn, russia, title="After the mute")
    set_clock(database, ahead=50 * HOUR)
    planned()
    assert digests(database)[1:] == [(ada, (after,))]


def test_an_update_of_an_earlier_story_does_not_swallow_what_came_after_a_mute(database, planned, daily):
    russia, _, ada, (of_russia, _) = daily
    with database.write() as conn:
        early = news(conn, russia, title="In the mute")
    mute_topic(database, of_russia, timedelta(minutes=10))
    set_clock(database, ahead=timedelta(minutes=20))
    with database.write() as conn:
        after = news(conn, russia, title="After the mute")
        editing.update_materially(conn, early, "There is a deal.", gather=GATHER)
    set_clock(database, ahead=2 * HOUR)
    planned()
    assert [(one, set(stories)) for one, stories in digests(database)] == [(ada, {early, after})]


def test_a_summary_leaves_a_muted_topic_out(database):
    with database.write() as conn:
        russia = topic(conn, "russia", en="Russia")
        ada, bo = reader(conn), reader(conn)
        hers = follow(conn, ada, russia)
        follow(conn, bo, russia)
        stories = [breaking(conn, russia, title=f"News {number}") for number in range(4)]
    plan(database, RULES)
    mute_topic(database, hers)
    set_clock(database, ahead=HALF_AN_HOUR)
    plan(database, RULES)
    assert [(one, sorted(shown)) for one, shown in summed_up(database)] == [(bo, stories[2:])]


@pytest.mark.parametrize("how", ["topic", "story"])
def test_what_a_reader_was_owed_is_let_go_with_its_reason(database, planned, how):
    quiet: dict[str, Any] = {**quiet_for(database, 2)}
    with database.write() as conn:
        russia = topic(conn, "russia")
        ada = reader(conn, **quiet)
        hers = follow(conn, ada, russia)
        story = breaking(conn, russia)
    planned()
    assert owing(database) == {(ada, story): Owing.QUIET}
    if how == "topic":
        mute_topic(database, hers)
    else:
        mute_story(database, ada, story)
    set_clock(database, ahead=3 * HOUR)
    assert planned().deliveries == 0
    assert owing(database) == {}
    with database.read() as conn:
        ((_, lapse),) = omissions.of(conn, ada)
        assert (lapse.why, lapse.stories) == (Lapse.MUTED, [story])


def test_a_digest_does_not_take_along_what_was_muted_since_it_was_owed(database, planned, daily):
    russia, oman, ada, (of_russia, _) = daily
    with database.write() as conn:
        owed, both = news(conn, russia, title="Owed"), news(conn, russia, oman, title="Owed for both")
        at = now(conn)
        values = {"subscriber_id": ada, "why": Owing.EXPIRED, "owed_at": at, "due_at": at + DAY}
        conn.execute(sa.insert(OwedStory), [{**values, "story_id": story} for story in (owed, both)])
    mute_topic(database, of_russia)
    set_clock(database, ahead=2 * HOUR)
    planned()
    assert digests(database) == [(ada, (both,))]
    assert owing(database) == {}


# Stories -------------------------------------------------------------------------------------------------------------


def test_a_muted_story_comes_in_no_alert_and_no_update_of_it_does(database, planned, immediate):
    russia, ada, bo, _ = immediate
    with database.write() as conn:
        story = news(conn, russia, alert_in=timedelta(minutes=1))
    mute_story(database, ada, story)
    set_clock(database, ahead=timedelta(minutes=2))
    planned()
    with database.write() as conn:
        editing.update_materially(conn, story, "There is a deal.", gather=timedelta(0))
    planned()
    assert {one for one, _ in alerts(database)} == {bo}
    assert owing(database) == {}


def test_a_digest_leaves_a_muted_story_out(database, planned, daily):
    russia, _, ada, _ = daily
    with database.write() as conn:
        unwanted, wanted = news(conn, russia, title="Unwanted"), news(conn, russia, title="Wanted")
    mute_story(database, ada, unwanted)
    set_clock(database, ahead=2 * HOUR)
    planned()
    assert digests(database) == [(ada, (wanted,))]


def test_a_story_whose_mute_is_over_is_news_again_once_it_is_updated(database, planned, daily):
    russia, _, ada, _ = daily
    with database.write() as conn:
        story = news(conn, russia)
    mute_story(database, ada, story, 2 * HOUR)
    set_clock(database, ahead=90 * timedelta(minutes=1))
    assert planned().deliveries == 0
    set_clock(database, ahead=3 * HOUR)
    with database.write() as conn:
        editing.update_materially(conn, story, "There is a deal.", gather=GATHER)
    set_clock(database, ahead=26 * HOUR)
    planned()
    assert digests(database) == [(ada, (story,))]


def test_a_newsletter_leaves_a_muted_story_out_and_takes_the_next(database):
    be(database, MONDAY)
    with database.write() as conn:
        oman = topic(conn, "oman")
    publish(database)
    with database.write() as conn:
        ada, bo = subscribe(conn, "ada"), subscribe(conn, "bo")
        stories = [news(conn, oman, title=f"News {number}", outlet=f"Paper {number}") for number in range(5)]
    mute_story(database, ada, stories[4], WEEK)
    be(database, TUESDAY_SIX + timedelta(minutes=1))
    plan(database, PATIENT)
    shown = {one: set(content.stories()) for one, content in told(database, EditionKind.NEWSLETTER)}
    assert stories[4] in shown[bo]
    assert stories[4] not in shown[ada]
    assert len(shown[ada]) == len(shown[bo]) == 3


# The last moment, and afterwards -------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_a_pass_does(database, planned, daily):
    russia, oman, ada, (of_russia, _) = daily
    with database.write() as conn:
        news(conn, russia)
        unwanted, wanted = news(conn, oman, title="Unwanted"), news(conn, oman, title="Wanted")
    mute_topic(database, of_russia)
    mute_story(database, ada, unwanted)
    set_clock(database, ahead=2 * HOUR)
    (line,) = [one for runs in run_due(database, PATIENT) for one in runs if one.send]
    assert line.stories == (wanted,)
    planned()
    assert digests(database) == [(ada, (wanted,))]


def test_upkeep_forgets_mutes_that_have_long_been_over(database, daily):
    russia, _, ada, (of_russia, of_oman) = daily
    with database.write() as conn:
        old, new = news(conn, russia), news(conn, russia)
    mute_topic(database, of_russia, HOUR)
    mute_story(database, ada, old, HOUR)
    mute_topic(database, of_oman, 40 * DAY)
    mute_story(database, ada, new, 40 * DAY)
    set_clock(database, ahead=38 * DAY)
    let_go(database)
    with database.read() as conn:
        assert list(conn.execute(sa.select(StoryMute.story_id)).scalars()) == [new]
        muted = sa.select(Subscription.id).where(Subscription.muted_until.is_not(None))
        assert list(conn.execute(muted).scalars()) == [of_oman]


# Any order -----------------------------------------------------------------------------------------------------------

TOPICS = ("russia", "oman")
ACTS = st.one_of(
    st.tuples(st.just("news"), st.sampled_from([(0,), (1,), (0, 1)])),
    st.tuples(st.just("mute"), st.tuples(st.sampled_from([0, 1]), st.integers(1, 60))),
    st.tuples(st.just("hush"), st.tuples(st.integers(0, 5), st.integers(1, 60))),
    st.tuples(st.just("hours"), st.integers(1, 30)),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return SqliteTemplate(tmp_path_factory.mktemp("template"))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(acts=st.lists(ACTS, min_size=3, max_size=12))
def test_in_any_order_all_but_what_was_muted_is_told_once(template, tmp_path_factory, acts):
    """A reader of two topics is told each story once, unless it, or all of its topics, were muted when it came."""
    with opened(template.copy(tmp_path_factory.mktemp("mutes") / "any.db")) as database:
        at = MONDAY
        be(database, at)
        with database.write() as conn:
            topics = [topic(conn, slug) for slug in TOPICS]
            ada, due_at = reader(conn), MONDAY + DAY  # at noon
            ours = [follow(conn, ada, one, cadence=Cadence.DAILY, times=("12:00",), due_at=due_at) for one in topics]
        muted: dict[int, datetime] = {}
        hushed: dict[StoryId, datetime] = {}
        waiting: dict[StoryId, tuple[datetime, tuple[int, ...]]] = {}
        expected: set[StoryId] = set()
        for act, what in [*acts, ("hours", 24)]:
            at += timedelta(minutes=1)
            be(database, at)
            if act == "news":
                with database.write() as conn:
                    waiting[news(conn, *(topics[one] for one in what))] = (now(conn), what)
            elif act == "hush":
                if waiting:
                    story = sorted(waiting)[what[0] % len(waiting)]
                    mute_story(database, ada, story, what[1] * HOUR)
                    hushed[story] = time_of(database) + what[1] * HOUR
            elif act == "mute":
                mute_topic(database, ours[what[0]], what[1] * HOUR)
                muted[what[0]] = time_of(database) + what[1] * HOUR
            else:
                at += what * HOUR
                be(database, at)
                plan(database, PATIENT)
                if at >= due_at:
                    due_at += ((at - due_at) // DAY + 1) * DAY
                    for story, (came, about) in waiting.items():
                        is_hushed = story in hushed and hushed[story] > time_of(database)
                        if not is_hushed and any(one not in muted or came > muted[one] for one in about):
                            expected.add(story)
                    waiting = {}
        shown = [story for _, stories in digests(database) for story in stories]
        assert len(shown) == len(set(shown))
        assert set(shown) == expected

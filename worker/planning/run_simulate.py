"""Tells what would be sent to whom over a span of time, sending and changing nothing: reads the world, then simulates.

A span that begins in the past is played from a clean slate: with today's subscriptions, as if each of their readers had
been shown all that came before their last run. One that begins now or later goes on from how things stand. Called by
the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from worker.model import Approval, Severity, StoryId, SubscriberId, SubscriberStatus, Timing, TopicId
from worker.planning.bursts import Burst
from worker.planning.decide_newsletter import Selection
from worker.planning.issues import Issues, Letter
from worker.planning.news import News, StoryFacts
from worker.planning.rules import Quiet, ReaderTerms, Rules
from worker.planning.run_due_issues import DueIssues
from worker.planning.run_news import by_topic, sum_up
from worker.planning.simulate import simulate
from worker.planning.world import Simulated, Simulatee, Span, Subscribed, World
from worker.store import seen, worlds
from worker.store.database import Database, now

_PAGE: Final = 1000
_LOOK_BACK: Final = seen.SEEN_FOR
_A_LONG_DAY: Final = timedelta(hours=26)
_NONE: Final[Mapping[StoryId, StoryFacts]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Beginning:
    """Where a span begins: from how things stand, or from a clean slate."""

    at: datetime
    is_now: bool


def run_simulate(
    database: Database, rules: Rules, *, start: datetime, end: datetime, only: SubscriberId | None = None
) -> Iterator[list[Simulated]]:
    """Yield all runs of a span (`end` not included) by reader, in order of their numbers; memory holds a page of them.

    Readers who have confirmed and have an address are simulated, whether they follow anything or not.
    """
    span = Span(start=start, end=end)
    with database.read() as conn:
        beginning = _Beginning(at=start, is_now=start >= now(conn))
        world = _world(conn, rules, span, beginning)
        issues = Issues(world, span).of(_letters(conn, world, beginning), rules)
        yield from simulate(_readers(conn, world, beginning, only=only), world, rules, span, issues=issues)


def run_due(database: Database, rules: Rules, *, at: datetime | None = None) -> Iterator[list[Simulated]]:
    """Yield what planning would make of all that is due at a time, now when none is given: a pass that writes nothing.

    The time may be past: things stand as they do now.
    """
    with database.read() as conn:
        at = at or now(conn)
        beginning = _Beginning(at=at, is_now=True)
        span = Span(start=at, end=at + timedelta(microseconds=1))
        due = DueIssues(conn, rules, at=at)
        world = _world(conn, rules, span, beginning, also=due.stories)
        yield from simulate(_readers(conn, world, beginning, only=None), world, rules, span, issues=due.of)


def _world(
    conn: Connection, rules: Rules, span: Span, beginning: _Beginning, *, also: Mapping[StoryId, StoryFacts] = _NONE
) -> World:
    """Read the news of a span, and with it stories that editors may have chosen from further back."""
    since, until = span.start - _LOOK_BACK, span.end
    found = worlds.pairs(conn, since=since, until=until)
    strengths = worlds.strengths(conn, since=since, until=until)
    news = News(
        stories={**also, **sum_up(worlds.told(conn, since=since, until=until))},
        pairs=by_topic(found),
        strengths={(one.story_id, one.topic_id): one.strength for one in strengths},
    )
    if beginning.is_now:
        alerts = {(one.story_id, one.topic_id): one.alert_due_at for one in found if one.alert_due_at is not None}
        bursts = {
            topic: Burst(opened_at=first, summary_due_at=due) for topic, (first, due) in worlds.bursts(conn).items()
        }
        waiting = {(one.story_id, one.topic_id) for one in found if one.rolls}
        alerted: dict[TopicId, list[datetime]] = {}
        for topic, at in sorted((one.topic_id, one.alerted_at) for one in found if one.alerted_at is not None):
            alerted.setdefault(topic, []).append(at)
        return World(
            news, alerts=alerts, names=worlds.topic_names(conn), bursts=bursts, waiting=waiting, alerted=alerted
        )
    never = {(one.story_id, one.topic_id) for one in found if one.alert_due_at is None and one.alerted_at is None}
    alerts = _past_alerts(news, [one for one in strengths if (one.story_id, one.topic_id) not in never], rules)
    return World(
        news,
        alerts={pair: due_at for pair, due_at in alerts.items() if due_at >= span.start},
        names=worlds.topic_names(conn),
    )


def _letters(conn: Connection, world: World, beginning: _Beginning) -> dict[str, Letter]:
    """Return the newsletters by slug: on a clean slate they have come out for long."""
    topics = {slug: topic for topic, slug in world.names.items()}
    letters = {}
    for one in worlds.newsletters(conn):
        long_ago = (beginning.at - _LOOK_BACK).date()
        starts_on = one.starts_on or long_ago
        named = one.selection.get("topics") or sorted(topics)
        letters[one.slug] = Letter(
            slug=one.slug,
            schedule=one.schedule,
            starts_on=starts_on if beginning.is_now else min(starts_on, long_ago),
            timezone=one.timezone,
            by_readers=one.timing is Timing.READER,
            needs_approval=one.approval is Approval.REQUIRED,
            selection=Selection(
                topics=tuple(topics[slug] for slug in named if slug in topics),
                sections=tuple(one.selection.get("sections", ())),
                sources=tuple(one.selection.get("sources", ())),
                minimum=one.selection.get("minimum", 1),
                maximum=one.selection.get("maximum", 10),
                locale=one.locale,
            ),
        )
    return letters


def _past_alerts(news: News, strengths: list[worlds.Strength], rules: Rules) -> dict[tuple[StoryId, TopicId], datetime]:
    """Return when pairs that did alert were due to: their rows have forgotten it."""
    matched = {(pair.story_id, topic): pair.matched_at for topic, pairs in news.pairs.items() for pair in pairs}
    due: dict[tuple[StoryId, TopicId], datetime] = {}
    for one in strengths:
        pair = (one.story_id, one.topic_id)
        if one.may_alert_since is not None and one.story_id in news.stories:
            breaking = news.stories[one.story_id].severity is Severity.BREAKING
            due[pair] = max(matched[pair], one.may_alert_since) + (timedelta(0) if breaking else rules.gather)
    return due


def _readers(
    conn: Connection, world: World, beginning: _Beginning, *, only: SubscriberId | None
) -> Iterator[Simulatee]:
    last = SubscriberId(0)
    while page := worlds.readers(conn, after=last, limit=_PAGE, only=only):
        first, last = page[0][0].id, page[-1][0].id
        standing = _Standing(conn, world, beginning, first, last)
        for row, followed in page:
            yield standing.simulatee(row, followed)


class _Standing:
    """How the readers of a page stand: nothing has been sent to them yet on a clean slate."""

    def __init__(
        self, conn: Connection, world: World, beginning: _Beginning, first: SubscriberId, last: SubscriberId
    ) -> None:
        self._is_now = beginning.is_now
        self._letters = worlds.letters_of(conn, first, last)
        self._seen: dict[SubscriberId, dict[StoryId, int]] = {}
        self._owed = worlds.owed(conn, first, last, at=beginning.at) if beginning.is_now else {}
        self._alerted: dict[SubscriberId, list[datetime]] = {}
        if beginning.is_now:
            at, stories = beginning.at, list(world.news.stories)
            self._seen = seen.of(conn, first, last, stories, since=at - _LOOK_BACK, at=at)
            self._alerted = worlds.alerted(conn, first, last, since=beginning.at - _A_LONG_DAY)

    def simulatee(self, row: worlds.ReaderRow, followed: list[worlds.FollowedTopic]) -> Simulatee:
        """Return a reader as the simulation takes one."""
        return Simulatee(
            email=row.email,
            terms=_terms(row),
            paused_until=row.paused_until,
            newsletters=tuple(self._letters.get(row.id, ())),
            letters_due=self._letters.get(row.id, {}),
            subscriptions=tuple(self._subscribed(one) for one in followed),
            seen=self._seen.get(row.id, {}),
            owed=self._owed.get(row.id, {}),
            alerted=tuple(self._alerted.get(row.id, ())),
            unreachable="the address is suppressed" if row.suppressed else "",
        )

    def _subscribed(self, one: worlds.FollowedTopic) -> Subscribed:
        return Subscribed(
            subscription_id=one.subscription_id,
            topic_id=one.topic_id,
            cadence=one.cadence,
            times=tuple(one.times),
            weekday=one.weekday,
            cursor=one.cursor if self._is_now else None,
            next_due_at=one.next_due_at if self._is_now else None,
        )


def _terms(row: worlds.ReaderRow) -> ReaderTerms:
    return ReaderTerms(
        subscriber_id=row.id,
        locale=row.locale,
        timezone=row.timezone,
        awake=row.status is SubscriberStatus.ACTIVE,
        quiet=Quiet.between(row.quiet_from, row.quiet_to),
        budget=row.alert_budget,
        floor=row.digest_floor,
        below_floor=row.below_floor,
        paused_at=row.paused_at,
    )

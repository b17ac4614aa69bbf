"""Serves a chunk of readers whose digests are due: decided once for all who follow and have seen alike.

Runs inside the caller's transaction, in the readers' turn, after they were claimed. Called by `run_digests`.
"""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from worker.facts import Copy
from worker.model import BelowFloor, Lapse, StoryId, SubscriberId, SubscriptionId, TopicId
from worker.planning.decide_away import missed_since
from worker.planning.decide_digest import DigestCase, DigestVerdict, Followed, decide_digest
from worker.planning.news import News
from worker.planning.quiet import next_quiet
from worker.planning.rules import Policy, Quiet, ReaderTerms
from worker.planning.run_news import Newsstand
from worker.planning.run_outlived import outlived
from worker.planning.run_press import Order, Press, Printed
from worker.planning.times import local_day
from worker.store import debtors, due, owed, seen
from worker.store.database import Database
from worker.store.due import Claim, DueRow
from worker.store.omissions import Omitted
from worker.store.runs import Run
from worker.store.seen import SEEN_FOR

_KEYS_KEPT: Final = 300_000  # distinct sets of topics, readings and terms; some 150 MB


@dataclass(kw_only=True, slots=True)
class Served:
    """What a chunk has led to: copies by locale, what floors and quiet hours keep back, what came, what never will."""

    copies: dict[str, list[Copy]] = field(default_factory=dict)
    kept_back: list[Claim] = field(default_factory=list)
    settled: list[tuple[SubscriberId, StoryId]] = field(default_factory=list)
    omitted: list[Omitted] = field(default_factory=list)
    back: list[SubscriberId] = field(default_factory=list)


@dataclass(slots=True)
class _Outcome:
    """What becomes of all readers who follow and have seen alike. `order` is what is to be printed for them still."""

    verdict: DigestVerdict
    order: Order | None
    unsaid: tuple[StoryId, ...] = ()
    printed: Printed | None = None


class _Decided(NamedTuple):
    """A reader's rows with what was decided."""

    rows: Sequence[DueRow]
    subscriptions: tuple[SubscriptionId, ...]
    outcome: _Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What is known of a chunk's readers."""

    seen: Mapping[SubscriberId, Mapping[StoryId, int]]
    owed: Mapping[SubscriberId, Mapping[StoryId, Any]]
    missed: Mapping[SubscriberId, Sequence[due.Missed]]
    follows: Mapping[SubscriberId, Sequence[debtors.Follows]]  # of those who are owed something: all they follow


class Desk:
    """Decides the digests of one run, a chunk at a time, and remembers what it has decided and made."""

    def __init__(self, database: Database, policy: Policy, run: Run) -> None:
        self._policy, self._run = policy, run
        self._stand, self._press = Newsstand(run.head_seq), Press(database)
        self._version = 0
        self._one_at_a_time = threading.Lock()
        self._outcomes: dict[tuple[Any, ...], _Outcome] = {}
        # What keys are made of: each object once, as there are hundreds of thousands of keys.
        self._places: dict[tuple[TopicId, int], tuple[TopicId, int]] = {}
        self._terms: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._days: dict[str, date] = {}

    def serve(self, conn: Connection, rows: Sequence[DueRow], *, at: datetime) -> Served:
        """Decide and make what these rows, all of each reader's that are due, lead to."""
        if not rows:
            return Served()
        with self._one_at_a_time:
            return self._serve(conn, rows, at=at)

    def _serve(self, conn: Connection, rows: Sequence[DueRow], *, at: datetime) -> Served:
        news, known = self._look(conn, rows, at)
        decided = [self._decide(list(mine), known, news, at=at) for _, mine in itertools.groupby(rows, key=_reader)]
        waiting = list({id(one.outcome): one.outcome for one in decided if one.outcome.order}.values())
        orders = [one.order for one in waiting if one.order]
        printed = self._press.print(conn, orders, news, own=self._stand.own)
        for outcome, made in zip(waiting, printed, strict=True):
            outcome.order, outcome.printed = None, made
        served = Served()
        for one in decided:
            self._settle(served, one, known, at=at)
        if served.back:
            back: dict[SubscriberId, dict[TopicId, int]] = {reader: {} for reader in served.back}
            for row in rows:
                if row.subscriber_id in back:
                    back[row.subscriber_id][row.topic_id] = row.cursor
            served.omitted += outlived(conn, back, at=at)
        for outcome in waiting:
            outcome.verdict = replace(outcome.verdict, layout=None)  # it is printed, and layouts are most of a memory
        return served

    def _look(self, conn: Connection, rows: Sequence[DueRow], at: datetime) -> tuple[News, _Known]:
        first, last = rows[0].subscriber_id, rows[-1].subscriber_id
        owing = owed.of(conn, first, last)
        if owing and owed.let_go_of_muted(conn, first, last, at=at):
            owing = owed.of(conn, first, last)
        back = sorted({row.subscriber_id for row in rows if row.is_back and row.awake})
        missed: dict[SubscriberId, list[due.Missed]] = {}
        for one in due.missed(conn, back) if back else ():
            missed.setdefault(one.subscriber_id, []).append(one)
        cursors = [row.cursor for row in rows if row.awake]
        least = min([*cursors, *(one.cursor for ones in missed.values() for one in ones)], default=self._run.head_seq)
        stories = {story for found in owing.values() for story in found}
        news = self._stand.news(conn, after=least, owed=stories, at=at)
        if self._stand.version != self._version:
            self._version = self._stand.version
            self._press.forget()
            self._outcomes.clear()
            self._places.clear()
        if len(self._outcomes) > _KEYS_KEPT:
            self._outcomes.clear()
        fresh = {pair.story_id for pairs in news.pairs.values() for pair in pairs if pair.seq > least}
        fresh &= news.stories.keys()
        oldest = min((news.stories[story].created_at for story in fresh), default=at)
        read = seen.of(conn, first, last, fresh, since=max(at - SEEN_FOR, oldest), at=at)
        follows = debtors.follows(conn, list(owing)) if owing else {}
        return news, _Known(seen=read, owed=owing, missed=missed, follows=follows)

    def _decide(self, rows: Sequence[DueRow], known: _Known, news: News, *, at: datetime) -> _Decided:
        first = rows[0]
        reader = first.subscriber_id
        missed = known.missed.get(reader, ())
        owing = tuple(known.owed.get(reader, ()))
        followed = [(row.topic_id, row.cursor) for row in rows]
        followed += [
            (one.topic_id, max(one.cursor, news.number_at(one.topic_id, self._since(one.paused_at)))) for one in missed
        ]
        also = _owing(known.follows.get(reader, ()), owing, news, besides={topic for topic, _ in followed})
        followed += [(one.topic_id, self._run.head_seq) for one in also]
        places = [self._place(news, topic, cursor) for topic, cursor in followed]
        alike = tuple(place for place in places if place[1] >= 0 or owing)
        outcome = self._outcome(first, alike, known.seen.get(reader), owing, news, at=at)
        layout = outcome.verdict.layout
        told = {topic for topics in layout.topics_of.values() for topic in topics} if also and layout else ()
        subscriptions = (
            *(row.subscription_id for row in rows),
            *(one.subscription_id for one in missed),
            *(one.subscription_id for one in also if one.topic_id in told),
        )
        return _Decided(rows, subscriptions, outcome)

    def _outcome(
        self,
        row: DueRow,
        alike: tuple[tuple[TopicId, int], ...],
        read: Mapping[StoryId, int] | None,
        owing: tuple[StoryId, ...],
        news: News,
        *,
        at: datetime,
    ) -> _Outcome:
        """Decide, unless it was decided for somebody like this reader; what is one reader's own is not kept."""
        is_own = bool(owing) or row.is_back or not self._stand.own.isdisjoint(topic for topic, _ in alike)
        terms = (row.locale, row.timezone, row.awake, row.quiet_from, row.quiet_to, row.floor, row.below_floor)
        key = (self._terms.setdefault(terms, terms), alike, frozenset(read.items()) if read else None)
        if not is_own and (known := self._outcomes.get(key)) is not None:
            return known
        head = self._run.head_seq
        case = DigestCase(
            reader=_terms(row, back_since=at if row.is_back else None),
            followed=tuple(Followed(SubscriptionId(0), topic, seq if seq >= 0 else head) for topic, seq in alike),
            seen=read or {},
            owed=owing,
            due_at=self._run.due_at,
            head=head,
        )
        verdict = decide_digest(case, news, self._policy, at=at)
        unsaid = verdict.layout.unsaid if verdict.layout else ()
        outcome = _Outcome(verdict, self._order(row, verdict), unsaid)
        if not is_own:
            self._outcomes[key] = outcome
        return outcome

    def _since(self, paused_at: datetime) -> datetime:
        return missed_since(paused_at, self._policy)

    def _order(self, row: DueRow, verdict: DigestVerdict) -> Order | None:
        if verdict.layout is None:
            return None
        day = self._days.get(row.timezone)
        if day is None:
            day = self._days[row.timezone] = local_day(self._run.due_at, row.timezone)
        topics = {topic for shown in verdict.layout.topics_of.values() for topic in shown}
        owner = None if self._stand.own.isdisjoint(topics) else row.subscriber_id
        return Order(row.locale, day, verdict.layout, verdict.away, owner)

    def _place(self, news: News, topic: TopicId, cursor: int) -> tuple[TopicId, int]:
        """Return a topic with the number of its last pair that a cursor has passed, -1 for all: alike is equal."""
        known = self._places.get((topic, cursor))
        if known is None:
            pairs = news.pairs.get(topic, ())
            index = bisect_right(pairs, cursor, key=lambda pair: pair.seq)
            number = -1 if index == len(pairs) else (pairs[index - 1].seq if index else 0)
            known = self._places[topic, cursor] = (topic, number)
        return known

    def _settle(self, served: Served, one: _Decided, known: _Known, *, at: datetime) -> None:
        row, verdict, printed = one.rows[0], one.outcome.verdict, one.outcome.printed
        if printed is not None and row.recipient is not None:
            served.copies.setdefault(row.locale, []).append(_copy(row, one.subscriptions, printed, at=at))
        if verdict.hold_until is not None or (not verdict.cursor_moves and row.awake):
            served.kept_back += [Claim(mine.subscription_id, verdict.hold_until, mine.cursor) for mine in one.rows]
        if verdict.omitted:
            why = Lapse.AWAY if verdict.layout else Lapse.FLOOR
            served.omitted.append(Omitted(row.subscriber_id, why, verdict.omitted))
        if unsaid := [story for story in one.outcome.unsaid if story not in known.owed.get(row.subscriber_id, ())]:
            served.omitted.append(Omitted(row.subscriber_id, Lapse.ROOM, unsaid))
        if verdict.away:
            served.back.append(row.subscriber_id)
        if verdict.layout is not None and (owing := known.owed.get(row.subscriber_id)):
            gone = {*verdict.layout.topics_of, *verdict.omitted}  # what had no room stays owed
            served.settled += [(row.subscriber_id, story) for story in owing if story in gone]


def _owing(
    follows: Sequence[debtors.Follows], owing: Sequence[StoryId], news: News, *, besides: Collection[TopicId]
) -> list[debtors.Follows]:
    """Return the other subscriptions of a reader that what they are owed concerns: any digest takes it along."""
    return [
        one
        for one in follows
        if one.topic_id not in besides and any(news.is_told(story, one.topic_id) for story in owing)
    ]


def _reader(row: DueRow) -> SubscriberId:
    return row.subscriber_id


def _terms(row: DueRow, *, back_since: datetime | None = None) -> ReaderTerms:
    return ReaderTerms(
        subscriber_id=row.subscriber_id,
        locale=row.locale,
        timezone=row.timezone,
        awake=bool(row.awake),
        quiet=Quiet.between(row.quiet_from, row.quiet_to),
        floor=row.floor,
        below_floor=BelowFloor(row.below_floor),
        paused_at=back_since,
    )


def _copy(row: DueRow, subscriptions: tuple[SubscriptionId, ...], printed: Printed, *, at: datetime) -> Copy:
    span = next_quiet(_terms(row), at) if row.quiet_from else None
    assert row.recipient is not None  # noqa: S101  for mypy: nobody is awake without an address
    return Copy(
        subscriber_id=row.subscriber_id,
        recipient=row.recipient,
        content_id=printed.content_id,
        subscriptions=subscriptions,
        published_at=printed.published_at,
        seen_at=printed.seen_at,
        matched_at=printed.matched_at,
        quiet=(span.start, span.end) if span else None,
    )


def at_once(copies: Mapping[str, Iterable[Copy]]) -> list[tuple[str, list[Copy]]]:
    """Return copies by locale in an order that all planners share, so that none waits for another in a circle."""
    return [(locale, list(copies[locale])) for locale in sorted(copies)]

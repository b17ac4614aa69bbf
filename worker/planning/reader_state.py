"""How one reader stands while a span is simulated: what they have seen, are owed and are due, and where cursors are.

Pure; changes only itself, and decides nothing. Called by `simulate`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from worker.model import Cadence, StoryId
from worker.planning.decide_away import missed_since
from worker.planning.decide_digest import Followed
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.world import Simulatee, Span, Subscribed, World
from worker.schedule import next_due

_INSTANT: Final = timedelta(microseconds=1)
_LOOK_BACK: Final = {  # a run precedes any instant by no more
    Cadence.HOURLY: timedelta(hours=2),
    Cadence.DAILY: timedelta(days=2),
    Cadence.WEEKDAYS: timedelta(days=4),
    Cadence.WEEKLY: timedelta(days=8),
    Cadence.MONTHLY: timedelta(days=33),
}


class ReaderState:
    """One reader at a time of the span. Cursors and due instants are by subscription; `owed` says why, and until."""

    def __init__(self, reader: Simulatee, world: World, rules: Rules, span: Span) -> None:
        self.reader, self._world, self._rules, self._span = reader, world, rules, span
        self.seen, self.owed, self.alerted = dict(reader.seen), dict(reader.owed), list(reader.alerted)
        self.paused_at = reader.terms.paused_at
        self.immediate = [one for one in reader.subscriptions if one.cadence is Cadence.IMMEDIATE]
        self.due: dict[Subscribed, datetime] = {}
        self.cursors = {one: one.cursor or 0 for one in self.immediate}
        for one in reader.subscriptions:
            if one.cadence is not Cadence.IMMEDIATE:
                self.due[one], self.cursors[one] = self._beginning(one)

    @property
    def digests_due(self) -> tuple[datetime, ...]:
        """The next instants of the reader's digests."""
        return tuple(self.due.values())

    def terms(self, at: datetime) -> ReaderTerms:
        """Return what holds for the reader at a time: a pause that is over is still to be told of."""
        terms, until = self.reader.terms, self.reader.paused_until
        rests = until is not None and at < until and (terms.paused_at is None or at >= terms.paused_at)
        back = self.paused_at is not None and (until is None or at >= until)
        return replace(terms, awake=terms.awake and not rests, paused_at=self.paused_at if rests or back else None)

    def _beginning(self, one: Subscribed) -> tuple[datetime, int]:
        """Return when a subscription is due first, and what it has been shown by then."""
        due_at, cursor = one.next_due_at, one.cursor
        if due_at is None:
            due_at = self.following(one, after=self._span.start - _INSTANT)
        if cursor is None:
            last = self.following(one, after=self._span.start - _LOOK_BACK[one.cadence])
            while (following := self.following(one, after=last)) < self._span.start:
                last = following
            cursor = self._world.head_at(last) if last < self._span.start else 0
        return due_at, cursor

    def following(self, one: Subscribed, *, after: datetime) -> datetime:
        """Return when a scheduled subscription is due next."""
        zone = self.reader.terms.timezone
        due_at = next_due(one.cadence, times=one.times, weekday=one.weekday, timezone=zone, after=after)
        assert due_at is not None  # noqa: S101  none is immediate
        return due_at

    def missed(self, one: Subscribed, paused_at: datetime) -> int:
        """Return the number after which an immediate subscription may have missed something in a pause."""
        return max(self._world.head_at(missed_since(paused_at, self._rules)), self.cursors[one])

    def unseen(self, one: Subscribed, cursor: int, at: datetime) -> list[StoryId]:
        """Return the stories after a number that the reader has not seen."""
        found = self._world.news.after(one.topic_id, cursor, self._world.head_at(at))
        stories = self._world.news.stories
        return [story for story in found if self.seen.get(story, -1) < stories[story].update_no]

    def served(self, due: Collection[Subscribed], terms: ReaderTerms, *, at: datetime) -> tuple[Followed, ...]:
        """Return what a digest serves: what is due, what was missed in a pause, and what the reader is owed of."""
        followed = {one.topic_id: Followed(one.subscription_id, one.topic_id, self.cursors[one]) for one in due}
        if terms.paused_at is not None:
            for one in self.immediate:
                cursor = self.missed(one, terms.paused_at)
                followed.setdefault(one.topic_id, Followed(one.subscription_id, one.topic_id, cursor))
        for other in self.concerned(self.owed):
            followed.setdefault(other.topic_id, other._replace(cursor=self._world.head_at(at)))
        return tuple(sorted(followed.values()))

    def concerned(self, stories: Collection[StoryId]) -> list[Followed]:
        """Return the subscriptions whose topics some of the stories concern."""
        news = self._world.news
        return [
            Followed(one.subscription_id, one.topic_id, self.cursors[one])
            for one in self.reader.subscriptions
            if any(news.is_told(story, one.topic_id) for story in stories)
        ]

    def show(self, stories: Iterable[StoryId]) -> None:
        """Note that the reader has a mail with these stories: they are seen, and owed no more."""
        for story in stories:
            self.seen[story] = self._world.news.stories[story].update_no
            self.owed.pop(story, None)

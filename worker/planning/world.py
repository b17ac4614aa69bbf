"""The world that is simulated, as plain values: news with the times at which they came, and readers as they stand.

Decides nothing. `run_simulate` reads it from the store, tests make it up, `simulate` walks through it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Literal
from zoneinfo import ZoneInfo

from worker.model import Cadence, EditionKind, Owing, StoryId, SubscriptionId, TopicId
from worker.planning.bursts import Burst
from worker.planning.news import News
from worker.planning.rules import ReaderTerms


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From `start`, included, to `end`, not included. While the house is `down` (in order), nothing is planned."""

    start: datetime
    end: datetime
    down: tuple[tuple[datetime, datetime], ...] = ()

    def acts_at(self, due_at: datetime) -> datetime:
        """Return when a planner sees to what is due: at once, or once the house is up again."""
        at = max(due_at, self.start)
        for first, last in self.down:
            if first <= at < last:
                at = last
        return at


class World:
    """News, when its pairs are due to be alerted, and how topics are called in reasons.

    `bursts` are open when the span begins; of the `alerts`, those that are `waiting` have been put off to a summary.
    `alerted` has the times at which topics were alerted, or put off, before it begins, in order.
    """

    def __init__(
        self,
        news: News,
        *,
        alerts: Mapping[tuple[StoryId, TopicId], datetime],
        names: Mapping[TopicId, str] | None = None,
        bursts: Mapping[TopicId, Burst] | None = None,
        waiting: Collection[tuple[StoryId, TopicId]] = (),
        alerted: Mapping[TopicId, Sequence[datetime]] | None = None,
    ) -> None:
        self.news, self.alerts, self.names, self.bursts = news, alerts, names or {}, bursts or {}
        self.waiting, self.alerted = frozenset(waiting), alerted or {}
        self.numbers = {(pair.story_id, topic): pair.seq for topic, found in news.pairs.items() for pair in found}
        arrivals = sorted((pair.seq, pair.matched_at) for found in news.pairs.values() for pair in found)
        self._seqs = [seq for seq, _ in arrivals]
        self._times = list(accumulate((at for _, at in arrivals), max))  # numbers become visible in their own order

    def head_at(self, at: datetime) -> int:
        """Return the last number that has been given out by `at`, 0 before the first."""
        index = bisect_right(self._times, at)
        return self._seqs[index - 1] if index else 0

    def name(self, topic: TopicId) -> str:
        """Return how reasons call a topic."""
        return self.names.get(topic) or "an own query"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscribed:
    """One subscription to a topic. Without `cursor` it has been shown all that came before its last run.

    Without `next_due_at` it is due as its rhythm says.
    """

    subscription_id: SubscriptionId
    topic_id: TopicId
    cadence: Cadence
    times: tuple[str, ...] = ()
    weekday: int | None = None
    cursor: int | None = None
    next_due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulatee:
    """A reader. `terms.awake` is what holds but for the pause, which lasts from `terms.paused_at` to `paused_until`."""

    email: str
    terms: ReaderTerms
    subscriptions: tuple[Subscribed, ...]
    newsletters: tuple[str, ...] = ()  # slugs
    letters_due: Mapping[str, datetime | None] = field(default_factory=dict)  # of those that go by readers' clocks
    paused_until: datetime | None = None
    seen: Mapping[StoryId, int] = field(default_factory=dict)
    owed: Mapping[StoryId, tuple[Owing, datetime]] = field(default_factory=dict)
    alerted: tuple[datetime, ...] = ()
    unreachable: str = ""  # why no mail may go to the address, whatever is planned


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """One run for one reader: what it would send, or why nothing. `at` is when a planner sees to it.

    `omitted` will never come, `left_out` had no room, `owed` come later; `stories` are shown, in order.
    """

    email: str
    kind: EditionKind
    cadence: Cadence | Literal["newsletter"]
    scheduled_at: datetime
    at: datetime
    timezone: str
    stories: tuple[StoryId, ...] = ()
    send: bool
    reason: str
    omitted: tuple[StoryId, ...] = ()
    left_out: tuple[StoryId, ...] = ()
    owed: tuple[StoryId, ...] = ()
    breaking: bool = False

    @property
    def local(self) -> datetime:
        """When the run is due by the reader's clock, without its offset."""
        return self.scheduled_at.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)

"""Decides what is alerted when, whoever follows it: which pairs come due together, and which wait for a summary.

Pure. Called by the simulator, once for all readers; the planners find the same in the database, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from worker.model import StoryId, TopicId
from worker.planning.bursts import Burst, may_wait, step
from worker.planning.rules import Rules
from worker.planning.world import Span, World

_REMEMBERED = 64  # of a topic's latest alerts, as the planner reads


class Claim(NamedTuple):
    """A story that is alerted at once for all topics of it that are due: their numbers, and which of them burst."""

    at: datetime
    due_at: datetime
    story_id: StoryId
    topics: Mapping[TopicId, int]
    bursting: Mapping[TopicId, datetime]  # when their summary is due


class Summary(NamedTuple):
    """What waited for a summary, by topic, each in order of number."""

    at: datetime
    due_at: datetime
    rolled: Mapping[TopicId, tuple[StoryId, ...]]


class Timeline:
    """All alerts and summaries of a span, in order, and by topic."""

    def __init__(self, happenings: Sequence[Claim | Summary]) -> None:
        self._all = happenings
        self._of: dict[TopicId, list[int]] = {}
        for index, one in enumerate(happenings):
            for topic in one.topics if isinstance(one, Claim) else one.rolled:
                self._of.setdefault(topic, []).append(index)

    def of(self, topics: Sequence[TopicId]) -> list[Claim | Summary]:
        """Return what concerns one of the topics, each once, in order."""
        return [self._all[index] for index in sorted({index for topic in topics for index in self._of.get(topic, ())})]


def timeline(world: World, rules: Rules, span: Span) -> Timeline:
    """Go through a span's alerts in the order in which planners see to them, opening and closing bursts."""
    topics = _Topics(world, rules, span)
    happenings: list[Claim | Summary] = []
    for at, due_at, story, found in _groups(world, span):
        happenings += topics.summaries(before=at)
        happenings.append(topics.claim(at, due_at, story, found))
    happenings += topics.summaries(before=span.end)
    return Timeline(happenings)


def _groups(world: World, span: Span) -> Iterator[tuple[datetime, datetime, StoryId, dict[TopicId, int]]]:
    """Yield what is seen to at one time of one story, with the first instant at which it was due."""
    groups: dict[tuple[datetime, StoryId], list[tuple[datetime, TopicId]]] = {}
    for (story, topic), due_at in world.alerts.items():
        at = span.acts_at(due_at)
        if at < span.end and (story, topic) not in world.waiting and world.news.is_told(story, topic):
            groups.setdefault((at, story), []).append((due_at, topic))
    firsts = sorted((at, min(found)[0], story) for (at, story), found in groups.items())
    for at, due_at, story in firsts:
        numbers = {topic: world.numbers[story, topic] for _, topic in sorted(groups[at, story])}
        yield at, due_at, story, numbers


class _Topics:
    """Which topics burst, as time goes on."""

    def __init__(self, world: World, rules: Rules, span: Span) -> None:
        self._world, self._rules, self._span = world, rules, span
        self._bursts: dict[TopicId, Burst] = dict(world.bursts)
        self._alerted = {topic: list(times) for topic, times in world.alerted.items()}
        self._waiting: dict[TopicId, list[StoryId]] = {}
        for story, topic in sorted(world.waiting, key=lambda pair: world.numbers[pair]):
            due_at = world.alerts[story, topic]
            self._bursts.setdefault(topic, Burst(opened_at=due_at - rules.rolling, summary_due_at=due_at))
            self._waiting.setdefault(topic, []).append(story)

    def claim(self, at: datetime, due_at: datetime, story: StoryId, topics: Mapping[TopicId, int]) -> Claim:
        """Alert a story, or put it off to the summaries of those of its topics that burst."""
        waits = may_wait(self._world.news.stories[story], self._rules, due_at=due_at, at=at)
        bursting = {}
        for topic in topics:
            alerted = self._alerted.setdefault(topic, [])
            alerted.append(at)
            del alerted[: -max(_REMEMBERED, self._rules.burst_count + 1)]
            burst = (self._bursts.get(topic) or step(None, alerted, self._rules, at=at)) if waits else None
            if burst is not None:
                self._bursts[topic] = burst
                bursting[topic] = burst.summary_due_at
                self._waiting.setdefault(topic, []).append(story)
        return Claim(at, due_at, story, topics, bursting)

    def summaries(self, *, before: datetime) -> Iterator[Summary]:
        """Make the summaries that are seen to before an instant; bursts that have nothing to sum up are over."""
        while due := [one.summary_due_at for one in self._bursts.values()]:
            at = self._span.acts_at(min(due))
            if at >= before:
                return
            ready = {topic: one for topic, one in self._bursts.items() if one.summary_due_at <= at}
            rolled = {topic: tuple(self._waiting.pop(topic)) for topic in sorted(ready) if topic in self._waiting}
            if rolled:
                yield Summary(at, max(one.summary_due_at for one in ready.values()), rolled)
            for topic, one in ready.items():
                following = step(one, self._alerted.get(topic, ()), self._rules, at=at)
                if following is None:
                    del self._bursts[topic]
                else:
                    self._bursts[topic] = following

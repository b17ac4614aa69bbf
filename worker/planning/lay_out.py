"""Decides how a mail of several topics is laid out: where each story stands, in which order, and what is cut.

Pure: numbers only, no texts, since it is asked once for each distinct set of topics. Called by `decide_digest`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.model import StoryId, TopicId
from worker.planning.cards import is_foreign
from worker.planning.news import News


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Sections in order, none empty; `topics_of` names all topics of each story shown; `left_out` had no room.

    A story stands in one section, or is left out of one: `left_out` maps it to that section's topic.
    """

    sections: tuple[tuple[TopicId, tuple[StoryId, ...]], ...]
    topics_of: Mapping[StoryId, tuple[TopicId, ...]]
    left_out: Mapping[StoryId, TopicId]

    @property
    def stories(self) -> tuple[StoryId, ...]:
        """The stories shown, in order."""
        return tuple(story for _, stories in self.sections for story in stories)


def lay_out(
    fresh: Mapping[TopicId, Sequence[StoryId]],
    news: News,
    *,
    locale: str,
    at: datetime,  # noqa: ARG001  the run's instant: a story's age counts from it
    section_cap: int,
    mail_cap: int,
) -> Layout:
    """Lay fresh stories out in a section a topic, each story once, under the topic that it concerns most.

    Stories in the reader's own language come first, then by strength, then the newest; sections by their first story.
    In which order topics and stories are handed in makes no difference: readers of the same share a layout.
    """
    topics_of = _topics_of(fresh, news)
    shelves: dict[TopicId, list[StoryId]] = {}
    for story, topics in topics_of.items():
        home = max(topics, key=lambda topic: (news.strength(story, topic), -topic))
        shelves.setdefault(home, []).append(story)

    def rank(story: StoryId, topic: TopicId) -> tuple[bool, int, float, int]:
        facts = news.stories[story]
        foreign = is_foreign(facts.lang, locale)
        return (foreign, -news.strength(story, topic), -facts.published_at.timestamp(), -story)

    for topic, stories in shelves.items():
        stories.sort(key=lambda story: rank(story, topic))
    ordered = sorted(shelves.items(), key=lambda shelf: (rank(shelf[1][0], shelf[0]), shelf[0]))
    sections, left_out = _cut(ordered, section_cap=section_cap, mail_cap=mail_cap)
    shown = {story: topics_of[story] for _, stories in sections for story in stories}
    return Layout(sections=sections, topics_of=shown, left_out=left_out)


def _topics_of(fresh: Mapping[TopicId, Sequence[StoryId]], news: News) -> dict[StoryId, tuple[TopicId, ...]]:
    found: dict[StoryId, list[TopicId]] = {}
    for topic in sorted(fresh):
        for story in fresh[topic]:
            if news.is_told(story, topic):
                found.setdefault(story, []).append(topic)
    return {story: tuple(topics) for story, topics in found.items()}


def _cut(
    ordered: Sequence[tuple[TopicId, Sequence[StoryId]]], *, section_cap: int, mail_cap: int
) -> tuple[tuple[tuple[TopicId, tuple[StoryId, ...]], ...], dict[StoryId, TopicId]]:
    sections = []
    left_out = {}
    room = mail_cap
    for topic, stories in ordered:
        kept = min(section_cap, room)
        room -= len(stories[:kept])
        left_out.update(dict.fromkeys(stories[kept:], topic))
        if kept:
            sections.append((topic, tuple(stories[:kept])))
    return tuple(sections), left_out

"""Decides how a mail of several topics is laid out: where each story stands, in which order, and what is cut.

Pure: numbers only, no texts, since it is asked once for each distinct set of topics. Called by the deciders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.model import StoryId, TopicId
from worker.planning.news import News
from worker.planning.rank import Ranking, diversify


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

    @property
    def unsaid(self) -> tuple[StoryId, ...]:
        """Stories left out with their whole topic, of which the mail says nothing: others their sections count."""
        said = {topic for topic, _ in self.sections}
        return tuple(story for story, home in self.left_out.items() if home not in said)


def lay_out(
    fresh: Mapping[TopicId, Sequence[StoryId]],
    news: News,
    *,
    locale: str,
    at: datetime,
    section_cap: int,
    mail_cap: int,
) -> Layout:
    """Lay fresh stories out in a section a topic, each story once, under the topic that it concerns most.

    Within a section the best come first, and those like a better one count less; sections come by their first story.
    `at` is the run's instant, from which a story's age counts. In which order topics and stories are handed in makes no
    difference: readers of the same share a layout.
    """
    ranking = Ranking(news, locale=locale, at=at)
    topics_of = topics_told(fresh, news)
    shelves: dict[TopicId, list[StoryId]] = {}
    for story, topics in topics_of.items():
        shelves.setdefault(_home(story, topics, news), []).append(story)
    ranked = {
        topic: diversify([(ranking.score(story, topic), news.stories[story]) for story in stories])
        for topic, stories in shelves.items()
    }
    ordered = sorted(ranked.items(), key=lambda shelf: (-shelf[1][0][0], -shelf[1][0][1]))
    sections, left_out = _cut(
        [(topic, [story for _, story in found]) for topic, found in ordered], section_cap=section_cap, mail_cap=mail_cap
    )
    shown = {story: topics_of[story] for _, stories in sections for story in stories}
    return Layout(sections=sections, topics_of=shown, left_out=left_out)


def topics_told(fresh: Mapping[TopicId, Sequence[StoryId]], news: News) -> dict[StoryId, tuple[TopicId, ...]]:
    """Return each story that there is something to tell of, once, with those of the topics that it concerns."""
    found: dict[StoryId, list[TopicId]] = {}
    for topic in sorted(fresh):
        for story in fresh[topic]:
            if news.is_told(story, topic):
                found.setdefault(story, []).append(topic)
    return {story: tuple(topics) for story, topics in found.items()}


def _home(story: StoryId, topics: Sequence[TopicId], news: News) -> TopicId:
    return max(topics, key=lambda topic: (news.strength(story, topic), -topic)) if len(topics) > 1 else topics[0]


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

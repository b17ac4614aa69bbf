"""Small news and readers for the tests of planning's deciders."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from worker.model import StoryId, SubscriberId, TopicId
from worker.planning.news import News, Pair, StoryFacts
from worker.planning.rules import Quiet, ReaderTerms, Rules

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
RULES = Rules(alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12), section_cap=2, mail_cap=3)
NIGHT = Quiet(start=time(22), end=time(7, 30))


def reader(**values: Any) -> ReaderTerms:
    about: dict[str, Any] = {"subscriber_id": SubscriberId(1), "locale": "en", "timezone": "UTC", "awake": True}
    return ReaderTerms(**about | values)


def facts(story: int, *, hours: float = 0, **values: Any) -> StoryFacts:
    at = AT - timedelta(hours=hours)
    about: dict[str, Any] = {"story_id": StoryId(story), "created_at": at, "published_at": at}
    return StoryFacts(**about | values)


def news(stories: list[StoryFacts], strengths: dict[tuple[int, int], int]) -> News:
    """Return news in which a story's number is also that of its pairs."""
    topics = sorted({topic for _, topic in strengths})
    pairs = {
        TopicId(topic): tuple(Pair(story, StoryId(story), AT) for story, other in sorted(strengths) if other == topic)
        for topic in topics
    }
    strong = {(StoryId(story), TopicId(topic)): strength for (story, topic), strength in strengths.items()}
    return News(stories={one.story_id: one for one in stories}, pairs=pairs, strengths=strong)

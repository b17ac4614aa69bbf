"""What the store tells the deciding halves of rooms: rows as plain values, free of SQL.

Made by `store.agenda`, read by planning's pure modules. Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.model import Cadence, Severity, StoryId, SubscriberId, SubscriptionId, TopicId


@dataclass(frozen=True, kw_only=True, slots=True)
class DueStory:
    """A story whose gathering time is over, with the topics for which it is to be alerted and their numbers."""

    story_id: StoryId
    topics: dict[TopicId, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """One subscription of one reader who may be due something."""

    subscriber_id: SubscriberId
    recipient: str | None
    locale: str
    timezone: str
    awake: bool  # active, and not paused
    subscription_id: SubscriptionId
    topic_id: TopicId | None
    cadence: Cadence
    times: list[str]
    weekday: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """One article of a story: what a mail can say of it."""

    article_id: int
    story_id: StoryId
    revision: int
    title: str
    summary: str
    body: str
    url: str
    outlet: str
    house: bool
    lang: str
    author: str
    section: str
    severity: Severity
    published_at: datetime
    seen_at: datetime
    is_copy: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Concern:
    """Why one article concerns one topic."""

    article_id: int
    story_id: StoryId
    topic_id: TopicId
    slug: str | None
    names: dict[str, str]
    query: str
    strength: int
    evidence: list[dict[str, Any]]
    matched_at: datetime

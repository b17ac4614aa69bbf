"""What the store and the deciding halves of rooms tell each other: rows as plain values, free of SQL.

Decides nothing. The store makes the first five, planning the last two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.model import (
    Cadence,
    ContentId,
    EditionKind,
    Lane,
    RunId,
    Severity,
    StoryId,
    SubscriberId,
    SubscriptionId,
    TopicId,
)


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
class Asked:
    """A reader who waits for the question whether the sign-up was theirs. `question` counts them from 1."""

    subscriber_id: SubscriberId
    recipient: str
    locale: str
    question: int


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


@dataclass(frozen=True, kw_only=True, slots=True)
class EditionPlan:
    """What one run is: `kind`, `slot` and `locale` together name it for ever."""

    kind: EditionKind
    slot: str
    locale: str
    lane: Lane
    severity: Severity = Severity.NORMAL
    due_at: datetime
    expires_at: datetime
    story_id: StoryId | None = None  # an alert's
    run_id: RunId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One reader's copy, as planned. The times tell how long the news was under way."""

    subscriber_id: SubscriberId
    recipient: str
    content_id: ContentId
    subscriptions: tuple[SubscriptionId, ...]
    published_at: datetime | None = None
    seen_at: datetime | None = None
    matched_at: datetime | None = None
    in_reply_to: str = ""  # the Message-ID, without angle brackets, of what it is an update of
    quiet: tuple[datetime, datetime] | None = None  # the reader's next quiet hours, unless it is breaking

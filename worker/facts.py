"""What the store and the deciding halves of rooms tell each other: rows as plain values, free of SQL.

Decides nothing. Planning makes `EditionPlan` and `Copy`, the store all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from worker.model import (
    Approval,
    Cadence,
    ContentId,
    EditionId,
    EditionKind,
    EditionStatus,
    Lane,
    LetterKind,
    Picture,
    RunId,
    Severity,
    StoryId,
    SubscriberId,
    SubscriptionId,
    Timing,
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
class DueLetter:
    """A letter about a reader's own business that waits to be written. `recipient` is None for who is forgotten."""

    id: int
    kind: LetterKind
    subscriber_id: SubscriberId
    recipient: str | None
    locale: str
    asked_at: datetime
    before: dict[str, Any] | None = None  # what the reader had chosen before a change; `worker.content.Choices`


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
    image: Picture | None = None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredNewsletter:
    """A newsletter as planning sees it. `starts_on` is None for one that nobody has scheduled yet."""

    id: int
    slug: str
    name: str
    sender_name: str
    sender_address: str
    locale: str
    timezone: str
    schedule: str
    selection: dict[str, Any]
    timing: Timing
    approval: Approval
    lead_s: int
    starts_on: date | None
    next_due_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferedNewsletter:
    """A newsletter as readers choose it. `next_due_at` is None for one that nobody has scheduled yet."""

    slug: str
    name: str
    description: str
    locale: str
    timezone: str
    schedule: str
    timing: Timing
    next_due_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """One issue, with what its editors chose; `ranking` is empty until it is frozen."""

    id: EditionId
    slot: str
    newsletter_id: int
    status: EditionStatus
    reason: str
    due_at: datetime
    expires_at: datetime
    choices: dict[str, Any]
    ranking: list[StoryId]
    approved_by: str
    approved_at: datetime | None
    planned_at: datetime | None = None  # when the last of its readers joined; None: nobody gets it yet

    @property
    def is_waiting(self) -> bool:
        """Tell whether it is a draft still, be it one that its preflight holds."""
        is_held = self.status is EditionStatus.HELD and self.planned_at is None
        return self.status is EditionStatus.DRAFT or is_held


class Mending(NamedTuple):
    """A correction of an article, up to a revision of it, as whoever reads an old mail should know of it."""

    story_id: StoryId
    article_id: int
    faulty_upto: int
    note: str
    retracts: bool
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsletterReader:
    """A reader whose subscription to a newsletter runs."""

    subscriber_id: SubscriberId
    subscription_id: SubscriptionId
    recipient: str | None
    timezone: str
    awake: bool
    quiet_from: str | None  # local, "22:00"; both or neither
    quiet_to: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptVersion:
    """A version of an article that is stored. `state_hash` is "" where nobody has noted it."""

    revision: int
    state_hash: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Had:
    """What is stored of a source: how many articles, the earliest and the latest by publication."""

    articles: int
    first_at: datetime | None = None
    newest_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """An article in one revision. `changed` and `material` are None where nobody has noted them."""

    revision: int
    recorded_at: datetime
    reason: str
    changed: list[str] | None
    material: bool | None
    title: str
    summary: str
    body: str

"""All tables, gathered, so that `Base.metadata` is whole for migrations and tests."""

from worker.store.schema.articles import (
    Article,
    ArticleBand,
    ArticleVersion,
    PictureAddress,
    Source,
    SourceHealth,
    Story,
)
from worker.store.schema.base import Base
from worker.store.schema.editions import (
    UNRETURNED,
    UNSETTLED,
    ArchivedIssue,
    Attempt,
    ContentStory,
    Delivery,
    DeliveryBatch,
    Edition,
    EditionContent,
)
from worker.store.schema.guarding import Asking
from worker.store.schema.house import ApiKey, Audit, Counter, Event, Heartbeat, Installation, Request
from worker.store.schema.looks import Look
from worker.store.schema.measuring import Measurement
from worker.store.schema.people import (
    Newsletter,
    OwnLetter,
    StoryMute,
    Subscriber,
    Subscription,
    Suppression,
    TokenUse,
)
from worker.store.schema.planning import (
    Burst,
    Correction,
    EditionDraft,
    Omission,
    OwedStory,
    PlanningRun,
    StoryCard,
)
from worker.store.schema.preflights import Preflight
from worker.store.schema.stories import StoryReading
from worker.store.schema.terms import ArticleTerms, Term, TermStem
from worker.store.schema.topics import Match, Topic, TopicStory
from worker.store.schema.ways import Allowance, Breaker, Throttle
from worker.store.schema.webhooks import WebhookEndpoint, WebhookMessage
from worker.store.schema.websub import HubPush, HubSubscription

__all__ = [
    "UNRETURNED",
    "UNSETTLED",
    "Allowance",
    "ApiKey",
    "ArchivedIssue",
    "Article",
    "ArticleBand",
    "ArticleTerms",
    "ArticleVersion",
    "Asking",
    "Attempt",
    "Audit",
    "Base",
    "Breaker",
    "Burst",
    "ContentStory",
    "Correction",
    "Counter",
    "Delivery",
    "DeliveryBatch",
    "Edition",
    "EditionContent",
    "EditionDraft",
    "Event",
    "Heartbeat",
    "HubPush",
    "HubSubscription",
    "Installation",
    "Look",
    "Match",
    "Measurement",
    "Newsletter",
    "Omission",
    "OwedStory",
    "OwnLetter",
    "PictureAddress",
    "PlanningRun",
    "Preflight",
    "Request",
    "Source",
    "SourceHealth",
    "Story",
    "StoryCard",
    "StoryMute",
    "StoryReading",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Term",
    "TermStem",
    "Throttle",
    "TokenUse",
    "Topic",
    "TopicStory",
    "WebhookEndpoint",
    "WebhookMessage",
]

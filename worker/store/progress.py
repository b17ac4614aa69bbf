"""The statements that tell how far the house has come: what the demo waits for, and what its summary says.

Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import OPEN, State
from worker.model import Approval, EditionStatus
from worker.store.schema import (
    ArchivedIssue,
    Article,
    Delivery,
    Edition,
    Match,
    Newsletter,
    Source,
    Subscriber,
    Subscription,
    TopicStory,
)
from worker.store.unsettled import IS_UNSETTLED


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How much there is, and how much of it waits."""

    articles: int
    articles_unmatched: int
    feeds_unpolled: int
    matches: int
    editions: int
    stories_to_alert: int
    digests_due: int
    newsletters_due: int
    questions_due: int
    editions_open: int
    deliveries_open: int
    deliveries_unknown: int

    @property
    def is_quiet(self) -> bool:
        """Whether nothing that has come in waits for anything any more."""
        return not (
            self.articles_unmatched
            or self.feeds_unpolled
            or self.stories_to_alert
            or self.digests_due
            or self.newsletters_due
            or self.questions_due
            or self.editions_open
            or self.deliveries_open
            or self.deliveries_unknown
        )


def progress(conn: Connection, *, since: datetime, digests_due_at: datetime | None = None) -> Progress:
    """Count. Feeds not fetched since `since`, and digests that were due by `digests_due_at`, are still to come."""
    polled = Source.last_polled_at.is_not(None) & (Source.last_polled_at >= since)
    planning = Edition.status.in_((EditionStatus.PLANNING, EditionStatus.PLANNED, EditionStatus.SENDING))
    return Progress(
        articles=_count(conn, Article.id),
        articles_unmatched=_count(conn, Article.id, Article.matched_at.is_(None)),
        feeds_unpolled=_count(conn, Source.id, Source.url.is_not(None), ~polled),
        matches=_count(conn, Match.topic_id),
        editions=_count(conn, Edition.id),
        stories_to_alert=_count(
            conn, TopicStory.story_id, TopicStory.alert_due_at.is_not(None), TopicStory.rolls.is_(False)
        ),
        digests_due=_count(
            conn,
            Subscription.id,
            Subscription.next_due_at <= (digests_due_at or since),
            Subscription.topic_id.is_not(None),
        ),
        newsletters_due=_newsletters_due(conn, at=digests_due_at or since),
        questions_due=_count(conn, Subscriber.id, Subscriber.confirmation_due_at.is_not(None)),
        editions_open=_count(conn, Edition.id, planning),
        deliveries_open=_count(conn, Delivery.id, Delivery.state.in_(list(OPEN)), IS_UNSETTLED),
        deliveries_unknown=_count(conn, Delivery.id, Delivery.state == State.UNKNOWN, IS_UNSETTLED),
    )


def _newsletters_due(conn: Connection, *, at: datetime) -> int:
    """Count newsletters to be drafted, and drafts to be sent. One that waits for an editor's word is not due."""
    waits = sa.exists().where(Newsletter.id == Edition.newsletter_id, Newsletter.approval == Approval.REQUIRED)
    begun = sa.exists().where(ArchivedIssue.edition_id == Edition.id)
    drafts = (Edition.status == EditionStatus.DRAFT, Edition.due_at <= at, ~waits, ~begun)
    return _count(conn, Newsletter.id, Newsletter.next_due_at <= at) + _count(conn, Edition.id, *drafts)


def _count(conn: Connection, column: sa.orm.InstrumentedAttribute[int], *conditions: sa.ColumnElement[bool]) -> int:
    return conn.execute(sa.select(sa.func.count(column)).where(*conditions)).scalar_one()

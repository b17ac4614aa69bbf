"""Puts a narrower query in the place of a reader's own one, with its rhythm and with what waits for its next mail.

Does not read queries: callers hand in the matching room's judgement. Called by the page behind "not this" in mails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from worker.errors import InputError
from worker.model import ArticleId, Cadence, SubscriberId, SubscriptionId, TopicId
from worker.signup import run_courtesies
from worker.signup.courtesies import NO_COURTESIES, Courtesies
from worker.signup.run_mutes import may_change
from worker.signup.wishes import CheckQuery
from worker.store import backfilling, mutes, narrowing, outbox, people, standing
from worker.store.backfilling import Met
from worker.store.database import Database
from worker.store.people import Following

Meet = Callable[[Connection, TopicId, str, Sequence[ArticleId]], list[Met]]
"""Returns those of some articles that concern a query, as matches of its topic."""

_MOST_WAITING: Final = 300


def narrow(
    database: Database,
    subscriber_id: SubscriberId,
    subscription_id: SubscriptionId,
    *,
    query: str,
    check_query: CheckQuery,
    meet: Meet,
    courtesies: Courtesies = NO_COURTESIES,
) -> None:
    """Let a reader follow a narrower query than their own, from now on. Safe to repeat.

    What the old one has found, and no mail has told, comes as if the new one had found it. Raises `QueryError`, and
    `InputError` where there is no such own query (any more).
    """
    canonical = check_query(query)
    with database.write() as conn:
        reader = may_change(conn, subscriber_id)
        old = next((one for one in people.followings(conn, reader.id) if one.id == subscription_id), None)
        if old is None or old.query is None or old.topic_id is None:
            raise InputError("the reader does not follow this", where="query")
        topic_id = standing.intern_query(conn, query=query, canonical=canonical)
        if topic_id == old.topic_id:
            return
        before, had = outbox.before_change(conn, reader.id), run_courtesies.before_change(conn, reader.id, courtesies)
        found = narrowing.waiting(conn, old.id, limit=_MOST_WAITING)
        new_id = people.follow(
            conn,
            reader.id,
            topic_id=topic_id,
            query=query,
            cadence=old.cadence,
            times=old.times,
            weekday=old.weekday,
            next_due_at=old.next_due_at,
        )
        mutes.mute_topic(conn, new_id, until=old.muted_until)
        _take_along(conn, old, topic_id, found, meet)
        people.unfollow(conn, reader.id, [old.id])
        outbox.tell_change(conn, reader.id, before)
        run_courtesies.tell_change(conn, reader, had, courtesies)


def _take_along(conn: Connection, old: Following, topic_id: TopicId, found: Sequence[ArticleId], meet: Meet) -> None:
    """Store the matches of what waited; their numbers are drawn after the new subscription's cursor."""
    asked = narrowing.query_of(conn, topic_id)
    if not found or old.topic_id is None or not backfilling.hold_topic(conn, topic_id, query=asked):
        return
    kept = backfilling.keep(conn, topic_id, meet(conn, topic_id, asked, found))
    if old.cadence is Cadence.IMMEDIATE and kept.stories:
        narrowing.alert_as(conn, topic_id, old.topic_id, kept.stories)

"""Turns wishes into subscriptions, inside the caller's transaction.

Called by the other `run*` modules once consent is settled; never asks about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from worker.facts import StoredNewsletter
from worker.model import SubscriberId, Timing, TopicId
from worker.recurrence import next_occurrence
from worker.schedule import next_due
from worker.signup.wishes import Follow, Rhythm, Wish, no_such_newsletter, no_such_topic
from worker.store import newsletters, people, standing, topics
from worker.store.database import now
from worker.store.people import Following, Reader

_BY_EDITORS: Final = Rhythm()  # what stands in the columns of a subscription that has no rhythm of its own


def check_topics(conn: Connection, slugs: Iterable[str]) -> None:
    """Raise `InputError` unless these shared topics exist; a retry helps only after a topic import."""
    for slug in dict.fromkeys(slugs):
        if topics.topic_by_slug(conn, slug) is None:
            known = [topic.slug for topic in topics.topics(conn, shared_only=True) if topic.slug]
            raise no_such_topic(slug, known)


def check_newsletters(conn: Connection, slugs: Iterable[str]) -> None:
    """Raise `InputError` unless these newsletters exist."""
    wanted = tuple(slugs)
    known = newsletters.slugs(conn) if wanted else ()
    for slug in wanted:
        if slug not in known:
            raise no_such_newsletter(slug, known)


def fulfil(conn: Connection, subscriber_id: SubscriberId, follows: Iterable[Follow], *, timezone: str) -> int:
    """Let a reader follow what they asked for, and return how much of it there was.

    A topic or newsletter that has gone since the question was asked is left out.
    """
    at, fulfilled = now(conn), 0
    for follow in follows:
        if follow.newsletter is not None:
            newsletter = newsletters.by_slug(conn, follow.newsletter)
            if newsletter is not None:
                _follow_newsletter(conn, subscriber_id, newsletter, timezone=timezone, after=at)
                fulfilled += 1
            continue
        topic_id = _topic_of(conn, follow)
        if topic_id is None:
            continue
        people.follow(
            conn,
            subscriber_id,
            topic_id=topic_id,
            query=follow.query,
            cadence=follow.rhythm.cadence,
            times=follow.rhythm.times,
            weekday=follow.rhythm.weekday,
            next_due_at=due(follow.rhythm, timezone=timezone, after=at),
        )
        fulfilled += 1
    return fulfilled


def continue_with(conn: Connection, reader: Reader, following: Following, rhythm: Rhythm, *, timezone: str) -> None:
    """Give a reader's subscription a rhythm, reckoned in a zone from now on; one that had ended starts again.

    A newsletter keeps its editors' schedule.
    """
    if following.newsletter_id is not None:
        newsletter = newsletters.by_id(conn, following.newsletter_id)
        if newsletter is not None:
            _follow_newsletter(conn, reader.id, newsletter, timezone=timezone, after=now(conn))
        return
    if following.slug is None and following.query is None:
        return  # its topic has been taken away
    people.follow(
        conn,
        reader.id,
        topic_id=following.topic_id,
        query=following.query,
        cadence=rhythm.cadence,
        times=rhythm.times,
        weekday=rhythm.weekday,
        next_due_at=due(rhythm, timezone=timezone, after=now(conn)),
    )


def due(rhythm: Rhythm, *, timezone: str, after: datetime) -> datetime | None:
    """Return when a subscription of this rhythm is due next, None for immediate ones."""
    return next_due(rhythm.cadence, times=rhythm.times, weekday=rhythm.weekday, timezone=timezone, after=after)


def rhythm_of(following: Following) -> Rhythm:
    """Return how often, and when, a subscription sends."""
    return Rhythm(cadence=following.cadence, times=following.times, weekday=following.weekday)


def wish_of(reader: Reader, followings: Iterable[Following]) -> Wish:
    """Return the wish that would lead to what a reader follows."""
    follows = tuple(
        Follow(topic=one.slug, query=one.query, canonical=one.canonical or "", rhythm=rhythm_of(one))
        if one.newsletter_id is None
        else Follow(newsletter=one.slug)
        for one in followings
    )
    return Wish(follows=follows, locale=reader.locale, timezone=reader.timezone, name=reader.name)


def _follow_newsletter(
    conn: Connection, subscriber_id: SubscriberId, newsletter: StoredNewsletter, *, timezone: str, after: datetime
) -> None:
    """Let a reader have a newsletter. Only one that goes by their own clock is due to them alone."""
    due_at = None
    if newsletter.timing is Timing.READER and newsletter.starts_on is not None:
        due_at = next_occurrence(
            newsletter.schedule, starts_on=newsletter.starts_on, zone=ZoneInfo(timezone), after=after
        )
    people.follow(
        conn,
        subscriber_id,
        newsletter_id=newsletter.id,
        cadence=_BY_EDITORS.cadence,
        times=_BY_EDITORS.times,
        weekday=_BY_EDITORS.weekday,
        next_due_at=due_at,
    )


def _topic_of(conn: Connection, follow: Follow) -> TopicId | None:
    if follow.query is not None:
        return standing.intern_query(conn, query=follow.query, canonical=follow.canonical)
    topic = topics.topic_by_slug(conn, follow.topic or "")
    return topic.id if topic else None

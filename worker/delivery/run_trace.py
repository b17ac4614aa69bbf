"""Collects what is known of one reader's mail, so that `delivery.trace` can tell it. Reads only.

Called by the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from worker.content import left_out_of
from worker.delivery.trace import (
    Addressee,
    AskedAbout,
    Entry,
    Follows,
    Heard,
    Sent,
    Try,
    last_word,
    met,
    stands,
    timeline,
)
from worker.delivery.trace_later import Later, Muted, Owed, Passed
from worker.model import ArticleId, StoryId, SubscriberStatus
from worker.store import people, tracing
from worker.store.database import now
from worker.store.people import Reader

_MOST_WORDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """One reader's mail, told: the timeline, a line for each subscription and each copy, and the last word."""

    reader: Reader | None
    says: str
    timeline: Sequence[Entry] = ()
    followed: Sequence[tuple[Follows, str]] = ()
    sent: Sequence[tuple[Sent, str]] = ()


def trace(conn: Connection, address_hash: str, article_id: ArticleId | None) -> Traced | None:
    """Tell what a reader got, or of one article why they did or didn't; None where there is no such article."""
    about = tracing.article(conn, article_id) if article_id is not None else None
    if article_id is not None and about is None:
        return None
    reader = people.by_address(conn, address_hash)
    if reader is None:
        return Traced(reader=None, says=_stranger(conn, address_hash))
    at, story_id = now(conn), about["story_id"] if about else None
    addressee = _addressee(conn, reader, address_hash, at)
    article = _article(conn, about, reader.locale) if about else None
    followed = _followed(conn, reader, story_id)
    sent = _sent(conn, reader, story_id)
    later = _later(conn, reader, about) if about else Later()
    tz = reader.timezone
    return Traced(
        reader=reader,
        says=last_word(addressee, article, followed, sent, later, at=at),
        timeline=timeline(addressee, article, followed, sent, later),
        followed=[(one, _met(one, article, at=at, timezone=tz, is_planned=bool(sent))) for one in followed],
        sent=[(copy, stands(copy, timezone=tz)) for copy in sent],
    )


def _met(one: Follows, article: AskedAbout | None, *, at: datetime, timezone: str, is_planned: bool) -> str:
    """Say what a subscription makes of the article; why it brought no mail only where none was planned."""
    if article is None:
        return ""
    if is_planned and one.matched_at is not None:
        return f"The story met {one.name}."
    return met(one, article, at=at, timezone=timezone)


def _stranger(conn: Connection, address_hash: str) -> str:
    found = tracing.suppression(conn, address_hash)
    if found:
        return f"No reader has this address, and nothing is sent to it: {found['reason']}."
    return (
        "No reader has this address. It was never signed up, or its reader was erased, of whom nothing is left. "
        "Is it another of the reader's addresses?"
    )


def _addressee(conn: Connection, reader: Reader, address_hash: str, at: datetime) -> Addressee:
    suppressed = tracing.suppression(conn, address_hash)
    rests = reader.status is SubscriberStatus.ACTIVE and reader.paused_until is not None and reader.paused_until > at
    return Addressee(
        timezone=reader.timezone,
        standing=SubscriberStatus.PAUSED if rests else reader.status,
        created_at=reader.created_at,
        confirmed_at=reader.confirmed_at,
        left_at=reader.left_at,
        paused_until=reader.paused_until,
        suppressed=suppressed["reason"] if suppressed else None,
        suppressed_at=suppressed["created_at"] if suppressed else None,
    )


def _article(conn: Connection, about: dict[str, Any], locale: str) -> AskedAbout:
    names = (_name(name, locale) for name in tracing.topics_of(conn, StoryId(about["story_id"])))
    values = {name: about[name] for name in AskedAbout.__slots__ if name != "topics"}
    return AskedAbout(**values, topics=tuple(names))


def _followed(conn: Connection, reader: Reader, story_id: StoryId | None) -> list[Follows]:
    words = tracing.evidence(conn, story_id) if story_id is not None else {}
    return [
        Follows(
            id=row["id"],
            name=row["newsletter_name"]
            or (f"“{row['query']}”" if row["query"] else _name(row["topic_name"], reader.locale)),
            cadence=row["cadence"],
            created_at=row["created_at"],
            ended_at=row["ended_at"],
            next_due_at=row["next_due_at"],
            switched_off=row["disabled_reason"] or "",
            matched_at=row["matched_at"],
            words=tuple(words.get(row["topic_id"], ())[:_MOST_WORDS]),
            alert_due_at=row["alert_due_at"],
            is_past=bool(row["is_past"]),
            rolls=bool(row["rolls"]),
            never_alerts=row["alert_due_at"] is None and row["alerted_at"] is None,
            summary_due_at=row["summary_due_at"],
            muted_until=row["muted_until"],
            is_muted=bool(row["is_muted"]),
        )
        for row in tracing.subscriptions(conn, reader.id, story_id)
    ]


def _later(conn: Connection, reader: Reader, about: dict[str, Any]) -> Later:
    """Find what is known of a story beside its mails: owed, passed over, or without room in a mail."""
    story_id = StoryId(about["story_id"])
    owed = tracing.owed(conn, reader.id, story_id)
    lapsed = [Passed(**row) for row in tracing.omissions(conn, reader.id, story_id)]
    crowded = [
        Passed(at=row["planned_at"], kind=row["kind"], edition_id=row["edition_id"], topic=topic)
        for row in tracing.copies_with_sections(conn, reader.id, since=about["seen_at"])
        for topic in left_out_of(row["body"], story_id)
    ]
    muted = tracing.story_mute(conn, reader.id, story_id)
    return Later(
        owed=Owed(**owed) if owed else None, passed=(*lapsed, *crowded), muted=Muted(**muted) if muted else None
    )


def _sent(conn: Connection, reader: Reader, story_id: StoryId | None) -> list[Sent]:
    rows = tracing.copies(conn, reader.id, story_id)
    ids = [row["id"] for row in rows]
    tries: dict[int, list[Try]] = {}
    for row in tracing.attempts(conn, ids):
        outcome = Try(
            at=row["ended_at"],
            outcome=row["outcome"],
            provider=row["provider"],
            code=row["code"],
            enhanced=row["enhanced"],
            text=row["text"],
        )
        tries.setdefault(row["delivery_id"], []).append(outcome)
    heard: dict[int, list[Heard]] = {}
    for row in tracing.events(conn, ids):
        said = " ".join(str(row["normalised"][name]) for name in ("status", "reason") if row["normalised"].get(name))
        told = Heard(at=row["occurred_at"], kind=row["kind"], provider=row["provider"], text=said)
        heard.setdefault(row["delivery_id"], []).append(told)
    return [Sent(**row, tries=tuple(tries.get(row["id"], ())), heard=tuple(heard.get(row["id"], ()))) for row in rows]


def _name(names: dict[str, str] | None, locale: str) -> str:
    names = names or {}
    return names.get(locale) or names.get("en") or next(iter(names.values()), "a topic")

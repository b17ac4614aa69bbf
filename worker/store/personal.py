"""All that the tables hold of one reader: told whole, and taken out.

One file knows every place where an address, a name or an own query may stand, free text included: replies and bounces
quote addresses. What stays of a forgotten reader are numbers, states and times, which the books need. Never decides:
signup does, and holds the reader's row locked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.hearsay import Cause
from worker.lifecycle import PRE_COMMIT, State
from worker.model import ContentId, DeliveryId, EditionKind, SubscriberId, SubscriberStatus
from worker.store import contents, ledger, mutes, outbox, own_letters
from worker.store.database import now
from worker.store.events import IMPERSONAL
from worker.store.house import notes
from worker.store.leases import lock, reschedule
from worker.store.schema import (
    Asking,
    Attempt,
    Audit,
    Delivery,
    EditionContent,
    Event,
    Match,
    Newsletter,
    Omission,
    OwedStory,
    StoryCard,
    StoryMute,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
    TopicStory,
)
from worker.store.suppressions import address_subject

_WHY: Final = "the reader was erased"


@dataclass(frozen=True, kw_only=True, slots=True)
class Whose:
    """Whom it is about: a reader, where there is one, and an address by its hash and in all spellings known.

    `former_hashes` are those of addresses that were the reader's once, and nobody's since.
    """

    subscriber_id: SubscriberId | None
    address_hash: str
    spellings: frozenset[str]
    former_hashes: frozenset[str] = frozenset()

    @property
    def hashes(self) -> list[str]:
        """Return the hashes of all their addresses."""
        return sorted({self.address_hash} | self.former_hashes)


def told(conn: Connection, whose: Whose) -> dict[str, Any]:
    """Return everything that is held about an address, as plain values.

    Of a letter to somebody else only that it was asked for: whether it went would tell whether they are a reader.
    """
    subscriber_id, address_hash = whose.subscriber_id, whose.address_hash
    suppression = sa.select(Suppression.__table__).where(Suppression.address_hash == address_hash)
    copies = list(ledger.deliveries(conn, subscriber=subscriber_id)) if subscriber_id is not None else []
    to_others = _to_others(conn, subscriber_id, copies)
    of_theirs = sa.or_(Event.delivery_id.is_(None), Event.delivery_id.not_in(to_others))
    is_told = sa.and_(_about(whose), sa.or_(of_theirs, Event.address_hash.in_(whose.hashes)))
    events = sa.select(Event.__table__).where(is_told).order_by(Event.id)
    known = {
        "suppression": next(iter(_rows(conn, suppression)), None),
        "events": _rows(conn, events),
        "letters": own_letters.told(conn, subscriber_id, address_hash),
    }
    if subscriber_id is None:
        nothing: dict[str, Any] = {"subscriptions": [], "muted_stories": [], "deliveries": [], "webhooks": []}
        return {"reader": None, **nothing, **known, "acts": _acts(conn, whose)}
    reader = sa.select(Subscriber.__table__).where(Subscriber.id == subscriber_id)
    follows = (
        sa.select(Subscription.__table__, Topic.slug, Topic.name, Newsletter.slug.label("newsletter"))
        .outerjoin(Topic, Topic.id == Subscription.topic_id)
        .outerjoin(Newsletter, Newsletter.id == Subscription.newsletter_id)
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(Subscription.id)
    )
    muted = sa.select(
        StoryMute.story_id, mutes.title_of(StoryMute.story_id).label("title"), StoryMute.muted_at, StoryMute.muted_until
    ).where(StoryMute.subscriber_id == subscriber_id)
    mails = [
        {
            **row,
            "stories": _titles(conn, DeliveryId(row["id"])),
            "tries": ledger.attempts(conn, DeliveryId(row["id"])),
        }
        for row in copies
        if row["id"] not in to_others
    ]
    asked = sa.select(Asking.__table__).where(Asking.subscriber_id == subscriber_id).order_by(Asking.id)
    return {
        "reader": _rows(conn, reader)[0],
        "questions": _rows(conn, asked),
        "subscriptions": _rows(conn, follows),
        "muted_stories": _rows(conn, muted),
        "deliveries": mails,
        "webhooks": outbox.told_of(conn, subscriber_id),
        **known,
        "acts": _acts(conn, whose),
    }


def withdraw_unsent(conn: Connection, subscriber_id: SubscriberId) -> int:
    """End a reader's copies that are not on the wire, and return how many there were."""
    mine = (Delivery.subscriber_id == subscriber_id, Delivery.state.in_(PRE_COMMIT))
    batches = sa.select(Delivery.edition_id, Delivery.batch_no).where(*mine).distinct()
    where = sorted((row.edition_id, row.batch_no) for row in conn.execute(batches))
    for edition_id, batch_no in where:
        lock(conn, edition_id, batch_no)
    values = {"state": State.SUPPRESSED, "reason": _WHY, "next_attempt_at": None, "ended_at": now(conn)}
    ended = conn.execute(sa.update(Delivery).where(*mine).values(**values))
    for edition_id, batch_no in where:
        reschedule(conn, edition_id, batch_no)
    return ended.rowcount


def scrub_mails(conn: Connection, subscriber_id: SubscriberId) -> int:
    """Take everything personal out of a reader's copies and their tries, and return in how many there was any.

    Safe to repeat, and repeated: the reply to what was on the wire may quote the address.
    """
    mine = Delivery.subscriber_id == subscriber_id
    speaks = sa.or_(
        Delivery.recipient.is_not(None),
        Delivery.addressee.is_not(None),
        Delivery.provider_message_id != "",
        Delivery.reason.not_in(("", _WHY)),
    )
    reason = sa.case((Delivery.reason == _WHY, Delivery.reason), else_="")
    blank = {"recipient": None, "addressee": None, "domain": "", "provider_message_id": "", "reason": reason}
    copies = conn.execute(sa.update(Delivery).where(mine, speaks).values(**blank)).rowcount
    tries = Attempt.delivery_id.in_(sa.select(Delivery.id).where(mine))
    quotes = sa.or_(Attempt.text != "", Attempt.provider_message_id != "")
    conn.execute(sa.update(Attempt).where(tries, quotes).values(text="", provider_message_id=""))
    own = sa.select(Delivery.content_id).where(mine)
    personal = EditionContent.body.contains(f'"personal_to":{subscriber_id},', autoescape=True)
    bodies = sa.update(EditionContent).where(EditionContent.id.in_(own), personal)
    conn.execute(bodies.values(body="", hash=sa.literal("erased ") + sa.cast(EditionContent.id, sa.Text)))
    told = StoryCard.personal_to == subscriber_id
    conn.execute(
        sa.update(StoryCard).where(told).values(body="", hash=sa.literal("erased ") + sa.cast(StoryCard.id, sa.Text))
    )
    return copies


def scrub_events(conn: Connection, whose: Whose) -> int:
    """Take everything personal out of what was told about an address, and return how many events there are."""
    rows = conn.execute(sa.select(Event.id, Event.normalised).where(_about(whose))).all()
    for event_id, normalised in rows:
        kept = {name: normalised[name] for name in IMPERSONAL if name in normalised}
        values = {"raw": "", "normalised": kept, "address_hash": None, "outcome": "forgotten with its reader"}
        conn.execute(sa.update(Event).where(Event.id == event_id).values(**values))
    by_others = sa.or_(Suppression.cause != Cause.OPERATOR, _quotes(Suppression.reason, whose))
    conn.execute(
        sa.update(Suppression)
        .where(Suppression.address_hash.in_(whose.hashes), by_others)
        .values(reason=sa.cast(Suppression.cause, sa.Text))
    )
    subjects = [address_subject(address_hash) for address_hash in whose.hashes]
    conn.execute(sa.update(Audit).where(Audit.subject.in_(subjects)).values(detail={}))
    return len(rows)


def scrub_reader(conn: Connection, subscriber_id: SubscriberId) -> None:
    """Leave a tombstone of a reader, whose subscriptions have ended, and let go of queries that only they had."""
    mine = Subscription.subscriber_id == subscriber_id
    followed = list(conn.execute(sa.select(Subscription.topic_id).where(mine)).scalars())
    conn.execute(sa.delete(Subscription).where(mine))
    conn.execute(sa.delete(OwedStory).where(OwedStory.subscriber_id == subscriber_id))
    conn.execute(sa.delete(StoryMute).where(StoryMute.subscriber_id == subscriber_id))
    conn.execute(sa.delete(Omission).where(Omission.subscriber_id == subscriber_id))
    conn.execute(sa.delete(Asking).where(Asking.subscriber_id == subscriber_id))
    others = sa.exists().where(Subscription.topic_id == Topic.id)
    own = sa.select(Topic.id).where(Topic.id.in_(followed), Topic.slug.is_(None), Topic.dormant, ~others)
    for topic_id in conn.execute(own).scalars().all():
        conn.execute(sa.delete(Match).where(Match.topic_id == topic_id))
        conn.execute(sa.delete(TopicStory).where(TopicStory.topic_id == topic_id))
        gone = {"query": "", "canonical": f"erased {topic_id}", "disabled_reason": "", "name": {}, "description": {}}
        conn.execute(sa.update(Topic).where(Topic.id == topic_id).values(**gone))
    at = now(conn)
    conn.execute(
        sa.update(Subscriber)
        .where(Subscriber.id == subscriber_id)
        .values(
            email=None,
            address_hash=None,
            name="",
            locale="en",
            timezone="UTC",
            consent={},
            confirmation_due_at=None,
            paused_until=None,
            paused_at=None,
            quiet_from=None,
            quiet_to=None,
            status=SubscriberStatus.ERASED,
            erased_at=at,
        )
    )


def erased_since(conn: Connection, since: Any) -> list[SubscriberId]:  # noqa: ANN401  a datetime
    """Return the readers that were erased since a moment."""
    query = sa.select(Subscriber.id).where(Subscriber.erased_at >= since)
    return [SubscriberId(subscriber_id) for subscriber_id in conn.execute(query).scalars()]


def _about(whose: Whose) -> ColumnElement[bool]:
    """Return the condition that an event is about an address, or about a copy for its reader.

    What nobody could assign is searched for the address itself.
    """
    copies = sa.select(Delivery.id).where(Delivery.subscriber_id == whose.subscriber_id)
    quotes = sa.or_(_quotes(Event.raw, whose), _quotes(sa.cast(Event.normalised, sa.Text), whose))
    unassigned = sa.and_(Event.address_hash.is_(None), quotes)
    return sa.or_(Event.address_hash.in_(whose.hashes), Event.delivery_id.in_(copies), unassigned)


def _quotes(column: ColumnElement[str] | sa.orm.InstrumentedAttribute[str], whose: Whose) -> ColumnElement[bool]:
    escaped = {json.dumps(spelling)[1:-1] for spelling in whose.spellings}
    said = (
        sa.func.lower(column).contains(spelling.lower(), autoescape=True)
        for spelling in sorted(whose.spellings | escaped)
    )
    return sa.or_(sa.false(), *said)


def _acts(conn: Connection, whose: Whose) -> list[dict[str, Any]]:
    """Return what people did by hand to an address, and to its reader."""
    about = [address_subject(whose.address_hash)]
    about += [f"subscriber {whose.subscriber_id}"] if whose.subscriber_id is not None else []
    told = [note for subject in about for note in notes(conn, subject)]
    return [{"at": at, "actor": actor, "action": action, **detail} for at, actor, action, detail in told]


def _to_others(conn: Connection, subscriber_id: SubscriberId | None, copies: list[dict[str, Any]]) -> set[int]:
    """Return which of a reader's copies are letters to addresses that never became theirs.

    Of one that has been let go, or whose address was forgotten, only the missing address is left to tell it by.
    """
    if subscriber_id is None:
        return set()
    editions = set(conn.execute(own_letters.to_others(subscriber_id)).scalars())
    blank = {row["id"] for row in copies if row["kind"] == EditionKind.SYSTEM and row["recipient"] is None}
    return blank | {row["id"] for row in copies if row["edition"] in editions}


def _titles(conn: Connection, delivery_id: DeliveryId) -> list[str]:
    number = conn.execute(sa.select(Delivery.content_id).where(Delivery.id == delivery_id)).scalar_one()
    (content,) = contents.thawed(conn, [ContentId(number)]).values()
    return [card.title for card in content.all_cards()]


def _rows(conn: Connection, query: sa.Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view

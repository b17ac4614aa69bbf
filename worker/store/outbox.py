"""The outbox: what the newspaper's own endpoints are to be told, written in the transaction in which it happens.

`tell` and `tell_of_source` are the doors. They cost one look at a table of a few rows where nobody wants to hear. Never
decides what is worth telling: signup, feedback and intake call it; the notifying room takes it from here
(`worker.store.endpoints`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import SubscriberId, SubscriberStatus
from worker.store import people
from worker.store.database import insert_for, now
from worker.store.people import Following, Reader
from worker.store.schema import Subscriber, WebhookEndpoint, WebhookMessage
from worker.tidings import MessageState, Tiding

_NAMING: Final = frozenset({"email", "name", "reason"})
"""What of a message names its reader, or may quote who does."""

NOBODY: Final = 0
"""The reader's number of a message that is about none."""

_PREFERENCES: Final = ("email", "name", "locale", "timezone", "paused_until", "quiet_from", "quiet_to", "alert_budget")
_PREFERENCES_OF_DIGESTS: Final = ("digest_floor", "below_floor")

Snapshot = Mapping[str, Any]
"""A reader's preferences at a moment, by name."""


def tell(
    conn: Connection,
    tiding: Tiding,
    subscriber_id: SubscriberId,
    *,
    occasion: str | None = None,
    **more: Any,  # noqa: ANN401  plain JSON values
) -> int:
    """Keep word of what happened to a reader for every endpoint that wants it, and return for how many.

    `more` goes beside what is always told of a reader. `occasion` names what can happen once only: of two with the same
    one the second is not kept. Call it after the change that it tells of, in the same transaction.
    """
    endpoints = _listening(conn, tiding, stays=True)
    if not endpoints:
        return 0
    at = now(conn)
    whole = _about(conn, subscriber_id, at) | more
    nameless = {name: value for name, value in whole.items() if name not in _NAMING}
    rows = [
        _row(endpoint_id, tiding, at, whole if with_addresses else nameless)
        | {"subscriber_id": subscriber_id, "occasion": occasion}
        for endpoint_id, with_addresses in endpoints
    ]
    statement = insert_for(conn, WebhookMessage).on_conflict_do_nothing(index_elements=["endpoint_id", "occasion"])
    conn.execute(statement, rows)
    return len(rows)


def tell_of_source(conn: Connection, tiding: Tiding, **data: Any) -> int:  # noqa: ANN401  plain JSON values
    """Keep word of what became of a source for every endpoint that wants it, and return for how many.

    It concerns no reader, and names none: endpoints that are told no addresses get the same.
    """
    at = now(conn)
    told = {name: _stamp(value) if isinstance(value, datetime) else value for name, value in data.items()}
    rows = [
        _row(endpoint_id, tiding, at, told) | {"subscriber_id": NOBODY, "occasion": None}
        for endpoint_id, _ in _listening(conn, tiding, stays=True)
    ]
    if rows:
        conn.execute(sa.insert(WebhookMessage), rows)
    return len(rows)


def is_heard(conn: Connection, tiding: Tiding) -> bool:
    """Tell whether any endpoint wants to hear this: whoever has to look things up to tell it asks first."""
    return bool(_listening(conn, tiding))


def known_as(conn: Connection, address_hash: str) -> SubscriberId | None:
    """Return the number of an address's reader, without locking the row."""
    number = conn.execute(sa.select(Subscriber.id).where(Subscriber.address_hash == address_hash)).scalar()
    return SubscriberId(number) if number is not None else None


def before_change(conn: Connection, subscriber_id: SubscriberId) -> Snapshot | None:
    """Return a reader's preferences before they are changed, for `tell_change`; None where nobody wants to hear."""
    return _preferences(conn, subscriber_id) if _listening(conn, Tiding.PREFERENCES_CHANGED) else None


def tell_change(conn: Connection, subscriber_id: SubscriberId, before: Snapshot | None) -> None:
    """Tell which of a reader's preferences are other than they were, if any are."""
    if before is None:
        return
    after = _preferences(conn, subscriber_id)
    changed = sorted(name for name in after if after[name] != before[name])
    if changed:
        tell(conn, Tiding.PREFERENCES_CHANGED, subscriber_id, changed=changed)


def target(*, topic: str | None = None, newsletter: str | None = None) -> dict[str, Any]:
    """Return what can be followed as messages name it. The words of a reader's own query are nobody's but theirs.

    >>> target(topic="oman"), target(newsletter="top-10"), target()
    ({'topic': 'oman'}, {'newsletter': 'top-10'}, {'own_query': True})
    """
    if newsletter is not None:
        return {"newsletter": newsletter}
    return {"topic": topic} if topic is not None else {"own_query": True}


def targets(followings: Iterable[Following]) -> list[dict[str, Any]]:
    """Return what subscriptions follow, as messages name it."""
    return [_target_of(one) for one in followings]


def scrub(conn: Connection, subscriber_id: SubscriberId) -> int:
    """Leave of what endpoints were and are to be told of a reader only the number, and return in how many messages.

    What has not been told yet goes out all the same, and says nothing else. Safe to repeat.
    """
    blank = {"id": subscriber_id, "erased": True}
    mine = sa.select(WebhookMessage.id).where(WebhookMessage.subscriber_id == subscriber_id)
    # In order of id, as whoever tells them records: then nobody waits in a circle.
    ids = conn.execute(mine.order_by(WebhookMessage.id).with_for_update()).scalars().all()
    conn.execute(sa.update(WebhookMessage).where(WebhookMessage.id.in_(mine)).values(data=blank))
    return len(ids)


def told_of(conn: Connection, subscriber_id: SubscriberId) -> list[dict[str, Any]]:
    """Return what endpoints were and are to be told of a reader, in order."""
    columns = (WebhookMessage.type, WebhookMessage.occurred_at, WebhookMessage.state, WebhookMessage.data)
    query = (
        sa.select(*columns, WebhookEndpoint.url.label("endpoint"))
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookMessage.endpoint_id)
        .where(WebhookMessage.subscriber_id == subscriber_id)
    )
    rows = conn.execute(query.order_by(WebhookMessage.id))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def _row(endpoint_id: int, tiding: Tiding, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": f"msg_{secrets.token_hex(16)}",
        "endpoint_id": endpoint_id,
        "type": tiding,
        "occurred_at": at,
        "data": data,
        "state": MessageState.PENDING,
        "attempts": 0,
        "next_attempt_at": at,
        "error": "",
    }


def _listening(conn: Connection, tiding: Tiding, *, stays: bool = False) -> list[tuple[int, bool]]:
    """Return the endpoints that want to hear this, and whether they may be told addresses.

    With `stays` none of them can be removed before the transaction ends: a reader's act must not fail for that.
    """
    query = sa.select(WebhookEndpoint.id, WebhookEndpoint.types, WebhookEndpoint.with_addresses)
    query = query.where(WebhookEndpoint.disabled_at.is_(None)).order_by(WebhookEndpoint.id)
    rows = conn.execute(query.with_for_update(read=True, key_share=True) if stays else query)
    return [(endpoint_id, with_addresses) for endpoint_id, types, with_addresses in rows if tiding in types]


def _about(conn: Connection, subscriber_id: SubscriberId, at: datetime) -> dict[str, Any]:
    """Return what is always told of a reader: the number alone, once they are forgotten."""
    reader = people.by_id(conn, subscriber_id)
    if reader is None or reader.status is SubscriberStatus.ERASED:
        return {"id": subscriber_id, "erased": True}
    rests = reader.status is SubscriberStatus.ACTIVE and reader.paused_until and reader.paused_until > at
    return {
        "id": subscriber_id,
        "email": reader.email,
        "name": reader.name,
        "status": SubscriberStatus.PAUSED if rests else reader.status,
        "locale": reader.locale,
        "timezone": reader.timezone,
        "confirmed_at": _stamp(reader.confirmed_at),
        "paused_until": _stamp(reader.paused_until),
        "subscriptions": [_subscription(one) for one in people.followings(conn, subscriber_id)],
    }


def _preferences(conn: Connection, subscriber_id: SubscriberId) -> Snapshot:
    reader = people.by_id(conn, subscriber_id)
    return {
        **{name: _value(reader, name) for name in (*_PREFERENCES, *_PREFERENCES_OF_DIGESTS)},
        "subscriptions": [
            (one.topic_id, one.newsletter_id, one.cadence, one.times, one.weekday)
            for one in people.followings(conn, subscriber_id)
        ],
    }


def _value(reader: Reader | None, name: str) -> object:
    return getattr(reader, name) if reader else None


def _subscription(one: Following) -> dict[str, Any]:
    """Return a subscription as it is told; a newsletter goes by its editors' schedule."""
    if one.newsletter_id is not None:
        return _target_of(one)
    return _target_of(one) | {"cadence": one.cadence, "times": list(one.times), "weekday": one.weekday}


def _target_of(one: Following) -> dict[str, Any]:
    if one.newsletter_id is not None:
        return target(newsletter=one.slug or "")
    return target(topic=one.slug)


def _stamp(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None

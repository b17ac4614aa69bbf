"""The statements over what providers and returned mail told us, and over the deliveries that it is about.

Never decides: feedback does. An event is stored once, by its provider's own id, and its consequences are drawn once,
by whoever sets `settled_at` first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import OPEN, Happening, State, step
from worker.model import DeliveryId, EditionId, EditionKind, SubscriberId
from worker.store import editions, leases, suppressions
from worker.store.database import insert_for, now
from worker.store.schema import Delivery, Edition, Event

IMPERSONAL: Final = ("provider", "event_id", "kind", "occurred_at", "delivery_id", "hard", "code", "status")
"""What of an event names nobody, and stays when its reader is forgotten."""
FAILED: Final = "failed"
"""What an event's outcome begins with when a defect has kept it from leading to anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """An event as it is kept."""

    id: int
    event: FeedbackEvent
    raw: str
    received_at: datetime
    delivery_id: DeliveryId | None
    address_hash: str | None
    has_failed: bool  # a defect kept it from leading to anything


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """The delivery that an event is about."""

    id: DeliveryId
    edition_id: EditionId
    batch_no: int
    subscriber_id: SubscriberId
    recipient: str | None
    domain: str
    provider: str
    kind: EditionKind


_STORED = (
    *(Event.id, Event.normalised, Event.raw, Event.received_at, Event.delivery_id, Event.address_hash),
    Event.outcome.startswith(FAILED).label("has_failed"),
)
_LOCATED = (
    sa.select(*(getattr(Delivery, name) for name in Located.__slots__ if name != "kind"), Edition.kind)
    .add_columns(Delivery.message_id, Delivery.provider_message_id)
    .join(Edition, Edition.id == Delivery.edition_id)
)


def put(conn: Connection, heard: Iterable[tuple[FeedbackEvent, str]], *, received_at: datetime) -> list[int]:
    """Keep events, each with its raw form, until their consequences are drawn; return the ids of those that are new."""
    rows = {
        (event.provider, event.event_id): {
            "provider": event.provider,
            "provider_event_id": event.event_id,
            "kind": event.kind,
            "occurred_at": event.occurred_at,
            "received_at": received_at,
            "normalised": _normalised(event),
            "raw": raw,
        }
        for event, raw in heard
    }
    if not rows:
        return []
    statement = (
        insert_for(conn, Event)
        .on_conflict_do_nothing(index_elements=["provider", "provider_event_id"])
        .returning(Event.id)
    )
    # In one order for all, so that two who bring the same events do not wait for each other in a circle.
    return list(conn.execute(statement, [rows[key] for key in sorted(rows)]).scalars())


def unsettled(conn: Connection, *, limit: int) -> list[int]:
    """Return events whose consequences are still to be drawn, the oldest first."""
    query = sa.select(Event.id).where(Event.settled_at.is_(None)).order_by(Event.id).limit(limit)
    return list(conn.execute(query).scalars())


def waiting(conn: Connection) -> int:
    """Return how many events wait for their consequences."""
    return conn.execute(sa.select(sa.func.count()).where(Event.settled_at.is_(None))).scalar_one()


def waiting_s(conn: Connection) -> float:
    """Return for how long the eldest event has waited for its consequences; 0 when none does."""
    eldest = conn.execute(sa.select(sa.func.min(Event.received_at)).where(Event.settled_at.is_(None))).scalar()
    return (now(conn) - eldest).total_seconds() if eldest else 0.0


def heard_at(conn: Connection, provider: str) -> datetime | None:
    """Return when a provider's webhook has last told us anything."""
    query = sa.select(Event.received_at).where(Event.provider == provider, Event.raw != "")
    return conn.execute(query.order_by(Event.id.desc()).limit(1)).scalar()


def take(conn: Connection, event_id: int) -> Stored | None:
    """Take an event, to draw its consequences in this very transaction; None when somebody else has, or will."""
    row = conn.execute(
        sa.update(Event)
        .where(Event.id == event_id, Event.settled_at.is_(None))
        .values(settled_at=now(conn))
        .returning(*_STORED)
    ).first()
    return _stored(row) if row else None


def note(conn: Connection, event_id: int, **values: Any) -> None:  # noqa: ANN401  column values by name
    """Write down what has become of an event."""
    conn.execute(sa.update(Event).where(Event.id == event_id).values(**values))


def forget(conn: Connection, event_id: int) -> None:
    """Take out of an event what names its reader, who has been erased meanwhile."""
    row = conn.execute(sa.select(Event.normalised).where(Event.id == event_id)).scalar_one()
    impersonal = {name: row[name] for name in IMPERSONAL if name in row}
    note(conn, event_id, raw="", normalised=impersonal)


def let_go(conn: Connection, *, before: datetime, limit: int) -> int:
    """Delete events that came in before a moment, and return how many; what people did by hand stays."""
    eldest = sa.select(Event.id).where(Event.provider != suppressions.OPERATOR).order_by(Event.id).limit(limit)
    old = (Event.id.in_(eldest.scalar_subquery()), Event.received_at < before)
    return conn.execute(sa.delete(Event).where(*old)).rowcount


def kept(conn: Connection, *, after: int, limit: int, provider: str | None = None) -> list[Stored]:
    """Return events whose raw form is still there, in order of id, from the one that follows `after`."""
    query = sa.select(*_STORED).where(Event.id > after, Event.raw != "").order_by(Event.id).limit(limit)
    if provider is not None:
        query = query.where(Event.provider == provider)
    return [_stored(row) for row in conn.execute(query)]


def reread(conn: Connection, event_id: int, event: FeedbackEvent) -> None:
    """Replace what we made of an event, and have its consequences drawn again."""
    note(conn, event_id, kind=event.kind, occurred_at=event.occurred_at, normalised=_normalised(event))
    unsettle(conn, event_id)


def unsettle(conn: Connection, event_id: int) -> None:
    """Have an event's consequences drawn again: they are such that twice is as good as once."""
    note(conn, event_id, settled_at=None, outcome="")


def is_known(conn: Connection, event: FeedbackEvent) -> bool:
    """Tell whether an event is kept already."""
    query = sa.select(Event.id).where(Event.provider == event.provider, Event.provider_event_id == event.event_id)
    return conn.execute(query).first() is not None


def locate(conn: Connection, event: FeedbackEvent, *, is_signed: bool) -> Located | None:
    """Find the delivery that an event is about: by our own argument or VERP, by the provider's id, by our Message-ID.

    A provider may give all messages of one request the same id: then the recipient tells them apart. The same account
    may serve another installation, which counts its deliveries from 1, too: a delivery that is named by an argument
    which is not `is_signed` by us is not meant where neither the recipient nor any other id is its own.
    """
    is_for = sa.func.lower(Delivery.recipient) == event.recipient.lower()
    for way in _ways(event):
        query = _LOCATED.where(way).limit(2)
        rows = conn.execute(query).all()
        if len(rows) > 1:
            rows = conn.execute(query.where(is_for)).all()
        if len(rows) == 1 and (is_signed or not _is_anothers(event, rows[0])):
            return Located(**{name: getattr(rows[0], name) for name in Located.__slots__})
    return None


def was_sent(conn: Connection, message_id: str, recipient: str) -> bool:
    """Tell whether a mail of ours with that Message-ID went to that address, in whatever case it is written."""
    is_it = (Delivery.message_id == message_id, sa.func.lower(Delivery.recipient) == recipient.lower())
    return conn.execute(sa.select(Delivery.id).where(*is_it).limit(1)).first() is not None


def hear(
    conn: Connection, located: Located, event: FeedbackEvent, happening: Happening, sources: Collection[State]
) -> bool:
    """Let a delivery make the step that an event tells of, by compare-and-set; False when its state does not take it.

    Where it was still open, or nobody knew, its batch and its edition learn of it.
    """
    leases.lock(conn, located.edition_id, located.batch_no)
    query = sa.select(Delivery.state, Delivery.provider_message_id, Delivery.accepted_at)
    row = conn.execute(query.where(Delivery.id == located.id).with_for_update(key_share=True)).one()
    target = step(row.state, happening) if row.state in sources else None
    if target is None:
        return False
    values: dict[str, object] = {"state": target, "next_attempt_at": None}
    values["accepted_at"] = row.accepted_at or now(conn)
    values["provider_message_id"] = row.provider_message_id or event.provider_message_id
    if happening in {Happening.BOUNCED, Happening.COMPLAINED}:
        values["reason"] = _said(event)
    is_this = (Delivery.id == located.id, Delivery.state == row.state)
    moved = conn.execute(sa.update(Delivery).where(*is_this).values(**values)).rowcount == 1
    if moved and row.state in OPEN | {State.UNKNOWN}:
        leases.reschedule(conn, located.edition_id, located.batch_no)
        editions.finish_settled(conn)
    return moved


def of_address(conn: Connection, address_hash: str, *, kinds: Sequence[str], since: datetime) -> list[Stored]:
    """Return an address's events of some kinds since a moment, in order of time."""
    query = sa.select(*_STORED).where(
        Event.address_hash == address_hash, Event.kind.in_(kinds), Event.occurred_at >= since
    )
    return [_stored(row) for row in conn.execute(query.order_by(Event.occurred_at, Event.id))]


def lifted_at(conn: Connection, address_hash: str) -> datetime | None:
    """Return when a suppression of an address was last ended by hand."""
    query = sa.select(sa.func.max(Event.occurred_at)).where(
        Event.address_hash == address_hash,
        Event.kind == suppressions.LIFTED,
        Event.provider == suppressions.OPERATOR,
    )
    return conn.execute(query).scalar()


def told(conn: Connection, event_id: int) -> dict[str, Any] | None:
    """Return an event as people are shown it."""
    query = sa.select(
        Event.id, Event.provider, Event.kind, Event.delivery_id, Event.occurred_at, Event.received_at, Event.outcome
    )
    row = conn.execute(query.where(Event.id == event_id)).first()
    return dict(row._mapping) if row else None  # noqa: SLF001  Row's documented view


def _ways(event: FeedbackEvent) -> Iterator[ColumnElement[bool]]:
    if event.delivery_id is not None:
        yield Delivery.id == event.delivery_id
    if bare := event.provider_message_id.strip("<>"):
        ids = Delivery.provider_message_id.in_((bare, f"<{bare}>"))
        yield sa.and_(ids, Delivery.provider_message_id != "")  # the partial index's own condition
    if event.message_id:
        yield Delivery.message_id == event.message_id.strip("<>")


def _is_anothers(event: FeedbackEvent, row: Any) -> bool:  # noqa: ANN401  a Row of _LOCATED
    """Tell whether an event is about another message than the delivery that was found."""
    if not (event.recipient and row.recipient) or event.recipient.lower() == row.recipient.lower():
        return False
    ids = ((event.message_id, row.message_id), (event.provider_message_id, row.provider_message_id))
    agree = [told.strip("<>") == known.strip("<>") for told, known in ids if told and known]
    return bool(agree) and not any(agree)


def _said(event: FeedbackEvent) -> str:
    return " ".join(filter(None, (event.provider, str(event.kind), event.status, event.reason)))[:500]


def _normalised(event: FeedbackEvent) -> dict[str, object]:
    values = {name: value for name, value in asdict(event).items() if value not in (None, "")}
    return values | {"occurred_at": event.occurred_at.isoformat()}


def _stored(row: Any) -> Stored:  # noqa: ANN401  a Row of _STORED
    values = dict(row.normalised)
    values |= {"kind": EventKind(values["kind"]), "occurred_at": datetime.fromisoformat(values["occurred_at"])}
    return Stored(
        id=row.id,
        event=FeedbackEvent(**values),
        raw=row.raw,
        received_at=row.received_at,
        delivery_id=row.delivery_id,
        address_hash=row.address_hash,
        has_failed=row.has_failed,
    )

"""The statements that move a delivery from state to state, each by compare-and-set, each with its attempt row.

`lifecycle` says which steps exist; `sources_of` becomes the WHERE of each. Never decides, never talks to the network.
Called by the delivery room.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Dialect

from worker.errors import printable
from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import Happening, State, sources_of, step
from worker.model import DeliveryId, EditionId, EditionKind, Lane, Receipt, Severity
from worker.store import events
from worker.store.database import now
from worker.store.leases import Lease, abandoned_condition, alive_condition, lock, reschedule, unheld_condition
from worker.store.quick import Quick, among, handed_in, unindexed
from worker.store.schema import Attempt, Delivery, Edition
from worker.store.unsettled import IS_UNSETTLED


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubtful:
    """A delivery that may or may not have arrived."""

    id: DeliveryId
    edition_id: EditionId
    batch_no: int
    fence: int
    message_id: str
    lane: Lane
    edition_kind: EditionKind
    severity: Severity
    attempts: int
    provider: str
    request_key: str
    age_s: float  # since it was committed


class Outcome(NamedTuple):
    """What became of one try. `retry_in_s` stands with `DEFERRED` only, and so does `avoid`, which names a provider.

    `number` and `started_at` are known to whoever committed the row; elsewhere the row is asked for them.
    """

    delivery_id: DeliveryId
    fence: int
    happening: Happening
    provider: str
    code: int | None = None
    enhanced: str = ""
    text: str = ""
    provider_message_id: str = ""
    retry_in_s: float | None = None
    avoid: str = ""
    number: int | None = None
    started_at: datetime | None = None


def outcome_of(receipt: Receipt, *, delivery_id: DeliveryId, fence: int) -> Outcome:
    """Return the outcome that a provider's receipt stands for."""
    return Outcome(
        delivery_id=delivery_id,
        fence=fence,
        happening=Happening.ACCEPTED,
        provider=receipt.provider,
        code=receipt.code,
        enhanced=receipt.enhanced,
        text=receipt.text,
        provider_message_id=receipt.provider_message_id,
    )


def move(
    conn: Connection,
    delivery_id: DeliveryId,
    happening: Happening,
    *,
    reason: str = "",
    at: datetime | None = None,
) -> bool:
    """Make one step by compare-and-set; False when the row's state does not take it. `at` is now, if it is known."""
    ended_at = at or now(conn) if happening in _UNSENT else None
    targets = {source: step(source, happening) for source in sources_of(happening)}
    state = sa.case(*((Delivery.state == source, str(target)) for source, target in targets.items()))
    moved = conn.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state.in_(targets))
        .values(state=state, reason=reason or Delivery.reason, ended_at=ended_at)
    )
    return moved.rowcount == 1


def record(conn: Connection, outcomes: Sequence[Outcome], *, at: datetime | None = None) -> None:
    """Write down what became of tries: an attempt row for each, and the step of every row that still waits for it.

    A row whose fence has moved on keeps its state, unless the news is that the message was accepted after all.
    """
    at = at or now(conn)
    outcomes = [_storable(one) for one in outcomes]
    plain = [one for one in outcomes if one.happening is Happening.ACCEPTED and one.number is not None]
    if plain:
        told = {"rows": json.dumps([_told(conn, outcome, at) for outcome in plain]), "at": at}
        _ACCEPT.once(conn, told)
        _TRIED.once(conn, told)
    for outcome in outcomes:
        if outcome.happening is not Happening.ACCEPTED or outcome.number is None:
            _record_one(conn, outcome, at)


def _record_one(conn: Connection, outcome: Outcome, at: datetime) -> None:
    row = conn.execute(
        sa.update(Delivery)
        .where(Delivery.id == outcome.delivery_id, _answers(outcome))
        .values(**_consequences(outcome, at))
        .returning(Delivery.attempts, Delivery.committed_at)
    ).first()
    if row is not None:
        outcome = outcome._replace(number=row.attempts, started_at=row.committed_at)
        if outcome.happening is Happening.REFUSED and outcome.provider:  # nobody else has said anything of the address
            events.put(conn, [(_bounce(outcome, at), "")], received_at=at)  # feedback may have done with the address
    conn.execute(sa.insert(Attempt).values(_attempt(outcome, at)))


def give_back(conn: Connection, lease: Lease, ids: Collection[DeliveryId]) -> None:
    """Make due again at once what was committed and certainly never sent: it was no try, and counts as none."""
    conn.execute(
        sa.update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state == State.COMMITTING, Delivery.fence == lease.fence)
        .values(state=step(State.COMMITTING, Happening.DEFERRED), attempts=Delivery.attempts - 1)
    )


def orphans_to_unknown(conn: Connection, *, limit: int) -> int:
    """Make "unknown" of rows on the wire whose holder is gone, and return how many there were."""
    is_on_the_wire = sa.and_(Delivery.state == State.COMMITTING, IS_UNSETTLED)
    query = sa.select(Delivery.id, Delivery.fence).where(is_on_the_wire, abandoned_condition(conn))
    rows = conn.execute(query.limit(limit)).all()
    record(
        conn,
        [
            Outcome(
                delivery_id=DeliveryId(row.id),
                fence=row.fence,
                happening=Happening.REPLY_LOST,
                provider="",
                text="the worker that was sending it is gone",
            )
            for row in rows
        ],
    )
    return len(rows)


def unknown(conn: Connection, *, limit: int, after: int = 0) -> list[Doubtful]:
    """Return deliveries whose outcome must be found out, in order of id, from the one that follows `after`."""
    query = (
        sa.select(
            Delivery.id,
            Delivery.edition_id,
            Delivery.batch_no,
            Delivery.fence,
            Delivery.message_id,
            Delivery.lane,
            Edition.kind.label("edition_kind"),
            Edition.severity,
            Delivery.attempts,
            Delivery.provider,
            Delivery.request_key,
            Delivery.committed_at,
        )
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Delivery.state == State.UNKNOWN, IS_UNSETTLED, Delivery.id + 0 > after)  # "+ 0": not by their ids
        .order_by(Delivery.id + 0)
        .limit(limit)
    )
    at = now(conn)
    return [
        Doubtful(
            **{name: value for name, value in row.items() if name != "committed_at"},
            age_s=(at - row["committed_at"]).total_seconds() if row["committed_at"] else 0.0,
        )
        for row in conn.execute(query).mappings()
    ]


def postpone(conn: Connection, lease: Lease, waits: Mapping[DeliveryId, float], *, reason: str) -> None:
    """Put leased rows that may or can not be sent now back for later, each for so many seconds, and say why."""
    lock(conn, lease.edition_id, lease.batch_no)
    at = now(conn)
    which = sa.bindparam("which", type_=Delivery.id.type)
    conn.execute(
        sa.update(Delivery)
        .where(Delivery.id == which, Delivery.state == State.LEASED, alive_condition(conn, lease))
        .values(state=State.PLANNED, next_attempt_at=sa.bindparam("until"), reason=reason[:500]),
        [{"which": one, "until": at + timedelta(seconds=wait_s)} for one, wait_s in waits.items()],
    )


def expire(conn: Connection, *, limit: int) -> int:
    """End the rows of editions whose last moment has passed, and return how many there were.

    What a living worker has leased ends in its own last check; what a dead one had leased may never be taken again.
    """
    at = now(conn)
    waits = sa.or_(
        Delivery.state.in_((State.PLANNED, State.DEFERRED)),
        sa.and_(Delivery.state == State.LEASED, unheld_condition(conn)),
    )
    over = sa.select(Edition.id).where(Edition.expires_at <= at, Edition.finished_at.is_(None))
    overdue = (
        sa.select(Delivery.id, Delivery.edition_id, Delivery.batch_no)
        .where(IS_UNSETTLED, Delivery.edition_id.in_(over), waits)
        .limit(limit)
    )
    rows = conn.execute(overdue).all()
    batches = sorted({(row.edition_id, row.batch_no) for row in rows})
    for edition_id, batch_no in batches:
        lock(conn, edition_id, batch_no)
    why = "its last moment passed before it could be delivered"
    expired = [move(conn, DeliveryId(row.id), Happening.EXPIRED, reason=why, at=at) for row in rows]
    for edition_id, batch_no in batches:
        reschedule(conn, edition_id, batch_no)
    return sum(expired)


def _storable(outcome: Outcome) -> Outcome:
    text, number = outcome.text, outcome.provider_message_id
    if text.isprintable() and number.isprintable():
        return outcome
    return outcome._replace(text=printable(text), provider_message_id=printable(number))


def _answers(outcome: Outcome) -> ColumnElement[bool]:
    """Return which rows an outcome speaks of: those still under its fence, or any that wait, for an acceptance."""
    states = Delivery.state.in_(sources_of(outcome.happening))
    if outcome.happening is Happening.ACCEPTED:
        return states
    return sa.and_(states, Delivery.fence == outcome.fence)


def _consequences(outcome: Outcome, at: datetime) -> dict[str, object]:
    values: dict[str, object] = {"state": step(State.COMMITTING, outcome.happening), "code": outcome.code}
    if outcome.provider:
        values["provider"] = outcome.provider
    if outcome.happening is Happening.ACCEPTED:
        values |= {"accepted_at": at, "provider_message_id": outcome.provider_message_id, "next_attempt_at": None}
    if outcome.happening is Happening.DEFERRED:
        retry_at = at + timedelta(seconds=outcome.retry_in_s or 0)
        values |= {"next_attempt_at": retry_at, "reason": outcome.text[:500], "avoid": outcome.avoid}
    if outcome.happening in {Happening.REFUSED, Happening.REPLY_LOST}:
        values |= {"next_attempt_at": None, "reason": outcome.text[:500]}
    return values


_UNSENT: Final = (Happening.SUPPRESSED, Happening.CANCELLED, Happening.EXPIRED)
_TOLD: Final = (
    "delivery_id", "code", "provider", "provider_message_id", "number", "fence", "enhanced", "text", "started_at",
)  # fmt: skip  # as `_told` has them


def _told(conn: Connection, outcome: Outcome, at: datetime) -> tuple[object, ...]:
    """Return an acceptance as its statements take it, in the order of `_TOLD`."""
    o, started_at = outcome, _stamp(conn.dialect, outcome.started_at or at)
    told = o.code, o.provider, o.provider_message_id, o.number, o.fence, o.enhanced, o.text[:2000]
    return o.delivery_id, *told, started_at


@lru_cache(maxsize=64)  # of what went out together
def _stamp(dialect: Dialect, at: datetime) -> str:
    process = _WHEN.dialect_impl(dialect).bind_processor(dialect)
    return str(process(at) if process else at)


_WHEN: Final = Attempt.started_at.type


def _handed_in(dialect: str) -> sa.Subquery:
    return handed_in(dialect, **{name: getattr(Attempt, name).type for name in _TOLD})


def _accept(dialect: str) -> sa.Update:
    told = _handed_in(dialect).c
    return (
        sa.update(Delivery)
        .where(Delivery.id == told.delivery_id)
        .where(among(unindexed(Delivery.state), sorted(sources_of(Happening.ACCEPTED))))
        .values(
            state=step(State.COMMITTING, Happening.ACCEPTED),
            code=told.code,
            provider=told.provider,
            provider_message_id=told.provider_message_id,
            accepted_at=sa.bindparam("at", type_=_WHEN),
            next_attempt_at=None,
        )
    )


def _tried(dialect: str) -> sa.Insert:
    told = _handed_in(dialect)
    shared = sa.literal(Happening.ACCEPTED, Attempt.outcome.type), sa.bindparam("at", type_=_WHEN)
    return sa.insert(Attempt).from_select([*_TOLD, "outcome", "ended_at"], sa.select(*told.c, *shared)).inline()


_ACCEPT: Final = Quick(_accept)
_TRIED: Final = Quick(_tried)


def _attempt(outcome: Outcome, at: datetime) -> dict[str, object]:
    return {
        "delivery_id": outcome.delivery_id,
        "fence": outcome.fence,
        "outcome": outcome.happening,
        "provider": outcome.provider,
        "code": outcome.code,
        "enhanced": outcome.enhanced,
        "text": outcome.text[:2000],
        "provider_message_id": outcome.provider_message_id,
        "number": outcome.number or 0,
        "started_at": outcome.started_at or at,
        "ended_at": at,
    }


def _bounce(outcome: Outcome, at: datetime) -> FeedbackEvent:
    """Return a refusal as what it is to its address: a bounce that came at once."""
    return FeedbackEvent(
        provider=outcome.provider,
        event_id=f"reply to delivery {outcome.delivery_id}, fence {outcome.fence}",
        kind=EventKind.BOUNCED,
        occurred_at=at,
        delivery_id=outcome.delivery_id,
        code=outcome.code,
        status=outcome.enhanced or ("5.0.0" if outcome.code and outcome.code // 100 == 5 else ""),
        reason=outcome.text[:2000],
    )

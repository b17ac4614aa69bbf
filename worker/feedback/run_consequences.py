"""Draws the consequences of one event, in the transaction that takes it: delivery, suppression, subscriptions, score.

`decide` and `scoring` say what follows. Called by `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from worker import circuits
from worker.feedback.decide import MAIL, Effects, Severity, decide, severity_of
from worker.feedback.scoring import WINDOW, Mark, score
from worker.hearsay import Cause, EventKind, FeedbackEvent
from worker.lifecycle import Happening
from worker.model import DeliveryId, SubscriberId
from worker.store import breakers, events, outbox, people, plain_events, suppressions
from worker.store.database import now
from worker.store.events import Located, Stored
from worker.tidings import Tiding

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTED: Final = (EventKind.BOUNCED, EventKind.DELIVERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What feedback is given by other rooms, and what an operator may set about it."""

    hash_address: Callable[[str], str | None]  # None for what is no address
    unsubscribe: Callable[[Connection, SubscriberId, DeliveryId | None], object]  # what one mail serves, or everything
    threshold: float  # an address whose score reaches it gets nothing any more


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One event, and what is known about it."""

    id: int
    event: FeedbackEvent
    effects: Effects
    located: Located | None
    address_hash: str | None

    @property
    def is_proved(self) -> bool:
        """Whether somebody said it who must know: a provider, or mail that names a delivery of ours."""
        return self.located is not None or self.event.provider != MAIL


def draw_plain(conn: Connection, ids: Sequence[int], means: Means) -> frozenset[int]:
    """Do what events lead to that say no more than that an accepted mail was delivered; return which those are."""
    known = [(one, one.address_hash or means.hash_address(one.recipient)) for one in plain_events.plain(conn, ids)]
    scored = plain_events.scored(conn, {address_hash for _, address_hash in known if address_hash})
    known = [(one, address_hash) for one, address_hash in known if address_hash not in scored]
    delivered = {one.delivery_id for one, _ in known if one.kind is EventKind.DELIVERED}
    if known:
        plain_events.deliver(conn, delivered)
        told = {True: f"the delivery is {Happening.DELIVERED}", False: ""}
        plain_events.settle(conn, [(one, hash_, told[one.kind is EventKind.DELIVERED]) for one, hash_ in known])
    return frozenset(one.id for one, _ in known)


def draw(conn: Connection, event_id: int, means: Means) -> bool:
    """Take an event and do what it leads to; False when somebody else has."""
    stored = events.take(conn, event_id)
    if stored is None:
        return False
    located = events.locate(conn, stored.event, is_signed=stored.event.provider == MAIL)
    address = _address(stored.event, located)
    is_forgotten = located is not None and located.recipient is None
    case = _Case(
        id=stored.id,
        event=replace(stored.event, reason="") if is_forgotten else stored.event,  # a reply may quote the address
        effects=decide(stored.event, names_delivery=located is not None),
        located=located,
        address_hash=means.hash_address(address) if address else None,
    )
    about = {"delivery_id": located.id if located else None, "address_hash": case.address_hash}
    events.note(conn, event_id, **about)  # now: the score counts this one too
    outcome = [
        *_of_delivery(conn, case),
        *_of_address(conn, case, means),
        *_of_reader(conn, case, means),
        *_of_way(conn, case),
    ]
    events.note(conn, event_id, outcome="; ".join(outcome))
    if is_forgotten:
        events.forget(conn, event_id)
    else:
        _tell(conn, case)
    return True


def _address(event: FeedbackEvent, located: Located | None) -> str:
    """Return whose mail it was, "" where nobody can be believed.

    A message that was passed on may bounce at an address that we have never written to: ours is the one at fault. Who
    was erased still has the return paths of old mails, and could name anybody with them.
    """
    if located is None:
        return event.recipient
    return located.recipient or ("" if event.provider == MAIL else event.recipient)


def _of_delivery(conn: Connection, case: _Case) -> Iterator[str]:
    happening = case.effects.happening
    if case.located is None:
        yield "about no delivery of ours"
    elif happening and events.hear(conn, case.located, case.event, happening, case.effects.sources):
        yield f"the delivery is {happening}"


def _of_address(conn: Connection, case: _Case, means: Means) -> Iterator[str]:
    if case.address_hash is None:
        return
    cause, event = case.effects.cause, case.event
    lifted_at = events.lifted_at(conn, case.address_hash) if cause or case.effects.severity else None
    if cause and (lifted_at is None or event.occurred_at > lifted_at):
        reason = " ".join(filter(None, (event.provider, event.status, event.reason or str(event.kind))))
        yield from _suppress(conn, case, case.address_hash, cause, reason)
    if event.kind in _COUNTED:
        yield from _count(conn, case, case.address_hash, means.threshold)


def _count(conn: Connection, case: _Case, address_hash: str, threshold: float) -> Iterator[str]:
    """Count the address's score anew. A delivery can only lower it, and so is of no interest to most addresses."""
    if case.event.kind is EventKind.DELIVERED:
        if not case.is_proved:
            return
        known = suppressions.of_address(conn, address_hash)
        if known is None or known.cause is not Cause.SCORE:
            return
    # The window ends with the latest bounce that is proved, and that may lie far before one that is not.
    since = case.event.occurred_at - WINDOW if case.is_proved else _BEGINNING
    told = events.of_address(conn, address_hash, kinds=_COUNTED, since=since)
    marks = [Mark(at=one.event.occurred_at, severity=severity_of(one.event), is_proved=_is_proved(one)) for one in told]
    if (lifted_at := events.lifted_at(conn, address_hash)) is not None:
        marks.append(Mark(at=lifted_at))
    points = score(marks)
    if points >= threshold:
        reason = f"it bounced on too many days (score {points:g} of {threshold:g})"
        yield from _suppress(conn, case, address_hash, Cause.SCORE, reason)
    elif suppressions.lift_score(conn, address_hash):
        yield "the address is suppressed no longer: it does get mail"


def _is_proved(one: Stored) -> bool:
    return one.delivery_id is not None or one.event.provider != MAIL


def _suppress(conn: Connection, case: _Case, address_hash: str, cause: Cause, reason: str) -> Iterator[str]:
    if suppressions.suppress(conn, address_hash, cause=cause, reason=reason[:500], event_id=case.id):
        yield f"the address is suppressed: {cause}"


def _of_reader(conn: Connection, case: _Case, means: Means) -> Iterator[str]:
    """End the subscriptions that a mail served, or all of a reader's where nobody knows which mail it was."""
    if not case.effects.unsubscribes:
        return
    if case.located is not None:
        if not _is_readers(conn, case):
            yield "it went to an address that is not its reader's: nothing of theirs is ended"
            return
        means.unsubscribe(conn, case.located.subscriber_id, case.located.id)
        yield "the subscriptions that it served are ended"
    elif case.address_hash and (reader := people.by_address(conn, case.address_hash)):
        means.unsubscribe(conn, reader.id, None)
        yield "the reader has left"


def _is_readers(conn: Connection, case: _Case) -> bool:
    """Tell whether a mail went to the address that its reader has: a letter may go to another, or it has changed."""
    reader = people.by_id(conn, case.located.subscriber_id) if case.located else None
    return reader is None or case.address_hash is None or reader.address_hash == case.address_hash


def _of_way(conn: Connection, case: _Case) -> Iterator[str]:
    """Shut the way that a mail took, where its bounce is about us, is news, and not the only such one among many."""
    if case.effects.severity is not Severity.POLICY or case.located is None:
        return
    if case.event.occurred_at < now(conn) - circuits.FORGOTTEN_AFTER:
        return
    way = case.located
    reason = " ".join(filter(None, (case.event.status, case.event.reason)))
    if breakers.hear_policy_bounce(
        conn, provider=way.provider, stream=way.kind, domain=way.domain, reason=reason or "a bounce for policy"
    ):
        yield f"{way.kind} to {way.domain} waits"


def _tell(conn: Connection, case: _Case) -> None:
    """Tell the newspaper's own endpoints of a bounce or a complaint, once a mail. One that is about us is no news."""
    event, effects = case.event, case.effects
    is_bounce = event.kind is EventKind.BOUNCED and effects.severity is not Severity.POLICY
    tiding = Tiding.COMPLAINED if event.kind is EventKind.COMPLAINED else Tiding.BOUNCED
    if effects.happening is None or not (is_bounce or effects.cause) or not outbox.is_heard(conn, tiding):
        return
    if case.located and not _is_readers(conn, case):
        return  # it is about an address that is not the reader's, or not any more
    about = case.located.subscriber_id if case.located else None
    if about is None and case.address_hash:
        about = outbox.known_as(conn, case.address_hash)
    if about is None:
        return
    number = case.located.id if case.located else None
    outbox.tell(
        conn,
        tiding,
        about,
        occasion=f"{tiding} {f'delivery {number}' if case.located else f'event {case.id}'}",
        delivery=number,
        hard=effects.cause is not None or effects.severity is Severity.HARD,
        smtp_status=event.status,
        reason=event.reason,
        suppressed=bool(case.address_hash and suppressions.of_address(conn, case.address_hash)),
    )

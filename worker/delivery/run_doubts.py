"""Finds out what became of messages whose reply was lost, and takes back what dead workers held.

A row that is known unsent goes back among the due ones. Nothing is sent here but a repetition under a key that the
provider honours, which cannot arrive twice. Called by sweeps.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from worker import holder
from worker.delivery.decide import Patience, after_error, after_look_up
from worker.errors import SendError
from worker.lifecycle import Happening
from worker.model import DeliveryId, Form, OutgoingMessage, Receipt, Sighting
from worker.ports import Answer, Request, Transport
from worker.store import copies, deliveries, editions, leases, looks
from worker.store.copies import DueDelivery
from worker.store.database import Database
from worker.store.deliveries import Doubtful, Outcome, outcome_of

log = logging.getLogger(__name__)

Write = Callable[[DueDelivery, Form], OutgoingMessage]

_AT_ONCE = 500
_SAID = {
    Happening.ACCEPTED: "found at the receiving end by its Message-ID",
    Happening.DEFERRED: "not known to have arrived: sent again with the same Message-ID",
}


def take_back(database: Database) -> int:
    """Free the batches of dead holders, turn what they had on the wire into "unknown", and expire what is too late.

    Returns how many rows changed their state.
    """
    boot = holder.boot_id()
    with database.write() as conn:  # in one transaction: only a freed lease under its own fence tells of a death
        leases.free_dead(conn, boot, [name for name in leases.holders(conn, boot) if holder.is_gone(name)])
        changed = 0
        while found := deliveries.orphans_to_unknown(conn, limit=_AT_ONCE):
            changed += found
    with database.write() as conn:
        changed += deliveries.expire(conn, limit=_AT_ONCE)
        editions.finish_settled(conn)  # also of what two workers settled at the same moment, each unseen by the other
    return changed


class Doubts:
    """Asks about messages whose fate nobody knows.

    `write` makes one again, with the look of this number. `writer` returns what makes them with another, of which a
    provider may have them already: under a key it honours nothing but the same bytes. None where nobody can any more.
    """

    def __init__(
        self,
        *,
        database: Database,
        transports: Mapping[str, Transport],
        patience: Patience,
        write: Write,
        look: int | None = None,
        writer: Callable[[int], Write | None] = lambda _look: None,
    ) -> None:
        self._database, self._transports = database, transports
        self._patience, self._write, self._look, self._writer = patience, write, look, writer

    async def find_out(self) -> int:
        """Ask the receiving ends about all unknown deliveries, and return how many could be settled."""
        settled, last = 0, 0
        repeated: set[str] = set()
        while True:
            doubtful = await asyncio.to_thread(self._unknown, last)
            if not doubtful:
                return settled
            last = doubtful[-1].id
            answers: dict[DeliveryId, Answer] = {}
            for one in doubtful:
                if one.request_key not in repeated and self._may_repeat(one):
                    repeated.add(one.request_key)
                    answers |= await self._repeat(one)
            outcomes = [self._told(one, answers.get(one.id)) or await self._ask(one) for one in doubtful]
            settled += await asyncio.to_thread(_settle, self._database, doubtful, outcomes)

    def _unknown(self, after: int) -> list[Doubtful]:
        with self._database.read() as conn:
            return deliveries.unknown(conn, limit=_AT_ONCE, after=after)

    def _request(self, one: Doubtful) -> tuple[list[DueDelivery] | None, Mapping[DeliveryId, int | None]]:
        """Return the copies of a request, and with which look each was made; None when one cannot be made again."""
        with self._database.read() as conn:
            rows = copies.of_request(conn, one.provider, one.request_key)
            return rows, looks.of(conn, [row.id for row in rows or ()])

    def _writers(self, made_with: Iterable[int | None]) -> dict[int | None, Write]:
        """Return by look what makes messages as they were; a look of which that is lost is left out."""
        found = {look: self._write if look == self._look else self._writer(look) for look in set(made_with) if look}
        return {look: write for look, write in found.items() if write}

    def _note(self, rows: Sequence[DueDelivery]) -> None:
        with self._database.write() as conn:
            looks.made_again(conn, [row.id for row in rows], self._look)

    def _may_repeat(self, one: Doubtful) -> bool:
        way = self._transports.get(one.provider)
        return bool(one.request_key) and way is not None and one.age_s < way.keys_honoured_s

    async def _repeat(self, one: Doubtful) -> Mapping[DeliveryId, Answer]:
        """Send a request again under its own key, whole: the provider then says what became of it the first time."""
        transport = self._transports[one.provider]
        rows, made_with = await asyncio.to_thread(self._request, one)
        if rows is None:
            return {}
        try:
            writers = await asyncio.to_thread(self._writers, made_with.values())
            messages = tuple(writers.get(made_with[row.id], self._write)(row, transport.form) for row in rows)
            if others := [row for row in rows if made_with[row.id] not in writers]:
                await asyncio.to_thread(self._note, others)
            answers = await transport.repeat(Request(key=one.request_key, messages=messages))
        except Exception:
            log.exception("request %s cannot be repeated", one.request_key)
            return {}
        return dict(zip((row.id for row in rows), answers, strict=True))

    def _told(self, one: Doubtful, answer: Answer | None) -> Outcome | None:
        if isinstance(answer, Receipt):
            return outcome_of(answer, delivery_id=one.id, fence=one.fence)
        if isinstance(answer, SendError):
            verdict = after_error(
                answer,
                attempts=one.attempts,
                lane=one.lane,
                patience=self._patience,
                jitter=random.random(),  # noqa: S311  spreads retries
            )
            return Outcome(
                delivery_id=one.id,
                fence=one.fence,
                happening=verdict.happening,
                provider=one.provider,
                code=answer.code,
                enhanced=answer.enhanced,
                text=answer.text,
                retry_in_s=verdict.retry_in_s,
            )
        return None

    async def _ask(self, one: Doubtful) -> Outcome | None:
        """Return what a look-up says of a delivery, None when it stays unknown."""
        transport = self._transports.get(one.provider)
        try:
            sighting = await transport.look_up(one.message_id) if transport else Sighting.CANNOT_TELL
        except Exception:
            log.exception("%s could not be asked about delivery %s", one.provider, one.id)
            return None
        verdict = after_look_up(
            sighting,
            kind=one.edition_kind,
            severity=one.severity,
            attempts=one.attempts,
            lane=one.lane,
            patience=self._patience,
        )
        if verdict is None:
            return None
        return Outcome(
            delivery_id=one.id,
            fence=one.fence,
            happening=verdict.happening,
            provider=one.provider,
            text=_SAID[verdict.happening],
            retry_in_s=verdict.retry_in_s,
        )


def _settle(database: Database, doubtful: Sequence[Doubtful], outcomes: Sequence[Outcome | None]) -> int:
    told = [(one, outcome) for one, outcome in zip(doubtful, outcomes, strict=True) if outcome is not None]
    if told:
        with database.write() as conn:
            _record(conn, told)
    return len(told)


def _record(conn: Connection, told: Sequence[tuple[Doubtful, Outcome]]) -> None:
    batches = sorted({(one.edition_id, one.batch_no) for one, _ in told})
    for edition_id, batch_no in batches:
        leases.lock(conn, edition_id, batch_no)
    deliveries.record(conn, [outcome for _, outcome in told])
    for edition_id, batch_no in batches:
        leases.reschedule(conn, edition_id, batch_no)
    editions.finish_settled(conn)

"""Settles deliveries whose fate nobody knows by a person's word, who has looked into the relay's log.

In groups, each one transaction with its attempt and audit rows. Called by the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from worker.delivery.steering import Fate
from worker.lifecycle import Happening
from worker.model import DeliveryId
from worker.store import editions, house, resolving
from worker.store.database import Database

_AT_ONCE = 500


_HAPPENINGS: Final = {
    Fate.ACCEPTED: Happening.ACCEPTED,
    Fate.RESEND: Happening.DEFERRED,
    Fate.REFUSED: Happening.REFUSED,
}
_SAID: Final = {
    Fate.ACCEPTED: "it was taken on, says {}",
    Fate.RESEND: "sent again with the same Message-ID, says {}",
    Fate.REFUSED: "it was not taken on and is not sent again, says {}",
}


def resolve(database: Database, ids: Sequence[DeliveryId], fate: Fate, *, actor: str) -> list[DeliveryId]:
    """Settle those of the deliveries that are still unknown, and return them; editions that are through finish."""
    settled: list[DeliveryId] = []
    for group in _groups(ids):
        with database.write() as conn:
            done = resolving.settle(conn, group, _HAPPENINGS[fate], text=_SAID[fate].format(actor))
            for delivery_id in done:
                house.note(conn, actor=actor, action=f"resolve as {fate}", subject=f"delivery {delivery_id}")
            editions.finish_settled(conn)
        settled += done
    return settled


def _groups(ids: Sequence[DeliveryId]) -> Iterator[Sequence[DeliveryId]]:
    ordered = sorted(set(ids))
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))

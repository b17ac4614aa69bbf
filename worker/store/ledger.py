"""The statements that show the books: deliveries and their attempts, as plain mappings for people and scripts.

Reads only. The CLI and the pages call it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import State
from worker.model import DeliveryId, SubscriberId
from worker.store.schema import Attempt, Delivery, Edition


def deliveries(
    conn: Connection,
    *,
    state: State | None = None,
    edition: int | None = None,
    delivery: DeliveryId | None = None,
    subscriber: SubscriberId | None = None,
    domain: str | None = None,
    provider: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield deliveries in order of id, with memory flat in their number; `recipient` is None after erasure."""
    query = (
        sa.select(
            Delivery.id,
            Delivery.edition_id.label("edition"),
            Edition.kind,
            Delivery.recipient,
            Delivery.addressee,
            Delivery.state,
            Delivery.attempts,
            Delivery.provider,
            Delivery.code,
            Delivery.reason,
            Delivery.message_id,
            Delivery.provider_message_id,
            Delivery.published_at,
            Delivery.seen_at,
            Delivery.matched_at,
            Delivery.planned_at,
            Delivery.committed_at,
            Delivery.accepted_at,
            Delivery.next_attempt_at,
        )
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Delivery.id > after)
        .order_by(Delivery.id)
        .limit(limit)
    )
    wanted = {
        Delivery.state: state,
        Delivery.edition_id: edition,
        Delivery.id: delivery,
        Delivery.subscriber_id: subscriber,
        Delivery.domain: domain,
        Delivery.provider: provider,
    }
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    for row in conn.execution_options(yield_per=1000).execute(query):
        yield dict(row._mapping)  # noqa: SLF001  Row's documented view


def attempts(conn: Connection, delivery_id: DeliveryId) -> list[dict[str, Any]]:
    """Return what became of each try of a delivery, in order."""
    query = (
        sa.select(
            Attempt.number,
            Attempt.outcome,
            Attempt.provider,
            Attempt.code,
            Attempt.enhanced,
            Attempt.text,
            Attempt.provider_message_id,
            Attempt.started_at,
            Attempt.ended_at,
        )
        .where(Attempt.delivery_id == delivery_id)
        .order_by(Attempt.id)
    )
    return [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view

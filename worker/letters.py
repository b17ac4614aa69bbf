"""Writes one reader's copy: the content that all readers of it share, with this reader's name, links and identifiers.

Decides nothing about who gets it. `wiring` makes one; delivery calls `write`, the pages call `html`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from worker.content import Newsroom, Personal, thaw
from worker.model import DeliveryId, EditionKind, OutgoingMessage
from worker.rendering.compile import CompiledMail, Renderer
from worker.store import deliveries
from worker.store.database import Database
from worker.store.deliveries import DueDelivery
from worker.tokens import Purpose, Tokens

CONFIRM_WITHIN = timedelta(days=3)


class Letters:
    """Makes messages of due deliveries: same delivery, same bytes."""

    def __init__(self, *, renderer: Renderer, tokens: Tokens, newsroom: Newsroom) -> None:
        self._renderer, self._tokens, self._newsroom = renderer, tokens, newsroom
        self._domain = newsroom.from_address.rpartition("@")[2]

    def write(self, due: DueDelivery) -> OutgoingMessage:
        """Return the finished message of one delivery."""
        return OutgoingMessage(
            delivery_id=due.id,
            envelope_from=self._tokens.return_path(due.id, domain=self._domain),
            recipient=due.recipient,
            message_id=due.message_id,
            data=self._compiled(due).fill(self._personal(due)),
        )

    def html(self, database: Database, delivery_id: DeliveryId) -> str | None:
        """Return a delivery's HTML for a browser; None when there is none any more, after erasure."""
        with database.read() as conn:
            due = deliveries.one(conn, delivery_id)
        return self._compiled(due).html(self._personal(due)) if due else None

    def _compiled(self, due: DueDelivery) -> CompiledMail:
        return self._renderer.compile(thaw(due.content))

    def _personal(self, due: DueDelivery) -> Personal:
        link = partial(_link, self._newsroom.base_url, self._tokens)
        question = (due.subscriber_id, due.confirmations)
        return Personal(
            recipient=due.recipient,
            name=due.name,
            message_id=due.message_id,
            sent_at=due.planned_at,
            preferences_url=link(Purpose.PREFERENCES, due.subscriber_id),
            unsubscribe_url=link(Purpose.UNSUBSCRIBE, due.subscriber_id, due.id),
            view_url=link(Purpose.VIEW, due.id),
            confirm_url=(
                link(Purpose.CONFIRM, *question, expires_at=due.planned_at + CONFIRM_WITHIN)
                if due.edition_kind is EditionKind.CONFIRMATION
                else ""
            ),
            feedback_id=f"{due.edition_id}:{due.edition_kind}:tocsin:{self._domain}",
            list_id=f"{due.edition_kind}.{self._domain}",
            list_name=self._newsroom.name,
        )


def _link(base_url: str, tokens: Tokens, purpose: Purpose, *numbers: int, expires_at: datetime | None = None) -> str:
    path = "m" if purpose is Purpose.VIEW else str(purpose)
    return f"{base_url}/{path}/{tokens.sign(purpose, *numbers, expires_at=expires_at)}"

"""Makes sent messages again, byte for byte, with the look that they were made with.

Reads only, sends nothing. A message is told of, whether or not it could be made again, and with what is not as it was.
The CLI calls it through `wiring`, and so does delivery, for requests that it has to repeat as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from worker.errors import AddressError
from worker.letters import Letters
from worker.model import DeliveryId, EditionId, Form, OutgoingMessage
from worker.rendering.look import Look
from worker.store import copies, looks
from worker.store.copies import DueDelivery
from worker.store.database import Database
from worker.store.looks import SentCopy

_AT_ONCE: Final = 500
_UNNOTED: Final = "what it was made with: it was sent before Tocsin noted that"
_UNWRITTEN: Final = "an address that can be written to: nothing was sent"
_ERASED: Final = "its reader, who has been erased"


@dataclass(frozen=True, kw_only=True, slots=True)
class Remade:
    """A message that was sent, made again; `data` is empty where it could not be.

    `lacks` says what is missing, so that the bytes are others than those that went, and `changed` in what the look
    differs from the present one.
    """

    delivery: DeliveryId
    message_id: str
    provider: str
    look: int | None
    version: str
    recipient: str | None = None
    data: bytes = field(default=b"", repr=False)
    changed: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class Replayer:
    """`present` is the look in force, `makers` returns what writes copies with a look, and what it lacks."""

    def __init__(
        self, database: Database, *, present: Look, makers: Callable[[Look], tuple[Letters, tuple[str, ...]]]
    ) -> None:
        self._database, self._present, self._makers = database, present, makers
        self._known: dict[int | None, _Workshop] = {}

    def sent(
        self,
        edition_id: EditionId,
        *,
        delivery: DeliveryId | None = None,
        recipient: str | None = None,
        message_id: str | None = None,
    ) -> Iterator[Remade]:
        """Yield the messages of an edition that were handed over, in order: one, those to an address, or all."""
        after = 0
        while True:
            with self._database.read() as conn:
                found = looks.sent(
                    conn,
                    edition_id,
                    delivery=delivery,
                    recipient=recipient,
                    message_id=message_id,
                    after=after,
                    limit=_AT_ONCE,
                )
                due = {one.id: one for one in copies.some(conn, [copy.id for copy in found])}
            for copy in found:
                yield self._remade(copy, due.get(copy.id))
            if len(found) < _AT_ONCE:
                return
            after = found[-1].id

    def writer(self, look_id: int) -> Callable[[DueDelivery, Form], OutgoingMessage] | None:
        """Return what writes copies as they were with a look; None where they would be others than those."""
        shop = self._workshop(look_id)
        return None if shop.lacks else shop.letters.write

    def _remade(self, copy: SentCopy, due: DueDelivery | None) -> Remade:
        shop = self._workshop(copy.look_id)
        about = Remade(
            delivery=copy.id,
            message_id=copy.message_id,
            provider=copy.provider,
            look=copy.look_id,
            version=shop.look.version,
            changed=shop.changed,
            lacks=shop.lacks,
        )
        if due is None or not due.content:
            return replace(about, lacks=(_ERASED,))
        try:
            data = shop.letters.write(due, Form.MIME).data
        except AddressError:
            return replace(about, recipient=due.recipient, lacks=(_UNWRITTEN,))
        return replace(about, recipient=due.recipient, data=data)

    def _workshop(self, look_id: int | None) -> _Workshop:
        if look_id not in self._known:
            self._known[look_id] = self._opened(look_id)
        return self._known[look_id]

    def _opened(self, look_id: int | None) -> _Workshop:
        kept = None
        if look_id is not None:
            with self._database.read() as conn:
                kept = looks.body_of(conn, look_id)
        look = Look.unpacked(kept) if kept else self._present
        letters, lacks = self._makers(look)
        return _Workshop(
            look=look,
            letters=letters,
            changed=tuple(self._present.differences(look)),
            lacks=lacks if kept else (_UNNOTED, *lacks),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Workshop:
    look: Look
    letters: Letters
    changed: tuple[str, ...]
    lacks: tuple[str, ...]

"""One connection to a relay, and the transactions on it: MAIL, RCPT, DATA, content, final dot.

This is the seam for a faster transaction: whatever owns a connection and offers `transact` fits into the pool of
`smtp.py`. It decides the one question that matters here, which is what a broken connection means for the message:

- Until the final dot is handed to the operating system, nobody can have accepted the message: RFC 5321, 4.1.1.4 and
  3.8, makes the end-of-data line the point where responsibility passes on. A loss before it is a plain `SendError`.
- From then on until its reply is read, the message may be anywhere: not sent, lost on the way, refused, or accepted
  with the reply lost (RFC 1047). A loss there is `OutcomeUnknown`, also where the dot perhaps never left the machine,
  since the operating system does not tell how much of what it took has arrived.

The content is therefore flushed before the dot is written, in a write of its own. That costs no round trip.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Final, Self

from worker.adapters.transports.smtp_envelope import Offers, seal
from worker.adapters.transports.smtp_replies import Reply, Stage, queue_id, refusal
from worker.adapters.transports.smtp_session import open_session
from worker.adapters.transports.smtp_wire import Wire
from worker.adapters.transports.spec import TransportSpec
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import OutgoingMessage, Receipt

_CLOSING: Final = 421  # RFC 5321, 3.8: may answer any command, and the connection is gone after it
_START_INPUT: Final = 354
_COURTESY_S: Final = 5.0  # for RSET and QUIT: no message depends on their replies


class StaleConnectionError(SendError):
    """The relay had hung up on a connection while it was idle: this says nothing about the message, so open another."""


class SmtpConnection:
    """An open connection. For one task at a time; after any error but a plain refusal it is of no further use."""

    def __init__(self, spec: TransportSpec, wire: Wire, offers: Offers) -> None:
        self._spec, self._wire, self._offers = spec, wire, offers
        self._transactions = 0
        self._between_transactions = True

    @classmethod
    async def open(cls, spec: TransportSpec, context: ssl.SSLContext | None) -> Self:
        """Connect, greet, encrypt and log in. Raises `SendError`, never permanent."""
        transport, extensions = await open_session(spec, context)
        return cls(spec, Wire(transport), Offers.of(extensions))

    @property
    def is_reusable(self) -> bool:
        """Whether another message may be tried on this connection, as far as we know."""
        is_young = self._transactions < self._spec.messages_per_connection
        return self._between_transactions and is_young and self._wire.is_open

    async def transact(self, message: OutgoingMessage) -> Receipt:
        """Hand one message over and wait for the reply; raises as `ports.Transport.send` says."""
        envelope = seal(message, self._offers)
        self._transactions += 1
        self._between_transactions = False
        await self._ask(Stage.MAIL, envelope.mail)
        await self._ask(Stage.RCPT, envelope.rcpt)
        await self._ask(Stage.DATA, b"DATA\r\n")
        reply = await self._send_content(envelope.content)
        if reply.is_refusal:
            raise await self._refused(reply, Stage.DOT)
        self._between_transactions = True
        return Receipt(
            provider=self._spec.name,
            code=reply.code,
            enhanced=reply.enhanced,
            text=reply.text,
            provider_message_id=queue_id(reply.text),
        )

    @property
    def expects_goodbye(self) -> bool:
        """Whether QUIT would be understood; in the middle of something, only `abort` is left."""
        return self._between_transactions and self._wire.is_open

    async def close(self) -> None:
        """Say goodbye, and let the connection go, whether or not it is returned."""
        try:
            with contextlib.suppress(OSError):
                await self._wire.ask(b"QUIT\r\n", _COURTESY_S)
        finally:
            self.abort()
        await self._wire.wait_closed()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._wire.abort()

    async def _ask(self, stage: Stage, line: bytes) -> None:
        """Give one command of the envelope; return if the relay does as told."""
        try:
            reply = await self._wire.ask(line, self._spec.timeouts.command_s)
        except OSError as error:
            raise self._lost(stage, error) from error
        if reply.code == _START_INPUT if stage is Stage.DATA else reply.is_success:
            return
        if reply.code == _CLOSING and self._may_be_stale(stage):
            raise StaleConnectionError(reply.text, permanent=False, code=reply.code, enhanced=reply.enhanced)
        if not reply.is_refusal:
            raise self._lost(stage, f"the reply {reply.code} makes no sense")
        raise await self._refused(reply, stage)

    async def _send_content(self, content: bytes) -> Reply:
        """Send the content and its final dot; return the reply, which takes the message on or refuses it."""
        timeouts = self._spec.timeouts
        try:
            await self._wire.write(content, timeouts.data_s)
        except OSError as error:
            raise self._lost(Stage.DATA, error) from error
        try:
            reply = await self._wire.ask(b".\r\n", timeouts.final_dot_s)
        except OSError as error:
            raise OutcomeUnknown(f"no reply to the end of data: {_reason(error)}") from error
        if not (reply.is_success or reply.is_refusal):
            raise OutcomeUnknown(f"the reply {reply.code} to the end of data makes no sense")
        return reply

    async def _refused(self, reply: Reply, stage: Stage) -> SendError:
        """Forget the refused transaction, so that the next message can use the connection, and give the error to raise.

        RSET also finds out a relay that answered the content too early: its replies are one behind from then on.
        """
        if reply.code != _CLOSING:
            with contextlib.suppress(OSError):
                done = await self._wire.ask(b"RSET\r\n", _COURTESY_S)
                self._between_transactions = done.is_success
        return refusal(reply, stage)

    def _lost(self, stage: Stage, reason: OSError | str) -> SendError:
        kind = StaleConnectionError if self._may_be_stale(stage) else SendError
        words = reason if isinstance(reason, str) else _reason(reason)
        return kind(f"the connection was lost at {stage}: {words}", permanent=False, blame=Blame.US)

    def _may_be_stale(self, stage: Stage) -> bool:
        return stage is Stage.MAIL and self._transactions > 1


def _reason(error: OSError) -> str:
    return "it took too long" if isinstance(error, TimeoutError) else str(error) or type(error).__name__

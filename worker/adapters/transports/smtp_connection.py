"""One connection to a relay, and the transactions on it: MAIL, RCPT, DATA, content, final dot.

Where the relay offers PIPELINING (RFC 2920) a message costs one round trip: the end of its data and the next message's
whole envelope go out in one write. Elsewhere it is lock-step. Either way this module decides the one question that
matters here, which is what a broken connection means for a message:

- Until its final dot is handed to the connection, nobody can have accepted it: RFC 5321, 4.1.1.4 and 3.8, makes the
  end-of-data line the point where responsibility passes on. A loss before it is a plain `SendError`, or costs the
  message nothing at all where its envelope had only been sent ahead.
- From then on until its reply is read, it may be anywhere: not sent, lost on the way, refused, or accepted with the
  reply lost (RFC 1047). A loss there is `OutcomeUnknown`, also where the dot perhaps never left the machine, since the
  operating system does not tell how much of what it took has arrived. Only of a message that is longer than one write
  do we know that its content has left, before its dot is written.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Final, Self

from worker.adapters.transports.smtp_envelope import Envelope, Offers
from worker.adapters.transports.smtp_replies import Reply, Stage, queue_id, refusal
from worker.adapters.transports.smtp_session import open_session
from worker.adapters.transports.smtp_supply import Supply
from worker.adapters.transports.smtp_wire import Wire, fits_one_write
from worker.adapters.transports.spec import TransportSpec
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Receipt
from worker.ports import Errand

_CLOSING: Final = 421  # RFC 5321, 3.8: may answer any command, and the connection is gone after it
_START_INPUT: Final = 354
_COURTESY_S: Final = 5.0  # for RSET and QUIT: no message depends on their replies
_DATA: Final = b"DATA\r\n"
_DOT: Final = b".\r\n"
_RSET: Final = b"RSET\r\n"


class _LostError(Exception):
    """The connection broke before the message's content had been sent."""

    def __init__(self, stage: Stage, reason: OSError | str) -> None:
        super().__init__(reason)
        words = reason if isinstance(reason, str) else _reason(reason)
        self.error = SendError(f"the connection was lost at {stage}: {words}", permanent=False, blame=Blame.US)


class SmtpConnection:
    """An open connection, for one task at a time."""

    def __init__(self, spec: TransportSpec, wire: Wire, offers: Offers) -> None:
        self._spec, self._wire, self._offers = spec, wire, offers
        self._begun = 0
        self._is_amid = False  # in a transaction
        self._is_broken = False

    @classmethod
    async def open(cls, spec: TransportSpec, context: ssl.SSLContext | None) -> Self:
        """Connect, greet, encrypt and log in. Raises `SendError`, never permanent."""
        transport, extensions = await open_session(spec, context)
        return cls(spec, Wire(transport), Offers.of(extensions))

    @property
    def expects_goodbye(self) -> bool:
        """Whether QUIT would be understood; in the middle of something, only `abort` is left."""
        return not (self._is_amid or self._is_broken) and self._wire.is_open

    @property
    def is_reusable(self) -> bool:
        """Whether another message may be tried on this connection, as far as we know."""
        return self.expects_goodbye and not self._is_spent

    async def work_off(self, supply: Supply, errand: Errand) -> None:
        """Send from `supply` until it or this connection is at its end.

        A message whose turn it was when the connection proved to have been dead for a while is put back: that says
        nothing about it, or about the relay.
        """
        is_blameless = self._begun > 0  # what breaks now may have broken before this message came
        envelope = await supply.next(self._offers)
        if envelope is not None:
            self._begin(envelope)
        while envelope is not None:
            try:
                refused = await self._ask_in(envelope)
            except _LostError as lost:
                refused, self._is_broken = lost.error, True
            if self._is_broken and is_blameless:
                supply.put_back(envelope)
                return
            if refused is None:
                envelope = await self._send_content(envelope, supply, errand)
                is_blameless = True  # the next envelope may have met a connection that this message broke
            else:
                errand.settle(envelope.message, refused)
                envelope, is_blameless = await self._begin_anew(supply), False

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

    @property
    def _is_spent(self) -> bool:
        return self._begun >= self._spec.messages_per_connection

    def _begin(self, envelope: Envelope, *before: bytes) -> None:
        """Announce a message to the relay, after what else has to be said in the same write."""
        self._begun += 1
        self._is_amid = True
        if self._offers.pipelining:
            self._wire.write(*before, envelope.mail, envelope.rcpt, _DATA)
        else:
            self._wire.write(*before, envelope.mail)

    async def _ask_in(self, envelope: Envelope) -> SendError | None:
        """Hear what the relay says to an envelope: None when it wants the content.

        Raises `_LostError` when nothing can be told any more.
        """
        refused, wants_content = None, False
        for stage, line in ((Stage.MAIL, None), (Stage.RCPT, envelope.rcpt), (Stage.DATA, _DATA)):
            if line is not None and not self._offers.pipelining:
                self._wire.write(line)
            try:
                reply = self._wire.read_at_hand() or await self._wire.read(self._spec.timeouts.command_s)
            except OSError as error:
                if refused:
                    self._is_broken = True
                    return refused
                raise _LostError(stage, error) from error
            wants_content = reply.code == _START_INPUT
            if wants_content if stage is Stage.DATA else reply.is_success:
                continue
            if not reply.is_refusal:
                raise _LostError(stage, f"the reply {reply.code} makes no sense")
            refused = refused or refusal(reply, stage)
            self._is_broken = reply.code == _CLOSING
            if self._is_broken or not self._offers.pipelining:
                return refused
        if refused and wants_content:
            await self._send_nothing()
        return refused

    async def _send_nothing(self) -> None:
        """End the data of a message that has no recipient left (RFC 2920, 3.1, leaves that to the client)."""
        try:
            await self._wire.ask(_DOT, self._spec.timeouts.command_s)
        except OSError:
            self._is_broken = True

    async def _send_content(self, envelope: Envelope, supply: Supply, errand: Errand) -> Envelope | None:
        """Send the content and its dot, and the next envelope with it; settle the message; return the one begun."""
        timeouts = self._spec.timeouts
        head: tuple[bytes, ...] = (envelope.content, _DOT)
        if not fits_one_write(envelope.content):
            try:
                await self._wire.drain(envelope.content, timeouts.data_s)
            except OSError as error:
                self._is_broken = True
                errand.settle(envelope.message, _LostError(Stage.DATA, error).error)
                return None
            head = (_DOT,)
        goes_on = self._offers.pipelining and not self._is_spent
        following = supply.at_hand(self._offers) if goes_on else None
        self._is_amid = False
        if following is None:
            self._wire.write(*head)
        else:
            self._begin(following, *head)
        answer = await self._end_of_data(timeouts.final_dot_s)
        errand.settle(envelope.message, answer)
        if self._is_broken:
            supply.put_back(following)
            return None
        if following is None and isinstance(answer, SendError):
            return await self._begin_anew(supply)
        return following or await self._begin_next(supply)

    async def _end_of_data(self, timeout_s: float) -> Receipt | SendError | OutcomeUnknown:
        try:
            reply = await self._wire.read(timeout_s)
        except OSError as error:
            self._is_broken = True
            return OutcomeUnknown(f"no reply to the end of data: {_reason(error)}")
        if reply.is_success:
            return self._receipt(reply)
        self._is_broken = not reply.is_refusal or reply.code == _CLOSING
        if reply.is_refusal:
            return refusal(reply, Stage.DOT)
        return OutcomeUnknown(f"the reply {reply.code} to the end of data makes no sense")

    def _receipt(self, reply: Reply) -> Receipt:
        return Receipt(
            provider=self._spec.name,
            code=reply.code,
            enhanced=reply.enhanced,
            text=reply.text,
            provider_message_id=queue_id(reply.text),
        )

    async def _begin_anew(self, supply: Supply) -> Envelope | None:
        """Forget a refused transaction, so that the next message can use the connection, and begin that.

        RSET also finds out a relay that answered the content too early: its replies are one behind from then on.
        """
        if self._is_broken:
            return None
        try:
            self._is_broken = not (await self._wire.ask(_RSET, _COURTESY_S)).is_success
        except OSError:
            self._is_broken = True
        self._is_amid = False
        return None if self._is_broken else await self._begin_next(supply)

    async def _begin_next(self, supply: Supply) -> Envelope | None:
        if self._is_spent:
            return None
        envelope = await supply.next(self._offers)
        if envelope is not None:
            self._begin(envelope)
        return envelope


def _reason(error: OSError) -> str:
    return "it took too long" if isinstance(error, TimeoutError) else str(error) or type(error).__name__

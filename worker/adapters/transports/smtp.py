"""`SmtpTransport`: a pool of connections to one relay, reused from errand to errand.

It decides which connection takes on an errand and when one has served its time; what is said on it is
`smtp_connection.py`'s business, and pacing, retries and fail-over are delivery's. `build.py` makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from worker.adapters.transports.smtp_connection import SmtpConnection
from worker.adapters.transports.smtp_session import trust
from worker.adapters.transports.smtp_supply import Supply
from worker.adapters.transports.spec import TransportSpec
from worker.errors import OutcomeUnknown
from worker.model import Form, Sighting
from worker.ports import Answer, Errand, Request


class SmtpTransport:
    """A relay, spoken to over at most `connections` connections at once, each opened when first needed.

    It belongs to one event loop: close it before that loop ends.
    """

    form = Form.MIME
    keys_honoured_s = 0.0

    def __init__(self, spec: TransportSpec) -> None:
        self._spec = spec
        self._context = trust(spec)
        self._slots = asyncio.Semaphore(spec.connections)
        self._kept: set[SmtpConnection] = set()
        self._idle: list[tuple[SmtpConnection, asyncio.TimerHandle]] = []
        self._farewells: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The name that its DSN gives it."""
        return self._spec.name

    @property
    def connections(self) -> int:
        """How many messages can be under way at once."""
        return self._spec.connections

    @property
    def window(self) -> int:
        """A connection has one message on the wire, and `prepared` more that are already durable."""
        return self._spec.connections * (1 + self._spec.prepared)

    async def work(self, errand: Errand) -> None:
        """Send as one connection; see `ports.Transport`. Waits its turn when all connections are taken."""
        async with self._slots:
            supply = Supply(errand, most=self._spec.prepared)
            try:
                connection = self._take_idle() or await self._open()
                await self._use(connection, supply, errand)
                while await supply.has_more():  # that connection has served its time, or is broken
                    await self._use(await self._open(), supply, errand)
            finally:
                await supply.give_back()

    async def repeat(self, request: Request) -> Sequence[Answer]:
        """Send nothing: SMTP knows no keys, so that a repetition could arrive twice."""
        return [OutcomeUnknown("SMTP honours no keys") for _ in request.messages]

    async def look_up(self, message_id: str) -> Sighting:  # noqa: ARG002  the port's name for it
        """Tell nothing: SMTP has no such question."""
        return Sighting.CANNOT_TELL

    async def close(self) -> None:
        """Close what is idle, and let what is in use be closed as soon as its messages are through."""
        while self._idle:
            connection, timer = self._idle.pop()
            timer.cancel()
            self._dismiss(connection)
        self._kept.clear()
        await asyncio.gather(*self._farewells, return_exceptions=True)

    async def _open(self) -> SmtpConnection:
        connection = await SmtpConnection.open(self._spec, self._context)
        self._kept.add(connection)
        return connection

    async def _use(self, connection: SmtpConnection, supply: Supply, errand: Errand) -> None:
        try:
            await connection.work_off(supply, errand)
        finally:  # also when cancelled: then the connection is in the middle of something, and goes
            if connection in self._kept and connection.is_reusable:
                self._lay_by(connection)
            else:
                self._dismiss(connection)

    def _take_idle(self) -> SmtpConnection | None:
        """Take the one used last: the others may then grow old enough to be closed."""
        while self._idle:
            connection, timer = self._idle.pop()
            timer.cancel()
            if connection.is_reusable:
                return connection
            self._dismiss(connection)
        return None

    def _lay_by(self, connection: SmtpConnection) -> None:
        timer = asyncio.get_running_loop().call_later(self._spec.idle_s, self._expire, connection)
        self._idle.append((connection, timer))

    def _expire(self, connection: SmtpConnection) -> None:
        self._idle = [(other, timer) for other, timer in self._idle if other is not connection]
        self._dismiss(connection)

    def _dismiss(self, connection: SmtpConnection) -> None:
        """Let go of a connection, saying goodbye in the background: nobody should wait for that."""
        self._kept.discard(connection)
        if not connection.expects_goodbye:
            connection.abort()
            return
        farewell = asyncio.get_running_loop().create_task(connection.close())
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

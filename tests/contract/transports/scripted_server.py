"""An SMTP server that does as it is told: at each step of each connection it answers, stalls, drops or talks nonsense.

Without a script it is a plain, well-behaved relay. Tests read from it what a transport really said.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from types import TracebackType
from typing import Any, Self

import uvloop

from worker.model import DeliveryId, OutgoingMessage, Receipt
from worker.ports import Answer, Request, Transport


class Step(StrEnum):
    """Where in a connection an act takes place. BODY is in the middle of the content, DOT after its end."""

    BANNER = "banner"
    EHLO = "EHLO"
    HELO = "HELO"
    STARTTLS = "STARTTLS"
    HANDSHAKE = "handshake"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "body"
    DOT = "dot"
    AFTER = "after"  # when the reply to the dot has been read, or could have been
    RSET = "RSET"
    QUIT = "QUIT"


class Fault(Enum):
    """What a server can do instead of answering."""

    DROP = "resets the connection"
    HANG_UP = "closes the connection properly"
    STALL = "says nothing any more"
    HALF_CLOSE = "goes on listening, but closes its side"


@dataclass(frozen=True)
class Slow:
    """The right answer, late."""

    after_s: float


Act = str | Fault | Slow
Script = Mapping[Step, Act]

REPLIES: Script = {
    Step.BANNER: "220 relay.test ESMTP",
    Step.HELO: "250 relay.test",
    Step.STARTTLS: "220 2.0.0 go ahead",
    Step.MAIL: "250 2.1.0 Ok",
    Step.RCPT: "250 2.1.5 Ok",
    Step.DATA: "354 go ahead",
    Step.DOT: "250 2.0.0 Ok: queued as 4F1B2C3D",
    Step.RSET: "250 2.0.0 Ok",
    Step.QUIT: "221 2.0.0 Bye",
}


@dataclass
class Conversation:
    """What was said on one connection."""

    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    credentials: list[bytes] = field(default_factory=list)
    encrypted: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def verbs(self) -> list[str]:
        return [command.split()[0].upper() for command in self.commands]


class _Over(Exception):  # noqa: N818  the end of a connection is no error
    pass


class ScriptedServer:
    """`scripts` has one script a connection; the last serves all that follow."""

    offers_pipelining = False

    def __init__(
        self,
        *scripts: Script,
        extensions: Sequence[str] = ("SIZE 50000000", "8BITMIME", "SMTPUTF8"),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        password: str = "open sesame",
        small_buffer: bool = False,
    ) -> None:
        self.scripts = scripts or ({},)
        self.extensions = [*extensions, *(["PIPELINING"] if self.offers_pipelining else [])]
        self.tls, self.implicit_tls, self.password = tls, implicit_tls, password
        self.conversations: list[Conversation] = []
        self.open = self.most_open = 0
        self._small_buffer = small_buffer
        self._tasks: set[asyncio.Task[None]] = set()
        self._reached: defaultdict[Step, asyncio.Event] = defaultdict(asyncio.Event)

    async def __aenter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0))
        if self._small_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port: int = listener.getsockname()[1]
        context = self.tls if self.implicit_tls else None
        self._server = await asyncio.start_server(self._serve, sock=listener, ssl=context, limit=2**16)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def messages(self) -> list[bytes]:
        """Every message that came in whole, whatever was then said about it."""
        return [message for conversation in self.conversations for message in conversation.messages]

    async def reached(self, step: Step) -> None:
        """Wait until some client has come to this step."""
        await self._reached[step].wait()

    def reach(self, step: Step) -> None:
        self._reached[step].set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        script = self.scripts[min(len(self.conversations), len(self.scripts) - 1)]
        self.conversations.append(conversation := Conversation(encrypted=self.implicit_tls))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await _Session(self, script, conversation, reader, writer).run()
        except (_Over, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            conversation.ended.set()
            writer.close()
            with contextlib.suppress(OSError):
                async with asyncio.timeout(0.1):  # after a failed handshake asyncio tells nobody of the end
                    await writer.wait_closed()
            self._tasks.discard(task)


class _Session:
    def __init__(
        self,
        server: ScriptedServer,
        script: Script,
        conversation: Conversation,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._server, self._script, self._said = server, script, conversation
        self._reader, self._writer = reader, writer

    async def run(self) -> None:
        await self._act(Step.BANNER)
        while line := await self._reader.readline():
            command = line.decode().rstrip("\r\n")
            self._said.commands.append(command)
            verb = command.split()[0].upper()
            if verb == "EHLO":
                await self._act(Step.EHLO, self._hello())
            elif verb == "AUTH":
                await self._authenticate(command)
            elif verb == "DATA":
                await self._take_message()
            elif verb in set(Step):
                if await self._act(Step(verb)) == REPLIES[Step.STARTTLS]:
                    await self._encrypt()
            else:
                self._say("502 5.5.2 never heard of it")
            if verb == "QUIT":
                raise _Over

    async def _act(self, step: Step, usual: str = "") -> str:
        """Do what the script has for this step, or else the usual; give what was said, if anything was."""
        self._server.reach(step)
        usual = usual or str(REPLIES.get(step, ""))
        match self._script.get(step, usual):
            case Fault.DROP:
                self._writer.transport.abort()
                raise _Over
            case Fault.HANG_UP:
                raise _Over
            case Fault.HALF_CLOSE:
                self._writer.write_eof()
            case Fault.STALL:
                await asyncio.Event().wait()
            case Slow(after_s=after_s):
                await asyncio.sleep(after_s)
                return self._say(usual)
            case str(reply) if reply:
                return self._say(reply)
        return ""

    def _say(self, reply: str) -> str:
        """Say it, even a 421 that should close the connection: whether the client leaves by itself is to be seen."""
        self._writer.write(reply.replace("\n", "\r\n").encode(errors="surrogateescape") + b"\r\n")
        return reply

    def _hello(self) -> str:
        can_encrypt = self._server.tls is not None and not self._said.encrypted
        offers = ["relay.test", *self._server.extensions, *(["STARTTLS"] if can_encrypt else [])]
        return "\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    async def _encrypt(self) -> None:
        await self._act(Step.HANDSHAKE)
        assert self._server.tls
        await self._writer.start_tls(self._server.tls)
        self._said.encrypted = True

    async def _take_message(self) -> None:
        if not (await self._act(Step.DATA)).startswith("354"):
            return
        if Step.BODY in self._script:
            await self._reader.read(1000)
            await self._act(Step.BODY)
        lines: list[bytes] = []
        while (line := await self._reader.readline()) != b".\r\n":
            if not line:
                raise _Over
            lines.append(line.removeprefix(b"."))
        self._said.messages.append(b"".join(lines))
        await self._act(Step.DOT)
        await self._act(Step.AFTER)

    async def _authenticate(self, command: str) -> None:
        """PLAIN, LOGIN and XOAUTH2, with the user name "user"."""
        _, mechanism, *initial = command.split()
        credentials = base64.b64decode(initial[0])
        if mechanism.upper() == "LOGIN":
            self._say("334 UGFzc3dvcmQ6")
            credentials += b"\0" + base64.b64decode(await self._reader.readline())
        self._said.credentials.append(credentials)
        right = self._server.password.encode() in credentials
        await self._act(Step.AUTH, "235 2.7.0 welcome" if right else "535 5.7.8 wrong password")


def letter(number: int = 1, *, recipient: str = "reader@example.org", data: bytes | None = None) -> OutgoingMessage:
    """Write a small message; `number` tells it from others."""
    message_id = f"<{number}@news.test>"
    text = f"Message-ID: {message_id}\r\nFrom: desk@news.test\r\nSubject: No. {number}\r\n\r\nNews.\r\n"
    return OutgoingMessage(
        delivery_id=DeliveryId(number),
        envelope_from=f"bounce+{number}@news.test",
        recipient=recipient,
        message_id=message_id,
        data=text.encode() if data is None else data,
    )


class OneLetter:
    """An errand of a few letters, for one call of `work` after another."""

    def __init__(self, *messages: OutgoingMessage) -> None:
        self.waiting = list(messages)
        self.answers: dict[OutgoingMessage, Answer] = {}

    async def next(self, most: int) -> Request:
        given, self.waiting = self.waiting[:most], self.waiting[most:]
        return Request(key="a-key", messages=tuple(given))

    def settle(self, message: OutgoingMessage, answer: Answer) -> None:
        assert message not in self.answers, "settled twice"
        self.answers[message] = answer

    def give_back(self, messages: Sequence[OutgoingMessage]) -> None:
        assert not set(messages) & self.answers.keys(), "settled, and given back"
        self.waiting = [*messages, *self.waiting]


async def send(transport: Transport, message: OutgoingMessage) -> Receipt:
    """Hand one message over, and return its receipt or raise what became of it."""
    errand = OneLetter(message)
    await transport.work(errand)
    answer = errand.answers[message]
    if isinstance(answer, Receipt):
        return answer
    raise answer


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test in a loop of its own, the one that workers use where it pipelines, and not for ever."""

    async def limited() -> None:
        async with asyncio.timeout(20):
            await test

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if ScriptedServer.offers_pipelining else None) as runner:
        runner.run(limited())

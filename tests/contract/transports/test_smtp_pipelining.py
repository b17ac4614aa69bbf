"""One round trip a message (RFC 2920), and what becomes of a message whose envelope went out ahead of its turn."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.transports.scripted_server import (
    Fault,
    OneLetter,
    Script,
    ScriptedServer,
    Slow,
    Step,
    letter,
    run,
)
from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports
from worker.adapters.transports.smtp import SmtpTransport
from worker.errors import OutcomeUnknown, SendError
from worker.model import OutgoingMessage, Receipt
from worker.ports import Request

HUGE = b"Subject: long\r\n\r\n" + (b"y" * 998 + b"\r\n") * 200  # more than one write


@pytest.fixture(autouse=True)
def _pipelining(monkeypatch):
    monkeypatch.setattr(ScriptedServer, "offers_pipelining", True)


def relay(port: int, options: str = "") -> SmtpTransport:
    made = build(
        parse_transports(f"smtp://127.0.0.1:{port}?hello=news.test&connections=1&{options or 'prepared=2'}")[0]
    )
    assert isinstance(made, SmtpTransport)
    return made


def letters(count: int, *, data: bytes | None = None) -> list[OutgoingMessage]:
    return [letter(number, data=data) for number in range(1, count + 1)]


async def work(server: ScriptedServer, messages: list[OutgoingMessage], options: str = "") -> list[object]:
    """Send messages over one connection, and return what became of each."""
    transport, errand = relay(server.port, options), OneLetter(*messages)
    try:
        await transport.work(errand)
    finally:
        await transport.close()
    assert errand.waiting == []
    return [errand.answers[message] for message in messages]


@pytest.mark.parametrize("data", [None, HUGE])
def test_the_next_envelope_goes_out_with_the_dot(data):
    """The server answers nothing before it has all that one write holds; in lock-step it would wait for ever."""
    held: Script = {Step.AFTER: "", Step.DOT: Slow(0.01)}

    async def test():
        async with ScriptedServer(held) as server:
            messages = letters(5, data=data)
            answers = await work(server, messages)
        assert [type(answer) for answer in answers] == [Receipt] * 5
        assert server.messages == [message.data for message in messages]
        assert server.conversations[0].verbs == ["EHLO", *["MAIL", "RCPT", "DATA"] * 5, "QUIT"]

    run(test())


def test_messages_cost_one_round_trip_each():
    """Every reply takes 20 ms to travel: ten messages in lock-step take forty of them."""

    async def test():
        async with DistantSink(0.02) as sink:
            messages = letters(10)
            began_s = asyncio.get_running_loop().time()
            transport, errand = relay(sink.port), OneLetter(*messages)
            await transport.work(errand)
            trips = (asyncio.get_running_loop().time() - began_s) / 0.02
            await transport.close()
        assert sink.writes <= 2 + 10 + 2  # EHLO, the first envelope, ten contents, QUIT; not four a message
        assert trips >= 12
        assert all(isinstance(answer, Receipt) for answer in errand.answers.values())

    run(test())


class DistantSink(asyncio.Protocol):
    """Accepts everything after a round trip, and counts in how many pieces the client's bytes came."""

    def __init__(self, trip_s: float) -> None:
        self.trip_s, self.writes, self.port = trip_s, 0, 0

    async def __aenter__(self):
        self._server = await asyncio.get_running_loop().create_server(lambda: self, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    def connection_made(self, transport):
        self._transport, self._rest, self._in_data = transport, b"", False
        transport.write(b"220 far away\r\n")

    def data_received(self, data):
        self.writes += 1
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        answer = b"".join(self._answer(line) for line in lines)
        asyncio.get_running_loop().call_later(self.trip_s, self._transport.write, answer)

    def _answer(self, line: bytes) -> bytes:
        if self._in_data:
            self._in_data = line != b"."
            return b"" if self._in_data else b"250 queued\r\n"
        self._in_data = line == b"DATA"
        return {b"EHLO": b"250-far\r\n250 PIPELINING\r\n", b"DATA": b"354 go\r\n"}.get(line[:4], b"250 ok\r\n")


def test_a_354_after_a_refused_recipient_is_answered_with_a_lone_dot():
    """RFC 2920, 3.1: the relay may ask for the content all the same, and must be given an end of it."""
    script: Script = {Step.RCPT: "550 5.1.1 nobody", Step.DOT: "554 5.5.1 no valid recipients"}

    async def test():
        async with ScriptedServer(script) as server:
            answers = await work(server, letters(2))
        assert [answer.enhanced for answer in answers if isinstance(answer, SendError)] == ["5.1.1", "5.1.1"]
        assert server.messages == [b"", b""]
        assert len(server.conversations) == 1

    run(test())


@pytest.mark.parametrize("act", [Fault.DROP, Fault.HANG_UP, "421 4.7.0 too many messages"])
def test_what_was_only_announced_goes_out_over_the_next_connection(act):
    """The relay ends after a message; the envelope of the one that follows is on its way already."""

    async def test():
        async with ScriptedServer({Step.AFTER: act}, {}) as server:
            answers = await work(server, letters(3))
        assert [type(answer) for answer in answers] == [Receipt] * 3
        assert len(server.messages) == 3
        assert len(server.conversations) == 2

    run(test())


@pytest.mark.parametrize("act", [Fault.DROP, Fault.HANG_UP, "nonsense"])
def test_only_the_message_whose_dot_was_sent_is_in_doubt(act):
    async def test():
        async with ScriptedServer({Step.DOT: act}, {}) as server:
            answers = await work(server, letters(3))
        assert [type(answer) for answer in answers] == [OutcomeUnknown, Receipt, Receipt]

    run(test())


def test_a_refusal_at_the_dot_concerns_that_message_alone():
    async def test():
        async with ScriptedServer({Step.DOT: "550 5.7.1 spam"}) as server:
            answers = await work(server, letters(3))
        assert [answer.enhanced for answer in answers if isinstance(answer, SendError)] == ["5.7.1"] * 3
        assert len(server.conversations) == 1

    run(test())


def test_what_was_prepared_is_given_back_when_the_relay_cannot_be_reached_again():
    async def test():
        server = ScriptedServer({Step.RCPT: Fault.DROP})
        async with server:
            port = server.port
            transport, errand = relay(port), OneLetter(*letters(5))
            server._server.close()  # one connection was all
            with pytest.raises(SendError):
                await transport.work(errand)
        assert errand.answers == {}
        assert len(errand.waiting) == 5

    run(test())


def test_a_server_that_answers_too_early_is_found_out_by_the_next_envelope():
    """Its replies are one behind: the 250 where a 354 belongs gives it away, and nothing more is sent over it."""

    async def test():
        early: Script = {Step.BODY: "552 5.3.4 too long", Step.DOT: "500 5.5.2 what?"}
        async with ScriptedServer(early, {}) as server:
            answers = await work(server, letters(2, data=HUGE))
        assert isinstance(answers[0], SendError)
        assert isinstance(answers[1], Receipt)
        assert [len(conversation.messages) for conversation in server.conversations] == [1, 1]

    run(test())


def test_a_connection_that_has_served_its_time_announces_nothing_more():
    async def test():
        async with ScriptedServer() as server:
            answers = await work(server, letters(5), "messages=2")
        assert [type(answer) for answer in answers] == [Receipt] * 5
        assert [conversation.verbs.count("MAIL") for conversation in server.conversations] == [2, 2, 1]
        assert {conversation.verbs[-1] for conversation in server.conversations} == {"QUIT"}

    run(test())


@pytest.mark.parametrize("prepared", [1, 2, 4, 7])
def test_no_more_is_taken_than_one_on_the_wire_and_what_may_be_prepared(prepared):
    class Counting(OneLetter):
        most = 0

        async def next(self, most: int):
            request = await super().next(most)
            await asyncio.sleep(0.002)  # as a database takes its time
            taken = len(messages) - len(self.waiting) - len(self.answers)
            self.most = max(self.most, taken)
            return request

    messages = letters(60)

    async def test():
        async with ScriptedServer({Step.DOT: Slow(0.001)}) as server:
            transport = build(
                parse_transports(f"smtp://127.0.0.1:{server.port}?hello=news.test&connections=1&prepared={prepared}")[0]
            )
            errand = Counting(*messages)
            await transport.work(errand)
            await transport.close()
        assert len(server.messages) == 60
        assert transport.window == 1 + prepared
        assert 1 < errand.most <= transport.window

    run(test())


class Failing(OneLetter):
    """An errand that can make nothing more durable after a few requests: the database is gone."""

    def __init__(self, *messages: OutgoingMessage, requests: int) -> None:
        super().__init__(*messages)
        self._left = requests

    async def next(self, most: int) -> Request:
        self._left -= 1
        if self._left < 0:
            raise ConnectionError("the database is gone")
        return await super().next(most)


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_what_is_prepared_when_nothing_more_can_be_is_sent_or_given_back_and_never_in_doubt(requests):
    async def test():
        messages = letters(8)
        async with ScriptedServer() as server:
            transport, errand = relay(server.port, "prepared=4"), Failing(*messages, requests=requests)
            with pytest.raises(ConnectionError, match="the database is gone"):
                await transport.work(errand)
            await transport.close()
            assert {*errand.answers, *errand.waiting} == set(messages)
            assert len(server.messages) == len(errand.answers) >= 1
            assert all(isinstance(answer, Receipt) for answer in errand.answers.values())

    run(test())

"""The local inbox as a real server in a process of its own, and the Maildir that it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.transports.scripted_server import send
from worker.adapters.transports import maildir as storage
from worker.adapters.transports.build import build
from worker.adapters.transports.dsn import parse_transports
from worker.errors import ConfigurationError, OutcomeUnknown, SendError
from worker.model import DeliveryId, OutgoingMessage, Sighting
from worker.ports import Transport
from worker.runtime.inbox import (
    MAX_MESSAGE_BYTES,
    count_messages,
    erase_messages_to,
    list_messages,
    listen,
    look_up,
    read_message,
    serve,
)

PROGRAM = """
import sys
from pathlib import Path
from worker.runtime.inbox import serve
serve("127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]), ready=lambda port: print(port, flush=True))
"""


class Server:
    """The inbox in a process of its own."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        command = [sys.executable, "-W", "error", "-c", PROGRAM, str(port), str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline() or 0)

    def end(self, number: int = signal.SIGTERM) -> str:
        """End it and give what it wrote to stderr."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=10)[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    yield server
    if server.process.poll() is None:
        server.end(signal.SIGKILL)


def letter(number: int = 1, *, recipient: str = "reader@example.org", size: int = 25_000) -> OutgoingMessage:
    head = f"Message-ID: <{number}@news.test>\r\nFrom: Desk <desk@news.test>\r\nSubject: No. {number}\r\n\r\n"
    return OutgoingMessage(
        delivery_id=DeliveryId(number),
        envelope_from=f"bounce+{number}@news.test",
        recipient=recipient,
        message_id=f"<{number}@news.test>",
        data=head.encode() + (b"x" * 70 + b"\r\n") * (size // 72),
    )


def transport_to(port: int, folder: Path, options: str = "") -> Transport:
    return build(parse_transports(f"inbox://127.0.0.1:{port}?maildir={folder}&hello=news.test&{options}")[0])


@contextlib.asynccontextmanager
async def inbox(folder: Path) -> AsyncIterator[Transport]:
    """Run an inbox in this loop, and give a transport to it."""
    async with listen("127.0.0.1", 0, folder) as port:
        transport = transport_to(port, folder)
        try:
            yield transport
        finally:
            await transport.close()


def run(test: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(limited())


def test_a_message_that_was_sent_is_found_and_another_is_not(server, folder):
    async def test():
        transport = transport_to(server.port, folder)
        receipt = await send(transport, letter())
        assert await transport.look_up("<1@news.test>") is Sighting.FOUND
        assert await transport.look_up("<2@news.test>") is Sighting.ABSENT
        await transport.close()
        assert (receipt.code, receipt.enhanced) == (250, "2.0.0")
        assert read_message(folder, receipt.provider_message_id).endswith(letter().data)

    run(test())


def test_two_hundred_messages_over_ten_connections_are_all_stored(server, folder):
    async def test():
        transport = transport_to(server.port, folder, "connections=10")
        receipts = await asyncio.gather(*(send(transport, letter(number)) for number in range(200)))
        await transport.close()
        assert len({receipt.provider_message_id for receipt in receipts}) == 200

    run(test())
    assert {message.subject for message in list_messages(folder, 1000)} == {f"No. {number}" for number in range(200)}


def test_sigterm_ends_it_in_two_seconds_whatever_is_connected(server):
    with contextlib.ExitStack() as stack:
        idle, busy = (stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(2))
        busy.sendall(b"EHLO a\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\nSubject: unfinished")
        assert idle.recv(100)
        while b"354" not in busy.recv(1000):
            pass
        began_s = time.monotonic()
        errors = server.end()
    assert time.monotonic() - began_s < 2
    assert (server.process.returncode, errors) == (0, "")


def test_after_kill_9_every_doubt_is_settled_by_look_ups_and_nothing_is_lost_or_doubled(server, folder):
    """The drill in small: send, kill the inbox, look up what is unknown, send again what is absent."""
    letters = {number: letter(number) for number in range(150)}
    accepted: set[int] = set()
    unsent: set[int] = set()
    unknown: set[int] = set()

    async def try_once(transport: Transport, number: int) -> None:
        try:
            await send(transport, letters[number])
            accepted.add(number)
        except SendError:
            unsent.add(number)
        except OutcomeUnknown:
            unknown.add(number)
        if len(accepted) == 40:
            server.end(signal.SIGKILL)

    async def test():
        transport = transport_to(server.port, folder, "connections=8")
        await asyncio.gather(*(try_once(transport, number) for number in letters))
        await transport.close()
        assert len(accepted) >= 40
        assert len(unknown) <= 8  # the window of doubt: one message a connection
        for number in accepted:
            assert look_up(folder, letters[number].message_id) is Sighting.FOUND
        async with inbox(folder) as again:  # a new server sweeps what the old one never finished
            absent = {n for n in unknown if await again.look_up(letters[n].message_id) is Sighting.ABSENT}
            for number in unsent | absent:
                await send(again, letters[number])

    run(test())
    subjects = [message.subject for message in list_messages(folder, 1000)]
    assert sorted(subjects) == sorted(f"No. {number}" for number in letters)


def test_a_port_in_use_is_one_clear_line(server, folder):
    with pytest.raises(ConfigurationError) as caught:
        serve("127.0.0.1", server.port, folder)
    line = str(caught.value)
    assert "\n" not in line
    assert f"port {server.port}" in line
    assert "in use" in line
    assert "TOCSIN_INBOX_PORT" in line


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "mail.example.org"])
def test_it_listens_to_nobody_but_this_machine(host, folder):
    with pytest.raises(ConfigurationError, match="this machine only"):
        serve(host, 0, folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_one_is_one_clear_line(folder):
    folder.write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot keep mail in"):
        serve("127.0.0.1", 0, folder)


def test_the_envelope_stands_on_top_of_the_untouched_message(folder):
    async def test():
        async with inbox(folder) as transport:
            await send(transport, letter())

    run(test())
    (message,) = list_messages(folder, 10)
    envelope = b"Delivered-To: reader@example.org\r\nReturn-Path: <bounce+1@news.test>\r\n"
    assert read_message(folder, message.id) == envelope + letter().data


def test_the_same_message_twice_is_stored_twice(folder):
    async def test():
        async with inbox(folder) as transport:
            first = await send(transport, letter())
            second = await send(transport, letter())
            assert first.provider_message_id != second.provider_message_id
            assert await transport.look_up(letter().message_id) is Sighting.FOUND

    run(test())
    assert [message.subject for message in list_messages(folder, 10)] == ["No. 1", "No. 1"]


def test_a_korean_address_arrives_as_it_is(folder):
    async def test():
        async with inbox(folder) as transport:
            await send(transport, letter(recipient="독자@example.org"))

    run(test())
    assert [message.recipient for message in list_messages(folder, 10)] == ["독자@example.org"]
    assert erase_messages_to(folder, "독자@example.org") == 1


async def converse(port: int, *groups: bytes) -> list[str]:
    """Send each group in one write and give all that was answered until the server closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for group in groups:
        writer.write(group)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode().splitlines()


def test_it_offers_what_a_sender_may_use_and_pipelining_works(folder):
    envelope = b"MAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n"
    content = b"Message-ID: <p@news.test>\r\nSubject: two\r\n\r\n..\r\n.\r\n"

    async def test():
        async with listen("127.0.0.1", 0, folder) as port:
            lines = await converse(port, b"EHLO a\r\n", envelope, content + envelope, content + b"QUIT\r\n")
        offers = {line[4:].split()[0] for line in lines if line.startswith("250-")}
        assert {"SIZE", "8BITMIME", "SMTPUTF8", "PIPELINING"} <= offers
        assert [line[:3] for line in lines[-11:]] == [*["250", "250", "250", "354", "250"] * 2, "221"]

    run(test())
    assert sorted(message.recipient for message in list_messages(folder, 10)) == ["a@b.c", "a@b.c", "d@e.f", "d@e.f"]
    assert all(read_message(folder, m.id).endswith(b"\r\n\r\n.\r\n") for m in list_messages(folder, 10))


def test_a_message_that_is_being_stored_when_it_stops_is_still_acknowledged(folder, monkeypatch):
    storing = threading.Event()

    def slowly(*arguments, **options):
        storing.set()
        time.sleep(0.2)
        return store(*arguments, **options)

    store = storage.store
    monkeypatch.setattr(storage, "store", slowly)

    async def test():
        async with listen("127.0.0.1", 0, folder) as port:
            transport = transport_to(port, folder)
            sending = asyncio.create_task(send(transport, letter()))
            await asyncio.to_thread(storing.wait)
            idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", port)
            await idle_reader.readline()
        assert (await sending).code == 250
        assert await idle_reader.read() == b""
        idle_writer.close()
        await transport.close()

    run(test())
    assert count_messages(folder) == 1


def test_a_message_over_the_size_that_it_offers_is_refused(folder):
    async def test():
        async with inbox(folder) as transport:
            with pytest.raises(SendError) as caught:
                await send(transport, letter(size=MAX_MESSAGE_BYTES + 1000))
            assert caught.value.permanent

    run(test())
    assert count_messages(folder) == 0


def test_a_message_that_cannot_be_stored_is_refused_for_now(folder):
    async def test():
        async with inbox(folder) as transport:
            (folder / "tmp").rmdir()
            with pytest.raises(SendError) as caught:
                await send(transport, letter())
            assert (caught.value.permanent, caught.value.code) == (False, 451)
            (folder / "tmp").mkdir()
            assert (await send(transport, letter())).code == 250

    run(test())

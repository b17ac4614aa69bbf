"""A relay of our own that can be as slow and as moody as a real one: an SMTP server that throws everything away.

It can do what Postfix's smtp-sink cannot: answer after a round trip of milliseconds, and refuse, hang up, say 421 or
stall at random. What it took it writes down before it answers, by Message-ID. Drills and benchmarks start it through
`relays.py`; by hand: python -m tests.stand_in_relay --help
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, cast

import uvloop

_END: Final = b"\r\n.\r\n"
_ID: Final = re.compile(rb"^message-id:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)
_EHLO: Final = (
    b"250-relay.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
)
_MOODS: Final = ("soft", "hard", "busy", "hang_up", "forget", "stall")


class Moods:
    """What the relay does against all manners, each with its own chance (0 to 1) a message.

    soft, hard: refuses the recipient with 4xx, 5xx; busy: 421 and the end of the connection; hang_up: takes the message
    and ends the connection without an answer; forget: the same, having taken nothing; stall: answers late.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self._random = Random(given.seed)
        self._chances = {name: getattr(given, name) for name in _MOODS if getattr(given, name)}
        self.stall_s: float = given.stall_s

    def at(self, *names: str) -> str:
        """Draw one of the moods named, or "" for none."""
        for name in names:
            if name in self._chances and self._random.random() < self._chances[name]:
                return name
        return ""

    def coin(self) -> bool:
        """Draw one of two."""
        return self._random.random() < 0.5


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, moods: Moods, round_trip_s: float, write_down: Callable[[str, bytes], None]) -> None:
        self._moods, self._round_trip_s, self._write_down = moods, round_trip_s, write_down
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._is_data = self._has_recipient = self._is_over = False
        self._answer_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one in all but its ancestry
        self._answer(b"220 relay.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Take in whatever has come, command by command and message by message."""
        self._buffer += data
        while not self._is_over and (self._take_message() if self._is_data else self._take_command()):
            pass

    def _answer(self, line: bytes, *, later_s: float = 0.0) -> None:
        """Answer after a round trip; no answer overtakes another."""
        if self._round_trip_s or later_s or self._answer_s > self._loop.time():
            self._answer_s = max(self._loop.time() + self._round_trip_s + later_s, self._answer_s)
            self._loop.call_at(self._answer_s, self._transport.write, line)
        else:
            self._transport.write(line)

    def _hang_up(self) -> None:
        self._is_over = True
        self._loop.call_at(max(self._answer_s, self._loop.time()) + 0.001, self._transport.close)

    def _take_command(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        verb = bytes(self._buffer[:4]).upper()
        del self._buffer[: end + 2]
        match verb:
            case b"EHLO":
                self._answer(_EHLO)
            case b"RCPT":
                self._recipient()
            case b"DATA":
                self._data()
            case b"QUIT":
                self._answer(b"221 2.0.0 Bye\r\n")
                self._hang_up()
            case _:
                self._has_recipient = False
                self._answer(b"250 2.1.0 Ok\r\n")
        return True

    def _recipient(self) -> None:
        match self._moods.at("soft", "hard", "busy"):
            case "soft":
                self._answer(b"451 4.2.1 The mailbox rests\r\n")
            case "hard":
                self._answer(b"550 5.1.1 Nobody of this name\r\n")
            case "busy":
                self._answer(b"421 4.3.2 Come back later\r\n")
                self._hang_up()
            case _:
                self._has_recipient = True
                self._answer(b"250 2.1.5 Ok\r\n")

    def _data(self) -> None:
        """Some servers say 354 though they have refused every recipient (RFC 2920, 3.1): so does this one at times."""
        self._is_data = self._has_recipient or self._moods.coin()
        self._answer(b"354 Go on\r\n" if self._is_data else b"554 5.5.1 No valid recipients\r\n")

    def _take_message(self) -> bool:
        is_empty = self._buffer.startswith(b".\r\n")
        end = 0 if is_empty else self._buffer.find(_END)
        if end < 0:
            return False
        message = bytes(self._buffer[:end])
        del self._buffer[: end + (3 if is_empty else len(_END))]
        self._is_data = False
        if not self._has_recipient:
            self._answer(b"554 5.5.1 No valid recipients\r\n")
            return True
        self._has_recipient = False
        mood = self._moods.at("hang_up", "forget", "stall")
        self._write_down(mood or "taken", message)
        if mood in {"hang_up", "forget"}:
            self._hang_up()
        else:
            later_s = self._moods.stall_s if mood == "stall" else 0.0
            self._answer(b"250 2.0.0 Ok: queued as 4F2A\r\n", later_s=later_s)
        return True


def _keep(file: Path) -> Callable[[str, bytes], None]:
    """Return what writes down what became of each message: a line of a word and the Message-ID."""
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write_down(word: str, message: bytes) -> None:
        found = _ID.search(message)
        os.write(opened, word.encode() + b" " + (found[1] if found else b"?") + b"\n")

    return write_down


def _keep_last(file: Path) -> Callable[[str, bytes], None]:
    """Return what keeps the last message itself."""
    return lambda _, message: (file.write_bytes(message + b"\r\n"), None)[1]


async def _serve(given: argparse.Namespace) -> None:
    write_down = _keep(given.log) if given.log else _keep_last(given.last) if given.last else lambda *_: None
    moods, loop, ended = Moods(given), asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(
        lambda: Session(moods, given.round_trip_s, write_down), "127.0.0.1", given.port, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()


def main() -> None:
    """Serve until SIGTERM; print the port when it can be used."""
    reader = argparse.ArgumentParser(description="A moody relay that throws everything away.")
    reader.add_argument("--port", type=int, default=0)
    reader.add_argument("--round-trip-s", type=float, default=0.0)
    reader.add_argument("--log", type=Path, help="where each message's Message-ID and fate are written down")
    reader.add_argument("--last", type=Path, help="where the last message is kept")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--stall-s", type=float, default=3.0)
    for mood in _MOODS:
        reader.add_argument(f"--{mood.replace('_', '-')}", type=float, default=0.0, metavar="CHANCE")
    uvloop.run(_serve(reader.parse_args()))


if __name__ == "__main__":
    main()

"""Relays to send into, each a process of its own: Postfix's smtp-sink, and a moody one of ours. Both remember.

Starts and stops them, tells what they got. Asserts nothing. Drills and benchmarks use them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from worker.runtime.ports import free_port, wait_until_listening

ROOT: Final = Path(__file__).parents[1]
_ID: Final = re.compile(rb"^message-id:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)
_END_OF_MULTIPART: Final = b"--\n\n"  # its last line, and the empty one with which smtp-sink ends a file
_START_S: Final = 20.0


class SinkMissingError(Exception):
    """There is no smtp-sink here; says what to install."""


class Relay(Protocol):
    """What has been sent somewhere, and where that is."""

    port: int

    def came(self) -> Counter[str]:
        """Count each Message-ID whose message was taken; to be asked when nothing is under way."""

    def progress(self) -> int:
        """Tell about how many messages have come."""

    def stop(self) -> None:
        """End it; what came is still known."""


def smtp_sink() -> str:
    """Return where Postfix's sink is. Raises `SinkMissingError`."""
    found = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/libexec/postfix")
    if found is None:
        raise SinkMissingError("there is no smtp-sink here: install Debian's package `postfix`")
    return found


class SmtpSink:
    """Postfix's smtp-sink, as the house's relay. `faults` are its own options; `change` gives it others.

    It keeps each message that was ended by a dot in a file, whatever it answers then, and no others.
    """

    def __init__(self, *faults: str) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="tocsin-sink-"))
        self._folder.chmod(0o777)  # root's sink works as nobody
        self._turn = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.change(*faults)

    def change(self, *faults: str) -> Path:
        """Start it anew with other faults; return the folder of what comes from now on."""
        self._end()
        self._turn += 1
        kept = self._folder / str(self._turn)
        self._process = start_sink(self.port, "-d", f"{kept}/%H%M.", *faults)
        return kept

    def came(self) -> Counter[str]:
        """Count each Message-ID whose message was taken."""
        return self.came_into(self._folder)

    @staticmethod
    def came_into(folder: Path) -> Counter[str]:
        """Count each Message-ID below a folder. What was on its way when the sink was ended has no end."""
        mails = (file.read_bytes() for file in folder.rglob("*") if file.is_file())
        return Counter(_message_id(mail) for mail in mails if mail.endswith(_END_OF_MULTIPART))

    def progress(self) -> int:
        """Count the messages, those that are coming in just now too."""
        return sum(len(files) for _, _, files in os.walk(self._folder))

    def stop(self) -> None:
        """End it, and forget all."""
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


class StandIn:
    """Our own relay with moods: see `stand_in_relay.py` for its options."""

    def __init__(self, *options: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tocsin-relay-"))
        self._log = self._folder / "log"
        self._process = StandInProcess("--log", str(self._log), *options)
        self.port = self._process.port

    def fates(self) -> Counter[str]:
        """Count what it did with the messages: taken, hang_up, forget, stall."""
        return Counter(fate for fate, _ in self._lines())

    def came(self) -> Counter[str]:
        """Count each Message-ID whose message was taken."""
        return Counter(message_id for fate, message_id in self._lines() if fate != "forget")

    def progress(self) -> int:
        """Count the messages that were sent to the end."""
        return sum(1 for _ in self._lines())

    def stop(self) -> None:
        """End it, and forget all."""
        self._process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _lines(self) -> Iterator[tuple[str, str]]:
        with contextlib.suppress(FileNotFoundError), self._log.open(encoding="utf-8") as lines:
            for line in lines:
                fate, _, message_id = line.strip().partition(" ")
                yield fate, message_id


class StandInProcess:
    """A running `stand_in_relay.py`, by its port."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "tests.stand_in_relay", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


def start_sink(port: int, *options: str) -> subprocess.Popen[bytes]:
    """Start an smtp-sink with these options, and return when it listens."""
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [smtp_sink(), *as_nobody, *options, f"127.0.0.1:{port}", "1000"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd="/")
    if not wait_until_listening("127.0.0.1", port, _START_S):
        process.kill()
        raise RuntimeError(f"smtp-sink does not listen on port {port}; it ended with status {process.wait()}")
    return process


def _message_id(mail: bytes) -> str:
    found = _ID.search(mail)
    return found[1].decode() if found else "?"

"""The peers, each as something that sends so many messages to a port and tells how long it took.

Decides nothing about how much is sent. nodemailer comes from npm into a folder that is kept between runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tests.bench.delivery.letter import Letter
from tests.bench.matching.side import Side
from tests.relays import smtp_sink

NODEMAILER: Final = "10.6.1"
_HERE: Final = Path(__file__).parent


class PeerError(Exception):
    """A peer is not to be had here; says what to install."""


class Peer(Protocol):
    """Somebody else's way to send mail."""

    def send(self, count: int, *, connections: int, port: int) -> float:
        """Send so many messages and return how many seconds that took."""


class SmtpSource:
    """Postfix's smtp-source, over sessions that stay open."""

    def __init__(self, letter: Letter) -> None:
        self._program = shutil.which("smtp-source", path=f"{Path(smtp_sink()).parent}:{os.environ.get('PATH', '')}")
        self._file = letter.unix

    def send(self, count: int, *, connections: int, port: int) -> float:
        """Run it; its start is part of it, a few milliseconds."""
        options = ["-d", "-s", str(connections), "-m", str(count), "-F", str(self._file)]
        people = ["-f", "news@courier.example", "-t", "crowd.1@reader.example"]
        started_s = time.perf_counter()
        subprocess.run([str(self._program), *options, *people, f"127.0.0.1:{port}"], check=True)
        return time.perf_counter() - started_s


@dataclass(frozen=True, slots=True)
class Program:
    """A peer that runs on its own and answers requests."""

    side: Side

    def send(self, count: int, *, connections: int, port: int) -> float:
        """Ask it."""
        seconds: float = self.side.ask("send", count, connections, port)["seconds"]
        return seconds


def start_all(stack: ExitStack, letter: Letter, scratch: Path, folder: Path) -> Mapping[str, Peer]:
    """Start every peer until the stack is closed. Raises `PeerError`."""
    environment = {"NODEMAILER": str(_nodemailer(scratch / "node"))}
    node = shutil.which("node") or "node"
    mailer = [str(_HERE / "nodemailer.cjs")]
    files = [str(letter.wire), str(letter.parts)]
    python = [sys.executable, "-m"]
    commands = {
        "smtplib": [*python, "tests.bench.delivery.senders", "smtplib", str(letter.wire)],
        "aiosmtplib": [*python, "tests.bench.delivery.senders", "aiosmtplib", str(letter.wire)],
        "nodemailer, raw": [node, *mailer, "raw", *files],
        "nodemailer, building": [node, *mailer, "build", *files],
        "django-post_office": [*python, "tests.bench.delivery.post_office", str(letter.parts), str(folder)],
    }
    sides = {
        name: Program(stack.enter_context(Side(command, environment=environment))) for name, command in commands.items()
    }
    return {"smtp-source": SmtpSource(letter), **sides}


def _nodemailer(folder: Path) -> Path:
    """Return where the package is; fetch it with npm if need be."""
    package = folder / "node_modules" / "nodemailer"
    if not (package / "package.json").exists():
        npm = shutil.which("npm")
        if npm is None:
            raise PeerError("there is no npm here: install Node.js and npm")
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
        ran = subprocess.run([*wanted, f"nodemailer@{NODEMAILER}"], capture_output=True, text=True, check=False)
        if ran.returncode:
            raise PeerError(f"npm cannot install nodemailer: {ran.stderr.strip()}")
    return package

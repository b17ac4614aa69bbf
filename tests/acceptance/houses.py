"""Installations for the tests: a home and ports of its own, commands run in it, processes started, its books and mail.

Asserts only that a command ended as it had to. `conftest.py` makes fixtures of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TypeVar

import httpx
import psutil

from tests.acceptance.mails import Mail, read_mails
from tests.http import NO_TLS
from worker.runtime.ports import free_port

API_KEY: Final = "a-key-for-the-tests-0123456789abcdef"
STOP_WITHIN_S: Final = 10.0 + 2.0  # what is promised, and what a machine with more to do than cores may add
_READY_WITHIN_S: Final = 150.0  # eight processes that start on a machine with more to do than cores
MARK: Final = {"ACCEPTANCE_TEST": uuid.uuid4().hex}
"""By this variable every process of an installation is known, and those that it has started."""

BRISK: Final = {
    "TOCSIN_GATHER_S": "0",
    "TOCSIN_SWEEP_S": "0.5",
    "TOCSIN_POLL_S": "5",
    "TOCSIN_POLL_CEILING_S": "5",
    "TOCSIN_LEASE_S": "20",
    "TOCSIN_RETRY_ALERT_S": "1",
    "TOCSIN_ALLOW_PRIVATE": "true",
    "TOCSIN_API_KEY": API_KEY,
    "TOCSIN_FORM_QUICKEST_S": "0",  # a script types faster than anybody
}
Found = TypeVar("Found")


def own_ports() -> dict[str, str]:
    """Return settings under which an installation is in nobody's way."""
    return {f"TOCSIN_{name}_PORT": str(free_port()) for name in ("WEB", "INBOX", "BROKER")}


def until(look: Callable[[], Found], *, within_s: float, what: str, tell: Callable[[], str] = str) -> Found:
    """Look again and again until there is something to see, and return it; fail with `what`, and what `tell` adds."""
    give_up_s = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < give_up_s, f"not within {within_s:g} s: {what}\n{tell()}"
        time.sleep(0.05)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """What it printed with `--json`."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """What it said when it refused: exit status 2, nothing on standard output, and nothing of our insides."""
        assert self.status == 2, self
        assert not self.out, self
        assert self.err.startswith(("tocsin: ", "error: ")), self
        assert "Traceback" not in self.err
        return self.err

    @property
    def refusal(self) -> str:
        """What it said when it refused, in one line."""
        assert self.complaint.count("\n") == 1, self
        return self.complaint


class CommandLine:
    """Runs `tocsin` commands by way of `forked.py`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            argv = [sys.executable, str(Path(__file__).with_name("forked.py")), str(theirs.fileno())]
            self._process = subprocess.Popen(argv, pass_fds=[theirs.fileno()], cwd=Path(__file__).parents[2])
        self._orders = ours
        self._answers = ours.makefile("r", encoding="utf-8")
        self._migrated: bytes | None = None

    def run(self, *words: str, environment: Mapping[str, str], folder: Path, given: bytes, within_s: int) -> Done:
        """Run one command in `folder` with `given` as its standard input."""
        with tempfile.TemporaryDirectory() as name:
            files = {each: Path(name, each) for each in ("input", "output", "errors")}
            files["input"].write_bytes(given)
            order = {"words": words, "environment": dict(environment), "folder": str(folder), "within_s": within_s}
            order |= {each: str(file) for each, file in files.items()}
            self._orders.sendall((json.dumps(order) + "\n").encode())
            status = int(self._answers.readline())
            out, err = (files[each].read_text(encoding="utf-8") for each in ("output", "errors"))
        return Done(status=status, out=out, err=err)

    def migrated(self, environment: Mapping[str, str], folder: Path) -> bytes:
        """Return the file that `tocsin db upgrade` makes in a home without one. It takes half a second: only once."""
        if self._migrated is None:
            with tempfile.TemporaryDirectory() as home:
                own = {**environment, "TOCSIN_HOME": home}
                done = self.run("db", "upgrade", environment=own, folder=folder, given=b"", within_s=60)
                assert done.status == 0, done
                file = Path(home, "tocsin.db")
                sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
                self._migrated = file.read_bytes()
        return self._migrated

    def close(self) -> None:
        """End it."""
        self._answers.close()
        self._orders.close()
        self._process.wait(10)


class Running:
    """A `tocsin` process that goes on until it is stopped. What it says is kept in a file."""

    def __init__(self, words: tuple[str, ...], *, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker", *words],
                env=environment,
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )

    @property
    def said(self) -> str:
        """All that it has said."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def children(self) -> dict[str, psutil.Process]:
        """Return its children that live, by their command: "web", "worker --queues alerts", ..."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                command = child.cmdline()
                if "-m" in command:  # not so in the moment between fork and exec
                    found[" ".join(command[command.index("-m") + 2 :])] = child
        return found

    def everybody(self) -> list[psutil.Process]:
        """Return it with all that it has started, and all that these have."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal and return after how many seconds it, and everything that it had started, was gone."""
        started_s = time.monotonic()
        if self.process.poll() is None:
            everybody = self.everybody()
            self.process.send_signal(number)
            self.process.wait(3 * STOP_WITHIN_S)
            _, left = psutil.wait_procs(everybody, timeout=STOP_WITHIN_S)
            assert not left, f"still there: {left}"
        return time.monotonic() - started_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.stop()


class Installation:
    """A home with its settings, and no others. Nothing runs in it before it is told to."""

    def __init__(self, home: Path, commands: CommandLine, settings: Mapping[str, str]) -> None:
        self.home, self._commands = home, commands
        self.folder = home.parent
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        # SpamAssassin takes seconds of a core for each look at a newsletter: tests of the preflight's own ask it.
        quiet = {"TOCSIN_SPAM_CHECK": "off"}
        self.environment = {**outside, **MARK, **quiet, "TOCSIN_HOME": str(home), **settings}

    def port(self, name: str) -> int:
        """Return the port that the setting TOCSIN_`name`_PORT names."""
        return int(self.environment[f"TOCSIN_{name}_PORT"])

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port('WEB')}"

    def tocsin(self, *words: str | Path | int, given: bytes = b"", within_s: int = 60, **settings: str) -> Done:
        """Run a command to its end; `settings` hold for it alone."""
        environment = self.environment | settings
        texts = map(str, words)
        return self._commands.run(*texts, environment=environment, folder=self.folder, given=given, within_s=within_s)

    def ask(self, *words: str | Path | int) -> list[Any]:
        """Run a command with `--json` that must succeed, and return what it prints."""
        done = self.tocsin(*words, "--json")
        assert done.status == 0, done
        return done.lines

    def told(self, *words: str | Path | int) -> None:
        """Run a command that must succeed."""
        done = self.tocsin(*words)
        assert done.status == 0, done

    def migrated(self) -> None:
        """Make its SQLite database, with nothing in it."""
        self.home.mkdir(exist_ok=True)
        with (self.home / "tocsin.db").open("xb") as file:
            file.write(self._commands.migrated(self.environment, self.folder))

    def followed(self, topics: str, readers: str) -> None:
        """Make its database, with these topics (YAML) and these confirmed readers (CSV)."""
        files = {self.folder / "topics.yaml": topics, self.folder / "readers.csv": readers}
        for file, text in files.items():
            file.write_text(text, encoding="utf-8")
        of_topics, of_readers = files
        self.migrated()
        self.told("topics", "import", of_topics)
        self.told("subscribers", "import", of_readers, "--confirmed")

    def speak_into(self, output: IO[bytes] | int, *words: str) -> Done:
        """Run a command whose standard output goes to a file or pipe of the test's own."""
        done = subprocess.run(
            [sys.executable, "-m", "worker", *words],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
        return Done(status=done.returncode, out="", err=done.stderr.decode())

    def speak_to_nobody(self, *words: str) -> Done:
        """Run a command whose output nobody reads any more, as with `| head` when it has seen enough."""
        read_end, write_end = os.pipe()
        os.close(read_end)
        try:
            return self.speak_into(write_end, *words)
        finally:
            os.close(write_end)

    def start(self, *words: str, **settings: str) -> Running:
        """Start a command that goes on."""
        log = self.folder / f"{self.home.name}-{'-'.join(words)}-{time.monotonic_ns()}.log"
        return Running(words, environment=self.environment | settings, log=log)

    @contextlib.contextmanager
    def up(self) -> Iterator[Running]:
        """Run `tocsin up`, from the moment when its workers can send."""
        with self.start("up") as running:
            self.wait_until_ready(running)
            yield running

    def wait_until_ready(self, running: Running) -> None:
        """Wait until `/readyz` says that mail can be sent."""

        def is_ready() -> bool:
            assert running.process.poll() is None, running.said
            try:
                return httpx.get(f"{self.url}/readyz", timeout=5, verify=NO_TLS).status_code == 200
            except httpx.HTTPError:
                return False

        until(is_ready, within_s=_READY_WITHIN_S, what="/readyz answers 200", tell=lambda: running.said + self.logs())

    def post(self, path: str, body: Any, *, key: str = API_KEY) -> httpx.Response:
        """Call the API."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=20, verify=NO_TLS)

    def mails(self) -> list[Mail]:
        """Read the local inbox, oldest first."""
        return read_mails(self.home / "inbox")

    def mails_to(self, address: str) -> list[Mail]:
        """Read what the local inbox holds for one address, oldest first."""
        return [mail for mail in self.mails() if mail.recipient == address]

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the SQLite file itself, past all of our code."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home / 'tocsin.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(statement, values).fetchall()

    def rows(self) -> dict[str, int]:
        """Count the rows of every table, apart from what beats by itself."""
        names = [name for (name,) in self.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        counts = [f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names if name != "heartbeat"]
        return dict(self.query(" UNION ALL ".join(counts)))

    def logs(self) -> str:
        """Return the last words of every process, for a test that fails."""
        files = sorted((self.home / "logs").glob("*.log"))
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in files)

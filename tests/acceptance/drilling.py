"""What drills share: a house in the middle of a send into a relay that remembers, things that go wrong, and the books.

The books are read past our own code, and set against what the relay says it took. Everything that happens by chance
comes of one seed, which is printed; DRILL_SEED repeats a run.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Self

import psutil
import psycopg

from tests import crowd
from tests.acceptance.houses import BRISK, CommandLine, Installation, Running, own_ports, until
from tests.acceptance.slow_line import SlowLine
from tests.databases import Cluster
from tests.relays import Relay
from worker.lifecycle import State, conserve
from worker.model import Cadence
from worker.store.database import Database

CONNECTIONS: Final = 8
PREPARED: Final = 4  # messages that are durable for a connection, beside the one that is on the wire
WINDOW: Final = CONNECTIONS * (1 + PREPARED)
DELAY_S: Final = 0.03
SETTLED_WITHIN_S: Final = 240.0
DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_KEYS: Final = {
    "TOCSIN_SECRET_KEYS": "a-key-for-the-drills-0123456789abcdef",
    "TOCSIN_SUPPRESSION_KEY": "another-key-for-the-drills-0123456789",
    "TOCSIN_CANARY_SHARE": "0",  # drills are nothing but faults, on purpose: a canary would hold them
}
_TOPIC: Final = "- slug: storms\n  name: {en: Storms}\n  query: storm OR hurricane OR gale\n"
_IN_DOUBT: Final = (State.LEASED, State.COMMITTING, State.UNKNOWN)


def seed() -> int:
    """Return the seed of this run, and print it."""
    chosen = int(os.environ.get("DRILL_SEED") or time.time_ns() % 1_000_000)
    sys.stdout.write(f"\nDRILL_SEED={chosen}\n")
    return chosen


class Books:
    """The database itself, read-only."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask one question; `?` stands for a value."""
        if self._url.startswith("sqlite:"):
            file = self._url.removeprefix("sqlite:///")
            with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as connection:
                return connection.execute(statement, values).fetchall()
        with psycopg.connect(self._url) as conn:
            return conn.execute(statement.replace("?", "%s"), values).fetchall()


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What became of one edition. `excused` are replies that the relay itself kept back."""

    readers: int
    audience: int
    accepted: int
    refused: int
    unknown: int
    unknown_that_came: int
    open: int
    lost: int
    duplicated: int
    refused_that_came: int
    doubted: int
    kills: int
    excused: int

    @property
    def window(self) -> int:
        """How many messages may have been in doubt, all in all."""
        return WINDOW * self.kills + self.excused

    def __str__(self) -> str:
        """One line."""
        return (
            f"audience={self.audience} accepted={self.accepted} refused={self.refused} unknown={self.unknown} "
            f"lost={self.lost} duplicated={self.duplicated} window={self.window} "
            f"(doubted={self.doubted}, {WINDOW} for each of {self.kills} ends of a mail worker, {self.excused} replies "
            f"kept back; {self.unknown_that_came} of the unknown came)"
        )

    def check(self, *, again: bool = False) -> None:
        """Fail on any violation. `again`: mail that is rather sent twice than never, within the window.

        Such mail may come, its reply be lost, and the repetition be refused.
        """
        most = self.window if again else 0
        assert self.audience == self.readers, self
        assert self.audience == self.accepted + self.refused + self.unknown + self.open, self
        assert (self.open, self.lost) == (0, 0), self
        assert max(self.doubted, self.unknown) <= self.window, self
        assert self.duplicated <= most, self
        assert self.refused_that_came <= most, self


class Drill:
    """A house with readers of one topic, whose alerts go over a slow line into a relay.

    `kills` counts how often a mail worker has ended in mid-send, `excused` how many replies the relay kept back.
    """

    def __init__(self, house: Installation, database_url: str, relay: Relay, *, port: int, readers: int) -> None:
        self.house, self.relay, self.readers = house, relay, readers
        self.books = Books(database_url)
        self.kills = self.excused = 0
        window = f"connections={CONNECTIONS}&prepared={PREPARED}"
        house.environment["TOCSIN_TRANSPORTS"] = f"smtp://127.0.0.1:{port}?tls=off&name=relay&{window}"
        self._running: Running | None = None
        self._fill(database_url)

    def _fill(self, database_url: str) -> None:
        topics = self.house.folder / "topics.yaml"
        topics.write_text(_TOPIC, encoding="utf-8")
        self.house.told("db", "upgrade")
        self.house.told("topics", "import", topics)
        database = Database(database_url)
        try:
            crowd.add_readers(database, self.readers, topic="storms", cadence=Cadence.IMMEDIATE)
        finally:
            database.close()

    def up(self) -> Running:
        """Return its running `tocsin up`; start it unless it runs already."""
        if self._running is None or self._running.process.poll() is not None:
            self._running = self.house.start("up")
            self.house.wait_until_ready(self._running)
        return self._running

    def stop(self) -> None:
        """Stop it if it runs."""
        if self._running is not None:
            self._running.stop()

    def publish(self, *, severity: str = "normal") -> None:
        """Push the story."""
        news = {"title": "Storm Una tears the roof off a market hall", "body": "Traders were counting broken crates."}
        answer = self.house.post("/api/v1/articles", {**news, "severity": severity})
        assert answer.status_code in {201, 202}, answer.text

    def wait_until_sent(self, part: float) -> None:
        """Wait until the relay has so large a part of the messages."""
        wanted = part * self.readers
        until(
            lambda: self.relay.progress() >= wanted, within_s=SETTLED_WITHIN_S, what=f"{wanted:g} mails", tell=self.tell
        )

    def wait_for_more(self, before: int) -> None:
        """Wait until the send goes on."""
        until(lambda: self.relay.progress() > before, within_s=60, what="it goes on", tell=self.tell)

    def begin(self, *, severity: str = "normal", part: float = 0.1) -> None:
        """Start everything and return in the middle of the send."""
        self.up()
        self.publish(severity=severity)
        self.wait_until_sent(part)

    def states(self) -> dict[State, int]:
        """Count the deliveries by state."""
        rows = self.books.ask("SELECT state, count(*) FROM delivery GROUP BY 1")
        return {State(state): count for state, count in rows}

    def left(self) -> int:
        """Count the deliveries that are still to be done; all, while their audience is being made."""
        counted = conserve(self.states())
        return counted["open"] + (self.readers - counted["audience"])

    def in_doubt(self) -> int:
        """Count what a process that has ended in order leaves none of."""
        states = self.states()
        return sum(states.get(state, 0) for state in _IN_DOUBT)

    def wait_until_settled(self, *, again: bool = False) -> None:
        """Wait until nothing is open; nor unknown, where such mail is sent `again`."""

        def is_settled() -> bool:
            return not self.left() and not (again and self.states().get(State.UNKNOWN))

        until(is_settled, within_s=SETTLED_WITHIN_S, what="nothing is open", tell=self.tell)

    def settle(self, *, again: bool = False) -> Account:
        """Wait until it is settled, draw up the account and print it."""
        self.wait_until_settled(again=again)
        account = self.account()
        sys.stdout.write(f"\n{account}\n")
        return account

    def account(self) -> Account:
        """Set the books against what the relay has. To be asked when nothing is under way."""
        rows = {mail: State(state) for mail, state in self.books.ask("SELECT message_id, state FROM delivery")}
        came, terms = self.relay.came(), conserve(Counter(rows.values()))
        assert set(came) <= set(rows), "the relay has mail that is in no book"
        missing = [State(rows[mail]) for mail in rows if mail not in came]
        doubted = self.books.ask("SELECT count(DISTINCT delivery_id) FROM attempt WHERE outcome = 'reply_lost'")[0][0]
        return Account(
            readers=self.readers,
            **{name: terms[name] for name in ("audience", "accepted", "refused", "unknown", "open")},
            unknown_that_came=terms["unknown"] - missing.count(State.UNKNOWN),
            lost=sum(state not in {State.REFUSED, State.UNKNOWN} for state in missing),
            duplicated=sum(came.values()) - len(came),
            refused_that_came=sum(rows[mail] is State.REFUSED for mail in came),
            doubted=doubted,
            kills=self.kills,
            excused=self.excused,
        )

    def tell(self) -> str:
        """Say where everything stands, for a drill that fails."""
        batches = self.books.ask("SELECT * FROM delivery_batch ORDER BY batch_no")[:5]
        return f"{self.states()}\n{self.relay.progress()} mails\n{batches}\n{self.house.logs()}"

    # What can be killed -----------------------------------------------------------------------------------------------

    def kill(self, victim: str) -> bool:
        """Kill -9 a part of the house with all that it has started; False when it is not there just now."""
        found = [child for words, child in self.up().children().items() if victim in words]
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            family = [one for child in found for one in (*child.children(recursive=True), child)]
        for one in family:  # the children first: they would otherwise be asked to end in order
            with contextlib.suppress(psutil.Error):
                one.kill()
        self.kills += bool(family) and "alerts" in victim
        return bool(family)

    def kill_as_soon_as_there(self, victim: str) -> None:
        """Kill -9 a part of the house, which may have to come back first."""
        until(lambda: self.kill(victim), within_s=60, what=f"{victim} is there to be killed", tell=self.tell)


VICTIMS: Final = ("worker --queues alerts", "worker --queues control", "beat", "web", "broker")


def kill_every_second(drill: Drill, victims: tuple[str, ...], random: Random, *, seconds: int) -> Counter[str]:
    """Kill one of the victims each second, as chance has it, and return how often each was hit."""
    hits: Counter[str] = Counter()
    for _ in range(seconds):
        started_s = time.monotonic()
        victim = random.choice(victims)
        hits[victim] += drill.kill(victim)
        time.sleep(max(0.0, 1.0 - (time.monotonic() - started_s)))
    sys.stdout.write(f"\nkilled: {dict(hits)}\n")
    return hits


class Stage(contextlib.ExitStack):
    """Sets drills up, and takes everything down at the end of the block."""

    def __init__(self, folder: Path, commands: CommandLine) -> None:
        super().__init__()
        self._folder, self._commands = folder, commands

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def drill(
        self,
        relay: Relay,
        *,
        readers: int,
        cluster: Cluster | None = None,
        delay_s: float = DELAY_S,
        home: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Drill:
        """Make a house, on SQLite or in a cluster, that sends to the relay."""
        self.callback(relay.stop)
        made = home or self._folder / "home"
        own = {**own_ports(), **BRISK, **_KEYS, **(settings or {})}
        database_url = f"sqlite:///{made / 'tocsin.db'}"
        if cluster:
            database_url = own["TOCSIN_DATABASE_URL"] = self.enter_context(cluster.bare())
        house = Installation(made, self._commands, own)
        line = self.enter_context(SlowLine(relay.port, delay_s=delay_s)) if delay_s else None
        drill = Drill(house, database_url, relay, port=line.port if line else relay.port, readers=readers)
        self.callback(drill.stop)
        return drill

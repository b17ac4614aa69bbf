"""`make bench-delivery`: our whole path, from the lease to the record, beside other senders, in turns, in one run.

Decides the order of things and what a run includes. Prints its section of docs/benchmarks.md, and writes it there when
the run was a whole one.

    make bench-delivery                                    # about 12 minutes
    make bench-delivery ARGS=--full                        # 1,000,000 recipients too: another 25
    make bench-delivery ARGS="--parts local --rounds 3"    # a part of it; prints only
"""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Final, TypeVar

from tests.bench.delivery import growth, house, letter, peers
from tests.bench.delivery.letter import Letter
from tests.bench.delivery.peers import Peer, PeerError
from tests.bench.delivery.report import Run, Speed, markdown
from tests.bench.delivery.room import PREPARED, Ours, Room, make, ways
from tests.bench.delivery.turns import Entry, take_turns
from tests.bench.page import ROOT, write_section
from tests.relays import SinkMissingError, StandInProcess, start_sink
from worker.runtime.ports import free_port

Found = TypeVar("Found")

PARTS: Final = ("local", "far", "growth", "house")
CONNECTIONS: Final = 10
ROUND_TRIP_S: Final = 0.02
# How many messages make a turn of two seconds or so.
_TURNS: Final = {
    "smtp-source": 10_000,
    "smtplib": 5_000,
    "aiosmtplib": 4_000,
    "nodemailer, raw": 5_000,
    "nodemailer, building": 1_500,
    "django-post_office": 600,
}
_OURS: Final = 10_000
_A_CONNECTION: Final = 100  # messages of a turn over a long line, for each connection


class Bench:
    """A run: rooms, peers, sinks, in one place that is taken away again."""

    def __init__(self, stack: ExitStack, given: Namespace, folder: Path) -> None:
        self._stack, self._given, self._folder = stack, given, folder
        self._sink = free_port()
        sink = start_sink(self._sink)
        stack.callback(sink.wait)
        stack.callback(sink.terminate)
        self._ways = ways(folder)
        readers = max([_OURS, *(given.sizes if "growth" in given.parts else [])])
        self.missing: list[str] = []
        self._rooms: dict[str, Room] = {}
        for kind in given.databases:
            say(f"{kind}: {readers:,} readers")
            self._rooms[kind] = make(stack, folder, kind, readers)
        self.letter = self._write_letter()
        self._peers = peers.start_all(stack, self.letter, given.scratch, folder) if self._needs_peers else {}

    @property
    def _needs_peers(self) -> bool:
        return bool({"local", "far"} & set(self._given.parts))

    def _write_letter(self) -> Letter:
        """Have our side send the message once, and keep its bytes for everybody."""
        kept = self._folder / "first.eml"
        with ExitStack() as briefly:
            relay = StandInProcess("--last", str(kept))
            briefly.callback(relay.stop)
            room = next(iter(self._rooms.values()))
            room.ours(briefly, relay.port, 1).send(1, connections=1, port=relay.port)
        return letter.keep(kept.read_bytes(), self._folder)

    def local(self) -> list[Speed]:
        """Measure into smtp-sink: first everybody, then ours on each further database beside smtp-source."""
        say("into smtp-sink")
        kinds = enumerate(self._rooms)
        found = [
            self._try(f"into smtp-sink, {kind}", partial(self._local, kind, with_all=not at)) for at, kind in kinds
        ]
        return [speed for speed in found if speed]

    def _local(self, kind: str, *, with_all: bool) -> Speed:
        with ExitStack() as stack:
            room, port = self._rooms[kind], self._sink
            ours = {name: room.ours(stack, port, CONNECTIONS, **how) for name, how in self._ways.items()}
            chosen = self._peers if with_all else {"smtp-source": self._peers["smtp-source"]}
            entries = {
                name: Entry(peer=peer, count=_TURNS[name], connections=CONNECTIONS, port=port)
                for name, peer in chosen.items()
            }
            entries |= {
                f"tocsin, {name}": Entry(peer=side, count=_OURS, connections=CONNECTIONS, port=port)
                for name, side in ours.items()
            }
            rates = take_turns(entries, rounds=self._given.rounds, say=say)
            cpu = {f"tocsin, {name}": _cpu_us(side) for name, side in ours.items()}
        at_least_as_fast = ("unsigned", "unsigned, one core", "Ed25519", "Ed25519, one core")
        goals = [(f"tocsin, {name}", "smtp-source", 1.0) for name in at_least_as_fast]
        goals += [("tocsin, RSA-2048", "smtp-source", round(2000 / 5800, 2))]
        if with_all:
            goals += [("tocsin, unsigned", "django-post_office", 10), ("tocsin, unsigned", "nodemailer, building", 5)]
        says = _LOCAL.format(
            connections=CONNECTIONS,
            database=_NAMES[kind],
            prepared=PREPARED,
            window=CONNECTIONS * (1 + PREPARED),
        )
        return Speed(title=f"Into smtp-sink, {_NAMES[kind]}", says=says, rates=rates, cpu_us=cpu, goals=goals)

    def far(self) -> list[Speed]:
        """Measure over a line with a round trip of 20 ms."""
        say(f"over a line of {ROUND_TRIP_S * 1000:g} ms")
        relay = StandInProcess("--round-trip-s", str(ROUND_TRIP_S))
        self._stack.callback(relay.stop)
        numbers = self._given.connections
        found = [self._try(f"{number} long connections", partial(self._far, relay.port, number)) for number in numbers]
        return [speed for speed in found if speed]

    def _far(self, port: int, connections: int) -> Speed:
        names = ("smtp-source", "smtplib", "nodemailer, raw")
        with ExitStack() as stack:
            room = next(iter(self._rooms.values()))
            ours = room.ours(stack, port, connections)
            everybody: Mapping[str, Peer] = {**{name: self._peers[name] for name in names}, "tocsin, unsigned": ours}
            count = _A_CONNECTION * connections
            entries = {
                name: Entry(peer=peer, count=count, connections=connections, port=port)
                for name, peer in everybody.items()
            }
            rates = take_turns(entries, rounds=min(3, self._given.rounds), say=say)
        goals = [("tocsin, unsigned", name, goal) for name, goal in zip(names, (3.5, 3.5, 2.0), strict=True)]
        return Speed(
            title=f"Over a line of {ROUND_TRIP_S * 1000:g} ms, {connections} connections",
            says="Each answer comes a round trip after its command.",
            rates=rates,
            goals=goals,
        )

    def sizes(self) -> dict[str, list[growth.Growth]]:
        """Measure editions of every size, on any further database than the first of the two smallest."""
        found = {kind: self._try(f"many recipients, {kind}", partial(self._sizes, kind)) for kind in self._rooms}
        return {_NAMES[kind]: grown for kind, grown in found.items() if grown}

    def _sizes(self, kind: str) -> list[growth.Growth]:
        given = self._given
        sizes = given.sizes if kind == given.databases[0] else given.sizes[:2]
        with ExitStack() as stack:
            ours = self._rooms[kind].ours(stack, self._sink, CONNECTIONS)
            ours.send(1_000, connections=CONNECTIONS, port=self._sink)
            return growth.measure(ours, sizes, rounds=given.growth_rounds, say=say)

    def houses(self) -> list[house.Told]:
        """Measure whole houses."""
        found = [self._try(f"a whole house, {kind}", partial(self._house, kind)) for kind in self._given.databases]
        return [told for told in found if told]

    def _house(self, kind: str) -> house.Told:
        given = self._given
        sizes = {"bulk": given.bulk, "alerted": given.alerted}
        with house.opened(self._folder, kind, self._sink, **sizes) as opened:
            return house.measure(opened, _NAMES[kind], **sizes, rounds=given.alert_rounds, say=say)

    def _try(self, what: str, measure: Callable[[], Found]) -> Found | None:
        """Measure one thing; if it fails, the others' figures stand all the same, and the page says so."""
        try:
            return measure()
        except Exception as error:  # noqa: BLE001  whatever it is, it is told
            self.missing.append(what)
            say(f"{what}: FAILED: {type(error).__name__}: {error}"[:2_000])
            return None


_LOCAL: Final = """\
{connections} connections that stay open. Ours is the whole path on {database}, in one process: lease, personalise,
sign, send, record; with `prepared={prepared}`, so that a `kill -9` leaves up to {window} messages in doubt (4 and 50
are the defaults). smtp-source, smtplib, aiosmtplib and nodemailer (raw) only send bytes that are made already;
nodemailer (building) makes each message of text and HTML; django-post_office has a template, a queue in SQLite, and
records too. "One core" is `TOCSIN_DELIVERY_ONE_CORE=on`."""
_NAMES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _cpu_us(side: Ours) -> float:
    """Return our processor time a message, without the warming up."""
    return mean([1e6 * float(told["cpu_s"]) / int(told["count"]) for told in side.told[1:]])


def say(words: str) -> None:
    """Tell how far it is, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")


def read_arguments(words: list[str] | None = None) -> Namespace:
    parser = ArgumentParser(prog="make bench-delivery", description="Tocsin's whole path beside other senders.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--databases", nargs="+", choices=_NAMES, default=list(_NAMES))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each a figure (%(default)s)")
    parser.add_argument("--connections", type=int, nargs="+", default=[20, 50], help="over the long line")
    parser.add_argument("--sizes", type=int, nargs="+", help="recipients (10,000 and 100,000)")
    parser.add_argument("--growth-rounds", type=int, default=2, help="rounds over all sizes (%(default)s)")
    parser.add_argument("--bulk", type=int, help="the bulk send under way when news breaks (200,000)")
    parser.add_argument("--alerted", type=int, default=10_000, help="readers of breaking news (%(default)s)")
    parser.add_argument("--alert-rounds", type=int, default=2, help=f"at most {house.MOST_ROUNDS} (%(default)s)")
    parser.add_argument("--full", action="store_true", help="1,000,000 recipients, in growth and as the bulk send")
    parser.add_argument("--scratch", type=Path, default=ROOT / ".bench", help="where npm's packages are kept")
    given = parser.parse_args(words)
    given.scratch = given.scratch.absolute()
    given.sizes = sorted(given.sizes or ([10_000, 100_000, 1_000_000] if given.full else [10_000, 100_000]))
    given.bulk = given.bulk or (1_000_000 if given.full else 200_000)
    return given


def run(given: Namespace) -> Run:
    """Measure all that is asked for."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-")))
        bench = Bench(stack, given, folder)
        speeds = bench.local() if "local" in given.parts else []
        speeds += bench.far() if "far" in given.parts else []
        chosen = re.sub(
            r" ?--scratch[ =]\S+", "", " ".join(sys.argv[1:])
        )  # a place of this machine is nobody's business
        words = [f"ARGS={chosen}"] if chosen else []
        return Run(
            size=bench.letter.size,
            command=shlex.join(["make", "bench-delivery", *words]),
            versions=_versions(),
            speeds=speeds,
            growth=bench.sizes() if "growth" in given.parts else {},
            houses=bench.houses() if "house" in given.parts else [],
            missing=bench.missing,
        )


def _versions() -> list[str]:
    asked = ["dpkg-query", "--show", "--showformat", "${Version}", "postfix"]
    postfix = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return [
        f"Postfix {postfix or 'of unknown version'}",
        f"nodemailer {peers.NODEMAILER}",
        *(f"{name} {version(name)}" for name in ("aiosmtplib", "django-post-office", "uvloop")),
    ]


def main() -> int:
    given = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started is ended then too
    try:
        found = run(given)
    except (PeerError, SinkMissingError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    written = markdown(found)
    sys.stdout.write(f"{written}\n")
    if set(given.parts) == set(PARTS):
        write_section("delivery", written)
    return int(bool(found.missing))


if __name__ == "__main__":
    sys.exit(main())

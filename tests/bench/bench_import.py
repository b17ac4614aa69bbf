"""Lists of readers in and out: `tocsin subscribers import` and `export`, beside PostgreSQL's own COPY of the same file.

Makes a list of readers up, has it imported by a process of its own, imported once more, and exported. The peer is COPY
of the file as it is into one table of text, with a unique index on the address: what a database takes at all.
Ends by itself, and ends what it has started. `python -m tests.bench.bench_import --help` says what can be chosen.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from tests.bench.page import conditions, table, write_section
from tests.databases import Cluster
from worker.signup.run_export import export_readers
from worker.signup.run_import import Listing, import_readers
from worker.store import migrate, topics
from worker.store.database import Database
from worker.tokens import keyed_hash

_TOPICS: Final = tuple(f"topic-{number}" for number in range(40))
_ZONES: Final = ("Europe/London", "Europe/Berlin", "America/New_York", "Asia/Seoul", "UTC")
_ON_DISK: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
_MEMORY: Final = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
_COLUMNS: Final = ("email", "name", "locale", "timezone", "topics", "cadence", "at")


def main() -> None:
    """Measure, print, and write the section of docs/benchmarks.md."""
    reader = argparse.ArgumentParser(description="Lists of readers in and out.")
    reader.add_argument("--lines", type=int, default=1_000_000)
    reader.add_argument("--databases", default="postgresql,sqlite")
    reader.add_argument("--dry", action="store_true", help="write nothing into docs/benchmarks.md")
    reader.add_argument("--step", nargs=3, metavar=("ACT", "URL", "FILE"), help=argparse.SUPPRESS)
    given = reader.parse_args()
    if given.step:
        _say(json.dumps(step(*given.step)))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started is ended then too
    rows = []
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        file = Path(folder) / "readers.csv"
        write_list(file, given.lines)
        for kind in given.databases.split(","):
            with made(kind, Path(folder)) as url:
                if kind == "postgresql":
                    rows.append(_row(kind, "COPY, the peer", copied(url, file)))
                for act, shown in _ACTS.items():
                    rows.append(_row(kind, shown, _in_its_own_process(act, url, file)))
                    _say(" | ".join(map(str, rows[-1])))
    headings = ["", "", "lines/s", "seconds", "processor s", "peak MB"]
    told = "\n\n".join((_ABOUT.format(lines=given.lines), table(headings, rows), conditions(_server())))
    _say(f"\n{told}")
    if not given.dry:
        write_section("import", told)


_ACTS: Final = {"dry": "import --dry-run", "import": "import --confirmed", "again": "once more", "export": "export"}


def step(act: str, url: str, file: str) -> dict[str, float]:
    """Do one thing in this process, and tell what it took; the seconds do not count the interpreter's start."""
    database = Database(url)
    list_ = Path(file)
    begun_s, spent_s = time.perf_counter(), _processor_s()
    if act == "export":
        with list_.with_suffix(".out").open("w", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            lines = sum(1 for row in export_readers(database) if writer.writerow(row))
    else:
        listing = Listing(hash_address=_hash, confirmed=True, dry_run=act == "dry")
        lines = import_readers(database, list_, listing).lines
    took = {"s": time.perf_counter() - begun_s, "cpu_s": _processor_s() - spent_s, "lines": lines}
    database.close()
    return {**took, "peak_mb": max(one.ru_maxrss for one in _used()) / 1024}


def _processor_s() -> float:
    return sum(one.ru_utime + one.ru_stime for one in _used())


def _used() -> list[resource.struct_rusage]:
    """Return what this process has used, and what those that it started and waited for have."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def write_list(file: Path, lines: int) -> None:
    """Write a list of readers: five zones, forty topics of which each follows one to three, a thousand domains."""
    chance = random.Random(26)
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(_COLUMNS)
        for number in range(lines):
            follows = chance.sample(_TOPICS, chance.choice((1, 1, 1, 2, 3)))
            domain = f"mail{chance.randrange(6) if chance.random() < 0.8 else chance.randrange(1000)}.example.org"
            cadence, at = chance.choice(
                (("daily", "07:00"), ("daily", "18:30"), ("immediate", ""), ("weekly", "08:00"))
            )
            about = (chance.choice(("en", "ko")), chance.choice(_ZONES), ";".join(follows), cadence, at)
            rows.writerow((f"reader.{number}@{domain}", f"Reader {number}", *about))


def copied(url: str, file: Path) -> dict[str, float]:
    """Copy the file into a table of its own, and tell what that took."""
    begun_s = time.perf_counter()
    with psycopg.connect(url) as conn, conn.cursor() as cursor, file.open("rb") as stream:
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in _COLUMNS)
        cursor.execute(sql.SQL("CREATE TABLE peer ({}, UNIQUE (email))").format(columns))
        with cursor.copy("COPY peer FROM STDIN (FORMAT csv, HEADER true)") as copy:
            while block := stream.read(1 << 16):
                copy.write(block)
        cursor.execute("SELECT count(*) FROM peer")
        found = cursor.fetchone()
    took_s = time.perf_counter() - begun_s
    with psycopg.connect(url) as conn:
        conn.execute("DROP TABLE peer")
    return {"s": took_s, "lines": found[0] if found else 0}


@contextlib.contextmanager
def made(kind: str, folder: Path) -> Iterator[str]:
    """Make a database of a kind, with topics to follow, and end it."""
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{folder / 'tocsin.db'}"
        if kind == "postgresql":
            cluster = Cluster(**_ON_DISK, **_MEMORY)
            stack.callback(cluster.stop)
            url = stack.enter_context(cluster.bare())
        database = Database(url)
        migrate.upgrade(database)
        with database.write() as conn:
            for slug in _TOPICS:
                topics.put_topic(conn, topics.NewTopic(slug=slug, name={"en": slug}, query=slug, canonical=slug))
        database.close()
        yield url


def _in_its_own_process(act: str, url: str, file: Path) -> dict[str, float]:
    words = [sys.executable, "-m", "tests.bench.bench_import", "--step", act, url, str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ})
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _row(kind: str, act: str, took: dict[str, Any]) -> list[str]:
    cpu = f"{took['cpu_s']:.1f}" if "cpu_s" in took else ""
    peak = f"{took['peak_mb']:.0f}" if "peak_mb" in took else ""
    return [kind, act, f"{took['lines'] / took['s']:,.0f}", f"{took['s']:.1f}", cpu, peak]


def _hash(key: str) -> str:
    return keyed_hash("a key for the benchmark", key)


def _server() -> str:
    return f"psycopg {psycopg.__version__}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


_ABOUT: Final = """\
{lines:,} readers, each with a name, a zone, a language and 1.6 topics on average: a row each and one for every topic,
with all indexes in place, in transactions of at most 5,000 rows, on a server that waits for its disk. Reading, checking
and storing, from the file to the last commit. On PostgreSQL a long list is stored by a process for each core: processor
seconds are those of all, peak memory is the largest one's."""


if __name__ == "__main__":
    main()

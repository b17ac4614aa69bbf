"""One run of each side of the intake benchmark, each in a process of its own, which measures its own time and memory.

    python -m tests.bench.intake_runs poll FOLDER PORT [store|dry]     200 feeds, for the first time, into articles
    python -m tests.bench.intake_runs cycle FOLDER PORT                10,000 known sources, once around
    python -m tests.bench.intake_runs parse FOLDER                     feedparser alone, on the same bytes

Prints one JSON object. Decides nothing. `bench_intake` prepares the folders and calls it.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psutil
import sqlalchemy as sa
from sqlalchemy import Row

from worker.adapters.sources.resolving import Resolver
from worker.intake.pace import Pace
from worker.intake.run import Intake, Taken
from worker.intake.run_polling import Poller
from worker.intake.run_turns import Report
from worker.model import ParsedArticle
from worker.store import sources
from worker.store.database import Database
from worker.store.schema import Article, Source

_LOOK_EVERY_S: Final = 0.05


class Dry(Intake):
    """Judges and stores nothing: what is left is fetching and reading."""

    items = 0

    def take_feed(self, source: Row[*tuple[object, ...]], found: Iterable[ParsedArticle], **_: Any) -> Taken:  # noqa: ARG002  the base class's signature
        """Count."""
        self.items += len(list(found))
        return Taken()


class Memory:
    """The most memory that this process and its children have taken together, in MB."""

    def __init__(self) -> None:
        self.most_mb = 0.0
        self.most_of_own_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._ended.wait(_LOOK_EVERY_S):
            mine = own.memory_info().rss / 1e6
            children = 0.0
            for child in own.children(recursive=True):
                try:
                    children += child.memory_info().rss / 1e6
                except psutil.NoSuchProcess:
                    continue
            self.most_mb = max(self.most_mb, mine + children)
            self.most_of_own_mb = max(self.most_of_own_mb, mine)


@contextmanager
def measured(told: dict[str, Any]) -> Iterator[None]:
    """Put seconds, processor seconds with children, and memory into `told`."""
    memory, began_s, began_cpu_s = Memory(), time.perf_counter(), _cpu_s()
    yield
    told |= {"s": time.perf_counter() - began_s, "cpu_s": _cpu_s() - began_cpu_s}
    memory.end()
    told |= {"mb": memory.most_mb, "own_mb": memory.most_of_own_mb}


def _cpu_s() -> float:
    """Return the processor seconds of this process and of all its children."""
    living = [one.cpu_times() for one in psutil.Process().children(recursive=True)]
    return sum(os.times()[:4]) + sum(one.user + one.system for one in living)


def poller(database: Database, intake: Intake) -> Poller:
    """Return what polls, with all hosts on this machine."""
    resolver = Resolver(lambda _host, _port: ["127.0.0.1"])
    return Poller(database, intake, user_agent="bench", pace=Pace(), allow_private=True, resolver=resolver)


def poll(folder: Path, port: int, *, stores: bool) -> dict[str, Any]:
    """Poll feeds that nobody has polled before."""
    database = Database(f"sqlite:///{folder / 'tocsin.db'}")
    with database.write() as conn:
        names = json.loads((folder / "names.json").read_text())
        ids = [sources.put(conn, kind="feed", name=name, url=f"http://{name}.example:{port}/{name}") for name in names]
    limit = timedelta(days=3650)
    intake = Intake(database, age_limit=limit) if stores else Dry(database, age_limit=limit)
    reports: list[Report] = []
    told: dict[str, Any] = {}
    with measured(told):
        poller(database, intake).poll_now(ids, reports.append)
    with database.read() as conn:
        stored = conn.execute(sa.select(sa.func.count()).select_from(Article)).scalar_one()
    errors = [report.error for report in reports if report.error]
    return told | {"items": stored or getattr(intake, "items", 0), "sources": len(reports), "errors": errors}


def cycle(folder: Path) -> dict[str, Any]:
    """Poll all sources of a database that are due, as a worker does."""
    database = Database(f"sqlite:///{folder / 'tocsin.db'}")
    with database.read() as conn:
        count = conn.execute(sa.select(sa.func.count()).select_from(Source)).scalar_one()
        began_at = conn.execute(sa.select(sa.func.max(Source.created_at))).scalar_one()
    found: list[int] = []
    worker = poller(database, Intake(database, age_limit=timedelta(days=3650)))
    told: dict[str, Any] = {}
    with measured(told):
        worker.ring(found.extend)
        while True:
            time.sleep(0.25)
            with database.read() as conn:
                polled = conn.execute(sa.select(sa.func.count()).where(Source.last_polled_at > began_at)).scalar_one()
            if polled == count:
                break
    worker.close()
    with database.read() as conn:
        failed = conn.execute(sa.select(sa.func.count()).where(Source.failures > 0)).scalar_one()
    return told | {"sources": count, "articles": len(found), "failed": failed}


def parse(folder: Path) -> dict[str, Any]:
    """Have feedparser read the same bytes, and nothing else."""
    import feedparser

    documents = pickle.loads((folder / "documents.pickle").read_bytes())
    told: dict[str, Any] = {}
    items = 0
    with measured(told):
        for document in documents.values():
            items += len(feedparser.parse(document.data).entries)
    return told | {"items": items, "sources": len(documents)}


def main() -> None:
    """Run what the arguments name."""
    logging.disable(logging.INFO)
    what, folder, *words = sys.argv[1:]
    if what == "parse":
        told = parse(Path(folder))
    elif what == "cycle":
        told = cycle(Path(folder))
    else:
        told = poll(Path(folder), int(words[0]), stores=words[1] == "store")
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()

"""From POST /api/v1/articles to the last row of an alert: how long its followers wait for the planner.

Starts what takes part and nothing else: broker, web, beat, a control worker; on SQLite, and on a PostgreSQL of its own.
Readers follow one topic immediately, there is no gathering time, and articles are pushed one after another, each when
all rows of the last one stand. Nothing is delivered: the system is at rest otherwise. Ends by itself, and ends what it
has started. `python -m tests.bench.bench_alerts --help` says what can be chosen.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx
import sqlalchemy as sa

from tests.acceptance.houses import API_KEY, CommandLine, Installation, own_ports, until
from tests.bench.page import conditions, table, write_section
from tests.bench.pushing import Press
from tests.crowd import add_readers
from tests.databases import Cluster
from worker.model import Cadence, EditionKind
from worker.store.database import Database
from worker.store.schema import Article, Delivery, Edition

_WARM_UP: Final = 5  # pushes that nobody counts
_WITHIN_S: Final = 120.0
_TOPIC: Final = "ferries"
_KEYS: Final = {
    "TOCSIN_API_KEY": API_KEY,
    "TOCSIN_SECRET_KEYS": "a-key-for-the-benchmark-0123456789",
    "TOCSIN_SUPPRESSION_KEY": "another-key-for-the-benchmark-0123",
    "TOCSIN_GATHER_S": "0",
    "TOCSIN_BURST_COUNT": "0",  # two hundred alerts on one topic are what is measured
}
_ON_DISK: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where is measured."""

    house: Installation
    database: Database


def main() -> None:
    """Measure, print, and write the section of docs/benchmarks.md."""
    reader = argparse.ArgumentParser(description="From POST /api/v1/articles to an alert's last row.")
    reader.add_argument("--followers", type=int, nargs="+", default=[10_000, 100_000])
    reader.add_argument("--pushes", type=int, default=200, help="a tenth of it for each ten times as many followers")
    reader.add_argument("--databases", default="sqlite,postgresql")
    reader.add_argument("--dry", action="store_true", help="write nothing into docs/benchmarks.md")
    given = reader.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started is ended then too
    lines = []
    for kind in given.databases.split(","):
        for followers in given.followers:
            pushes = max(5, given.pushes * min(given.followers) // followers)
            with made(kind) as place:
                spent_s = measure(place, followers=followers, pushes=pushes)
            lines.append([kind, f"{followers:,}", len(spent_s), *_percentiles(spent_s), f"{max(spent_s):.2f}"])
            _say(" | ".join(map(str, lines[-1])))
    shown = table(["seconds", "followers", "pushes", "p50", "p95", "p99", "longest"], lines)
    told = "\n\n".join((_ABOUT, shown, conditions()))
    _say(f"\n{told}")
    if not given.dry:
        write_section("alerts", told)


@contextlib.contextmanager
def made(kind: str) -> Iterator[Place]:
    """Make an installation with a database of a kind, and end all of it."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-")))
        ports = own_ports()
        settings = {**ports, **_KEYS, "TOCSIN_BROKER_URL": f"redis://127.0.0.1:{ports['TOCSIN_BROKER_PORT']}/0"}
        if kind == "postgresql":
            cluster = Cluster(**_ON_DISK)
            stack.callback(cluster.stop)
            settings["TOCSIN_DATABASE_URL"] = stack.enter_context(cluster.bare())
        commands = CommandLine()
        stack.callback(commands.close)
        house = Installation(folder / "home", commands, settings)
        house.told("db", "upgrade")
        database = Database(settings.get("TOCSIN_DATABASE_URL", f"sqlite:///{house.home / 'tocsin.db'}"))
        stack.callback(database.close)
        stack.enter_context(_broker(folder, int(ports["TOCSIN_BROKER_PORT"])))
        yield Place(house=house, database=database)


@contextlib.contextmanager
def _broker(folder: Path, port: int) -> Iterator[None]:
    words = ["--dir", str(folder / "broker"), "--port", str(port), "--log", str(folder / "broker.log")]
    with subprocess.Popen([sys.executable, "-m", "worker.runtime.broker", *words]) as process:
        try:
            yield
        finally:
            process.terminate()


def measure(place: Place, *, followers: int, pushes: int) -> list[float]:
    """Return the seconds from each push to the alert's last row."""
    house, database = place.house, place.database
    topic = house.folder / "ferries.yaml"
    topic.write_text(f"- {{slug: {_TOPIC}, name: {{en: Ferries}}, query: ferry}}\n", encoding="utf-8")
    house.told("topics", "import", topic)
    add_readers(database, followers, topic=_TOPIC, cadence=Cadence.IMMEDIATE)
    press = Press(house.url, API_KEY)
    with house.start("web"), house.start("beat"), house.start("worker", "--queues", "control"):
        until(lambda: _is_up(house), within_s=_WITHIN_S, what="the web answers", tell=house.logs)
        spent_s = [_push(database, press, number, followers) for number in range(_WARM_UP + pushes)]
    return spent_s[_WARM_UP:]


def _push(database: Database, press: Press, number: int, followers: int) -> float:
    """Push one article about something of its own, and return how long its alert took to be planned for all."""
    word = "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}")
    words = " ".join(f"{word}{chr(ord('a') + place)}" for place in range(26))
    title = f"The ferry of {word} port sails at {number}"
    pushed = press.push({"url": f"https://courier.example/{number}", "title": title, "body": words})
    query = (
        sa.select(Edition.planned_at, Edition.audience)
        .join(Article, Article.story_id == Edition.story_id)
        .where(Article.id == pushed.article_id, Edition.kind == EditionKind.ALERT, Edition.audience.is_not(None))
    )

    def planned() -> sa.Row[datetime | None, int | None] | None:
        with database.read() as conn:
            return conn.execute(query).first()

    done = until(planned, within_s=_WITHIN_S, what=f"the alert of push {number} is planned")
    assert done is not None
    assert done.audience == followers, f"push {number}: {done.audience} of {followers} followers"
    with database.read() as conn:
        last = conn.execute(
            sa.select(sa.func.max(Delivery.planned_at))
            .join(Edition, Edition.id == Delivery.edition_id)
            .join(Article, Article.story_id == Edition.story_id)
            .where(Article.id == pushed.article_id)
        ).scalar_one()
    assert done.planned_at is not None
    assert last is not None
    finished: datetime = max(last, done.planned_at)
    return finished.timestamp() - pushed.sent_s


def _is_up(house: Installation) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{house.url}/healthz", timeout=5).status_code == 200
    time.sleep(0.2)
    return False


def _percentiles(values_s: Sequence[float]) -> list[str]:
    cuts = statistics.quantiles(values_s, n=100, method="inclusive")
    return [f"{cuts[place - 1]:.2f}" for place in (50, 95, 99)]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


_ABOUT: Final = """\
From the client's sending of an article to the moment in which the edition of its alert is closed with a row for each
follower: broker, web, beat and one control worker with two processes, no gathering time, no delivery beside it. Client,
processes and database share the machine."""


if __name__ == "__main__":
    main()

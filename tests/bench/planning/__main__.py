"""`python -m tests.bench.planning`: what planning digests costs when a whole crowd is due in one minute.

For each database and size, a process of its own builds a world, plans its run, and says seconds, microseconds a
subscription, and the planner's peak memory. Prints only.

    python -m tests.bench.planning                                  # 10,000 and 100,000 subscriptions, both databases
    python -m tests.bench.planning --sizes 1000000 --databases postgresql
    python -m tests.bench.planning --days 2                         # and the same crowd again a day later
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.bench.planning.world import add_news, build, make_due
from tests.builders import set_clock
from tests.databases import Cluster, SqliteTemplate
from worker.planning.rules import Policy
from worker.planning.run_digests import plan_digests
from worker.store.database import Database, now
from worker.store.schema import ContentStory, Delivery, EditionContent, StoryCard

POLICY = Policy(domain="courier.example", alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))


def measure(database: Database, *, subscriptions: int, days: int) -> list[dict[str, Any]]:
    """Build a world and plan its run, and again for each further day."""
    world = build(database, subscriptions=subscriptions)
    told = []
    for day in range(days):
        if day:
            set_clock(database, ahead=timedelta(days=day))
            add_news(database, seed=day)
            with database.read() as conn:
                at = now(conn)
            make_due(database, at=at - timedelta(seconds=1))
        began, used = time.perf_counter(), time.process_time()
        made = plan_digests(database, POLICY)
        took, worked = time.perf_counter() - began, time.process_time() - used
        with database.read() as conn:
            counts = {
                table.__tablename__: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for table in (Delivery, EditionContent, ContentStory, StoryCard)
            }
        told.append(
            {
                "day": day + 1,
                "subscriptions": world.subscriptions,
                "rows": sum(one.rows for one in made),
                "seconds": round(took, 2),
                "own_seconds": round(worked, 2),
                "us_each": round(1e6 * took / world.subscriptions, 1),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                **counts,
            }
        )
    return told


def one(kind: str, subscriptions: int, days: int) -> None:
    """Measure one size on one database, in this process, and print what was found."""
    with ExitStack() as stack:
        if kind == "postgresql":
            cluster = Cluster(fsync="on", synchronous_commit="on", full_page_writes="on")
            stack.callback(cluster.stop)
            url = stack.enter_context(cluster.migrated())
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = SqliteTemplate(folder).copy(folder / "tocsin.db")
        database = Database(url)
        stack.callback(database.close)
        for found in measure(database, subscriptions=subscriptions, days=days):
            print(json.dumps({"database": kind, **found}), flush=True)  # noqa: T201  what it is for


def read(arguments: list[str]) -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(prog="python -m tests.bench.planning", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], help="subscriptions due together")
    parser.add_argument("--databases", nargs="+", default=["postgresql", "sqlite"])
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="how often, interleaved")
    parser.add_argument("--one", nargs=2, metavar=("DATABASE", "SIZE"), help="measure in this very process")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Measure every size on every database, each in a process of its own, since memory's peak is a process's."""
    given = read(arguments)
    if given.one:
        one(given.one[0], int(given.one[1]), given.days)
        return
    for _ in range(given.rounds):
        for kind in given.databases:
            for size in given.sizes:
                command = [sys.executable, "-m", "tests.bench.planning", "--one", kind, str(size)]
                subprocess.run([*command, "--days", str(given.days)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])

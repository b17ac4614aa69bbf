"""`make bench-planning`: what planning digests costs when a whole crowd is due in one minute.

For each database and size, a process of its own builds a world, plans its run, and says seconds, microseconds a
subscription, and the planner's peak memory. Writes its section of docs/benchmarks.md, unless one size is asked for.

    python -m tests.bench.planning                                  # 10,000, 100,000 and 1,000,000, both databases
    python -m tests.bench.planning --sizes 1000000 --databases postgresql
    python -m tests.bench.planning --days 2                         # and the same crowd again a day later
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from tests.bench.page import conditions, table, write_section
from tests.bench.planning.world import DISTINCT, STORIES, TOPICS, add_news, build, make_due
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
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="subscriptions due")
    parser.add_argument("--databases", nargs="+", default=["postgresql", "sqlite"])
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="how often, interleaved")
    parser.add_argument("--one", nargs=2, metavar=("DATABASE", "SIZE"), help="measure in this very process")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Measure every size on every database, each in a process of its own, since memory's peak is a process's."""
    given = read(arguments)
    if given.one:
        one(given.one[0], int(given.one[1]), given.days)
        return
    found: list[dict[str, Any]] = []
    for _ in range(given.rounds):
        for kind in given.databases:
            for size in given.sizes:
                command = [sys.executable, "-m", "tests.bench.planning", "--one", kind, str(size)]
                run = subprocess.run(
                    [*command, "--days", str(given.days)], check=True, stdout=subprocess.PIPE, text=True
                )
                found += [json.loads(line) for line in run.stdout.splitlines()]
                sys.stdout.write(run.stdout)
                sys.stdout.flush()
    if len(given.sizes) > 1:
        write_section("planning", report(found, " ".join(["make bench-planning", *arguments])))


def report(found: list[dict[str, Any]], command: str) -> str:
    """Return the section: medians of all rounds, a line for each database, size and day."""
    kinds: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for one in found:
        kinds.setdefault((one["database"], one["subscriptions"], one["day"]), []).append(one)
    lines = []
    dear: dict[tuple[str, int], float] = {}
    for (kind, size, day), runs in kinds.items():
        middle = {name: statistics.median(run[name] for run in runs) for name in _MEASURED}
        dear.setdefault((kind, size), middle["us_each"])
        texts = [f"{middle['seconds']:.1f}", f"{middle['own_seconds']:.1f}", f"{middle['us_each']:.0f}"]
        lines.append([kind, f"{size:,}", day, f"{middle['rows']:,.0f}", *texts, f"{middle['peak_mb']:.0f}", len(runs)])
    ratios = []
    for kind in dict.fromkeys(kind for kind, _ in dear):
        sizes = sorted(size for name, size in dear if name == kind)
        ratio = dear[kind, sizes[-1]] / dear[kind, sizes[0]]
        ratios.append(
            f"{kind}: a subscription of {sizes[-1]:,} costs **{ratio:.2f}** of what one of {sizes[0]:,} does."
        )
    shown = table(_HEADINGS, lines)
    return "\n\n".join((conditions(), f"Command: `{command}`.", _ABOUT, shown, " ".join(ratios)))


_MEASURED: Final = ("seconds", "own_seconds", "us_each", "peak_mb", "rows")
_HEADINGS: Final = (
    "database",
    "subscriptions",
    "day",
    "mails",
    "s",
    "of it the planner's processor, s",
    "µs a subscription",
    "peak, MB",
    "runs",
)
_ABOUT: Final = f"""\
Four subscriptions a reader, to some of {TOPICS:,} topics, {DISTINCT:.0%} of the readers with a set of their own,
in two languages; {STORIES:,} stories since yesterday. All are due in the same minute. One planner, whose database has
the same two cores and waits for its disk; medians. The goals are 60 s and 500 MB at 1,000,000 on PostgreSQL, and a
cost a subscription that does not grow by more than a quarter from 10,000 on."""


if __name__ == "__main__":
    main(sys.argv[1:])

"""Intake whole: 200 feeds fetched and read beside feedparser and rss2email, and 10,000 sources polled once around.

Writes the section "intake" of docs/benchmarks.md: `make bench-intake` (ARGS='--rounds 1 --no-peer': quickly). The
server of the feeds, and each run, are processes of their own. Decides nothing about polling.
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psutil
import sqlalchemy as sa

from tests.bench.feed_server import ETAG, Served, serving
from tests.bench.feed_world import feeds
from tests.bench.page import ROOT, conditions, table, write_section
from worker.store import migrate
from worker.store.database import Database, now
from worker.store.schema import Source

PEER: Final = "rss2email==3.14"  # GPL: in a virtual environment of its own, and asked as a program
_FEEDS: Final = 200
_SOURCES: Final = 10_000
_NEWS_EVERY: Final = 50  # of these many known sources, one has something new
_SMALL: Final = 20  # different documents that those tell


def main() -> None:
    """Measure and write."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--no-peer", action="store_true", help="without rss2email, which takes minutes")
    asked.add_argument("--dry-page", action="store_true", help="write nothing into docs/benchmarks.md")
    asked.add_argument("--no-store", action="store_true", help="without storing 27,000 articles, which takes minutes")
    given = asked.parse_args()
    kinds = ("dry",) if given.no_store else ("dry", "store")
    parts = [_first_polls(given.rounds, kinds, with_peer=not given.no_peer), _cycles(given.rounds)]
    markdown = "\n\n".join([conditions(PEER.replace("==", " ") if not given.no_peer else ""), *parts])
    say(markdown)
    if not given.dry_page:
        write_section("intake", markdown)


def say(line: str) -> None:
    """Tell whoever waits."""
    sys.stderr.write(f"{line}\n")


def _first_polls(rounds: int, kinds: Sequence[str], *, with_peer: bool) -> str:
    documents = {f"feed-{number}": made for number, made in enumerate(feeds(_FEEDS))}
    served = {name: Served(data=made.data, content_type=made.content_type) for name, made in documents.items()}
    megabytes = sum(len(one.data) for one in served.values()) / 1e6
    runs: dict[str, list[dict[str, Any]]] = {"parse": [], "dry": [], "store": [], "peer": []}
    with serving(served) as port, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "documents.pickle").write_bytes(pickle.dumps(served))
        for number in range(rounds):
            for kind in kinds:
                with _house(list(served)) as home:
                    runs[kind].append(_run("poll", home, port, kind))
            runs["parse"].append(_run("parse", Path(folder)))
            if with_peer and number == 0:
                runs["peer"].append(_peer(list(served), port))
    names = {
        "parse": "feedparser alone, the bytes in memory",
        "dry": "fetched and read into articles",
        "store": "fetched, read, judged and stored (SQLite)",
        "peer": "rss2email, `r2e run --no-send`",
    }
    rows = [_row(names[kind], runs[kind], runs["parse"], runs["peer"], megabytes) for kind in names if runs[kind]]
    errors = [error for kind in kinds for run in runs[kind] for error in run["errors"]]
    headings = ["", "s", "MB/s", "articles", "processor s", "peak MB", "to feedparser's time", "to rss2email's"]
    return f"""### {_FEEDS} feeds, {megabytes:.0f} MB, for the first time

From a local server, all hosts different. Ratios are theirs by ours, so that more is better: the median of {rounds}
rounds in turn; the goals are 1.0 and 5. rss2email ran once. Peak memory is of the process and its children together.
Errors: {len(errors)}.

{table(headings, rows)}"""


def _row(
    name: str,
    ours: Sequence[Mapping[str, Any]],
    parsed: Sequence[Mapping[str, Any]],
    peers: Sequence[Mapping[str, Any]],
    megabytes: float,
) -> list[object]:
    seconds = statistics.median(run["s"] for run in ours)
    ratio = statistics.median(theirs["s"] / run["s"] for run, theirs in zip(ours, parsed, strict=False))
    peer = f"{peers[0]['s'] / seconds:.1f}" if peers else ""
    cpu_s, mb = (statistics.median(run[key] for run in ours) for key in ("cpu_s", "mb"))
    return [name, f"{seconds:.1f}", f"{megabytes / seconds:.1f}", ours[0]["items"], f"{cpu_s:.1f}", f"{mb:.0f}",
            f"{ratio:.2f}", peer]  # fmt: skip


def _cycles(rounds: int) -> str:
    small = [Served(data=made.data, content_type=made.content_type) for made in feeds(_SMALL, mean_bytes=20_000)]
    documents = {f"new-{number}": one for number, one in enumerate(small)}
    documents["same"] = Served(data=small[0].data, content_type=small[0].content_type, is_known=True)
    runs = []
    with serving(documents) as port:
        for _ in range(rounds):
            with _house([]) as home:
                _know(home, port)
                runs.append(_run("cycle", home))
    rows = [
        [
            f"{run['sources']:,}",
            f"{run['s']:.1f}",
            f"{run['sources'] / run['s']:.0f}",
            f"{run['articles']:,}",
            run["failed"],
            f"{run['cpu_s']:.1f}",
            f"{run['own_mb']:.0f}",
            f"{run['mb']:.0f}",
        ]
        for run in runs
    ]
    headings = ["sources", "s", "sources/s", "new articles", "failed", "processor s", "peak MB, the worker",
                "with its readers"]  # fmt: skip
    return f"""### {_SOURCES:,} sources, once around

Each of a host of its own, all due at once, polled as a worker does; one in {_NEWS_EVERY} has news (20 kB), all others
answer 304. The goal is 300 MB.

{table(headings, rows)}"""


@contextmanager
def _house(names: Sequence[str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        database = Database(f"sqlite:///{home / 'tocsin.db'}")
        migrate.upgrade(database)
        database.close()
        (home / "names.json").write_text(json.dumps(names))
        yield home


def _know(home: Path, port: int) -> None:
    """Store sources as if they had been polled an hour ago."""
    database = Database(f"sqlite:///{home / 'tocsin.db'}")
    with database.write() as conn:
        at = now(conn)
        then = at - timedelta(hours=1)
        rows = []
        for number in range(_SOURCES):
            name = f"new-{number % _SMALL}" if number % _NEWS_EVERY == 0 else "same"
            host = f"host-{number}.example"
            row = {"kind": "feed", "name": host, "host": host, "url": f"http://{host}:{port}/{name}", "etag": ETAG}
            rows.append({**row, "created_at": at, "next_poll_at": at, "refreshed_at": then, "last_polled_at": then})
        conn.execute(sa.insert(Source), rows)
    database.close()


def _run(*words: object) -> dict[str, Any]:
    argv = [sys.executable, "-m", "tests.bench.intake_runs", *map(str, words)]
    ran = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(ran.stdout)
    say(f"{words[0]}: { {key: value for key, value in told.items() if key != 'errors'} }")
    return told


def _peer(names: Sequence[str], port: int) -> dict[str, Any]:
    """Run rss2email over the same feeds; its mails are made, and not sent."""
    place = ROOT / ".bench" / "rss2email"
    if not (place / "bin" / "r2e").exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", PEER], check=True)
    with tempfile.TemporaryDirectory() as folder:
        config, data = Path(folder) / "rss2email.cfg", Path(folder) / "rss2email.json"
        r2e = [str(place / "bin" / "r2e"), "-c", str(config), "-d", str(data)]
        feeds_ = "".join(f"\n[feed.{name}]\nurl = http://127.0.0.1:{port}/{name}\n" for name in names)
        config.write_text(f"[DEFAULT]\nfrom = a@bench.example\nto = b@bench.example\n{feeds_}")
        began_s = time.perf_counter()
        process = subprocess.Popen([*r2e, "run", "--no-send"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak, cpu_s = 0.0, 0.0
        while process.poll() is None:
            try:
                watched = psutil.Process(process.pid)
                peak = max(peak, watched.memory_info().rss / 1e6)
                cpu_s = sum(watched.cpu_times()[:2])
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.1)
        seconds = time.perf_counter() - began_s
        items = sum(len(one.get("seen", {})) for one in json.loads(data.read_text()).get("feeds", []))
    if process.returncode or not items:
        raise RuntimeError(f"rss2email has done nothing: exit status {process.returncode}, {items} items")
    told = {"s": seconds, "cpu_s": cpu_s, "mb": peak, "items": items, "sources": len(names)}
    say(f"rss2email: {told}")
    return told


if __name__ == "__main__":
    main()

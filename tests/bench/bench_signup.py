"""What one sign-up costs: POST /subscribe to one `tocsin web`, beside a bare FastAPI endpoint that reads the same form.

    python -m tests.bench.bench_signup [--seconds N] [--rounds N] [--databases sqlite,postgresql] [--times] [--dry]

wrk (Debian's package) posts from the same machine, each form with an address of its own, from a sender of its own. The
peer parses the form, looks at the address, and answers with a page as large as ours; it stores nothing. Both are one
process of uvicorn, measured in turns. `--times` shows instead how long answers take by where an address stands: the
columns should be alike. Needs wrk; ends by itself, and ends what it has started.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any, Final

import httpx

from tests.acceptance.houses import CommandLine, Installation, own_ports, until
from tests.bench.page import conditions, table, write_section
from tests.databases import Cluster
from tests.redis_server import redis_server
from worker.runtime.ports import free_port

_WITHIN_S: Final = 120.0
_CONNECTIONS: Final = 16
_KEYS: Final = {
    "TOCSIN_SECRET_KEYS": "a-key-for-the-benchmark-0123456789",
    "TOCSIN_SUPPRESSION_KEY": "another-key-for-the-benchmark-0123",
    "TOCSIN_QUESTIONS_AN_HOUR": "0",  # every address is somebody else's, and is asked
    "TOCSIN_LOG_LEVEL": "WARNING",
}
_ON_DISK: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
_SEED: Final = "- {slug: oman, name: {en: Oman}, query: oman}\n"
_LIST: Final = "email,name,locale,timezone,topics,cadence,at\n"
_SCRIPT: Final = """\
local count = 0
function setup(thread) count = count + 1; thread:set("number", count) end
function init() made = 0 end
function request()
  made = made + 1
  local who = string.format("%s.%d.%d", "RUN", number, made)
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  wrk.headers["X-Forwarded-For"] = string.format("%d.%d.%d.7", 11 + number, math.floor(made / 250) % 250, made % 250)
  return wrk.format("POST", nil, nil, "email=reader." .. who .. "%40example.org&topics=oman&timezone=UTC&cadence=daily")
end
function done(summary, latency)
  print(string.format('{"requests": %d, "us": %d, "bad": %d, "p50": %d, "p90": %d, "p99": %d}', summary.requests,
    summary.duration, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
"""
# The answer is as long as ours, so that both send as many bytes.
_PEER: Final = """\
import sys
import uvicorn
from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse

app = FastAPI()
page = "<p>{}</p>" + "x" * int(sys.argv[2])

@app.post("/subscribe")
def subscribe(email: str = Form(), topics: str = Form(), timezone: str = Form(), cadence: str = Form()):
    local, _, domain = email.partition("@")
    assert local and domain
    return HTMLResponse(page.format(email.replace("<", "&lt;")))

@app.get("/healthz")
def healthz():
    return {}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
"""
_ABOUT: Final = """\
One process of each, uvicorn as it comes, {connections} connections of wrk, {seconds} s a round and {rounds} rounds in
turns; figures are medians. Every form names an address of its own and comes from one of 62,500 senders, so that each
sign-up is stored, its question is due, and its sender's budgets are charged in Valkey. The peer stores nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What wrk counted."""

    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float


def main() -> None:
    """Measure, print, and write the section of docs/benchmarks.md."""
    reader = argparse.ArgumentParser(description="What one sign-up costs, beside a bare FastAPI endpoint.")
    reader.add_argument("--seconds", type=int, default=15)
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--databases", default="sqlite,postgresql")
    reader.add_argument("--times", action="store_true", help="show how long answers take by where an address stands")
    reader.add_argument("--dry", action="store_true", help="write nothing into docs/benchmarks.md")
    given = reader.parse_args()
    if not given.times and which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started is ended then too
    kinds = given.databases.split(",")
    if given.times:
        for kind in kinds:
            with serving(kind) as house:
                _say(f"{kind}\n\n{times(house, rounds=given.rounds * 40)}\n")
        return
    lines = [line for kind in kinds for line in compare(kind, seconds=given.seconds, rounds=given.rounds)]
    about = _ABOUT.format(connections=_CONNECTIONS, seconds=given.seconds, rounds=given.rounds)
    shown = table(["one process", "POST/s", "p50 ms", "p90 ms", "p99 ms", "of the peer's POST/s"], lines)
    told = "\n\n".join((about, shown, conditions(_version_of_wrk())))
    _say(f"\n{told}")
    if not given.dry:
        write_section("signup", told)


@contextlib.contextmanager
def serving(kind: str) -> Iterator[Installation]:
    """Run one `tocsin web` on a database of a kind, with a Valkey."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-")))
        (folder / "valkey").mkdir()
        valkey = stack.enter_context(redis_server(folder / "valkey"))
        settings = {**own_ports(), **_KEYS, "TOCSIN_BROKER_URL": valkey.url, "TOCSIN_REDIS_URL": valkey.url}
        if kind == "postgresql":
            cluster = Cluster(**_ON_DISK)
            stack.callback(cluster.stop)
            settings["TOCSIN_DATABASE_URL"] = stack.enter_context(cluster.bare())
        commands = CommandLine()
        stack.callback(commands.close)
        house = Installation(folder / "home", commands, settings)
        house.told("db", "upgrade")
        (folder / "topics.yaml").write_text(_SEED, encoding="utf-8")
        house.told("topics", "import", folder / "topics.yaml")
        with house.start("web"):
            until(lambda: _is_up(house.url), within_s=_WITHIN_S, what="the web answers", tell=house.logs)
            yield house


@contextlib.contextmanager
def peer(page_bytes: int) -> Iterator[str]:
    """Run the bare endpoint."""
    port = free_port()
    with (
        tempfile.NamedTemporaryFile("w", suffix=".py") as script,
        subprocess.Popen([sys.executable, _written(script.name, _PEER), str(port), str(page_bytes)]) as process,
    ):
        try:
            until(lambda: _is_up(f"http://127.0.0.1:{port}"), within_s=_WITHIN_S, what="the peer answers", tell=str)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def compare(kind: str, *, seconds: int, rounds: int) -> list[list[Any]]:
    """Return the lines of both, and their ratio: the median over the rounds."""
    with serving(kind) as house:
        form = {"email": "first@example.org", "topics": "oman", "timezone": "UTC"}
        answer = httpx.post(f"{house.url}/subscribe", data=form, timeout=60)
        answer.raise_for_status()
        with peer(len(answer.content)) as bare:
            ours, theirs = [], []
            for number in range(rounds + 1):
                ours.append(_wrk(house.url, f"{number}", seconds if number else 2))
                theirs.append(_wrk(bare, f"{number}", seconds if number else 2))
    ours, theirs = ours[1:], theirs[1:]  # the first round was to warm up
    ratio = statistics.median(one.per_s / other.per_s for one, other in zip(ours, theirs, strict=True))
    return [_line(f"Tocsin on {kind}", ours, f"**{ratio:.2f}**"), _line("bare FastAPI", theirs, "1")]


def times(house: Installation, *, rounds: int) -> str:
    """Return a table of how long an answer takes, by where an address stands; the standings take turns."""
    folder = house.folder
    active, gone = (f"active{number}@example.org" for number in range(2)), "gone@example.org"
    readers = "".join(f"{address},,,,oman,daily,\n" for address in active)
    (folder / "readers.csv").write_text(_LIST + readers, encoding="utf-8")
    house.told("subscribers", "import", folder / "readers.csv", "--confirmed")
    house.told("subscribers", "suppress", gone)
    spent_ms: dict[str, list[float]] = {}
    with httpx.Client(base_url=house.url, timeout=60) as client:
        for number in range(rounds):
            sender = {"X-Forwarded-For": f"198.{number // 250}.{number % 250}.7"}
            for standing, address in _standings(number).items():
                form = {"email": address, "topics": "oman", "timezone": "UTC"}
                began_s = time.perf_counter()
                client.post("/subscribe", data=form, headers=sender).raise_for_status()
                spent_ms.setdefault(standing, []).append((time.perf_counter() - began_s) * 1000)
    lines = [[standing, *_percentiles(values)] for standing, values in spent_ms.items()]
    return table(["ms, by where the address stands", "p10", "p50", "p90", "p99"], lines)


def _standings(number: int) -> Mapping[str, str]:
    return {
        "never seen": f"stranger{number}@example.org",
        "pending, asked lately": "pending@example.org",
        "active": "active0@example.org",
        "suppressed": "gone@example.org",
        "a mailbox that had enough": f"victim+{number}@example.org",
    }


def _wrk(url: str, name: str, seconds: int) -> Round:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        path = _written(script.name, _SCRIPT.replace("RUN", name))
        words = ["wrk", "-t", "1", "-c", str(_CONNECTIONS), "-d", f"{seconds}s", "--timeout", "30s", "-s", path]
        said = subprocess.run([*words, f"{url}/subscribe"], check=True, capture_output=True, text=True).stdout
    counted = json.loads(said.strip().splitlines()[-1])
    if counted["bad"]:
        sys.exit(f"{counted['bad']} of {counted['requests']} answers from {url} were none\n{said}")
    shown = {f"{name}_ms": counted[name] / 1000 for name in ("p50", "p90", "p99")}
    return Round(per_s=counted["requests"] / counted["us"] * 1e6, **shown)


def _line(name: str, rounds: Sequence[Round], ratio: str) -> list[Any]:
    middle = {field: statistics.median(getattr(one, field) for one in rounds) for field in Round.__slots__}
    return [name, f"{middle['per_s']:,.0f}", *(f"{middle[f'{cut}_ms']:.1f}" for cut in ("p50", "p90", "p99")), ratio]


def _percentiles(values: Sequence[float]) -> list[str]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return [f"{cuts[place - 1]:.1f}" for place in (10, 50, 90, 99)]


def _written(path: str, text: str) -> str:
    Path(path).write_text(text, encoding="utf-8")
    return path


def _is_up(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    time.sleep(0.2)
    return False


def _version_of_wrk() -> str:
    said = subprocess.run(["wrk", "-v"], check=False, capture_output=True, text=True).stdout
    return " ".join(said.split()[:2])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

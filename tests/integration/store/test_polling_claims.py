"""Whose turn a host is: one poller at a time, across processes, and back again when that one is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import SpawnProcess

import pytest
import sqlalchemy as sa

from tests.builders import set_clock
from tests.databases import opened
from worker.feeds import SourceState
from worker.model import SourceId
from worker.store import polling, sources
from worker.store.database import Database, now
from worker.store.polling import CLAIM_S, Turn
from worker.store.schema import Source


def watch(database: Database, *addresses: str) -> list[SourceId]:
    with database.write() as conn:
        return [sources.put(conn, kind="feed", name=url, url=f"http://{url}") for url in addresses]


def take(database: Database, **wanted: object) -> list[Turn]:
    with database.write() as conn:
        return polling.take(conn, **{"hosts": 10, "each": 10, **wanted})  # type: ignore[arg-type]  # a test's own


def told(turns: list[Turn]) -> dict[str, list[str]]:
    return {turn.host: [source.name for source in turn.sources] for turn in turns}


def give_back(database: Database, turns: list[Turn], **values: object) -> None:
    with database.write() as conn:
        polling.settle(conn, [(row, turn.until, values) for turn in turns for row in turn.sources])


def test_a_host_is_one_pollers_with_all_that_it_takes_of_it_and_nobody_elses(database):
    watch(database, "a.example/1", "a.example/2", "a.example/3", "b.example/1", "c.example/1")
    first = take(database, hosts=2, each=2)
    assert told(first) == {"a.example": ["a.example/1", "a.example/2"], "b.example": ["b.example/1"]}
    assert told(take(database)) == {"c.example": ["c.example/1"]}
    give_back(database, first)
    assert set(told(take(database, each=3))) == {"a.example", "b.example"}


def test_what_is_not_due_paused_or_gone_is_left_alone_unless_it_is_named(database):
    due, later, paused, gone = watch(database, "a.example", "b.example", "c.example", "d.example")
    set_clock(database, ahead=timedelta(seconds=1))
    with database.write() as conn:
        (turn,) = polling.take(conn, hosts=1, each=1, ids=[later])
        polling.settle(conn, [(turn.sources[0], turn.until, {"next_poll_at": turn.until})])
        sources.change(conn, paused, state=SourceState.PAUSED)
        sources.change(conn, gone, state=SourceState.GONE)
    assert told(take(database)) == {"a.example": ["a.example"]}
    named = take(database, ids=[due, later, paused, gone])  # `due` is held
    assert sorted(turn.host for turn in named) == ["b.example", "c.example", "d.example"]


def test_sources_that_have_failed_or_never_answered_are_taken_apart_from_the_others(database):
    ill, well, _ = watch(database, "a.example", "b.example", "c.example")
    with database.write() as conn:
        sources.change(conn, ill, failures=1, last_ok_at=now(conn))
        sources.change(conn, well, last_ok_at=now(conn))
    assert told(take(database, failing=True)) == {"a.example": ["a.example"], "c.example": ["c.example"]}
    assert told(take(database, failing=False)) == {"b.example": ["b.example"]}


def test_a_claim_counts_until_it_runs_out_unless_it_is_renewed(database):
    (source_id,) = watch(database, "a.example")
    (turn,) = take(database)
    set_clock(database, ahead=timedelta(seconds=CLAIM_S - 1))
    assert take(database) == []
    with database.write() as conn:
        kept = polling.renew(conn, {source_id: turn.until})
    assert kept[source_id] > turn.until
    set_clock(database, ahead=timedelta(seconds=CLAIM_S + 1))
    assert take(database) == []
    set_clock(database, ahead=timedelta(seconds=3 * CLAIM_S))
    assert told(take(database)) == {"a.example": ["a.example"]}
    with database.write() as conn:
        assert polling.renew(conn, kept) == {}


def test_a_claim_from_before_the_clock_was_set_back_holds_nobody_up(database):
    watch(database, "a.example")
    set_clock(database, ahead=timedelta(days=1))
    take(database)
    set_clock(database, ahead=timedelta(0))
    assert told(take(database)) == {"a.example": ["a.example"]}


@pytest.mark.parametrize("meanwhile", ["taken over", "moved", "deleted"])
def test_who_has_lost_a_claim_changes_nothing_any_more(database, meanwhile):
    (source_id,) = watch(database, "a.example")
    lost = take(database)
    if meanwhile == "taken over":
        set_clock(database, ahead=timedelta(seconds=CLAIM_S + 1))
        assert take(database)
    with database.write() as conn:
        if meanwhile == "moved":
            sources.change(conn, source_id, url="http://elsewhere.example")
        if meanwhile == "deleted":
            conn.execute(sa.delete(Source))
    give_back(database, lost, last_error="of another address, or another time")
    with database.read() as conn:
        source = sources.by_id(conn, source_id)
    assert source is None or (source.last_error == "" and source.claimed_until is not None)


# Several processes ---------------------------------------------------------------------------------------------------


def _claim_and_log(url: str, pipe: Pipe) -> None:
    """Claim and give back until nothing is left, and say when; then wait to be killed with one more claim in hand."""
    with opened(url) as database:
        while turns := take(database, hosts=2, each=2):
            began, held = time.monotonic(), [(turn.host, [source.id for source in turn.sources]) for turn in turns]
            time.sleep(0.001)  # others have their chance to intrude
            pipe.send((began, time.monotonic(), held))
            give_back(database, turns, next_poll_at=None)
        pipe.send(None)
        pipe.recv()
        pipe.send(len(take(database)))
        signal.pause()


@pytest.fixture
def claimants(database_url: str) -> Iterator[list[tuple[SpawnProcess, Pipe]]]:
    spawn = multiprocessing.get_context("spawn")
    started: list[tuple[SpawnProcess, Pipe]] = []
    for _ in range(3):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_claim_and_log, args=(database_url, theirs), daemon=True)
        process.start()
        theirs.close()
        started.append((process, ours))
    yield started
    for process, pipe in started:
        process.kill()
        process.join()
        pipe.close()


def test_of_several_processes_none_meets_another_at_a_host_and_a_killed_ones_hosts_come_back(database, claimants):
    ids = watch(database, *(f"host-{number % 7}.example/{number}" for number in range(60)))
    held: dict[str, list[tuple[float, float]]] = defaultdict(list)
    polled: list[int] = []
    for _, pipe in claimants:
        while (said := pipe.recv()) is not None:
            began, ended, hosts = said
            for host, some in hosts:
                held[host].append((began, ended))
                polled += some
    assert sorted(polled) == sorted(ids), "each once"
    for spans in held.values():
        spans.sort()
        assert all(ended < begun for (_, ended), (begun, _) in pairwise(spans)), "one at a time"
    with database.write() as conn:
        conn.execute(sa.update(Source).values(next_poll_at=sa.select(sa.func.min(Source.created_at)).scalar_subquery()))
    process, pipe = claimants[0]
    pipe.send("go on")
    assert pipe.recv() == 7
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert take(database) == []
    set_clock(database, ahead=timedelta(seconds=CLAIM_S + 1))
    assert len(take(database)) == 7

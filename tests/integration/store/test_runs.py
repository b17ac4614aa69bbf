"""A run is opened once a slot, by whoever comes first; whoever comes later works on with its head."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from worker.model import RunKind, SubscriberId
from worker.store import runs
from worker.store.database import Database
from worker.store.runs import Run

DUE = datetime(2026, 11, 23, 7, tzinfo=UTC)


def opened_run(database: Database, slot: str = "a", *, kind: RunKind = RunKind.DIGEST, head: int = 5) -> Run:
    with database.write() as conn:
        run = runs.open_run(conn, kind, slot, due_at=DUE, head=head, data={"topics": [head]})
    assert run is not None
    return run


def test_the_first_head_counts_for_all(database):
    first, second = opened_run(database, head=5), opened_run(database, head=9)
    assert first == second
    assert (first.head_seq, first.data, first.reached, first.due_at) == (5, {"topics": [5]}, 0, DUE)
    assert opened_run(database, kind=RunKind.ALERT, head=9).id != first.id


def test_many_planners_at_once_open_one_run(database):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda head: opened_run(database, head=head), range(1, 9)))
    assert len({run.id for run in found}) == len({run.head_seq for run in found}) == 1


def test_what_was_reached_stays_and_never_goes_back(database):
    run = opened_run(database)
    with database.write() as conn:
        assert runs.reach(conn, run, SubscriberId(40))
        assert not runs.reach(conn, run, SubscriberId(40))
        assert not runs.reach(conn, run, SubscriberId(39))
        conn.rollback()  # a planner that died before its commit has reached nobody
    with database.write() as conn:
        assert runs.reach(conn, run, SubscriberId(30))
    with database.read() as conn:
        assert [found.reached for found in runs.unfinished(conn)] == [30]


def test_a_finished_run_is_not_opened_again(database):
    run = opened_run(database)
    with database.write() as conn:
        assert runs.close(conn, run)
        assert not runs.close(conn, run)
        assert not runs.reach(conn, run, SubscriberId(1))
        assert runs.claim(conn, run.id) is None
        assert runs.open_run(conn, RunKind.DIGEST, "a", due_at=DUE, head=9) is None
        assert runs.unfinished(conn) == []


def test_unfinished_runs_come_by_kind_and_the_longest_due_first(database):
    with database.write() as conn:
        for slot, late in (("late", 2), ("early", 0), ("between", 1)):
            runs.open_run(conn, RunKind.DIGEST, slot, due_at=DUE + timedelta(hours=late), head=1)
        runs.open_run(conn, RunKind.ALERT, "alert", due_at=DUE, head=1)
        assert [run.slot for run in runs.unfinished(conn, RunKind.DIGEST)] == ["early", "between", "late"]
        assert [run.slot for run in runs.unfinished(conn, RunKind.ALERT, RunKind.OWED)] == ["alert"]
        assert len(runs.unfinished(conn)) == 4


def test_a_run_that_another_has_in_hand_is_left_to_it(database):
    run = opened_run(database)
    with database.write() as one:
        assert runs.claim(one, run.id) == run
        if not database.is_sqlite:
            with database.write() as other:
                assert runs.claim(other, run.id) is None
    with database.write() as conn:
        assert runs.claim(conn, run.id) == run

"""Turns subscriptions whose time has come into digests: for each reader one mail of all topics that are due together.

A due instant is one run, whose head all planners share; its readers come in windows, each in one transaction with their
rows, cursors and next due times, two of them at once on PostgreSQL. A planner walks around a window that another has,
and whoever finds nothing due any more closes the run. Called by `planning.run`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from worker import garbage
from worker.model import Cadence, EditionId, Lane, RunKind, SubscriberId
from worker.planning.rules import Policy
from worker.planning.run_copies import Made, close
from worker.planning.run_serving import Desk, Served, at_once
from worker.planning.times import digest_plan, is_stale, resumes_after, stamp
from worker.schedule import next_due
from worker.store import due, editions, omissions, owed, runs, turns
from worker.store.database import Database, now
from worker.store.due import Claim, DueRow
from worker.store.house import MATCH_SEQ, reached
from worker.store.runs import Run

CHUNK_READERS: Final = {"postgresql": 4_500, "sqlite": 350}  # SQLite: transactions of at most 5,000 rows
_CHUNKS_AT_ONCE: Final = 2  # on PostgreSQL: it works on one while Python decides another
_SLOTS_A_PASS: Final = 200
_TOGETHER: Final = timedelta(minutes=1)  # later than this, a reader may have become due a second time


@garbage.looked_for_seldom()
def plan_digests(database: Database, policy: Policy, *, at: datetime | None = None) -> list[Made]:
    """Plan every digest that is due."""
    made: list[Made] = []
    with database.read() as conn:
        left = runs.unfinished(conn, RunKind.DIGEST)
        orphans = due.orphans(conn)
    if orphans:  # a planner of an earlier version of this house has died
        with database.write() as conn:
            turns.alone(conn)
            close(conn, policy, due.orphans(conn))
    for run in left:
        made += _work(database, policy, run, at=at)
    last: datetime | None = None
    for _ in range(_SLOTS_A_PASS):
        with database.read() as conn:
            last = due.next_slot(conn, after=last, at=at or now(conn))
        if last is None:
            break
        made += _work(database, policy, _run_of(database, last), at=at)
    return made


def _run_of(database: Database, due_at: datetime) -> Run:
    """Return the run of an instant: one for everybody; whoever becomes due at it once it is over has another."""
    with database.write() as conn:
        head = reached(conn, MATCH_SEQ)
        run = runs.open_run(conn, RunKind.DIGEST, stamp(due_at), due_at=due_at, head=head)
        if run is None:
            run = next((one for one in runs.unfinished(conn, RunKind.DIGEST) if one.due_at == due_at), None)
        while run is None:
            slot = f"{stamp(due_at)} again at {stamp(now(conn))}"
            run = runs.open_run(conn, RunKind.DIGEST, slot, due_at=due_at, head=head)
        return run


def _work(database: Database, policy: Policy, run: Run, *, at: datetime | None) -> list[Made]:
    """Serve whoever is due, politely first; then wait for windows that others have, and close the run."""
    desk = Desk(database, policy, run)
    made: list[Made] = []
    for waits in (False, True):
        chunk = partial(_chunk, database, policy, run, desk, at=at, waits=waits)
        with ThreadPoolExecutor(_CHUNKS_AT_ONCE) as pool:
            at_work = map if database.is_sqlite else pool.map
            made += itertools.chain.from_iterable(at_work(chunk, _windows(database, run)))
    _close(database, policy, run)
    return made


def _windows(database: Database, run: Run) -> Iterator[Sequence[SubscriberId]]:
    """Yield the readers who are due, some at a time; of neighbours, each has ranges of its own."""
    after = SubscriberId(0)
    while True:
        with database.read() as conn:
            limit = CHUNK_READERS[conn.dialect.name]
            readers: Sequence[SubscriberId] = due.window(conn, run.due_at, after=after, limit=limit)
        if not readers:
            return
        if len(readers) == limit:
            readers = turns.whole_ranges(readers)
        yield readers
        after = readers[-1]


def _chunk(
    database: Database,
    policy: Policy,
    run: Run,
    desk: Desk,
    readers: Sequence[SubscriberId],
    *,
    at: datetime | None,
    waits: bool,
) -> list[Made]:
    with database.write() as conn:
        if not waits and not turns.try_share(conn, readers[0]):
            return []
        turns.share(conn, readers)
        moment = at or now(conn)
        first, last = readers[0], readers[-1]
        if moment > run.due_at + _TOGETHER:
            due.coalesce(conn, run.due_at, first, last, at=moment)
        rows = due.rows(conn, run.due_at, first, last, at=moment)
        claims = _claims(rows, run, policy, at=moment)
        mine = due.claim(conn, run.due_at, list(claims.values()))
        served = desk.serve(conn, [row for row in rows if row.subscription_id in mine], at=moment)
        _settle(conn, served, claims, at=moment)
        return _write(conn, policy, run, served)


def _claims(rows: Sequence[DueRow], run: Run, policy: Policy, *, at: datetime) -> dict[int, Claim]:
    """Say when each subscription is due next; all that a reader is shown now is before the head."""
    worthwhile = not is_stale(run.due_at, at, policy.digest_expires)
    after = resumes_after(run.due_at, at, policy.digest_expires)
    memo: dict[tuple[str, str, int | None, str], datetime | None] = {}
    claims: dict[int, Claim] = {}
    for row in rows:
        rhythm = (row.cadence, row.times, row.weekday, row.timezone)
        if rhythm not in memo:
            times = json.loads(row.times)
            memo[rhythm] = next_due(
                Cadence(row.cadence), times=times, weekday=row.weekday, timezone=row.timezone, after=after
            )
        cursor = max(row.cursor, run.head_seq) if worthwhile and row.awake else row.cursor
        claims[row.subscription_id] = Claim(row.subscription_id, memo[rhythm], cursor)
    return claims


def _settle(conn: Connection, served: Served, claims: dict[int, Claim], *, at: datetime) -> None:
    for one in served.kept_back:
        next_due_at = one.next_due_at or claims[one.subscription_id].next_due_at
        due.put_back(conn, [one._replace(next_due_at=next_due_at)])
    due.pauses_over(conn, served.back)
    owed.settle(conn, served.settled)
    omissions.note(conn, served.omitted, at=at)


def _write(conn: Connection, policy: Policy, run: Run, served: Served) -> list[Made]:
    made = []
    for locale, copies in at_once(served.copies):
        edition_id = _edition(conn, policy, run, locale)
        rows = editions.add_rows(conn, edition_id, copies, lane=Lane.BULK, domain=policy.domain)
        made.append(Made(edition_id=edition_id, rows=rows))
    return made


def _edition(conn: Connection, policy: Policy, run: Run, locale: str) -> EditionId:
    plan = replace(digest_plan(run.due_at, locale, expires=policy.digest_expires), slot=run.slot)
    edition_id = editions.join_edition(conn, plan)
    if edition_id is None:  # pragma: no cover  closed while its run is open: nothing does that
        raise AssertionError(f"the edition of run {run.slot} is closed")
    return edition_id


def _close(database: Database, policy: Policy, run: Run) -> None:
    """Fix the audiences, unless somebody is due still: who has them will close the run."""
    with database.write() as conn:
        turns.alone(conn)
        if not due.window(conn, run.due_at, after=SubscriberId(0), limit=1) and runs.claim(conn, run.id):
            close(conn, policy, due.open_digests(conn, run.slot))
            runs.close(conn, run)

"""The statements over planning's runs: opened once a slot, with a head that all who work on them share, and resumed.

Never decides what is due. A run that nobody has closed is one whose planner died, or still works. Called by planning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import RunId, RunKind, SubscriberId
from worker.store.database import insert_for, now
from worker.store.schema import PlanningRun


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run that is not finished. Readers up to `reached` have been served; `data` is what its kind has to know."""

    id: RunId
    kind: RunKind
    slot: str
    due_at: datetime
    head_seq: int
    reached: SubscriberId
    data: dict[str, Any]
    started_at: datetime


_RUN = tuple(getattr(PlanningRun, name) for name in Run.__slots__)


def open_run(
    conn: Connection, kind: RunKind, slot: str, *, due_at: datetime, head: int, data: dict[str, Any] | None = None
) -> Run | None:
    """Return the slot's run, made with this head and data if there is none yet; None when it is finished already."""
    values = {"kind": kind, "slot": slot, "due_at": due_at, "head_seq": head, "data": data or {}}
    conn.execute(
        insert_for(conn, PlanningRun)
        .values(**values, reached=0, started_at=now(conn))
        .on_conflict_do_nothing(index_elements=["kind", "slot"])
    )
    query = sa.select(*_RUN).where(PlanningRun.kind == kind, PlanningRun.slot == slot)
    row = conn.execute(query.where(PlanningRun.finished_at.is_(None))).first()
    return Run(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def unfinished(conn: Connection, *kinds: RunKind) -> list[Run]:
    """Return the runs that somebody has to go on with, of some kinds or of all, the longest due first."""
    query = sa.select(*_RUN).where(PlanningRun.finished_at.is_(None))
    if kinds:
        query = query.where(PlanningRun.kind.in_(kinds))
    rows = conn.execute(query.order_by(PlanningRun.due_at, PlanningRun.id))
    return [Run(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def claim(conn: Connection, run_id: RunId) -> Run | None:
    """Return a run as it stands now, locked until the transaction ends; None: another has it, or it is finished."""
    query = sa.select(*_RUN).where(PlanningRun.id == run_id, PlanningRun.finished_at.is_(None))
    row = conn.execute(query.with_for_update(skip_locked=True)).first()
    return Run(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def reach(conn: Connection, run: Run, subscriber_id: SubscriberId) -> bool:
    """Note that readers up to this one have been served; False when the run is there or further already."""
    further = (PlanningRun.id == run.id, PlanningRun.reached < subscriber_id, PlanningRun.finished_at.is_(None))
    return conn.execute(sa.update(PlanningRun).where(*further).values(reached=subscriber_id)).rowcount == 1


def close(conn: Connection, run: Run) -> bool:
    """Finish a run; False when somebody has before."""
    open_still = (PlanningRun.id == run.id, PlanningRun.finished_at.is_(None))
    return conn.execute(sa.update(PlanningRun).where(*open_still).values(finished_at=now(conn))).rowcount == 1

"""The statements over preflights: who is to be looked at, what was found, who lets it go all the same.

Never decides what holds an issue: `worker.preflight` and planning do. Called by planning, steering, the rehearsal, the
command line and the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ContentId, EditionId, EditionKind, EditionStatus
from worker.store.database import insert_for, now, upsert
from worker.store.schema import ArchivedIssue, Delivery, Edition, EditionDraft, Preflight

_KEY: Final = ("edition_id",)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPreflight:
    """What is known of one edition's preflight. `findings` are as programs are told them, in order."""

    digest: str
    asked_at: datetime | None
    looked_at: datetime | None
    mark: str
    findings: list[dict[str, Any]] = field(repr=False)
    held_by: str
    waived_by: str
    waived_at: datetime | None

    def told(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "result": self.mark,
            "looked_at": self.looked_at,
            "held_by": self.held_by,
            "waived_by": self.waived_by,
            "findings": self.findings,
        }


class Seen(NamedTuple):
    """Which content of an edition most readers get, and how many different ones it has."""

    content_id: ContentId
    of: int


_COLUMNS: Final = tuple(getattr(Preflight, name) for name in StoredPreflight.__slots__)


def of(conn: Connection, edition_id: EditionId) -> StoredPreflight | None:
    """Return an edition's preflight; None where there is none."""
    row = conn.execute(sa.select(*_COLUMNS).where(Preflight.edition_id == edition_id)).first()
    return StoredPreflight(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def told(conn: Connection, edition_id: EditionId) -> dict[str, Any] | None:
    """Return for programs what the last look at an edition has found; None where nobody has looked."""
    found = of(conn, edition_id)
    return found.told() if found is not None and found.looked_at is not None else None


def ask(conn: Connection, edition_id: EditionId) -> None:
    """Note that an issue waits for a look, since the first time that this is said; one at something else is no look."""
    found = of(conn, edition_id)
    since = found.asked_at if found is not None and found.asked_at is not None else now(conn)
    _put(conn, edition_id, asked_at=since, looked_at=None)


def ask_no_more(conn: Connection, edition_id: EditionId) -> None:
    """Let an issue that waited for a look have its whole time again, should it wait once more."""
    conn.execute(sa.update(Preflight).where(Preflight.edition_id == edition_id).values(asked_at=None))


def keep(
    conn: Connection, edition_id: EditionId, *, digest: str, mark: str, findings: list[dict[str, Any]], held_by: str
) -> None:
    """Store what was found, in place of what was found before.

    Since when it waits stays: where something else would go by now, it must not begin to wait anew.
    """
    values = {"digest": digest, "mark": mark, "findings": findings, "held_by": held_by}
    _put(conn, edition_id, looked_at=now(conn), claimed_until=None, **values)


def forget(conn: Connection, edition_id: EditionId) -> None:
    """Let what was found count no more: something else would go. Who waives it goes on doing so."""
    values: dict[str, Any] = {"digest": "", "looked_at": None, "mark": "", "findings": [], "held_by": ""}
    values["asked_at"] = None
    conn.execute(sa.update(Preflight).where(Preflight.edition_id == edition_id).values(**values))


def waive(conn: Connection, edition_id: EditionId, *, by: str) -> None:
    """Note who lets an issue go whatever is found."""
    _put(conn, edition_id, waived_by=by, waived_at=now(conn))


def claim(conn: Connection, edition_id: EditionId, *, for_s: float) -> bool:
    """Take an issue to look at, for a while; False when somebody else has it."""
    at = now(conn)
    until = at + timedelta(seconds=for_s)
    new = insert_for(conn, Preflight).values(edition_id=edition_id, claimed_until=until).on_conflict_do_nothing()
    if conn.execute(new.returning(Preflight.edition_id)).first() is not None:
        return True
    free = sa.or_(Preflight.claimed_until.is_(None), Preflight.claimed_until < at)
    which = (Preflight.edition_id == edition_id, free)
    return conn.execute(sa.update(Preflight).where(*which).values(claimed_until=until)).rowcount == 1


def release(conn: Connection, edition_id: EditionId) -> None:
    """Give an issue back that could not be looked at."""
    conn.execute(sa.update(Preflight).where(Preflight.edition_id == edition_id).values(claimed_until=None))


def waiting(conn: Connection, *, stale: datetime, held_stale: datetime) -> list[EditionId]:
    """Return the issues to look at, those that wait for it first: drafts looked at before `stale` or never, held ones.

    One that somebody is at is left out.
    """
    at = now(conn)
    looked, status = Preflight.looked_at, Edition.status
    waits = sa.and_(Preflight.asked_at.is_not(None), looked.is_(None))
    query = (
        sa.select(Edition.id)
        .join(EditionDraft, EditionDraft.edition_id == Edition.id)
        .outerjoin(Preflight, Preflight.edition_id == Edition.id)
        .outerjoin(ArchivedIssue, ArchivedIssue.edition_id == Edition.id)
        .where(Edition.planned_at.is_(None), ArchivedIssue.edition_id.is_(None))
        .where(sa.or_(Preflight.claimed_until.is_(None), Preflight.claimed_until < at))
        .where(
            sa.or_(
                sa.and_(status == EditionStatus.DRAFT, sa.or_(looked.is_(None), looked < stale)),
                sa.and_(status == EditionStatus.HELD, looked < held_stale),
            )
        )
        .order_by(sa.case((waits, 0), else_=1), Edition.due_at, Edition.id)
    )
    return [EditionId(edition_id) for edition_id in conn.execute(query).scalars()]


def doubtful(conn: Connection) -> list[tuple[EditionId, str]]:
    """Return the drafts that will be held when they are due, unless somebody mends or waives what was found."""
    query = (
        sa.select(Edition.id, Preflight.held_by)
        .join(Preflight, Preflight.edition_id == Edition.id)
        .where(Edition.status == EditionStatus.DRAFT, Preflight.held_by != "", Preflight.waived_by == "")
    )
    return [(EditionId(edition_id), held_by) for edition_id, held_by in conn.execute(query.order_by(Edition.id))]


def most_sent(conn: Connection, edition_id: EditionId) -> Seen | None:
    """Return the content that most readers of an edition, or of its parts, get; None where it has none yet."""
    archived = conn.execute(sa.select(ArchivedIssue.content_id).where(ArchivedIssue.edition_id == edition_id)).scalar()
    mine: Sequence[int] = [
        edition_id, *conn.execute(sa.select(Edition.id).where(Edition.parent_id == edition_id)).scalars()
    ]  # fmt: skip
    count = sa.func.count().label("copies")
    rows = conn.execute(
        sa.select(Delivery.content_id, count)
        .where(Delivery.edition_id.in_(mine))
        .group_by(Delivery.content_id)
        .order_by(count.desc(), Delivery.content_id)
    ).all()
    if archived is None and not rows:
        return None
    return Seen(ContentId(archived if archived is not None else rows[0].content_id), max(len(rows), 1))


def kind_of(conn: Connection, edition_id: EditionId) -> EditionKind | None:
    """Return what an edition is; None where there is none."""
    return conn.execute(sa.select(Edition.kind).where(Edition.id == edition_id)).scalar()


def issue_before(conn: Connection, edition_id: EditionId) -> ContentId | None:
    """Return the content of a newsletter's last public issue before this one; None where there is none."""
    this = sa.select(Edition.newsletter_id, Edition.due_at).where(Edition.id == edition_id).subquery()
    query = (
        sa.select(ArchivedIssue.content_id)
        .join(this, this.c.newsletter_id == ArchivedIssue.newsletter_id)
        .where(ArchivedIssue.edition_id != edition_id, ArchivedIssue.due_at < this.c.due_at)
        .order_by(ArchivedIssue.due_at.desc())
        .limit(1)
    )
    found = conn.execute(query).scalar()
    return ContentId(found) if found is not None else None


def _put(conn: Connection, edition_id: EditionId, **values: Any) -> None:  # noqa: ANN401  columns by name
    """Write columns of an edition's row; of one that is new the others are empty."""
    upsert(conn, Preflight, {"edition_id": edition_id, **values}, key=_KEY)

"""The statements over issues of newsletters: drafted, chosen, approved, frozen, and sent in parts.

An issue is an edition with a draft beside it. Where readers get it at their own local time, it has one more edition an
instant, whose parent it is. Never decides what goes in or whether it goes. Called by planning, the CLI and the API.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import Issue, StoredNewsletter
from worker.model import EditionId, EditionKind, EditionStatus, Lane, RunKind, StoryId
from worker.store.database import insert_for, now
from worker.store.schema import Edition, EditionDraft, PlanningRun

_NEVER_SENT: Final = (EditionStatus.CANCELLED,)


# Held, and with an audience: then its canary holds it, and it is no draft.
_IS_WAITING: Final = sa.and_(
    Edition.status.in_((EditionStatus.DRAFT, EditionStatus.HELD)), Edition.planned_at.is_(None)
)
_ISSUE: Final = (
    *(
        getattr(Edition, name)
        for name in ("id", "slot", "newsletter_id", "status", "reason", "due_at", "expires_at", "planned_at")
    ),
    *(getattr(EditionDraft, name) for name in ("choices", "ranking", "approved_by", "approved_at")),
)


def slot_of(slug: str, wall: datetime) -> str:
    """Name an issue by its newsletter and its local time.

    >>> slot_of("top-10", datetime(2026, 11, 23, 6, 30))
    'newsletter top-10 2026-11-23T06:30'
    """
    return f"newsletter {slug} {wall:%Y-%m-%dT%H:%M}"


def part_slot(slot: str, due_at: datetime) -> str:
    """Name the edition of an issue that goes to one local time's readers."""
    return f"{slot} at {due_at:%Y-%m-%dT%H:%M:%SZ}"


def draft(
    conn: Connection, newsletter: StoredNewsletter, *, slot: str, due_at: datetime, expires_at: datetime
) -> EditionId | None:
    """Open an issue's draft; None when there is one of that slot."""
    inserted = conn.execute(
        insert_for(conn, Edition)
        .values(
            kind=EditionKind.NEWSLETTER,
            slot=slot,
            locale=newsletter.locale,
            lane=Lane.BULK,
            newsletter_id=newsletter.id,
            status=EditionStatus.DRAFT,
            due_at=due_at,
            expires_at=expires_at,
            created_at=now(conn),
        )
        .on_conflict_do_nothing(index_elements=["kind", "slot", "locale"])
        .returning(Edition.id)
    ).scalar()
    if inserted is None:
        return None
    conn.execute(sa.insert(EditionDraft).values(edition_id=inserted, choices={}, ranking=[]))
    return EditionId(inserted)


def issue(conn: Connection, edition_id: EditionId, *, locked: bool = False) -> Issue | None:
    """Find an issue by its edition, locked until the transaction ends where asked; None for any other edition."""
    if locked:  # first: a statement that waits for one row sees the others as they were before
        conn.execute(sa.select(Edition.id).where(Edition.id == edition_id).with_for_update())
    row = conn.execute(_issues().where(Edition.id == edition_id)).first()
    return Issue(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def open_issues(conn: Connection, *, at: datetime) -> list[Issue]:
    """Return the drafts whose time has come, those held before anybody got them too, the longest due first."""
    query = _issues().where(_IS_WAITING, Edition.due_at <= at)
    rows = conn.execute(query.order_by(Edition.due_at, Edition.id))
    return [Issue(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def issue_at(conn: Connection, newsletter: StoredNewsletter, wall: datetime) -> Issue | None:
    """Return the issue of a newsletter that is due at a local time."""
    named = (Edition.newsletter_id == newsletter.id, Edition.slot == slot_of(newsletter.slug, wall))
    row = conn.execute(_issues().where(*named)).first()
    return Issue(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def open_parts(conn: Connection, newsletter_id: int, *, due_at: datetime) -> list[EditionId]:
    """Return a newsletter's editions of one local time that still take readers."""
    query = _open_parts(newsletter_id, Edition.id).where(Edition.due_at == due_at)
    return [EditionId(edition_id) for edition_id in conn.execute(query).scalars()]


def open_instants(conn: Connection, newsletter_id: int) -> list[datetime]:
    """Return the instants of a newsletter's editions of local times that still take readers."""
    return list(conn.execute(_open_parts(newsletter_id, Edition.due_at)).scalars())


def choose(conn: Connection, edition_id: EditionId, choices: dict[str, Any]) -> None:
    """Store what an editor chose, in place of what was chosen before."""
    conn.execute(sa.update(EditionDraft).where(EditionDraft.edition_id == edition_id).values(choices=choices))


def freeze(conn: Connection, edition_id: EditionId, ranking: Sequence[StoryId]) -> None:
    """Fix which stories an issue may show, in which order."""
    conn.execute(sa.update(EditionDraft).where(EditionDraft.edition_id == edition_id).values(ranking=list(ranking)))


def thaw(conn: Connection, edition_id: EditionId) -> None:
    """Undo that an issue was fixed and approved: something else is to go."""
    mine = EditionDraft.edition_id == edition_id
    conn.execute(sa.update(EditionDraft).where(mine).values(ranking=[], approved_by="", approved_at=None))


def approve(conn: Connection, edition_id: EditionId, *, by: str, at: datetime) -> None:
    """Note who let an issue go."""
    mine = EditionDraft.edition_id == edition_id
    conn.execute(sa.update(EditionDraft).where(mine).values(approved_by=by, approved_at=at))


def change(conn: Connection, edition_id: EditionId, **values: Any) -> bool:  # noqa: ANN401  column values by name
    """Set columns of an issue that is still a draft, or held as one; False when it is none any more."""
    return conn.execute(sa.update(Edition).where(Edition.id == edition_id, _IS_WAITING).values(**values)).rowcount == 1


def part(conn: Connection, newsletter: StoredNewsletter, of: Issue, *, due_at: datetime, slot: str) -> EditionId | None:
    """Open the edition of one local time's readers of an issue; None when its audience is fixed already."""
    conn.execute(
        insert_for(conn, Edition)
        .values(
            kind=EditionKind.NEWSLETTER,
            slot=slot,
            locale=newsletter.locale,
            lane=Lane.BULK,
            newsletter_id=newsletter.id,
            parent_id=of.id,
            status=EditionStatus.PLANNING,
            due_at=due_at,
            expires_at=due_at + (of.expires_at - of.due_at),
            created_at=now(conn),
        )
        .on_conflict_do_nothing(index_elements=["kind", "slot", "locale"])
    )
    query = sa.select(Edition.id).where(
        Edition.kind == EditionKind.NEWSLETTER, Edition.slot == slot, Edition.status == EditionStatus.PLANNING
    )
    found = conn.execute(query).scalar()
    return EditionId(found) if found is not None else None


def is_closed(conn: Connection, slot: str) -> bool:
    """Tell whether the edition of one local time's readers takes no more of them; one that is not opened yet does."""
    named = (Edition.kind == EditionKind.NEWSLETTER, Edition.slot == slot)
    query = sa.select(Edition.id).where(*named, Edition.status != EditionStatus.PLANNING)
    return conn.execute(query).first() is not None


def parts_of(conn: Connection, edition_id: EditionId) -> tuple[int, int]:
    """Return how many local times' editions an issue has, and how many copies in all of them."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Edition.audience), 0))
    row = conn.execute(query.where(Edition.parent_id == edition_id)).one()
    return row[0], int(row[1] or 0)


def latest_head(conn: Connection, newsletter: StoredNewsletter, *, but: Collection[EditionId]) -> int | None:
    """Return the last match_seq that an issue which readers got could show; None when there is none but these."""
    query = (
        sa.select(sa.func.max(PlanningRun.head_seq))
        .join(Edition, Edition.slot == PlanningRun.slot)
        .where(PlanningRun.kind == RunKind.NEWSLETTER, Edition.kind == EditionKind.NEWSLETTER)
        .where(Edition.newsletter_id == newsletter.id, Edition.status.not_in(_NEVER_SENT))
        .where(Edition.id.not_in(but))
        .where(sa.or_(Edition.audience.is_(None), Edition.audience > 0))
    )
    found: int | None = conn.execute(query).scalar()
    return found


def _open_parts(newsletter_id: int, column: Any) -> Any:  # noqa: ANN401  a column and its Select
    return sa.select(column).where(
        Edition.status == EditionStatus.PLANNING,
        Edition.parent_id.is_not(None),
        Edition.newsletter_id == newsletter_id,
    )


def _issues() -> Any:  # noqa: ANN401  a Select of eleven columns, whose type says nothing to its readers
    return sa.select(*_ISSUE).join(EditionDraft, EditionDraft.edition_id == Edition.id)

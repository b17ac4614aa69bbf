"""The statements over newsletters: when each is due, who follows it, and when it is due to whom.

Never decides what goes in or whether it goes; `issues` has what comes of them. Called by signup, planning, the CLI and
the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.facts import NewsletterReader, OfferedNewsletter, StoredNewsletter
from worker.model import Approval, SubscriberId, SubscriptionId, Timing
from worker.store.database import insert_for, now
from worker.store.followings import awake
from worker.store.schema import Edition, Newsletter, Subscriber, Subscription

_NEWSLETTER: Final = tuple(getattr(Newsletter, name) for name in StoredNewsletter.__slots__)
_OFFERED: Final = tuple(getattr(Newsletter, name) for name in OfferedNewsletter.__slots__)


# Newsletters ---------------------------------------------------------------------------------------------------------


def put(conn: Connection, values: dict[str, Any]) -> bool:
    """Store a newsletter under its slug, in place of an earlier one; True when it is new."""
    at = now(conn)
    known = conn.execute(sa.select(Newsletter.id).where(Newsletter.slug == values["slug"])).first()
    statement = insert_for(conn, Newsletter).values(**values, created_at=at, updated_at=at)
    changed = {**values, "updated_at": at}
    conn.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=changed))
    return known is None


def listed(conn: Connection) -> list[dict[str, Any]]:
    """Return all newsletters by slug, as mappings of their columns, with how many readers follow each."""
    columns = [column for column in Newsletter.__table__.columns if column.name not in {"id", "created_at"}]
    readers = (
        sa.select(sa.func.count())
        .where(Subscription.newsletter_id == Newsletter.id, Subscription.ended_at.is_(None))
        .scalar_subquery()
        .label("readers")
    )
    rows = conn.execute(sa.select(*columns, readers).order_by(Newsletter.slug))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def offered(conn: Connection) -> list[OfferedNewsletter]:
    """Return the newsletters that readers can choose, by slug."""
    query = sa.select(*_OFFERED).where(Newsletter.disabled_reason == "").order_by(Newsletter.slug)
    return [OfferedNewsletter(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def slugs(conn: Connection) -> list[str]:
    """Return the slugs of all newsletters."""
    return list(conn.execute(sa.select(Newsletter.slug).order_by(Newsletter.slug)).scalars())


def by_slug(conn: Connection, slug: str) -> StoredNewsletter | None:
    """Find a newsletter."""
    return _newsletter(conn, Newsletter.slug == slug)


def all_by_slug(conn: Connection) -> dict[str, StoredNewsletter]:
    """Return all newsletters, by slug."""
    return {row.slug: StoredNewsletter(**row._mapping) for row in conn.execute(sa.select(*_NEWSLETTER))}  # noqa: SLF001  Row's documented view


def by_id(conn: Connection, newsletter_id: int) -> StoredNewsletter | None:
    """Find a newsletter."""
    return _newsletter(conn, Newsletter.id == newsletter_id)


def due(conn: Connection, *, at: datetime) -> list[StoredNewsletter]:
    """Return newsletters whose next issue is to be drafted, and those that have never been scheduled."""
    # The lead is small, so that the few that are near enough are looked at one by one.
    unscheduled = sa.and_(Newsletter.starts_on.is_(None), Newsletter.next_due_at.is_(None))
    query = sa.select(*_NEWSLETTER).where(
        Newsletter.disabled_reason == "", sa.or_(unscheduled, Newsletter.next_due_at.is_not(None))
    )
    rows = conn.execute(query.order_by(Newsletter.id))
    found = [StoredNewsletter(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view
    return [one for one in found if one.next_due_at is None or (one.next_due_at - at).total_seconds() <= one.lead_s]


def reschedule(
    conn: Connection, newsletter: StoredNewsletter, next_due_at: datetime | None, *, starts_on: date | None = None
) -> bool:
    """Set when a newsletter's next issue is due, by compare-and-set; False when another planner has."""
    was = Newsletter.next_due_at
    same = was.is_(None) if newsletter.next_due_at is None else was == newsletter.next_due_at
    values: dict[str, object] = {"next_due_at": next_due_at}
    if starts_on is not None:
        values["starts_on"] = starts_on
    changed = conn.execute(sa.update(Newsletter).where(Newsletter.id == newsletter.id, same).values(**values))
    return changed.rowcount == 1


def make_all_due(conn: Connection) -> int:
    """Make newsletters due now, as the demo does, and return how many: those that have readers and no issue yet.

    What waits for an editor's word, or for each reader's hour, is left to come at its time.
    """
    statement = (
        sa.update(Newsletter)
        .where(Newsletter.timing == Timing.NEWSROOM, Newsletter.approval == Approval.AUTOMATIC)
        .where(Newsletter.next_due_at.is_not(None), _is_followed())
        .where(~sa.exists().where(Edition.newsletter_id == Newsletter.id))
        .values(next_due_at=now(conn))
    )
    return conn.execute(statement).rowcount


def is_followed(conn: Connection, newsletter_id: int) -> bool:
    """Tell whether anybody follows a newsletter."""
    return (
        conn.execute(sa.select(Newsletter.id).where(Newsletter.id == newsletter_id, _is_followed())).first() is not None
    )


def zones_of(conn: Connection, newsletter_id: int) -> list[str]:
    """Return the zones that a newsletter's readers live in."""
    query = (
        sa.select(Subscriber.timezone)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.newsletter_id == newsletter_id, Subscription.ended_at.is_(None))
        .distinct()
    )
    return list(conn.execute(query).scalars())


def set_zone_due(conn: Connection, newsletter_id: int, zone: str | None, next_due_at: datetime | None) -> None:
    """Set when a newsletter is next due to those of its readers who live in a zone, or to all."""
    which = [Subscription.newsletter_id == newsletter_id, Subscription.ended_at.is_(None)]
    if zone is not None:
        living = sa.select(Subscriber.id).where(
            Subscriber.timezone == zone, Subscriber.id == Subscription.subscriber_id
        )
        which.append(living.exists())
    conn.execute(sa.update(Subscription).where(*which).values(next_due_at=next_due_at))


# Readers -------------------------------------------------------------------------------------------------------------


def next_followers(
    conn: Connection,
    newsletter_id: int,
    *,
    after: SubscriberId,
    limit: int,
    due_at: datetime | None = None,
    upto: SubscriberId | None = None,
    at: datetime,
) -> list[NewsletterReader]:
    """Return the next readers of a newsletter in order of id; where given, of one due instant, and up to a reader."""
    which: list[ColumnElement[bool]] = [Subscription.newsletter_id == newsletter_id, Subscription.ended_at.is_(None)]
    if due_at is not None:
        which.append(Subscription.next_due_at == due_at)
    if upto is not None:
        which.append(Subscription.subscriber_id <= upto)
    query = (
        sa.select(
            Subscription.subscriber_id,
            Subscription.id.label("subscription_id"),
            Subscriber.email.label("recipient"),
            Subscriber.timezone,
            awake(at).label("awake"),
            Subscriber.quiet_from,
            Subscriber.quiet_to,
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(*which, Subscription.subscriber_id > after)
        .order_by(Subscription.subscriber_id)
        .limit(limit)
    )
    return [NewsletterReader(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def due_instants(conn: Connection, newsletter_id: int, *, at: datetime) -> list[datetime]:
    """Return the instants at which readers are due their copies by their own clocks, the longest due first."""
    query = (
        sa.select(Subscription.next_due_at)
        .where(
            Subscription.newsletter_id == newsletter_id,
            Subscription.ended_at.is_(None),
            Subscription.next_due_at <= at,
        )
        .distinct()
        .order_by(Subscription.next_due_at)
    )
    return [due_at for due_at in conn.execute(query).scalars() if due_at is not None]


def timed_by_readers(conn: Connection) -> list[StoredNewsletter]:
    """Return the newsletters that go by each reader's own clock."""
    query = sa.select(*_NEWSLETTER).where(Newsletter.timing == Timing.READER).order_by(Newsletter.id)
    return [StoredNewsletter(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def scheduled(conn: Connection) -> list[StoredNewsletter]:
    """Return all newsletters that have a schedule."""
    query = sa.select(*_NEWSLETTER).where(Newsletter.starts_on.is_not(None)).order_by(Newsletter.id)
    return [StoredNewsletter(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def instants_in(conn: Connection, newsletter_id: int, zone: str, *, after: datetime) -> list[datetime]:
    """Return when readers in a zone are due a newsletter, after an instant."""
    query = sa.select(Subscription.next_due_at).where(
        *_living_in(newsletter_id, zone), Subscription.next_due_at > after
    )
    return [due_at for due_at in conn.execute(query.distinct()).scalars() if due_at is not None]


def move_in(conn: Connection, newsletter_id: int, zone: str, *, was: datetime, to: datetime) -> int:
    """Give the readers in a zone who are due at one instant another, and return how many they are."""
    which = (*_living_in(newsletter_id, zone), Subscription.next_due_at == was)
    return conn.execute(sa.update(Subscription).where(*which).values(next_due_at=to)).rowcount


def claim(conn: Connection, due: Mapping[SubscriptionId, datetime | None], *, due_at: datetime) -> set[SubscriptionId]:
    """Set when these subscriptions are next due; the ones returned were due at that instant, and are the caller's."""
    claimed = set()
    for subscription_id, next_due_at in due.items():
        mine = (Subscription.id == subscription_id, Subscription.next_due_at == due_at)
        done = conn.execute(
            sa.update(Subscription).where(*mine, Subscription.ended_at.is_(None)).values(next_due_at=next_due_at)
        )
        if done.rowcount == 1:
            claimed.add(subscription_id)
    return claimed


def _living_in(newsletter_id: int, zone: str) -> tuple[ColumnElement[bool], ...]:
    living = sa.select(Subscriber.id).where(Subscriber.timezone == zone, Subscriber.id == Subscription.subscriber_id)
    return Subscription.newsletter_id == newsletter_id, Subscription.ended_at.is_(None), living.exists()


def _is_followed() -> ColumnElement[bool]:
    return sa.exists().where(Subscription.newsletter_id == Newsletter.id, Subscription.ended_at.is_(None))


def _newsletter(conn: Connection, which: ColumnElement[bool]) -> StoredNewsletter | None:
    row = conn.execute(sa.select(*_NEWSLETTER).where(which)).first()
    return StoredNewsletter(**row._mapping) if row else None  # noqa: SLF001  Row's documented view

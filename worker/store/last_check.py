"""The last check before a copy is sent, and the end of each copy that does not pass it.

One statement sees everything that may have changed since planning and takes a row past the point of no return; whatever
it leaves is told why. Never talks to the network. Called by the delivery room.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.lifecycle import Happening, State, sources_of
from worker.model import DeliveryId, EditionKind, EditionStatus, SubscriberStatus
from worker.store.corrections import shows_a_fault
from worker.store.database import now
from worker.store.deliveries import move
from worker.store.followings import is_served, serves_nothing
from worker.store.leases import (
    SENDABLE,
    Lease,
    alive_parameters,
    alive_template,
    lock,
    no_breaking_template,
)
from worker.store.mutes import is_any_story_muted, is_anybody_muting
from worker.store.quick import Quick, among, in_list, unindexed
from worker.store.schema import (
    Article,
    ContentStory,
    Delivery,
    Edition,
    OwnLetter,
    Story,
    StoryMute,
    Subscriber,
    Subscription,
    Suppression,
)

_QUIET: Final = "quiet hours"
Moment = datetime | ColumnElement[datetime]
_OF_NEWS: Final = (EditionKind.ALERT, EditionKind.ROLLING, EditionKind.DIGEST)
_ENDS: Final = {
    "expired": Happening.EXPIRED,
    "cancelled": Happening.CANCELLED,
    "its story was stopped": Happening.CANCELLED,
}


def commit(
    conn: Connection,
    lease: Lease,
    ids: Collection[DeliveryId],
    *,
    at: datetime | None = None,
    provider: str = "",
    request_key: str = "",
    yields: bool = False,
) -> set[DeliveryId]:
    """Take rows past the point of no return; the ones returned must be sent now, all others must not.

    Everything that may have changed since planning is checked in this one statement: the lease, the edition, its
    expiry, an alert's story, the reader's consent, address, suppression, mutes and quiet hours, and whether any
    subscription that the mail serves still runs. `provider` and `request_key` name the request that they go out in, to
    be found by after a crash. What `yields` gets nothing while a breaking alert is due.
    """
    lock(conn, lease.edition_id, lease.batch_no)  # the lease cannot be taken over between its check and our commit
    at = at or now(conn)
    parameters = {"ids": list(ids), "at": at, "by": provider, "with": request_key, **alive_parameters(lease)}
    count = (_COMMIT_IN_TURN if yields else _COMMIT).once(conn, parameters).rowcount
    if count in {0, len(ids)}:  # nearly always: asking for every row would let the other threads in at every row
        return set(ids) if count else set()
    return {DeliveryId(delivery_id) for (delivery_id,) in _COMMITTED.tuples(conn, parameters)}


def _commit(dialect: str, *, yields: bool) -> sa.UpdateBase:
    at: sa.BindParameter[datetime] = sa.bindparam("at", type_=Delivery.planned_at.type)
    may_go = no_breaking_template(at) if yields else sa.true()
    return (
        sa.update(Delivery)
        .where(may_go, in_list(dialect, Delivery.id, "ids"))
        .where(among(unindexed(Delivery.state), sources_of(Happening.COMMITTED)))
        .where(alive_template(dialect, at), _edition_runs(at), ~_stopped(), ~_being_stopped(), ~shows_a_fault())
        .where(_reader_wants_it(at), _subscription_runs(dialect), ~_muted(dialect, at), _may_be_woken(at))
        .values(
            state=State.COMMITTING,
            fence=sa.bindparam("held_fence"),
            attempts=Delivery.attempts + 1,
            committed_at=at,
            provider=sa.bindparam("by"),
            request_key=sa.bindparam("with"),
        )
    )


def _committed(dialect: str) -> sa.Select[int]:
    """Return the query for the rows that `_commit` has just taken."""
    at: sa.BindParameter[datetime] = sa.bindparam("at", type_=Delivery.committed_at.type)
    committed = (among(unindexed(Delivery.state), (State.COMMITTING,)), Delivery.committed_at == at)
    mine = (in_list(dialect, Delivery.id, "ids"), Delivery.fence == sa.bindparam("held_fence"))
    return sa.select(Delivery.id).where(*committed, *mine)


_COMMIT: Final = Quick(partial(_commit, yields=False))
_COMMIT_IN_TURN: Final = Quick(partial(_commit, yields=True))
_COMMITTED: Final = Quick(_committed)


def settle_held_back(conn: Connection, lease: Lease, ids: Iterable[DeliveryId]) -> None:
    """Give every row that `commit` did not return the end that its reason demands, or leave it leased for release.

    What came too late for a reader's evening is due again in the morning, or expires before. Rows of the batch whose
    reader has been erased are ended too: nobody could even try to commit them.
    """
    lock(conn, lease.edition_id, lease.batch_no)
    at = now(conn)
    parameters = {"ids": list(ids), "at": at, **alive_parameters(lease)}
    rested = []
    for row in _HELD_BACK.once(conn, parameters).all():
        delivery_id, why = row[0], row[1]
        if why == _QUIET:
            rested.append(delivery_id)
        elif why not in {"lease lost", "held"}:
            move(conn, DeliveryId(delivery_id), _ENDS.get(why, Happening.SUPPRESSED), reason=why, at=at)
    if rested:
        morning = sa.update(Delivery).where(Delivery.id.in_(rested), Delivery.state == State.LEASED)
        conn.execute(morning.values(next_attempt_at=Delivery.quiet_until))


def _held_back(dialect: str) -> sa.Select[*tuple[Any, ...]]:
    at: sa.BindParameter[datetime] = sa.bindparam("at", type_=Delivery.planned_at.type)
    cancelled = (Edition.id == Delivery.edition_id, among(Edition.status, (EditionStatus.CANCELLED,)))
    reason = sa.case(
        (~alive_template(dialect, at), "lease lost"),
        (~sa.exists().where(Edition.id == Delivery.edition_id, Edition.expires_at > at), "expired"),
        (sa.exists().where(*cancelled), "cancelled"),
        (_stopped(), "its story was stopped"),
        (~_edition_runs(at), "held"),
        (sa.and_(_is_letter(), ~_letter_may_go()), "the letter was overtaken, or its address may get nothing"),
        (_is_letter(), "held"),
        (_suppressed(), "the address is suppressed"),
        (~_same_address(), "the reader's address has changed or is gone"),
        (~_reader_wants_it(at), "the reader has left, paused or not confirmed"),
        (~_subscription_runs(dialect), "all subscriptions that it serves have ended"),
        (_muted(dialect, at), "the reader has muted what it is about"),
        (~_may_be_woken(at), _QUIET),
        else_="held",
    )
    return sa.select(Delivery.id, reason).where(
        Delivery.edition_id == sa.bindparam("held_edition"),
        Delivery.batch_no == sa.bindparam("held_batch"),
        among(Delivery.state, (State.LEASED,)),
        sa.or_(in_list(dialect, Delivery.id, "ids"), Delivery.recipient.is_(None)),
    )


_HELD_BACK: Final = Quick(_held_back)


def _edition_runs(at: Moment) -> ColumnElement[bool]:
    return sa.exists().where(
        Edition.id == Delivery.edition_id, among(Edition.status, SENDABLE), Edition.expires_at > at
    )


def _is_of_kind(kind: EditionKind) -> ColumnElement[bool]:
    # Correlated by name: inside another subquery SQLAlchemy would ask for any delivery of this kind, not for this one.
    return sa.exists().where(Edition.id == Delivery.edition_id, Edition.kind == kind).correlate(Delivery)


def _stopped() -> ColumnElement[bool]:
    """Return the condition that this is an alert of a story that an editor has stopped, or of which nothing is left."""
    told = sa.exists().where(Article.story_id == Story.id, Article.killed_at.is_(None))
    stopped = sa.exists().where(
        ContentStory.content_id == Delivery.content_id,
        Story.id == ContentStory.story_id,
        sa.or_(Story.killed_at.is_not(None), ~told),
    )
    return sa.and_(_is_of_kind(EditionKind.ALERT), stopped)


def _being_stopped() -> ColumnElement[bool]:
    """Return the condition that this shows a story which an editor stops at this moment: it gets another content first.

    Hardly ever is there such a story at all, so that this costs no more than a look into an empty index.
    """
    stories = sa.select(Story.id).where(Story.stopping_since.is_not(None))  # asked once, whatever rows it is for
    return sa.exists().where(ContentStory.content_id == Delivery.content_id, ContentStory.story_id.in_(stories))


def _reader_wants_it(at: Moment) -> ColumnElement[bool]:
    """Return the condition that the reader may be written to; who has not confirmed, or rests, may be asked only."""
    awake = sa.or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= at)
    may_be_asked = (SubscriberStatus.PENDING, SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
    wants_it = sa.and_(
        sa.exists().where(
            Subscriber.id == Delivery.subscriber_id,
            Subscriber.email == Delivery.recipient,
            sa.or_(
                sa.and_(Subscriber.status == SubscriberStatus.ACTIVE, awake),
                sa.and_(among(Subscriber.status, may_be_asked), _is_of_kind(EditionKind.CONFIRMATION)),
            ),
        ),
        ~_suppressed(),
    )
    # Of an overtaken letter the copy has ended, so that nobody else's copy has to be asked whether it is one.
    return sa.or_(wants_it, sa.and_(_is_letter(), _letter_may_go()))


def _is_letter() -> ColumnElement[bool]:
    """Return the condition that this is a letter about the reader's own business, wherever it goes."""
    return sa.and_(_is_of_kind(EditionKind.SYSTEM), sa.exists().where(OwnLetter.edition_id == Delivery.edition_id))


def _letter_may_go() -> ColumnElement[bool]:
    """Return the condition that a letter's link is still good, and the address that it was asked for may get mail."""
    suppressed = sa.exists().where(
        Suppression.address_hash == sa.func.coalesce(OwnLetter.recipient_hash, Subscriber.address_hash)
    )
    return sa.exists().where(
        OwnLetter.edition_id == Delivery.edition_id,
        OwnLetter.used_at.is_(None),
        OwnLetter.voided_at.is_(None),
        Subscriber.id == OwnLetter.subscriber_id,
        Subscriber.status != SubscriberStatus.ERASED,
        sa.func.coalesce(OwnLetter.recipient, Subscriber.email) == Delivery.recipient,
        ~suppressed,
    )


def _may_be_woken(at: Moment) -> ColumnElement[bool]:
    """Return the condition that it is not the reader's night; what is breaking has no night written on it."""
    return sa.or_(Delivery.quiet_at.is_(None), at < Delivery.quiet_at, at >= Delivery.quiet_until)


def _same_address() -> ColumnElement[bool]:
    return sa.exists().where(Subscriber.id == Delivery.subscriber_id, Subscriber.email == Delivery.recipient)


def _suppressed() -> ColumnElement[bool]:
    return sa.exists().where(
        Subscriber.id == Delivery.subscriber_id, Suppression.address_hash == Subscriber.address_hash
    )


def _subscription_runs(dialect: str) -> ColumnElement[bool]:
    running = sa.exists().where(is_served(dialect), Subscription.ended_at.is_(None))
    return sa.or_(serves_nothing(dialect), running)


def _muted(dialect: str, at: Moment) -> ColumnElement[bool]:
    """Return the condition that all topics, or all stories, of this alert, summary or digest have been muted since.

    Hardly ever is there a mute, so that this costs little more than a look into two small indexes a statement.
    """
    served = (is_served(dialect), Subscription.ended_at.is_(None))
    audible = sa.or_(Subscription.muted_until.is_(None), Subscription.muted_until <= at)
    by_topic = sa.and_(
        is_anybody_muting(at),
        sa.exists().where(*served, Subscription.muted_until > at),
        ~sa.exists().where(*served, audible),
    )
    muted = sa.exists().where(
        StoryMute.subscriber_id == Delivery.subscriber_id,
        StoryMute.story_id == ContentStory.story_id,
        StoryMute.muted_until > at,
    )
    muted = muted.correlate(Delivery, ContentStory)
    shown = ContentStory.content_id == Delivery.content_id
    by_story = sa.and_(is_any_story_muted(at), sa.exists().where(shown, muted), ~sa.exists().where(shown, ~muted))
    of_news = sa.exists().where(Edition.id == Delivery.edition_id, among(Edition.kind, _OF_NEWS)).correlate(Delivery)
    return sa.and_(sa.or_(by_topic, by_story), of_news)

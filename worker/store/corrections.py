"""The statements over corrections: what still shows a faulty version of an article, and who was sent one.

From the editor's word until `settled_at` the last check lets no copy go that shows a faulty version; whoever died in
the middle is followed by a sweep. Decides nothing. Called by intake, which records a correction with the article's new
text, and by planning, which carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.lifecycle import OPEN, PRE_COMMIT, TAKEN, State
from worker.model import ArticleId, ContentId, EditionId, EditionKind, StoryId, SubscriberId, SubscriptionId
from worker.store import cards, contents
from worker.store.cards import NewCard
from worker.store.database import now
from worker.store.house import NEWS_GENERATION, draw
from worker.store.leases import lock
from worker.store.schema import (
    Article,
    ContentStory,
    Correction,
    Delivery,
    Edition,
    Story,
    StoryCard,
    Subscriber,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Correcting:
    """An editor's correction. Whatever shows the article at `faulty_upto` or before is faulty."""

    id: int
    article_id: ArticleId
    story_id: StoryId
    faulty_upto: int
    note: str
    retracts: bool
    mails: bool

    @property
    def slot(self) -> str:
        """The slot of the editions that tell of it."""
        return f"correction {self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Misled:
    """A reader who was sent a faulty version, and by which mail last. `quiet` are their quiet hours, if they have."""

    subscriber_id: SubscriberId
    recipient: str
    locale: str
    timezone: str
    quiet_from: str | None
    quiet_to: str | None
    message_id: str
    serves: tuple[SubscriptionId, ...]
    card: str  # as JSON, as it was sent


_COLUMNS = tuple(getattr(Correction, name) for name in Correcting.__slots__)


def record(
    conn: Connection,
    *,
    article_id: ArticleId,
    story_id: StoryId,
    faulty_upto: int,
    note: str,
    retracts: bool,
    mails: bool,
    actor: str,
) -> Correcting:
    """Note a correction; a retraction also ends the article, and its story when nothing else tells it.

    In the planners' turn (`turns.alone`), in the transaction that changes the article.
    """
    at = now(conn)
    draw(conn, NEWS_GENERATION)
    _number_cards(conn, story_id)
    if retracts:
        conn.execute(sa.update(Article).where(Article.id == article_id).values(killed_at=at))
        told = sa.exists().where(Article.story_id == Story.id, Article.killed_at.is_(None))
        alone = (Story.id == story_id, Story.killed_at.is_(None), ~told)
        conn.execute(sa.update(Story).where(*alone).values(killed_at=at, stopping_since=at))
    values = {
        "article_id": article_id,
        "story_id": story_id,
        "faulty_upto": faulty_upto,
        "note": note,
        "retracts": retracts,
        "mails": mails,
    }
    new = sa.insert(Correction).values(actor=actor, created_at=at, **values).returning(*_COLUMNS)
    return _correcting(conn.execute(new).one())


def unsettled(conn: Connection) -> list[Correcting]:
    """Return the corrections that are not carried out yet, the oldest first."""
    query = sa.select(*_COLUMNS).where(Correction.settled_at.is_(None)).order_by(Correction.id)
    return [_correcting(row) for row in conn.execute(query)]


def shows_a_fault() -> ColumnElement[bool]:
    """Return the condition that a delivery shows a card that is being corrected.

    Hardly ever is anything being corrected. Two sets that are asked for once, whatever rows it is for, rather than a
    join: SQLite then looks the stories up together with the content, and finds none.
    """
    stories = sa.select(Correction.story_id).where(Correction.settled_at.is_(None))
    faulty = (
        sa.select(StoryCard.id)
        .join(Correction, Correction.article_id == StoryCard.article_id)
        .where(Correction.settled_at.is_(None), StoryCard.revision <= Correction.faulty_upto)
    )
    return sa.exists().where(
        ContentStory.content_id == Delivery.content_id,
        ContentStory.story_id.in_(stories),
        ContentStory.card_id.in_(faulty),
    )


def faulty_batches(conn: Connection, one: Correcting) -> Sequence[tuple[EditionId, int]]:
    """Return the batches that have copies which show a faulty version and are not on the wire."""
    query = (
        sa.select(Delivery.edition_id, Delivery.batch_no)
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .where(_shows(one), Delivery.state.in_(PRE_COMMIT))
        .distinct()
        .order_by(Delivery.edition_id, Delivery.batch_no)
    )
    return [(EditionId(edition_id), batch_no) for edition_id, batch_no in conn.execute(query)]


def faulty_in(conn: Connection, one: Correcting, edition_id: EditionId, batch_no: int) -> list[ContentId]:
    """Return the contents that show a faulty version in a batch's unsent copies; the batch stays locked."""
    lock(conn, edition_id, batch_no)
    query = (
        sa.select(Delivery.content_id)
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .where(_shows(one), Delivery.edition_id == edition_id, Delivery.batch_no == batch_no)
        .where(Delivery.state.in_(PRE_COMMIT))
        .distinct()
    )
    return [ContentId(content_id) for content_id in conn.execute(query).scalars()]


def updates_in(conn: Connection, content_id: ContentId) -> dict[int, int]:
    """Return at which material update a content shows each of its stories."""
    query = sa.select(ContentStory.story_id, ContentStory.update_no).where(ContentStory.content_id == content_id)
    return dict(conn.execute(query).all())


def misled(conn: Connection, one: Correcting, *, limit: int) -> list[Misled]:
    """Return readers who were sent a faulty version and have no copy of this correction, by id, each once.

    One whose copy's outcome is in doubt is told as well; one who was erased cannot be.
    """
    rank = sa.func.row_number().over(
        partition_by=Delivery.subscriber_id, order_by=(Delivery.committed_at.desc(), Delivery.id.desc())
    )
    sent = (
        sa.select(
            Delivery.subscriber_id,
            Delivery.message_id,
            Delivery.serves,
            ContentStory.card_id,
            rank.label("nth"),
        )
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .where(_shows(one), Delivery.state.in_([*TAKEN, State.UNKNOWN]))
        .subquery()
    )
    told = sa.exists().where(
        Delivery.subscriber_id == sent.c.subscriber_id, Edition.id == Delivery.edition_id, *_of(one)
    )
    query = (
        sa.select(
            sent.c.subscriber_id,
            Subscriber.email.label("recipient"),
            Subscriber.locale,
            Subscriber.timezone,
            Subscriber.quiet_from,
            Subscriber.quiet_to,
            sent.c.message_id,
            sent.c.serves,
            StoryCard.body.label("card"),
        )
        .join(Subscriber, Subscriber.id == sent.c.subscriber_id)
        .join(StoryCard, StoryCard.id == sent.c.card_id)
        .where(sent.c.nth == 1, Subscriber.email.is_not(None), StoryCard.body != "", ~told)
        .order_by(sent.c.subscriber_id)
        .limit(limit)
    )
    rows = [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view
    return [Misled(**{**row, "serves": tuple(map(SubscriptionId, row["serves"] or ()))}) for row in rows]


def rounds(conn: Connection, one: Correcting) -> list[tuple[EditionId, str, bool]]:
    """Return the editions that tell of a correction, with their slots, and whether each still takes readers."""
    query = sa.select(Edition.id, Edition.slot, Edition.planned_at.is_(None)).where(*_of(one)).order_by(Edition.id)
    return [(EditionId(edition_id), slot, bool(is_open)) for edition_id, slot, is_open in conn.execute(query)]


def count_told(conn: Connection, one: Correcting) -> int:
    """Return how many readers have a copy of a correction's mail, whoever planned it."""
    query = sa.select(sa.func.count(Delivery.id)).join(Edition, Edition.id == Delivery.edition_id)
    return conn.execute(query.where(*_of(one))).scalar_one()


def sent_faulty(conn: Connection, one: Correcting) -> int:
    """Return how many copies that show a faulty version have left the house."""
    query = sa.select(sa.func.count(Delivery.id)).join(ContentStory, ContentStory.content_id == Delivery.content_id)
    gone = [*TAKEN, State.COMMITTING, State.UNKNOWN]
    return conn.execute(query.where(_shows(one), Delivery.state.in_(gone))).scalar_one()


def settle(conn: Connection, one: Correcting) -> bool:
    """Note that a correction is carried out; False while a faulty copy is open, on the wire, or in doubt."""
    pending = (
        sa.select(ContentStory.content_id)
        .join(Delivery, Delivery.content_id == ContentStory.content_id)
        .where(_shows(one), Delivery.state.in_([*OPEN, State.UNKNOWN]))
    )
    settled = conn.execute(
        sa.update(Correction)
        .where(Correction.id == one.id, Correction.settled_at.is_(None), ~pending.exists())
        .values(settled_at=now(conn))
    )
    return settled.rowcount == 1


def _shows(one: Correcting) -> ColumnElement[bool]:
    faulty = sa.select(StoryCard.id).where(
        StoryCard.article_id == one.article_id, StoryCard.revision <= one.faulty_upto
    )
    return sa.and_(ContentStory.story_id == one.story_id, ContentStory.card_id.in_(faulty))


def _of(one: Correcting) -> tuple[ColumnElement[bool], ...]:
    is_ours = sa.or_(Edition.slot == one.slot, Edition.slot.like(f"{one.slot} %"))
    return (Edition.kind == EditionKind.CORRECTION, is_ours)


def _number_cards(conn: Connection, story_id: StoryId) -> None:
    """Give the story's cards in contents of old their numbers: until lately a card stood in its content itself."""
    old = (ContentStory.story_id == story_id, ContentStory.card_id.is_(None))
    found = conn.execute(sa.select(ContentStory.content_id).where(*old)).scalars()
    for content_id, content in contents.thawed(conn, map(ContentId, found)).items():
        shown = next((card for card in content.all_cards() if card.story_id == story_id), None)
        if shown is None:
            continue
        quotes = any(reason.slug is None for reason in shown.reasons)
        owner = SubscriberId(content.personal_to) if quotes and content.personal_to is not None else None
        new = NewCard(card=shown, locale=content.locale, personal_to=owner)
        number = cards.intern(conn, [new])[new.key, owner]
        which = (*old, ContentStory.content_id == content_id)
        conn.execute(sa.update(ContentStory).where(*which).values(card_id=number))


def _correcting(row: sa.Row[*tuple[object, ...]]) -> Correcting:
    return Correcting(**row._mapping)  # noqa: SLF001  Row's documented view

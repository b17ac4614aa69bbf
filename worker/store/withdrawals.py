"""The statements that take a story which an editor has stopped out of everything unsent.

`stopping_since` stands from the editor's word until no copy that may still go out shows the story: the last check lets
none of them through meanwhile, and whoever died in the middle is followed by a sweep. Called by the delivery room.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.content import AnyContent
from worker.lifecycle import OPEN, PRE_COMMIT, TAKEN, Happening, State, sources_of
from worker.model import ArticleId, ContentId, EditionId, StoryId
from worker.store import contents
from worker.store.database import now
from worker.store.house import NEWS_GENERATION, draw
from worker.store.leases import lock, reschedule
from worker.store.schema import Article, ContentStory, Delivery, Story
from worker.store.turns import alone


def stop(conn: Connection, article_id: ArticleId) -> tuple[StoryId, bool] | None:
    """Stop the story that an article tells; False when it was stopped before, None where there is no such article.

    In the planners' turn: one that read the story before has committed its copies, one that comes after leaves it out.
    """
    alone(conn)
    draw(conn, NEWS_GENERATION)  # what planners remember of the news is not true any more
    story_id = conn.execute(sa.select(Article.story_id).where(Article.id == article_id)).scalar()
    if story_id is None:
        return None
    at = now(conn)
    alive = (Article.story_id == story_id, Article.killed_at.is_(None))
    conn.execute(sa.update(Article).where(*alive).values(killed_at=at))
    stopped = conn.execute(
        sa.update(Story).where(Story.id == story_id, Story.killed_at.is_(None)).values(killed_at=at, stopping_since=at)
    )
    return StoryId(story_id), stopped.rowcount == 1


def being_stopped(conn: Connection) -> list[StoryId]:
    """Return the stories that may still be in unsent copies."""
    return [
        StoryId(story_id)
        for story_id in conn.execute(sa.select(Story.id).where(Story.stopping_since.is_not(None))).scalars()
    ]


def stopped_among(conn: Connection, content_id: int) -> set[int]:
    """Return the stories of a content that an editor has stopped."""
    shown = sa.select(Story.id).join(ContentStory, ContentStory.story_id == Story.id)
    return set(conn.execute(shown.where(ContentStory.content_id == content_id, Story.killed_at.is_not(None))).scalars())


def unsent_batches(conn: Connection, story_id: StoryId) -> Sequence[tuple[EditionId, int]]:
    """Return the batches that have copies which show a story and are not on the wire."""
    query = (
        sa.select(Delivery.edition_id, Delivery.batch_no)
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .where(ContentStory.story_id == story_id, Delivery.state.in_(PRE_COMMIT))
        .distinct()
        .order_by(Delivery.edition_id, Delivery.batch_no)
    )
    return [(EditionId(edition_id), batch_no) for edition_id, batch_no in conn.execute(query)]


def contents_in(
    conn: Connection, edition_id: EditionId, batch_no: int, story_id: StoryId
) -> dict[ContentId, AnyContent]:
    """Return the contents that show a story in a batch's unsent copies; the batch stays locked."""
    lock(conn, edition_id, batch_no)
    query = (
        sa.select(ContentStory.content_id)
        .where(ContentStory.story_id == story_id)
        .where(ContentStory.content_id.in_(sa.select(Delivery.content_id).where(*_unsent(edition_id, batch_no))))
    )
    return contents.thawed(conn, [ContentId(number) for number in conn.execute(query).scalars()])


def replace(conn: Connection, edition_id: EditionId, batch_no: int, *, old: ContentId, new: ContentId) -> int:
    """Give a batch's unsent copies another content, and return how many there were.

    A leased one is taken away from its worker, who has perhaps rendered the old content, and is due again.
    """
    leased = (Delivery.state.in_(sources_of(Happening.RELEASED)), State.PLANNED)
    changed = conn.execute(
        sa.update(Delivery)
        .where(*_unsent(edition_id, batch_no), Delivery.content_id == old)
        .values(content_id=new, state=sa.case(leased, else_=Delivery.state))
    )
    return changed.rowcount


def cancel(conn: Connection, edition_id: EditionId, batch_no: int, *, content: ContentId, reason: str) -> int:
    """End a batch's unsent copies of a content, and return how many there were."""
    ended = conn.execute(
        sa.update(Delivery)
        .where(*_unsent(edition_id, batch_no), Delivery.content_id == content)
        .values(state=State.CANCELLED, next_attempt_at=None, reason=reason, ended_at=now(conn))
    )
    reschedule(conn, edition_id, batch_no)
    return ended.rowcount


def settle(conn: Connection, story_id: StoryId) -> bool:
    """Note that nothing that may still go out shows a story; False while something does, on the wire or in doubt."""
    pending = _showing(story_id, Delivery.state.in_([*OPEN, State.UNKNOWN]))
    settled = conn.execute(sa.update(Story).where(Story.id == story_id, ~pending).values(stopping_since=None))
    return settled.rowcount == 1


def already_sent(conn: Connection, story_id: StoryId) -> int:
    """Return how many copies that show a story have left the house."""
    query = sa.select(sa.func.count(Delivery.id)).join(ContentStory, ContentStory.content_id == Delivery.content_id)
    gone = [*TAKEN, State.COMMITTING, State.UNKNOWN]
    return conn.execute(query.where(ContentStory.story_id == story_id, Delivery.state.in_(gone))).scalar_one()


def _unsent(edition_id: EditionId, batch_no: int) -> tuple[ColumnElement[bool], ...]:
    return (Delivery.edition_id == edition_id, Delivery.batch_no == batch_no, Delivery.state.in_(PRE_COMMIT))


def _showing(story_id: StoryId, *which: ColumnElement[bool]) -> ColumnElement[bool]:
    return sa.exists().where(ContentStory.story_id == story_id, Delivery.content_id == ContentStory.content_id, *which)

"""The statements by which editors change what becomes of a story: break it, mark a material update, boost its rank.

Never plans: pairs become due, and planning finds them. Called by planning's `run_editing`, and by intake for an article
that its source makes breaking.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import PRE_COMMIT
from worker.model import ArticleId, Cadence, EditionId, EditionKind, Severity, StoryId
from worker.store.database import now
from worker.store.house import MATCH_SEQ, NEWS_GENERATION, draw
from worker.store.leases import reschedule
from worker.store.schema import Article, Delivery, Edition, Story, Subscription, TopicStory
from worker.store.turns import alone


def story_of(conn: Connection, article_id: ArticleId) -> StoryId | None:
    """Return the story that an article tells; None when there is no such article, or it was stopped."""
    query = sa.select(Article.story_id).join(Story, Story.id == Article.story_id)
    found = conn.execute(query.where(Article.id == article_id, Story.killed_at.is_(None), Article.killed_at.is_(None)))
    story_id = found.scalar()
    return None if story_id is None else StoryId(story_id)


def set_severity(conn: Connection, article_id: ArticleId, severity: Severity) -> bool:
    """Set how urgent an article is; False when it was so before."""
    changed = conn.execute(
        sa.update(Article).where(Article.id == article_id, Article.severity != severity).values(severity=severity)
    )
    return changed.rowcount == 1


def set_boost(conn: Connection, story_id: StoryId, boost: int) -> bool:
    """Set how far an editor lifts a story's rank; False when it was so before."""
    changed = conn.execute(sa.update(Story).where(Story.id == story_id, Story.boost != boost).values(boost=boost))
    if changed.rowcount:
        draw(conn, NEWS_GENERATION)
    return changed.rowcount == 1


def make_due(conn: Connection, story_id: StoryId) -> None:
    """Have a story alerted at once for all its topics: also what waits for a summary, and whom it has not reached.

    Whoever has a copy gets no other: planning asks.
    """
    conn.execute(
        sa.update(TopicStory).where(TopicStory.story_id == story_id).values(alert_due_at=now(conn), rolls=False)
    )
    _raise_open_alerts(conn, story_id)


def make_pending_due(conn: Connection, story_id: StoryId) -> None:
    """Have the pairs of a story that wait, for others to gather or for a summary, alerted at once."""
    at = now(conn)
    conn.execute(
        sa.update(TopicStory)
        .where(TopicStory.story_id == story_id, TopicStory.alert_due_at > at)
        .values(alert_due_at=at, rolls=False)
    )


def update_materially(conn: Connection, story_id: StoryId, note: str, *, gather: timedelta) -> int:
    """Make a story new to everybody who was shown it, and return the update's number.

    Its pairs get new numbers, so that digests find it after all cursors, and its alert is due after `gather`.
    In the planners' turn: none of them has read the story as it was and not yet committed.
    """
    alone(conn)
    at = now(conn)
    update_no = conn.execute(
        sa.update(Story)
        .where(Story.id == story_id)
        .values(update_no=Story.update_no + 1, update_note=note, updated_at=at)
        .returning(Story.update_no)
    ).scalar_one()
    known = sa.select(TopicStory.topic_id).where(TopicStory.story_id == story_id).order_by(TopicStory.match_seq)
    topics = list(conn.execute(known).scalars())
    draw(conn, NEWS_GENERATION)
    if topics:
        pair = (TopicStory.story_id == story_id, TopicStory.topic_id == sa.bindparam("topic"))
        renumbered = sa.update(TopicStory).where(*pair).values(match_seq=sa.bindparam("seq"))
        numbers = draw(conn, MATCH_SEQ, len(topics))
        conn.execute(renumbered, [{"topic": topic, "seq": seq} for topic, seq in zip(topics, numbers, strict=True)])
        which = sa.update(TopicStory).where(TopicStory.story_id == story_id)
        conn.execute(which.values(alert_due_at=at + gather, rolls=False))
    return int(update_no)


def followers(conn: Connection, story_id: StoryId) -> int:
    """Return how many readers follow one of a story's topics immediately."""
    topics = sa.select(TopicStory.topic_id).where(TopicStory.story_id == story_id)
    query = sa.select(sa.func.count(Subscription.subscriber_id.distinct())).where(
        Subscription.topic_id.in_(topics), Subscription.cadence == Cadence.IMMEDIATE, Subscription.ended_at.is_(None)
    )
    return conn.execute(query).scalar_one()


def _raise_open_alerts(conn: Connection, story_id: StoryId) -> None:
    """Make the story's alerts that are under way breaking ones: no copy of them waits for a reader's morning."""
    at = now(conn)
    alerts = sa.select(Edition.id).where(
        Edition.kind == EditionKind.ALERT, Edition.story_id == story_id, Edition.finished_at.is_(None)
    )
    conn.execute(sa.update(Edition).where(Edition.id.in_(alerts)).values(severity=Severity.BREAKING))
    quiet = (Delivery.edition_id.in_(alerts), Delivery.state.in_(PRE_COMMIT), Delivery.quiet_until.is_not(None))
    batches = conn.execute(sa.select(Delivery.edition_id, Delivery.batch_no).where(*quiet).distinct()).all()
    held = Delivery.next_attempt_at >= Delivery.quiet_until
    conn.execute(
        sa.update(Delivery)
        .where(*quiet)
        .values(next_attempt_at=sa.case((held, at), else_=Delivery.next_attempt_at), quiet_at=None, quiet_until=None)
    )
    for edition_id, batch_no in batches:
        reschedule(conn, EditionId(edition_id), batch_no)

"""The statements over what was counted of editions, and where the links in their mails lead.

Decides nothing, and has no row of any reader. Called by the measuring room, and by whoever shows figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.measures import Measure, Visitor
from worker.model import EditionId
from worker.store.database import insert_for, now
from worker.store.schema import Article, ContentStory, Delivery, Edition, Measurement

_KEY: Final = ("edition_id", "measure", "article_id", "hour", "visitor")


class Link(NamedTuple):
    """What a counted address is about. An edition is told as a whole, whichever of its parts the link is from."""

    edition_id: EditionId
    begun_at: datetime
    url: str  # "" of a mail's image, and of an article that is not there
    readers: int  # who got any of the edition, as far as they were counted
    readers_of_it: int  # and of them those whose mail has this link


class LinkFigures(NamedTuple):
    """How often a story's link was followed, by whom; `article` is None for all links together that few readers had."""

    article: int | None
    title: str
    url: str
    counts: dict[Visitor, int]


class HourFigures(NamedTuple):
    """What was counted in the hour from `hour` on."""

    hour: datetime
    measure: Measure
    counts: dict[Visitor, int]


def add(conn: Connection, counts: Mapping[tuple[int, Measure, int, Visitor], int]) -> None:
    """Add to the figures of this hour, by edition, measure, article and visitor.

    Article 0 is a mail's image, and for clicks all links together that few readers had.
    """
    hour = now(conn).replace(minute=0, second=0, microsecond=0)
    statement = insert_for(conn, Measurement)
    more = statement.on_conflict_do_update(
        index_elements=_KEY, set_={"count": Measurement.count + statement.excluded.count}
    )
    rows = [
        {"edition_id": edition, "measure": measure, "article_id": article, "visitor": who, "hour": hour, "count": count}
        for (edition, measure, article, who), count in sorted(counts.items())  # in one order: nobody waits in a ring
    ]
    conn.execute(more, rows)


def find(conn: Connection, edition_id: int, article_id: int, *, most: int) -> Link | None:
    """Return what a link of an edition is about; None where there is no such edition. Readers are counted up to `most`.

    Article 0 is a mail's image, which all its readers have.
    """
    columns = (Edition.id, Edition.parent_id, Edition.created_at, Edition.due_at)
    row = conn.execute(sa.select(*columns).where(Edition.id == edition_id)).first()
    if row is None:
        return None
    whole = EditionId(row.parent_id or row.id)
    readers = _readers(conn, whole, most=most)
    begun_at = min(max(row.created_at, row.due_at), now(conn))
    article = conn.execute(sa.select(Article.url, Article.story_id).where(Article.id == article_id)).first()
    if article is None:
        return Link(whole, begun_at, "", readers, readers if article_id == 0 else 0)
    return Link(whole, begun_at, article.url, readers, _readers(conn, whole, most=most, story_id=article.story_id))


def totals(conn: Connection, edition_id: EditionId) -> dict[Measure, dict[Visitor, int]]:
    """Return what was counted of an edition; only what was counted at all."""
    rows = conn.execute(
        _sums(Measurement.measure).where(Measurement.edition_id == edition_id).group_by(Measurement.measure, _WHO)
    )
    found: dict[Measure, dict[Visitor, int]] = {}
    for measure, who, count in rows:
        found.setdefault(measure, dict.fromkeys(Visitor, 0))[who] = count
    return {measure: found[measure] for measure in Measure if measure in found}


def by_link(conn: Connection, edition_id: EditionId) -> list[LinkFigures]:
    """Return an edition's links that were followed, those first that people followed most."""
    query = (
        _sums(Measurement.article_id, Article.title, Article.url)
        .outerjoin(Article, Article.id == Measurement.article_id)
        .where(Measurement.edition_id == edition_id, Measurement.measure == Measure.CLICKS)
        .group_by(Measurement.article_id, Article.title, Article.url, _WHO)
    )
    found: dict[int, LinkFigures] = {}
    for article, title, url, who, count in conn.execute(query):
        figures = LinkFigures(article or None, title or "", url or "", dict.fromkeys(Visitor, 0))
        found.setdefault(article, figures).counts[who] = count
    return sorted(found.values(), key=lambda one: (-one.counts[Visitor.PERSON], one.article or 0))


def by_hour(conn: Connection, edition_id: EditionId) -> list[HourFigures]:
    """Return what was counted of an edition in each hour in which anything was."""
    columns = (Measurement.hour, Measurement.measure)
    query = _sums(*columns).where(Measurement.edition_id == edition_id).group_by(*columns, _WHO).order_by(*columns)
    found: dict[tuple[datetime, Measure], HourFigures] = {}
    for hour, measure, who, count in conn.execute(query):
        key = hour, measure
        found.setdefault(key, HourFigures(hour, measure, dict.fromkeys(Visitor, 0))).counts[who] = count
    return list(found.values())


_WHO: Final = Measurement.visitor


def _sums(*columns: Any) -> sa.Select[*tuple[Any, ...]]:  # noqa: ANN401  mapped attributes of several types
    return sa.select(*columns, _WHO, sa.func.sum(Measurement.count))


def _readers(conn: Connection, whole: EditionId, *, most: int, story_id: int | None = None) -> int:
    """Count, up to `most`, who has a copy of an edition or of one of its parts, in which a story is shown."""
    parts = sa.select(Edition.id).where(sa.or_(Edition.id == whole, Edition.parent_id == whole))
    copies = sa.select(sa.literal(1).label("one")).where(Delivery.edition_id.in_(parts)).limit(most)
    if story_id is not None:
        shown = sa.select(ContentStory.content_id).where(ContentStory.story_id == story_id)
        copies = copies.where(Delivery.content_id.in_(shown))
    return conn.execute(sa.select(sa.func.count()).select_from(copies.subquery())).scalar_one()

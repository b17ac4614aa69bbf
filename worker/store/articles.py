"""The statements over sources, articles and their stories.

Never judges an article: intake decides whether one is new, an update or a copy, and hands the verdict in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, Novelty, Picture, SourceId, StoryId
from worker.store import new_articles, versions
from worker.store.database import now
from worker.store.new_articles import NewArticle
from worker.store.picture_addresses import keep_address
from worker.store.schema import Article, ArticleBand
from worker.store.versions import UNNOTED, Change


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredArticle:
    """An article as stored: what intake compares with, and what matching reads."""

    id: ArticleId
    source_id: SourceId
    item_key: str
    revision: int
    story_id: StoryId
    novelty: Novelty
    reason: str
    guid: str
    url: str
    canonical_url: str
    title: str
    summary: str
    body: str
    author: str
    section: str
    outlet: str
    lang: str
    tags: list[str]
    severity: str
    published_at: datetime
    updated_at: datetime | None
    seen_at: datetime
    matched_at: datetime | None
    may_alert: bool
    text_hash: str
    told_hash: str
    image: Picture | None


COLUMNS = tuple(getattr(Article, name) for name in StoredArticle.__slots__)


def by_item_key(conn: Connection, source_id: SourceId, item_key: str) -> StoredArticle | None:
    """Find an item of a source, locked until the transaction ends."""
    query = sa.select(*COLUMNS).where(Article.source_id == source_id, Article.item_key == item_key).with_for_update()
    return _one(conn, query)


def by_id(conn: Connection, article_id: ArticleId) -> StoredArticle | None:
    """Find an article."""
    return _one(conn, sa.select(*COLUMNS).where(Article.id == article_id))


def by_ids(conn: Connection, article_ids: Collection[ArticleId]) -> list[StoredArticle]:
    """Find articles, in no order; those that are gone are left out."""
    query = sa.select(*COLUMNS).where(Article.id.in_(article_ids))
    return [StoredArticle(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def copy_candidates(
    conn: Connection,
    *,
    bands: Iterable[int],
    text_hash: str,
    canonical_url: str,
    since: datetime,
    limit: int = 50,
) -> list[StoredArticle]:
    """Return articles seen since `since` that share the wording's hash, a band, or the address, oldest first.

    Where there are more than `limit`, those with most bands in common.
    """
    marks = {"text_hash": text_hash, "canonical_url": canonical_url, "bands": list(bands)}
    rows = conn.execute(_COPY_CANDIDATES, marks | {"since": since, "most": limit})
    return [StoredArticle(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def _copy_candidates() -> sa.Select[Any]:
    """Write the question with three searches in three indexes: an OR over them would go through all articles."""
    none = sa.literal(0).label("bands")
    by_hash = sa.select(Article.id, none).where(Article.text_hash == sa.bindparam("text_hash"))
    by_address = sa.select(Article.id, none).where(
        Article.canonical_url == sa.bindparam("canonical_url"), Article.canonical_url != ""
    )
    by_bands = (
        sa.select(ArticleBand.article_id, sa.func.count())
        .where(ArticleBand.band.in_(sa.bindparam("bands", expanding=True)))
        .group_by(ArticleBand.article_id)
    )
    each = sa.union_all(by_hash, by_address, by_bands).subquery()
    alike = sa.select(each.c.id, sa.func.max(each.c.bands).label("bands")).group_by(each.c.id).subquery()
    chosen = (
        sa.select(alike.c.id)
        .join(Article, alike.c.id == Article.id)
        .where(Article.seen_at >= sa.bindparam("since"))
        # An outlet's boilerplate makes many articles share a band or two: those that share most come first.
        .order_by(alike.c.bands.desc(), alike.c.id)
        .limit(sa.bindparam("most"))
    )
    return sa.select(*COLUMNS).where(Article.id.in_(chosen)).order_by(Article.id)


_COPY_CANDIDATES: Final = _copy_candidates()


def add_article(
    conn: Connection,
    *,
    story_id: StoryId | None,
    bands: Iterable[int],
    at: datetime | None = None,
    version: Change = UNNOTED,
    **values: Any,  # noqa: ANN401  column values by name
) -> ArticleId:
    """Store a new article with its first version, in the given story or in one of its own, as seen now or `at`."""
    at = at or now(conn)
    (number,) = new_articles.draw_articles(conn, 1)
    story = new_articles.draw_stories(conn, 1)[0] if story_id is None else story_id
    article = NewArticle(
        id=number, story_id=story, begins_story=story_id is None, row=values, bands=set(bands), version=version
    )
    new_articles.add(conn, [article], at=at)
    return number


def update_article(
    conn: Connection,
    article_id: ArticleId,
    *,
    revision: int,
    bands: Iterable[int],
    version: Change = UNNOTED,
    **values: Any,  # noqa: ANN401  column values by name
) -> bool:
    """Put the next version in the place of `revision`; False when somebody else was first. It will be matched again."""
    changed = conn.execute(
        sa.update(Article)
        .where(Article.id == article_id, Article.revision == revision)
        .values(revision=revision + 1, matched_at=None, **values)
    )
    if changed.rowcount != 1:
        return False
    versions.keep(conn, article_id, values, version, revision=revision + 1, at=now(conn))
    conn.execute(sa.delete(ArticleBand).where(ArticleBand.article_id == article_id))
    _keep_bands(conn, article_id, bands)
    keep_address(conn, article_id, values.get("image"))
    return True


def set_image(conn: Connection, article_id: ArticleId, image: Picture | None, *, revision: int) -> None:
    """Give this revision of an article another picture, or none; nothing else changes, and nothing is matched again."""
    chosen = sa.update(Article).where(Article.id == article_id, Article.revision == revision)
    if conn.execute(chosen.values(image=image)).rowcount:
        keep_address(conn, article_id, image)


def mark_matched(conn: Connection, article_id: ArticleId, *, revision: int) -> bool:
    """Note that this revision has been matched; False when the article has moved on meanwhile."""
    marked = conn.execute(
        sa.update(Article)
        .where(Article.id == article_id, Article.revision == revision, Article.matched_at.is_(None))
        .values(matched_at=now(conn))
    )
    return marked.rowcount == 1


def unmatched(conn: Connection, *, limit: int) -> list[ArticleId]:
    """Return articles that no matching has seen in their latest revision, newest first: news before the backlog."""
    query = sa.select(Article.id).where(Article.matched_at.is_(None)).order_by(Article.id.desc()).limit(limit)
    return [ArticleId(article_id) for article_id in conn.execute(query).scalars()]


def latest(conn: Connection, *, limit: int) -> list[StoredArticle]:
    """Return the newest articles first."""
    query = sa.select(*COLUMNS).order_by(Article.id.desc()).limit(limit)
    return [StoredArticle(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def _one(conn: Connection, query: sa.Select[Any]) -> StoredArticle | None:
    row = conn.execute(query).first()
    return StoredArticle(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def _keep_bands(conn: Connection, article_id: ArticleId, bands: Iterable[int]) -> None:
    rows = [{"band": band, "article_id": article_id} for band in set(bands)]
    if rows:
        conn.execute(sa.insert(ArticleBand), rows)

"""The statements that store new articles, many at once: with their stories, first versions, bands and pictures.

Never judges an article. Numbers are drawn beforehand, so that what is stored together may name one another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, StoryId
from worker.pictures import number_of
from worker.store.database import insert_for_dialect
from worker.store.quick import Quick
from worker.store.schema import Article, ArticleBand, ArticleVersion, PictureAddress, Story
from worker.store.versions import UNNOTED, Change, first_version


@dataclass(frozen=True, kw_only=True, slots=True)
class NewArticle:
    """An article to be stored under a number that was drawn for it. `row` has its other columns, by name.

    `begins_story`: its story is not there yet. `bands` are unique.
    """

    id: ArticleId
    story_id: StoryId
    begins_story: bool
    row: Mapping[str, Any]
    bands: Collection[int]
    version: Change = UNNOTED


def draw_articles(conn: Connection, count: int) -> list[ArticleId]:
    """Return numbers for so many articles, rising; those that are not used are lost, which does no harm."""
    return [ArticleId(number) for number in _draw(conn, Article.__tablename__, count)]


def draw_stories(conn: Connection, count: int) -> list[StoryId]:
    """Return numbers for so many stories, rising."""
    return [StoryId(number) for number in _draw(conn, Story.__tablename__, count)]


def add(conn: Connection, articles: Sequence[NewArticle], *, at: datetime) -> None:
    """Store articles as seen `at` this moment, in their order: a copy comes after what it is a copy of.

    Raises `IntegrityError` where a source has an article's key by now.
    """
    if not articles:
        return
    begun = [{**_OF_STORY, "id": one.story_id, "created_at": at} for one in articles if one.begins_story]
    if begun:
        _INSERT_STORY.for_each(conn, begun)
    rows = [{**_OF_ARTICLE, "seen_at": at, **one.row, "id": one.id, "story_id": one.story_id} for one in articles]
    _INSERT_ARTICLE.for_each(conn, rows)
    _INSERT_VERSION.for_each(conn, [first_version(one.id, one.row, one.version, at=at) for one in articles])
    bands = sorted((band, one.id) for one in articles for band in one.bands)
    if bands:
        _INSERT_BAND.for_each(conn, [{"band": band, "article_id": article_id} for band, article_id in bands])
    shown = [(one.id, picture) for one in articles if (picture := one.row.get("image")) is not None]
    if shown:
        pictures = [{"id": number_of(one.url), "url": one.url, "article_id": number} for number, one in shown]
        _KEEP_PICTURE.for_each(conn, pictures)


def _draw(conn: Connection, table: str, count: int) -> list[int]:
    if conn.dialect.name == "sqlite":  # as it numbers rows itself; nobody else writes meanwhile
        last = conn.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table}").scalar_one()  # noqa: S608  a constant of ours
        return list(range(last + 1, last + 1 + count))
    query = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    return sorted(conn.exec_driver_sql(query, (table, count)).scalars())


def _insert(table: type[Any]) -> Quick:
    return Quick(lambda _: sa.insert(table.__table__), columns=list(table.__table__.columns.keys()))


def _defaults(table: type[Any]) -> dict[str, Any]:
    """Return what a column holds of which nothing is said."""
    found: dict[str, Any] = {}
    for column in table.__table__.columns:
        default = column.default
        found[column.name] = None if default is None else default.arg(None) if default.is_callable else default.arg
    return found


def _keep_picture(dialect: str) -> sa.ClauseElement:
    statement = insert_for_dialect(dialect, PictureAddress)
    changed = {"article_id": statement.excluded.article_id}  # one that several articles show belongs to the last
    built: sa.ClauseElement = statement.on_conflict_do_update(index_elements=["id"], set_=changed)
    return built


_OF_STORY: Final = _defaults(Story)
_OF_ARTICLE: Final = _defaults(Article)
_INSERT_STORY: Final = _insert(Story)
_INSERT_ARTICLE: Final = _insert(Article)
_INSERT_VERSION: Final = _insert(ArticleVersion)
_INSERT_BAND: Final = _insert(ArticleBand)
_KEEP_PICTURE: Final = Quick(_keep_picture, columns=["id", "url", "article_id"])

"""The statements by which intake asks, for many new items at once, what is stored that bears a mark of theirs.

Never judges what is a copy: `worker.intake` does, and hands marks in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, SourceId, StoryId
from worker.store.quick import Quick, in_list
from worker.store.schema import Article, ArticleBand
from worker.store.sightings import both_schemes

_ANY: Final = 2**31 - 1


class Brief(NamedTuple):
    """What is asked first of an article that another may be a copy of; its texts are long."""

    id: ArticleId
    story_id: StoryId
    text_hash: str
    canonical_url: str
    title: str
    is_recent: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What an article's wording is made of."""

    title: str
    summary: str
    body: str


def keys(conn: Connection, source_id: SourceId, some: Collection[str]) -> list[str]:
    """Return which of the keys a source has."""
    return [key for (key,) in _KEYS.tuples(conn, {"source": source_id, "some": list(some)})]


def untitled_places(conn: Connection, source_id: SourceId, titles: Collection[str]) -> list[str]:
    """Return which of the titles articles of a source have that have no address."""
    return [title for (title,) in _TITLES.tuples(conn, {"source": source_id, "some": list(titles)})] if titles else []


def at_addresses(conn: Connection, canonical_urls: Collection[str]) -> Sequence[tuple[ArticleId, SourceId, str]]:
    """Return what is stored at these addresses, under http or https, of any source: article, source and address."""
    some = {one for url in canonical_urls for one in both_schemes(url)}
    return _ADDRESSES.tuples(conn, {"some": list(some)}) if some else []


def of_hashes(conn: Connection, hashes: Collection[str]) -> Sequence[tuple[ArticleId, str]]:
    """Return which articles have wordings with these hashes."""
    return _HASHES.tuples(conn, {"some": list(hashes)})


def of_bands(conn: Connection, bands: Collection[int]) -> Sequence[tuple[int, ArticleId]]:
    """Return which bands which articles have, of these."""
    return _BANDS.tuples(conn, {"some": list(bands)}) if bands else []


def briefs(conn: Connection, ids: Collection[ArticleId], *, since: datetime) -> list[Brief]:
    """Return what is asked first of these articles; `is_recent` are those that were seen `since` or later."""
    return list(map(Brief._make, _BRIEFS.tuples(conn, {"some": list(ids), "since": since})))


def texts(conn: Connection, ids: Collection[ArticleId], *, most_chars: int = _ANY) -> list[Texts]:
    """Return these articles' texts, in no order; without those that are longer than `most_chars`."""
    rows = _TEXTS.tuples(conn, {"some": list(ids), "most": most_chars})
    return [Texts(title=title, summary=summary, body=body) for title, summary, body in rows]


def _of_source(dialect: str, column: Any, *more: sa.ColumnElement[bool]) -> sa.Select[Any]:  # noqa: ANN401  a mapped attribute
    of_source = Article.source_id == sa.bindparam("source")
    return sa.select(column).where(of_source, *more, in_list(dialect, column, "some"))


def _listed(dialect: str, column: Any, *columns: Any) -> sa.Select[Any]:  # noqa: ANN401  mapped attributes
    return sa.select(*columns).where(in_list(dialect, column, "some"))


_RECENT: Final = (Article.seen_at >= sa.bindparam("since")).label("is_recent")
_KEYS: Final = Quick(partial(_of_source, column=Article.item_key))
_TITLES: Final = Quick(lambda dialect: _of_source(dialect, Article.title, Article.canonical_url == ""))
_ADDRESSES: Final = Quick(
    lambda dialect: _listed(dialect, Article.canonical_url, Article.id, Article.source_id, Article.canonical_url)
)
_HASHES: Final = Quick(lambda dialect: _listed(dialect, Article.text_hash, Article.id, Article.text_hash))
_BANDS: Final = Quick(lambda dialect: _listed(dialect, ArticleBand.band, ArticleBand.band, ArticleBand.article_id))
_BRIEFS: Final = Quick(
    lambda dialect: _listed(
        dialect,
        Article.id,
        *(Article.id, Article.story_id, Article.text_hash, Article.canonical_url, Article.title, _RECENT),
    )
)
_LENGTH: Final = sa.func.length(Article.summary) + sa.func.length(Article.body)
_TEXTS: Final = Quick(
    lambda dialect: _listed(dialect, Article.id, Article.title, Article.summary, Article.body).where(
        sa.bindparam("most", type_=sa.Integer) >= _LENGTH
    )
)

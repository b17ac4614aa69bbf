"""The statements by which intake tells that it has seen an item before: many items of a document in a few questions.

Never judges what is the same: `worker.intake` does, and hands keys in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import Had
from worker.model import ArticleId, SourceId
from worker.store.articles import COLUMNS, StoredArticle
from worker.store.schema import Article

T = TypeVar("T", int, str)

_AT_ONCE: Final = 500  # keys in a question: a feed's items are asked for in one, an archive's in a few
_PLACED: Final = 5
_KEY_CHARS: Final = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighted:
    """A stored item as a glance needs it. `told_hash` is "" where nobody has noted what its source told."""

    id: ArticleId
    item_key: str
    told_hash: str


def by_item_keys(conn: Connection, source_id: SourceId, keys: Collection[str]) -> dict[str, Sighted]:
    """Return which of the keys are stored of a source, and what was told of them."""
    found: dict[str, Sighted] = {}
    for some in _some(keys):
        query = sa.select(Article.id, Article.item_key, Article.told_hash)
        rows = conn.execute(query.where(Article.source_id == source_id, Article.item_key.in_(some)))
        found |= {row.item_key: Sighted(**row._mapping) for row in rows}  # noqa: SLF001  Row's documented view
    return found


def at_place(conn: Connection, source_id: SourceId, *, canonical_url: str, title: str) -> list[StoredArticle]:
    """Return a source's articles at an address, under http or https; without one, those with this title and no address.

    The newest first, and only a few: a page that hundreds of items link to is the place of none.
    """
    query = sa.select(*COLUMNS).where(
        Article.source_id == source_id, Article.canonical_url.in_(both_schemes(canonical_url))
    )
    if not canonical_url:
        query = query.where(Article.title == title)
    rows = conn.execute(query.order_by(Article.id.desc()).limit(_PLACED))
    return [StoredArticle(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def both_schemes(canonical_url: str) -> list[str]:
    """Return an address under http and under https, which lead to one page; what has no scheme as it is."""
    scheme, separator, place = canonical_url.partition("://")
    return [f"http{separator}{place}", f"https{separator}{place}"] if separator else [scheme]


def alike(
    conn: Connection, source_id: SourceId, *, canonical_urls: Collection[str], titles: Collection[str]
) -> list[StoredArticle]:
    """Return a source's articles that have one of the addresses, under http or https, or one of the titles.

    The newest first. Reads all that a source has: for when it seems to have moved, not for every poll.
    """
    found: dict[int, StoredArticle] = {}
    urls = {one for url in canonical_urls if url for one in both_schemes(url)}
    for column, values in ((Article.canonical_url, urls), (Article.title, titles)):
        for some in _some(values):
            rows = conn.execute(sa.select(*COLUMNS).where(Article.source_id == source_id, column.in_(some)))
            found |= {row.id: StoredArticle(**row._mapping) for row in rows}  # noqa: SLF001  Row's documented view
    return sorted(found.values(), key=lambda one: one.id, reverse=True)


def had_of(conn: Connection, source_id: SourceId) -> Had:
    """Return what is stored of a source."""
    published = Article.published_at
    query = sa.select(sa.func.count(), sa.func.min(published), sa.func.max(published))
    count, first_at, newest_at = conn.execute(query.where(Article.source_id == source_id)).one()
    return Had(articles=count, first_at=first_at, newest_at=newest_at)


def seen_since(conn: Connection, source_id: SourceId, moment: datetime) -> int:
    """Return how many articles of a source were first seen after a moment."""
    query = sa.select(sa.func.count()).where(Article.source_id == source_id, Article.seen_at > moment)
    return conn.execute(query).scalar_one()


def has_items(conn: Connection, source_id: SourceId) -> bool:
    """Tell whether anything of a source is stored."""
    return conn.execute(sa.select(sa.exists().where(Article.source_id == source_id))).scalar_one()


def move(conn: Connection, article_id: ArticleId, *, item_key: str, guid: str, reason: str) -> None:
    """Know an article by another key from now on. Raises `IntegrityError` where another article has it."""
    values = {"item_key": item_key, "guid": guid, "reason": reason}
    conn.execute(sa.update(Article).where(Article.id == article_id).values(**values))


def give_up_key(conn: Connection, article_id: ArticleId, item_key: str) -> None:
    """Take an article's key away, for another one; its own tells afterwards what it was."""
    kept = f"was:{article_id}:{item_key}"[:_KEY_CHARS]
    conn.execute(sa.update(Article).where(Article.id == article_id).values(item_key=kept))


def note(conn: Connection, article_id: ArticleId, **values: Any) -> None:  # noqa: ANN401  column values by name
    """Note what an item's source told last, where it made no new version of it."""
    conn.execute(sa.update(Article).where(Article.id == article_id).values(**values))


def _some(values: Collection[T]) -> Iterator[list[T]]:
    ordered = sorted(values)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))

"""The statements by which intake tells that it has seen an item before: many items of a document in a few questions.

Never judges what is the same: `worker.intake` does, and hands keys in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, SourceId
from worker.store.schema import Article

_AT_ONCE: Final = 500  # keys in a question: a feed's items are asked for in one, an archive's in a few


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighted:
    """A stored item as a glance needs it. `told_hash` is "" where nobody has noted what its source told."""

    id: ArticleId
    item_key: str
    told_hash: str


def by_item_keys(conn: Connection, source_id: SourceId, keys: Collection[str]) -> dict[str, Sighted]:
    """Return which of the keys are stored of a source, and what was told of them."""
    found: dict[str, Sighted] = {}
    ordered = sorted(keys)
    for some in (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE)):
        query = sa.select(Article.id, Article.item_key, Article.told_hash)
        rows = conn.execute(query.where(Article.source_id == source_id, Article.item_key.in_(some)))
        found |= {row.item_key: Sighted(**row._mapping) for row in rows}  # noqa: SLF001  Row's documented view
    return found


def has_items(conn: Connection, source_id: SourceId) -> bool:
    """Tell whether anything of a source is stored."""
    return conn.execute(sa.select(sa.exists().where(Article.source_id == source_id))).scalar_one()


def note_told(conn: Connection, article_id: ArticleId, told_hash: str) -> None:
    """Note what an item's source told last, where it made no new version of it."""
    conn.execute(sa.update(Article).where(Article.id == article_id).values(told_hash=told_hash))

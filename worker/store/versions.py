"""The statements over an article's versions: what it said in each revision, why there is one, and what it changed.

Never decides which to keep: intake does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import KeptVersion, Version
from worker.model import ArticleId
from worker.store.schema import ArticleVersion

_TEXT: Final = ("title", "summary", "body")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What makes a version another than the one before. `changed` names fields, none of a first version."""

    changed: tuple[str, ...] = ()
    material: bool | None = None
    state_hash: str = ""


UNNOTED: Final = Change()


_COLUMNS: Final = tuple(getattr(ArticleVersion, name) for name in Version.__slots__)


def keep(
    conn: Connection, article_id: ArticleId, values: Mapping[str, Any], change: Change, *, revision: int, at: datetime
) -> None:
    """Keep what an article says in a revision; `values` has its texts and the reason."""
    conn.execute(sa.insert(ArticleVersion).values(**_row(article_id, values, change, revision=revision, at=at)))


def first_version(article_id: ArticleId, values: Mapping[str, Any], change: Change, *, at: datetime) -> dict[str, Any]:
    """Return the row, of all columns, that keeps what a new article says; `values` as for `keep`."""
    return _row(article_id, values, change, revision=1, at=at)


def _row(
    article_id: ArticleId, values: Mapping[str, Any], change: Change, *, revision: int, at: datetime
) -> dict[str, Any]:
    text = {name: values[name] for name in (*_TEXT, "reason")}
    noted = {"changed": list(change.changed), "material": change.material, "state_hash": change.state_hash}
    return {"article_id": article_id, "revision": revision, "recorded_at": at, **text, **noted}


def kept(conn: Connection, article_id: ArticleId) -> list[KeptVersion]:
    """Return which versions of an article are stored, the oldest first."""
    columns = (ArticleVersion.revision, ArticleVersion.state_hash, ArticleVersion.recorded_at)
    query = sa.select(*columns).where(ArticleVersion.article_id == article_id).order_by(ArticleVersion.revision)
    return [KeptVersion(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def of_article(conn: Connection, article_id: ArticleId) -> list[Version]:
    """Return an article's versions with their texts, the oldest first."""
    query = sa.select(*_COLUMNS).where(ArticleVersion.article_id == article_id).order_by(ArticleVersion.revision)
    return [Version(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def drop(conn: Connection, article_id: ArticleId, revisions: Collection[int]) -> None:
    """Keep versions no longer."""
    if revisions:
        these = ArticleVersion.article_id == article_id, ArticleVersion.revision.in_(revisions)
        conn.execute(sa.delete(ArticleVersion).where(*these))

"""Knows a source's articles again after it has changed all GUIDs, its scheme or its host: keys move, nothing is news.

One transaction. Called by `run` when nearly all that a feed tells is unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from worker.intake.canonical import canonical_url
from worker.intake.rekeying import Move, moves
from worker.intake.run_rows import known_of
from worker.intake.told import Told
from worker.model import ArticleId, SourceId
from worker.store import sightings
from worker.store.database import Database

log = logging.getLogger(__name__)


def move_along(
    database: Database,
    source: Row[*tuple[object, ...]],
    unknown: Sequence[Told],
    *,
    present: Collection[ArticleId],
) -> int:
    """Have known articles go by the keys and addresses that their source tells now; return how many there were."""
    source_id = SourceId(source.id)
    with database.read() as conn:
        had = sightings.alike(
            conn,
            source_id,
            canonical_urls={canonical_url(one.article.url) for one in unknown},
            titles={one.article.title for one in unknown},
        )
    found = moves(unknown, [known_of(one) for one in had], present=present)
    if not found:
        return 0
    try:
        with database.write() as conn:
            for one in found:
                _move(conn, one)
    except IntegrityError:  # another worker takes the same document in: what it leaves is judged item by item
        return 0
    log.warning(
        "source %d, %s: %d of its items have other keys than before: %s",
        source.id,
        source.name,
        len(found),
        found[0].reason,
    )
    return len(found)


def _move(conn: Connection, one: Move) -> None:
    article = one.told.article
    sightings.move(conn, one.article_id, item_key=one.told.key, guid=article.guid, reason=one.reason)
    sightings.note(conn, one.article_id, url=article.url, canonical_url=canonical_url(article.url))

"""The statements over terms: the vocabulary, and which of its numbers each article has.

Never analyses a text and never reads a query: `matching.run_terms` writes, `matching.run_backtest` asks.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.model import ArticleId
from worker.store.database import insert_for
from worker.store.schema import Article, ArticleTerms, Story, Term, TermStem

_KEYS_A_STATEMENT: Final = 500
_ROWS_AT_ONCE: Final = 2_000
_LAST: Final = "\U0010ffff"


class Indexed(NamedTuple):
    """An article of a period. `terms` is None where the article itself must be read."""

    article_id: int
    story_id: int
    at_s: int
    terms: bytes | None


def numbers(conn: Connection, keys: Collection[str]) -> dict[str, int]:
    """Return the numbers of those keys that have one."""
    wanted, found = sorted(keys), dict[str, int]()
    for start in range(0, len(wanted), _KEYS_A_STATEMENT):
        some = wanted[start : start + _KEYS_A_STATEMENT]
        found.update(
            (key, number) for key, number in conn.execute(sa.select(Term.key, Term.id).where(Term.key.in_(some)))
        )
    return found


def numbers_beginning(conn: Connection, stem: str) -> list[int]:
    """Return the numbers of all keys that begin so."""
    return list(conn.execute(sa.select(Term.id).where(Term.key >= stem, Term.key < stem + _LAST)).scalars())


def add_keys(conn: Connection, keys: Collection[str]) -> None:
    """Give numbers to keys, unless somebody else has.

    In one order whoever asks: two transactions that add the same words never wait for each other in a circle.
    """
    if keys:
        conn.execute(insert_for(conn, Term).on_conflict_do_nothing(), [{"key": key} for key in sorted(keys)])


def numbers_inflected(conn: Connection, stems: Collection[tuple[str, str]]) -> list[int]:
    """Return the numbers of all terms that have one of these stems, each a pair of language and stem."""
    pairs = sa.tuple_(TermStem.language, TermStem.stem).in_(sorted(stems))
    return list(conn.execute(sa.select(TermStem.term_id).where(pairs).distinct()).scalars())


def known_stems(conn: Connection, language: str, stems: Collection[str]) -> set[tuple[str, int]]:
    """Return which terms are known to have one of these stems: (stem, number)."""
    wanted, found = sorted(stems), set[tuple[str, int]]()
    for start in range(0, len(wanted), _KEYS_A_STATEMENT):
        query = sa.select(TermStem.stem, TermStem.term_id).where(
            TermStem.language == language, TermStem.stem.in_(wanted[start : start + _KEYS_A_STATEMENT])
        )
        found.update((stem, number) for stem, number in conn.execute(query))
    return found


def add_stems(conn: Connection, language: str, stems: Collection[tuple[str, int]]) -> None:
    """Note the stems of terms, (stem, number), unless somebody else has; in one order, as `add_keys` does."""
    rows = [{"language": language, "stem": stem, "term_id": number} for stem, number in sorted(stems)]
    if rows:
        conn.execute(insert_for(conn, TermStem).on_conflict_do_nothing(), rows)


def put(conn: Connection, article_id: ArticleId, *, revision: int, analyser_version: int, terms: bytes | None) -> None:
    """Put a revision's terms in the place of an earlier one's, never of a later one's."""
    values = {"revision": revision, "analyser_version": analyser_version, "terms": terms}
    statement = insert_for(conn, ArticleTerms).values(article_id=article_id, **values)
    is_newer = ArticleTerms.revision <= statement.excluded.revision
    conn.execute(statement.on_conflict_do_update(index_elements=["article_id"], set_=values, where=is_newer))


def outdated(conn: Connection, *, analyser_version: int, limit: int) -> list[ArticleId]:
    """Return articles whose terms another version of the analyser has found."""
    versions = (ArticleTerms.analyser_version < analyser_version, ArticleTerms.analyser_version > analyser_version)
    query = sa.union_all(*(sa.select(ArticleTerms.article_id).where(other) for other in versions)).limit(limit)
    return [ArticleId(article_id) for article_id in conn.execute(query).scalars()]


def in_period(conn: Connection, *, since: datetime, analyser_version: int) -> Generator[list[Indexed]]:
    """Go through the articles published since `since`, in blocks; those that were killed, or whose story was, are out.

    An article's time is that of its publication or, if that lies ahead, of its first sight.
    """
    at = sa.case((Article.published_at <= Article.seen_at, Article.published_at), else_=Article.seen_at)
    is_current = sa.and_(
        ArticleTerms.article_id == Article.id,
        ArticleTerms.revision == Article.revision,
        ArticleTerms.analyser_version == analyser_version,
    )
    query = (
        sa.select(Article.id, Article.story_id, _epoch_s(at), ArticleTerms.terms)
        .join(Story, Story.id == Article.story_id)
        .outerjoin(ArticleTerms, is_current)
        .where(Article.published_at >= since, Article.killed_at.is_(None), Story.killed_at.is_(None))
    )
    with conn.execution_options(yield_per=_ROWS_AT_ONCE).execute(query) as rows:
        for block in rows.partitions():
            yield [Indexed(*row) for row in block]


def _epoch_s(at: ColumnElement[datetime]) -> ColumnElement[int]:
    return sa.cast(sa.extract("epoch", at), sa.BigInteger)

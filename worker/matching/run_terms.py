"""Stores which terms an article has, beside its matches: what backtests look through instead of the articles.

Never looks at a query. The `Matcher` has an article's terms kept once its matches are stored; a sweep does the same for
articles that another version of the analyser has read. One that has none, since its worker was killed in between, is
read itself by a backtest. Called by `matching.run` and `tasks`.
"""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import Final

from sqlalchemy import Connection

from worker.matching.analyser import ANALYSER_VERSION, AnalysedArticle, analyse
from worker.matching.inflection import LANGUAGES
from worker.matching.occurrences import language_of
from worker.matching.run_text import text_of
from worker.matching.terms import forms_of, pack, stored_stem, terms_of
from worker.store import articles, terms
from worker.store.articles import StoredArticle
from worker.store.database import Database

_REMEMBERED: Final = 400_000  # words and forms, about 60 MB; those that matter are soon there again


class TermIndex:
    """One process's way to the vocabulary; it remembers what it has met. One thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._forms: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)  # by language

    def keep(self, article: StoredArticle, analysed: AnalysedArticle) -> None:
        """Store the terms of the revision that was analysed, in place of an earlier one's; new words get their numbers.

        What is new is remembered after the commit: no number may be that a failed transaction has taken back.
        """
        if len(self._numbers) + sum(map(len, self._forms.values())) > _REMEMBERED:
            self._numbers.clear()
            self._forms.clear()
        keys, language = terms_of(analysed), language_of(analysed)
        strange = forms_of(analysed) - self._forms[language] if keys and language in LANGUAGES else frozenset()
        # Never `keys - self._numbers.keys()`: it would walk through all that is remembered.
        fresh = [key for key in keys or () if key not in self._numbers]
        with self._database.write() as conn:
            numbers = ChainMap(_numbered(conn, fresh), self._numbers)
            _note_stems(conn, language, {(stored_stem(form, language), numbers[key]) for form, key in strange})
            packed = None if keys is None else pack(numbers[key] for key in keys)
            terms.put(conn, article.id, revision=article.revision, analyser_version=ANALYSER_VERSION, terms=packed)
        self._numbers |= numbers.maps[0]
        self._forms[language].update(strange)


def _numbered(conn: Connection, keys: Collection[str]) -> dict[str, int]:
    found = terms.numbers(conn, keys)
    if new := set(keys) - found.keys():
        terms.add_keys(conn, new)
        found |= terms.numbers(conn, new)
    return found


def _note_stems(conn: Connection, language: str, stems: AbstractSet[tuple[str, int]]) -> None:
    terms.add_stems(conn, language, stems - terms.known_stems(conn, language, {stem for stem, _ in stems}))


def renew(database: Database, *, limit: int) -> int:
    """Analyse some articles again whose terms are of another version, and return how many there were."""
    with database.read() as conn:
        due = terms.outdated(conn, analyser_version=ANALYSER_VERSION, limit=limit)
    index = TermIndex(database)
    for article_id in due:
        with database.read() as conn:
            article = articles.by_id(conn, article_id)
        if article is not None:
            index.keep(article, analyse(text_of(article)))
    return len(due)

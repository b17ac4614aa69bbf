"""Stores which terms an article has, beside its matches: what backtests look through instead of the articles.

Never looks at a query. The `Matcher` has an article's terms kept once its matches are stored; a sweep does the same for
articles that another version of the analyser has read. One that has none, since its worker was killed in between, is
read itself by a backtest. Called by `matching.run` and `tasks`.
"""

from __future__ import annotations

from collections import ChainMap
from typing import Final

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
        self._forms: dict[str, set[tuple[str, str]]] = {}  # by language

    def keep(self, article: StoredArticle, analysed: AnalysedArticle) -> None:
        """Store the terms of the revision that was analysed, in place of an earlier one's."""
        found = self.terms(analysed)
        with self._database.write() as conn:
            terms.put(conn, article.id, revision=article.revision, analyser_version=ANALYSER_VERSION, terms=found)

    def terms(self, article: AnalysedArticle) -> bytes | None:
        """Return an article's terms as they are stored, None if they are too many to be.

        New words and their stems are stored in a transaction of their own: no other worker waits for ours meanwhile,
        and nothing is remembered that a failed transaction has taken back.
        """
        keys = terms_of(article)
        if keys is None:
            return None
        if len(self._numbers) + sum(map(len, self._forms.values())) > _REMEMBERED:
            self._numbers.clear()
            self._forms.clear()
        language = language_of(article)
        forms = forms_of(article) if language in LANGUAGES else frozenset()
        strange = forms - self._forms.get(language, set())
        unknown = {
            key for key in keys if key not in self._numbers
        }  # never `-`: it would walk through all that is known
        if strange or unknown:
            self._learn(unknown, language, strange)
        return pack(self._numbers[key] for key in keys)

    def _learn(self, unknown: set[str], language: str, forms: frozenset[tuple[str, str]]) -> None:
        stems = {(stored_stem(form, language), key) for form, key in forms}
        with self._database.read() as conn:
            numbers = terms.numbers(conn, unknown)
            known = terms.known_stems(conn, language, {stem for stem, _ in stems})
        new = unknown - numbers.keys()
        found = ChainMap(numbers, self._numbers)
        if new or any((stem, found[key]) not in known for stem, key in stems):
            with self._database.write() as conn:
                terms.add_keys(conn, new)
                numbers |= terms.numbers(conn, new)
                terms.add_stems(conn, language, {(stem, found[key]) for stem, key in stems} - known)
        self._numbers |= numbers
        self._forms.setdefault(language, set()).update(forms)


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

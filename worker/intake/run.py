"""Takes articles in: judges each item against what is stored, and stores the judgement with its reason.

Each article is one transaction: a bad item never costs the others, and nothing is half stored. What a feed has told
before costs none: one question tells which of its items those are. Called by `run_polling`, the CLI and the API.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from worker.errors import InputError
from worker.intake.age_gate import too_old_to_alert
from worker.intake.canonical import canonical_url
from worker.intake.decide import Decision, Incoming, Known, decide
from worker.intake.fingerprint import Fingerprint, fingerprint
from worker.intake.identity import item_key, told_hash
from worker.intake.run_holding import hold_if_flooded
from worker.intake.validate import Valid, validate
from worker.model import ArticleId, Novelty, ParsedArticle, Severity, SourceId
from worker.sameness import COPY_WINDOW
from worker.store import articles, editing, sightings, sources
from worker.store.articles import StoredArticle
from worker.store.database import Database, now
from worker.store.sightings import Sighted

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What became of an article handed in. `id` is the article that stands for it, an earlier one for a known item."""

    id: ArticleId
    status: Novelty
    reason: str
    stored: bool  # a new row or a new version; False when nothing changed


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of a document's items, each of which is counted once.

    `articles` are to be matched, in the order in which they happened. `new` counts copies of another source's articles
    too, `unchanged` whatever left nothing behind. `refused` items were no articles.
    """

    articles: tuple[ArticleId, ...] = ()
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PageWord:
    """What became of an article's own page, where its source has its pages fetched.

    `told_hash` stands for what the source itself has told, and for whether the page is still to come. `note` says why
    there is none.
    """

    told_hash: str
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """An item of a document, fit to be judged: by which key it is known, and the hash of what was told of it."""

    valid: Valid
    key: str
    hash: str
    dated: bool  # its source tells when it was published


class Intake:
    """Takes articles in for one installation."""

    def __init__(
        self,
        database: Database,
        *,
        age_limit: timedelta,
    ) -> None:
        self._database, self._age_limit = database, age_limit

    def add(self, parsed: ParsedArticle, *, kind: str, outlet: str, where: str = "") -> Added:
        """Take one article in that was pushed or handed in by a person.

        `kind` is "push" or "file"; `outlet` names its source where the article does not. Raises `InputError`.
        """
        name = parsed.source or outlet
        try:
            return self._add(parsed, kind=kind, name=name, where=where)
        except IntegrityError:  # somebody else stored the same item at the same moment: judge again, with theirs known
            return self._add(parsed, kind=kind, name=name, where=where)

    def check(self, parsed: ParsedArticle, *, where: str) -> None:
        """Raise the `InputError` that `add` would raise, and store nothing."""
        with self._database.read() as conn:
            at = now(conn)
        validate(parsed, now=at, where=where)

    def take_feed(
        self,
        source: Row[*tuple[object, ...]],
        found: Iterable[ParsedArticle],
        *,
        pages: Mapping[str, PageWord] | None = None,
    ) -> Taken:
        """Take in what a watched source tells, newest first. An item that is refused is logged, and costs no other.

        Items that are told as before cost one question for all of them, and no transaction that writes. `pages` says,
        by item key, what became of their own pages.
        """
        parsed = [replace(one, lang=one.lang or source.lang) for one in found]
        told, known = self._recognise(source, parsed, pages)
        held = hold_if_flooded(self._database, source, items=len(told), known=len(known))
        changed: list[ArticleId] = []
        counted = Counter(refused=len(parsed) - len(told))
        for one in reversed(told):  # feeds tell the newest first; stories number in the order of events
            seen = known.get(one.key)
            if seen and seen.told_hash == one.hash:
                counted["unchanged"] += 1
                continue
            added, is_new = self._take_one(one, SourceId(source.id), outlet=source.outlet, held=held)
            counted["new" if is_new else "updated" if added.stored else "unchanged"] += 1
            if added.stored:
                changed.append(added.id)
        return Taken(articles=tuple(changed), **counted)

    def _recognise(
        self,
        source: Row[*tuple[object, ...]],
        parsed: Sequence[ParsedArticle],
        pages: Mapping[str, PageWord] | None = None,
    ) -> tuple[list[_Told], dict[str, Sighted]]:
        """Return the items that may be articles, and which of them are stored."""
        with self._database.read() as conn:
            at = now(conn)
            told = []
            for one in parsed:
                try:
                    told.append(_told(one, validate(one, now=at), pages or {}))
                except InputError as error:
                    log.warning("source %s: an item is left out: %s", source.name, error)
            return told, sightings.by_item_keys(conn, SourceId(source.id), {one.key for one in told})

    def _take_one(self, told: _Told, source_id: SourceId, *, outlet: str, held: bool) -> tuple[Added, bool]:
        """Judge and store an item, and tell whether it is a new row."""
        for last in (False, True):
            try:
                with self._database.write() as conn:
                    return self._take_in(conn, told, source_id, outlet=outlet, held=held)
            except IntegrityError:  # another worker has stored the same item meanwhile: judge again, with theirs known
                if last:
                    raise
        raise AssertionError("the loop returns or raises")

    def _add(self, parsed: ParsedArticle, *, kind: str, name: str, where: str) -> Added:
        with self._database.write() as conn:
            source_id = sources.put(conn, kind=kind, name=name)
            told = _told(parsed, validate(parsed, now=now(conn), where=where), {})
            added, _ = self._take_in(conn, told, source_id, outlet=name)
            return added

    def _take_in(
        self, conn: Connection, told: _Told, source_id: SourceId, *, outlet: str, held: bool = False
    ) -> tuple[Added, bool]:
        at = now(conn)
        article = told.valid.article
        print_ = fingerprint(article)
        address = canonical_url(article.url)
        known = articles.by_item_key(conn, source_id, told.key)
        candidates = articles.copy_candidates(
            conn, bands=print_.bands, text_hash=print_.exact, canonical_url=address, since=at - COPY_WINDOW
        )
        decision = decide(
            Incoming(article=article, fingerprint=print_),
            known_of(known) if known else None,
            [known_of(candidate) for candidate in candidates],
        )
        reason = "; ".join((decision.reason, *told.valid.notes))
        row = {**row_of(article, print_, address, outlet=outlet, at=at), "novelty": decision.novelty, "reason": reason}
        row["told_hash"] = told.hash
        if known and decision.same_as is not None:
            row["published_at"] = article.published_at or known.published_at
            return _revise(conn, known, decision, row, print_), False
        story_id = next((one.story_id for one in candidates if one.id == decision.copy_of), None)
        late = too_old_to_alert(published_at=article.published_at, first_seen_at=at, now=at, limit=self._age_limit)
        article_id = articles.add_article(
            conn,
            story_id=story_id,
            bands=print_.bands,
            at=at,
            source_id=source_id,
            item_key=told.key,
            may_alert=not (late or held),
            copy_of_id=decision.copy_of,
            dated=told.dated,
            **row,
        )
        sources.change(conn, source_id, last_news_at=at)
        return Added(id=article_id, status=decision.novelty, reason=reason, stored=True), True


def _told(parsed: ParsedArticle, valid: Valid, pages: Mapping[str, PageWord]) -> _Told:
    # A date in the future was taken for now: it tells nothing.
    dated = parsed.published_at is not None and parsed.published_at == valid.article.published_at
    key = item_key(valid.article)
    page = pages.get(key)
    notes = (*valid.notes, page.note) if page and page.note else valid.notes
    hash_ = page.told_hash if page else told_hash(parsed)
    return _Told(valid=replace(valid, notes=notes), key=key, hash=hash_, dated=dated)


def _revise(
    conn: Connection, known: StoredArticle, decision: Decision, row: dict[str, Any], print_: Fingerprint
) -> Added:
    """Store the next version of a known article, or nothing where nothing has changed."""
    # A feed knows nothing of an editor's word: it may make an article more urgent, never less.
    row["severity"] = max(Severity(known.severity), Severity(str(row["severity"])), key=list(Severity).index)
    changed = decision.novelty is Novelty.UPDATE and articles.update_article(
        conn, known.id, revision=known.revision, bands=print_.bands, **row
    )
    if decision.novelty is Novelty.DUPLICATE and known.told_hash != row["told_hash"]:
        sightings.note_told(conn, known.id, str(row["told_hash"]))
    if decision.novelty is Novelty.DUPLICATE and row["image"] != known.image:
        # No new version: a picture alone is nothing to match, alert or correct. What is planned from now on shows it.
        articles.set_image(conn, known.id, row["image"], revision=known.revision)
        return Added(
            id=known.id, status=decision.novelty, reason=f"{decision.reason}, but for its picture", stored=False
        )
    if changed and row["severity"] is Severity.BREAKING and known.severity != Severity.BREAKING and known.may_alert:
        editing.make_due(conn, known.story_id)  # the newsroom's own system has broken it
    return Added(id=known.id, status=decision.novelty, reason=decision.reason, stored=changed)


def known_of(stored: StoredArticle) -> Known:
    """Return a stored article as one that others are compared with."""
    article = ParsedArticle(
        guid=stored.guid,
        url=stored.url,
        title=stored.title,
        summary=stored.summary,
        body=stored.body,
        author=stored.author,
        section=stored.section,
        source=stored.outlet,
        lang=stored.lang,
        tags=tuple(stored.tags),
        published_at=stored.published_at,
        updated_at=stored.updated_at,
        severity=Severity(stored.severity),
        image=stored.image,
    )
    return Known(article_id=stored.id, article=article)


def row_of(article: ParsedArticle, print_: Fingerprint, address: str, *, outlet: str, at: datetime) -> dict[str, Any]:
    """Return the columns that an article fills."""
    return {
        "guid": article.guid,
        "url": article.url,
        "canonical_url": address,
        "title": article.title,
        "summary": article.summary,
        "body": article.body,
        "author": article.author,
        "section": article.section,
        "outlet": outlet or article.source,
        "lang": article.lang,
        "tags": list(article.tags),
        "severity": article.severity,
        "published_at": article.published_at or at,
        "updated_at": article.updated_at,
        "text_hash": print_.exact,
        "image": article.image,
    }

"""Judges articles against what is stored, and stores the judgements with their reasons, in the caller's transaction.

Never opens a transaction. `run` calls it for all that is new or told otherwise than before, some new items at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from worker.intake.age_gate import too_old_to_alert
from worker.intake.dating import Dating, is_of_unknown_age, published_at
from worker.intake.decide import Candidate, Decision, Incoming, Known, decide
from worker.intake.fingerprint import Fingerprint
from worker.intake.identity import spare_key
from worker.intake.marks import Marked, Marks
from worker.intake.places import place
from worker.intake.revisions import make_room, state_hash, why_not_again
from worker.intake.sighting import Sight, Sighting, recognise
from worker.intake.wordings import Wordings
from worker.model import ArticleId, Novelty, ParsedArticle, Severity, SourceId
from worker.sameness import COPY_WINDOW
from worker.store import articles, editing, sightings, sources, versions
from worker.store.articles import StoredArticle
from worker.store.database import now
from worker.store.versions import Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What became of an article handed in. `id` is the article that stands for it, an earlier one for a known item."""

    id: ArticleId
    status: Novelty
    reason: str
    stored: bool  # a new row or a new version; False when nothing changed
    is_new: bool = False  # a new row


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What an article's document says of it: whether the source is held, its first document, and how it dates items.

    `places` tells where the items of the document stand, by their keys.
    """

    outlet: str
    age_limit: timedelta
    is_held: bool = False
    is_backlog: bool = False
    dating: Dating = Dating.TOLD
    places: Mapping[str, str] = field(default_factory=dict)
    wordings: Wordings = field(default_factory=Wordings)


def take_in(
    conn: Connection, items: Sequence[Marked], source_id: SourceId, given: Circumstances, *, within_s: float = 0.0
) -> list[Added]:
    """Take in the first of a source's items, as many as can be within a time, one at least; return them in order.

    Each is stored as a new article, as the next version of a known one, or not at all. Raises `IntegrityError` when
    another worker stores the same item at the same moment: judge again, with theirs known.
    """
    end_s = time.monotonic() + within_s
    at = now(conn)
    marks = _marks(conn, items, source_id) if len(items) > 1 else None  # of one item each is asked for anyway
    taken: list[Added] = []
    for one in items:
        taken.append(_take_one(conn, one, source_id, given, at=at, marks=marks))
        if marks:
            marks.add(one)
        if time.monotonic() >= end_s:
            break
    if any(one.is_new for one in taken):
        sources.change(conn, source_id, last_news_at=at)
    return taken


def _marks(conn: Connection, items: Sequence[Marked], source_id: SourceId) -> Marks:
    prints = [one.fingerprint for one in items]
    return Marks(
        keys=sightings.by_item_keys(conn, source_id, {one.told.key for one in items}).keys(),
        addresses=sightings.addresses(conn, {one.address for one in items if one.address}),
        hashes=sightings.text_hashes(conn, {one.exact for one in prints}),
        bands=sightings.bands(conn, {band for one in prints for band in one.bands}),
    )


def _take_one(
    conn: Connection, one: Marked, source_id: SourceId, given: Circumstances, *, at: datetime, marks: Marks | None
) -> Added:
    told, article, print_, address = one.told, one.told.article, one.fingerprint, one.address
    seen, known = _recognise(conn, one, source_id, given, marks)
    found = []
    if marks is None or marks.has_kin(one):
        found = articles.copy_candidates(
            conn, bands=print_.bands, text_hash=print_.exact, canonical_url=address, since=at - COPY_WINDOW
        )
    candidates = [had for had in found if had.id not in seen.apart]
    again = seen.known if seen.sight in {Sight.SAME, Sight.MOVED} else None
    incoming = Incoming(article=article, fingerprint=print_)
    compared = [candidate_of(had, given.wordings) for had in candidates]
    decision = decide(incoming, again, compared, sight=seen.reason if again else "")
    row = row_of(article, print_, address, outlet=given.outlet, at=at) | {"told_hash": told.hash}
    row["published_at"] = published_at(article.published_at, first_seen_at=at, dating=given.dating)
    if known and again:
        if seen.sight is Sight.MOVED:
            sightings.move(conn, known.id, item_key=told.key, guid=article.guid, reason=decision.reason)
        return _revise(conn, known, replace(decision, reason=_said(decision.reason, *told.notes)), row, incoming)
    if seen.sight is Sight.REUSED and known:
        sightings.give_up_key(conn, known.id, told.key)
    key = spare_key(article) if seen.sight is Sight.BORROWED else told.key
    decision = replace(decision, reason=_said(decision.reason, seen.reason, *told.notes))
    story_id = next((had.story_id for had in candidates if had.id == decision.copy_of), None)
    row |= {"story_id": story_id, "source_id": source_id, "item_key": key, "dated": told.is_dated}
    return _add(conn, decision, row, incoming, given, at=at)


def _recognise(
    conn: Connection, one: Marked, source_id: SourceId, given: Circumstances, marks: Marks | None
) -> tuple[Sighting, StoredArticle | None]:
    """Tell which item of its source an article is, or whose key it bears, and return that as it is stored."""
    told, address, title = one.told, one.address, one.told.article.title
    by_key = articles.by_item_key(conn, source_id, told.key) if marks is None or marks.has_key(one) else None
    is_beyond_doubt = by_key is not None and (by_key.canonical_url, by_key.title) == (address, title)
    is_alone = is_beyond_doubt or (marks is not None and not marks.has_place(one))
    here = [] if is_alone else sightings.at_place(conn, source_id, canonical_url=address, title=title)
    # Its key alone proves nothing: the document may tell another item under it.
    present = {had.id for had in here if given.places.get(had.item_key) == place(had.url)}
    seen = recognise(
        told.article, known_of(by_key) if by_key else None, [known_of(had) for had in here], present=present
    )
    stored = [*here, by_key] if by_key else here
    return seen, next((had for had in stored if seen.known and had.id == seen.known.article_id), None)


def _add(
    conn: Connection,
    decision: Decision,
    row: dict[str, Any],
    incoming: Incoming,
    given: Circumstances,
    *,
    at: datetime,
) -> Added:
    published = incoming.article.published_at
    is_late = too_old_to_alert(
        published_at=row["published_at"], first_seen_at=at, now=at, limit=given.age_limit
    ) or is_of_unknown_age(published, given.dating, is_backlog=given.is_backlog)
    # Asked again: an editor may have let the source go since its document was fetched.
    is_held = given.is_held and sources.is_held(conn, row["source_id"])
    article_id = articles.add_article(
        conn,
        bands=incoming.fingerprint.bands,
        at=at,
        version=Change(state_hash=state_hash(incoming.article), material=decision.material),
        may_alert=not (is_late or is_held),
        copy_of_id=decision.copy_of,
        novelty=decision.novelty,
        reason=decision.reason,
        **row,
    )
    return Added(id=article_id, status=decision.novelty, reason=decision.reason, stored=True, is_new=True)


def _revise(
    conn: Connection, known: StoredArticle, decision: Decision, row: dict[str, Any], incoming: Incoming
) -> Added:
    """Store the next version of a known article, or nothing where nothing has changed."""
    # A feed knows nothing of an editor's word: it may make an article more urgent, never less.
    row["severity"] = max(Severity(known.severity), incoming.article.severity, key=list(Severity).index)
    row["published_at"] = min(known.published_at, row["published_at"])  # a date that moves on makes nothing younger
    if decision.novelty is Novelty.DUPLICATE:
        return _leave(conn, known, decision, row)
    kept = versions.kept(conn, known.id)
    state = state_hash(replace(incoming.article, severity=row["severity"]))
    if why := why_not_again(state, kept, now=now(conn)):
        left = Decision(novelty=Novelty.DUPLICATE, reason=why, material=False, same_as=known.id)
        return _leave(conn, known, left, row)
    changed = articles.update_article(
        conn,
        known.id,
        revision=known.revision,
        bands=incoming.fingerprint.bands,
        version=Change(changed=decision.changed, material=decision.material, state_hash=state),
        novelty=decision.novelty,
        reason=decision.reason,
        **row,
    )
    if changed:
        versions.drop(conn, known.id, make_room([one.revision for one in kept]))
    if changed and row["severity"] is Severity.BREAKING and known.severity != Severity.BREAKING and known.may_alert:
        editing.make_due(conn, known.story_id)  # the newsroom's own system has broken it
    return Added(id=known.id, status=decision.novelty, reason=decision.reason, stored=changed)


def _leave(conn: Connection, known: StoredArticle, decision: Decision, row: dict[str, Any]) -> Added:
    """Leave a known article in its revision; what no reader reads follows its source quietly."""
    quiet = {"told_hash": row["told_hash"], "published_at": row["published_at"]}
    if place(known.url) == place(row["url"]):
        quiet |= {name: row[name] for name in ("url", "canonical_url")}  # http has become https
    if any(getattr(known, name) != value for name, value in quiet.items()):
        sightings.note(conn, known.id, **quiet)
    reason = decision.reason
    if row["image"] != known.image:
        # No new version: a picture alone is nothing to match, alert or correct. What is planned from now on shows it.
        articles.set_image(conn, known.id, row["image"], revision=known.revision)
        reason += ", but for its picture"
    return Added(id=known.id, status=decision.novelty, reason=reason, stored=False)


def _said(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


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


def candidate_of(stored: StoredArticle, wordings: Wordings) -> Candidate:
    """Return a stored article as one that another may be a copy of."""
    return Candidate(
        article_id=stored.id,
        title=stored.title,
        place=stored.canonical_url.partition("://")[2],
        wording=wordings.of(known_of(stored).article, stored.text_hash),
    )


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

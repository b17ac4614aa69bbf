"""Judges articles against what is stored, and stores the judgements with their reasons, in the caller's transaction.

Never opens a transaction. `run` calls it for all that is new or told otherwise than before, some new items at once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from worker.intake.circumstances import Added, Circumstances, said
from worker.intake.decide import Decision, Incoming, decide
from worker.intake.identity import spare_key
from worker.intake.marks import Marked
from worker.intake.places import place
from worker.intake.revisions import make_room, state_hash, why_not_again
from worker.intake.run_rows import candidate_of, first_change, is_late, known_of, told_row, verdict
from worker.intake.run_together import take_together
from worker.intake.sighting import Sight, Sighting, recognise
from worker.model import Novelty, Severity, SourceId
from worker.sameness import COPIES_COMPARED, COPY_WINDOW
from worker.store import articles, editing, sightings, sources, versions
from worker.store.articles import StoredArticle
from worker.store.database import now
from worker.store.versions import Change

_AFRESH: Final = 8


def take_in(
    conn: Connection, items: Sequence[Marked], source_id: SourceId, given: Circumstances, *, within_s: float = 0.0
) -> list[Added]:
    """Take in the first of a source's items, as many as can be within a time, one at least; return them in order.

    Each is stored as a new article, as the next version of a known one, or not at all. Raises `IntegrityError` when
    another worker stores the same item at the same moment: judge again, with theirs known.
    """
    end_s = time.monotonic() + within_s
    at = now(conn)
    taken: list[Added] = []
    together = len(items)
    while not taken or (len(taken) < len(items) and time.monotonic() < end_s):
        some = items[len(taken) : len(taken) + together]
        new = take_together(conn, some, source_id, given, at=at, end_s=end_s) if len(items) > 1 else []
        taken += new
        together *= 2
        if len(new) < len(some) and (not taken or time.monotonic() < end_s):
            taken.append(_take_one(conn, items[len(taken)], source_id, given, at=at))
            together = _AFRESH  # it may have changed what was asked of those after it; more of its kind may follow
    if any(one.is_new for one in taken):
        sources.change(conn, source_id, last_news_at=at)
    return taken


def _take_one(conn: Connection, one: Marked, source_id: SourceId, given: Circumstances, *, at: datetime) -> Added:
    told, article, print_, address = one.told, one.told.article, one.fingerprint, one.address
    seen, known = _recognise(conn, one, source_id, given)
    again = seen.known if seen.sight in {Sight.SAME, Sight.MOVED} else None
    found = []
    if not again:
        found = articles.copy_candidates(
            conn,
            bands=print_.bands,
            text_hash=print_.exact,
            canonical_url=address,
            since=at - COPY_WINDOW,
            limit=COPIES_COMPARED,
        )
    candidates = [had for had in found if had.id not in seen.apart]
    incoming = Incoming(article=article, fingerprint=print_)
    compared = (candidate_of(had, given.wordings) for had in candidates)
    decision = decide(incoming, again, compared, sight=seen.reason if again else "")
    row = told_row(one, given, at=at)
    if known and again:
        if seen.sight is Sight.MOVED:
            sightings.move(conn, known.id, item_key=told.key, guid=article.guid, reason=decision.reason)
        return _revise(conn, known, replace(decision, reason=said(decision.reason, *told.notes)), row, incoming)
    if seen.sight is Sight.REUSED and known:
        sightings.give_up_key(conn, known.id, told.key)
    key = spare_key(article) if seen.sight is Sight.BORROWED else told.key
    decision = replace(decision, reason=said(decision.reason, seen.reason, *told.notes))
    story_id = next((had.story_id for had in candidates if had.id == decision.copy_of), None)
    row |= {"story_id": story_id, "source_id": source_id, "item_key": key, "dated": told.is_dated}
    return _add(conn, decision, row, incoming, given, at=at)


def _recognise(
    conn: Connection, one: Marked, source_id: SourceId, given: Circumstances
) -> tuple[Sighting, StoredArticle | None]:
    """Tell which item of its source an article is, or whose key it bears, and return that as it is stored."""
    told, address, title = one.told, one.address, one.told.article.title
    by_key = articles.by_item_key(conn, source_id, told.key)
    is_beyond_doubt = by_key is not None and (by_key.canonical_url, by_key.title) == (address, title)
    here = [] if is_beyond_doubt else sightings.at_place(conn, source_id, canonical_url=address, title=title)
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
    # Asked again: an editor may have let the source go since its document was fetched.
    is_held = given.is_held and sources.is_held(conn, row["source_id"])
    article_id = articles.add_article(
        conn,
        bands=incoming.fingerprint.bands,
        at=at,
        version=first_change(incoming.article, decision),
        **row,
        **verdict(decision, may_alert=not (is_held or is_late(row, incoming.article, given, at=at))),
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

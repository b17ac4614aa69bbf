"""Turns what is stored into what is judged, and what was judged into what is stored.

Looks nothing up but whether a source is held. `run_taking`, `run_together` and whoever edits or reads pages call it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from worker.intake.age_gate import too_old_to_alert
from worker.intake.circumstances import Circumstances
from worker.intake.dating import is_of_unknown_age, published_at
from worker.intake.decide import Candidate, Decision, Known
from worker.intake.fingerprint import Fingerprint
from worker.intake.marks import Marked
from worker.intake.revisions import state_hash
from worker.intake.wordings import Wordings
from worker.model import ParsedArticle, Severity
from worker.store.articles import StoredArticle
from worker.store.versions import Change


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
        wording=wordings.of(stored, stored.text_hash),
    )


def told_row(one: Marked, given: Circumstances, *, at: datetime) -> dict[str, Any]:
    """Return the columns that an item of a document fills, whether it is new or another version."""
    article = one.told.article
    row = row_of(article, one.fingerprint, one.address, outlet=given.outlet, at=at)
    dated = published_at(article.published_at, first_seen_at=at, dating=given.dating)
    return row | {"told_hash": one.told.hash, "published_at": dated}


def verdict(decision: Decision, *, may_alert: bool) -> dict[str, Any]:
    """Return the columns in which a new article's judgement stands."""
    return {
        "may_alert": may_alert,
        "copy_of_id": decision.copy_of,
        "novelty": decision.novelty,
        "reason": decision.reason,
    }


def is_late(row: dict[str, Any], article: ParsedArticle, given: Circumstances, *, at: datetime) -> bool:
    """Tell whether a new article is, or may be, too old to alert; `row` is as `told_row` makes it."""
    is_old = too_old_to_alert(published_at=row["published_at"], first_seen_at=at, now=at, limit=given.age_limit)
    return is_old or is_of_unknown_age(article.published_at, given.dating, is_backlog=given.is_backlog)


def first_change(article: ParsedArticle, decision: Decision) -> Change:
    """Return what is noted of a new article's first version."""
    return Change(state_hash=state_hash(article), material=decision.material)


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

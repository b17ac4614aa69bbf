"""Takes in many new items of a document together: asks once for whatever they may be copies of, stores them at once.

Judges as `run_taking` does, item by item, each beside those before it. Stops before the first item that its source may
have told before, which is to be looked at by itself. Never opens a transaction. Called by `run_taking`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from worker.intake.circumstances import Added, Circumstances, said
from worker.intake.decide import Candidate, Decision, Incoming, decide
from worker.intake.marks import Marked, Marks
from worker.intake.nearest import Kin, Near
from worker.intake.run_rows import first_change, is_late, told_row, verdict
from worker.intake.wordings import Wordings
from worker.model import ArticleId, ParsedArticle, SourceId
from worker.sameness import COPIES_COMPARED, COPY_WINDOW
from worker.store import kin, new_articles, sources
from worker.store.kin import Brief
from worker.store.new_articles import NewArticle

_TEXTS_AT_ONCE: Final = 200
_USUAL_CHARS: Final = 50_000  # longer texts are read when they are compared, one by one


@dataclass(kw_only=True, slots=True)
class _Around:
    """What is stored around some items. `near`, of each: the nearest that may be what it is a copy of, the first first.

    `briefs` has all of these. `young` are those among the items themselves that have been judged, `told` their texts.
    """

    marks: Marks
    near: Sequence[Sequence[Near]]
    briefs: dict[ArticleId, Brief]
    young: Kin = field(default_factory=Kin)
    told: dict[ArticleId, ParsedArticle] = field(default_factory=dict)


def take_together(
    conn: Connection, items: Sequence[Marked], source_id: SourceId, given: Circumstances, *, at: datetime, end_s: float
) -> list[Added]:
    """Take in the first of a source's items, as new articles; may be none. Ends soon after `time.monotonic` is `end_s`.

    Raises `IntegrityError` when another worker stores the same item at the same moment.
    """
    around = _look(conn, items, source_id, given.wordings, since=at - COPY_WINDOW)
    # Asked again: an editor may have let the source go since its document was fetched.
    is_held = given.is_held and sources.is_held(conn, source_id)
    numbers, stories = new_articles.draw_articles(conn, len(items)), iter(new_articles.draw_stories(conn, len(items)))
    news: list[NewArticle] = []
    for place, (one, number) in enumerate(zip(items, numbers, strict=True)):
        if not around.marks.is_plainly_new(one):
            break
        decision = _judge(conn, one, around, place, given)
        article, key = one.told.article, one.told.key
        row = told_row(one, given, at=at) | {"source_id": source_id, "item_key": key, "dated": one.told.is_dated}
        row |= verdict(decision, may_alert=not (is_held or is_late(row, article, given, at=at)))
        original = around.briefs.get(decision.copy_of) if decision.copy_of else None
        new = NewArticle(
            id=number,
            story_id=original.story_id if original else next(stories),
            begins_story=original is None,
            row=row,
            bands=one.fingerprint.bands,
            version=first_change(article, decision),
        )
        news.append(new)
        _note(around, one, new)
        if time.monotonic() >= end_s:
            break
    new_articles.add(conn, news, at=at)
    return [_added(one) for one in news]


def _added(new: NewArticle) -> Added:
    return Added(id=new.id, status=new.row["novelty"], reason=new.row["reason"], stored=True, is_new=True)


def _judge(conn: Connection, one: Marked, around: _Around, place: int, given: Circumstances) -> Decision:
    young = around.young.nearest(one, COPIES_COMPARED)
    near = sorted([*around.near[place], *young])[:COPIES_COMPARED] if young else around.near[place]
    candidates = _candidates(conn, sorted(number for _, number in near), around, given.wordings)
    incoming = Incoming(
        article=one.told.article,
        fingerprint=one.fingerprint,
        wording=given.wordings.find(one.fingerprint.exact) if near else None,
    )
    decision = decide(incoming, None, candidates)
    return replace(decision, reason=said(decision.reason, *one.told.notes))


def _note(around: _Around, one: Marked, new: NewArticle) -> None:
    """Have an item that is about to be stored be there for those after it."""
    around.marks.add(one)
    around.young.add(one, new.id)
    around.told[new.id] = one.told.article
    around.briefs[new.id] = Brief(
        id=new.id,
        story_id=new.story_id,
        text_hash=one.fingerprint.exact,
        canonical_url=one.address,
        title=one.told.article.title,
        is_recent=True,
    )


def _look(
    conn: Connection, items: Sequence[Marked], source_id: SourceId, wordings: Wordings, *, since: datetime
) -> _Around:
    at_addresses = kin.at_addresses(conn, {one.address for one in items if one.address})
    marks = Marks(
        keys=kin.keys(conn, source_id, {one.told.key for one in items}),
        addresses=[address for _, theirs, address in at_addresses if theirs == source_id],
        titles=kin.untitled_places(conn, source_id, {one.told.article.title for one in items if not one.address}),
    )
    stored = Kin(
        bands=kin.of_bands(conn, {band for one in items for band in one.fingerprint.bands}),
        hashes=[(hash_, number) for number, hash_ in kin.of_hashes(conn, {one.fingerprint.exact for one in items})],
        addresses=[(address, number) for number, _, address in at_addresses],
    )
    near, briefs = _nearest(conn, items, stored, since=since)
    _learn(conn, [briefs[number] for number in {number for some in near for _, number in some}], wordings)
    return _Around(marks=marks, near=near, briefs=briefs)


def _nearest(
    conn: Connection, items: Sequence[Marked], stored: Kin, *, since: datetime
) -> tuple[list[list[Near]], dict[ArticleId, Brief]]:
    """Choose the nearest recent ones of each item's kin, at most `COPIES_COMPARED`, and return what they are."""
    briefs: dict[ArticleId, Brief] = {}
    chosen: list[list[Near]] = [[] for _ in items]
    asked, most = list(range(len(items))), COPIES_COMPARED
    while asked:
        near = {place: stored.nearest(items[place], most) for place in asked}
        missing = {number for some in near.values() for _, number in some} - briefs.keys()
        if missing:
            briefs |= {one.id: one for one in kin.briefs(conn, missing, since=since)}
        recent = {number for number, one in briefs.items() if one.is_recent}
        for place, some in near.items():
            chosen[place] = [one for one in some if one[1] in recent][:COPIES_COMPARED]
        asked = [place for place in asked if len(near[place]) == most and len(chosen[place]) < COPIES_COMPARED]
        most *= 4  # of an outlet that has used its boilerplate for years, thousands are too old
    return chosen, briefs


def _learn(conn: Connection, briefs: Collection[Brief], wordings: Wordings) -> None:
    """Have the wordings at hand of articles that items are compared with, as far as they are of a usual length."""
    unknown = wordings.unknown([one.text_hash for one in briefs])
    ids = sorted(one.id for one in briefs if one.text_hash in unknown)
    for start in range(0, len(ids), _TEXTS_AT_ONCE):
        for text in kin.texts(conn, ids[start : start + _TEXTS_AT_ONCE], most_chars=_USUAL_CHARS):
            wordings.learn(text)


def _candidates(
    conn: Connection, numbers: Sequence[ArticleId], around: _Around, wordings: Wordings
) -> Iterator[Candidate]:
    for number in numbers:
        brief = around.briefs[number]
        wording = wordings.find(brief.text_hash)
        if wording is None:
            text = around.told.get(number) or next(iter(kin.texts(conn, [number])), None)
            if text is None:  # deleted at this moment
                continue
            wording = wordings.learn(text)
        place = brief.canonical_url.partition("://")[2]
        yield Candidate(article_id=number, title=brief.title, place=place, wording=wording)

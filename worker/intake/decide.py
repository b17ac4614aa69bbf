"""Is this article new, an update, or a copy of what we have? The judgement and the sentence that explains it.

Pure: compares values that `run` has looked up; looks nothing up, stores nothing. Judges by what is told, never by when
we were told it; whether an article may still alert is `age_gate`'s question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from worker.intake.fingerprint import Fingerprint, Wording, compared, wording_of
from worker.intake.places import place
from worker.intake.thresholds import MATERIAL_JACCARD, MIN_TITLE_OVERLAP
from worker.intake.volatile import without_stamps
from worker.model import ArticleId, Novelty, ParsedArticle, Severity
from worker.sameness import MIN_EXACT_WORDS, MIN_WORDS
from worker.wording import Overlap, is_copy, overlap, shingles, words

COMPARED: Final = ("title", "summary", "body", "author", "section", "lang", "tags")
_URGENCY: Final = tuple(Severity)  # in rising order


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """The article at the door, validated, with its fingerprint; and its wording, where that is at hand."""

    article: ParsedArticle
    fingerprint: Fingerprint
    wording: Wording | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """An article that we have, in its latest revision."""

    article_id: ArticleId
    article: ParsedArticle


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An article that another one may be a copy of: all that is compared of it. `place` may be ""."""

    article_id: ArticleId
    title: str
    place: str
    wording: Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to make of it. `reason` is one plain sentence without its full stop.

    `same_as` is the article of which this is another sighting: of an update, the one to revise. `copy_of` is another
    article with the same wording. `material`: more than a touch-up; true of everything new, false of every duplicate.
    `changed` names the fields that an update changes.
    """

    novelty: Novelty
    reason: str
    material: bool
    same_as: ArticleId | None = None
    copy_of: ArticleId | None = None
    changed: tuple[str, ...] = ()


def decide(incoming: Incoming, known: Known | None, candidates: Iterable[Candidate], *, sight: str = "") -> Decision:
    """Judge an incoming article.

    `known` is the item of the same source that it is, and `sight` says why it is that. `candidates`, oldest first,
    share the exact hash, a band, or the canonical address; only those that hold up in full comparison count. A
    candidate never becomes an update: two items of one feed may share an address, and would then revise each other at
    every poll.
    """
    if known:
        return _another_sighting(incoming.article, known, sight or f"same item as article {known.article_id}")
    told, here = incoming.wording, place(incoming.article.url)
    for candidate in candidates:
        told = told or compared(wording_of(incoming.article))
        is_here = bool(here) and here == candidate.place and _is_titled_alike(incoming.article, candidate)
        reason = _why_copy(told, candidate, is_here=is_here)
        if reason:
            return Decision(novelty=Novelty.DUPLICATE, reason=reason, material=False, copy_of=candidate.article_id)
    return Decision(novelty=Novelty.NEW, reason="not seen before", material=True)


def _another_sighting(article: ParsedArticle, known: Known, same: str) -> Decision:
    changed = _changes(article, known.article)
    if not changed:
        return Decision(
            novelty=Novelty.DUPLICATE, reason=f"unchanged, {same}", material=False, same_as=known.article_id
        )
    if article.updated_at and known.article.updated_at and article.updated_at < known.article.updated_at:
        reason = f"{same}, in a version older than ours"
        return Decision(novelty=Novelty.DUPLICATE, reason=reason, material=False, same_as=known.article_id)
    return Decision(
        novelty=Novelty.UPDATE,
        reason=f"{same} with a changed {_listed(changed)}",
        material=_is_material(article, known.article),
        same_as=known.article_id,
        changed=tuple(changed),
    )


def _changes(article: ParsedArticle, ours: ParsedArticle) -> list[str]:
    """Name the parts that a reader would see changed.

    White space, the clock, counters of views and the order of tags do not count, nor does an urgency that falls: it is
    an editor's, and feeds know of none.
    """
    changed = [name for name in COMPARED if settled(name, article) != settled(name, ours)]
    if _is_more_urgent(article, ours):
        changed.append("severity")
    if place(article.url) != place(ours.url):
        changed.append("address")
    return changed


def settled(name: str, article: ParsedArticle) -> object:
    """Return a field as versions are compared by it.

    >>> article = ParsedArticle(title=" Storm  nears | 12 views", tags=("b", "a"))
    >>> settled("title", article), settled("tags", article)
    ('Storm nears |', ['a', 'b'])
    """
    value = getattr(article, name)
    return without_stamps(value) if isinstance(value, str) else sorted(value)


def _is_material(article: ParsedArticle, ours: ParsedArticle) -> bool:
    told, had = (words(without_stamps(f"{version.summary}\n{version.body}")) for version in (article, ours))
    reworded = told != had and overlap(shingles(told), shingles(had)).jaccard < MATERIAL_JACCARD
    title, our_title = (words(without_stamps(version.title)) for version in (article, ours))
    return _is_more_urgent(article, ours) or title != our_title or reworded


def _is_more_urgent(article: ParsedArticle, ours: ParsedArticle) -> bool:
    return _URGENCY.index(article.severity) > _URGENCY.index(ours.severity)


def _is_titled_alike(article: ParsedArticle, candidate: Candidate) -> bool:
    """Tell whether both, at one address, are one item; items that merely link to the same page have other titles."""
    title, our_title = set(words(article.title)), set(words(candidate.title))
    shorter = min(len(title), len(our_title))
    return title == our_title or (shorter > 0 and len(title & our_title) / shorter >= MIN_TITLE_OVERLAP)


def _why_copy(told: Wording, candidate: Candidate, *, is_here: bool) -> str:
    """Say why an article whose wording is `told` is a copy of the candidate; "" if it is none."""
    ours, had = candidate.article_id, candidate.wording
    if is_here:
        return f"same address and title as article {ours}"
    if told.exact == had.exact:
        return f"copy of article {ours}: word for word" if told.words >= MIN_EXACT_WORDS else ""
    if min(told.words, had.words) < MIN_WORDS:
        return ""
    shared = overlap(told.pieces, had.pieces)
    return f"copy of article {ours}: {_share(shared)}" if is_copy(shared) else ""


def _share(shared: Overlap) -> str:
    return f"{shared.containment:.0%} of its wording".replace("%", " %")


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last

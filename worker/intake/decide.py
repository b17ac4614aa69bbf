"""Is this article new, an update, or a copy of what we have? The judgement and the sentence that explains it.

Pure: compares values that `run` has looked up; looks nothing up, stores nothing. Judges by what is told, never by when
we were told it; whether an article may still alert is `age_gate`'s question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from worker.intake.canonical import canonical_url
from worker.intake.fingerprint import Fingerprint, fingerprint, wording_of
from worker.intake.thresholds import MATERIAL_JACCARD, MIN_TITLE_OVERLAP
from worker.model import ArticleId, Novelty, ParsedArticle, Severity
from worker.sameness import MIN_EXACT_WORDS, MIN_WORDS
from worker.wording import Overlap, is_copy, overlap, shingles, words

_COMPARED: Final = ("title", "summary", "body", "author", "section", "lang", "tags")
_URGENCY: Final = tuple(Severity)  # in rising order


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """The article at the door, validated, with its fingerprint."""

    article: ParsedArticle
    fingerprint: Fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """An article that we have, in its latest revision."""

    article_id: ArticleId
    article: ParsedArticle


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to make of it. `reason` is one plain sentence without its full stop.

    `same_as` is the article of which this is another sighting: of an update, the one to revise. `copy_of` is another
    article with the same wording. `material`: more than a touch-up; true of everything new, false of every duplicate.
    """

    novelty: Novelty
    reason: str
    material: bool
    same_as: ArticleId | None = None
    copy_of: ArticleId | None = None


def decide(incoming: Incoming, known: Known | None, candidates: Sequence[Known]) -> Decision:
    """Judge an incoming article.

    `known` is what the store has under the same source and item key. `candidates`, oldest first, share the exact hash,
    a band, or the canonical address; only those that hold up in full comparison count. A candidate never becomes an
    update: two items of one feed may share an address, and would then revise each other at every poll.
    """
    if known:
        return _another_sighting(incoming.article, known)
    for candidate in candidates:
        reason = _why_copy(incoming, candidate)
        if reason:
            return Decision(novelty=Novelty.DUPLICATE, reason=reason, material=False, copy_of=candidate.article_id)
    return Decision(novelty=Novelty.NEW, reason="not seen before", material=True)


def _another_sighting(article: ParsedArticle, known: Known) -> Decision:
    changed = _changes(article, known.article)
    same = f"same item as article {known.article_id}"
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
    )


def _changes(article: ParsedArticle, ours: ParsedArticle) -> list[str]:
    """Name the parts that a reader would see changed.

    White space and the clock do not count, nor does an urgency that falls: it is an editor's, and feeds know of none.
    """
    changed = [name for name in _COMPARED if _settled(getattr(article, name)) != _settled(getattr(ours, name))]
    if _is_more_urgent(article, ours):
        changed.append("severity")
    if canonical_url(article.url) != canonical_url(ours.url):
        changed.append("address")
    return changed


def _settled(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


def _is_material(article: ParsedArticle, ours: ParsedArticle) -> bool:
    told, had = (words(f"{version.summary}\n{version.body}") for version in (article, ours))
    reworded = told != had and overlap(shingles(told), shingles(had)).jaccard < MATERIAL_JACCARD
    return _is_more_urgent(article, ours) or words(article.title) != words(ours.title) or reworded


def _is_more_urgent(article: ParsedArticle, ours: ParsedArticle) -> bool:
    return _URGENCY.index(article.severity) > _URGENCY.index(ours.severity)


def _is_at_same_address(article: ParsedArticle, ours: ParsedArticle) -> bool:
    """Tell whether both are one item at one address; items that merely link to the same page have other titles."""
    address = canonical_url(article.url)
    if not address or address != canonical_url(ours.url):
        return False
    title, our_title = set(words(article.title)), set(words(ours.title))
    shorter = min(len(title), len(our_title))
    return title == our_title or (shorter > 0 and len(title & our_title) / shorter >= MIN_TITLE_OVERLAP)


def _why_copy(incoming: Incoming, candidate: Known) -> str:
    """Say why the incoming article is a copy of the candidate; "" if it is none."""
    ours = candidate.article_id
    if _is_at_same_address(incoming.article, candidate.article):
        return f"same address and title as article {ours}"
    told = wording_of(incoming.article)
    if incoming.fingerprint.exact == fingerprint(candidate.article).exact:
        return f"copy of article {ours}: word for word" if len(told) >= MIN_EXACT_WORDS else ""
    had = wording_of(candidate.article)
    if min(len(told), len(had)) < MIN_WORDS:
        return ""
    shared = overlap(shingles(told), shingles(had))
    return f"copy of article {ours}: {_share(shared)}" if is_copy(shared) else ""


def _share(shared: Overlap) -> str:
    return f"{shared.containment:.0%} of its wording".replace("%", " %")


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last

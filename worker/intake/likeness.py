"""Whether two tellings may be of one article, by their titles, wording, addresses and dates. Weaker than "a copy".

Pure. Judges pairs and looks nothing up; `sighting` draws the conclusions.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Final

from worker.intake.thresholds import ANOTHER_ISSUE, MIN_TOLD_WORDS, RELATED_TITLES, RELATED_WORDING
from worker.intake.volatile import without_stamps
from worker.model import ParsedArticle
from worker.wording import overlap, shingles, words

_LITTLE: Final = re.compile(r"[a-z]{1,3}")  # the, in, of: everybody's
_HANGUL: Final = re.compile(r"[가-힣]{2,}")
_STEM_CHARS: Final = 6  # summons and summoned, minister and ministers


def are_titles_related(one: str, other: str, *, least: float = RELATED_TITLES) -> bool:
    """Tell whether two headlines share enough of their telling words to be of one article: `least` of the shorter's.

    >>> are_titles_related("Ports agree on fees", "Ministers hail ports' agreement on fees")
    True
    >>> are_titles_related("Fire in the port of Marlow", "Talks in the city of Ostrau")
    False
    """
    first, second = _telling(one), _telling(other)
    shorter = min(len(first), len(second))
    return bool(shorter) and len(first & second) / shorter >= least


def is_wording_related(one: ParsedArticle, other: ParsedArticle, *, least: float = RELATED_WORDING) -> bool | None:
    """Tell whether summary and body are versions of one text; None where one of them is too short to say.

    They are when one has `least` of the other's wording.
    """
    first, second = (words(without_stamps(f"{text.summary}\n{text.body}")) for text in (one, other))
    if min(len(first), len(second)) < MIN_TOLD_WORDS:
        return None
    theirs, ours = shingles(first), shingles(second)
    return max(overlap(theirs, ours).containment, overlap(ours, theirs).containment) >= least


def newer_by(article: ParsedArticle, ours: ParsedArticle) -> timedelta | None:
    """Return by how much an article was published after ours; None where one of the dates is not told."""
    if article.published_at is None or ours.published_at is None:
        return None
    return article.published_at - ours.published_at


def is_another_issue(article: ParsedArticle, ours: ParsedArticle) -> bool:
    """Tell whether an article is a later edition of a page that keeps its title: other words, another day."""
    newer = newer_by(article, ours)
    return newer is not None and newer >= ANOTHER_ISSUE and is_wording_related(article, ours) is False


def _telling(title: str) -> set[str]:
    found = words(without_stamps(title))
    characters = {first + second for first, second in pairwise(found) if len(first) == len(second) == 1}
    long = {_stem(word) for word in found if len(word) > 1 and not _LITTLE.fullmatch(word)}
    return long | characters or set(found)


def _stem(word: str) -> str:
    return word[:2] if _HANGUL.fullmatch(word) else word[:_STEM_CHARS]

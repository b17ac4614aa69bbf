"""What a query would have found in the past, told to an editor: the answer's shape, and what follows from the findings.

Decides how many stories count, which of them are read when there are too many to read, what is said of a query that is
too broad or finds nothing. Pure; `run_backtest` reads the articles, the command and the API show the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.matching.analyser import AnalysedArticle
from worker.matching.canonical import canonical
from worker.matching.evidence import Span
from worker.matching.mails import Day, Found, Mails, Period, by_day, mails
from worker.matching.tree import And, Node, Not, Or
from worker.model import Field

MAX_DAYS: Final = 366
BROAD: Final = 0.1
"""From this share of all stories on, a query is said to be broad."""

NOTES: Final = (
    "stories that were killed are left out, and a story in several outlets counts once",
    "the age gate is not applied: what was old when it came in counts too",
)
_EXCERPT_CHARS: Final = 240
_LEAD_CHARS: Final = 80  # of an excerpt, before the first word that is marked
_MAX_PARTS: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """A piece of an article. `highlights` are [start, end) in code points of `text`, ascending; there may be none."""

    field: str
    text: str
    highlights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A story that would have been told, by its newest article that matches. The title comes first in `excerpts`."""

    story: int
    article: int
    title: str
    outlet: str
    url: str
    lang: str
    published_at: datetime
    words: tuple[str, ...]
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a query that found nothing, and how many stories it finds alone; `excluded` stands behind NOT."""

    part: str
    stories: int
    estimated: bool
    excluded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Backtest:
    """The answer. Where `estimated`, `stories` is right to within `margin` in 19 cases of 20; all else follows it."""

    query: str
    canonical: str
    days: int
    since: datetime
    until: datetime
    timezone: str
    stories: int
    estimated: bool
    margin: int
    share: float
    all_stories: int
    all_articles: int
    articles_read: int
    per_day: tuple[Day, ...]
    busiest_day: Day | None
    cadences: tuple[Mails, ...]
    samples: tuple[Sample, ...]
    parts: tuple[Part, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = NOTES


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How many stories match: those that certainly do, and the expected share of those whose text nobody read."""

    found: Found
    read: int  # stories whose text had to be read, and was
    unread: int  # stories whose text should have been, and was not
    hits: int  # of those read

    @property
    def stories(self) -> int:
        """Return the best single number."""
        return round(float(self.found.chance.sum()))

    @property
    def margin(self) -> int:
        """Return how far off the number may be: two standard errors of a sample from a finite number of stories."""
        if not self.unread or not self.read:
            return self.unread
        share = self.hits / self.read
        spread = max(share * (1 - share), 1 / self.read)  # all or none of a sample do not prove all or none
        return int(np.ceil(2 * self.unread * np.sqrt(spread / self.read)))


def evenly(count: int) -> NDArray[np.int64]:
    """Return 0 to count - 1 in an order of which every beginning is spread over the whole (bits in reverse).

    >>> evenly(8).tolist()
    [0, 4, 2, 6, 1, 5, 3, 7]
    """
    places = np.arange(count, dtype=np.int64)
    reverse = np.zeros(count, dtype=np.int64)
    for bit in range(max(count - 1, 1).bit_length()):
        reverse = (reverse << 1) | ((places >> bit) & 1)
    return np.argsort(reverse, kind="stable")


def parts_of(node: Node) -> Iterator[tuple[Node, bool]]:
    """Take a query apart into what an editor may try alone, with whether it stands behind a NOT."""
    top = node.children if isinstance(node, And | Or) else ()
    for child in top[:_MAX_PARTS]:
        yield (child.child, True) if isinstance(child, Not) else (child, False)


def warnings(*, share: float, stories: int, all_stories: int, parts: Sequence[Part]) -> Iterator[str]:
    """Say what an editor should know before saving the query."""
    if share >= BROAD:
        yield f"this query is broad: it would have matched {share:.0%} of all stories"
    if not all_stories:
        yield "no story was stored in these days, so nothing can be said"
    elif not stories:
        yield "nothing would have matched"
        missing = [part.part for part in parts if not part.stories and not part.excluded]
        if missing:
            yield f"no story has {' nor '.join(missing)}"
        elif parts:
            yield "each part is found alone, but never all as the query wants them"


def answer(
    *,
    query: str,
    node: Node,
    days: int,
    period: Period,
    count: Count,
    all_stories: int,
    all_articles: int,
    articles_read: int,
    samples: tuple[Sample, ...],
    parts: tuple[Part, ...],
) -> Backtest:
    """Put the answer together."""
    per_day = by_day(count.found, period)
    share = count.stories / all_stories if all_stories else 0.0
    told = warnings(share=share, stories=count.stories, all_stories=all_stories, parts=parts)
    return Backtest(
        query=query,
        canonical=canonical(node),
        days=days,
        since=period.since,
        until=period.until,
        timezone=period.timezone,
        stories=count.stories,
        estimated=count.unread > 0,
        margin=count.margin,
        share=round(share, 6),
        all_stories=all_stories,
        all_articles=all_articles,
        articles_read=articles_read,
        per_day=per_day,
        busiest_day=max(per_day, key=lambda day: day.stories) if count.stories else None,
        cadences=mails(count.found, period),
        samples=samples,
        parts=parts,
        warnings=tuple(told),
    )


def excerpts(article: AnalysedArticle, spans: Sequence[Span]) -> Iterator[Excerpt]:
    """Quote an article where a query found something: its title, and the first place of each other field."""
    by_field: dict[Field, list[tuple[int, int]]] = {}
    for span in spans:
        by_field.setdefault(span.field, []).append((span.start, span.end))
    for field in dict.fromkeys([Field.TITLE, *by_field]):
        if known := article.fields.get(field):
            yield _excerpt(field, known.text, by_field.get(field, []))


def _excerpt(field: Field, text: str, places: Sequence[tuple[int, int]]) -> Excerpt:
    """Cut out what surrounds the first place; overlapping places become one."""
    first = min(places, default=(0, 0))[0]
    start = _word_begins(text, max(first - _LEAD_CHARS, 0)) if len(text) > _EXCERPT_CHARS else 0
    piece = text[start : start + _EXCERPT_CHARS]
    lead, trail = "… " * (start > 0), " …" * (start + _EXCERPT_CHARS < len(text))
    marked: list[tuple[int, int]] = []
    for begin, end in sorted(places):
        if end - start > len(piece):
            continue
        shown = (begin - start + len(lead), end - start + len(lead))
        if marked and shown[0] < marked[-1][1]:
            marked[-1] = (marked[-1][0], max(shown[1], marked[-1][1]))
        else:
            marked.append(shown)
    return Excerpt(field=str(field), text=f"{lead}{piece}{trail}", highlights=tuple(marked))


def _word_begins(text: str, at: int) -> int:
    """Return the first word's beginning from `at` on, or `at` where none is near."""
    blank = text.find(" ", at, at + _LEAD_CHARS // 2) if at else -1
    return blank + 1 or at

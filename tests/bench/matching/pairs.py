"""Taking turns: ours, theirs, ours, theirs, over the same articles, and what comes of it.

Decides how long a turn is and that the figure is the median of the pairs' ratios. Both sides answer `run FIRST END`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from tests.bench.matching.side import Side

_TURN_S: Final = 1.5
WARM_UP_S: Final = 10.0  # the peer's compiler goes on for about so long
_LEAD_IN: Final = 10  # articles before each turn, untimed: the other side has just had the processor's caches
_COMPARED: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """How long an article takes on both sides, in seconds; the peer's figures are `None` where there is none."""

    ours_s: float
    peer_s: float | None
    ratio: float | None
    ratios: tuple[float, ...]
    matches: float
    candidates: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Whether both sides found the same: articles asked, matches of ours, and what only one side found."""

    articles: int
    matches: int
    only_ours: tuple[tuple[int, int], ...]
    only_theirs: tuple[tuple[int, int], ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether all match sets are identical."""
        return not self.only_ours and not self.only_theirs


def compare(ours: Side, peer: Side, articles: int) -> Agreement:
    """Ask both sides for the whole match sets of the first articles."""
    asked = min(_COMPARED, articles)
    our_sets, their_sets = (_pairs(side.ask("sets", 0, asked)["sets"]) for side in (ours, peer))
    return Agreement(
        articles=asked,
        matches=len(our_sets),
        only_ours=tuple(sorted(our_sets - their_sets)),
        only_theirs=tuple(sorted(their_sets - our_sets)),
    )


def take_turns(ours: Side, peer: Side | None, *, articles: int, pairs: int, warm_up_s: float = WARM_UP_S) -> Speed:
    """Measure both sides in turn, after warming them up."""
    ours.ask("run", 0, articles // 5)
    size = _warm_up(peer, articles, warm_up_s) if peer else articles // 3
    our_s: list[float] = []
    their_s: list[float] = []
    matches = candidates = 0.0
    for first in _starts(size, articles, pairs):
        answer = _turn(ours, first, size)
        our_s.append(answer["seconds"] / size)
        matches += answer["matches"]
        if peer:
            answer = _turn(peer, first, size)
            their_s.append(answer["seconds"] / size)
            candidates += answer.get("candidates", 0)
    ratios = tuple(theirs / one for one, theirs in zip(our_s, their_s, strict=bool(peer)))
    return Speed(
        ours_s=median(our_s),
        peer_s=median(their_s) if peer else None,
        ratio=median(ratios) if peer else None,
        ratios=ratios,
        matches=matches / size / pairs,
        candidates=candidates / size / pairs if peer else None,
    )


def _warm_up(peer: Side, articles: int, seconds: float) -> int:
    """Let the peer run, and return how many articles make a turn of its."""
    spent, size = 0.0, min(20, articles)
    per_article_s = 1.0
    while spent < seconds:
        answer = peer.ask("run", 0, size)
        spent += answer["seconds"]
        per_article_s = answer["seconds"] / size
        size = max(10, min(articles // 3, round(_TURN_S / per_article_s)))
    return size


def _starts(size: int, articles: int, pairs: int) -> Iterator[int]:
    """Yield where each pair's articles begin: other ones in each pair, for as long as there are."""
    last = articles - size
    return ((_LEAD_IN + pair * size) % last if last else 0 for pair in range(pairs))


def _turn(side: Side, first: int, size: int) -> dict[str, float]:
    side.ask("run", max(0, first - _LEAD_IN), first)
    return side.ask("run", first, first + size)


def _pairs(sets: list[list[int]]) -> set[tuple[int, int]]:
    return {(article, query) for article, found in enumerate(sets) for query in found}

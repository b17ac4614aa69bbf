"""Which of a source's articles its unknown items are, after all its GUIDs or its host have changed at once.

Pure. `run_rekeying` looks the articles up, and moves their keys in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from worker.intake.decide import Known
from worker.intake.places import place
from worker.intake.sighting import is_moved_along, is_seen_again
from worker.intake.told import Told
from worker.model import ArticleId


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """That a known article goes by another key, and perhaps stands at another address, from now on."""

    article_id: ArticleId
    told: Told
    reason: str


def moves(unknown: Sequence[Told], had: Sequence[Known], *, present: Collection[ArticleId] = ()) -> list[Move]:
    """Find the known articles among a document's unknown items; of each, one item at most.

    `had` are articles of the source that have an address or a title in common with an item, the newest first. Those
    that the document tells under keys of their own are `present`, and not looked for.
    """
    free = {one.article_id: one for one in had if one.article_id not in present}
    found = []
    for told in unknown:
        known = _known(told, list(free.values()))
        if known is not None:
            del free[known.article_id]
            found.append(Move(article_id=known.article_id, told=told, reason=_why(told, known)))
    return found


def _known(told: Told, had: Sequence[Known]) -> Known | None:
    for is_ours in (is_seen_again, is_moved_along):
        if found := [one for one in had if is_ours(told.article, one.article)]:
            return found[0]
    return None


def _why(told: Told, known: Known) -> str:
    if place(told.article.url) == place(known.article.url):
        return f"same address as article {known.article_id}: its feed has changed all GUIDs at once"
    return f"same title as article {known.article_id}: its feed has moved to other addresses"

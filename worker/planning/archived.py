"""Decides how an issue of the archive is told today: what was sent, without what was stopped, with what was corrected.

Every story keeps its place, so that the numbers are those of the mail. Pure; `run_archive` reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.content import NewsletterContent, StoryCard
from worker.facts import Mending, Telling
from worker.model import StoryId
from worker.planning.recarding import corrected


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One story of an issue. Without a `card` it is told no more; `mended` says when and why it was put right."""

    card: StoryCard | None
    remark: str = ""
    mended: tuple[tuple[datetime, str], ...] = ()
    is_retracted: bool = False


def as_it_stands(
    content: NewsletterContent,
    *,
    stopped: Collection[int],
    mendings: Sequence[Mending],
    tellings: Mapping[StoryId, Sequence[Telling]],
) -> tuple[Place, ...]:
    """Tell an issue today. `mendings` are in order, `tellings` what stories are told by now."""
    remarks = dict(content.notes)
    return tuple(
        _place(
            card,
            remarks.get(card.story_id, ""),
            is_stopped=card.story_id in stopped,
            mendings=[
                one for one in mendings if one.article_id == card.article_id and card.revision <= one.faulty_upto
            ],
            told=tellings.get(StoryId(card.story_id), ()),
        )
        for card in content.cards
    )


def _place(
    card: StoryCard, remark: str, *, is_stopped: bool, mendings: Sequence[Mending], told: Sequence[Telling]
) -> Place:
    notes = tuple((one.at, one.note) for one in mendings)
    if any(one.retracts for one in mendings):
        return Place(card=None, mended=notes, is_retracted=True)
    if is_stopped:
        return Place(card=None)  # not even what was wrong in it: that would tell what it was
    if not mendings:
        return Place(card=card, remark=remark)
    now = next((one for one in told if one.article_id == card.article_id), None)
    return Place(card=corrected(card, now), remark=remark, mended=notes) if now else Place(card=None)

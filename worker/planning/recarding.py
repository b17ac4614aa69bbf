"""Decides how an unsent card is told after a correction: the same story to the same reader, in the article's new words.

Pure. `run_corrections` puts the cards in the place of the faulty ones.
"""

from __future__ import annotations

import re

from worker.content import AnyContent, CardKey, Reason, StoryCard
from worker.facts import Telling
from worker.planning.cards import image_of, snippet


def recarded_in(
    content: AnyContent, telling: Telling | None, *, article_id: int, upto: int
) -> dict[CardKey, StoryCard | None]:
    """Return what stands in the place of a content's faulty cards; None for one that is told no more."""
    return {
        card.digest(): corrected(card, telling) if telling else None
        for card in content.all_cards()
        if card.article_id == article_id and card.revision <= upto
    }


def corrected(card: StoryCard, telling: Telling) -> StoryCard:
    """Tell a card in the article's present words.

    Its reasons stay, with those of their words that the new text still says; they are marked where it says them.
    """
    summary = snippet(telling)
    text = "\n".join((telling.title, telling.summary, telling.body)).casefold()
    reasons = tuple(
        Reason(topic=one.topic, slug=one.slug, words=tuple(word for word in one.words if word.casefold() in text))
        for one in card.reasons
    )
    return card.model_copy(
        update={
            "revision": telling.revision,
            "title": telling.title or summary[:80],
            "summary": summary,
            "url": telling.url,
            "source": telling.outlet,
            "lang": telling.lang,
            "author": telling.author,
            "section": telling.section,
            "published_at": telling.published_at,
            "highlights": _marked(summary, reasons),
            "reasons": reasons,
            "image": image_of(telling),
        }
    )


def as_sent_anew(telling: Telling) -> StoryCard:
    """Tell the article for a mail about its correction, which everybody shares: no topics, no marks."""
    blank = StoryCard(
        story_id=telling.story_id,
        article_id=telling.article_id,
        revision=telling.revision,
        title=telling.title,
        summary="",
        url=telling.url,
        source=telling.outlet,
        published_at=telling.published_at,
        reasons=(),
    )
    return corrected(blank, telling)


def _marked(summary: str, reasons: tuple[Reason, ...]) -> tuple[tuple[int, int], ...]:
    """Return where the words stand in the summary, in order; overlapping ones are one."""
    words = sorted({word for reason in reasons for word in reason.words}, key=lambda word: (-len(word), word))
    if not words:
        return ()
    return tuple(found.span() for found in re.finditer("|".join(map(re.escape, words)), summary))

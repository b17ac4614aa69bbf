"""How contents are kept and read back, and what becomes of one when a story's card changes or goes.

A frozen content names its cards by number, so that what 200,000 contents share is kept once. One that has its cards in
it is read all the same. Pure. Planning and the store freeze, `letters` and withdrawals thaw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter

from worker.content.cards import Section, StoryCard
from worker.content.contents import (
    AlertContent,
    AnyContent,
    Content,
    CorrectionContent,
    DigestContent,
    NewsletterContent,
    RollingContent,
)

CardKey = str
"""A card's `digest()`."""

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ADAPTER: TypeAdapter[AnyContent] = TypeAdapter(Content)


def freeze(content: AnyContent, numbers: Mapping[CardKey, int]) -> str:
    """Return a content as JSON with the numbers of its cards in their place. Raises `KeyError` for a card without one.

    Its `hash_of` is what equal contents share: numbers never change meaning.

    >>> from worker.content import ConfirmationContent
    >>> freeze(ConfirmationContent(locale="en", topics=("Oman",)), {})
    '{"locale":"en","personal_to":null,"kind":"confirmation","topics":["Oman"]}'
    """
    wanted = iter([numbers[card.digest()] for card in content.all_cards()])
    shell = content.model_dump(mode="json")
    _with_cards(shell, lambda _: next(wanted))
    return _ENCODE(shell)


def frozen_digest(
    *,
    locale: str,
    personal_to: int | None,
    day: date,
    sections: Sequence[tuple[str, str | None, Sequence[int], Sequence[int]]],
    away: bool,
) -> str:
    """Return what `freeze` makes of a digest, of its parts: a run has hundreds of thousands.

    Sections are topic, slug, numbers of the cards, and the stories left out.

    >>> frozen_digest(locale="en", personal_to=None, day=date(2026, 11, 23), sections=[("Oman", "oman", [3], [])],
    ...               away=False)[:61]
    '{"locale":"en","personal_to":null,"kind":"digest","day":"2026'
    """
    shell = {
        "locale": locale,
        "personal_to": personal_to,
        "kind": "digest",
        "day": day.isoformat(),
        "sections": [
            {"topic": topic, "slug": slug, "cards": cards, "left_out": left_out}
            for topic, slug, cards, left_out in sections
        ],
        "away": away,
    }
    return _ENCODE(shell)


def thaw(frozen: str | bytes, cards: Mapping[int, StoryCard] | None = None) -> AnyContent:
    """Read a content back, with its cards by number. Raises `ValueError` for what is none, or misses a card.

    A content that has its cards in it, as `model_dump_json` makes it, needs no `cards`.
    """
    if cards is None:
        return _ADAPTER.validate_json(frozen)
    shell = json.loads(frozen)
    _with_cards(shell, lambda card: cards.get(card, card) if isinstance(card, int) else card)
    return _ADAPTER.validate_python(shell)


def card_numbers(frozen: str | bytes) -> tuple[int, ...]:
    """Return the numbers of the cards that a frozen content names, in order; none when it has its cards in it."""
    numbers: list[int] = []

    def note(card: Any) -> Any:  # noqa: ANN401  plain JSON
        if isinstance(card, int):
            numbers.append(card)
        return card

    _with_cards(json.loads(frozen), note)
    return tuple(numbers)


def left_out_of(frozen: str | bytes, story_id: int) -> tuple[str, ...]:
    """Return the topics under which a frozen content had no room for a story; none for a content without sections.

    >>> left_out_of('{"sections":[{"topic":"Oman","left_out":[7]},{"topic":"Iran","left_out":[]}]}', 7)
    ('Oman',)
    """
    shell = json.loads(frozen) if frozen else {}
    return tuple(part["topic"] for part in shell.get("sections", ()) if story_id in part.get("left_out", ()))


def recarded(content: AnyContent, new: Mapping[CardKey, StoryCard | None]) -> AnyContent | None:
    """Put other cards in the place of some, or take them out (None); None when the content has nothing left to tell.

    What has none of them is returned as it is.
    """
    if not any(card.digest() in new for card in content.all_cards()):
        return content
    match content:
        case AlertContent():
            card = new[content.card.digest()]
            return content.model_copy(update={"card": card}) if card else None
        case CorrectionContent() if content.card:
            card = new[content.card.digest()]
            return content.model_copy(update={"card": card}) if card else None
        case DigestContent() | RollingContent():
            sections = tuple(left for section in content.sections if (left := _section(section, new)))
            return content.model_copy(update={"sections": sections}) if sections else None
        case NewsletterContent():
            cards = _cards(content.cards, new)
            shown = {card.story_id for card in cards}
            notes = tuple(note for note in content.notes if note[0] in shown)
            return content.model_copy(update={"cards": cards, "notes": notes}) if cards else None
    return content


def without(content: AnyContent, stories: Collection[int]) -> AnyContent | None:
    """Take stories out of a content; None when it has nothing left to tell.

    >>> from worker.content import ConfirmationContent
    >>> question = ConfirmationContent(locale="en", topics=("Oman",))
    >>> without(question, {7}) is question
    True
    """
    return recarded(content, {card.digest(): None for card in content.all_cards() if card.story_id in stories})


def _section(section: Section, new: Mapping[CardKey, StoryCard | None]) -> Section | None:
    cards = _cards(section.cards, new)
    return section.model_copy(update={"cards": cards}) if cards else None


def _cards(cards: tuple[StoryCard, ...], new: Mapping[CardKey, StoryCard | None]) -> tuple[StoryCard, ...]:
    replaced = (new.get(card.digest(), card) for card in cards)
    return tuple(card for card in replaced if card)


def _with_cards(shell: Any, change: Callable[[Any], Any]) -> None:  # noqa: ANN401  plain JSON, of whatever shape
    """Change every card of a content that was read as plain JSON, in `all_cards`' order."""
    if not isinstance(shell, dict):
        return
    if shell.get("card") is not None:
        shell["card"] = change(shell["card"])
    for holder in (shell, *shell.get("sections", ())):
        if "cards" in holder:
            holder["cards"] = [change(card) for card in holder["cards"]]

"""What a template shows of an issue of a newsletter: its editor's words, and its stories by number.

Knows no markup and no escaping. Pure. `view` makes the views of all kinds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from worker.content import NewsletterContent
from worker.rendering.cards import SUBJECT_TITLE_CHARS, CardView, Tell, name
from worker.rendering.language import Language
from worker.rendering.prose import one_line, shorten

_NOTE_CHARS = 2_000  # of an issue's note, a paragraph
_REMARK_CHARS = 600
_PARAGRAPHS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemView:
    """One story, and an editor's words on it, which may be empty."""

    card: CardView
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsletterView:
    """An issue. `subject` is an editor's, or empty; `note` has paragraphs, `more` counts stories left for the web."""

    name: str
    day: str
    sender: str
    subject: str
    note: tuple[str, ...]
    lead: CardView
    items: tuple[ItemView, ...]
    more: int
    why: str


def newsletter_view(content: NewsletterContent, language: Language, tell: Tell, *, kept: int | None) -> NewsletterView:
    """Make the view of an issue, of which `kept` stories are shown; None: all."""
    notes = dict(content.notes)
    items = tuple(
        ItemView(card=tell(card), note=shorten(one_line(notes.get(card.story_id, "")), _REMARK_CHARS))
        for card in content.cards
    )
    called = name(content.name)
    sentence = language.gettext("You get this because you follow %(topics)s.")
    return NewsletterView(
        name=called,
        day=language.day(content.day),
        sender=name(content.sender_name),
        subject=shorten(one_line(content.subject), 2 * SUBJECT_TITLE_CHARS),
        note=paragraphs(content.note),
        lead=items[0].card,
        items=items[:kept],
        more=0 if kept is None else len(items) - len(items[:kept]),
        why=sentence % {"topics": called},
    )


def paragraphs(text: str) -> tuple[str, ...]:
    r"""Take an editor's words apart at empty lines; each paragraph is one clean line.

    >>> paragraphs("Good morning.\n\n  Two lines\nof one.\n\n\n")
    ('Good morning.', 'Two lines of one.')
    """
    lines = (one_line(part) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return tuple(shorten(line, _NOTE_CHARS) for line in lines if line)[:_PARAGRAPHS]

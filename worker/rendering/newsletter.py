"""What a template shows of an issue of a newsletter: its editor's words, and its stories by number.

Knows no markup and no escaping. Pure. `view` makes the views of all kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

from worker.content import NewsletterContent
from worker.rendering.cards import SUBJECT_TITLE_CHARS, CardView, Tell, name, note
from worker.rendering.language import Language
from worker.rendering.markdown import words_of
from worker.rendering.prose import one_line, shorten
from worker.rendering.words import Words

_NOTE_CHARS = 16_000  # above all stories


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemView:
    """One story, and an editor's words on it, which may be empty."""

    card: CardView
    note: Words


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsletterView:
    """An issue. `subject` is an editor's, or empty; `more` counts stories left for the web."""

    name: str
    day: str
    sender: str
    subject: str
    note: Words
    lead: CardView
    items: tuple[ItemView, ...]
    more: int
    why: str


def newsletter_view(content: NewsletterContent, language: Language, tell: Tell, *, kept: int | None) -> NewsletterView:
    """Make the view of an issue, of which `kept` stories are shown; None: all."""
    notes = dict(content.notes)
    items = tuple(ItemView(card=tell(card), note=note(notes.get(card.story_id, ""))) for card in content.cards)
    called = name(content.name)
    sentence = language.gettext("You get this because you follow %(topics)s.")
    return NewsletterView(
        name=called,
        day=language.day(content.day),
        sender=name(content.sender_name),
        subject=shorten(one_line(content.subject), 2 * SUBJECT_TITLE_CHARS),
        note=issue_note(content.note),
        lead=items[0].card,
        items=items[:kept],
        more=0 if kept is None else len(items) - len(items[:kept]),
        why=sentence % {"topics": called},
    )


def issue_note(text: str) -> Words:
    r"""Read an editor's words above all stories.

    >>> [block.kind for block in issue_note("Good morning.\n\n  Two lines\nof one.\n\n\n").blocks]
    ['paragraph', 'paragraph']
    """
    return words_of(text, limit_chars=_NOTE_CHARS)

"""What a mail says: one frozen value a kind of mail, that planning decides and rendering compiles once for all readers.

Holds no personal data but a reader's own query, and then `personal_to` makes sure that nobody shares the content.
Decides nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from worker.content.cards import Frozen, Section, StoryCard
from worker.content.choices import Choices
from worker.content.hashing import hash_of
from worker.model import EditionKind, LetterKind, Severity


class _Content(Frozen):
    locale: str
    personal_to: int | None = None  # a subscriber id, when the content quotes that reader's own query

    def digest(self) -> str:
        """Return the hash of the content with its cards in it: equal contents have an equal one. 64 hex digits."""
        return hash_of(self.model_dump_json())

    def all_cards(self) -> tuple[StoryCard, ...]:
        """Return the cards shown, in order."""
        return ()

    def stories(self) -> tuple[int, ...]:
        """Return the ids of the stories shown, in the order in which the mail shows them."""
        return tuple(card.story_id for card in self.all_cards())


class AlertContent(_Content):
    """An immediate alert: one story, with everything the reader follows that it concerns."""

    kind: Literal["alert"] = "alert"
    severity: Severity = Severity.NORMAL
    card: StoryCard
    threaded: bool = False  # each copy answers the mail that showed the story before

    def all_cards(self) -> tuple[StoryCard, ...]:
        """Return the one card."""
        return (self.card,)


class DigestContent(_Content):
    """A scheduled digest: a section a topic, each story once. `away`: the best of what a pause has missed."""

    kind: Literal["digest"] = "digest"
    day: date  # in the reader's zone
    sections: tuple[Section, ...]
    away: bool = False

    def all_cards(self) -> tuple[StoryCard, ...]:
        """Return the cards of all sections."""
        return tuple(card for section in self.sections for card in section.cards)


class RollingContent(_Content):
    """The summary of a burst: what would otherwise have been an alert a story."""

    kind: Literal["rolling"] = "rolling"
    since: datetime
    until: datetime
    sections: tuple[Section, ...]

    def all_cards(self) -> tuple[StoryCard, ...]:
        """Return the cards of all sections."""
        return tuple(card for section in self.sections for card in section.cards)


class NewsletterContent(_Content):
    """An issue of an editorial newsletter: stories in one order, with an editor's words."""

    kind: Literal["newsletter"] = "newsletter"
    slug: str
    name: str
    day: date  # in the zone that the issue goes by
    sender_name: str
    sender_address: str
    subject: str = ""  # an editor's; "" makes one of the stories
    note: str = ""  # above all stories
    cards: tuple[StoryCard, ...]
    notes: tuple[tuple[int, str], ...] = ()  # an editor's words on a story, by its id; no story twice

    def all_cards(self) -> tuple[StoryCard, ...]:
        """Return the cards."""
        return self.cards


class CorrectionContent(_Content):
    """What was wrong in a story that the reader was sent; `card` tells it as it is now, none after a retraction."""

    kind: Literal["correction"] = "correction"
    retracted: bool
    title: str  # as it was sent
    note: str
    card: StoryCard | None = None

    def all_cards(self) -> tuple[StoryCard, ...]:
        """Return the card, if there is one."""
        return (self.card,) if self.card else ()


class ConfirmationContent(_Content):
    """The question whether the owner of an address asked for this: the double opt-in's first half."""

    kind: Literal["confirmation"] = "confirmation"
    topics: tuple[str, ...]  # names in the reader's language; may be empty


class LetterContent(_Content):
    """A letter about a reader's own business. It may go to another's address, and so tells nothing of the reader."""

    kind: Literal["system"] = "system"
    about: LetterKind
    letter: int  # its number, which the link carries


class WelcomeContent(_Content):
    """The first letter after a reader's yes: what they follow, and when it comes."""

    kind: Literal["welcome"] = "welcome"
    choices: Choices


class ChangedContent(_Content):
    """What somebody who holds a link of the reader's mail has changed; in the language that the reader had before."""

    kind: Literal["changed"] = "changed"
    before: Choices
    now: Choices


class GoodbyeContent(_Content):
    """The last letter, to who has left: that it is done. It is the same for all."""

    kind: Literal["goodbye"] = "goodbye"


AnyContent = (
    AlertContent
    | DigestContent
    | RollingContent
    | NewsletterContent
    | CorrectionContent
    | ConfirmationContent
    | LetterContent
    | WelcomeContent
    | ChangedContent
    | GoodbyeContent
)
Content = Annotated[AnyContent, Field(discriminator="kind")]


def edition_kind_of(content: AnyContent) -> EditionKind:
    """Return the kind of edition that a content goes in: all letters about a reader's own business go in one.

    >>> edition_kind_of(GoodbyeContent(locale="en"))
    <EditionKind.SYSTEM: 'system'>
    """
    letters = (LetterContent, WelcomeContent, ChangedContent, GoodbyeContent)
    return EditionKind.SYSTEM if isinstance(content, letters) else EditionKind(content.kind)

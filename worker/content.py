"""What a mail says, frozen: the value that planning decides, the store keeps (interned by hash) and rendering reads.

Holds no personal data but a reader's own query, and then `personal_to` makes sure that nobody shares the content.
Decides nothing. Planning makes contents, `store.editions` interns them, rendering compiles them once for all readers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from worker.model import Severity


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(_Frozen):
    """Why a story is in the mail: the topic's name (in the reader's language) and the words that made it match."""

    topic: str
    slug: str | None = None  # None for a reader's own query
    words: tuple[str, ...] = ()  # as they stand in the article, unique, in order of appearance


class StoryCard(_Frozen):
    """One story as a mail shows it. Text is plain; `highlights` are (start, end) code points into `summary`."""

    story_id: int
    article_id: int
    revision: int
    title: str
    summary: str
    url: str
    source: str
    lang: str = ""
    author: str = ""
    section: str = ""
    published_at: datetime
    also_in: tuple[str, ...] = ()  # names of other outlets that carry the same copy
    highlights: tuple[tuple[int, int], ...] = ()
    reasons: tuple[Reason, ...]


class Section(_Frozen):
    """A digest's part for one topic; never empty."""

    topic: str
    slug: str | None = None
    cards: tuple[StoryCard, ...]


class _Content(_Frozen):
    locale: str
    personal_to: int | None = None  # a subscriber id, when the content quotes that reader's own query

    def digest(self) -> str:
        """Return the hash under which equal contents are interned: 64 hex digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def stories(self) -> tuple[int, ...]:
        """Return the ids of the stories shown, each once, in order."""
        return ()


class AlertContent(_Content):
    """An immediate alert: one story, with everything the reader follows that it concerns."""

    kind: Literal["alert"] = "alert"
    severity: Severity = Severity.NORMAL
    card: StoryCard

    def stories(self) -> tuple[int, ...]:
        """Return the one story's id."""
        return (self.card.story_id,)


class DigestContent(_Content):
    """A scheduled digest: a section a topic, each story once."""

    kind: Literal["digest"] = "digest"
    day: date  # in the reader's zone
    sections: tuple[Section, ...]

    def stories(self) -> tuple[int, ...]:
        """Return the ids of all stories, in the order in which the mail shows them."""
        return tuple(card.story_id for section in self.sections for card in section.cards)


class ConfirmationContent(_Content):
    """The question whether the owner of an address asked for this: the double opt-in's first half."""

    kind: Literal["confirmation"] = "confirmation"
    topics: tuple[str, ...]  # names in the reader's language; may be empty


Content = Annotated[AlertContent | DigestContent | ConfirmationContent, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[AlertContent | DigestContent | ConfirmationContent] = TypeAdapter(Content)


def thaw(frozen: str | bytes) -> AlertContent | DigestContent | ConfirmationContent:
    """Read a content back from the JSON that `model_dump_json` made."""
    return _ADAPTER.validate_json(frozen)


def without(
    content: AlertContent | DigestContent | ConfirmationContent, stories: Collection[int]
) -> AlertContent | DigestContent | ConfirmationContent | None:
    """Take stories out of a content; None when it has nothing left to tell.

    >>> question = ConfirmationContent(locale="en", topics=("Oman",))
    >>> without(question, {7}) is question
    True
    """
    if not set(stories).intersection(content.stories()):
        return content
    if not isinstance(content, DigestContent):
        return None
    left = [(section, [card for card in section.cards if card.story_id not in stories]) for section in content.sections]
    sections = tuple(section.model_copy(update={"cards": tuple(cards)}) for section, cards in left if cards)
    return content.model_copy(update={"sections": sections}) if sections else None


class Newsroom(_Frozen):
    """Who sends: what every mail and page of one installation says of its house."""

    name: str
    base_url: str  # without a trailing slash
    from_name: str
    from_address: str
    reply_to: str = ""
    postal_address: str
    home_url: str = ""
    timezone: str = "UTC"  # IANA; the zone in which stories' times are told
    accent: str = "#8a1c1c"


class Personal(NamedTuple):
    """What one reader's copy of a mail has that others' have not: the values of a compiled mail's holes.

    Of each link there is the token, which `worker.tokens` makes; the address before it is the same for all.
    """

    recipient: str
    name: str
    message_id: str  # without angle brackets
    sent_at: datetime
    preferences: str
    unsubscribe: str  # the one-click endpoint (RFC 8058) and the page for people
    view: str
    feedback_id: str
    list_id: str  # e.g. "digest.courier.example"
    list_name: str
    confirm: str = ""

"""The words that all rooms share: identifiers, enums, and the values that cross a room's border.

Decides nothing and touches nothing. Everybody imports it; it imports nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, NewType

SourceId = NewType("SourceId", int)
ArticleId = NewType("ArticleId", int)
StoryId = NewType("StoryId", int)
TopicId = NewType("TopicId", int)
SubscriberId = NewType("SubscriberId", int)
SubscriptionId = NewType("SubscriptionId", int)
EditionId = NewType("EditionId", int)
ContentId = NewType("ContentId", int)
DeliveryId = NewType("DeliveryId", int)
MatchSeq = NewType("MatchSeq", int)
CardId = NewType("CardId", int)
RunId = NewType("RunId", int)


class Lane(StrEnum):
    """A queue with workers and connections of its own, so that a breaking alert overtakes a bulk send."""

    ALERTS = "alerts"
    BULK = "bulk"
    CONTROL = "control"


class Severity(StrEnum):
    """How urgent an editor says that an article is."""

    NORMAL = "normal"
    IMPORTANT = "important"
    BREAKING = "breaking"


class Novelty(StrEnum):
    """What intake made of an item: never seen, a new version of a known one, or a copy of what we have."""

    NEW = "new"
    UPDATE = "update"
    DUPLICATE = "duplicate"


class Cadence(StrEnum):
    """How often a subscription sends."""

    IMMEDIATE = "immediate"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class SubscriberStatus(StrEnum):
    """Consent. Only `active` readers get editorial mail; `erased` is what stays of a forgotten reader."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"
    ERASED = "erased"


class EditionKind(StrEnum):
    """What an edition is for."""

    DIGEST = "digest"
    NEWSLETTER = "newsletter"
    ALERT = "alert"
    ROLLING = "rolling"
    CONFIRMATION = "confirmation"
    CORRECTION = "correction"
    SYSTEM = "system"


class LetterKind(StrEnum):
    """What a letter about a reader's own business is for.

    Each of the first six but `taken` carries a link, good for that alone. The last three go unasked: they tell a reader
    what has been done, whoever has done it.
    """

    DATA = "data"
    FORGET = "forget"
    MOVE = "move"  # to where mail goes now: from there a change of address begins
    NEW_ADDRESS = "new_address"  # to where mail is to go: its owner is asked
    TAKEN = "taken"  # to the owner of an address that a reader has named as theirs
    MOVED = "moved"  # to where mail went before, with a way back
    WELCOME = "welcome"  # after the yes: what will come, and when
    CHANGED = "changed"  # what somebody with a link from one of their mails has changed
    GOODBYE = "goodbye"  # after the farewell: it is done


class EditionStatus(StrEnum):
    """Where an edition stands. Its audience is fixed when it leaves `planning`."""

    DRAFT = "draft"
    PLANNING = "planning"
    PLANNED = "planned"
    SENDING = "sending"
    HELD = "held"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class Canary(StrEnum):
    """How the first share of a large edition, sent before all others, is doing."""

    WATCHED = "watched"
    PASSED = "passed"
    FAILED = "failed"


class RunKind(StrEnum):
    """What a planner's run makes. `away` and `owed` come to their readers as digests."""

    DIGEST = "digest"
    NEWSLETTER = "newsletter"
    ALERT = "alert"
    ROLLING = "rolling"
    CORRECTION = "correction"
    AWAY = "away"
    OWED = "owed"


class Owing(StrEnum):
    """Why a story comes to a reader later than by its own mail."""

    LATE = "late"
    EXPIRED = "expired"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    BUDGET = "budget"
    QUIET = "quiet"
    AWAY = "away"
    FLOOR = "floor"


EVERY_UPDATE: Final = 2**31 - 1
"""The update of a story up to which a reader has seen it who has muted it: no editor makes it new to them."""


class Lapse(StrEnum):
    """Why stories that a reader follows never come: too few, too many, not the best of a pause, not asked for."""

    FLOOR = "floor"
    AWAY = "away"
    ENDED = "ended"
    NEWSLETTER = "newsletter"
    ROOM = "room"
    MUTED = "muted"


class BelowFloor(StrEnum):
    """What becomes of a digest's stories that are fewer than its reader wants: the next one has them, or none."""

    MERGE = "merge"
    SKIP = "skip"


class Origin(StrEnum):
    """Another house, whose exported lists of readers are read."""

    LISTMONK = "listmonk"
    MAILCHIMP = "mailchimp"


class Timing(StrEnum):
    """Whose clock a newsletter goes by: one instant for all, or the same local time for each reader."""

    NEWSROOM = "newsroom"
    READER = "reader"


class Approval(StrEnum):
    """Whether a newsletter goes out by itself or waits for an editor's word."""

    AUTOMATIC = "automatic"
    REQUIRED = "required"


class Field(StrEnum):
    """Where in an article a query may look."""

    TITLE = "title"
    SUMMARY = "summary"
    BODY = "body"
    AUTHOR = "author"
    SECTION = "section"
    TAG = "tag"
    SOURCE = "source"
    LANG = "lang"
    URL = "url"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A story's picture, as its source tells it. Width and height are pixels, 0 where nobody has told them."""

    url: str
    alt: str = ""  # what it shows, in words
    credit: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedArticle:
    """An article as its source tells it, before anybody judged it. Text is plain (no markup); "" where not told."""

    guid: str = ""
    url: str = ""
    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    section: str = ""
    source: str = ""
    lang: str = ""
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None
    severity: Severity = Severity.NORMAL
    image: Picture | None = None


class Form(StrEnum):
    """What a transport takes: a finished MIME message, or its parts for a provider that writes MIME itself."""

    MIME = "mime"
    PARTS = "parts"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """A text with holes: `literals` has one item more than `holes`, and they alternate."""

    literals: tuple[str, ...]
    holes: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values in, as they are.

        >>> Pieces(literals=("Dear ", "."), holes=("name",)).fill({"name": "reader"})
        'Dear reader.'
        """
        filled = [""] * (len(self.literals) + len(self.holes))
        filled[::2] = self.literals
        filled[1::2] = [values[hole] for hole in self.holes]
        return "".join(filled)


@dataclass(frozen=True, kw_only=True, slots=True)
class Composition:
    """What all readers of one content share. Equal `key`s are equal compositions: a request may then say it once."""

    key: str
    subject: Pieces
    text: Pieces
    html: Pieces


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageParts:
    """One copy for a provider that writes MIME itself.

    `values` fill the holes of subject and text, `html_values` (escaped) those of the HTML. `headers` are all that
    the provider must add word for word, in order, unfolded; From, To, Reply-To, Subject, Date, Message-ID and MIME's
    own are not among them.
    """

    composition: Composition
    values: Mapping[str, str] = field(repr=False)
    html_values: Mapping[str, str] = field(repr=False)
    from_name: str
    from_address: str
    reply_to: str
    to_name: str
    headers: tuple[tuple[str, str], ...]

    @property
    def subject(self) -> str:
        """The subject as people read it."""
        return self.composition.subject.fill(self.values)

    @property
    def text(self) -> str:
        """The text part, filled; lines end with LF."""
        return self.composition.text.fill(self.values)

    @property
    def html(self) -> str:
        """The HTML part, filled."""
        return self.composition.html.fill(self.html_values)


class OutgoingMessage(NamedTuple):
    """One message for one recipient, in the `Form` that its transport takes: either `data` or `parts`.

    `data` is a whole MIME message with CRLF line ends. `is_clean` promises that no line of it begins with a dot, that
    no CR or LF stands alone, and that the last line is ended; `is_ascii` that it has no byte beyond ASCII. Then no
    transport has to look through it once more. This and its receipt are tuples for the sake of speed: one is made of
    each for every message.
    """

    delivery_id: DeliveryId
    envelope_from: str
    recipient: str
    message_id: str  # without angle brackets
    data: bytes = b""
    parts: MessageParts | None = None
    is_clean: bool = False
    is_ascii: bool = False

    def __repr__(self) -> str:
        """Say which it is, and nothing of what it says or to whom."""
        return f"OutgoingMessage(delivery_id={self.delivery_id}, message_id={self.message_id!r})"


class Receipt(NamedTuple):
    """A provider's word that it has taken a message on. `provider_message_id` is its queue id or message id."""

    provider: str
    code: int
    enhanced: str = ""
    text: str = ""
    provider_message_id: str = ""


class Sighting(StrEnum):
    """What a look-up by Message-ID found at the receiving end."""

    FOUND = "found"
    ABSENT = "absent"
    CANNOT_TELL = "cannot_tell"

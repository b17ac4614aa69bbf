"""The Protocols that have several real implementations, and nothing else.

Rooms call them, `adapters/` implements them, `wiring` brings the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from worker.errors import OutcomeUnknown, SendError
from worker.feeds import ParsedFeed
from worker.hearsay import Fate, FeedbackEvent, Opened, Post
from worker.model import Form, OutgoingMessage, Receipt, Sighting

Answer = Receipt | SendError | OutcomeUnknown
"""What became of one message that was handed to a transport."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Messages that go out together. `key` is the same when exactly these are repeated: 1 to 64 of `[A-Za-z0-9-]`."""

    key: str
    messages: tuple[OutgoingMessage, ...]


class Errand(Protocol):
    """What a transport is given to work off: messages past the point of no return, and somebody to tell of each."""

    async def next(self, most: int) -> Request:
        """Give up to `most` messages, durably "committing": they must be sent now. Empty when nothing is left."""

    def settle(self, message: OutgoingMessage, answer: Answer) -> None:
        """Say what became of a message; once for each, in any order. Never waits."""

    def give_back(self, messages: Sequence[OutgoingMessage]) -> None:
        """Hand in messages that were certainly not sent, through no fault of theirs: `next` may give them again."""


class Transport(Protocol):
    """A way out of the house: an SMTP relay or an HTTP provider."""

    @property
    def name(self) -> str:
        """The name under which receipts, attempts and metrics know this transport."""

    @property
    def connections(self) -> int:
        """How many calls of `work` may run at once."""

    @property
    def window(self) -> int:
        """The most messages between "committing" and their reply at once: what a crash can leave in doubt."""

    @property
    def form(self) -> Form:
        """What `OutgoingMessage`s must have for this transport: finished MIME, or parts."""

    @property
    def keys_honoured_s(self) -> float:
        """How long a request may be repeated under its key without a second delivery; 0 where never."""

    async def work(self, errand: Errand) -> None:
        """Send as one of the transport's connections until `errand` has nothing left.

        Raises `SendError`, never permanent and about us, when the other end cannot be reached; whatever it had taken
        is then settled or given back. A message that is neither when this ends, or raises, is in doubt.
        """

    async def repeat(self, request: Request) -> Sequence[Answer]:
        """Send a request again under its own key, and give an answer for each message in order.

        For transports whose `keys_honoured_s` is above 0, within that time.
        """

    async def look_up(self, message_id: str) -> Sighting:
        """Ask the receiving end whether it has the message. `CANNOT_TELL` where it offers no such question."""

    async def close(self) -> None:
        """Say goodbye on every open connection. `work` may be called again afterwards."""


class ArticleSource(Protocol):
    """A format in which articles arrive."""

    @property
    def name(self) -> str:
        """The format's name, as `tocsin sources list` shows it."""

    def recognises(self, data: bytes, content_type: str) -> bool:
        """Tell from the first bytes and the declared type whether `parse` is worth trying."""

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read the document.

        `url` resolves relative links. Raises `FeedError` when the bytes are not of this format.
        """


class EventParser(Protocol):
    """A way in which somebody tells us what became of messages: a provider's webhook, returned mail."""

    @property
    def name(self) -> str:
        """The provider's name, as it stands in the webhook's address and beside each of its events."""

    def open(self, post: Post) -> Opened:
        """Make sure that the provider itself has sent this, and take it apart, unread.

        Raises `UnprovenError` for whoever else has, `InputError` for a body that is none of the provider's, and
        `FetchError` when what proves it cannot be had at the moment: only then does a retry help.
        """

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one item, also one that was kept for years: always to the same ids. May be empty.

        What it says that we have no word for becomes `UNKNOWN`. Raises `InputError` where it cannot be read at all.
        """


class Mailbox(Protocol):
    """A place where returned mail comes in."""

    def waiting(self, *, limit: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield up to `limit` mails that nobody has settled, each with a key; None for one that cannot be read.

        Only the first megabyte of each. What was yielded and not settled comes again.
        """

    def settle(self, key: str, fate: Fate) -> None:
        """Mark or move a mail, so that it waits no longer. One that is gone already is settled."""

    def close(self) -> None:
        """Let go of the mailbox."""


class Captcha(Protocol):
    """Something that costs a machine more than it costs a reader."""

    @property
    def name(self) -> str:
        """The form field in which the solution comes."""

    def pose(self, *, now: datetime) -> str:
        """Return a new puzzle for a page. Nothing is stored."""

    def solved(self, given: str, *, now: datetime) -> str | None:
        """Return what names the puzzle that this solves, always the same for it: it counts once. None for any other.

        Never raises, whatever was sent.
        """

"""Every error that Tocsin raises on purpose.

    TocsinError
    ├── InputError                a person handed in something wrong: exit status 2, HTTP 4xx; a retry never helps
    │   ├── QueryError            ... a query: knows the offset and what to write instead
    │   ├── ManyFaultsError       ... several things at once: has them all, so that nobody mends them one by one
    │   ├── FeedError             ... bytes that are no feed
    │   ├── AddressError          ... a recipient's address, to which no mail can be written
    │   └── TokenError            ... a link that is forged, damaged, or has expired
    ├── UnprovenError             a webhook that does not show that it comes from its provider: HTTP 401, 403
    ├── ConfigurationError        settings, home, ports, database version: exit status 2, never swallowed by sending
    ├── FetchError                the outside world did not answer a fetch; a later poll may
    │   └── PrivateAddressError   ... since the address guard refused to connect: it is not on the public internet
    ├── DnsError                  DNS gave no answer; `silent`: nobody did, else the name's own servers fail
    ├── TooLongError              a question was given up: its answer takes too long; ask for less
    ├── OvertakenError            somebody changed what is being worked on: what is done stays, begin again
    ├── LifecycleError            a delivery was asked to make a step that its state does not allow: a defect
    └── SendError                 a message that certainly was not accepted; says whether to try again

    OutcomeUnknown                a message that may or may not have been accepted: not a failure, must be found out

`OutcomeUnknown` stands apart from the tree, so that no `except TocsinError` can mistake it for "not sent".
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def printable(text: str) -> str:
    r"""Return somebody else's words as one line that can be stored, logged and shown, whatever they were made of.

    Half a surrogate pair can be stored nowhere, a NUL not in PostgreSQL: one reply would cost all others their record.

    >>> printable("250 queued\x00\r\n as \ud800")
    '250 queued as \ufffd'
    """
    if text.isprintable():
        return text
    return _UNPRINTABLE.sub(" ", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")).strip()


class TocsinError(Exception):
    """Base of all errors raised on purpose, apart from `OutcomeUnknown`."""


class InputError(TocsinError):
    """What a person handed in is wrong.

    `where` names the file, line or field ("readers.csv, line 7, timezone"); `hint` says what to write instead.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message, self.where, self.hint = message, where, hint

    def __str__(self) -> str:
        """One line, fit to stand after "error: "."""
        line = f"{self.where}: {self.message}" if self.where else self.message
        return f"{line} ({self.hint})" if self.hint else line


class QueryError(InputError):
    """A query that is refused: `offset` counts code points from 0, `hint` is what to write instead.

    `query` is the whole query, where whoever raises this knows that nobody else will.
    """

    def __init__(self, message: str, *, offset: int, where: str = "", hint: str = "", query: str = "") -> None:
        super().__init__(f"{message} at offset {offset}", where=where, hint=hint)
        self.reason, self.offset, self.query = message, offset, query


class ManyFaultsError(InputError):
    """Several faults in what was handed in at once; `errors` has each of them, in reading order, at least two."""

    def __init__(self, errors: tuple[InputError, ...]) -> None:
        super().__init__(f"{len(errors)} faults")
        self.errors = errors

    def __str__(self) -> str:
        """A line for the whole, then one for each fault."""
        return "\n  ".join([f"{self.message}:", *map(str, self.errors)])


class FeedError(InputError):
    """Bytes from which no reader makes a feed."""


class AddressError(InputError):
    """A recipient's address that is none: nothing can be written to it, and nobody else's mail is concerned."""


class TokenError(InputError):
    """A signed link that is forged, damaged, made for another purpose, or has expired."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


class UnprovenError(TocsinError):
    """Somebody says to be a provider and does not prove it; `asks_password` tells that a password would."""

    def __init__(self, message: str, *, asks_password: bool = False) -> None:
        super().__init__(message)
        self.asks_password = asks_password


class ConfigurationError(TocsinError):
    """The installation is set up wrongly; nothing works until somebody changes it."""


class FetchError(TocsinError):
    """A source did not answer as it should. `retry_after_s` is the server's own wish, where it named one."""

    def __init__(self, message: str, *, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after_s = status, retry_after_s


class PrivateAddressError(FetchError):
    """An address that only this machine or its network knows; nobody was asked. A retry never helps."""


class DnsError(TocsinError):
    """A question that DNS has not answered; a later try may help. Nothing follows from it about what is published.

    `silent`: no name server could be reached in time. Otherwise one did answer, and says that those of the name fail.
    """

    def __init__(self, message: str, *, silent: bool) -> None:
        super().__init__(message)
        self.silent = silent


class TooLongError(TocsinError):
    """A question whose answer takes longer than anybody waits; says what to ask instead."""


class OvertakenError(TocsinError):
    """Somebody else has changed what this was working on. What was done stays; a repetition does the rest."""


class LifecycleError(TocsinError):
    """No such step from this state."""


class Blame(StrEnum):
    """Whom a refusal is about."""

    RECIPIENT = "recipient"
    US = "us"


class SendError(TocsinError):
    """A message that was certainly not accepted.

    `permanent` tells whether trying again can help, `blame` whether the recipient's address or our own standing is at
    fault, `code` and `enhanced` are the reply's (RFC 5321, RFC 3463), `retry_after_s` the provider's own wish. `text`
    is one printable line, whatever was said.
    """

    def __init__(
        self,
        text: str,
        *,
        permanent: bool,
        blame: Blame = Blame.US,
        code: int | None = None,
        enhanced: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        text = printable(text)
        super().__init__(text)
        self.text, self.permanent, self.blame = text, permanent, blame
        self.code, self.enhanced, self.retry_after_s = code, enhanced, retry_after_s


class OutcomeUnknown(Exception):  # noqa: N818  not an error: the message may well have arrived
    """The reply to a finished message was lost; whether it was accepted must be found out before any retry."""

"""A mail as the checks see it: its faces, its bytes, and what they ought to hold. Values only.

`worker.rehearsal` makes one of a content; every check takes one. Nobody's personal data is in it: links lead nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

from worker.content import AnyContent
from worker.model import EditionKind
from worker.preflight.markup import Page, read_page

_NO_LIST = frozenset({EditionKind.CONFIRMATION, EditionKind.SYSTEM})
_PERSONAL = ("preferences", "unsubscribe", "m", "confirm", "my")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail. `base_url` is where our own pages are; `signers` are the domains that ought to have signed it.

    `content` is what it was made of, `stopped` are its stories that an editor has stopped since. `previous_subject` is
    that of the issue before, "" where there is none.
    """

    kind: EditionKind
    subject: str
    html: str
    text: str
    message: bytes = field(repr=False)
    base_url: str
    postal_address: str
    at: datetime
    signers: tuple[str, ...] = ()
    content: AnyContent | None = None
    stopped: frozenset[int] = frozenset()
    previous_subject: str = ""

    @cached_property
    def page(self) -> Page:
        """The HTML, read once."""
        return read_page(self.html)

    @cached_property
    def headers(self) -> EmailMessage:
        """The message as Python reads it, for its header fields."""
        return message_from_bytes(self.message, _class=EmailMessage, policy=policy.default)

    @property
    def is_of_a_list(self) -> bool:
        """Tell whether its readers can leave what it comes from."""
        return self.kind not in _NO_LIST

    def is_personal(self, url: str) -> bool:
        """Tell whether a link is one of those that each reader has of their own: nobody else may follow it."""
        start = f"{self.base_url}/"
        return url.startswith(start) and url.removeprefix(start).partition("/")[0] in _PERSONAL

    def is_ours(self, url: str) -> bool:
        """Tell whether a link leads to our own pages."""
        return url == self.base_url or url.startswith(f"{self.base_url}/")

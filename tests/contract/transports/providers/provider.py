"""What a provider's documentation says, in a form that one suite can test all transports against."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply

SECRET = "s3cr3t-k3y"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider, played by hand from its pages.

    `answer` is given the request and the addresses that the provider refuses; `read` does with a request what the
    provider says it does with it; `key_of` is the key under which it would not do it twice.
    """

    dsn: str  # {scheme} and {place} are the stand-in's, for those whose DSN is the URL
    secrets: Collection[str] = (SECRET,)  # what must show nowhere
    read: Callable[[Posted], list[Sent]]
    answer: Callable[[Posted, Collection[str]], Reply]
    is_authorised: Callable[[Posted], bool]
    limited: Reply
    limited_s: float | None
    unauthorised: Reply
    ours: Reply  # a fault of the request itself
    unsent: Collection[int] = ()
    key_of: Callable[[Posted], str] | None = None
    duplicate: Reply | None = None  # what a repeat is answered; None: the same as the first time
    conflict: Reply | None = None  # what a known key with another body is answered
    says_ids: bool = True
    reads_answer: bool = True  # whether there is anything to read in a good answer
    whole_mime: bool = False
    most: int = 1

"""The words in which a returned mail is understood: what kind it is, about whom, why, and whether that will last.

Types only. docs/returned-mail.md explains every reason to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a returned mail is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


class Reason(StrEnum):
    """Why: one word of a closed set. The first block lasts, the second passes or is about us, not about the address."""

    USER_UNKNOWN = "user_unknown"
    HOST_UNKNOWN = "host_unknown"
    MOVED = "moved"
    SUSPENDED = "suspended"

    MAILBOX_FULL = "mailbox_full"
    TOO_BIG = "too_big"
    CONTENT = "content"
    SPAM = "spam"
    BLOCKED = "blocked"
    POLICY = "policy"
    AUTHENTICATION = "authentication"
    FILTERED = "filtered"
    RATE_LIMITED = "rate_limited"
    GREYLISTED = "greylisted"
    EXPIRED = "expired"
    NETWORK = "network"
    SYSTEM = "system"
    UNDEFINED = "undefined"

    # Not bounces.
    ABUSE = "abuse"
    OPT_OUT = "opt_out"
    NOT_SPAM = "not_spam"
    VACATION = "vacation"
    CHALLENGE = "challenge"
    DELIVERED = "delivered"
    NONE = ""


LASTING = frozenset({Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.MOVED, Reason.SUSPENDED, Reason.UNDEFINED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one returned mail says of one recipient.

    `recipient` is an address, "" where none is told. `status` is an enhanced status code (RFC 3463) for a bounce, else
    "". `hard` tells a bounce that no later attempt will mend. `delayed`: the relay is still trying.
    """

    kind: Kind
    recipient: str = ""
    status: str = ""
    hard: bool = False
    reason: Reason = Reason.NONE
    delayed: bool = False
    diagnosis: str = ""

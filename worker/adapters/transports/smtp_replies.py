"""What a relay's reply means: refused for good or for now, whose fault it is, and under which id it was queued.

Pure. `smtp_connection.py` reads replies and asks here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from worker.errors import Blame, SendError, printable

# RFC 3463: class.subject.detail, where a reply's first line has it after the code.
_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|:|$):?\s*")

# DELIVERABILITY.md, "Bounces": only these say that the address itself is dead. Delivery suppresses on that, so a moved,
# full or policed mailbox must not be among them.
_DEAD_ADDRESS: Final = frozenset({"5.1.1", "5.1.10", "5.2.1"})
_DEAD_WITHOUT_ENHANCED: Final = frozenset({550, 553})
_MAILBOX_FULL: Final = frozenset({"4.2.2", "5.2.2"})

_QUEUE_IDS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\[InternalId=(\d+)",  # Exchange, which says "Queued mail for delivery" after it
        r"\bqueued as ([^\s,;>)]+)",  # Postfix and those that imitate it
        r"\bqueued \(([^\s)]+)\)",  # Haraka
        r"\bid=([\w.-]+)",  # Exim
        r"^OK\s+\d{9,11}\s+(\S+) - gsmtp",  # Gmail: the number before the id is the time
        r"^:?\s*([\w.-]+) message accepted for delivery",  # Sendmail, OpenSMTPD, Proofpoint
        r"\bqp (\d+)",  # qmail
        r"^OK:? ([0-9a-z][\w./+-]{9,})$",  # Amazon SES, SparkPost
    )
)


class Stage(StrEnum):
    """The command that a reply answers; `DOT` is the end of the data."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "end of data"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A whole reply. `enhanced` is "" where the relay gave none; `text` is one line of printable text without it."""

    code: int
    enhanced: str = ""
    text: str = ""

    @classmethod
    def of(cls, code: int, lines: Sequence[str]) -> Reply:
        """Put the lines of a reply together, each given without its code.

        >>> Reply.of(550, ["5.1.1 No such", "5.1.1 mailbox"])
        Reply(code=550, enhanced='5.1.1', text='No such mailbox')
        """
        found = _ENHANCED.match(lines[0]) if lines else None
        enhanced = found[1] if found and found[1][0] == str(code)[0] else ""
        parts = (_ENHANCED.sub("", line, count=1) if line.startswith(enhanced) and enhanced else line for line in lines)
        return cls(code=code, enhanced=enhanced, text=printable(" ".join(parts)).strip())

    @property
    def is_success(self) -> bool:
        """Whether the command was carried out (2yz)."""
        return self.code // 100 == 2

    @property
    def is_refusal(self) -> bool:
        """Whether the command was refused (4yz, 5yz). A reply that is neither makes no sense where we ask."""
        return self.code // 100 in (4, 5)


def refusal(reply: Reply, stage: Stage) -> SendError:
    """Turn a 4yz or 5yz reply into the error that says what to do next.

    A full mailbox (5.2.2) can be tried again in spite of its 5: DELIVERABILITY.md counts it as a soft bounce.

    >>> error = refusal(Reply(code=552, enhanced="5.2.2", text="Over quota"), Stage.RCPT)
    >>> error.permanent, error.blame
    (False, <Blame.RECIPIENT: 'recipient'>)
    """
    return SendError(
        f"{stage} refused: {reply.code} {reply.enhanced} {reply.text}".replace("  ", " ").strip(),
        permanent=reply.code >= 500 and reply.enhanced not in _MAILBOX_FULL,
        blame=blame(reply, stage),
        code=reply.code,
        enhanced=reply.enhanced,
    )


def blame(reply: Reply, stage: Stage) -> Blame:
    """Tell whom a refusal is about; in doubt about us, as that never costs a reader their subscription.

    >>> blame(Reply(code=550), Stage.RCPT), blame(Reply(code=550, enhanced="5.7.1"), Stage.RCPT)
    (<Blame.RECIPIENT: 'recipient'>, <Blame.US: 'us'>)
    """
    if stage is Stage.MAIL:
        return Blame.US
    if reply.enhanced in _DEAD_ADDRESS | _MAILBOX_FULL:
        return Blame.RECIPIENT
    dead = stage is Stage.RCPT and not reply.enhanced and reply.code in _DEAD_WITHOUT_ENHANCED
    return Blame.RECIPIENT if dead else Blame.US


def queue_id(text: str) -> str:
    """Find the id under which the relay took a message on, in a reply's text; "" where it names none.

    >>> queue_id("Ok: queued as 4XyZ12"), queue_id("OK id=1qABcD-00AbC-2Z"), queue_id("Ok")
    ('4XyZ12', '1qABcD-00AbC-2Z', '')
    """
    for pattern in _QUEUE_IDS:
        if found := pattern.search(text):
            return found[1].rstrip(".")
    return ""

"""Enhanced status codes (RFC 3463, IANA's registry, and Microsoft's own): which reason each one is.

Tables and lookups. `judge` weighs them against words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from worker.feedback.mail.verdict import Reason

# By subject and detail; the class (4 or 5) tells whether it lasts.
_REASONS: Final[Mapping[str, Reason]] = {
    "1.1": Reason.USER_UNKNOWN,
    "1.2": Reason.HOST_UNKNOWN,
    "1.3": Reason.USER_UNKNOWN,
    "1.4": Reason.USER_UNKNOWN,  # ambiguous
    "1.6": Reason.MOVED,
    "1.7": Reason.POLICY,  # our own address
    "1.8": Reason.POLICY,
    "1.9": Reason.SYSTEM,
    "1.10": Reason.USER_UNKNOWN,
    "1.20": Reason.POLICY,
    "1.90": Reason.RATE_LIMITED,
    "2.1": Reason.SUSPENDED,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.TOO_BIG,
    "2.4": Reason.SYSTEM,
    "3.1": Reason.SYSTEM,
    "3.2": Reason.SYSTEM,
    "3.3": Reason.SYSTEM,
    "3.4": Reason.TOO_BIG,
    "3.5": Reason.SYSTEM,
    "4.1": Reason.NETWORK,
    "4.2": Reason.NETWORK,
    "4.3": Reason.NETWORK,
    "4.4": Reason.HOST_UNKNOWN,
    "4.5": Reason.NETWORK,
    "4.6": Reason.NETWORK,
    "4.7": Reason.EXPIRED,
    "4.8": Reason.NETWORK,
    "4.14": Reason.NETWORK,
    "4.300": Reason.EXPIRED,
    "4.310": Reason.HOST_UNKNOWN,
    "4.312": Reason.NETWORK,
    "4.316": Reason.EXPIRED,
    "5.3": Reason.RATE_LIMITED,
    "7.508": Reason.RATE_LIMITED,
    "7.28": Reason.RATE_LIMITED,
    "7.705": Reason.RATE_LIMITED,
    "7.708": Reason.RATE_LIMITED,
}
_SUBJECTS: Final[Mapping[str, Reason]] = {
    "1": Reason.USER_UNKNOWN,
    "3": Reason.SYSTEM,
    "4": Reason.NETWORK,
    "6": Reason.CONTENT,
    "7": Reason.POLICY,
}
_AUTHENTICATION: Final = frozenset(
    {*map(str, range(5, 12)), *map(str, range(20, 28)), "29", "30", "57", "323", "324", "325", "509", "512", "515"}
)
_BLOCKED: Final = frozenset({*map(str, range(501, 508)), "510", "511", "513", "514", "606", "750"})
_MEANT: Final[Mapping[Reason, str]] = {
    Reason.USER_UNKNOWN: "5.1.1",
    Reason.HOST_UNKNOWN: "5.1.2",
    Reason.MOVED: "5.1.6",
    Reason.SUSPENDED: "5.2.1",
    Reason.MAILBOX_FULL: "5.2.2",
    Reason.TOO_BIG: "5.3.4",
    Reason.CONTENT: "5.6.0",
    Reason.SPAM: "5.7.1",
    Reason.BLOCKED: "5.7.1",
    Reason.POLICY: "5.7.1",
    Reason.AUTHENTICATION: "5.7.1",
    Reason.FILTERED: "5.7.1",
    Reason.RATE_LIMITED: "4.7.0",
    Reason.GREYLISTED: "4.7.1",
    Reason.EXPIRED: "4.4.7",
    Reason.NETWORK: "5.4.0",
    Reason.SYSTEM: "5.3.0",
    Reason.UNDEFINED: "5.0.0",
}

_CODE: Final = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d])(?!\.\d)")
_AFTER_REPLY: Final = re.compile(r"(?<![\w.])[245]\d\d[ -]{1,3}[#(<\[]?([245])\.(\d{1,3})\.(\d{1,3})(?![\d])(?!\.\d)")
_MARKED: Final = re.compile(r"#([245])\.(\d{1,3})\.(\d{1,3})(?![\d])(?!\.\d)")
_REPLY: Final = re.compile(r"(?<![\w.#:/@-])([45][0-7]\d)(?=[ \-:;,)<'\"]|$)", re.MULTILINE)


def read_code(value: str) -> str:
    """Return the enhanced code that a Status field begins with, "" where it has none.

    >>> read_code("5.1.1 (bad destination mailbox)"), read_code("failed")
    ('5.1.1', '')
    """
    match = _CODE.match(value.strip().lstrip("#"))
    return _spelt(match) if match else ""


def codes_in(text: str) -> str:
    """Return the enhanced code that a server's words name, the most telling one; "" where there is none.

    >>> codes_in("550-5.1.1 The account does not exist. 550 5.1.1 https://example.net")
    '5.1.1'
    >>> codes_in("host mx [5.1.1.9] running 4.92.3 said: 554 no"), codes_in("Sorry, no mailbox here. (#5.1.1)")
    ('', '5.1.1')
    """
    for pattern in (_AFTER_REPLY, _MARKED, _CODE):
        found = [code for code in map(_spelt, pattern.finditer(text)) if _is_plausible(code)]
        if found:
            return max(found, key=telling)
    return ""


def reply_in(text: str) -> str:
    """Return the first SMTP reply code of a failure in a server's words, "" where there is none."""
    match = _REPLY.search(text)
    return match[1] if match else ""


def telling(code: str) -> int:
    """Tell how much a code says: 0 only that it failed, 1 also what it is about, 2 all of it."""
    if not code:
        return -1
    _, subject, detail = code.split(".")
    return 0 if subject == "0" and detail == "0" else 1 if detail == "0" else 2


def reason_of(code: str) -> Reason:
    """Return the reason that a code stands for, `UNDEFINED` where it says too little."""
    _, subject, detail = code.split(".")
    if subject == "7" and detail in _AUTHENTICATION:
        return Reason.AUTHENTICATION
    if subject == "7" and (detail in _BLOCKED or (len(detail) == 3 and detail[0] in "68")):
        return Reason.BLOCKED
    return _REASONS.get(f"{subject}.{detail}", _SUBJECTS.get(subject, Reason.UNDEFINED))


def code_of(reason: Reason, severity: str) -> str:
    """Return the code that a server should have given for a reason; `severity` is 4 or 5.

    >>> code_of(Reason.MAILBOX_FULL, "4"), code_of(Reason.EXPIRED, "5")
    ('4.2.2', '4.4.7')
    """
    meant = _MEANT.get(reason, "5.0.0")
    return meant if meant[0] == "4" else severity + meant[1:]


def _spelt(match: re.Match[str]) -> str:
    return ".".join(str(int(part)) for part in match.groups())


def _is_plausible(code: str) -> bool:
    severity, subject, detail = code.split(".")
    return severity in "45" and int(subject) <= 7 and (int(detail) < 100 or subject in "0457")

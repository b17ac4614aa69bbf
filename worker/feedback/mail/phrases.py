"""What mail servers say, in their own words and languages, and which reason it is.

A table, tried from the top: what is said in stronger words stands before what is said of many things. It is asked only
where codes leave the reason open. All patterns are searched in one line of lower-case text, and none can backtrack far.
"""

from __future__ import annotations

import re
from typing import Final

from worker.feedback.mail import phrases_of_addresses as of_address
from worker.feedback.mail import phrases_of_mail as of_mail
from worker.feedback.mail.verdict import Reason

_LONGEST: Final = 3_000

_TABLE: Final[tuple[tuple[Reason, tuple[str, ...]], ...]] = (
    (Reason.POLICY, of_mail.SENDER_REFUSED),
    (Reason.AUTHENTICATION, of_mail.OUR_NAME),
    (Reason.GREYLISTED, of_mail.GREYLISTED),
    (Reason.MAILBOX_FULL, of_address.MAILBOX_FULL),
    (Reason.HOST_UNKNOWN, of_address.HOST_UNKNOWN),
    (Reason.USER_UNKNOWN, of_address.USER_UNKNOWN),
    (Reason.SUSPENDED, of_address.SUSPENDED),
    (Reason.MOVED, of_address.MOVED),
    (Reason.TOO_BIG, of_mail.TOO_BIG),
    (Reason.RATE_LIMITED, of_mail.RATE_LIMITED),
    (Reason.SPAM, of_mail.SPAM),
    (Reason.AUTHENTICATION, of_mail.AUTHENTICATION),
    (Reason.BLOCKED, of_mail.BLOCKED),
    (Reason.CONTENT, of_mail.CONTENT),
    (Reason.FILTERED, of_address.FILTERED),
    (Reason.EXPIRED, of_mail.EXPIRED),
    (Reason.NETWORK, of_mail.NETWORK),
    (Reason.USER_UNKNOWN, of_address.USER_REFUSED),
    (Reason.POLICY, of_mail.POLICY),
    (Reason.SYSTEM, of_mail.SYSTEM),
)
_PATTERNS: Final = tuple((reason, re.compile("|".join(patterns))) for reason, patterns in _TABLE)
_NAMES: Final = re.compile(
    r"(?<!\S)\S*@\S*|https?://\S*|\b(?:[\w-]{1,63}\.){1,8}(?:com|net|org|jp|de|[a-z]{2,12})\b(?!\.\w)"
)
_CODED_NAMES: Final = re.compile(r"(resolver|queue|smtpsend|storedrv|routing)\.\S{1,60}")


def reason_in(text: str) -> Reason:
    """Return what a server's words say, `UNDEFINED` where they say nothing known.

    >>> reason_in("550 <jo@example.org>: Recipient address rejected: User unknown in local recipient table")
    <Reason.USER_UNKNOWN: 'user_unknown'>
    >>> reason_in("552 Das Postfach von jo ist voll"), reason_in("So long, and thanks")
    (<Reason.MAILBOX_FULL: 'mailbox_full'>, <Reason.UNDEFINED: 'undefined'>)
    """
    line = " ".join(text[:_LONGEST].lower().split())
    coded = " ".join(match[0] for match in _CODED_NAMES.finditer(line))
    bare = _NAMES.sub(" ", line) + " " + coded
    for reason, pattern in _PATTERNS:
        if pattern.search(line if reason is Reason.BLOCKED else bare):
            return reason
    return Reason.UNDEFINED

"""How mail systems word a bounce that is no report: where their own words end, and in which line a recipient stands.

Tables. A system whose recipients stand in a line of a common shape needs no entry. `bounce_text` reads them, from
the top.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from worker.feedback.mail.addresses import ADDRESS, BARE_ADDRESS

A: Final = rf"[<(\[\"']{{0,2}}(?:SMTP:|mailto:|rfc822;\s?)?({ADDRESS})"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A system's way to name recipients: `sign` is looked for in sender, subject and text, `recipient` in the text.

    A recipient without a domain is of the mail server's own.
    """

    name: str
    sign: re.Pattern[str]
    recipient: re.Pattern[str]


def _dialect(name: str, *, sign: str, recipient: str) -> Dialect:
    return Dialect(name, re.compile(sign, re.IGNORECASE), re.compile(recipient, re.IGNORECASE | re.MULTILINE))


DIALECTS: Final = (
    _dialect(
        "aol",
        sign=r"not accepting mail from",
        recipient=r"not accepting mail from[^\n]*\n+\s+([\w.+-]{1,64}(?:@\S{1,190})?)\s*$",
    ),
    _dialect(
        "exchange-5",
        sign=r"did not reach the following recipient",
        recipient=rf"^\s*(?:c=|/).{{0,200}}?SMTP[:=]({BARE_ADDRESS})|^\s*{A}.{{0,40}}? on ",
    ),
    _dialect("domino", sign=r"was not delivered to:", recipient=rf"was not delivered to:\s+{A}"),
    _dialect("groupwise", sign=r"groupwise|novell", recipient=rf"^\s*{A}[>)]?\s*\(|^\s*[\w.-]{{1,60}} \({A}"),
    _dialect(
        "imail",
        sign=r"<?SMTP32 v|undeliverable mail",
        recipient=rf"^(?:undeliverable to|user mailbox exceeds allowed size:|unknown user:|unknown host:|"
        rf"invalid final delivery userid:|delivery failed[^:\n]{{0,60}}to)\s*{A}",
    ),
    _dialect(
        "interscan",
        sign=r"interscan|trend ?micro",
        recipient=rf"^\s*(?:unable to deliver message to|sent:? *<<<? *RCPT TO:|>>>? *RCPT TO:)\s*{A}",
    ),
)

# How a line goes on from which a text is our own mail again: behind a rule of dashes, and behind its first signs.
# Each is matched at one place of a line only: to search for the place by a pattern takes quadratic time.
BEHIND_DASHES: Final = re.compile(
    r"-?.{0,10}?(?:this is a copy of|below this line is|the header of the original|original message|"
    r"returned (?:message|mail)|message header|"
    r"unsent message|undelivered message|original mail|the original message|forwarded message|the unsent message|"
    r"header|your (?:original )?message|start of (?:returned|original)|"
    r"message (?:follows|text)|unzustellbare|ursprüngliche|included (?:is|message)|copy of)",
    re.IGNORECASE,
)
ORIGINAL: Final = re.compile(
    r"(?:the )?(?:(?:full |first \w+ lines of the )?(?:original|returned|undelivered|unsent|failed) (?:message|"
    r"mail|e-?mail)(?:'s)?(?: (?:headers?|text|content|was received at|is (?:as follows|included|attached)|follows|"
    r"included))?)\s*(?::|-{3,}|=+)\s*$|"
    r"(?:original|internet) (?:message )?(?:headers|details):|your message (?:follows|reads|begins as follows)|"
    r"(?:message|original|returned) headers? follow|(?:the )?original message follows\W*$|"
    r"(?:a|the) copy of (?:the|your) (?:original )?(?:message|mail|header)[^.\n]{0,60}(?:below|follows|attached|:)|"
    r"headers? of (?:the|your) (?:original )?(?:message|mail)|"
    r"en-t[êe]tes? (?:de message )?d'origine|intestazioni (?:originali|del messaggio)|"
    r"encabezados (?:de mensaje )?originales|ursprüngliche nachrichtenkopfzeilen|originalmeldung|"
    r"cabeçalhos (?:da mensagem )?originais|原始(?:邮件|郵件)|元のメッセージ|원본 메시지|メッセージのヘッダ|"
    r"(?:исходно\w+|"
    r"оригинал\w*) (?:письм|сообщени)",
    re.IGNORECASE,
)

"""Complaints: feedback reports (RFC 5965) and the forms that came before and beside them.

Finds what kind of complaint it is and whose, also where the provider has redacted the address. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from worker.feedback.mail.addresses import addresses, in_return_path, is_machine, of_field
from worker.feedback.mail.reading import Headers, Letter
from worker.feedback.mail.verdict import Finding, Kind, Reason

_FIELD: Final = re.compile(r"^([A-Za-z][A-Za-z-]{2,40})[ \t]*:[ \t]*(.*)$", re.MULTILINE)
_TOLD: Final = ("original-rcpt-to", "original-recipient", "removal-recipient", "final-recipient", "redacted-address")
_IN_ORIGINAL: Final = (
    "x-hmxmroriginalrecipient",
    "x-rcpt-to",
    "x-apparently-to",
    "x-original-to",
    "delivered-to",
    "x-envelope-to",
    "envelope-to",
    "x-loop",
)
_TYPE_REASONS: Final = {
    "auth-failure": Reason.AUTHENTICATION,
    "opt-out": Reason.OPT_OUT,
    "opt-out-list": Reason.OPT_OUT,
    "not-spam": Reason.NOT_SPAM,
}
_NO_COMPLAINTS: Final = frozenset({Reason.NOT_SPAM, Reason.AUTHENTICATION})
_OLD_FORM: Final = re.compile(
    r"complaint about message from|e-?mail (?:abuse|feedback) report|abuse report|spam (?:report|complaint)|"
    r"feedback[- ]loop",
    re.IGNORECASE,
)
_OLD_SENDERS: Final = re.compile(
    r"(?:staff@hotmail|fbl|scomp@aol|feedbackloop|feedback@|arf@|complaints?@|abuse-?report)", re.IGNORECASE
)
_FEEDBACK_TYPE: Final = re.compile(r"^feedback-type[ \t]*:", re.IGNORECASE | re.MULTILINE)


def is_complaint(letter: Letter) -> bool:
    """Tell whether a mail reports that a reader has complained."""
    if letter.complaints or _FEEDBACK_TYPE.search(letter.text):
        return True
    subject, sender = letter.headers.text("subject"), letter.headers.text("from")
    marked = "x-hmxmroriginalrecipient" in letter.returned or "x-hmxmroriginalrecipient" in letter.headers
    return marked or bool(letter.returned and _OLD_FORM.search(subject) and _OLD_SENDERS.search(sender))


def complaint_in(letter: Letter) -> tuple[Finding, ...]:
    """Read a complaint: a finding for each recipient that it names, one without a recipient if it names none."""
    report = "\n".join(letter.complaints) or letter.text
    fields = [(name.lower(), value.strip()) for name, value in _FIELD.findall(report)]
    kind = next((value.lower().split()[0] for name, value in fields if name == "feedback-type" and value), "abuse")
    reason = _TYPE_REASONS.get(kind.strip("\"';"), Reason.ABUSE)
    told = dict.fromkeys(address for name, value in fields if name in _TOLD for address in _each(value))
    recipients = list(told) or [next(_guesses(letter.returned, letter.headers), "")]
    return tuple(
        Finding(kind=Kind.OTHER if reason in _NO_COMPLAINTS else Kind.COMPLAINT, recipient=recipient, reason=reason)
        for recipient in recipients
    )


def _each(value: str) -> Iterator[str]:
    yield from (found for part in value.split(",") if (found := of_field(part)) and not is_redacted(found))


def is_redacted(address: str) -> bool:
    """Tell an address that a provider has made unreadable, as in `redacted-3f2a@example.org` or `x@redacted`."""
    return "redacted" in address.lower() or address.startswith(("xxx", "***"))


def _guesses(original: Headers, outer: Headers) -> Iterator[str]:
    """Yield whom our own mail went to, as its headers tell: best source first."""
    for headers in (original, outer):
        for name in _IN_ORIGINAL[: 8 if headers is original else 1]:
            yield from (found for value in headers.every(name) for found in _each(value))
    for name in ("return-path", "errors-to", "x-envelope-from", "sender"):
        if verp := in_return_path(original.text(name)):
            yield verp
    for name in ("to", "cc"):
        yield from (each for each in addresses(original.text(name)) if not is_redacted(each) and not is_machine(each))

"""The way in: a returned mail's bytes to what it says, one finding a recipient, never none.

Decides in this order: a complaint, a delivery report, an automatic answer, a bounce in words, something else. What a
machine says of an address beats what a mailbox's owner says. Pure, bounded, and never raises.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from worker.feedback.mail import dsn
from worker.feedback.mail.addresses import addresses, normalised
from worker.feedback.mail.arf import complaint_in, is_complaint
from worker.feedback.mail.auto_reply import asks_to_leave, auto_reply_in
from worker.feedback.mail.bounce_text import Said, recipients_in, spoken
from worker.feedback.mail.judge import Evidence, judge
from worker.feedback.mail.reading import Letter, read
from worker.feedback.mail.signs import by_daemon, is_bounce, is_delayed, is_from_nobody
from worker.feedback.mail.verdict import Finding, Kind, Reason

_MOST: Final = 20
"""Each mail of ours has one recipient. A report that names hundreds would be kept hundreds of times."""
_HAPPENED: Final = {"delivered": Reason.DELIVERED, "relayed": Reason.DELIVERED, "expanded": Reason.DELIVERED}


def findings(data: bytes) -> tuple[Finding, ...]:
    r"""Tell what a returned mail says. At least one finding, at most one for each recipient, and at most 20.

    >>> bounce = b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n<jo@example.org>:\nno such user\n"
    >>> [(found.recipient, found.status, found.hard) for found in findings(bounce)]
    [('jo@example.org', '5.1.1', True)]
    """
    return understood(read(data))


def understood(letter: Letter) -> tuple[Finding, ...]:
    """Tell what a returned mail says, once it is read."""
    unique: dict[str, Finding] = {}
    for found in _classified(letter):
        recipient = normalised(found.recipient)
        unique.setdefault(recipient, replace(found, recipient=recipient))
    return tuple(unique.values())[:_MOST]


def _classified(letter: Letter) -> tuple[Finding, ...]:
    if is_complaint(letter):
        return complaint_in(letter)
    if reported := _by_report(letter):
        return reported
    answered = None if asks_to_leave(letter) else auto_reply_in(letter)
    if is_bounce(letter, answered=answered is not None):
        return _by_words(letter)
    sender = next(addresses(letter.headers.text("from")), "")
    if answered or (is_from_nobody(letter) and not asks_to_leave(letter)):
        return (Finding(kind=Kind.AUTO_REPLY, recipient=sender, reason=answered or Reason.VACATION),)
    return (Finding(kind=Kind.OTHER, recipient=sender),)


def _by_report(letter: Letter) -> tuple[Finding, ...]:
    reports = letter.reports
    if not any(map(dsn.has_fields, reports)):  # people paste reports into their mails; mail servers lose their frames
        in_words = dsn.has_fields(letter.text) and (letter.is_report or by_daemon(letter) or is_from_nobody(letter))
        reports = (letter.text,) if in_words else ()
    told = dsn.recipients(reports)
    words, _ = spoken(letter)
    named: tuple[Said, ...] = recipients_in(letter) if any(not one.address for one in told) else ()
    made = []
    for number, one in enumerate(told):
        address = one.address or (named[number].address if number < len(named) else "")
        if one.action in _HAPPENED:
            made.append(Finding(kind=Kind.OTHER, recipient=address, reason=_HAPPENED[one.action]))
            continue
        about = words if len(told) == 1 else _about(words, address)
        evidence = Evidence(action=one.action, status=one.status, diagnosis=one.diagnosis, words=about)
        made.append(_bounce(address, evidence))
    return tuple(made)


def _about(words: str, address: str) -> str:
    """Return what is written from an address on, up to the next blank line."""
    place = words.lower().find(address.lower()) if address else -1
    return words[place:].partition("\n\n")[0][:1_000] if place >= 0 else ""


def _bounce(address: str, evidence: Evidence) -> Finding:
    verdict = judge(evidence)
    return Finding(
        kind=Kind.BOUNCE,
        recipient=address,
        status=verdict.status,
        hard=verdict.hard,
        reason=verdict.reason,
        delayed=verdict.delayed,
        diagnosis=" ".join((evidence.diagnosis or evidence.words).split())[:500],
    )


def _by_words(letter: Letter) -> tuple[Finding, ...]:
    text, _ = spoken(letter)
    subject = letter.headers.text("subject")
    said = recipients_in(letter) or (Said(address="", words=text),)
    action = "delayed" if is_delayed(letter) else "failed"
    if len(said) > 1:  # what is said of one must not count against another
        text = text.partition(said[0].words[:80])[0]
    return tuple(
        _bounce(one.address, Evidence(action=action, diagnosis=one.words, words=f"{text}\n{subject}")) for one in said
    )

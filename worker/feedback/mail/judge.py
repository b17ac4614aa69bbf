"""From fields, codes and words to one verdict: which status, which reason, and whether it lasts.

Pure. RFC 3464 fields beat words, except where words mend a code that says nothing, or one that some servers use for
everything. A policy (5.7.x) never counts against an address. `dsn` and `bounce_text` bring what there is to weigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from worker.feedback.mail.phrases import reason_in
from worker.feedback.mail.statuses import code_of, codes_in, read_code, reason_of, reply_in, telling
from worker.feedback.mail.verdict import LASTING, Reason

_OF_POLICY: Final = frozenset(
    {
        Reason.SPAM,
        Reason.BLOCKED,
        Reason.AUTHENTICATION,
        Reason.RATE_LIMITED,
        Reason.GREYLISTED,
        Reason.FILTERED,
        Reason.CONTENT,
    }
)
# Codes that name their reason so well that no words are asked.
_PLAIN: Final = frozenset({"2.2", "2.3", "3.4", "4.7", "1.2", "1.6", "1.10", "4.310"})
_WEAKER_THAN_CODES: Final = frozenset(
    {Reason.UNDEFINED, Reason.SYSTEM, Reason.POLICY, Reason.CONTENT, Reason.FILTERED, Reason.AUTHENTICATION}
)
_OF_MESSAGES: Final = frozenset(
    {"521", "552", "554", "555", "556"}
)  # replies to a connection or to a message, not to an address
_VAGUE: Final = frozenset(
    {Reason.UNDEFINED, Reason.POLICY, Reason.SYSTEM, Reason.NETWORK, Reason.EXPIRED, Reason.BLOCKED}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a returned mail says of one recipient; "" where it says nothing.

    `diagnosis` is the remote server's word, `words` what else is written about this recipient.
    """

    action: str = ""
    status: str = ""
    diagnosis: str = ""
    words: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of one recipient."""

    status: str
    reason: Reason
    hard: bool
    delayed: bool


def judge(evidence: Evidence) -> Verdict:
    """Weigh the evidence.

    >>> judge(Evidence(action="failed", status="5.0.0", diagnosis="smtp; 550 5.1.1 <jo@example.org> no such user"))
    Verdict(status='5.1.1', reason=<Reason.USER_UNKNOWN: 'user_unknown'>, hard=True, delayed=False)
    >>> judge(Evidence(action="failed", status="5.1.1", diagnosis="smtp; 550 5.7.1 this looks like spam"))
    Verdict(status='5.7.1', reason=<Reason.SPAM: 'spam'>, hard=False, delayed=False)
    """
    delayed = evidence.action == "delayed"
    code = _best(read_code(evidence.status), codes_in(evidence.diagnosis)) or codes_in(evidence.words)
    severity = _severity(code, evidence, delayed)
    reason = _reason(code, evidence)
    if delayed and reason in {Reason.UNDEFINED, Reason.SYSTEM, Reason.NETWORK}:
        reason = Reason.EXPIRED
    if telling(code) < 1 or (reason is Reason.MAILBOX_FULL and code.partition(".")[2] in {"1.1", "2.1", "1.0"}):
        code = code_of(reason, severity)
    lasts = reason in LASTING and not (reason is Reason.UNDEFINED and reply_in(evidence.diagnosis) in _OF_MESSAGES)
    hard = severity == "5" and lasts and not delayed and code.split(".")[1] != "7"
    return Verdict(status=code, reason=reason, hard=hard, delayed=delayed)


def _best(field: str, said: str) -> str:
    """Choose between the reporting server's code and the one in the remote server's words, which knows better."""
    if said and said.split(".")[1] == "7":
        return said
    return said if telling(said) >= telling(field) else field


def _severity(code: str, evidence: Evidence, delayed: bool) -> str:
    if delayed:
        return "4"
    if telling(code) > 0:
        return code[0]
    reply = reply_in(evidence.diagnosis) or reply_in(evidence.words)
    return reply[:1] or code[:1] or "5"


def _reason(code: str, evidence: Evidence) -> Reason:
    said = reason_in(evidence.diagnosis) if evidence.diagnosis else Reason.UNDEFINED
    if said in _VAGUE and evidence.words:
        said = _firmer(said, reason_in(evidence.words))
    if telling(code) < 1:
        return said
    _, subject, detail = code.split(".")
    meant = reason_of(code)
    if subject == "7":
        return said if said in _OF_POLICY and meant is Reason.POLICY else meant
    if subject in {"1", "2"}:
        return _of_address(f"{subject}.{detail}", meant, said)
    if f"{subject}.{detail}" in _PLAIN or (meant is not Reason.UNDEFINED and said in _WEAKER_THAN_CODES):
        return meant
    return said


def _of_address(code: str, meant: Reason, said: Reason) -> Reason:
    if code in _PLAIN:
        return meant
    if said in {Reason.MAILBOX_FULL, Reason.RATE_LIMITED, Reason.SUSPENDED, Reason.GREYLISTED}:
        return said
    if code.endswith(".0"):
        return said if said not in {Reason.UNDEFINED, Reason.SYSTEM} else meant
    return meant


def _firmer(first: Reason, second: Reason) -> Reason:
    return first if second is Reason.UNDEFINED or (first is not Reason.UNDEFINED and second in _VAGUE) else second

"""Judges what a spam filter has said of a mail. Pure; `run_spam` asks one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from worker.preflight.findings import Check, Finding, ok, problem, unchecked, warning

LIMIT: Final = 5.0
NEAR: Final = 2.0
_TOLD: Final = 8
# What only says that the mail has not travelled yet, or that this machine gets no answer from DNS, which has a check of
# its own: a network of ours that is away holds nothing.
_OF_THE_TRIAL: Final = re.compile(
    r"NO_RELAYS|NO_RECEIVED|RCVD_COUNT_ZERO|RCVD_NO_TLS_LAST|HFILTER_HOSTNAME_UNKNOWN|HFILTER_FROMHOST_\w+"
    "|UNPARSEABLE_RELAY|R_SPF_NA"
    "|R_SPF_SOFTFAIL|R_DKIM_REJECT|DMARC_NA|ARC_NA|RCVD_TLS_ALL"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """What a filter says: `points` above zero lean towards spam, `rules` are what it has noticed.

    `trouble` says why there is none.
    """

    by: str
    points: float = 0.0
    rules: Mapping[str, float] = field(default_factory=dict)
    trouble: str = ""
    advice: str = ""


def check_spam(score: Score | None) -> Iterator[Finding]:
    """Judge a score; None where nobody was to be asked."""
    if score is None:
        yield unchecked(Check.SPAM, "TOCSIN_SPAM_CHECK is off", "set it to auto")
        return
    if score.trouble:
        yield unchecked(Check.SPAM, score.trouble, score.advice)
        return
    points = score.points - sum(count for rule, count in score.rules.items() if _is_of_the_trial(rule, count))
    against = sorted(
        ((count, rule) for rule, count in score.rules.items() if count > 0 and not _is_of_the_trial(rule, count)),
        reverse=True,
    )
    why = ", ".join(f"{rule} {count:g}" for count, rule in against[:_TOLD])
    says = f"{score.by}: {points:.1f} points"
    if points > LIMIT:
        yield problem(Check.SPAM, f"{says}, the limit is {LIMIT:g}: {why}", _MEND, harms=True)
    elif points > NEAR:
        yield warning(Check.SPAM, f"{says}: {why}", _MEND)
    else:
        yield ok(Check.SPAM, f"{says}{f': {why}' if why else ''}")


_MEND: Final = "the rules' names say what they mind; rspamd.com and spamassassin.apache.org explain each"


def _is_of_the_trial(rule: str, count: float) -> bool:
    return count > 0 and _OF_THE_TRIAL.fullmatch(rule) is not None

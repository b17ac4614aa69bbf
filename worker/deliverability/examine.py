"""All that DNS says of a sender, judged: what `tocsin doctor` prints of it. Pure, given the answers of DNS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from worker.deliverability import judge_bounces, judge_dkim, judge_dmarc, judge_spf
from worker.deliverability.asking import Ask
from worker.deliverability.names import is_public
from worker.deliverability.publishing import Sender
from worker.errors import DnsError
from worker.health import Finding, Health

_JUDGES: Final = (
    (judge_spf.PART, judge_spf.judge_spf),
    (judge_dkim.PART, judge_dkim.judge_dkim),
    (judge_dmarc.PART, judge_dmarc.judge_dmarc),
    (judge_bounces.PART, judge_bounces.judge_bounces),
)


def examine(sender: Sender, ask: Ask) -> Iterator[Finding]:
    """Judge SPF, DKIM, DMARC and the way back, a finding or more each; one alone where there is nothing to judge."""
    if not (sender.sends and is_public(sender.from_domain)):
        why = f"{sender.from_domain} is not a public domain" if sender.sends else "mail goes to the local inbox only"
        yield Finding(part="dns", health=Health.UNCHECKED, says=f"{why}: SPF, DKIM and DMARC are not checked")
        return
    for part, judge in _JUDGES:
        try:
            yield from (_weighed(sender, finding) for finding in judge(sender, ask))
        except DnsError as error:
            yield _unanswered(part, error)


def _weighed(sender: Sender, finding: Finding) -> Finding:
    """Take what only concerns our own envelopes lightly where all mail leaves in a provider's."""
    lightly = not sender.by_smtp and finding.part in {judge_spf.PART, judge_bounces.PART}
    return replace(finding, health=Health.NOTE) if lightly and finding.health is Health.ILL else finding


def _unanswered(part: str, error: DnsError) -> Finding:
    if error.silent:
        advice = "does this machine resolve names? TOCSIN_DNS_RESOLVERS names others to ask"
        return Finding(part=part, health=Health.UNCHECKED, says=f"cannot be asked: {error}", advice=advice)
    advice = "the domain's own name servers or its DNSSEC fail, and for receivers too: mend them first"
    return Finding(part=part, health=Health.ILL, says=str(error), advice=advice)

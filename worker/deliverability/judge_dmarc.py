"""Is there a DMARC policy, and does our mail pass it? Pure, given the answers of DNS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from worker.deliverability.asking import Ask, Kind
from worker.deliverability.dmarc import Policy, aligned, dmarc_records, organisation, policy_of
from worker.deliverability.publishing import Sender, dmarc_record
from worker.health import Finding, Health

PART = "dmarc"
_POLICIES = {"none", "quarantine", "reject"}


def judge_dmarc(sender: Sender, ask: Ask) -> Iterator[Finding]:
    """Judge the policy of the From domain, and whether our signatures and bounce domain are aligned with it."""
    domain = sender.from_domain
    publish = f"publish: {dmarc_record(domain).line}"
    records, policy = dmarc_records(domain, ask), policy_of(domain, ask)
    if len(records) > 1:
        yield _finding(Health.ILL, f"_dmarc.{domain} has {len(records)} policies: none counts", "keep one of them")
    elif policy is None and records:
        yield _finding(Health.ILL, f"_dmarc.{domain} cannot be read: {records[0]}", publish)
    elif policy is None:
        yield _finding(
            Health.ILL, f"{domain} has no DMARC policy, which Gmail and Yahoo demand of bulk senders", publish
        )
    else:
        findings = [*_of_the_policy(domain, policy, publish), *_alignment(sender, policy, ask), *_reports(policy, ask)]
        where = "" if policy.domain == domain else f", from {policy.domain}"
        says = f"{domain}: p={policy.policy_for(domain)}{where}, and our mail is aligned"
        yield from findings or [_finding(Health.WELL, says)]


def _of_the_policy(domain: str, policy: Policy, publish: str) -> Iterator[Finding]:
    asked = policy.policy_for(domain)
    if asked not in _POLICIES:
        yield _finding(Health.ILL, f"_dmarc.{policy.domain} asks for p={asked}, which is no policy", publish)
    elif asked == "none":
        says = f"{domain}: p=none asks receivers to let forged mail through"
        yield _finding(Health.NOTE, says, "p=quarantine, once the reports show that all your own mail passes")


def _alignment(sender: Sender, policy: Policy, ask: Ask) -> Iterator[Finding]:
    """One aligned way is enough for a pass; mail that is not signed here may be so by its provider."""
    domain = sender.from_domain
    by_key = [
        signature.domain
        for signature in sender.signatures
        if aligned(domain, signature.domain, ask, strict=policy.tags.get("adkim") == "s")
    ]
    by_envelope = aligned(domain, sender.bounce_domain, ask, strict=policy.tags.get("aspf") == "s")
    if sender.signatures and not by_key:
        signing = sender.signatures[0].domain
        yield _finding(
            Health.NOTE if by_envelope else Health.ILL,
            f"{domain}: the signature's domain {signing} is not aligned with it",
            f"set TOCSIN_DKIM_DOMAIN={domain}, and publish its key there",
        )
    if not by_envelope and not sender.providers:
        yield _finding(
            Health.NOTE if by_key else Health.ILL,
            f"{domain}: the bounce domain {sender.bounce_domain} is not aligned with it, so SPF does not count",
            f"use a bounce domain in {organisation(domain, ask)}",
        )


def _reports(policy: Policy, ask: Ask) -> Iterator[Finding]:
    """Judge where reports go; a stranger's domain must say that it wants them (RFC 9990, 4)."""
    targets = re.findall(r"mailto:[^@,!\s]+@([\w.-]+)", policy.tags.get("rua", ""))
    if not targets:
        says = f"_dmarc.{policy.domain} has no rua=: nobody tells you who sends in your name"
        yield _finding(Health.NOTE, says, f"add rua=mailto:dmarc@{policy.domain}")
    for target in targets:
        name = f"{policy.domain}._report._dmarc.{target}"
        if organisation(target, ask) != organisation(policy.domain, ask) and not _agrees(ask(name, Kind.TXT)):
            says = f"_dmarc.{policy.domain}: {target} has not said that it takes these reports, so none are sent"
            yield _finding(Health.NOTE, says, f'{target} must publish: {name}. IN TXT "v=DMARC1;"')


def _agrees(texts: tuple[str, ...]) -> bool:
    return any(text.startswith("v=DMARC1") for text in texts)


def _finding(health: Health, says: str, advice: str = "") -> Finding:
    return Finding(part=PART, health=health, says=says, advice=advice)
